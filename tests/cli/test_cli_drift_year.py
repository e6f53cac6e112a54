"""Drift from cron for a year on a fake clock: no false drift, none missed, each change told exactly
once.

A look every ten minutes, at the demo's box, through the real command line; faults are drawn from a
list. What must be seen and told is kept by a book of the test's own. A few days here; the year with
KJPSTATE_FULL=1.
"""

from __future__ import annotations

import datetime
import errno
import json
import os
import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import time_machine

from kjpstate import document as documents
from kjpstate import reconcile
from kjpstate.document import load
from kjpstate.hosts.simulated import SimulatedHost, seed_demo
from kjpstate.notify import store
from tests.support.commands import Desk, Shown
from tests.support.demo_world import simulated_hosts
from tests.support.rows import addresses

FULL = bool(os.environ.get("KJPSTATE_FULL"))
SEED = 20261125
STEPS = 365 * 144 if FULL else 2 * 144
GAP = 40 if FULL else 4
"""Looks between two faults, on the average."""
EVERY = datetime.timedelta(minutes=10)
LOST_AFTER = 3

DOCUMENT = """
kjpstate: 1
name: bot-kjp
hosts: {stb: {ssh: root@192.168.100.104}}
dns: {host: stb, servers: [8.8.8.8, 1.1.1.1], exclusive: true}
pm2:
  host: stb
  ecosystem: /root/bot-kjp/ecosystem.config.js
  save: true
  apps:
    - {name: bot-kjp, script: dist/index.js, cwd: /root/bot-kjp, exp_backoff_restart_delay: 1000}
notify:
  quiet: 22:00-07:00
  channels: [{name: phone, webhook: "http://127.0.0.1:9/"}]
"""
RESOLVED, ECOSYSTEM = "/etc/systemd/resolved.conf", "/root/bot-kjp/ecosystem.config.js"
DNS, FILE, BOT = ("dns", "drift"), ("pm2_ecosystem", "drift"), ("pm2_process.bot-kjp", "dead")


@dataclass
class Year:
    """The box, the clock, and the book: what is planted, and what the phone was told that still
    stands."""

    desk: Desk
    box: SimulatedHost
    clock: time_machine.Traveller
    monkeypatch: pytest.MonkeyPatch
    planted: set[tuple[str, str]] = field(default_factory=set)
    lost: int = 0
    told: dict[tuple[str, str], int] = field(default_factory=dict)
    begun: Counter[str] = field(default_factory=Counter)
    full: bool = False
    slow: bool = False

    @property
    def quiet(self) -> bool:
        hour = datetime.datetime.now().hour
        return hour >= 22 or hour < 7


@pytest.fixture
def year(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Year]:
    seed_demo(desk.folder)
    desk.write(DOCUMENT)
    monkeypatch.setenv("TZ", "Europe/Berlin")
    box: list[SimulatedHost] = []

    def opened(document: Any, **_: Any) -> dict[str, SimulatedHost]:
        if not box:
            box.append(simulated_hosts(document, desk.folder)["stb"])
        return {"stb": box[0]}

    monkeypatch.setattr(reconcile, "open_hosts", opened)
    # The text stays the same all year: it is read once.
    once = cache(lambda path: load(path, environ={}))
    monkeypatch.setattr(documents, "load", lambda path, **_: once(path))
    monkeypatch.setattr("kjpstate.notify.telling._PAUSE", 0.0)
    monkeypatch.setattr("kjpstate.history.store._SYNC", "OFF")
    start = datetime.datetime(2027, 1, 1, 0, 3, tzinfo=datetime.UTC)
    with time_machine.travel(start, tick=False) as clock:
        assert desk.kjpstate("apply", "--yes").code == 0
        found = Year(desk, box[0], clock, monkeypatch)
        monkeypatch.setattr("kjpstate.cli.drift.notify", _with_phone(found))
        yield found


def _with_phone(year: Year) -> Callable[..., None]:
    """`notify` with a phone that writes into the book and now and then does not answer."""
    from kjpstate.cli import notifying
    from kjpstate.notify import Desk as Wire

    real, flaky = notifying.notify, random.Random(SEED)

    def send(channel: Any, value: Any) -> str:
        if flaky.random() < 0.1:
            return "HTTP 503"
        for notice in json.loads(json.dumps(value))["notices"]:
            key = (notice["subject"], notice["reason"])
            begins = notice["kind"] in ("dead", "drift", "unreachable")
            if (
                notice["kind"] == "dead" and year.full
            ):  # the only one that is told though nobody can note it
                continue
            assert begins is (key not in year.told), (
                f"told twice, or ended before it began: {notice}"
            )
            if begins:
                year.told[key] = 1
                year.begun[notice["kind"]] += 1
            else:
                del year.told[key]
        return ""

    return lambda work, plan: real(work, plan, Wire(send=send, beat=lambda url: ""))


# ---- faults: each plants something, and gives back what ends it


def edit_dns(year: Year) -> Callable[[], None]:
    undo = _edited(year, RESOLVED, DNS, lambda before: before.replace(b"8.8.8.8", b"9.9.9.9"))

    def back() -> None:
        undo()
        # A reboot meanwhile has had the daemon read the edited file.
        year.box.type("systemctl", "restart", "systemd-resolved")

    return back


def edit_ecosystem(year: Year) -> Callable[[], None]:
    return _edited(year, ECOSYSTEM, FILE, lambda before: before.replace(b"1000", b"2000"))


def _edited(
    year: Year, path: str, key: tuple[str, str], change: Callable[[bytes], bytes]
) -> Callable[[], None]:
    file = year.box.real(path)
    before = file.read_bytes()
    assert change(before) != before
    file.write_bytes(change(before))
    year.planted.add(key)

    def back() -> None:
        file.write_bytes(before)
        year.planted.discard(key)

    return back


def stop_bot(year: Year) -> Callable[[], None]:
    year.box.type("pm2", "stop", "bot-kjp")
    year.planted.add(BOT)

    def back() -> None:
        healed(year)

    return back


def healed(year: Year) -> None:
    """The owner types apply, whatever else was planted meanwhile; at a box that answers."""
    year.box.reachable = True
    year.lost = 0
    assert year.desk.kjpstate("apply", "--yes").code == 0
    year.planted.clear()


def unreachable(year: Year) -> Callable[[], None]:
    year.box.reachable = False

    def back() -> None:
        year.box.reachable = True

    return back


def slow(year: Year) -> Callable[[], None]:
    """A look that takes most of a minute."""
    year.slow = True

    def back() -> None:
        year.slow = False

    return back


def reboot(year: Year) -> Callable[[], None]:
    """What is saved starts again: a stopped bot too."""
    if year.box.reachable:
        year.box.reboot()
        year.planted.discard(BOT)
    return lambda: None


def disk_full(year: Year) -> Callable[[], None]:
    """The controller can write down nothing: neither history nor what was told."""
    year.full = True

    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "state")

    def refuse_sql(*_: Any, **__: Any) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    patch = pytest.MonkeyPatch()
    patch.setattr(store, "write", refuse)
    patch.setattr(sqlite3, "connect", refuse_sql)

    def back() -> None:
        patch.undo()
        year.full = False

    return back


def clock_jump(year: Year) -> Callable[[], None]:
    """The laptop's clock is a day wrong for a while; the box has none at all (see `Clock`)."""
    days = random.Random(len(year.begun)).choice([-1, 1])
    year.clock.shift(datetime.timedelta(days=days))

    def back() -> None:
        year.clock.shift(datetime.timedelta(days=-days))

    return back


FAULTS = (
    edit_dns,
    edit_ecosystem,
    stop_bot,
    unreachable,
    unreachable,
    slow,
    reboot,
    disk_full,
    clock_jump,
)


@pytest.mark.slice
def test_a_year_of_looks(year: Year, counted: Callable[[str, int], None]):
    chance, threads = random.Random(SEED), threading.active_count()
    ends: list[tuple[int, str, Callable[[], None]]] = []
    seen: Counter[str] = Counter()
    for step in range(STEPS):
        year.clock.shift(EVERY)
        for due in [item for item in ends if item[0] <= step]:
            if due not in ends:  # an apply of this very look healed it
                continue
            ends.remove(due)
            due[2]()
            if due[1] == "stop_bot":  # the apply healed what else was planted
                ends = [
                    item
                    for item in ends
                    if item[1] not in ("edit_dns", "edit_ecosystem", "unreachable")
                ]
        fault = chance.choice(FAULTS)
        if (
            chance.random() < 1 / GAP
            and all(name != fault.__name__ for _, name, _ in ends)
            and _may(fault, year)
        ):
            ends.append((step + chance.randint(1, 20), fault.__name__, fault(year)))
            seen[fault.__name__] += 1
        _look(year)
    for _, _, back in ends:
        back()
    healed(year)
    for _ in range(2 * 144 if year.told else 1):
        year.clock.shift(EVERY)
        _look(year)
    assert year.told == {}, "something was never told to be over"
    assert year.planted == set()
    _nothing_is_left(year)
    assert threading.active_count() <= threads + 2
    assert set(seen) == {fault.__name__ for fault in FAULTS}, "each fault has come"
    counted("looks of a simulated year", STEPS)
    counted("faults of a simulated year", sum(seen.values()))
    counted("changes told once in a simulated year", year.begun.total())


def _may(fault: Callable[..., Any], year: Year) -> bool:
    """A box that is off is not edited."""
    return year.box.reachable or fault not in (edit_dns, edit_ecosystem, stop_bot)


def _look(year: Year) -> None:
    """One drift; its exit code and rows are what is planted, neither more nor less."""
    if year.slow:
        year.clock.shift(datetime.timedelta(seconds=45))
    shown = year.desk.kjpstate("drift")
    year.lost = 0 if year.box.reachable else year.lost + (0 if year.full else 1)
    if not year.box.reachable:
        assert (shown.code, shown.out) == (3, "")
    else:
        assert addresses(shown.out) == {address for address, _ in year.planted}, (
            f"{shown} {year.planted}"
        )
        assert shown.code == (2 if year.planted else 0)
    _told_is_true(year, shown)
    if year.slow:
        year.clock.shift(datetime.timedelta(seconds=-45))


def _told_is_true(year: Year, shown: Shown) -> None:
    """By day, with a phone that answered and a disk that holds, the owner knows just what is."""
    if year.full or "not told" in shown.err or year.quiet:
        return
    known = set(year.told)
    if year.box.reachable:
        assert known == year.planted
    elif year.lost >= LOST_AFTER:
        assert ("stb", "unreachable") in known


def _nothing_is_left(year: Year) -> None:
    """No lock, no temporary file, a small database."""
    state = Path(os.environ["XDG_STATE_HOME"])
    names = {path.name for path in state.rglob("*") if path.is_file()}
    assert not [
        name for name in names if "lock" in name or name.startswith(".") or "damaged" in name
    ], names
    assert len(names) <= 12, names
    assert sum(path.stat().st_size for path in state.rglob("*") if path.is_file()) < 4 * 1024 * 1024
    assert not list(year.box.box.own.rglob("lock/*"))
