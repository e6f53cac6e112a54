"""Our scripts killed with all they started, before every system call by which they write, in every
shell.

What is left is looked at by tests/support/allowed_states.py; then the next run does the work again
and must converge. Runs that left the very same state are followed by one such run together.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.support import bodies
from tests.support.allowed_states import Picture, after_fault, picture
from tests.support.fault_runs import converged, stamp_troubles, touches_or_starts
from tests.support.fault_scenes import (
    Recording,
    Scene,
    lay,
    pruning,
    record,
    record_look,
    record_settling,
    replay,
    scenes,
    state_of,
)
from tests.support.tracer import Traced

SEED, SLICE, WHOLE = 20261125, 2, 62
"""Instants of each scene; all of a scene that has fewer."""

SHELLS = ["dash", *(pytest.param(shell, marks=pytest.mark.real) for shell in ("bash", "busybox"))]
NAMES = [scene.name for scene in (*scenes("dash"), pruning())]
HALF_DONE = [
    "write, change",
    "backup of a folder",
    "switch, change",
    "restore of a folder",
    "a whole unit",
]
THIRD, TWICE = "fed321", 5
"""Instants of a scene, and of the recovery after each, in the whole count; one of each in a slice.
"""


@pytest.mark.slice
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", NAMES)
def test_killed_before_any_of_its_calls(tmp_path, shell, name, counted):
    bench = bodies.shell_bench(tmp_path, shell)
    scene = scene_of(name, shell)
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
    assert replay(recorded, touches_or_starts(root.parent), kill_at=instant).traced.killed
    return wrong(bench, scene, before, seen)


def wrong(bench: bodies.Bench, scene: Scene, before: Picture, seen: set[object]) -> list[str]:
    """What is wrong now, and after the next run; that one only in a state that was not seen yet."""
    troubles = [
        *after_fault(before, picture(Path(bench.root)), scene.managed),
        *stamp_troubles(bench, scene),
    ]
    state = state_of(bench)
    if troubles or state in seen:
        return troubles
    seen.add(state)
    return converged(bench, scene, before)


def scene_of(name: str, shell: str) -> Scene:
    return next(scene for scene in (*scenes(shell), pruning()) if scene.name == name)


@pytest.mark.slice
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", HALF_DONE)
def test_a_recovery_that_is_killed_is_recovered_by_the_next(tmp_path, shell, name, counted):
    """A run is killed, then the next one while it settles that; the third must find its way."""
    bench = bodies.shell_bench(tmp_path, shell)
    scene, counts = scene_of(name, shell), touches_or_starts(tmp_path)
    recorded = record(bench, scene)
    lay(bench, scene)
    settling = record_settling(bench, THIRD)

    def again(first: int, **fault: int) -> tuple[Picture, Traced]:
        """A run killed before its call `first`, then one that settles it."""
        lay(bench, scene)
        before = picture(Path(bench.root))
        assert replay(recorded, counts, kill_at=first).traced.killed
        return before, replay(settling, counts, **fault).traced

    lay(bench, scene)
    stops = len(replay(recorded, counts).traced.stops)
    wanted = TWICE if os.environ.get("KJPSTATE_FULL") else 1
    dice, seen, found, number = random.Random(SEED), set[object](), [], 0
    for first in dice.sample(range(stops // 3, stops + 1), wanted):
        instants = len(again(first)[1].stops)
        for second in dice.sample(range(1, instants + 1), min(wanted, instants)):
            before, settled = again(first, kill_at=second)
            assert settled.killed
            number += 1
            troubles = wrong(bench, scene, before, seen)
            found += [
                f"before call {first}, then before {second}: {trouble}" for trouble in troubles
            ]
    assert number and not found, f"{name} in {shell}\n" + "\n".join(found[:20])
    counted(f"recoveries killed and recovered, in {shell}", number)


@pytest.mark.slice
@pytest.mark.parametrize("shell", SHELLS)
def test_a_look_killed_at_any_instant_leaves_nothing(tmp_path, shell, counted):
    """look.sh and every probe: they only look, so there is nothing to find afterwards."""
    bench = bodies.shell_bench(tmp_path, shell)
    scene = scene_of("a whole unit", shell)
    recorded, counts = record_look(bench, scene), touches_or_starts(tmp_path)
    lay(bench, scene)
    before = [picture(folder) for folder in (Path(bench.root), bench.state, bench.locks)]
    whole = replay(recorded, counts)
    assert whole.traced.code == 0 and whole.said.rstrip().endswith(b" over"), whole.said[-500:]
    instants = range(1, len(whole.traced.stops) + 1)
    wanted = WHOLE if os.environ.get("KJPSTATE_FULL") else SLICE
    chosen = random.Random(SEED).sample(instants, min(wanted, len(instants)))
    for instant in (*chosen, 0):
        replay(recorded, counts, **({"kill_at": instant} if instant else {}))
        now = [picture(folder) for folder in (Path(bench.root), bench.state, bench.locks)]
        assert now == before, f"killed before call {instant}"
    counted(f"instants at which a look was killed, in {shell}", len(chosen))
