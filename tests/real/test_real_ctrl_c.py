"""Ctrl-C in an apply over a real sshd: the first lets the running command end, the second stops at
once.

Both leave a host that the next apply reads, waits for, and heals.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kjpstate.formats import journal
from tests.support.ssh_world import SOURCE, SshWorld
from tests.support.sshd import start_sshd

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
SLOW = "touch ../started; while [ ! -f ../go ]; do sleep 0.05; done\n"


@pytest.fixture(scope="module", name="server")
def server_fixture(tmp_path_factory):
    server = start_sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.fixture(name="world")
def world_fixture(tmp_path: Path, server) -> SshWorld:
    """The first apply is to come; its build waits for the file `go`."""
    world = SshWorld(tmp_path / "world", server, server.port)
    world.lay(1)
    script = world.box / "build.sh"
    script.write_text(SLOW + script.read_text())
    return world


APPLIES = """
import sys
from pathlib import Path
from tests.support.ssh_world import SshWorld
from tests.support.sshd import Sshd
folder, server, port = sys.argv[1:]
world = SshWorld(Path(folder), Sshd(Path(server), int(port), None), int(port))
code = world.kjpstate("apply", "--yes")
sys.stderr.write(world.said)
sys.exit(code)
"""


def started(world: SshWorld) -> subprocess.Popen:
    """An apply in a process of its own, which is at its build; what it says, to the very end of
    Python, goes into the file `said`."""
    words = (str(world.folder), str(world.server.folder), str(world.port))
    with (world.folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", APPLIES, *words],
            stdout=said,
            stderr=said,
            cwd=ROOT,
            start_new_session=True,
        )
    until((world.folder / "started").exists)
    time.sleep(0.3)
    return process


def no_traceback(world: SshWorld) -> bool:
    said = (world.folder / "said").read_text()
    return "nterrupted" in said and "Traceback" not in said and "never retrieved" not in said


def until(condition, seconds=60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def ended(process: subprocess.Popen) -> int:
    return process.wait(60)


def run_on_the_box(world: SshWorld) -> journal.Journal:
    found = journal.read((world.folder / "state-box/bot" / journal.FILE).read_bytes())
    assert found is not None
    return found


def test_the_first_lets_the_running_command_end_puts_back_and_unlocks(world):
    process = started(world)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert (world.folder / "locks-box/kjpstate").exists()
    (world.folder / "go").touch()
    assert ended(process) == 130 and no_traceback(world)
    assert (world.box / "src/wa.ts").read_text() == SOURCE
    assert run_on_the_box(world).ended and not list((world.folder / "locks-box").iterdir())
    assert world.kjpstate("apply", "--yes") == 0, world.said
    assert "retries = 1" in (world.box / "src/wa.ts").read_text()


def test_the_second_stops_at_once_and_the_next_apply_waits_for_what_still_runs(world):
    process = started(world)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert ended(process) == 130 and no_traceback(world)
    assert time.monotonic() - began < 15
    assert run_on_the_box(world).pending.kind == "run"
    assert world.kjpstate("plan") == 0 and "did not come to its end" in world.said
    assert world.kjpstate("apply", "--yes") == 4, world.said
    (world.folder / "go").touch()
    assert world.kjpstate("apply", "--yes", "--lock-timeout", "20s") == 0, world.said
    assert "ended on box before its time" in world.said
    assert "retries = 1" in (world.box / "src/wa.ts").read_text() and run_on_the_box(world).ended
    assert not list((world.folder / "locks-box").iterdir())
