"""A whole apply over a real sshd whose link is reset after byte N, of either side, over all that
travels.

Never a file that is not old or new whole; never "done" for what is not known to be done; the next
apply converges.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path

import pytest

from tests.support.allowed_states import part, picture
from tests.support.cutting import CuttingProxy
from tests.support.ssh_world import Expected, SshWorld, broken, unhealed
from tests.support.sshd import start_sshd

pytestmark = pytest.mark.real

# A few come when the apply is over already: 200 are asked for.
SEED, SLICE, WHOLE = 20261125, 6, 212


@pytest.fixture(name="proxy", scope="module")
def proxy_fixture(tmp_path_factory):
    server = start_sshd(tmp_path_factory.mktemp("sshd"))
    proxy = CuttingProxy(server.port)
    proxy.server = server
    yield proxy
    proxy.stop()
    server.stop()


def test_a_link_cut_after_any_byte(tmp_path: Path, proxy, counted):
    world = SshWorld(tmp_path / "world", proxy.server, proxy.port)
    world.lay(1)
    before = picture(world.box)
    proxy.mend()
    assert world.kjpstate("apply", "--yes") == 0, world.said
    expected, travelled = Expected(before, picture(world.box)), dict(proxy.passed)
    wanted = WHOLE if os.environ.get("KJPSTATE_FULL") else SLICE
    chance = random.Random(SEED)
    found, cuts = [], 0
    for number in range(wanted):
        side = ("client", "server")[number % 2]
        step = travelled[side] / (wanted // 2)
        after = int(step * (number // 2) + chance.random() * step)
        troubles = cut(world, proxy, expected, side, after)
        found += [f"after byte {after} of the {side}: {trouble}" for trouble in troubles]
        cuts += proxy.happened
        proxy.mend()
        found += [
            f"after byte {after} of the {side}: {trouble}" for trouble in healed(world, expected)
        ]
    assert not found, "\n".join(found[:20])
    assert cuts >= wanted * 9 // 10, "most cuts must have come before the apply was over"
    counted("links to a real sshd cut after byte N of an apply", cuts)


def cut(world: SshWorld, proxy: CuttingProxy, expected: Expected, side, after: int) -> list[str]:
    """An apply from the start, cut; what is wrong on the box, and in what was told."""
    shutil.rmtree(world.folder)
    world.lay(1)
    proxy.cut(side, after)
    code = world.kjpstate("apply", "--yes")
    now = picture(world.box)
    told = (
        []
        if code
        else [
            f"told done: {item.path}"
            for item in expected.managed
            if part(now, item.path) != item.new
        ]
    )
    told += [f"ended with {code}\n{world.said}"] if code not in (0, 1, 3, 7, 8) else []
    return told + broken(world, expected)


def healed(world: SshWorld, expected: Expected) -> list[str]:
    """The next apply, as soon as the box has noticed that the link is gone."""
    deadline = time.monotonic() + 20
    while (code := world.kjpstate("apply", "--yes")) == 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    return [f"the next apply: {code}\n{world.said}"] if code else unhealed(world, expected)
