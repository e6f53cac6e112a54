"""Seeded sets of resolved.conf with drop-ins, and layouts of links, for the tests against the real
daemon."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from kjpstate.formats.resolved_conf import MAIN, Wanted
from tests.support.machine.resolver import LINKS, SERVERS

ADDRESSES = (
    "8.8.8.8", "1.1.1.1", "9.9.9.9", "8.8.4.4", "1.0.0.1", "2606:4700:4700::1111", "2001:4860:4860:0:0::8888",
    "192.168.100.1", "127.0.0.1", "fe80::1%eth0",
)  # fmt: skip
ODD_SERVERS = (
    "8.8.8.8:53", "1.1.1.1:853", "9.9.9.9:5353", "[2606:4700:4700::1111]:5353", "[2606:4700:4700::1111]:53",
    "1.1.1.1#cloudflare-dns.com", "1.1.1.1:5353%eth0#one.one", "1.1.1.1%eth1", "1.1.1.1%wlan9", "fe80::1",
    "127.0.0.53", "127.0.0.54", "0.0.0.0", "::", "::1", "8.8.8.8,", "8.8.8.8,1.1.1.1", '"8.8.8.8"',
    "'1.1.1.1'",
    "#", "# note", ";", "dns.google", "01.1.1.1", "1.1.1", "1.1.1.1#", "1.1.1.1%", "1.1.1.1:0",
    "1.1.1.1:65536",
    "1.1.1.1:", "[1.1.1.1]:53", "[2606:4700::1]", "8.8.8.8/32", "::ffff:8.8.8.8", "1.1.1.1%2", "127.0.0.1%lo",
    "1.1.1.1#-bad-", "1.1.1.1#a b", "\\8.8.8.8", "8.8.8.8\\x20", "255.255.255.255", "224.0.0.1",
    "1.1.1.1%eth0%eth1",
    "%s", "1.1.1.1#x#y", "1.1.1.1#10.0.0.1", "1.1.1.1%lo",
)  # fmt: skip
DOMAINS = (
    "~.", "*", ".", "~*", "lan", "~lan", "LAN", "corp.example.com", "~corp.example.com.", "example", "a..b",
    '"~corp"', '"a b"', "'lan'", "half\"quote", "-x-", "xn--bcher-kva.example", "bücher.example", "~",
    "a_b", "lan.",
    "x" * 64 + ".com", "\\", "\\.lan", "a\\.b", "lan,home", "#", "~.lan", "*.lan", "~~lan", "localhost",
    "~~.", "%m",
    "in-addr.arpa", "..", "~..", "local", "lan..", "\\108an", "x\\300y", "x\\007y", "a\\\\b",
)  # fmt: skip
OTHERS = (
    "Cache=no", "#DNS=9.9.9.9", ";FallbackDNS=9.9.9.9", "# DNS=9.9.9.9 \\", "X-DNS=9.9.9.9",
    "dns=9.9.9.9", "LLMNR=no",
    "DNSSEC=no", "Unknown=1", "nonsense", "=9.9.9.9", "  ", "", "\t# caf\u00e9", "MulticastDNS=no \\",
    "Cache=\\", "# \\",
    "; x", "DNS 9.9.9.9", ".include /etc/passwd", "CacheFromLocalhost=yes",
)  # fmt: skip
HEADERS = ("[Resolve]",) * 6 + (
    "[resolve]",
    "[Other]",
    " [Resolve] ",
    "[X-Other]",
    "[Resolve]x",
    "[Resolve] # x",
)
RARE = (
    "[Resolve",
    "[]",
    "[[Resolve]]",
    "\udcff",
    "DNS=9.9.9.9 \udcff",
    "DNS=9.9.9.9\0 1.1.1.1",
    "\ufdd0x",
    "[Res\tolve]",
)
NAMES = (
    "10-a.conf",
    "50-b.conf",
    "90-vpn.conf",
    "A.conf",
    "b c.conf",
    "\u00e9.conf",
    ".hidden.conf",
    "x.conf~",
    "zz.conf",
)
FOLDERS = ("/etc", "/etc", "/run", "/usr/local/lib", "/usr/lib")


@dataclass(frozen=True)
class Set:
    """`files`: path -> bytes, None for a mask; `wanted`: what a document could say about them."""

    files: dict[str, bytes | None]
    wanted: Wanted


def one_set(seed: int) -> Set:
    """The set of this number, always the same."""
    dice = random.Random(f"set {seed}")
    files: dict[str, bytes | None] = {}
    if dice.random() < 0.93:
        files[MAIN] = _content(dice, lines=dice.choice((0, 2, 5, 9, 14)))
    for _ in range(dice.choice((0, 0, 1, 1, 2, 3, 4))):
        path = f"{dice.choice(FOLDERS)}/systemd/resolved.conf.d/{dice.choice(NAMES)}"
        files[path] = (
            None if dice.random() < 0.12 else _content(dice, lines=dice.choice((0, 1, 2, 4)))
        )
    if dice.random() < 0.1:  # not read before systemd 256
        files["/usr/lib/systemd/resolved.conf"] = b"[Resolve]\nDNS=4.4.4.4\n"
    return Set(files, _wanted(dice))


def _wanted(dice: random.Random) -> Wanted:
    def some() -> tuple[str, ...]:
        canonical = ADDRESSES[:6]
        return tuple(dice.sample(canonical, dice.choice((1, 2, 2, 3))))

    return Wanted(
        some() if dice.random() < 0.9 else None,
        some() if dice.random() < 0.6 else None,
        dice.random() < 0.6 if dice.random() < 0.6 else None,
    )


def _content(dice: random.Random, lines: int) -> bytes:
    end = dice.choice(("\n",) * 6 + ("\r\n", "\r\n", "\r"))
    rows = [dice.choice(HEADERS)] if dice.random() < 0.85 else []
    for _ in range(lines):
        rows += _line(dice)
    text = end.join(rows) + (end if dice.random() < 0.8 else "")
    mark = b"\xef\xbb\xbf" if dice.random() < 0.1 else b""
    return mark + text.encode("utf-8", "surrogateescape")


def _line(dice: random.Random) -> list[str]:
    chance = dice.random()
    if chance < 0.04:
        return [dice.choice(RARE)]
    if chance < 0.12:
        return [dice.choice(HEADERS)]
    if chance < 0.32:
        return [dice.choice(OTHERS)]
    key = dice.choice(("DNS", "DNS", "DNS", "FallbackDNS", "FallbackDNS", "Domains", "Domains"))
    common, odd = (
        ((("lan", "~.", "home"), DOMAINS)) if key == "Domains" else (ADDRESSES, ODD_SERVERS)
    )
    words = [
        dice.choice(common if dice.random() < 0.6 else odd)
        for _ in range(dice.choice((0, 1, 1, 2, 2, 3)))
    ]
    equals = dice.choice(("=",) * 5 + (" = ", "= ", "\t="))
    lead = dice.choice(("",) * 6 + (" ", "\t"))
    gap = dice.choice((" ",) * 5 + ("  ", "\t"))
    if words and dice.random() < 0.15:  # continued, now and then with a comment between
        place = dice.randrange(len(words) + 1)
        between = [dice.choice(("# why", "  ; why \\"))] if dice.random() < 0.4 else []
        tail = gap.join(words[place:])
        return [
            lead + key + equals + gap.join(words[:place]) + dice.choice((" \\", "\\")),
            *between,
            tail,
        ]
    return [lead + key + equals + gap.join(words) + dice.choice(("",) * 8 + (" ", "\\\\"))]


@dataclass(frozen=True)
class Layout:
    """`conf`: the main file; `links`: as Resolver.links takes them; `name`: to be asked for;
    `broken`: the servers that fail."""

    conf: bytes
    links: list[dict[str, Any]]
    name: str
    broken: tuple[str, ...]


NAMES_ASKED = ("web.whatsapp.com", "nas.home.lan", "a.b.corp.example.com", "printer.local")
LINK_DOMAINS = (
    (), (), ("~.",), ("~.",), ("lan",), ("home.lan",), ("~corp.example.com",), ("whatsapp.com", "~lan"),
    ("~example.com", "~."), ("~whatsapp.com",), ("com",), ("local",),
)  # fmt: skip


def one_layout(seed: int) -> Layout:
    """The layout of this number, always the same; no server stands in two places."""
    dice = random.Random(f"layout {seed}")
    free = list(SERVERS)
    dice.shuffle(free)

    def take(most: int) -> list[str]:
        return [free.pop() for _ in range(dice.randint(1, most))]

    places: list[list[str]] = []
    lines = ["[Resolve]"]
    if dice.random() < 0.75:
        places.append(take(2))
        spelt = [f"{server}%eth0" if dice.random() < 0.1 else server for server in places[-1]]
        lines.append(f"DNS={' '.join(spelt)}")
    if dice.random() < 0.6:
        places.append(take(2))
        lines.append(f"FallbackDNS={' '.join(places[-1])}")
    if dice.random() < 0.5:
        lines.append(
            f"Domains={dice.choice(('~.', '~.', 'lan', '~whatsapp.com', 'home.lan ~example.com'))}"
        )
    links = []
    for name in dice.sample(LINKS, dice.choice((0, 1, 1, 2, 2, 3))):
        servers = take(2) if dice.random() < 0.85 else []
        places += [servers] if servers else []
        links.append(
            {
                "name": name,
                "servers": servers,
                "domains": list(dice.choice(LINK_DOMAINS)),
                "default_route": dice.choice((None, None, None, True, False)),
                "state": dice.choice(("up",) * 7 + ("down", "bare")),
            }
        )
    if not any(link["state"] == "up" for link in links):  # else nothing can be reached at all
        links = [link for link in links if link["name"] != "wg0"]
        links.append(
            {"name": "wg0", "servers": [], "domains": [], "default_route": None, "state": "up"}
        )
    broken = {server for place in places if dice.random() < 0.5 for server in place}
    name = dice.choice(NAMES_ASKED[:1] * 4 + NAMES_ASKED[1:])
    return Layout("\n".join([*lines, ""]).encode(), links, name, tuple(sorted(broken)))
