"""A look for cron: drift is believed when it is seen twice, and not at all while an apply is at
work."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kjpstate import errors, reconcile
from kjpstate.checking import Check, check
from kjpstate.host import Eye
from kjpstate.model import Answers, Probe, Reading, RunInfo
from tests.support.demo_world import KEY, World
from tests.support.words import codes, values

CONF = "/etc/systemd/resolved.conf"
RUN = RunInfo("aaaaaa", "20260301T000000Z", "bot-kjp", "somebody@laptop")


@pytest.fixture(name="world")
def world_fixture(tmp_path: Path) -> World:
    """The small document, applied."""
    world = World(tmp_path)
    assert world.apply().exit_code == 0
    return world


def checked(world: World, within: float | None = None) -> Check:
    """One check."""
    return asyncio.run(check(world.document, world.hosts, key=KEY, within=within))


def disturb(world: World, text: str = "[Resolve]\nDNS=9.9.9.9\n") -> bytes:
    """Somebody writes the box's file; what was there."""
    before = world.stb.real(CONF).read_bytes()
    world.stb.real(CONF).write_text(text, "utf-8")
    world.stb.type("systemctl", "restart", "systemd-resolved")
    return before


class Counting:
    """An eye that counts its looks and lets something happen before one of them."""

    def __init__(self, eye: Eye) -> None:
        self.eye, self.name, self.within = eye, eye.name, None
        self.looks: list[list[Reading]] = []
        self.before = {}

    async def look(self, readings: list[Reading]) -> Answers:
        """As the eye does."""
        self.looks.append(list(readings))
        happens = self.before.get(len(self.looks))
        if happens is not None:
            happens()
        return await self.eye.look(readings)


def test_in_sync_one_look_is_enough(world: World):
    eyes = {name: Counting(host) for name, host in world.hosts.items()}
    found = asyncio.run(check(world.document, eyes, key=KEY))
    assert found.plan.changes == () and not found.busy
    assert [len(eye.looks) for eye in eyes.values()] == [1, 1]
    assert not any(
        isinstance(reading, Probe) and reading.name == "hints" for reading in eyes["stb"].looks[0]
    )


def test_a_drift_is_looked_at_twice_and_one_that_was_gone_again_is_none(world: World):
    eyes = {name: Counting(host) for name, host in world.hosts.items()}
    before = disturb(world)

    def healed():
        disturb(world, before.decode())

    eyes["stb"].before = {2: healed}
    found = asyncio.run(check(world.document, eyes, key=KEY))
    assert found.plan.changes == ()
    assert len(eyes["stb"].looks) == 2
    probes = [
        item for item in eyes["stb"].looks[1] if isinstance(item, Probe) and item.name == "hints"
    ]
    assert [CONF in probe.args for probe in probes] == [True]


def test_a_drift_that_stays_is_told(world: World):
    disturb(world)
    found = checked(world)
    assert [change.resource.address for change in found.plan.changes] == ["dns"]


def test_a_host_that_is_lost_between_the_looks_keeps_its_drift(world: World):
    eyes = {name: Counting(host) for name, host in world.hosts.items()}
    disturb(world)

    def lost():
        world.stb.reachable = False

    eyes["stb"].before = {2: lost}
    found = asyncio.run(check(world.document, eyes, key=KEY))
    assert [change.resource.address for change in found.plan.changes] == ["dns"]
    assert list(found.plan.unreachable) == ["stb"]
    assert reconcile.exit_code(found.plan) == errors.DRIFT


def test_a_host_that_is_worked_on_is_named_and_not_judged(world: World):
    async def during() -> Check:
        await world.stb.begin(RUN, ())
        disturb(world)
        try:
            return await check(world.document, world.hosts, key=KEY)
        finally:
            await world.stb.end()

    found = asyncio.run(during())
    assert found.plan.changes == () and found.plan.unfinished == {}
    assert not {"dns", "deploy", "pm2_process.bot-kjp"} & set(found.plan.in_sync)
    assert {host: owner.run for host, owner in found.busy.items()} == {"stb": "aaaaaa"}
    assert [change.resource.address for change in checked(world).plan.changes] == ["dns"]


def test_what_reads_from_a_host_that_is_worked_on_is_not_judged_either(world: World):
    async def during() -> Check:
        await world.pc.begin(RUN, ())
        world.stb.real("/root/bot-kjp/dist/index.js").write_text("by hand\n", "utf-8")
        disturb(world)
        try:
            return await check(world.document, world.hosts, key=KEY)
        finally:
            await world.pc.end()

    found = asyncio.run(during())
    assert [change.resource.address for change in found.plan.changes] == ["dns"]
    assert list(found.busy) == ["pc"]


def test_an_apply_that_begins_while_it_is_looked_at_is_seen_by_the_last_reading(world: World):
    eyes = {name: Counting(host) for name, host in world.hosts.items()}
    look = eyes["stb"].eye.look

    async def slow(readings: list[Reading]) -> Answers:
        first = await look(readings[:1])
        await world.stb.begin(RUN, ())
        disturb(world)
        rest = await look(readings[1:])
        await world.stb.end()
        return {**first, **rest}

    eyes["stb"].look = slow
    found = asyncio.run(check(world.document, eyes, key=KEY))
    assert found.plan.changes == () and list(found.busy) == ["stb"]


def test_a_host_that_takes_too_long_is_not_reached_and_the_others_are_judged(world: World):
    eyes = {name: Counting(host) for name, host in world.hosts.items()}

    async def never(readings: list[Reading]) -> Answers:
        await asyncio.sleep(60)
        return {}

    eyes["stb"].look = never
    world.pc.real("/src/index.ts").write_text("console.log('other');\n", "utf-8")
    found = asyncio.run(check(world.document, eyes, key=KEY, within=1.0))
    slow = found.plan.unreachable["stb"]
    assert codes(slow) == ["errors.with-remedy", "look.not-in-time", "look.not-in-time.cure"]
    assert values(slow, "seconds") == [1.0]
    assert [change.resource.address for change in found.plan.changes] == ["build"]
