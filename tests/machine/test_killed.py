"""The owner's document on the real bot, killed (SIGKILL) before and within its actions: the next
apply heals.

A real Debian, sshd, PM2, Baileys and tsc. A seeded slice; all of them under the mark `full`.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from itertools import count

import pytest

from tests.support.machine import BOT, Machine
from tests.support.machine.world import World

pytestmark = pytest.mark.machine

SLICE = [("before", 13)]
_variants = count(1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, machine: Machine) -> Iterator[World]:
    """In sync, once for all cuts, each healed before the next; the acceptance
    checks are left out."""
    machine.reset()
    assert machine.bot_is_connected()
    world = World(tmp_path_factory.mktemp("killed"), machine, "bot-kjp.yaml", quick=True)
    text = world.document.read_text(encoding="utf-8")
    world.document.write_text(text[: text.index("\n# Task 9.")] + "\n", encoding="utf-8")
    world.must(0, "apply", "--yes")
    yield world
    shutil.rmtree(world.pc)


def vary(world: World) -> None:
    """Another document: other servers, a patch to be built and deployed, a reload or a delete and
    start."""
    number = next(_variants)
    base = world.folder / "base.yaml"
    if not base.exists():
        base.write_text(world.document.read_text(encoding="utf-8"), encoding="utf-8")
    text = base.read_text(encoding="utf-8")
    if number % 2:
        text = text.replace("servers: [8.8.8.8, 1.1.1.1]", "servers: [1.1.1.1, 8.8.8.8]")
    text = text.replace("MAX_RETRIES = 10", f"MAX_RETRIES = {10 + number}")
    text = text.replace("max_restarts: 15", f"max_restarts: {15 + number}")
    if number % 3:
        text = text.replace(
            "      merge_logs: true", f"      merge_logs: true\n      instance_var: N{number}"
        )
    world.document.write_text(text, encoding="utf-8")


def killed_and_healed(world: World, where: str, number: int) -> bool:
    """False when an apply of this document has no action of that number."""
    vary(world)
    cut = world.kjpstate(
        where, str(number), "apply", "--yes", module="tests.support.machine.killed"
    )
    if cut.code == 0:
        return False
    assert cut.code == -9, f"{where} {number}: {cut.out}\n{cut.err}"
    last = cut.err.splitlines()[-1]
    healed = world.kjpstate("apply", "--yes")
    deadline = time.monotonic() + 90
    while healed.code == 4 and time.monotonic() < deadline:  # what the lost run began still runs
        time.sleep(1)
        healed = world.kjpstate("apply", "--yes")
    assert healed.code == 0, f"{where} {number}, {last}: {healed.out}\n{healed.err}"
    assert world.must(0, "drift") == "", (where, number, last)
    box = world.machine
    (listed,) = json.loads(box.must("pm2 jlist -s"))
    assert listed["name"] == "bot-kjp" and listed["pm2_env"]["status"] == "online", (
        where,
        number,
        last,
    )
    assert box.must("pgrep -fc '^node .*bot-kjp/dist/index.js'").strip() == "1", (
        where,
        number,
        last,
    )
    left = box.must(f"find {BOT} /etc/systemd -name '*.kjpstate-*'").split()
    assert left == [], (where, number, last)
    return True


@pytest.mark.parametrize(("where", "number"), SLICE)
def test_a_killed_apply_is_healed_by_the_next(world: World, where: str, number: int, counted):
    assert killed_and_healed(world, where, number)
    counted("kills of an apply to the real bot, healed by the next", 1)


@pytest.mark.full
def test_every_kill_between_two_actions_is_healed(world: World, counted):
    cuts = 0
    while killed_and_healed(world, "before", cuts):
        cuts += 1
    assert cuts > 20
    counted("kills of an apply to the real bot, healed by the next", cuts)


@pytest.mark.full
def test_kills_within_an_action_are_healed(world: World, counted):
    cuts = 0
    while killed_and_healed(world, "within", cuts * 2):
        cuts += 1
    assert cuts > 10
    counted("kills of an apply to the real bot, healed by the next", cuts)
