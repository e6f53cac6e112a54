"""A lock whose owner was killed while its command runs, the lock shown and broken: every body."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kjpstate import errors
from kjpstate.hosts import lock, programs
from kjpstate.model import ReadLock, Run, WriteFile
from tests.support.bodies import SHELLS, run_info

CONTROLLER = """
import asyncio, pathlib, sys
from kjpstate.hosts.local import LocalHost
from kjpstate.model import Run, RunInfo
async def go():
    state, locks, script = map(pathlib.Path, sys.argv[1:])
    host = LocalHost("box", state_dir=state, lock_dir=locks)
    await host.begin(RunInfo("abc123", "20261123T200000Z", "doc", "me@laptop"), ())
    await host.act([Run("box", ("sh", str(script)), "sleeps")])
asyncio.run(go())
"""
SCRIPT = "sleep 30 & echo $$ $! >{pid}.new; mv {pid}.new {pid}; wait"


async def reaches(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        await asyncio.sleep(0.02)


def owner_of(bench):
    return int(
        next(line for line in (bench.locks / "kjpstate").read_text().splitlines() if "pid" in line)[4:]
    )


@contextlib.asynccontextmanager
async def running(bench, script):
    """A session of the body that runs `script`, and is killed at the end: the session alone."""
    if bench.body == "local":
        words = [sys.executable, "-c", CONTROLLER, bench.state, bench.locks, script]
        process = subprocess.Popen([str(word) for word in words])
        yield
        process.kill()
        process.wait()
        return
    host = bench.host()
    await host.begin(run_info(), ())
    task = asyncio.ensure_future(host.act([Run("box", ("sh", str(script)), "sleeps")]))
    yield
    os.kill(owner_of(bench), signal.SIGKILL)
    with contextlib.suppress(errors.Unreachable, TimeoutError):
        await asyncio.wait_for(task, 1)
    task.cancel()


@pytest.mark.parametrize("whole", [True, False], ids=["the command", "only a child of it"])
def test_an_orphaned_command_keeps_the_lock_until_it_ends(bench, whole):
    if bench.body == "simulated":
        return  # its commands are modelled: there is no process
    noted = bench.real(bench.path("pid"))
    script = bench.real(bench.put("script", SCRIPT.format(pid=noted)))

    async def go():
        async with running(bench, script):
            await reaches(lambda: noted.exists() and steps(bench))
        command, orphan = map(int, noted.read_text().split())
        step = int(steps(bench)[0].read_text().split()[1])
        for pid in () if whole else (step, command):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        second = bench.host()
        try:
            with pytest.raises(errors.Locked, match="a command that it started still runs there") as caught:
                await second.begin(run_info("def456"), ())
            assert caught.value.run == "abc123"
            holder = await second.holder()
            assert (holder.run, holder.life) == ("abc123", "step")
            assert not await second.unlock(holder)
            os.kill(orphan, signal.SIGKILL)
            await reaches(lambda: all(map(gone, (step, command, orphan))))
            assert (await second.holder()).life == "dead"
            await second.begin(run_info("def456"), ())
            return second.recovered
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(orphan, signal.SIGKILL)
            await second.close()

    (found,) = asyncio.run(go())
    assert (found.verdict, found.run.kind, found.run.path) == ("unknown", "run", "sleeps")
    assert not list(bench.locks.iterdir())


def steps(bench) -> list[Path]:
    """The notes of commands that run; on this machine one is made just after its command was started."""
    return [note for note in bench.locks.glob("kjpstate.step.*") if note.suffix != ".new"]


def gone(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stream:  # noqa: PTH123
            return stream.read().rpartition(") ")[2][0] == "Z"
    except OSError:
        return True


def test_a_command_that_ended_leaves_no_step_behind(bench):
    async def go():
        host = bench.host()
        try:
            await host.begin(run_info(), ())
            words = ("systemctl", "--version") if bench.body == "simulated" else ("true",)
            await host.act([Run("box", words, "tries")])
            return sorted(path.name for path in bench.locks.iterdir())
        finally:
            await host.close()

    assert asyncio.run(go()) == ["kjpstate"]


def test_the_lock_is_shown_and_a_live_one_is_broken_by_force_only(bench):
    async def go():
        first, second = bench.host(), bench.host()
        try:
            assert await second.holder() is None
            await first.begin(run_info(), ())
            found = await second.holder()
            assert (found.run, found.who, found.why, found.life) == ("abc123", "me@laptop", "apply", "alive")
            assert not await second.unlock(found)
            assert await second.unlock(found, force=True)
            assert await second.holder() is None and not await second.unlock(found, force=True)
            await second.begin(run_info("def456"), ())
            outcomes, _ = await first.act([WriteFile("box", bench.path("x"), None, b"x")])
            assert outcomes[0].status == "failed" and "taken away" in outcomes[0].reason
        finally:
            await first.close()
            await second.close()

    asyncio.run(go())
    assert bench.get("x") is None and not list(bench.locks.iterdir())


def test_a_dead_lock_is_broken_when_it_is_still_that_one(bench):
    bench.locks.mkdir(parents=True, exist_ok=True)
    lock = bench.locks / "kjpstate"
    lock.write_text("run dead00\nwho x\nwhen y\nwhy apply\npid 4194303\nstart 1\nboot b\n")

    async def go():
        host = bench.host()
        try:
            found = await host.holder()
            assert (found.run, found.life) == ("dead00", "dead")
            return await host.unlock(found)
        finally:
            await host.close()

    assert asyncio.run(go()) and not list(bench.locks.iterdir())


def test_what_dead_contenders_left_beside_the_lock_is_swept(bench):
    bench.locks.mkdir(parents=True, exist_ok=True)
    for name in (".kjpstate.4194303.link", ".kjpstate.4194303.ab.link", "kjpstate.step.dead00-4194303"):
        (bench.locks / name).write_text("x")
    (bench.locks / f".kjpstate.{os.getpid()}.ab.link").write_text("x")

    async def go():
        host = bench.host()
        await host.begin(run_info(), ())
        await host.close()

    asyncio.run(go())
    assert [path.name for path in bench.locks.iterdir()] == [f".kjpstate.{os.getpid()}.ab.link"]


@pytest.mark.parametrize("left", [b"", b"\xff\xfe\x80", bytes(300), b"run \xff\npid \xb2\n"])
def test_what_a_power_cut_left_of_a_lock_holds_no_look_up(bench, left):
    bench.locks.mkdir(parents=True, exist_ok=True)
    (bench.locks / "kjpstate").write_bytes(left)

    async def go():
        host = bench.host()
        (found,) = (await host.look([ReadLock("box")])).values()
        await host.close()
        return found

    found = asyncio.run(go())
    assert found is None or found.life == "dead"


def test_what_a_power_cut_left_of_a_lock_of_this_machine_is_taken_over(tmp_path):
    for left in (b"", b"\xff\xfe\x80", bytes(300), b"run \xff\npid \xb2\n"):
        (tmp_path / "kjpstate").write_bytes(left)
        lock.take(tmp_path, run_info(), "box").release()
        assert not list(tmp_path.iterdir())


ANOTHERS = "run dead00\nwho root\nwhen y\nwhy apply\npid 4194303\nstart 1\nboot b\n"
"""In a sticky /run/lock a lock that another user's run left is not ours to remove."""
TAKES = """KJ_NL='
' KJ_LOCKS=$1 KJ_LOCK=$1/kjpstate KJ_OWNER="$(printf 'run b\\npid %s' $$)"
kj_say() { printf '%s ' "$*"; }
rm() { if [ "$2" = "$KJ_LOCK" ]; then return 1; else command rm "$@"; fi; }
kj_lock_place() { :; }
"""


@pytest.mark.parametrize("shell", [name for name, words in SHELLS.items() if shutil.which(words.split()[0])])
@pytest.mark.parametrize("call", ["kj_take", 'kj_unlock "$(cat "$KJ_LOCK")" ""'])
def test_a_dead_lock_that_is_not_ours_to_remove_is_said_and_not_tried_for_ever(tmp_path, shell, call):
    (tmp_path / "kjpstate").write_text(ANOTHERS)
    program = "\n".join([programs.script("lock"), TAKES, call])
    words = [*SHELLS[shell].split(), "-c", program, "sh", tmp_path]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=30)
    assert done.stdout == f"nolock {tmp_path}/kjpstate, which a dead run left, can not be removed"
    assert not done.stderr and [path.name for path in tmp_path.iterdir()] == ["kjpstate"]


def test_a_dead_lock_of_this_machine_that_is_not_ours_to_remove_is_said(tmp_path, monkeypatch):
    path, unlink = tmp_path / "kjpstate", Path.unlink
    path.write_text(ANOTHERS)

    def refuses(self, missing_ok=False):
        if self == path:
            raise PermissionError(1, "Operation not permitted")
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuses)
    with pytest.raises(errors.Failed, match="can't be taken: Operation not permitted"):
        lock.take(tmp_path, run_info(), "box")
    with pytest.raises(errors.Failed, match="can't be removed: Operation not permitted"):
        lock.unlock(tmp_path, lock.holder(tmp_path), force=False)
    assert [left.name for left in tmp_path.iterdir()] == ["kjpstate"]
