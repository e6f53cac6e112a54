"""A deploy as it stands on both hosts: what is there, what should be, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeGuard

from kjpstate.formats.digests import sha256_or_none
from kjpstate.formats.tree import below, digests, read_stamp, stamped_files
from kjpstate.kinds.deploy.spec import Pair, Spec
from kjpstate.model import (
    UNKNOWN,
    Answer,
    Answers,
    File,
    NotAsked,
    Tree,
    TreeFile,
    Unknown,
    Unreadable,
    Upstream,
    touching,
)
from kjpstate.said import Text

_NOT_ASKED = NotAsked("not looked at")


@dataclass(frozen=True)
class View:
    """One deploy as it was seen. Files are {relative path: sha256}."""

    spec: Spec
    answers: Answers
    """The answers to its own readings; one is missing where nobody asked."""
    upstream: Upstream

    @cached_property
    def source(self) -> Answer:
        """The folder that is deployed."""
        return self.answers.get(self.spec.source, _NOT_ASKED)

    @cached_property
    def target(self) -> Answer:
        """The folder it is deployed to."""
        return self.answers.get(self.spec.target)

    @cached_property
    def here(self) -> dict[str, str]:
        """The target's files."""
        return digests(self.target if isinstance(self.target, Tree) else None)

    @cached_property
    def manifest(self) -> Mapping[str, TreeFile] | None:
        """The files to be there; None when the source can't be seen (`unseen` says why), or was
        asked for and not read (`unread`)."""
        if isinstance(self.source, Unreadable):
            return None
        files = self.source.files if isinstance(self.source, Tree) else {}
        return {path: files[path] for path in sorted(files) if self._travels(path)}

    def _travels(self, path: str) -> bool:
        return self._built is None or path in self._built

    @cached_property
    def _built(self) -> Mapping[str, str] | None:
        """What the build wrote into the source; None when no build fills it."""
        spec = self.spec
        if spec.build_stamp is None:
            return None
        stamp = read_stamp(self.answers.get(spec.build_stamp))
        outputs = stamped_files(stamp, "outputs") or {}
        return below(outputs, spec.from_directory.removeprefix(spec.built))

    @cached_property
    def unseen(self) -> Text:
        """Why the source's host was not looked at; "" when it was."""
        return self.source.why if isinstance(self.source, NotAsked) else ""

    @cached_property
    def unread(self) -> Text:
        """Why the source could not be read; "" when it could."""
        return self.source.why if failed(self.source) else ""

    @cached_property
    def _stamp(self) -> Mapping[str, Any] | None:
        return read_stamp(self.answers.get(self.spec.tree_stamp))

    @cached_property
    def earlier(self) -> Mapping[str, str] | None:
        """The files that the last deploy put there; None when there was none."""
        return stamped_files(self._stamp)

    @cached_property
    def wanted(self) -> Mapping[str, str]:
        """The files to be there; those of the last deploy when the source can't be seen."""
        if self.manifest is None:
            return self.earlier or {}
        return {path: file.digest for path, file in self.manifest.items()}

    @cached_property
    def stale(self) -> tuple[str, ...]:
        """The files of the last deploy that no longer belong there and still are as we put them."""
        if self.manifest is None:
            return ()
        return tuple(
            path
            for path, value in (self.earlier or {}).items()
            if path not in self.manifest and self.here.get(path) == value
        )

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """All that is there and is not ours."""
        others = self.target.others if isinstance(self.target, Tree) else ()
        ours = {*self.wanted, *self.stale}
        return tuple(sorted(path for path in (*self.here, *others) if path not in ours))

    @cached_property
    def owed(self) -> bool:
        """Whether something earlier in the plan writes the source or the target."""
        spec = self.spec
        return self._written(spec.from_host, spec.from_directory) or self._written(
            spec.host, spec.to_directory
        )

    def _written(self, host: str, path: str) -> bool:
        """A stamp alone (its digest) writes nothing."""
        keys = touching(self.upstream, host, path)
        return any(not isinstance(self.upstream[key], str) for key in keys)

    @cached_property
    def alone(self) -> bool:
        """Whether there is only the last deploy to compare with."""
        return self.manifest is None and not self.owed

    # ---- the files of `with`

    def theirs(self, pair: Pair) -> Answer:
        """The file where it comes from."""
        return self.answers.get(pair.source, _NOT_ASKED)

    def mine(self, pair: Pair) -> Answer:
        """The file where it goes to."""
        return self.answers.get(pair.target)

    @cached_property
    def planned(self) -> Mapping[str, bytes | Unknown | None]:
        """The bytes each should have: those there, what the plan will write laid over them."""
        return {pair.name: self._planned(pair) for pair in self.spec.pairs}

    def _planned(self, pair: Pair) -> bytes | Unknown | None:
        theirs = self.theirs(pair)
        planned: bytes | Unknown | None = theirs.content if isinstance(theirs, File) else None
        for key in touching(self.upstream, pair.source.host, pair.source.path):
            content = self.upstream[key]
            if not isinstance(content, str):
                planned = content if key[1] == pair.source.path else UNKNOWN
        return planned

    @cached_property
    def with_here(self) -> Mapping[str, str | None]:
        """Their digests as they stand."""
        found = {pair.name: self.mine(pair) for pair in self.spec.pairs}
        return {
            name: sha256_or_none(mine.content if isinstance(mine, File) else None)
            for name, mine in found.items()
        }

    @cached_property
    def with_wanted(self) -> Mapping[str, str | Unknown | None]:
        """Their digests as they should be; those of the last deploy when that is all there is."""
        if self.alone:
            put = stamped_files(self._stamp, "with") or {}
            return {name: put.get(name, value) for name, value in self.with_here.items()}
        return {
            name: content if isinstance(content, Unknown) else sha256_or_none(content)
            for name, content in self.planned.items()
        }

    @cached_property
    def installed(self) -> str | None:
        """What the last install was run for."""
        stamp = read_stamp(self.answers.get(self.spec.install_stamp)) or {}
        value = stamp.get("installed")
        return value if isinstance(value, str) else None


def looked(spec: Spec, answers: Answers, upstream: Upstream) -> View:
    """Keep the answers to what a deploy looks at."""
    own = {reading: answers[reading] for reading in spec.readings() if reading in answers}
    return View(spec, own, upstream)


def failed(answer: Answer) -> TypeGuard[Unreadable]:
    """Whether something was asked for and not answered."""
    return isinstance(answer, Unreadable) and not isinstance(answer, NotAsked)
