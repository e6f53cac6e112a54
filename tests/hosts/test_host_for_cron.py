"""What a look for cron asks of every body: the lock without taking it, hints,
and an end in time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from pathlib import Path

import pytest

from kjpstate import document, reconcile
from kjpstate.checking import check
from kjpstate.formats.causes import hint, parse
from kjpstate.model import Holder, Probe, ReadClock, ReadCommand, ReadFile, ReadLock
from tests.support.bodies import run_info
from tests.support.demo_world import KEY


def look(bench, reading, within=None):
    """One answer."""

    async def go():
        host = bench.host()
        host.within = within
        try:
            return (await host.look([reading]))[reading]
        finally:
            await host.close()

    return asyncio.run(go())


FIRST, LAST = ReadLock("box", "first"), ReadLock("box", "last")


def test_the_lock_is_read_and_not_taken(bench):
    async def go():
        host, other = bench.host(), bench.host()
        free = await other.look([FIRST, LAST])
        await host.begin(run_info(who="sister@pc"), ())
        held = await other.look([FIRST, ReadClock("box"), LAST])
        await host.end()
        after = await other.look([FIRST])
        for one in (host, other):
            await one.close()
        return free, held, after

    free, held, after = asyncio.run(go())
    assert free == {FIRST: None, LAST: None} and after == {FIRST: None}
    assert isinstance(held[FIRST], Holder) and held[FIRST] == held[LAST]
    assert (held[FIRST].run, held[FIRST].who, held[FIRST].life) == ("abc123", "sister@pc", "alive")
    assert list(bench.locks.iterdir()) == []


def test_a_lock_of_the_dead_is_seen_as_that(bench):
    bench.locks.mkdir(parents=True, exist_ok=True)
    (bench.locks / "kjpstate").write_text(
        "run ffffff\nwho me\nwhen w\nwhy apply\npid 4194999\nstart 1\nboot x\n"
    )
    answer = look(bench, FIRST)
    assert isinstance(answer, Holder) and (answer.run, answer.life) == ("ffffff", "dead")


def test_hints_come_from_the_host(real_bench):
    bench = real_bench
    path = bench.put("etc/some.conf", "x")
    bench.put("dist/deep/a.js", "x")
    bench.put("dist/node_modules/b.js", "x")
    probe = Probe("box", "hints", (path, bench.path("dist/"), bench.path("etc/gone")))
    traces = parse(look(bench, probe))
    assert traces is not None
    names = {name.removeprefix(bench.root + "/") for name in traces.files}
    assert names == {"etc/some.conf", "dist/deep/a.js"} and list(traces.gone) == [
        bench.path("etc/gone")
    ]
    changed = hint(traces, [path]).values["parts"][0]
    assert (changed.code, changed.values["name"]) == ("causes.changed", "some.conf")
    assert hint(traces, [bench.path("dist/")]).values["parts"][0].values["span"] < 60


def test_a_look_ends_in_time_and_so_does_what_it_started(real_bench):
    bench = real_bench
    mark = bench.path("nobody-is-left")
    slow = ReadCommand("box", ("sh", "-c", f"sleep 30; : {mark}"), timeout=25)

    async def go():
        host = bench.host()
        host.within = 1.0
        started = time.monotonic()
        _, lost = await reconcile.look({"box": host}, {"box": [slow]})
        took = time.monotonic() - started
        await host.close()
        return lost, took

    lost, took = asyncio.run(go())
    assert lost["box"].values["message"].code == "look.not-in-time" and took < 10
    deadline = time.monotonic() + 10
    while _running(mark.encode()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _running(mark.encode())


def test_a_look_that_is_quick_leaves_no_watchdog(real_bench):
    bench = real_bench
    path = bench.put("a", "text")
    before = _running(*NAPS)
    assert look(bench, ReadFile("box", path), 45.0).content == b"text"
    deadline = time.monotonic() + 5
    while _running(*NAPS) - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _running(*NAPS) - before


NAPS = (b"sleep\x0045\x00", b"busybox\x00sleep\x0045\x00")


def _running(*texts: bytes) -> set[str]:
    """Processes whose command line holds one of these."""
    found = set()
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if any(text in line.read_bytes() for text in texts):
                found.add(line.parent.name)
    return found


@pytest.mark.parametrize("within", [None, 5.0])
def test_the_same_answers_with_and_without_a_limit(bench, within):
    path = bench.put("a", "text")
    assert look(bench, ReadFile("box", path), within).content == b"text"


SLOW = "import pathlib, time; out = pathlib.Path('dist'); out.mkdir(exist_ok=True); "
SLOW += "(out / 'a.js').write_text('half'); time.sleep(3); (out / 'a.js').write_text('whole')"


def test_a_check_while_a_whole_apply_is_at_work(real_bench, tmp_path):
    """Half a file is written when the check comes: no false drift, the run is named; afterwards
    silence."""
    bench = real_bench
    bench.put("src/a.ts", "text")
    file = tmp_path / "kjpstate.yaml"
    argv = json.dumps([sys.executable, "-c", SLOW])
    file.write_text(
        "kjpstate: 1\nname: doc\nhosts: {box: {ssh: root@192.0.2.9}}\n"
        f"build: {{host: box, directory: {bench.root}, inputs: [src/], outputs: [dist/], run: {argv}}}\n"
    )
    loaded = document.load(str(file), environ={})

    async def go():
        applying, first, second = (
            {"box": bench.host()},
            {"box": bench.host()},
            {"box": bench.host()},
        )
        plan = await reconcile.plan(loaded, applying, key=KEY)
        running = asyncio.ensure_future(
            reconcile.apply(
                loaded, applying, plan, run=run_info(), key=KEY, progress=lambda event: None
            )
        )
        while bench.get("dist/a.js") is None:
            await asyncio.sleep(0.05)
        during = await check(loaded, first, key=KEY, within=30)
        report = await running
        after = await check(loaded, second, key=KEY, within=30)
        for hosts in (applying, first, second):
            await hosts["box"].close()
        return during, report, after

    during, report, after = asyncio.run(go())
    assert during.plan.changes == () and during.plan.unfinished == {}
    assert (during.busy["box"].run, during.busy["box"].life) == ("abc123", "alive")
    assert report.exit_code == 0
    assert after.plan.changes == () and after.busy == {} and bench.get("dist/a.js") == b"whole"
