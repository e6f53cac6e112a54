"""unlock: shows who holds a host's lock, asks, breaks a dead run's; a living
one's by --force only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.commands import Desk
from tests.support.words import said


def lock(boxes: Desk, pid: int, run: str = "dead00") -> Path:
    start = (
        Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19]
        if pid < 4194303
        else "1"
    )
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    file = boxes.folder / ".boxes/stb/lock/kjpstate"
    file.parent.mkdir(parents=True, exist_ok=True)
    owner = f"run {run}\nwho ani@laptop\nwhen 20261123T200000Z\nwhy apply\n"
    file.write_text(f"{owner}pid {pid}\nstart {start}\nboot {boot}\n")
    return file


DEAD = 4194303


def test_a_host_that_is_not_locked(boxes: Desk):
    assert said("cli.not-locked", host="stb") in boxes.kjpstate("unlock", "stb").out


def test_a_dead_runs_lock_is_shown_and_broken_by_its_name(boxes: Desk):
    file = lock(boxes, DEAD)
    shown = boxes.kjpstate("unlock", "stb", "--run", "dead00")
    assert shown.code == 0 and not file.exists()
    for word in ("dead00", "ani@laptop", "20261123T200000Z", "its process is gone"):
        assert word in shown.err
    assert "is broken" in shown.out


def test_it_asks_and_without_a_terminal_wants_the_runs_name(boxes: Desk):
    file = lock(boxes, DEAD)
    asked = boxes.kjpstate("unlock", "stb")
    assert asked.code == 64 and "--run dead00" in asked.err and file.exists()


def test_another_runs_lock_is_left_alone(boxes: Desk):
    file = lock(boxes, DEAD)
    other = boxes.kjpstate("unlock", "stb", "--run", "abc123")
    assert other.code == 4 and "not by abc123" in other.err and file.exists()


def test_a_living_runs_lock_is_broken_by_force_only_and_with_a_warning(boxes: Desk):
    file = lock(boxes, os.getpid(), "1ead00")
    refused = boxes.kjpstate("unlock", "stb", "--run", "1ead00")
    assert refused.code == 4 and "is alive" in refused.err and file.exists()
    forced = boxes.kjpstate("unlock", "stb", "--run", "1ead00", "--force")
    assert forced.code == 0 and "written by two at once" in forced.err and not file.exists()


def test_apply_waits_for_a_lock_as_long_as_it_may(boxes: Desk):
    lock(boxes, os.getpid(), "1ead00")
    found = boxes.kjpstate("apply", "--yes", "--lock-timeout", "1s")
    assert found.code == 4 and "run 1ead00 of ani@laptop" in found.err


@pytest.mark.parametrize("words", [("apply", "--yes"), ("rollback", "--yes"), ("unlock", "stb")])
def test_a_time_that_is_none(boxes: Desk, words):
    found = boxes.kjpstate(*words, "--lock-timeout", "soon")
    assert found.code == 64 and "30s" in found.err


def test_a_host_that_the_document_has_not(boxes: Desk):
    assert boxes.kjpstate("unlock", "nowhere").code == 64
