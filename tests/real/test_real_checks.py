"""The checks of an app on a real PM2: its process is found and measured, its logs are read."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import kjpstate
from kjpstate.formats import logs, proc
from kjpstate.said import say
from tests.support.pm2_box import Pm2Box, install, wait_for

pytestmark = pytest.mark.real

REMOTE = Path(kjpstate.__file__).parent / "hosts" / "remote"
BUSY = (
    "console.log('up'); setInterval(() => { const end = Date.now() + 80; while (Date.now() "
    "< end); }, 100)"
)
IDLE = "console.log('up'); setInterval(() => {}, 1000)"


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("pm2-tools"))


@pytest.fixture
def box(tmp_path: Path, tools: Path) -> Iterator[Pm2Box]:
    box = Pm2Box(tmp_path, tools)
    yield box
    box.stop()


def probe(box: Pm2Box, shell: str, name: str, *args: str) -> bytes:
    command = [*shlex.split(shell), str(REMOTE / f"probe_{name}.sh"), *args]
    environ = {**os.environ, **box.env, "PM2_HOME": str(box.pm2_home)}
    return subprocess.run(command, capture_output=True, check=True, timeout=30, env=environ).stdout


@pytest.mark.parametrize("mode", ["fork", "cluster"])
def test_the_cpu_of_an_app_and_of_nothing_else(box: Pm2Box, mode: str) -> None:
    box.script(BUSY, "dist/busy.js")
    box.script(IDLE, "dist/idle.js")
    more = ["-i", "1"] if mode == "cluster" else []
    box.cli("start", str(box.bot / "dist/busy.js"), "--name", "bot", *more)
    box.cli("start", str(box.bot / "dist/idle.js"), "--name", "bot-kjp", *more)
    pids = {entry["name"]: entry["pid"] for entry in box.jlist()}
    for shell in ("dash", "busybox sh", "bash"):
        for name, low, high in (("bot", 5, 130), ("bot-kjp", 0, 4)):
            load = proc.parse(probe(box, shell, "cpu", "2", name))
            assert isinstance(load, proc.Load), load
            assert list(load.percent) == [pids[name]]
            assert low <= load.percent[pids[name]] <= high, (shell, name, load)
    assert proc.parse(probe(box, "dash", "cpu", "1", "other")) == say("cpu.no-process")


def test_the_log_of_an_app_in_the_home_of_pm2(box: Pm2Box) -> None:
    box.script(IDLE)
    box.cli("start", str(box.bot / "dist/index.js"), "--name", "bot-kjp")
    wait_for(lambda: b"up\n" in probe(box, "dash", "tail", "1000", "~pm2/logs/bot-kjp-out.log"))
    tail = logs.parse(probe(box, "dash", "tail", "1000", "~pm2/logs/bot-kjp-out.log"))
    assert tail == logs.Tail(3, 0, b"up\n")


def test_measuring_starts_no_daemon(box: Pm2Box) -> None:
    for name, args in (("cpu", ("1", "bot")), ("tail", ("9", "~pm2/logs/bot-out.log"))):
        probe(box, "sh", name, *args)
    assert box.daemon() is None and not box.pm2_home.exists()
