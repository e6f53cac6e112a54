"""Kind dns by tables: what stands there, what should, and the least that is done about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kjpstate import rules
from kjpstate.formats.resolved import Link, Running, Seen, Unit, reading, render
from kjpstate.formats.resolved_conf import DROP_IN, MAIN, ConfFile
from kjpstate.kinds import dns
from kjpstate.kinds.dns.spec import Spec
from kjpstate.model import (
    Answer,
    Answers,
    File,
    MakeDirectory,
    ReadFile,
    ReadState,
    Refuse,
    Run,
    Stamp,
    Unreadable,
    WriteFile,
)
from tests.support import one_kind
from tests.support.one_kind import stamp

SPEC = Spec("stb", "bot-kjp", ("8.8.8.8", "1.1.1.1"), ("8.8.4.4", "1.0.0.1"))
STOCK = b"[Resolve]\n#DNS=\n#FallbackDNS=\n"
SET = b"[Resolve]\nDNS=8.8.8.8 1.1.1.1\nFallbackDNS=8.8.4.4 1.0.0.1\n#DNS=\n#FallbackDNS=\n"
HAS = Running(("8.8.8.8", "1.1.1.1"), ("8.8.4.4", "1.0.0.1"), mode="stub", stub="yes")
EMPTY = Running((), (), mode="stub", stub="yes")
UNIT = Unit("loaded", "active", "running", "enabled", "success")
BOX = Seen(
    version=252,
    unit=UNIT,
    running=EMPTY,
    links=(Link(2, "eth0", ("192.168.100.1",), (), True),),
    interfaces={1: "lo", 2: "eth0"},
    hosts=("files", "dns"),
    listens=True,
)


def answers(
    seen: Seen | Answer, main: bytes | Answer, own: bytes | Answer = None, owner: str = "bot-kjp"
) -> Answers:
    """`own`: our drop-in, which the probe sees as well. `owner`: the document that set it last; "":
    none."""
    if isinstance(seen, Seen) and isinstance(own, bytes):
        seen = replace(seen, files=(*seen.files, ConfFile(DROP_IN, own)))
    probed = render(seen) if isinstance(seen, Seen) else seen
    file = File(MAIN, main, 0o644) if isinstance(main, bytes) else main
    mine = File(DROP_IN, own, 0o644) if isinstance(own, bytes) else own
    claim = stamp({"document": owner}) if owner else None
    files = {ReadFile("stb", MAIN): file, ReadFile("stb", DROP_IN): mine}
    return {reading("stb"): probed, **files, ReadState("stb", "_host", "dns"): claim}


def steps(spec: Spec, found: Answers) -> list[Any]:
    assert set(found) == set(dns.reads(spec))
    return one_kind.steps(dns, spec, found)


def told(spec: Spec, found: Answers) -> tuple[str, list[str]]:
    return one_kind.headline(dns, spec, found), one_kind.rows(dns, spec, found)


FORGET = ("systemctl", "reset-failed", "systemd-resolved")
RESTART = ("systemctl", "restart", "systemd-resolved")


def test_the_first_time() -> None:
    write, forget, run = steps(SPEC, answers(BOX, STOCK))
    assert forget.argv == FORGET and forget.why == "forgets its earlier starts"
    assert run.rule == "restart-failed" and run.on_failure[0] == "journalctl"
    assert write == WriteFile("stb", MAIN, STOCK, SET)
    assert (
        isinstance(run, Run) and run.argv == RESTART and run.why == "restarts systemd-resolved once"
    )
    assert run.undo[-1] == RESTART and run.writes == ()


def test_the_second_time_nothing() -> None:
    assert steps(SPEC, answers(replace(BOX, running=HAS), SET)) == []


def test_what_the_screen_says() -> None:
    headline, rows = told(SPEC, answers(BOX, STOCK))
    assert headline == MAIN
    assert rows == [
        "DNS          (none) -> 8.8.8.8 1.1.1.1",
        "FallbackDNS  (none) -> 8.8.4.4 1.0.0.1",
    ]
    assert one_kind.assess(dns, SPEC, answers(BOX, STOCK)).told.mismatch == "effective-mismatch"
    assert told(SPEC, answers(replace(BOX, running=HAS), SET)) == ("", [])


def test_only_the_daemon_is_behind() -> None:
    found = answers(BOX, SET)
    _, run = steps(SPEC, found)
    assert isinstance(run, Run) and run.argv == RESTART
    headline, rows = told(SPEC, found)
    assert "has not read it" in headline
    assert rows[0] == "DNS          (none) -> 8.8.8.8 1.1.1.1   in the daemon"


def test_only_the_file_is_behind() -> None:
    (write,) = steps(SPEC, answers(replace(BOX, running=HAS), STOCK))
    assert isinstance(write, WriteFile) and write.after == SET


def test_a_comment_or_another_key_is_no_drift() -> None:
    main = b"# mine\r\n[Resolve]\r\nCache=no\r\nDNS=8.8.8.8:53\r\nDNS=1.1.1.1\r\nFallbackDNS=8.8.4.4  1.0.0.1"
    assert steps(SPEC, answers(replace(BOX, running=replace(HAS, current="1.1.1.1")), main)) == []


def test_keys_the_document_does_not_name_are_left_alone() -> None:
    spec = replace(SPEC, fallback=None)
    running = replace(HAS, fallback=("9.9.9.9",), domains=("~.",))
    main = b"[Resolve]\nDNS=8.8.8.8 1.1.1.1\nFallbackDNS=9.9.9.9\nDomains=~.\n"
    assert steps(spec, answers(replace(BOX, running=running), main)) == []
    write, *_ = steps(spec, answers(BOX, b"[Resolve]\nFallbackDNS=9.9.9.9\nDomains=lan ~.\n"))
    assert write.after == b"[Resolve]\nFallbackDNS=9.9.9.9\nDomains=lan ~.\nDNS=8.8.8.8 1.1.1.1\n"


def test_exclusive() -> None:
    spec = replace(SPEC, exclusive=True)
    write, _, run = steps(spec, answers(replace(BOX, running=HAS), SET))
    assert b"Domains=~.\n" in write.after and run.argv == RESTART
    assert (
        steps(spec, answers(replace(BOX, running=replace(HAS, domains=("~.",))), write.after)) == []
    )
    back, *_ = steps(
        replace(SPEC, exclusive=False),
        answers(replace(BOX, running=replace(HAS, domains=("~.",))), write.after),
    )
    assert back.after == SET


def test_an_empty_fallback_needs_a_line_only_where_something_is_built_in() -> None:
    spec = replace(SPEC, fallback=())
    main = b"[Resolve]\nDNS=8.8.8.8 1.1.1.1\n"
    assert steps(spec, answers(replace(BOX, running=replace(HAS, fallback=())), main)) == []
    built_in = replace(BOX, running=replace(HAS, fallback=("9.9.9.9",)))
    write, *_ = steps(spec, answers(built_in, main))
    assert write.after == main + b"FallbackDNS=\n"


def test_a_missing_file_is_created() -> None:
    drift = one_kind.assess(dns, SPEC, answers(BOX, None)).drift
    assert drift is not None and not drift.actual.present
    write, *_ = steps(SPEC, answers(BOX, None))
    assert isinstance(write, WriteFile) and write.before is None and write.mode == 0o644
    assert write.after == b"[Resolve]\nDNS=8.8.8.8 1.1.1.1\nFallbackDNS=8.8.4.4 1.0.0.1\n"


def test_a_newer_systemd_reads_its_main_file_elsewhere_too() -> None:
    vendor = ConfFile("/usr/lib/systemd/resolved.conf", b"[Resolve]\nCache=no-negative\n")
    write, run = steps(SPEC, answers(replace(BOX, version=257, files=(vendor,)), None))
    assert write.before is None and write.after.endswith(b"Cache=no-negative\n")
    assert run.argv[1] == "reload-or-restart" and run.undo[-1] == RESTART
    older, *_ = steps(SPEC, answers(replace(BOX, version=252, files=(vendor,)), None))
    assert b"Cache" not in older.after
    # 257 forgets its extra listeners over a reload.
    extra = replace(vendor, content=b"[Resolve]\nDNSStubListenerExtra=192.168.1.2\n")
    for version, verb in ((256, "reload-or-restart"), (257, "restart"), (258, "reload-or-restart")):
        *_, run = steps(SPEC, answers(replace(BOX, version=version, files=(extra,)), STOCK))
        assert run.argv[1] == verb
    same = replace(vendor, content=SET)
    assert steps(SPEC, answers(replace(BOX, version=257, files=(same,), running=HAS), None)) == []


def test_a_stopped_daemon_is_started_and_a_failed_one_forgiven_first() -> None:
    stopped = replace(BOX, running=None, unit=replace(UNIT, active="inactive", sub="dead"))
    _, run = steps(SPEC, answers(stopped, SET))
    assert run.argv == RESTART and run.why == "starts systemd-resolved"
    failed = replace(stopped, unit=replace(UNIT, active="failed", result="start-limit-hit"))
    forget, start = steps(SPEC, answers(failed, SET))
    assert (
        forget.argv == ("systemctl", "reset-failed", "systemd-resolved") and start.argv == RESTART
    )
    assert "resolved-failed" in {
        item.rule for item in one_kind.advised(dns, SPEC, answers(failed, SET))
    }


def test_an_older_daemon_does_not_tell_its_fallback() -> None:
    assert steps(SPEC, answers_without_fallback(HAS, SET)) == []
    write, _, run = steps(SPEC, answers_without_fallback(EMPTY, STOCK))
    assert isinstance(write, WriteFile) and isinstance(run, Run)


def answers_without_fallback(running: Running, main: bytes) -> Answers:
    lines = render(replace(BOX, running=running)).split(b"\n")
    probed = b"\n".join(line for line in lines if b"FallbackDNSEx" not in line)
    return answers(probed, main)


DROPIN = "/etc/systemd/resolved.conf.d/90-vpn.conf"
FOLDER = "/etc/systemd/resolved.conf.d/"
BY_DROP_IN = replace(SPEC, drop_in=True)
OURS = (
    b"# Written by kjpstate for bot-kjp; read last, it wins over resolved.conf.\n[Resolve]\n"
    b"DNS=\nDNS=8.8.8.8 1.1.1.1\nFallbackDNS=\nFallbackDNS=8.8.4.4 1.0.0.1\n"
)


def test_our_own_drop_in_beats_what_the_main_file_can_not() -> None:
    seen = replace(
        BOX, running=replace(EMPTY, servers=("9.9.9.9",)), files=(ConfFile(DROPIN, VPN),)
    )
    (refusal,) = steps(SPEC, answers(seen, STOCK))
    assert refusal.rule == "overridden-by-dropin" and "drop_in: true" in refusal.cure
    write, forget, run = steps(BY_DROP_IN, answers(seen, STOCK))
    assert write == WriteFile("stb", DROP_IN, None, OURS)
    assert (forget.argv, run.argv) == (FORGET, RESTART)
    # It does not loop: once it stands and was read, nothing is left to do, whatever the others say.
    assert steps(BY_DROP_IN, answers(replace(seen, running=HAS), STOCK, OURS)) == []


VPN = b"[Resolve]\nDNS=9.9.9.9\n"


def test_the_folder_of_the_drop_in_is_made_where_there_is_none() -> None:
    made, write, _, _ = steps(BY_DROP_IN, answers(BOX, STOCK))
    assert made == MakeDirectory("stb", FOLDER) and write.path == DROP_IN


def test_a_comment_in_our_drop_in_is_no_drift_and_a_key_of_before_is() -> None:
    seen = replace(BOX, running=HAS)
    assert steps(BY_DROP_IN, answers(seen, STOCK, OURS + b"# mine\n")) == []
    (write,) = steps(BY_DROP_IN, answers(seen, STOCK, OURS + b"Domains=lan\n"))
    assert write == WriteFile("stb", DROP_IN, OURS + b"Domains=lan\n", OURS)


def test_a_drop_in_that_is_no_longer_asked_for_goes_and_the_main_file_takes_over() -> None:
    found = answers(replace(BOX, running=HAS), STOCK, OURS)
    main, gone = steps(SPEC, found)
    assert main == WriteFile("stb", MAIN, STOCK, SET)
    assert gone == WriteFile("stb", DROP_IN, OURS, None)
    assert "no longer asks for" in told(SPEC, found)[1][0]


def test_a_strangers_file_of_that_name_is_not_ours_to_remove() -> None:
    assert steps(SPEC, answers(replace(BOX, running=HAS), SET, b"[Resolve]\nCache=no\n")) == []


def test_a_drop_in_that_is_read_after_ours_is_named() -> None:
    later = ConfFile("/run/systemd/resolved.conf.d/zzz.conf", VPN)
    (refusal,) = steps(BY_DROP_IN, answers(replace(BOX, running=HAS, files=(later,)), STOCK, OURS))
    assert refusal.places == ("/run/systemd/resolved.conf.d/zzz.conf:2: DNS=9.9.9.9",)
    assert "drop_in" not in refusal.cure


def test_with_a_drop_in_the_main_file_may_be_a_link() -> None:
    linked = File(MAIN, STOCK, 0o644, symlink="/mnt/resolved.conf")
    assert steps(BY_DROP_IN, answers(replace(BOX, running=HAS), linked, OURS)) == []
    mine = File(DROP_IN, OURS, 0o644, symlink="/mnt/x.conf")
    (refusal,) = steps(BY_DROP_IN, answers(replace(BOX, running=HAS), STOCK, mine))
    assert refusal.rule == "resolved-symlink"


@pytest.mark.parametrize(
    ("exclusive", "others", "domains"),
    [
        (True, b"[Resolve]\nDomains=lan\n", b"Domains=~.\n"),
        (True, b"[Resolve]\nDomains=~.\n", b""),
        (False, b"[Resolve]\nDomains=~. lan *.x\n", b"Domains=\nDomains=lan \\\\042.x\n"),
        (False, b"[Resolve]\nDomains=lan\n", b""),
    ],
)
def test_of_the_domains_the_drop_in_gives_the_root_alone(
    exclusive: bool, others: bytes, domains: bytes
) -> None:
    seen = replace(BOX, files=(ConfFile(DROPIN, others),))
    write, *_ = steps(replace(BY_DROP_IN, exclusive=exclusive), answers(seen, STOCK))
    assert write.after == OURS + domains


def with_dropin(content: bytes) -> Seen:
    return replace(BOX, running=HAS, files=(ConfFile(DROPIN, content),))


LINKED = File(MAIN, SET, 0o644, symlink="/mnt/resolved.conf")
REFUSED = [
    ("resolved-missing", replace(BOX, unit=Unit("not-found", "inactive"), running=None), STOCK, {}),
    ("resolved-missing", replace(BOX, booted=False, unit=Unit(), running=None), STOCK, {}),
    ("resolved-disabled", replace(BOX, unit=replace(UNIT, load="masked"), running=None), STOCK, {}),
    (
        "resolved-disabled",
        replace(BOX, unit=Unit("loaded", "inactive", "dead", "disabled"), running=None),
        STOCK,
        {},
    ),
    ("resolved-unreadable", replace(BOX, running=None), STOCK, {}),
    ("resolved-unreadable", None, STOCK, {}),
    ("resolved-unreadable", Unreadable("no shell"), STOCK, {}),
    ("resolved-unreadable", BOX, Unreadable("is a directory"), {}),
    ("resolved-unreadable", BOX, File(MAIN, SET, 0o600), {}),
    ("resolved-unreadable", replace(BOX, unreadable=(DROPIN,)), SET, {}),
    ("resolved-symlink", replace(BOX, running=HAS), LINKED, {}),
    ("overridden-by-dropin", with_dropin(b"[Resolve]\nDNS=9.9.9.9\n"), SET, {}),
    ("overridden-by-dropin", with_dropin(b"[Resolve]\nDNS=\n"), SET, {}),
    ("overridden-by-dropin", with_dropin(b"[Resolve]\nDomains=~.\n"), SET, {"exclusive": False}),
    ("value-ignored", BOX, STOCK, {"servers": ("127.0.0.53", "1.1.1.1")}),
    ("value-ignored", BOX, STOCK, {"servers": ("1.1.1.1%wlan9",)}),
    ("value-ignored", BOX, b"[Resolve\n" + SET, {}),
]


@pytest.mark.parametrize(("rule", "seen", "main", "more"), REFUSED)
def test_refused(
    rule: str, seen: Seen | Answer, main: bytes | Answer, more: dict[str, Any]
) -> None:
    found = answers(seen, main)
    (refusal,) = steps(replace(SPEC, **more), found)
    assert isinstance(refusal, Refuse) and refusal.rule == rule and refusal.cure and refusal.reason
    assert rule in rules.RULES
    assert one_kind.problems(dns, replace(SPEC, **more), found)[0] == refusal


def test_a_refusal_shows_the_file_and_line_that_win() -> None:
    (refusal,) = steps(
        SPEC, answers(with_dropin(b"# x\n[Resolve]\nDNS=\nDNS=9.9.9.9 8.8.8.8\n"), SET)
    )
    assert refusal.places == (f"{DROPIN}:3: DNS=", f"{DROPIN}:4: DNS=9.9.9.9")


def test_a_drop_in_that_says_the_same_is_welcome() -> None:
    seen = with_dropin(b"[Resolve]\nDNS=1.1.1.1\n")
    assert steps(SPEC, answers(seen, SET)) == []


def test_a_broken_line_is_drift_even_when_the_daemon_is_right() -> None:
    (write,) = steps(
        SPEC, answers(replace(BOX, running=HAS), SET.replace(b"8.8.8.8 1", b"8.8.8.8, 1"))
    )
    assert write.after == SET


def test_what_systemd_stops_at_is_told_even_when_all_is_right() -> None:
    found = answers(replace(BOX, running=HAS), SET + b"caf\xe9 = x\n")
    assert steps(SPEC, found) == []
    (said,) = (item for item in one_kind.advised(dns, SPEC, found) if item.rule == "value-ignored")
    assert said.severity == "breaks" and f"{MAIN}:6" in said.reason


NM = Link(2, "eth0", ("192.168.100.1",), ("~.",), True)
ADVISED = [
    (BOX, {}, {"fallback-dns": "useless", "modem-still-asked": "note"}),
    (BOX, {"exclusive": True}, {"fallback-dns": "useless"}),
    (replace(BOX, links=(NM,)), {}, {"fallback-dns": "useless", "shadowed-by-link": "breaks"}),
    (
        replace(BOX, links=(NM,)),
        {"exclusive": True},
        {"fallback-dns": "useless", "modem-still-asked": "note"},
    ),
    (replace(BOX, links=()), {"fallback": ()}, {}),
    (
        replace(BOX, links=(), running=replace(EMPTY, mode="foreign")),
        {"fallback": ()},
        {"not-in-path": "breaks"},
    ),
    (
        replace(BOX, links=(), running=replace(EMPTY, mode="foreign"), hosts=("resolve",)),
        {"fallback": ()},
        {},
    ),
    (
        replace(BOX, links=(), running=replace(EMPTY, mode="uplink")),
        {"fallback": (), "exclusive": True},
        {"uplink-list": "useless"},
    ),
    (replace(BOX, links=(), listens=False), {"fallback": ()}, {"stub-off": "breaks"}),
    (
        replace(BOX, links=(), running=replace(EMPTY, stub="no")),
        {"fallback": ()},
        {"stub-off": "breaks"},
    ),
    (
        replace(BOX, links=(), unit=replace(UNIT, enabled="disabled")),
        {"fallback": ()},
        {"resolved-disabled": "breaks"},
    ),
    (
        replace(BOX, links=(), files=(ConfFile(DROPIN, b"[Resolve]\nDNS=1.1.1.1, 8.8.8.8\n"),)),
        {"fallback": ()},
        {"value-ignored": "useless"},
    ),
]


@pytest.mark.parametrize(("seen", "more", "expected"), ADVISED)
def test_advice(seen: Seen, more: dict[str, Any], expected: dict[str, str]) -> None:
    said = one_kind.advised(dns, replace(SPEC, **more), answers(seen, STOCK))
    assert {item.rule: item.severity for item in said} == expected
    assert all(item.rule in rules.RULES and item.reason and item.cure for item in said)


def said_of(seen: Seen, rule: str) -> str:
    found = {
        item.rule: item.reason
        for item in one_kind.advised(dns, replace(SPEC, fallback=()), answers(seen, STOCK))
    }
    return found.get(rule, "")


def test_a_foreign_resolv_conf_is_told_with_whom_it_names_and_who_may_write_it() -> None:
    foreign = replace(EMPTY, mode="foreign")
    seen = replace(BOX, running=foreign, resolv=("192.168.100.1",), near=("NetworkManager",))
    said = said_of(seen, "not-in-path")
    assert said.startswith(
        "/etc/resolv.conf is not resolved's (it names 192.168.100.1; NetworkManager runs"
    )
    # A copy of resolved's own file is foreign to it, and still leads programs there.
    assert said_of(replace(seen, resolv=("127.0.0.53",)), "not-in-path") == ""


def test_a_port_that_is_taken_is_told_with_who_may_have_it() -> None:
    said = said_of(replace(BOX, listens=False, near=("dnsmasq",)), "stub-off")
    assert "127.0.0.53, where nobody listens: port 53 is taken (by dnsmasq" in said


@pytest.mark.parametrize(
    ("unit", "near", "cure"),
    [
        (Unit("not-found", "inactive"), "NetworkManager", "nmcli connection modify"),
        (Unit("loaded", "inactive", "dead", "disabled"), "dnsmasq", "/etc/dnsmasq.conf"),
        (Unit("masked", "inactive", "dead", "masked"), "NetworkManager", "nmcli connection modify"),
    ],
)
def test_who_resolves_names_instead_is_told_with_the_cure_and_nothing_is_written(
    unit: Unit, near: str, cure: str
) -> None:
    (refusal,) = steps(SPEC, answers(replace(BOX, unit=unit, running=None, near=(near,)), STOCK))
    assert isinstance(refusal, Refuse)
    assert f"{near} runs here" in refusal.reason and cure in refusal.cure


def test_advice_from_the_document_alone() -> None:
    (said,) = one_kind.advised(dns, SPEC, {})
    assert said.rule == "fallback-dns" and said.pointer == "/fallback"
    assert said.cure == "servers: [8.8.8.8, 1.1.1.1, 8.8.4.4, 1.0.0.1]"


def test_what_it_may_write() -> None:
    assert list(dns.writes(SPEC)) == [("stb", MAIN), ("stb", DROP_IN)]
    assert list(dns.writes(BY_DROP_IN)) == [("stb", DROP_IN)]


# ---- whose dns it is

CLAIM = Stamp("stb", "_host", "dns", {"document": "bot-kjp"})
THEIRS = OURS.replace(b"bot-kjp", b"other")


@pytest.mark.parametrize(
    ("more", "found", "first"),
    [
        ({}, answers(BOX, STOCK, owner=""), CLAIM),  # the first change is noted before it is made
        (
            {},
            answers(replace(BOX, running=HAS), SET, owner=""),
            None,
        ),  # nothing to do: nothing to claim
        ({}, answers(replace(BOX, running=HAS), SET, owner="other"), "the document other"),
        ({}, answers(BOX, STOCK, owner="other"), "the document other"),
        ({"takes_over": "third"}, answers(BOX, STOCK, owner="other"), "the document other"),
        ({"takes_over": "other"}, answers(BOX, STOCK, owner="other"), CLAIM),
        ({"takes_over": "other"}, answers(replace(BOX, running=HAS), SET, owner="other"), CLAIM),
        ({"takes_over": "other"}, answers(replace(BOX, running=HAS), SET), None),  # that is done
        ({}, answers(replace(BOX, running=HAS), STOCK, THEIRS, owner=""), "the document other"),
        (
            {"drop_in": True},
            answers(replace(BOX, running=HAS), STOCK, THEIRS, ""),
            "the document other",
        ),
        ({"takes_over": "other"}, answers(replace(BOX, running=HAS), STOCK, THEIRS, ""), CLAIM),
    ],
)
def test_a_hosts_dns_belongs_to_one_document(
    more: dict[str, Any], found: Answers, first: Any
) -> None:
    done = steps(replace(SPEC, **more), found)
    if isinstance(first, str):
        (refusal,) = done
        assert isinstance(refusal, Refuse) and refusal.rule == "dns-owned"
        assert first in refusal.reason and "takes_over: other" in refusal.cure
    else:
        assert (done[0] if done else None) == first
        assert not done or done.count(CLAIM) == 1


def test_what_is_taken_over_is_said() -> None:
    spec = replace(SPEC, takes_over="other")
    found = answers(replace(BOX, running=HAS), SET, owner="other")
    said = "takes it over from the document other"
    assert len(steps(spec, found)) == 1
    headline, rows = told(spec, found)
    assert headline == f"{MAIN}   as it should be"
    assert rows == [said]
    more = told(spec, answers(BOX, STOCK, owner="other"))[1]  # with new servers, too
    assert more[0] == said
    assert len(more) > 1
    mine = told(spec, answers(BOX, STOCK))[1]
    assert mine and said not in mine
