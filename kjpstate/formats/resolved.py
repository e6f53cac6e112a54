"""systemd-resolved as the probe `resolved` saw it, and which servers it really asks for a name.
Pure.

Called by the kind dns and by the checks; `render` is for the simulated box. The probe
(hosts/remote/probe_resolved.sh) prints lines, their fields parted by tabs, in any order:

    resolved  1                      the format; first booted    yes | no               whether
    systemd is running here version   252 unit      LoadState=…            and ActiveState,
    SubState, UnitFileState, Result, one field each near      NetworkManager         a service that
    is active and also has a hand in DNS link      2  eth0                every interface bus
    DNSEx  {json}          a property of org.freedesktop.resolve1.Manager, as busctl prints it of
    2  DNSEx  {json}       a property of the link of that number, if it has servers text      dns
    Link 2 (eth0): …  a line of `resolvectl dns`, `domain` or `default-route`, without D-Bus file
    hex path  hex bytes    a main file or drop-in of any tree; `!` for bytes: unreadable hosts
    files resolve          nsswitch.conf's line resolv    127.0.0.53             the nameservers of
    /etc/resolv.conf listens   yes | no               whether 127.0.0.53 port 53 is listened on end
    last; without it the answer was cut short
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any

from kjpstate.formats.resolved_conf import (
    DOMAINS,
    MAIN,
    ROOT,
    ConfFile,
    bare,
    domain,
    in_order,
    server,
)
from kjpstate.model import Answer, Probe, Unreadable

FORMAT = "1"
ALL_TREES = 256
"""From this systemd on, the main file too may stand in any tree, and the daemon can reload."""

_ASKS_SERVERS = 1
"""In a link's ScopesMask: DNS, beside LLMNR and mDNS."""
_LINK = re.compile(r"Link (\d+) \((.+?)\):(.*)")


@dataclass(frozen=True)
class Unit:
    """systemd's words for systemd-resolved.service; all empty when systemd could not be asked."""

    load: str = ""
    active: str = ""
    sub: str = ""
    enabled: str = ""
    result: str = ""

    @property
    def running(self) -> bool:
        """Whether the daemon is there, or on its way."""
        return self.active in ("active", "activating", "reloading", "refreshing")


@dataclass(frozen=True)
class Link:
    """One interface with the servers and domains it brought (from DHCP, say); `~` domains only
    route. `ready`: it is up and has an address, else resolved asks nobody there."""

    index: int
    name: str
    servers: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    default_route: bool = False
    ready: bool = True


@dataclass(frozen=True)
class Running:
    """What the daemon has, globally. `fallback` None: could not be read. `mode`: of
    /etc/resolv.conf: stub, uplink, static, missing, foreign; "" where systemd is too old to say.
    `stub`: DNSStubListener."""

    servers: tuple[str, ...] = ()
    fallback: tuple[str, ...] | None = None
    domains: tuple[str, ...] = ()
    current: str = ""
    mode: str = ""
    stub: str = ""

    @property
    def exclusive(self) -> bool:
        """Whether the global servers are asked for every name."""
        return ROOT in self.domains


@dataclass(frozen=True)
class Seen:
    """Everything the probe saw. `running` None: the daemon does not run, or does not answer.
    `files`: all main files and drop-ins of all trees; `unreadable`: paths of those that could not
    be read. `interfaces`: number -> name of all. `hosts`: nsswitch's words. `resolv`: nameservers
    of resolv.conf. `listens`: on 127.0.0.53; None: can't be seen."""

    booted: bool = True
    version: int = 0
    unit: Unit = Unit()
    running: Running | None = None
    links: tuple[Link, ...] = ()
    interfaces: Mapping[int, str] = field(default_factory=dict)
    near: tuple[str, ...] = ()
    files: tuple[ConfFile, ...] = ()
    unreadable: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    resolv: tuple[str, ...] = ()
    listens: bool | None = None

    @property
    def names_stub(self) -> bool:
        """Whether /etc/resolv.conf leads programs to 127.0.0.53; a copy of resolved's file does it
        too."""
        mode = self.running.mode if self.running else ""
        return mode == "stub" or self.resolv[:1] in (("127.0.0.53",), ("127.0.0.54",))

    @property
    def outside(self) -> bool:
        """Whether programs go past resolved altogether."""
        mode = self.running.mode if self.running else ""
        return (
            mode in ("foreign", "missing") and "resolve" not in self.hosts and not self.names_stub
        )

    @property
    def reloads(self) -> bool:
        """Whether the daemon can read its files anew without a restart; 257 loses extra listeners
        over it."""
        loses = any(b"DNSStubListenerExtra" in file.content for file in self.files)
        return self.version >= ALL_TREES and not (self.version == 257 and loses)

    @property
    def dropins(self) -> tuple[ConfFile, ...]:
        """The drop-ins that count, in systemd's order."""
        return in_order(file for file in self.files if "/resolved.conf.d/" in file.path)

    @property
    def lower_main(self) -> ConfFile | None:
        """The main file that is read while there is none in /etc; None: none is."""
        if self.version < ALL_TREES:
            return None
        mains = [
            file
            for file in self.files
            if file.path.endswith("/resolved.conf") and file.path != MAIN
        ]
        return next(iter(in_order(mains)), None)


@dataclass(frozen=True)
class Scope:
    """A set of servers that is asked together: `link` is the interface's name, "" for the global
    one."""

    link: str
    servers: tuple[str, ...]


def reading(host: str) -> Probe:
    """The one look at resolved."""
    return Probe(host, "resolved")


def asked(name: str, running: Running, links: Iterable[Link]) -> tuple[Scope, ...]:
    """Who is asked for a name of several labels: those scopes with the best match, all at the same
    time.

    Resolved's own routing: the longest domain that the name lies in wins, `~.` matches everything;
    without any match the global servers and the links of the default route are asked. A name below
    `local` is nobody's unless a domain says so. The fallback servers are the global ones while no
    other is known at all.
    """
    links = tuple(links)
    servers = running.servers
    if not servers and not any(link.servers for link in links):
        servers = running.fallback or ()
    scored = [(_score(name, running.domains, True), Scope("", servers))]
    scored += [
        (_score(name, link.domains, link.default_route), Scope(link.name, link.servers))
        for link in links
        if link.ready
    ]
    able = [(score, scope) for score, scope in scored if scope.servers]
    best = max((score for score, _ in able), default=_NO)
    return tuple(scope for score, scope in able if score == best and score > _NO)


_MAYBE, _NO = -1, -2


def _score(name: str, domains: Sequence[str], default_route: bool) -> int:
    lies_in = [
        0 if item == ROOT else item.count(".") + 1
        for item in domains
        if item == ROOT or f".{name}".lower().endswith("." + item.removeprefix("~").lower())
    ]
    volunteers = default_route and not name.lower().endswith(".local")
    return max(lies_in, default=_MAYBE if volunteers else _NO)


# ---- the probe's lines


def parse(answer: Answer) -> Seen | str:
    """What the probe saw, or a sentence why that can't be known."""
    if isinstance(answer, Unreadable):
        return f"systemd-resolved could not be looked at: {answer.why}"
    if not isinstance(answer, bytes):
        return "systemd-resolved can be looked at only on a POSIX host"
    lines = [line.split("\t") for line in answer.decode(errors="replace").split("\n") if line]
    if not lines or lines[0][:2] != ["resolved", FORMAT]:
        return "the look at systemd-resolved answered in a format that is not ours"
    if lines[-1] != ["end"]:
        return "the look at systemd-resolved was cut short"
    try:
        return _seen(lines)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        return f"the look at systemd-resolved answered something unexpected: {error}"


def _seen(lines: Sequence[Sequence[str]]) -> Seen:
    def each(word: str) -> list[Sequence[str]]:
        return [line[1:] for line in lines if line[0] == word]

    def one(word: str) -> str:
        return next((fields[0] for fields in each(word)), "")

    names = {int(index): name for index, name in each("link")}
    bus = {name: json.loads(value)["data"] for name, value in each("bus")}
    links = tuple(_links_from_text([(kind, text) for kind, text in each("text")]))
    links = links or tuple(_links(each("of"), names))
    texts = {kind: text for kind, text in each("text") if text.startswith("Global:")}
    return Seen(
        booted=one("booted") == "yes",
        version=int(one("version") or 0),
        unit=_unit(each("unit")),
        running=_running(bus, links, names) if bus else _running_from_text(texts),
        links=links,
        interfaces=names,
        near=tuple(fields[0] for fields in each("near")),
        files=tuple(_file(*fields) for fields in each("file") if fields[1] != "!"),
        unreadable=tuple(_path(fields[0]) for fields in each("file") if fields[1] == "!"),
        hosts=tuple(one("hosts").split()),
        resolv=tuple(one("resolv").split()),
        listens={"yes": True, "no": False}.get(one("listens")),
    )


def _unit(lines: Sequence[Sequence[str]]) -> Unit:
    said = dict(field.split("=", 1) for fields in lines for field in fields if "=" in field)
    keys = ("LoadState", "ActiveState", "SubState", "UnitFileState", "Result")
    return Unit(*(said.get(key, "") for key in keys))


def _links(lines: Iterable[Sequence[str]], names: Mapping[int, str]) -> Iterator[Link]:
    found: dict[int, dict[str, Any]] = {}
    for number, name, value in lines:
        found.setdefault(int(number), {})[name] = json.loads(value)["data"]
    for index, has in found.items():
        yield Link(
            index,
            names.get(index, f"link {index}"),
            tuple(_server([index, *item], {}) for item in has["DNSEx"]),
            tuple(_domain(*item) for item in has[DOMAINS]),
            has["DefaultRoute"],
            bool(has["ScopesMask"] & _ASKS_SERVERS),
        )


def _links_from_text(texts: Iterable[tuple[str, str]]) -> Iterator[Link]:
    found: dict[int, Link] = {}
    for kind, text in texts:
        match = _LINK.fullmatch(text)
        if not match:
            continue
        words = match[3].split()
        link = found.get(int(match[1]), Link(int(match[1]), match[2]))
        if kind == "dns":
            link = replace(link, servers=tuple(server(word)[0] or word for word in words))
        elif kind == "domain":
            link = replace(link, domains=tuple(domain(word)[0] or word for word in words))
        else:
            link = replace(link, default_route=words == ["yes"])
        found[link.index] = link
    yield from found.values()


def _running(bus: Mapping[str, Any], links: Sequence[Link], names: Mapping[int, str]) -> Running:
    """Link servers share the list with the global ones that name an interface, and stand behind
    them."""
    of_links = Counter((link.index, address) for link in links for address in link.servers)
    known = {**names, **{link.index: link.name for link in links}}
    servers: list[str] = []
    for item in reversed(bus.get("DNSEx", bus.get("DNS", ()))):
        place = (item[0], _server(item, {}))
        if of_links[place]:
            of_links[place] -= 1
        else:
            servers.insert(0, _server(item, known))
    fallback = bus.get("FallbackDNSEx", bus.get("FallbackDNS"))
    current = bus.get("CurrentDNSServerEx", bus.get("CurrentDNSServer"))
    return Running(
        tuple(dict.fromkeys(servers)),
        None
        if fallback is None
        else tuple(dict.fromkeys(_server(item, known) for item in fallback)),
        tuple(_domain(name, route) for index, name, route in bus.get(DOMAINS, ()) if not index),
        _server(current, known) if current and current[2] else "",
        bus.get("ResolvConfMode", ""),
        bus.get("DNSStubListener", ""),
    )


def _server(item: Sequence[Any], names: Mapping[int, str]) -> str:
    """One (interface, family, bytes[, port, name]) in canonical form."""
    index, _, raw = item[:3]
    port, name = item[3:] if len(item) > 3 else (0, "")
    text = str(ip_address(bytes(raw)))
    if port:
        text = f"[{text}]:{port}" if len(raw) > 4 else f"{text}:{port}"
    text += f"%{names[index]}" if index and index in names else ""
    text += f"#{name}" if name else ""
    return server(text)[0] or text


def _domain(name: str, route: bool) -> str:
    return ROOT if name in ("", ".") else ("~" if route else "") + name.removesuffix(".")


def _running_from_text(texts: Mapping[str, str]) -> Running | None:
    if "dns" not in texts:
        return None
    words = {kind: text.partition(":")[2].split() for kind, text in texts.items()}
    return Running(
        tuple(server(word)[0] or word for word in words["dns"]),
        domains=tuple(domain(word)[0] or word for word in words.get("domain", ())),
    )


def _path(text: str) -> str:
    return bytes.fromhex(text).decode(errors="surrogateescape")


def _file(path: str, content: str) -> ConfFile:
    return ConfFile(_path(path), bytes.fromhex(content))


def render(seen: Seen) -> bytes:
    """The very bytes the probe would print."""
    return "".join("\t".join(fields) + "\n" for fields in _lines(seen)).encode()


def _lines(seen: Seen) -> Iterator[tuple[str, ...]]:
    unit = seen.unit
    yield "resolved", FORMAT
    yield "booted", "yes" if seen.booted else "no"
    yield "version", str(seen.version)
    yield (
        "unit",
        f"LoadState={unit.load}",
        f"ActiveState={unit.active}",
        f"SubState={unit.sub}",
        f"UnitFileState={unit.enabled}",
        f"Result={unit.result}",
    )
    yield from (("near", name) for name in seen.near)
    known = {name: index for index, name in seen.interfaces.items()}
    yield from (("link", str(index), name) for name, index in known.items())
    if seen.running is not None:
        yield from _running_lines(seen.running, seen.links, known)
    for file in seen.files:
        yield "file", file.path.encode().hex(), file.content.hex()
    yield from (("file", path.encode().hex(), "!") for path in seen.unreadable)
    yield "hosts", " ".join(seen.hosts)
    if seen.resolv:
        yield "resolv", " ".join(seen.resolv)
    if seen.listens is not None:
        yield "listens", "yes" if seen.listens else "no"
    yield ("end",)


def _running_lines(
    running: Running, links: Sequence[Link], known: Mapping[str, int]
) -> Iterator[tuple[str, ...]]:
    mine = [_bus_server(text, known) for text in running.servers]
    theirs = [_bus_server(text, known, link.index) for link in links for text in link.servers]
    domains = [[0, name.removeprefix("~"), name.startswith("~")] for name in running.domains]
    properties = {
        "DNSEx": ("a(iiayqs)", [*mine, *theirs]),
        "FallbackDNSEx": (
            "a(iiayqs)",
            [_bus_server(text, known) for text in running.fallback or ()],
        ),
        "Domains": ("a(isb)", domains),
        "CurrentDNSServerEx": (
            "(iiayqs)",
            _bus_server(running.current, known) if running.current else [0, 0, [], 0, ""],
        ),
        "ResolvConfMode": ("s", running.mode),
        "DNSStubListener": ("s", running.stub),
    }
    for name, (kind, data) in properties.items():
        yield "bus", name, _json(kind, data)
    for link in links:
        brought = [[item.removeprefix("~"), item.startswith("~")] for item in link.domains]
        of_link = {
            "ScopesMask": ("t", _ASKS_SERVERS if link.ready else 0),
            "DNSEx": ("a(iayqs)", [_bus_server(text, known)[1:] for text in link.servers]),
            "Domains": ("a(sb)", brought),
            "DefaultRoute": ("b", link.default_route),
        }
        for name, (kind, value) in of_link.items():
            yield "of", str(link.index), name, _json(kind, value)


def _json(kind: str, data: Any) -> str:
    return json.dumps({"type": kind, "data": data}, separators=(",", ":"))


def _bus_server(text: str, known: Mapping[str, int], index: int = 0) -> list[Any]:
    rest, _, name = text.partition("#")
    rest, _, interface = rest.partition("%")
    address = ip_address(bare(rest))
    tail = rest.rpartition(":")[2] if rest != str(address) else "0"
    family = 2 if address.version == 4 else 10
    return [known.get(interface, index), family, list(address.packed), int(tail), name]
