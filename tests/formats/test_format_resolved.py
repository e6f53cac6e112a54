"""resolved.conf by systemd's rules: what the daemon takes, and the least edit that makes it take
ours."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from kjpstate.formats.resolved_conf import (
    MAIN,
    ConfFile,
    Wanted,
    bare,
    edited,
    in_order,
    server,
    settings,
    unmet,
)

WANTED = Wanted(("8.8.8.8", "1.1.1.1"), ("8.8.4.4", "1.0.0.1"))
STOCK = b"""#  This file is part of systemd.
#
# See resolved.conf(5) for details.

[Resolve]
# Some examples of DNS servers which may be used for DNS= and FallbackDNS=:
# Cloudflare: 1.1.1.1#cloudflare-dns.com 1.0.0.1#cloudflare-dns.com
#DNS=
#FallbackDNS=
#Domains=
#DNSSEC=no
#Cache=yes
"""


def dns(text: str | bytes, key: str = "DNS") -> tuple[str, ...] | None:
    content = text.encode() if isinstance(text, str) else text
    return settings([ConfFile(MAIN, content)]).values(key)


READ = [
    ("[Resolve]\nDNS=1.1.1.1\nDNS=2.2.2.2\n", ("1.1.1.1", "2.2.2.2")),
    (
        "[Resolve]\nDNS=1.1.1.1\n[Other]\nDNS=9.9.9.9\n[Resolve]\nDNS=2.2.2.2",
        ("1.1.1.1", "2.2.2.2"),
    ),
    ("[Resolve]\nDNS=1.1.1.1\nDNS=\n", ()),
    ("[Resolve]\nDNS=1.1.1.1\nDNS=\nDNS=2.2.2.2\n", ("2.2.2.2",)),
    ("[Resolve]\nDNS=1.1.1.1 2.2.2.2 1.1.1.1\n", ("1.1.1.1", "2.2.2.2")),
    ("[resolve]\nDNS=1.1.1.1\n", None),
    ("[Resolve]\ndns=1.1.1.1\n", None),
    ("[Resolve]\n\t DNS =\t1.1.1.1   2.2.2.2  \n", ("1.1.1.1", "2.2.2.2")),
    ("  [Resolve]  \nDNS=1.1.1.1\n", ("1.1.1.1",)),
    ("[Resolve]\nDNS=1.1.1.1 # note\n", ("1.1.1.1",)),
    ("[Resolve]\nDNS=1.1.1.1,2.2.2.2\n", ()),
    ("[Resolve]\nDNS=8.8.8.8, 1.1.1.1 nonsense\n", ("1.1.1.1",)),
    ('[Resolve]\nDNS="1.1.1.1"\n', ()),
    ("[Resolve]\nDNS=1.1.1.1 \\\n# between\n  2.2.2.2\n", ("1.1.1.1", "2.2.2.2")),
    ("[Resolve]\nDNS=1.1.1.1 \\", ("1.1.1.1",)),
    ("[Resolve]\nDNS=1.1.1.1\\\n.2\n", ("1.1.1.1",)),
    ("[Resolve]\n# DNS=9.9.9.9 \\\nDNS=1.1.1.1\n", ("1.1.1.1",)),
    ("[Resolve]\n ;DNS=9.9.9.9\nDNS=1.1.1.1\n", ("1.1.1.1",)),
    ("DNS=9.9.9.9\n[Resolve]\nDNS=1.1.1.1\n", ("1.1.1.1",)),
    (b"\xef\xbb\xbf[Resolve]\r\nDNS=1.1.1.1\r\n", ("1.1.1.1",)),
    ("[Resolve]\rDNS=1.1.1.1\r", ("1.1.1.1",)),
    (b"[Resolve]\nDNS=1.1.1.1\nDNS=9.9.9.9 \xff\nDNS=2.2.2.2\n", ("1.1.1.1",)),
    (b"[Resolve]\n# caf\xe9\nDNS=1.1.1.1\n", ("1.1.1.1",)),
    ("[Resolve]\nX-DNS=9.9.9.9\nDNS=1.1.1.1\n", ("1.1.1.1",)),
    ("[Resolve]\nDNS\n=9.9.9.9\nDNS=1.1.1.1\n", ("1.1.1.1",)),
    ("[Resolve]\nDNS=127.0.0.53 127.0.0.54 0.0.0.0 :: 127.0.0.1\n", ("127.0.0.1",)),
    ("[Resolve\nDNS=1.1.1.1\n", None),
    ("[Resolve]\nDNS=1.1.1.1\n[Broken\nDNS=2.2.2.2\n", ("1.1.1.1",)),
    ("", None),
]


@pytest.mark.parametrize(("text", "expected"), READ)
def test_what_the_daemon_takes(text: str | bytes, expected: tuple[str, ...] | None) -> None:
    assert dns(text) == expected


SERVERS = [
    ("1.1.1.1:53", "1.1.1.1"),
    ("1.1.1.1:853", "1.1.1.1"),
    ("1.1.1.1:5353", "1.1.1.1:5353"),
    ("1.1.1.1#cloudflare-dns.com", "1.1.1.1#cloudflare-dns.com"),
    ("2606:4700:4700:0:0:0:0:1111", "2606:4700:4700::1111"),
    ("[2606:4700:4700::1111]:5353%eth0#one.one", "[2606:4700:4700::1111]:5353%eth0#one.one"),
    ("fe80::1%eth0", "fe80::1%eth0"),
    ("127.0.0.1%lo", "127.0.0.1"),
    ("1.1.1.1#", ""),
    ("1.1.1.1%", ""),
    ("1.1.1.1:0", ""),
    ("1.1.1.1:65536", ""),
    ("1.1.1.1:", ""),
    ("[1.1.1.1]:53", ""),
    ("[2606:4700::1]", ""),
    ("01.1.1.1", ""),
    ("dns.google", ""),
    ("127.0.0.53", ""),
]


@pytest.mark.parametrize(("word", "expected"), SERVERS)
def test_a_server(word: str, expected: str) -> None:
    value, why = server(word)
    assert value == expected
    assert bool(why) == (expected == "")


def test_the_bare_address_of_a_server() -> None:
    assert bare("[2606:4700:4700::1111]:5353%eth0#one.one") == "2606:4700:4700::1111"
    assert bare("1.1.1.1#cloudflare-dns.com") == "1.1.1.1"


DOMAINS = [
    ("*", ("~.",), True),
    ("~.", ("~.",), True),
    (".", ("~.",), True),
    ('"~."', ("~.",), True),
    ("lan ~corp.example.", ("lan", "~corp.example"), False),
    ("lan ~LAN", ("~lan",), False),
    ("~lan lan", ("lan",), False),
    ("a..b lan", ("lan",), False),
    ('lan "half', ("lan",), False),
    ('"a b" lan,home *.lan', ("a\\032b", "lan\\044home", "\\042.lan"), False),
    ("b\u00fccher.lan \\\\108an LAN", ("b\\195\\188cher.lan", "lan"), False),
    ("a\\\\.b x\\\\300y x\\\\007y half\\\\", ("a\\.b",), False),
    ("~~lan lan.. .lan ..", ("~\\126lan",), False),
]


@pytest.mark.parametrize(("value", "expected", "exclusive"), DOMAINS)
def test_domains(value: str, expected: tuple[str, ...], exclusive: bool) -> None:
    found = settings([ConfFile(MAIN, f"[Resolve]\nDomains={value}\n".encode())])
    assert found.values("Domains") == expected
    assert found.exclusive is exclusive


INTERFACES = {1: "lo", 2: "eth0"}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("1.1.1.1%eth0", ("1.1.1.1%eth0",)),
        ("1.1.1.1%2", ("1.1.1.1%eth0",)),
        ("1.1.1.1:5353%2#one.one", ("1.1.1.1:5353%eth0#one.one",)),
        ("127.0.0.1%eth0", ("127.0.0.1",)),
        ("127.0.0.1%1", ("127.0.0.1",)),
        ("1.1.1.1%wlan9", ()),
        ("1.1.1.1%9", ()),
    ],
)
def test_a_server_of_an_interface(word: str, expected: tuple[str, ...]) -> None:
    found = settings([ConfFile(MAIN, f"[Resolve]\nDNS={word}\n".encode())], INTERFACES)
    assert found.values("DNS") == expected
    assert [item.why for item in found.ignored] == (
        [] if expected else [f"there is no interface {word[8:]}"]
    )


def test_where_a_value_comes_from_and_what_was_dropped() -> None:
    dropin = ConfFile(
        "/etc/systemd/resolved.conf.d/10-vpn.conf", b"# ours\n[Resolve]\nDNS=9.9.9.9 nine\n"
    )
    found = settings([ConfFile(MAIN, b"[Resolve]\n\nDNS=1.1.1.1\n"), dropin])
    assert [(entry.value, entry.file, entry.line) for entry in found.entries["DNS"]] == [
        ("1.1.1.1", MAIN, 3),
        ("9.9.9.9", dropin.path, 3),
    ]
    assert [(item.word, item.file, item.line) for item in found.ignored] == [
        ("nine", dropin.path, 3)
    ]


def test_drop_ins_come_by_name_and_the_stronger_tree_hides_the_same_name() -> None:
    etc, run, usr = (
        ConfFile(f"{tree}/systemd/resolved.conf.d/{name}", content)
        for tree, name, content in (
            ("/etc", "20-a.conf", b""),
            ("/run", "10-b.conf", b"[Resolve]\nDNS=\n"),
            ("/usr/lib", "20-a.conf", b"[Resolve]\nDNS=9.9.9.9\n"),
        )
    )
    assert in_order([usr, etc, run]) == (run, etc)


def test_a_broken_header_stops_the_reading_of_later_files_too() -> None:
    found = settings(
        [ConfFile(MAIN, b"[Resolve\n"), ConfFile("/etc/x.conf", b"[Resolve]\nDNS=1.1.1.1\n")]
    )
    assert found.values("DNS") is None
    assert found.broken is not None and found.broken.line == 1


EDITS = [
    (None, b"[Resolve]\nDNS=8.8.8.8 1.1.1.1\nFallbackDNS=8.8.4.4 1.0.0.1\n"),
    (b"", b"[Resolve]\nDNS=8.8.8.8 1.1.1.1\nFallbackDNS=8.8.4.4 1.0.0.1\n"),
    (
        STOCK,
        STOCK.replace(
            b"[Resolve]\n", b"[Resolve]\nDNS=8.8.8.8 1.1.1.1\nFallbackDNS=8.8.4.4 1.0.0.1\n"
        ),
    ),
    (
        STOCK.replace(b"\n", b"\r\n"),
        STOCK.replace(b"\n", b"\r\n").replace(
            b"[Resolve]\r\n", b"[Resolve]\r\nDNS=8.8.8.8 1.1.1.1\r\nFallbackDNS=8.8.4.4 1.0.0.1\r\n"
        ),
    ),
    (b"[Resolve]", b"[Resolve]\nDNS=8.8.8.8 1.1.1.1\nFallbackDNS=8.8.4.4 1.0.0.1"),
    (
        b"\xef\xbb\xbf[Resolve]\n",
        b"\xef\xbb\xbf[Resolve]\nDNS=8.8.8.8 1.1.1.1\nFallbackDNS=8.8.4.4 1.0.0.1\n",
    ),
    (
        b"[Resolve]\nDNS=192.168.1.1\nCache=no\nDNS=9.9.9.9\n",
        b"[Resolve]\nDNS=8.8.8.8 1.1.1.1\nFallbackDNS=8.8.4.4 1.0.0.1\nCache=no\n",
    ),
    (
        b"[Resolve]\nDNS=9.9.9.9 \\\n# why\n 7.7.7.7\nFallbackDNS=8.8.4.4 1.0.0.1\n",
        b"[Resolve]\nDNS=8.8.8.8 1.1.1.1\n# why\nFallbackDNS=8.8.4.4 1.0.0.1\n",
    ),
    (
        b"[Resolve]\nDNS=8.8.8.8 1.1.1.1\nFallbackDNS=8.8.4.4 1.0.0.1\nDNS=\nDNS=9.9.9.9",
        b"[Resolve]\nDNS=8.8.8.8 1.1.1.1\nFallbackDNS=8.8.4.4 1.0.0.1\n",
    ),
    (b"[resolve]\n", b"[resolve]\n[Resolve]\nDNS=8.8.8.8 1.1.1.1\nFallbackDNS=8.8.4.4 1.0.0.1\n"),
    (
        b"[Other]\nX=1 \\",
        b"[Other]\nX=1 \\\n\n[Resolve]\nDNS=8.8.8.8 1.1.1.1\nFallbackDNS=8.8.4.4 1.0.0.1",
    ),
    (
        b"[Resolve]\nCache=yes\n[Other]\n[Resolve]\n",
        b"[Resolve]\nDNS=8.8.8.8 1.1.1.1\nFallbackDNS=8.8.4.4 1.0.0.1\nCache=yes\n[Other]\n[Resolve]\n",
    ),
    (b"[Resolve] \\", b"[Resolve] \\\n\nDNS=8.8.8.8 1.1.1.1\nFallbackDNS=8.8.4.4 1.0.0.1"),
    (
        b"[Resolve]\nDNS=8.8.8.8:53  1.1.1.1 1.1.1.1 # fine\nFallbackDNS=8.8.4.4\nFallbackDNS=1.0.0.1\n",
        b"[Resolve]\nDNS=8.8.8.8:53  1.1.1.1 1.1.1.1 # fine\nFallbackDNS=8.8.4.4\nFallbackDNS=1.0.0.1\n",
    ),
]


@pytest.mark.parametrize(("before", "after"), EDITS)
def test_the_least_edit(before: bytes | None, after: bytes) -> None:
    assert edited(before, (), WANTED) == after
    assert unmet(after, (), WANTED) == ()


ROUTES = [
    (b"[Resolve]\n", True, b"[Resolve]\nDomains=~.\n"),
    (b"[Resolve]\nDomains=lan\n", True, b"[Resolve]\nDomains=lan\nDomains=~.\n"),
    (b"[Resolve]\nDomains=*\n", True, b"[Resolve]\nDomains=*\n"),
    (b"[Resolve]\nDomains=lan ~. ~corp\n", False, b"[Resolve]\nDomains=lan ~corp\n"),
    (b"[Resolve]\nDomains=~.\nCache=no\nDomains=.\n", False, b"[Resolve]\nCache=no\n"),
    (b"[Resolve]\nDomains=lan\n", False, b"[Resolve]\nDomains=lan\n"),
]


@pytest.mark.parametrize(("before", "exclusive", "after"), ROUTES)
def test_the_root_domain_alone_is_ours(before: bytes, exclusive: bool, after: bytes) -> None:
    assert edited(before, (), Wanted(exclusive=exclusive)) == after


def test_what_a_drop_in_gives_counts_and_what_it_takes_can_not_be_mended() -> None:
    giving = ConfFile("/etc/systemd/resolved.conf.d/a.conf", b"[Resolve]\nDNS=8.8.8.8 1.1.1.1\n")
    taking = ConfFile("/etc/systemd/resolved.conf.d/b.conf", b"[Resolve]\nDNS=\nDNS=9.9.9.9\n")
    servers = Wanted(servers=("8.8.8.8", "1.1.1.1"))
    assert edited(STOCK, [giving], servers) == STOCK
    assert unmet(edited(STOCK, [taking], servers), [taking], servers) == ("DNS",)


LINES = st.sampled_from(
    [
        b"[Resolve]",
        b"  [Resolve]  ",
        b"[Other]",
        b"[resolve]",
        b"#DNS=",
        b"; DNS=1.2.3.4 \\",
        b"DNS=9.9.9.9",
        b" DNS = 9.9.9.9 1.1.1.1#sni",
        b"DNS=9.9.9.9 \\",
        b"DNS=",
        b"FallbackDNS=",
        b"FallbackDNS=7.7.7.7, x",
        b"Domains=lan",
        b'Domains=~. "~corp"',
        b"Cache=no",
        b"X-y = \xc3\xa9 \\\\",
        b"# caf\xe9",
        b"\xef\xbb\xbfDNS=9.9.9.9",
        b"",
        b"\t",
    ]
)
FILES = st.tuples(
    st.sampled_from([b"\n", b"\r\n"]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.lists(LINES),
    st.booleans(),
).map(lambda parts: parts[1] + parts[0].join(parts[2]) + (parts[0] if parts[3] else b""))
ADDRESSES = st.lists(
    st.sampled_from(["8.8.8.8", "1.1.1.1", "9.9.9.9", "2606:4700:4700::1111"]), unique=True
)
WANTS = st.builds(
    Wanted,
    st.none() | ADDRESSES.map(tuple),
    st.none() | ADDRESSES.map(tuple),
    st.none() | st.booleans(),
)
OURS = (b"DNS", b"FallbackDNS", b"Domains")


def untouched(content: bytes) -> list[bytes]:
    """The lines that an edit must keep: all but our keys, continuations of theirs, headers and
    blanks."""
    kept, inside = [], False
    for line in content.splitlines():
        bare_line = line.removeprefix(b"\xef\xbb\xbf").strip()
        comment = bare_line.startswith((b"#", b";"))
        ours = not comment and (inside or bare_line.partition(b"=")[0].strip() in OURS)
        if not comment:
            inside = ours and (len(line) - len(line.rstrip(b"\\"))) % 2 == 1
        if not ours and bare_line and bare_line != b"[Resolve]":
            kept.append(line)
    return kept


@example(
    b"[Resolve]\nDNS=9.9.9.9\n\xef\xbb\xbfDNS=9.9.9.9\n\xef\xbb\xbfDNS=9.9.9.9",
    Wanted((), None, None),
)
@given(FILES, WANTS)
def test_an_edit_is_right_keeps_the_rest_and_is_not_repeated(before: bytes, wanted: Wanted) -> None:
    assume(settings([ConfFile(MAIN, before)]).broken is None)
    after = edited(before, (), wanted)
    assert after is not None
    assert unmet(after, (), wanted) == ()
    assert edited(after, (), wanted) == after
    assert untouched(after) == untouched(before)


@given(st.binary(max_size=200), WANTS)
def test_no_file_is_too_strange(content: bytes, wanted: Wanted) -> None:
    after = edited(content, (), wanted)
    if settings([ConfFile(MAIN, content)]).broken is None:
        assert unmet(after, (), wanted) == ()
