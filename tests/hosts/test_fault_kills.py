"""Our scripts killed with all they started, before every system call by which they write, in every shell.

What is left is looked at by tests/support/allowed_states.py; then the next run does the work again and must
converge. Runs that left the very same state are followed by one such run together.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.support import bodies
from tests.support.allowed_states import after_fault, picture
from tests.support.fault_runs import converged, stamp_troubles, touches_or_starts
from tests.support.fault_scenes import Recording, Scene, lay, record, replay, scenes, state_of

SEED, SLICE, WHOLE = 20261125, 2, 62
"""Instants of each scene; all of a scene that has fewer."""

SHELLS = ["dash", *(pytest.param(shell, marks=pytest.mark.real) for shell in ("bash", "busybox"))]
NAMES = [scene.name for scene in scenes("dash")]


@pytest.mark.slice
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", NAMES)
def test_killed_before_any_of_its_calls(tmp_path, shell, name, counted):
    bench = bodies.shell_bench(tmp_path, shell)
    scene = next(scene for scene in scenes(shell) if scene.name == name)
    recorded = record(bench, scene)
    lay(bench, scene)
    whole = replay(recorded, touches_or_starts(tmp_path))
    assert whole.traced.code == 0 and set(whole.outcomes) <= {"done"}, whole.said
    instants = range(1, len(whole.traced.stops) + 1)
    wanted = WHOLE if os.environ.get("KJPSTATE_FULL") else SLICE
    chosen = random.Random(SEED).sample(instants, min(wanted, len(instants)))
    seen: set[object] = set()
    found = [
        f"before call {instant} ({whole.traced.stops[instant - 1]}): {trouble}"
        for instant in chosen
        for trouble in killed(bench, scene, recorded, instant, seen)
    ]
    assert not found, f"{name} in {shell}\n" + "\n".join(found[:20])
    counted(f"instants at which our scripts were killed, in {shell}", len(chosen))


def killed(
    bench: bodies.Bench, scene: Scene, recorded: Recording, instant: int, seen: set[object]
) -> list[str]:
    """One kill, and the run after it; what was wrong."""
    lay(bench, scene)
    root = Path(bench.root)
    before = picture(root)
    replayed = replay(recorded, touches_or_starts(root.parent), kill_at=instant)
    assert replayed.traced.killed
    troubles = [*after_fault(before, picture(root), scene.managed), *stamp_troubles(bench, scene)]
    state = state_of(bench)
    if troubles or state in seen:
        return troubles
    seen.add(state)
    return converged(bench, scene, before)
