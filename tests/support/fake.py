"""A host in memory and kinds of five lines: for the tests of plan and apply, which need no real
box."""

from __future__ import annotations

import hashlib
import types
from collections.abc import Callable, Iterable

from kjpstate import errors
from kjpstate.host import Cost
from kjpstate.kinds import KINDS
from kjpstate.model import (
    UNKNOWN,
    Backup,
    File,
    Outcome,
    ReadFile,
    ReadState,
    Refuse,
    Resource,
    Restore,
    Run,
    Stamp,
    State,
    Told,
    Where,
    WriteFile,
)

HERE = Where("doc.yaml", 1, 1)


class FakeHost:
    """Files in a dict; `commands` maps argv to what it does to them; `journal` is all that
    happened.

    `cut_after`: the link is lost after that many actions really happened. `fail`: argv that exit 1.
    """

    def __init__(self, name: str, files: dict[str, bytes], commands: dict | None = None) -> None:
        self.name, self.files = name, files
        self.commands: dict[tuple[str, ...], Callable[[dict[str, bytes]], None]] = commands or {}
        self.journal: list[object] = []
        self.fail: set[tuple[str, ...]] = set()
        self.cut_after: int | None = None
        self.locked_by: str = ""
        self.down = False
        self.cost = Cost()

    async def look(self, readings):
        if self.down:
            raise errors.Unreachable(self.name, f"{self.name} does not answer")
        return {reading: self._read(reading) for reading in readings}

    def _read(self, reading):
        if isinstance(reading, ReadState):
            return None
        assert isinstance(reading, ReadFile)
        content = self.files.get(reading.path)
        return None if content is None else File(reading.path, content, 0o644)

    async def begin(self, run, readings):
        if self.locked_by:
            raise errors.Locked(f"{self.name} is locked by {self.locked_by}")
        self.locked_by = run.id
        return await self.look(readings)

    async def act(self, actions, readings=(), sources=None):
        assert self.locked_by
        outcomes = []
        for action in actions:
            if self.cut_after is not None and len(self.journal) >= self.cut_after:
                self.down = True
            if self.down:
                raise errors.Unreachable(self.name, f"the link to {self.name} was lost")
            outcomes.append(self._do(action))
            if not isinstance(action, Stamp):  # the notes of a run are no step of it
                self.journal.append(action)
            if not outcomes[-1].ok:
                break
        return outcomes, await self.look(readings)

    def _do(self, action):
        match action:
            case WriteFile(path=path, before=before, after=after):
                if self.files.get(path) == after:
                    return Outcome(action, "already")
                if self.files.get(path) != before:
                    return Outcome(action, "moved")
                if before is not None:
                    self.files[f"{path}.backup"] = before
                self.files.pop(path, None)
                if after is not None:
                    self.files[path] = after
                return Outcome(
                    action, "done", backup=f"{path}.backup" if before is not None else ""
                )
            case Run(argv=argv):
                if argv in self.fail:
                    return Outcome(action, "failed", exit_code=1, output=b"no luck")
                self.commands[argv](self.files)
                return Outcome(action, "done", exit_code=0)
            case Restore(path=path, backup=backup, written=written):
                found = self.files.get(path)
                now = "-" if found is None else hashlib.sha256(found).hexdigest()
                if written and now != written:
                    return Outcome(action, "moved")
                self.files.pop(path, None)
                if backup:
                    self.files[path] = self.files[backup]
                return Outcome(action, "done")
            case Backup(path=path):
                if path not in self.files:
                    return Outcome(action, "done")
                self.files[f"{path}.backup"] = self.files[path]
                return Outcome(action, "done", backup=f"{path}.backup")
            case _:
                return Outcome(action, "done")

    recovered = ()

    async def end(self, *, finished=True):
        self.locked_by = ""

    async def close(self):
        return None


def copy_kind(name: str = "copy"):
    """A kind whose spec {to, text?, from?} wants `to` to hold `text`, or what `from` holds; by
    WriteFile."""

    def wanted(spec, answers, upstream):
        if "text" in spec:
            return spec["text"]
        planned = upstream.get(
            (spec["host"], spec["from"]), answers.get(ReadFile(spec["host"], spec["from"]))
        )
        if planned is UNKNOWN:
            return UNKNOWN
        content = planned.content if isinstance(planned, File) else planned
        return None if content is None else content.decode()

    def reads(spec):
        return [ReadFile(spec["host"], spec[key]) for key in ("to", "from") if key in spec]

    def see(spec, answers, upstream):
        file = answers.get(ReadFile(spec["host"], spec["to"]))
        text = file.content.decode() if isinstance(file, File) else None
        return types.SimpleNamespace(spec=spec, text=text, wanted=wanted(spec, answers, upstream))

    def actual(view):
        return State({"text": view.text}, present=view.text is not None)

    def desired(view):
        return State({"text": view.wanted})

    def refusals(view):
        if view.text == "bad":
            yield Refuse("bad", "the file is bad")

    def actions(view, drift):
        spec, before, after = view.spec, view.text, view.wanted
        if after is UNKNOWN or "run" in spec:
            yield Run(
                spec["host"],
                ("make", spec["to"]),
                "made",
                writes=(spec["to"],),
                undo=(("undo", spec["to"]),),
            )
        else:
            yield WriteFile(
                spec["host"], spec["to"], before.encode() if before else None, after.encode()
            )

    return types.SimpleNamespace(
        KIND=name,
        ORDER=0,
        UNIT=KINDS[name].UNIT if name in KINDS else name,
        SECTION="",
        resources=lambda page, earlier: (),
        reads=reads,
        see=see,
        actual=actual,
        desired=desired,
        writes=lambda spec: [(spec["host"], spec["to"])],
        refusals=refusals,
        actions=actions,
        advice=lambda view: iter(()),
        told=lambda view, drift: Told(),
    )


def resource(address: str, host: str = "box", **spec) -> Resource:
    """A resource of the kind before the dot."""
    spec = {key.rstrip("_"): value for key, value in spec.items()}
    return Resource(address, address.partition(".")[0], host, {"host": host, **spec}, HERE)


def kinds(*names: str) -> dict:
    """The named kinds, all of them copies."""
    return {name: copy_kind(name) for name in names}


def files(answers: Iterable[tuple[str, str, bytes | None]]):
    """Answers for ReadFile from (host, path, content)."""
    return {
        ReadFile(host, path): None if content is None else File(path, content, 0o644)
        for host, path, content in answers
    }
