"""The answers of one dns resource put together. For the kind alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from kjpstate.formats.resolved import Seen, parse, reading
from kjpstate.formats.resolved_conf import (
    DROP_IN,
    FALLBACK,
    SERVERS,
    ConfFile,
    Interfaces,
    Settings,
    Wanted,
    assigned,
    drop_in,
    edited,
    in_order,
    is_ours,
    settings,
    spelled,
    unmet,
    written_for,
)
from kjpstate.formats.tree import OF_HOST, read_stamp
from kjpstate.kinds.dns.spec import Spec
from kjpstate.model import Answer, Answers, File, ReadFile, ReadState


@dataclass(frozen=True)
class View:
    """One dns resource: the wanted values and all that was seen on its host."""

    spec: Spec
    seen: Seen
    """The finding of the probe; an empty one where it has no answer."""
    trouble: str
    """Why the probe has no answer; "" when it has one."""
    file: Answer
    """The main file."""
    own: Answer
    """The file at the path of our own drop-in."""
    wanted: Wanted
    """The document's values in resolved's own spelling."""
    claim: str
    """The document that last set this host's dns, by the host's own note; "" for none."""

    @property
    def owner(self) -> str:
        """The document that this host's dns belongs to: ours too while nobody else has it."""
        theirs = written_for(self.own.content) if isinstance(self.own, File) else ""
        return self.claim or theirs or self.spec.document

    @property
    def content(self) -> bytes | None:
        """The main file's bytes; None when there is no file."""
        return self.file.content if isinstance(self.file, File) else None

    @cached_property
    def standing(self) -> bytes | None:
        """The bytes of our own drop-in, if one stands there; a stranger's file of that name is not
        ours."""
        content = self.own.content if isinstance(self.own, File) else None
        return content if content is not None and (self.spec.drop_in or is_ours(content)) else None

    @cached_property
    def others(self) -> tuple[ConfFile, ...]:
        """All drop-ins but our own, in systemd's order."""
        ours = self.spec.drop_in or self.standing is not None
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
        if self.spec.drop_in:
            return self.content
        new = edited(self.base, self.others, self._owed, self.seen.interfaces)
        return self.content if new == self.base else new

    @cached_property
    def own_after(self) -> bytes | None:
        """Our drop-in's bytes as they should be; None: it is not asked for."""
        if not self.spec.drop_in:
            return None
        new = drop_in(self.base, self.others, self.wanted, self.spec.document)
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
        owed = self.wanted if self.spec.drop_in else self._owed
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
        files = [ConfFile(self.spec.file, main or b""), *self._dropins(own)]
        return settings(files, self.seen.interfaces)

    def _dropins(self, own: bytes | None) -> tuple[ConfFile, ...]:
        return self.others if own is None else in_order([*self.others, ConfFile(DROP_IN, own)])


def looked(spec: Spec, answers: Answers) -> View:
    """Put the answers together."""
    found = parse(answers.get(reading(spec.host)))
    seen, trouble = (Seen(), found) if isinstance(found, str) else (found, "")
    wanted = Wanted(
        _spelled(spec.servers, seen.interfaces),
        _spelled(spec.fallback, seen.interfaces),
        spec.exclusive,
    )
    note = read_stamp(answers.get(claimed(spec.host))) or {}
    return View(
        spec,
        seen,
        trouble,
        answers.get(ReadFile(spec.host, spec.file)),
        answers.get(ReadFile(spec.host, DROP_IN)),
        wanted,
        str(note.get("document", "")),
    )


def claimed(host: str) -> ReadState:
    """Which document a host's dns belongs to: one note for all documents."""
    return ReadState(host, OF_HOST, "dns")


def _spelled(words: Sequence[str] | None, interfaces: Interfaces) -> tuple[str, ...] | None:
    return None if words is None else spelled(words, interfaces)
