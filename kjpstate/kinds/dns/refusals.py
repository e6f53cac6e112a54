"""Refuses what would make the cure of a dns resource a guess. For the kind alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kjpstate.formats.resolved import Seen
from kjpstate.formats.resolved_conf import (
    DOMAINS,
    DROP_IN,
    FALLBACK,
    SERVERS,
    at_interface,
    server,
)
from kjpstate.kinds.dns.view import View
from kjpstate.model import Answer, File, Refuse, Unreadable

_OFF = ("disabled", "masked", "masked-runtime")
_POINTERS = {SERVERS: "/servers", FALLBACK: "/fallback", DOMAINS: "/exclusive"}
_LOOK = "log in and look: systemctl status systemd-resolved; resolvectl dns"
_INSTEAD = {
    "NetworkManager": 'nmcli connection modify NAME ipv4.dns "8.8.8.8 1.1.1.1" '
    "ipv4.ignore-auto-dns yes",
    "dnsmasq": "server=8.8.8.8 and no-resolv in /etc/dnsmasq.conf",
}
"""Who else resolves names -> how to give that one the servers."""


def refused(view: View) -> Iterator[Refuse]:
    """All that stands in the way, the most telling first."""
    if view.trouble:
        yield Refuse("resolved-unreadable", view.trouble, cure=_LOOK)
        return
    yield from _belongs(view)
    yield from _service(view.seen)
    yield from _files(view)
    dropped = list(_dropped(view))
    yield from dropped
    broken = view.result.broken
    if view.unmet and broken is not None:
        yield Refuse(
            "value-ignored",
            f"{broken.file} has {broken.why}, where systemd stops reading all of resolved's files",
            (f"{broken.file}:{broken.line}: {broken.word}",),
            "correct or remove that line",
        )
    elif view.unmet and not dropped:
        yield _overridden(view)


def _belongs(view: View) -> Iterator[Refuse]:
    """Two documents would set it in turn for ever."""
    owner, spec = view.owner, view.spec
    if owner not in (spec.document, spec.takes_over):
        reason = f"the dns of {spec.host} belongs to the document {owner}"
        cure = (
            f"drop the section dns here; or drop it in {owner}, and write here takes_over: {owner}"
        )
        yield Refuse("dns-owned", reason, (), cure)


def _else(seen: Seen) -> tuple[str, str]:
    """(who else has a hand in DNS here, how to give that one the servers), for
    a reason and a cure."""
    reason = (
        f"; {' and '.join(seen.near)} {'run' if seen.near[1:] else 'runs'} here"
        if seen.near
        else ""
    )
    ways = [_INSTEAD[name] for name in seen.near if name in _INSTEAD]
    return reason, f" and give the servers to it: {ways[0]}" if ways else ""


def _service(seen: Seen) -> Iterator[Refuse]:
    unit, off = seen.unit, seen.unit.enabled in _OFF
    who, instead = _else(seen)
    if not seen.booted or unit.load in ("", "not-found"):
        reason = "systemd-resolved is not installed" if seen.booted else "systemd does not run here"
        yield Refuse(
            "resolved-missing",
            reason + who,
            cure=(
                "install it by hand (it takes /etc/resolv.conf over at once), or drop the "
                "section dns"
            )
            + instead,
        )
    elif unit.load == "masked" or (off and not unit.running):
        state = "masked" if "masked" in (unit.load, unit.enabled) else "disabled and not running"
        command = "unmask" if state == "masked" else "enable --now"
        yield Refuse(
            "resolved-disabled",
            f"systemd-resolved is {state}: somebody chose another resolver{who}",
            cure=(
                f"systemctl {command} systemd-resolved, if that is right; or drop the section "
                f"dns{instead}"
            ),
        )
    elif unit.active in ("active", "reloading", "refreshing") and seen.running is None:
        yield Refuse(
            "resolved-unreadable",
            "systemd-resolved runs but does not answer over D-Bus",
            cure=_LOOK,
        )


def _files(view: View) -> Iterator[Refuse]:
    """Files of ours that can't be told from a stranger's, or that resolved itself can't read."""
    if not view.spec.drop_in:
        yield from _file(view.spec.file, view.file, "write drop_in: true")
    yield from _file(DROP_IN, view.own, f"remove {DROP_IN}")
    for hidden in view.seen.unreadable:
        if "/resolved.conf.d/" in hidden and hidden != DROP_IN:
            yield Refuse(
                "resolved-unreadable", f"{hidden} can't be read", (hidden,), f"chmod 644 {hidden}"
            )


def _file(path: str, file: Answer, instead: str) -> Iterator[Refuse]:
    if isinstance(file, Unreadable):
        yield Refuse("resolved-unreadable", f"{path} can't be read: {file.why}", (path,), _LOOK)
    elif isinstance(file, File) and file.symlink:
        yield Refuse(
            "resolved-symlink",
            f"{path} is a link to {file.symlink}: whoever made it owns that file",
            (f"{path} -> {file.symlink}",),
            f"make {path} a file of its own, or change the file it leads to where that is "
            f"made; or {instead}",
        )
    elif isinstance(file, File) and not file.mode & 0o004 and file.owner.startswith("0:"):
        yield Refuse(
            "resolved-unreadable",
            f"{path} has mode {file.mode & 0o777:04o}: resolved runs as its own user and can't "
            "read it",
            (path,),
            f"chmod 644 {path}",
        )


def _dropped(view: View) -> Iterator[Refuse]:
    """Values of the document that the daemon would drop without a word."""
    named = {"servers": view.spec.servers, "fallback": view.spec.fallback}
    for key, words in named.items():
        for place, word in enumerate(words or ()):
            value, why = at_interface(*server(word), view.seen.interfaces)
            if not value:
                reason = f"resolved drops {word} without a word: {why}"
                yield Refuse(
                    "value-ignored", reason, cure="correct the address", pointer=f"/{key}/{place}"
                )


def _overridden(view: View) -> Refuse:
    """The drop-ins that win over the file we may write, each with its line."""
    key = view.unmet[0]
    mine = DROP_IN if view.spec.drop_in else view.spec.file
    wanted = {SERVERS: view.wanted.servers, FALLBACK: view.wanted.fallback}
    listed = wanted.get(key) or ()
    found = view.result
    guilty = [
        entry
        for entry in found.entries.get(key, ())
        if entry.file != mine and (entry.value not in listed or key == DOMAINS)
    ]
    cleared = found.cleared.get(key)
    if cleared is not None and cleared.file != mine:
        guilty = [cleared, *guilty]
    places = dict.fromkeys(f"{entry.file}:{entry.line}: {key}={entry.value}" for entry in guilty)
    files = list(dict.fromkeys(entry.file for entry in guilty))
    cures = [f"remove the line from {_name(files)}, or the file, or make the document say the same"]
    cures += [] if view.spec.drop_in else ["or write drop_in: true, so that ours is read last"]
    return Refuse(
        "overridden-by-dropin",
        f"drop-ins are read after {mine} and {_name(files)} says otherwise about {key}",
        tuple(places),
        "; ".join(cures),
        _POINTERS[key],
    )


def _name(files: Sequence[str]) -> str:
    return " and ".join(files) or "one of them"
