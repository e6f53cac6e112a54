"""Every call by which our scripts and the Python body write, answered by an error; six disks that
do so.

Whatever fails: each file is old or new whole, an action that is told done is done, one that is told
failed left its file as it was, and the next run converges.
"""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path

import pytest

from tests.support import bodies
from tests.support.allowed_states import after_fault, part, picture
from tests.support.fault_runs import converged, stamp_troubles, touches
from tests.support.fault_scenes import (
    FIRST,
    Replayed,
    Scene,
    lay,
    record,
    replay,
    replay_here,
    scenes,
)
from tests.support.tracer import Stop

SEED, SLICE, WHOLE = 20261125, 1, 16
"""Errors of each scene and body."""
ROOMY = {
    "open",
    "openat",
    "creat",
    "write",
    "pwrite64",
    "writev",
    "sendfile",
    "copy_file_range",
    "mkdir",
    "mkdirat",
} | {
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "rename",
    "renameat",
    "renameat2",
    "setxattr",
    "fsetxattr",
}
"""Calls that need room on the disk."""
BYTES = {
    "write",
    "pwrite64",
    "writev",
    "sendfile",
    "copy_file_range",
    "fsync",
    "fdatasync",
    "syncfs",
}
NAMES = [scene.name for scene in scenes("dash")]


def ours(stop: Stop) -> bool:
    """Neither what the document's command writes, nor attributes, kept where tools and disk can (cp
    gives them up after a refused owner), nor the removal of leftovers, which such a disk keeps us
    from."""
    attribute = stop.call in ("setxattr", "fsetxattr", "fchown")
    leftover = stop.call in ("unlinkat", "rmdir", "unlink") and (
        ".kjpstate-old." in stop.path or stop.path.endswith("switch.names")
    )
    return not attribute and not leftover and not stop.path.endswith(("/out", "/out.new"))


def answers(stop: Stop) -> list[int]:
    """The errors that this call can give on a full, a dying, a read-only and a protected disk."""
    found = [errno.EIO]
    found += [errno.ENOSPC] if stop.call in ROOMY else []
    found += [errno.EROFS, errno.EPERM] if stop.call not in BYTES else []
    return found


@pytest.mark.slice
@pytest.mark.parametrize("body", ["dash", "local"])
@pytest.mark.parametrize("name", NAMES)
def test_each_call_answered_by_an_error(tmp_path, body, name, counted):
    scene = next(scene for scene in scenes("dash") if scene.name == name)
    bench = bodies.local_bench(tmp_path) if body == "local" else bodies.shell_bench(tmp_path, body)
    recorded = None if body == "local" else record(bench, scene)

    def play(**fault: int) -> Replayed:
        lay(bench, scene)
        counts = touches(tmp_path)
        if recorded is None:
            return replay_here(bench, scene, FIRST, counts, **fault)
        return replay(recorded, counts, **fault)

    stops = play().traced.stops
    cases = [
        (at, error) for at, stop in enumerate(stops, 1) if ours(stop) for error in answers(stop)
    ]
    wanted = WHOLE if os.environ.get("KJPSTATE_FULL") else SLICE
    cases = random.Random(SEED).sample(cases, min(wanted, len(cases)))
    found, judged = [], 0
    for at, error in cases:
        troubles = refused(bench, scene, play, at, error)
        if troubles is None:
            continue
        judged += 1
        found += [
            f"{errno.errorcode[error]} for call {at}, {stops[at - 1]}: {trouble}"
            for trouble in troubles
        ]
    assert not found, f"{name} in {body}\n" + "\n".join(found[:20])
    counted(
        f"system calls answered by an error, {'local.py' if body == 'local' else 'session.sh'}",
        judged,
    )


def refused(bench: bodies.Bench, scene: Scene, play, at: int, error: int) -> list[str] | None:
    """One error, what was left and told, and the run after it. None: it met a call of the
    document's command, which runs beside ours."""
    lay(bench, scene)
    root = Path(bench.root)
    before = picture(root)
    replayed = play(fail_at=at, error=error)
    if not ours(replayed.traced.stops[at - 1]):
        return None
    now = picture(root)
    return [
        *after_fault(before, now, scene.managed),
        *stamp_troubles(bench, scene),
        *untrue(bench, scene, now, replayed),
    ] or converged(bench, scene, before)


def untrue(bench: bodies.Bench, scene: Scene, now, replayed: Replayed) -> list[str]:
    """Where what was told is not what is: the last thing told is not ok, or all of it is done."""
    told = replayed.outcomes
    if "Traceback" in replayed.said.decode(errors="replace"):
        return ["a traceback"]
    wanted = len(scene.actions(bench.root))
    if len(told) == wanted and set(told) <= {"done", "already"}:
        return [
            f"{item.path} was told done and is not"
            for item in scene.managed
            if part(now, item.path) != item.new
        ] + (stamp_troubles(bench, scene, settled=True))
    if wanted == 1 and told == ["failed"] and scene.name != "make a folder":
        return [
            f"{item.path} was told failed and changed"
            for item in scene.managed
            if part(now, item.path) == item.new != item.old
        ]
    return []
