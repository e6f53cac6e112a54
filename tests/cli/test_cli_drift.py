"""`drift` as cron runs it: silent or one line a drift, alone, in time, in no environment at all."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from kjpstate import history, reconcile
from kjpstate.cli.main import main
from kjpstate.history import FILE, Wanted
from kjpstate.hosts import local, lock
from kjpstate.hosts.local import LocalHost
from kjpstate.model import RunInfo, Unfinished
from tests.support.commands import Desk, Shown

RUN = RunInfo("abcdef", "20260301T000000Z", "little", "sister@laptop")


@pytest.fixture(name="applied")
def applied_fixture(desk: Desk) -> Desk:
    """The small document, applied."""
    assert desk.kjpstate("apply", "--yes").code == 0
    return desk


def test_silent_or_one_line(applied: Desk):
    shown = applied.kjpstate("drift")
    assert (shown.code, shown.out, shown.err) == (0, "", "")
    (applied.folder / "dist/a.js").write_text("by hand\n", "utf-8")
    shown = applied.kjpstate("drift")
    assert (shown.code, shown.err) == (2, "")
    (row,) = shown.out.splitlines()
    assert row.startswith("~ build  pc  ")
    assert "a.js changed 20" in row and "less than a minute ago" in row
    value = applied.kjpstate("drift", "--json").json
    assert list(value["hints"]) == ["build"] and value["busy"] == []


def test_while_an_apply_is_at_work(applied: Desk):
    (applied.folder / "dist/a.js").write_text("half done\n", "utf-8")
    held = lock.take(local.lock_places(), RUN, "pc")
    shown = applied.kjpstate("drift")
    assert (shown.code, shown.out) == (4, "")
    assert shown.err.startswith(
        "pc: run abcdef of sister@laptop is at work there (apply, since 2026"
    )
    assert applied.kjpstate("drift", "--json").json["busy"][0]["run"] == "abcdef"
    held.release()
    assert applied.kjpstate("drift").code == 2


def test_a_run_that_was_cut_is_named_where_something_differs(
    applied: Desk, monkeypatch: pytest.MonkeyPatch
):
    cut = {"pc": Unfinished("beef00", "20260301T090000Z", "sister@pc", "switch", "dist/")}
    monkeypatch.setattr(reconcile, "unfinished", lambda *_: cut)
    assert applied.kjpstate("drift") == Shown(0, "", "")
    (applied.folder / "dist/a.js").write_text("half done\n", "utf-8")
    shown = applied.kjpstate("drift")
    assert (shown.code, len(shown.out.splitlines())) == (2, 1)
    assert (
        shown.err == "pc: run beef00 of sister@pc was cut there; the next apply settles it first\n"
    )


def test_a_lock_of_a_run_that_is_dead_is_no_lock(applied: Desk):
    owner = lock.owner_text(RUN, os.getpid()).replace(f"pid {os.getpid()}\n", "pid 4194999\n")
    (local.lock_places().own / lock.NAME).write_text(owner, "utf-8")
    assert applied.kjpstate("drift").code == 0
    shown = applied.kjpstate("plan")
    assert shown.code == 0 and "did not come to its end" in shown.out
    assert applied.kjpstate("apply", "--yes").code == 0
    assert not (local.lock_places().own / lock.NAME).exists()
    assert "did not come to its end" not in applied.kjpstate("plan").out


def test_a_folder_where_the_lock_should_be_is_one_sentence(applied: Desk):
    (local.lock_places().own / lock.NAME).mkdir()
    assert applied.kjpstate("plan").code == 0
    assert applied.kjpstate("drift") == Shown(0, "", "")
    assert applied.kjpstate("status").code in (0, 2)
    shown = applied.kjpstate("unlock", "pc")
    assert shown.code == 1 and "is a folder: it stands where the lock should" in " ".join(
        shown.err.split()
    )
    assert "kjpstate unlock pc --force" in shown.err
    (applied.folder / "dist/a.js").write_text("edited\n", "utf-8")
    shown = applied.kjpstate("apply", "--yes")
    assert shown.code == 1 and "is a folder: it stands where the lock should" in " ".join(
        shown.err.split()
    )
    assert (applied.folder / "dist/a.js").read_text("utf-8") == "edited\n"
    assert applied.kjpstate("unlock", "pc", "--force").code == 0
    assert applied.kjpstate("apply", "--yes").code == 0


def test_two_at_once(applied: Desk, monkeypatch: pytest.MonkeyPatch):
    begun, go_on = threading.Event(), threading.Event()
    look = LocalHost.look

    async def slow(self, readings):
        begun.set()
        while not go_on.is_set():
            time.sleep(0.01)
        return await look(self, readings)

    monkeypatch.setattr(LocalHost, "look", slow)
    first: list[int] = []
    thread = threading.Thread(target=lambda: first.append(main(["drift"])))
    thread.start()
    assert begun.wait(20)
    shown = applied.kjpstate("drift")
    assert (shown.code, shown.out) == (4, "")
    assert shown.err.startswith("another check of little is still at work, run ")
    assert len(shown.err.splitlines()) == 1
    go_on.set()
    thread.join(20)
    assert first == [0]
    monkeypatch.undo()


def test_a_damaged_history_and_a_check_that_goes_on(applied: Desk, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("KJPSTATE_STATE", str(tmp_path / "own"))
    applied.kjpstate("drift")
    (tmp_path / "own" / FILE).write_bytes(b"no database" * 999)
    shown = applied.kjpstate("drift")
    assert (shown.code, shown.out) == (0, "")
    assert len(shown.err.splitlines()) == 1 and "was damaged" in shown.err


@pytest.mark.parametrize("how", ["a file in its way", "no such disk"])
def test_without_a_folder_of_its_own_it_checks_all_the_same(applied: Desk, monkeypatch, how: str):
    place = applied.folder / "taken"
    place.write_text("", "utf-8")
    monkeypatch.setenv(
        "KJPSTATE_STATE", {"a file in its way": str(place), "no such disk": "/proc/kjpstate"}[how]
    )
    shown = applied.kjpstate("drift")
    assert (shown.code, shown.out) == (0, "")
    (row,) = shown.err.splitlines()
    assert row.endswith("; this run is not noted")
    (applied.folder / "dist/a.js").write_text("by hand\n", "utf-8")
    assert applied.kjpstate("drift").code == 2


BARE = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from kjpstate.hosts import local
from kjpstate.cli import run
from kjpstate.hosts.places import Places
local.state_folder = lambda: Path(sys.argv[1])
local.lock_places = lambda: Places(Path(sys.argv[1]))
sys.exit(run(sys.argv[2:]))
"""


def bare(
    desk: Desk, *argv: str, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """A command line in no environment, without a terminal, from `/`."""
    words = [sys.executable, "-c", BARE, str(desk.folder / ".state"), *argv]
    return subprocess.run(
        words,
        env=environ or {},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_in_no_environment_at_all(applied: Desk, tmp_path: Path):
    document = str(applied.folder / "kjpstate.yaml")
    own = {"KJPSTATE_STATE": str(tmp_path / "own")}
    done = bare(applied, "drift", document, environ=own)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    (applied.folder / "src/ä✓.ts").write_text("x", "utf-8")
    (applied.folder / "dist/a.js").write_text("by hand\n", "utf-8")
    for environ in (
        own,
        own | {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        own | {"PYTHONIOENCODING": "cp1252"},
    ):
        done = bare(applied, "drift", document, environ=environ)
        assert (done.returncode, done.stderr) == (2, b"")
        assert done.stdout.startswith(b"~ build  pc  ") and done.stdout.count(b"\n") == 1
    (run,) = history.runs(tmp_path / "own", Wanted(failed=True)).value
    assert run.times == 3


def test_home_is_found_without_HOME(tmp_path: Path):
    text = (
        "from kjpstate.cli.state_folder import looking_folder; from pathlib import Path; "
        "import kjpstate.cli.state_folder as c; print(c._platform_folder())"
    )
    done = subprocess.run(
        [sys.executable, "-c", text], env={}, capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()).is_absolute() and "~" not in done.stdout


HANGS = """
import asyncio, os, socket, sys, time
from pathlib import Path
from kjpstate.cli import run
import kjpstate.cli.drift as drift
drift._GRACE = 4.0
socket.getaddrinfo = lambda *args, **more: time.sleep(600)
sys.exit(run(sys.argv[1:]))
"""


def test_a_resolver_that_hangs_holds_nobody_up(tmp_path: Path):
    file = tmp_path / "kjpstate.yaml"
    file.write_text(
        "kjpstate: 1\nname: far\nhosts: {box: {ssh: root@box.example}}\n"
        "dns: {host: box, servers: [8.8.8.8]}\n"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", HANGS, "drift", str(file), "--timeout", "1.5"],
        env={"KJPSTATE_STATE": str(tmp_path / "own")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert time.monotonic() - started < 25
    assert done.returncode == 3
    assert "did not answer within 1.5 s" in done.stderr
    (run,) = history.runs(tmp_path / "own", Wanted()).value
    assert (run.verb, run.exit_code, run.items[0].result) == ("drift", 3, "unreachable")


def test_it_asks_nothing_and_writes_nothing_on_a_host(applied: Desk, monkeypatch):
    class NoInput:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            raise AssertionError("drift asked something")

    monkeypatch.setattr(sys, "stdin", NoInput())
    (applied.folder / "dist/a.js").write_text("by hand\n", "utf-8")
    before = {path: path.stat().st_mtime_ns for path in applied.folder.rglob("*")}
    assert applied.kjpstate("drift").code == 2
    assert {path: path.stat().st_mtime_ns for path in applied.folder.rglob("*")} == before
