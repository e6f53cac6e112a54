"""After a fault: the next run does the scene's work, and what it leaves is looked at from every
side."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from tests.support.allowed_states import (
    Picture,
    after_rerun,
    ledger_troubles,
    picture,
    private_troubles,
)
from tests.support.bodies import Bench
from tests.support.fault_scenes import SECOND, Scene, perform
from tests.support.tracer import Stop

LASTING = ("doc", "doc/backups", "doc/journal", "doc/s.json", "doc/kept")


def touches(folder: Path) -> Callable[[Stop], bool]:
    """Counts the calls that write below `folder`."""
    return lambda stop: stop.call != "execve" and stop.path.startswith(f"{folder}/")


def touches_or_starts(folder: Path) -> Callable[[Stop], bool]:
    """The same, and each program that is started: the instants between two commands too."""
    below = touches(folder)
    return lambda stop: os.access(stop.path, os.X_OK) if stop.call == "execve" else below(stop)


def converged(bench: Bench, scene: Scene, before: Picture) -> list[str]:
    """Run the scene once more without a fault; everything that is wrong then."""
    root = Path(bench.root)
    outcomes = asyncio.run(perform(bench, scene, SECOND))
    now = picture(root)
    new = {path: thing for path, thing in now.items() if path not in before}
    return [
        *(f"the next run: {outcome}" for outcome in outcomes if not outcome.ok),
        *after_rerun(before, now, scene.managed),
        *stamp_troubles(bench, scene, settled=True),
        *ledger_troubles(root, new, bench.state / "doc/backups"),
        *private_troubles(bench.state),
        *(f"left in the lock folder: {path}" for path in picture(bench.locks)),
        *state_troubles(bench.state),
    ]


def stamp_troubles(bench: Bench, scene: Scene, settled: bool = False) -> list[str]:
    """Whether the scene's stamp is whole, and after the next run the new one."""
    if scene.stamp is None:
        return []
    path = bench.state / "doc/s.json"
    found = path.read_bytes() if path.exists() else None
    return [] if found in scene.stamp[settled:] else [f"the stamp is {found!r}"]


def state_troubles(state: Path) -> list[str]:
    """All but the ledger, the journal of an ended run, stamps and kept originals is for a moment
    only."""
    found = [f"left in the state folder: {path}" for path in picture(state) if path not in LASTING]
    journal = state / "doc/journal"
    lines = journal.read_text().split() if journal.exists() else ["ended"]
    return found if {"ended", "closed"} & set(lines[-4:]) else [*found, "the journal does not end"]
