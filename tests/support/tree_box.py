"""A host in memory with whole folders, stamps and a clock: for build and deploy on the straight
line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from kjpstate import apply, errors
from kjpstate.formats.tree import covered, ours
from kjpstate.host import Cost, Eye
from kjpstate.model import (
    Action,
    Answer,
    Answers,
    Backup,
    Clock,
    Event,
    File,
    MakeDirectory,
    Outcome,
    Plan,
    ReadClock,
    ReadFile,
    Reading,
    ReadStat,
    ReadState,
    ReadTree,
    Report,
    Resource,
    Restore,
    Run,
    RunInfo,
    Stamp,
    Stat,
    SyncTree,
    Tree,
    TreeFile,
    WriteFile,
)
from kjpstate.plan import Scene, build

Command = Callable[["TreeBox"], int]


class TreeBox:
    """`files`: path -> bytes. `commands`: argv -> what it does, its exit code. `done`: every action
    that happened. After `cut_after` of them the link is lost."""

    def __init__(
        self, name: str, files: Mapping[str, str], commands: Mapping[tuple[str, ...], Command]
    ) -> None:
        self.name, self.commands, self.cost = name, commands, Cost()
        self.files: dict[str, bytes] = {}
        self.touched: dict[str, int] = {}
        self.state: dict[str, bytes] = {}
        self.kept: dict[str, dict[str, bytes]] = {}
        self.uptime = 100
        self.done: list[Action] = []
        self.cut_after: int | None = None
        for path, text in files.items():
            self.write(path, text)

    def write(self, path: str, text: str) -> None:
        """As any program would: the file is touched even when it stays the same."""
        self.uptime += 1
        self.files[path] = text.encode()
        self.touched[path] = self.uptime

    def below(self, folder: str) -> dict[str, str]:
        """{relative path: text} of what is in a folder."""
        return {
            path.removeprefix(folder): content.decode()
            for path, content in sorted(self.files.items())
            if path.startswith(folder)
        }

    # ---- the eye

    async def look(self, readings: Sequence[Reading]) -> Answers:
        return {reading: self._read(reading) for reading in readings}

    async def open(self, path: str) -> AsyncIterator[bytes]:
        yield self.files[path]

    async def close(self) -> None:
        return None

    def _read(self, reading: Reading) -> Answer:
        match reading:
            case ReadTree(root=root, paths=paths):
                return self._tree(root, paths)
            case ReadFile(path=path):
                return File(path, self.files[path], 0o644) if path in self.files else None
            case ReadStat(path=path):
                inside = any(name.startswith(path.rstrip("/") + "/") for name in self.files)
                found = path in self.files or inside
                return Stat(path, "directory" if inside else "file", 0o755, 0) if found else None
            case ReadState(name=name):
                return self.state.get(name)
            case ReadClock():
                return Clock("boot", f"{self.uptime}.00")
        raise AssertionError(reading)

    def _tree(self, root: str, paths: tuple[str, ...]) -> Tree | None:
        if not any(path.startswith(root) for path in self.files):
            return None
        found = {}
        for path, content in sorted(self.files.items()):
            relative = path.removeprefix(root)
            if path.startswith(root) and covered(relative, paths) and not ours(relative):
                digest = sha256(content).hexdigest()
                found[relative] = TreeFile(digest, len(content), 0o644, str(self.touched[path]))
        return Tree(root, found)

    # ---- the hands

    async def begin(self, run: RunInfo, readings: Sequence[Reading]) -> Answers:
        return await self.look(readings)

    async def act(
        self,
        actions: Sequence[Action],
        readings: Sequence[Reading] = (),
        sources: Mapping[str, Eye] | None = None,
    ) -> tuple[Sequence[Outcome], Answers]:
        outcomes: list[Outcome] = []
        for action in actions:
            if self.cut_after is not None and len(self.done) >= self.cut_after:
                raise errors.Unreachable(self.name, f"the link to {self.name} was lost")
            self.uptime += 1
            outcomes.append(await self._do(action, sources or {}))
            self.done.append(action)
            if not outcomes[-1].ok:
                break
        return outcomes, await self.look(readings)

    async def _do(self, action: Action, sources: Mapping[str, Eye]) -> Outcome:
        match action:
            case WriteFile(path=path, after=after):
                assert after is not None
                self.write(path, after.decode())
            case Stamp(name=name, values=values):
                self.state.pop(name, None)
                if values is not None:
                    self.state[name] = json.dumps(values).encode()
            case SyncTree(
                from_directory=there, to_directory=here, manifest=manifest, remove=remove
            ):
                assert manifest is not None
                for path in remove:
                    del self.files[here + path]
                for path in manifest:
                    chunks = [chunk async for chunk in sources[action.from_host].open(there + path)]
                    self.write(here + path, b"".join(chunks).decode())
            case Backup(path=path):
                held = {name: self.files[name] for name in self.files if name.startswith(path)}
                self.kept[path] = held
                return Outcome(action, "done", backup=path)
            case Restore(path=path, backup=backup):
                for name in [name for name in self.files if name.startswith(path)]:
                    del self.files[name]
                for name, content in self.kept.get(backup or "", {}).items():
                    self.write(name, content.decode())
            case Run(argv=argv):
                code = self.commands[argv](self)
                return Outcome(action, "done" if code == 0 else "failed", exit_code=code)
            case MakeDirectory():
                pass
            case _:
                raise AssertionError(action)
        return Outcome(action, "done")

    recovered = ()

    async def end(self, *, finished: bool = True) -> None:
        return None


def plan_of(
    boxes: Mapping[str, TreeBox], resources: Sequence[Resource], kinds: Mapping[str, Any]
) -> Plan:
    """What would be done now."""
    return build(_scene(boxes, resources, kinds))


def applied(
    boxes: Mapping[str, TreeBox], resources: Sequence[Resource], kinds: Mapping[str, Any]
) -> Report:
    """Plan and apply, at once."""
    scene = _scene(boxes, resources, kinds)
    info = RunInfo("abc123", "20261123T194500Z", scene.document, "me@laptop")
    events: list[Event] = []
    return asyncio.run(apply.run(build(scene), scene, boxes, info, events.append))


def _scene(
    boxes: Mapping[str, TreeBox], resources: Sequence[Resource], kinds: Mapping[str, Any]
) -> Scene:
    may_change = dict.fromkeys(boxes, ("/",))
    bare = Scene("bot-kjp", tuple(resources), {}, b"key", kinds, may_change)
    answers: dict[Reading, Answer] = {}
    for host, readings in apply.readings_by_host(bare).items():
        answers.update(asyncio.run(boxes[host].look(readings)))
    return replace(bare, answers=answers)
