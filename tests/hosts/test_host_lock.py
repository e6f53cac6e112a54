"""A lock whose owner was killed while its command runs, the lock shown and broken: every body."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kjpstate import errors
from kjpstate.hosts import lock, owners, programs
from kjpstate.hosts.places import Places
from kjpstate.model import ReadLock, Run, Unreadable, WriteFile
from kjpstate.said import say
from tests.support.bodies import SHELLS, Bench, run_info

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
        next(line for line in (bench.locks / "kjpstate").read_text().splitlines() if "pid" in line)[
            4:
        ]
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
            with pytest.raises(errors.Locked) as caught:
                await second.begin(run_info("def456"), ())
            assert caught.value.held.code == "locked.step"
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
    """The notes of commands that run; on this machine one is made just after its command was
    started."""
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
            assert (found.run, found.who, found.why, found.life) == (
                "abc123",
                "me@laptop",
                "apply",
                "alive",
            )
            assert not await second.unlock(found)
            assert await second.unlock(found, force=True)
            assert await second.holder() is None and not await second.unlock(found, force=True)
            await second.begin(run_info("def456"), ())
            outcomes, _ = await first.act([WriteFile("box", bench.path("x"), None, b"x")])
            assert outcomes[0].status == "failed" and outcomes[0].reason.code == "lock.taken-away"
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
    for name in (
        ".kjpstate.4194303.link",
        ".kjpstate.4194303.ab.link",
        "kjpstate.step.dead00-4194303",
    ):
        (bench.locks / name).write_text("x")
    (bench.locks / f".kjpstate.{os.getpid()}.ab.link").write_text("x")

    async def go():
        host = bench.host()
        await host.begin(run_info(), ())
        await host.close()

    asyncio.run(go())
    assert [path.name for path in bench.locks.iterdir()] == [f".kjpstate.{os.getpid()}.ab.link"]


BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
WHOLE = f"run dead00\nwho x\nwhen y\nwhy z\npid 4194303\nstart 1\nboot {BOOT}\n"


def text(content: bytes | str) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(os.fsencode(content))


def device(path: Path) -> None:
    os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero's number


def socketed(path: Path) -> None:
    os.mknod(path, 0o666 | stat.S_IFSOCK)


def filled(path: Path) -> None:
    path.mkdir()
    (path / "theirs").write_text("kept")


def sparse(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(60 << 30)


DAMAGED = {
    "empty": text(""),
    "NULs": text(bytes(300)),
    "noise": text(b"\xff\xfe\x80"),
    "no process": text("run dead00\n"),
    "a NUL within": text(WHOLE.replace("dead00", "dead0\0")),
    "a line too many": text(WHOLE + "more 1\n"),
    "an empty line": text(WHOLE.replace("when", "\nwhen")),
    "an escape": text(WHOLE.replace("who x", "who \033[2J")),
    "run leads out": text(WHOLE.replace("dead00", "x/../../../V/bot")),
    "run in capitals": text(WHOLE.replace("dead00", "DEAD00")),
    "run too long": text(WHOLE.replace("dead00", "dead000")),
    "pid leads out": text(WHOLE.replace("4194303", "data.json")),
    "pid of 5,000 digits": text(WHOLE.replace("4194303", "9" * 3000)),
    "pid of ten digits": text(WHOLE.replace("4194303", "4194303000")),
    "pid 0": text(WHOLE.replace("4194303", "0")),
    "pid that is a digit to some": text(WHOLE.replace("4194303", "\xb2")),
    "pid below 0": text(WHOLE.replace("4194303", "-1")),
    "start is a word": text(WHOLE.replace("start 1", "start 1;x")),
    "boot leads out": text(WHOLE.replace(BOOT, "../x")),
    "login is a name": text(WHOLE + "login root\n"),
    "huge": text(WHOLE + "x" * 5000),
    "60 GB": sparse,
    "link to nothing": lambda path: path.symlink_to("/nowhere/x"),
    "link to a lock": lambda path: (
        path.with_name("other").write_text(WHOLE),
        path.symlink_to("other"),
    ),
    "link without end": lambda path: path.symlink_to("/dev/zero"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "FIFO": os.mkfifo,
    "socket": socketed,
    "folder": Path.mkdir,
    "folder that is not empty": filled,
}


def damage(bench: Bench, name: str) -> Path:
    """What stands there instead of a lock."""
    bench.locks.mkdir(parents=True, exist_ok=True)
    DAMAGED[name](bench.locks / "kjpstate")
    return bench.locks / "kjpstate"


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_no_lock_is_told_at_once_and_removed_by_force_only(bench, name):
    path = damage(bench, name)
    before = os.lstat(path)

    async def go():
        host = bench.host()
        try:
            (seen,) = (await host.look([ReadLock("box")])).values()
            assert isinstance(seen, Unreadable) and seen.why.values["path"] == str(path), seen
            with pytest.raises(errors.Failed) as caught:
                await host.begin(run_info(), ())
            assert caught.value.message.values["reason"] == seen.why
            assert caught.value.remedy == say("lock.damaged.cure", host="box")
            found = await host.holder()
            assert (found.life, found.why) == ("damaged", seen.why)
            assert not await host.unlock(found) and os.path.samestat(before, os.lstat(path))
            assert await host.unlock(found, force=True) and not os.path.lexists(path)
            assert await host.holder() is None
            await host.begin(run_info(), ())
            await host.end()
        finally:
            await host.close()

    asyncio.run(asyncio.wait_for(go(), 60))
    left = {found.name.partition(".")[2].partition(".")[0] for found in bench.locks.iterdir()}
    if name == "folder that is not empty":
        (aside,) = bench.locks.iterdir()
        assert left == {"damaged"} and (aside / "theirs").read_text() == "kept"
    else:
        assert [found.name for found in bench.locks.iterdir()] == ["other"] * (
            name == "link to a lock"
        )


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices and another's files")
@pytest.mark.parametrize(
    "how", [device, lambda path: (path.write_text(WHOLE), os.chown(path, 4242, 4242))]
)
def test_a_device_or_another_users_file_is_no_lock(real_bench, how):
    real_bench.locks.mkdir()
    how(real_bench.locks / "kjpstate")

    async def go():
        host = real_bench.host()
        try:
            assert (await host.holder()).life == "damaged"
            with pytest.raises(errors.Failed, match="where the lock should"):
                await host.begin(run_info(), ())
            assert await host.unlock(await host.holder(), force=True)
        finally:
            await host.close()

    asyncio.run(asyncio.wait_for(go(), 60))
    assert not list(real_bench.locks.iterdir())


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_note_of_a_step_holds_no_dead_lock_alive(bench, name):
    bench.locks.mkdir(parents=True, exist_ok=True)
    (bench.locks / "kjpstate").write_text(WHOLE)
    DAMAGED[name](bench.locks / "kjpstate.step.dead00-4194303")

    async def go():
        host = bench.host()
        try:
            assert (await host.holder()).life == "dead"
            await host.begin(run_info(), ())
        finally:
            await host.close()

    asyncio.run(asyncio.wait_for(go(), 60))
    assert not (bench.locks / "kjpstate").exists()


@pytest.mark.parametrize(
    "step", ["pid abc\nstart 1\nboot B", "pid \xb2", f"pid 1\nstart {'9' * 30}\nboot B"]
)
def test_words_of_a_step_are_checked_by_their_form(bench, step):
    bench.locks.mkdir(parents=True, exist_ok=True)
    (bench.locks / "kjpstate").write_text(WHOLE)
    (bench.locks / "kjpstate.step.dead00-4194303").write_text(step.replace("B", BOOT))

    async def go():
        host = bench.host()
        try:
            return (await host.holder()).life
        finally:
            await host.close()

    assert asyncio.run(go()) == "dead"


@pytest.mark.parametrize("name", ["empty", "noise", "folder", "link to nothing", "FIFO"])
def test_a_damaged_right_to_break_is_got_over(bench, name):
    bench.locks.mkdir(parents=True, exist_ok=True)
    (bench.locks / "kjpstate").write_text(WHOLE)
    DAMAGED[name](bench.locks / "kjpstate.break.dead00-4194303")

    async def go():
        host = bench.host()
        try:
            await host.begin(run_info(), ())
        finally:
            await host.close()

    asyncio.run(asyncio.wait_for(go(), 60))
    assert not (bench.locks / "kjpstate").exists()


def test_what_is_written_beside_a_lock_goes_through_no_link(bench):
    """Names that could be foreseen are made anew, whatever stands there."""
    bench.locks.mkdir(parents=True, exist_ok=True)
    bench.put("victim", "root's")
    victim = bench.real(bench.path("victim"))
    for number in range(os.getpid(), os.getpid() + 300):
        (bench.locks / f".kjpstate.{number}.link").symlink_to(victim)

    async def go():
        host = bench.host()
        try:
            await host.begin(run_info(), ())
        finally:
            await host.close()

    asyncio.run(asyncio.wait_for(go(), 60))
    assert victim.read_text() == "root's"


TAKES = """KJ_NL='
' KJ_UID=$(id -u) KJ_LOCKS=$1 KJ_LOCK='' KJ_HAND='' KJ_BASE=$1
kj_say() { printf '%s ' "$*"; }
rm() { if [ "$2" = "$KJ_LOCK" ]; then return 1; else command rm "$@"; fi; }
kj_place
KJ_OWNER="run b00000${KJ_NL}who w${KJ_NL}when w${KJ_NL}why w$KJ_NL$(kj_myself)"
"""


@pytest.mark.parametrize(
    "shell", [name for name, words in SHELLS.items() if shutil.which(words.split()[0])]
)
@pytest.mark.parametrize("call", ["kj_take", 'kj_unlock "$(cat "$KJ_LOCK")" ""'])
def test_a_dead_lock_that_is_not_ours_to_remove_is_said_and_not_tried_for_ever(
    tmp_path, shell, call
):
    (tmp_path / "kjpstate").write_text(WHOLE)
    program = "\n".join([*map(programs.script, ("hands", "lib", "lock")), TAKES, call])
    words = [*SHELLS[shell].split(), "-c", program, "sh", tmp_path]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=30)
    assert done.stdout == f"nolock lock.left\n{tmp_path}/kjpstate"
    assert not done.stderr and [path.name for path in tmp_path.iterdir()] == ["kjpstate"]


def test_a_dead_lock_of_this_machine_that_is_not_ours_to_remove_is_said(tmp_path, monkeypatch):
    path, unlink = tmp_path / "kjpstate", Path.unlink
    path.write_text(WHOLE)

    def refuses(self, missing_ok=False):
        if self == path:
            raise PermissionError(1, "Operation not permitted")
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuses)
    told = {"path": str(path), "reason": "Operation not permitted"}
    with pytest.raises(errors.Failed) as caught:
        lock.take(Places(tmp_path), run_info(), "box")
    assert caught.value.message == say("lock.untaken", host="box", **told)
    with pytest.raises(errors.Failed) as caught:
        lock.unlock(Places(tmp_path), lock.holder(Places(tmp_path), "box"), force=False)
    assert caught.value.message == say("lock.unremoved-here", **told)
    assert [left.name for left in tmp_path.iterdir()] == ["kjpstate"]


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\u2029"])
def test_a_sign_that_some_take_for_a_line_end_parts_no_words(sign):
    text = f"run abcdef\nwho a{sign}run ../x\nwhen b\nwhy c\npid 1\nstart 2\nboot -\n"
    assert owners.fields(text)["run"] == "abcdef"
    assert {**owners.fields(text), "login": ""} == owners.owner(text)
