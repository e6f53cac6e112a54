"""Advice about dns: what the document can't reach, seen from the document alone
or from the host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kjpstate.formats.resolved import Running, Scope, Seen, asked
from kjpstate.formats.resolved_conf import DROP_IN, ROOT
from kjpstate.kinds.dns.sight import Sight
from kjpstate.model import Advice, Spec

_A_NAME = "web.whatsapp.com"


def from_document(spec: Spec) -> Iterator[Advice]:
    """What needs no host to be known."""
    servers, fallback = spec.get("servers") or (), spec.get("fallback") or ()
    if servers and fallback:
        together = ", ".join(dict.fromkeys((*servers, *fallback)))
        yield Advice(
            "fallback-dns",
            "never asked while servers are set",
            f"servers: [{together}]",
            "/fallback",
        )


def from_host(sight: Sight) -> Iterator[Advice]:
    """What the daemon, its links and the machine's resolv.conf say."""
    seen = sight.seen
    if sight.trouble or not seen.booted or not seen.unit.load:
        return
    yield from _service(seen)
    if seen.running is not None:
        running = _as_planned(sight, seen.running)
        yield from _path(seen, running)
        yield from _routing(seen, running)
    yield from _dropped(sight)


def _as_planned(sight: Sight, running: Running) -> Running:
    """The daemon with the document's values in place."""
    servers = sight.wanted.servers if sight.wanted.servers is not None else running.servers
    domains = tuple(item for item in running.domains if item != ROOT)
    exclusive = running.exclusive if sight.wanted.exclusive is None else sight.wanted.exclusive
    return replace(running, servers=servers, domains=(*domains, ROOT) if exclusive else domains)


def _service(seen: Seen) -> Iterator[Advice]:
    if seen.unit.active == "failed":
        reason = f"systemd-resolved has failed ({seen.unit.result or 'no reason given'})"
        yield Advice(
            "resolved-failed", reason, "journalctl -u systemd-resolved -n 20", "", "breaks"
        )
    elif seen.unit.enabled == "disabled" and seen.unit.running:
        reason = "systemd-resolved runs, but is not enabled: after a reboot it may be gone"
        yield Advice("resolved-disabled", reason, "systemctl enable systemd-resolved", "", "breaks")


def _path(seen: Seen, running: Running) -> Iterator[Advice]:
    """Whether programs ask resolved at all."""
    if seen.outside:
        named = [f"it names {' '.join(seen.resolv)}"] if seen.resolv else []
        who = "; ".join([*named, *(f"{name} runs here" for name in seen.near)])
        what = (
            "is missing"
            if running.mode == "missing"
            else f"is not resolved's{f' ({who})' if who else ''}"
        )
        yield Advice(
            "not-in-path",
            f"/etc/resolv.conf {what}: the bot does not ask resolved at all",
            "ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf",
            "/servers",
            "breaks",
        )
    elif running.mode == "uplink" and running.exclusive:
        reason = (
            "/etc/resolv.conf is resolved's plain list of servers: programs ask those, links' too"
        )
        cure = "ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf"
        yield Advice("uplink-list", reason, cure, "/exclusive", "useless")
    elif seen.names_stub and (running.stub in ("no", "tcp") or seen.listens is False):
        why = "DNSStubListener is off"
        if running.stub not in ("no", "tcp"):
            by = f" (by {', '.join(seen.near)}, which runs here?)" if seen.near else ""
            why = f"port 53 is taken{by}"
        reason = f"/etc/resolv.conf names 127.0.0.53, where nobody listens: {why}"
        yield Advice(
            "stub-off", reason, "ss -lnup 'sport = 53' shows who has it", "/servers", "breaks"
        )


def _routing(seen: Seen, running: Running) -> Iterator[Advice]:
    """Whether the global servers are the ones that are asked, and who else is."""
    scopes = asked(_A_NAME, running, seen.links)
    links = [scope for scope in scopes if scope.link]
    if not links or not running.servers:
        return
    if len(links) == len(scopes):
        near = " (NetworkManager adds it)" if "NetworkManager" in seen.near else ""
        reason = (
            f"{_named(links)} takes all names with its own {ROOT}{near}: servers are never asked"
        )
        yield Advice("shadowed-by-link", reason, "exclusive: true", "/servers", "breaks")
    elif running.exclusive:
        reason = f"{_named(links)} has {ROOT} too and goes on being asked, at the same time"
        cure = "let the link have no DNS: ignore-auto-dns (NetworkManager), UseDNS=no (networkd)"
        yield Advice("modem-still-asked", reason, cure, "/exclusive", "note")
    else:
        reason = f"{_named(links)} goes on being asked, at the same time; the first answer wins"
        yield Advice("modem-still-asked", reason, "exclusive: true", "/servers", "note")


def _dropped(sight: Sight) -> Iterator[Advice]:
    """Words in drop-ins that resolved drops; those of the main file's named keys are replaced
    anyway."""
    broken = sight.result.broken
    if broken is not None:
        reason = (
            f"{broken.file}:{broken.line}: {broken.why}; systemd reads nothing of "
            "resolved's behind it"
        )
        yield Advice("value-ignored", reason, "correct or remove that line", "", "breaks")
    for item in sight.before.ignored:
        if item.file not in (sight.spec["file"], DROP_IN):
            reason = f"{item.file}:{item.line}: resolved drops {item.word}: {item.why}"
            yield Advice(
                "value-ignored", reason, "correct the line: one blank between, no commas or quotes"
            )


def _named(links: Sequence[Scope]) -> str:
    return " and ".join(f"{scope.link} ({' '.join(scope.servers)})" for scope in links)
