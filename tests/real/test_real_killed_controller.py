"""A whole apply over a real sshd whose controller is killed with -9 before a call that writes or
sends.

Whatever instant it is: every file on the box is old or new whole with its original kept, and the
next apply converges, alone, without litter.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path

import pytest

from tests.support.allowed_states import picture
from tests.support.ssh_world import Expected, SshWorld, broken, unhealed
from tests.support.sshd import start_sshd
from tests.support.tracer import Stop, trace

pytestmark = pytest.mark.real

SEED, SLICE, WHOLE = 20261125, 6, 300


@pytest.fixture(scope="module", name="server")
def server_fixture(tmp_path_factory):
    server = start_sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.fixture(name="world")
def world_fixture(tmp_path: Path, server) -> SshWorld:
    return SshWorld(tmp_path / "world", server, server.port)


def laid(world: SshWorld, changes: bool, template: Path) -> None:
    """Nothing applied yet, or the first version applied and the second to come."""
    shutil.rmtree(world.folder, ignore_errors=True)
    if not changes:
        world.lay(1)
    elif template.exists():
        shutil.copytree(template, world.folder, symlinks=True)
    else:
        world.lay(1)
        assert world.kjpstate("apply", "--yes") == 0, world.said
        for backup in world.box.rglob("*.backup.*"):
            backup.unlink() if backup.is_file() else shutil.rmtree(backup)
        (world.folder / "state-box/bot/backups").unlink()
        world.write(2)
        shutil.copytree(world.folder, template, symlinks=True)


def sends(folder: Path):
    """Counts what the controller writes in its world, and all it sends."""
    return lambda stop: counts(stop, f"{folder}/")


def counts(stop: Stop, folder: str) -> bool:
    return stop.path.startswith((folder, "socket:")) and stop.call != "execve"


@pytest.mark.parametrize("changes", [False, True], ids=["first", "change"])
def test_the_next_apply_heals(world, tmp_path, changes, counted):
    template = tmp_path / "template"
    laid(world, changes, template)
    before = picture(world.box)
    whole = trace(lambda: applied(world), sends(world.folder))
    assert whole.code == 0, world.said
    expected = Expected(before, picture(world.box))
    instants = list(range(1, len(whole.stops) + 1))
    chance = random.Random(SEED)
    wanted = (WHOLE if os.environ.get("KJPSTATE_FULL") else SLICE) // 2
    chosen = instants * (wanted // len(instants)) + chance.sample(instants, wanted % len(instants))
    found = []
    for instant in chosen:
        laid(world, changes, template)
        killed = trace(lambda: applied(world), sends(world.folder), kill_at=instant)
        troubles = [] if killed.killed or killed.code == 0 else [f"ended with {killed.code}"]
        troubles += broken(world, expected) or healed(world, expected)
        found += [
            f"before {instant}, {whole.stops[instant - 1]}: {trouble}" for trouble in troubles
        ]
    assert not found, "\n".join(found[:20])
    counted("controllers killed with -9 in an apply over a real sshd", len(chosen))


def applied(world: SshWorld) -> None:
    os._exit(world.kjpstate("apply", "--yes"))


def healed(world: SshWorld, expected: Expected) -> list[str]:
    """The next apply, as soon as the box has noticed that the last one is gone."""
    deadline = time.monotonic() + 20
    while (code := world.kjpstate("apply", "--yes")) == 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    return [f"the next apply: {code}\n{world.said}"] if code else unhealed(world, expected)
