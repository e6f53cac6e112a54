"""A watch over the demo's simulated box with a clock of the tests' own: half an
hour takes no time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kjpstate import monitor
from kjpstate.formats.soak import Hole, Sample, Soak
from tests.support.demo_world import SMALL, World

LIMITS = (
    "monitor: {limits: {cpu: 30%, memory: 200M, crash_restarts: 0, unresolved: 2, log: "
    "{ENOTFOUND: 3}}}\n"
)
OUT = "/root/bot-kjp/logs/out.log"


class Clock:
    """`at`: seconds. A pause moves it and the box's own, and lets happen what `later` says of that
    moment."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.began = self.at
        self.box: Callable[[float], None] = lambda seconds: None
        self.later: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self.at

    async def pause(self, seconds: float) -> None:
        """As long as it says, unless something moves the clock meanwhile."""
        self.at += seconds
        self.box(seconds)
        due = [act for at, act in self.later if at <= self.at - self.began]
        self.later = [(at, act) for at, act in self.later if at > self.at - self.began]
        for act in due:
            act()
        await asyncio.sleep(0)


@dataclass
class Watched:
    """The world, applied, and its clock; `seen`: what was told."""

    world: World
    clock: Clock
    seen: list[Sample | Hole] = field(default_factory=list)

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        """Let something happen so many seconds after the beginning."""
        self.clock.later.append((seconds, act))

    def watch(self, length: float = 1800, every: float = 30, **how: bool) -> Soak:
        """To its end, or until a limit is passed."""
        document = self.world.document
        record = monitor.Record(
            document.name,
            monitor.subjects(document, document.hosts),
            monitor.limits(document),
            monitor.pace(document, length, every, **how),
            "20260301T100000Z",
        )
        self.clock.began = self.clock.at
        return record.soak(asyncio.run(monitor.watch(record, self.world.hosts, self.seen.append)))

    # ---- what may happen to the bot

    def logs(self, *lines: str) -> None:
        with self.world.stb.real(OUT).open("a", encoding="utf-8") as log:
            log.writelines(f"{line}\n" for line in lines)

    def spins(self, load: float = 95.0) -> None:
        self.world.stb.box.state["load"] = load

    def crashes(self, times: int = 1) -> None:
        """As PM2 counts it: the same entry, another process."""
        box = self.world.stb.box
        app = box.state["pm2"]["apps"][0]
        app["restart_time"] += times
        app |= {"pid": box.new_pid(), "start": str(box.ticks), "pm_uptime": box.now}
        box.save()

    def no_names(self, servers: tuple[str, ...] = ("8.8.8.8", "1.1.1.1", "192.168.100.1")) -> None:
        self.world.stb.box.state["silent"] = list(servers)

    def lost(self) -> None:
        self.world.stb.reachable = False

    def back(self) -> None:
        self.world.stb.reachable = True


def watched(folder: Path, monkeypatch: pytest.MonkeyPatch, limits: str = LIMITS) -> Watched:
    """The demo's two machines, applied, with the document's limits."""
    world = World(folder, SMALL + limits)
    assert world.apply().exit_code == 0
    clock = Clock()
    clock.box = world.stb.box.tick
    monkeypatch.setattr(monitor, "now", clock.now)
    monkeypatch.setattr(monitor, "pause", clock.pause)
    return Watched(world, clock)
