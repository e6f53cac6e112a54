"""The answers of one dns resource put together, and what would make its cure a guess. For the kind
alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from kjpstate.formats.resolved import Seen, parse, reading
from kjpstate.formats.resolved_conf import (
    DOMAINS,
    DROP_IN,
    FALLBACK,
    SERVERS,
    ConfFile,
    Interfaces,
    Settings,
    Wanted,
    assigned,
    at_interface,
    drop_in,
    edited,
    in_order,
    is_ours,
    server,
    settings,
    spelled,
    unmet,
    written_for,
)
from kjpstate.formats.tree import OF_HOST, read_stamp
from kjpstate.model import Answer, Answers, File, ReadFile, ReadState, Refuse, Spec, Unreadable

_OFF = ("disabled", "masked", "masked-runtime")
_POINTERS = {SERVERS: "/servers", FALLBACK: "/fallback", DOMAINS: "/exclusive"}


@dataclass(frozen=True)
class Sight:
    """`seen`: the probe's answer, an empty one with `trouble` when there is none. `file`, `own`:
    the answers for the main file and for our own drop-in. `wanted`: the document's values in
    resolved's own spelling. `claim`: the document that last set this host's dns, by the host's own
    note; "" where none did."""

    spec: Spec
    seen: Seen
    file: Answer
    own: Answer
    trouble: str
    wanted: Wanted
    claim: str

    @property
    def owner(self) -> str:
        """The document that this host's dns belongs to: ours too while nobody else has it."""
        theirs = written_for(self.own.content) if isinstance(self.own, File) else ""
        return self.claim or theirs or str(self.spec["document"])

    @property
    def by_drop_in(self) -> bool:
        """Whether the values go into a drop-in of our own, and the main file is left alone."""
        return bool(self.spec.get("drop_in"))

    @property
    def content(self) -> bytes | None:
        """The main file's bytes; None when there is no file."""
        return self.file.content if isinstance(self.file, File) else None

    @cached_property
    def standing(self) -> bytes | None:
        """The bytes of our own drop-in, if one stands there; a stranger's file of that name is not
        ours."""
        content = self.own.content if isinstance(self.own, File) else None
        return content if content is not None and (self.by_drop_in or is_ours(content)) else None

    @cached_property
    def others(self) -> tuple[ConfFile, ...]:
        """All drop-ins but our own, in systemd's order."""
        ours = self.by_drop_in or self.standing is not None
        return tuple(file for file in self.seen.dropins if not (ours and file.path == DROP_IN))

    @cached_property
    def base(self) -> bytes | None:
        """What an edit starts from: without a main file in /etc, a newer systemd reads another
        tree's, which ours would hide."""
        lower = self.seen.lower_main
        if self.content is not None or lower is None:
            return self.content
        return lower.content

    @cached_property
    def before(self) -> Settings:
        """What the files say now."""
        return self._settings(self.base, self.standing)

    @cached_property
    def after(self) -> bytes | None:
        """The main file's bytes as they should be."""
        if self.by_drop_in:
            return self.content
        new = edited(self.base, self.others, self._owed, self.seen.interfaces)
        return self.content if new == self.base else new

    @cached_property
    def own_after(self) -> bytes | None:
        """Our drop-in's bytes as they should be; None: it is not asked for."""
        if not self.by_drop_in:
            return None
        new = drop_in(self.base, self.others, self.wanted, self.spec["document"])
        same = self.standing is not None and assigned(self.standing) == assigned(new)
        return self.standing if same else new

    @cached_property
    def result(self) -> Settings:
        """What the files will say."""
        return self._settings(self.after if self.after is not None else self.base, self.own_after)

    @cached_property
    def unmet(self) -> tuple[str, ...]:
        """The keys that even the edited files do not make right."""
        main = self.after if self.after is not None else self.base
        owed = self.wanted if self.by_drop_in else self._owed
        return unmet(main, self._dropins(self.own_after), owed, self.seen.interfaces)

    @property
    def _owed(self) -> Wanted:
        """What the files have to say: an empty list that nothing fills needs no line."""
        found, wanted, running = self._settings(self.base, None), self.wanted, self.seen.running
        if wanted.servers == () and found.values(SERVERS) is None:
            wanted = replace(wanted, servers=None)
        none_built_in = running is not None and running.fallback == ()
        if wanted.fallback == () and found.values(FALLBACK) is None and none_built_in:
            wanted = replace(wanted, fallback=None)
        return wanted

    def _settings(self, main: bytes | None, own: bytes | None) -> Settings:
        files = [ConfFile(self.spec["file"], main or b""), *self._dropins(own)]
        return settings(files, self.seen.interfaces)

    def _dropins(self, own: bytes | None) -> tuple[ConfFile, ...]:
        return self.others if own is None else in_order([*self.others, ConfFile(DROP_IN, own)])


def see(spec: Spec, answers: Answers) -> Sight:
    """Everything known about one dns resource."""
    seen = parse(answers.get(reading(spec["host"])))
    trouble = seen if isinstance(seen, str) else ""
    there = {} if isinstance(seen, str) else seen.interfaces
    wanted = Wanted(
        _spelled(spec.get("servers"), there),
        _spelled(spec.get("fallback"), there),
        spec.get("exclusive"),
    )
    file, own = (answers.get(ReadFile(spec["host"], path)) for path in (spec["file"], DROP_IN))
    claim = (read_stamp(answers.get(claimed(spec["host"]))) or {}).get("document", "")
    return Sight(
        spec, Seen() if isinstance(seen, str) else seen, file, own, trouble, wanted, str(claim)
    )


def claimed(host: str) -> ReadState:
    """Which document a host's dns belongs to: one note for all documents."""
    return ReadState(host, OF_HOST, "dns")


def problems(sight: Sight) -> Iterator[Refuse]:
    """What stands in the way, the most telling first."""
    if sight.trouble:
        yield Refuse("resolved-unreadable", sight.trouble, cure=_LOOK)
        return
    yield from _belongs(sight)
    yield from _service(sight.seen)
    yield from _files(sight)
    dropped = list(_dropped(sight))
    yield from dropped
    broken = sight.result.broken
    if sight.unmet and broken is not None:
        yield Refuse(
            "value-ignored",
            f"{broken.file} has {broken.why}, where systemd stops reading all of resolved's files",
            (f"{broken.file}:{broken.line}: {broken.word}",),
            "correct or remove that line",
        )
    elif sight.unmet and not dropped:
        yield _overridden(sight)


def _belongs(sight: Sight) -> Iterator[Refuse]:
    """Two documents would set it in turn for ever."""
    owner, spec = sight.owner, sight.spec
    if owner not in (spec["document"], spec.get("takes_over")):
        reason = f"the dns of {spec['host']} belongs to the document {owner}"
        cure = (
            f"drop the section dns here; or drop it in {owner}, and write here takes_over: {owner}"
        )
        yield Refuse("dns-owned", reason, (), cure)


_LOOK = "log in and look: systemctl status systemd-resolved; resolvectl dns"


_INSTEAD = {
    "NetworkManager": 'nmcli connection modify NAME ipv4.dns "8.8.8.8 1.1.1.1" '
    "ipv4.ignore-auto-dns yes",
    "dnsmasq": "server=8.8.8.8 and no-resolv in /etc/dnsmasq.conf",
}


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


def _files(sight: Sight) -> Iterator[Refuse]:
    """Files of ours that can't be told from a stranger's, or that resolved itself can't read."""
    if not sight.by_drop_in:
        yield from _file(sight.spec["file"], sight.file, "write drop_in: true")
    yield from _file(DROP_IN, sight.own, f"remove {DROP_IN}")
    for hidden in sight.seen.unreadable:
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


def _dropped(sight: Sight) -> Iterator[Refuse]:
    """Values of the document that the daemon would drop without a word."""
    for key in ("servers", "fallback"):
        for place, word in enumerate(sight.spec.get(key) or ()):
            value, why = at_interface(*server(word), sight.seen.interfaces)
            if not value:
                reason = f"resolved drops {word} without a word: {why}"
                yield Refuse(
                    "value-ignored", reason, cure="correct the address", pointer=f"/{key}/{place}"
                )


def _overridden(sight: Sight) -> Refuse:
    """The drop-ins that win over the file we may write, each with its line."""
    key = sight.unmet[0]
    mine = DROP_IN if sight.by_drop_in else sight.spec["file"]
    wanted: dict[str, Any] = {SERVERS: sight.wanted.servers, FALLBACK: sight.wanted.fallback}
    listed = wanted.get(key) or ()
    found = sight.result
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
    cures += [] if sight.by_drop_in else ["or write drop_in: true, so that ours is read last"]
    return Refuse(
        "overridden-by-dropin",
        f"drop-ins are read after {mine} and {_name(files)} says otherwise about {key}",
        tuple(places),
        "; ".join(cures),
        _POINTERS[key],
    )


def _name(files: Sequence[str]) -> str:
    return " and ".join(files) or "one of them"


def _spelled(words: Sequence[str] | None, interfaces: Interfaces) -> tuple[str, ...] | None:
    return None if words is None else spelled(words, interfaces)
