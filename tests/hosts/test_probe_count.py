"""The probe count under dash, busybox sh and bash: whole lines since a mark, and logs put away
meanwhile."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import kjpstate
from kjpstate.formats import counts
from kjpstate.formats.counts import Count, Mark
from kjpstate.said import say

SCRIPT = Path(kjpstate.__file__).parent / "hosts" / "remote" / "probe_count.sh"
SHELLS = [
    shell for shell in (("dash",), ("busybox", "sh"), ("bash", "--posix")) if shutil.which(shell[0])
] or [("sh",)]
TEXTS = ("ENOTFOUND", "it's a 'test' -e $x", "-v")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the probes are for POSIX hosts")


@pytest.fixture(params=SHELLS, ids=lambda shell: str(shell[0]))
def shell(request: pytest.FixtureRequest) -> Sequence[str]:
    """A shell to run the probe in."""
    chosen: Sequence[str] = request.param
    return chosen


def count(
    shell: Sequence[str], path: Path | str, mark: Mark | None = None, **environ: str
) -> Count:
    """What the probe says of the log."""
    args = counts.reading("stb", str(path), mark, TEXTS).args
    done = subprocess.run(
        [*shell, str(SCRIPT), *args],
        capture_output=True,
        timeout=30,
        env={**os.environ, **environ},
        check=False,
    )
    assert done.stderr == b""
    found = counts.parse(done.stdout, len(TEXTS))
    assert isinstance(found, Count), found
    return found


def add(log: Path, *lines: str, end: str = "\n") -> None:
    with log.open("a", encoding="utf-8") as to:
        to.write("\n".join(lines) + end)


@pytest.fixture(name="log")
def log_fixture(tmp_path: Path) -> Path:
    log = tmp_path / "a bot's out.log"
    add(log, *(f"2026-03-01 10:00:{second:02d}: ENOTFOUND before" for second in range(20)))
    return log


@pytest.mark.real
def test_shellcheck_has_nothing_to_say() -> None:
    done = subprocess.run(["shellcheck", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_only_lines_after_the_mark_count_and_only_whole_ones(
    shell: Sequence[str], log: Path
) -> None:
    base = count(shell, log)
    assert (base.counts, base.mark.offset) == ((0, 0, 0), log.stat().st_size)
    again = count(shell, log, base.mark)
    assert (again.counts, again.mark, again.rotated) == ((0, 0, 0), base.mark, "")
    add(log, "ENOTFOUND ENOTFOUND", "it's a 'test' -e $x", "-v", "ENOT", end="")
    first = count(shell, log, base.mark)
    assert first.counts == (1, 1, 1)
    add(log, "FOUND at last")
    assert count(shell, log, first.mark).counts == (1, 0, 0)


def test_a_log_that_is_not_there_yet_counts_from_its_beginning(
    shell: Sequence[str], tmp_path: Path
) -> None:
    log = tmp_path / "out.log"
    base = count(shell, log)
    assert base.mark == Mark()
    add(log, "ENOTFOUND")
    assert count(shell, log, base.mark).counts == (1, 0, 0)


@pytest.mark.parametrize("how", ["renamed", "copied and cut", "copied, cut and grown again"])
def test_a_log_that_was_rotated_loses_no_line(shell: Sequence[str], log: Path, how: str) -> None:
    base = count(shell, log)
    add(log, "ENOTFOUND 1", "ENOTFOUND 2")
    put_away = (
        log.with_name(f"{log.stem}__2026-03-01_00-00.log") if "copied" in how else Path(f"{log}.1")
    )
    if how == "renamed":
        log.rename(put_away)
    else:
        shutil.copy(log, put_away)
        log.write_bytes(b"")
    new = 40 if "grown" in how else 1
    add(log, *(f"ENOTFOUND new {number}, of another length" for number in range(new)))
    found = count(shell, log, base.mark)
    assert (found.counts[0], found.rotated) == (2 + new, "whole")
    assert count(shell, log, found.mark).counts == (0, 0, 0)


def test_a_log_that_was_renamed_and_not_begun_again_yet(shell: Sequence[str], log: Path) -> None:
    base = count(shell, log)
    add(log, "ENOTFOUND 1")
    log.rename(f"{log}.1")
    found = count(shell, log, base.mark)
    assert (found.counts[0], found.rotated, found.mark) == (1, "whole", Mark())


def test_a_log_that_was_flushed_says_that_lines_are_lost(shell: Sequence[str], log: Path) -> None:
    base = count(shell, log)
    add(log, "ENOTFOUND lost")
    log.write_bytes(b"")
    add(log, "ENOTFOUND new")
    found = count(shell, log, base.mark)
    assert (found.counts[0], found.rotated) == (1, "lost")


def test_an_endless_line_is_cut(shell: Sequence[str], log: Path) -> None:
    base = count(shell, log)
    add(log, "ENOTFOUND" + "x" * 70_000, end="")
    found = count(shell, log, base.mark)
    assert (found.counts[0], found.mark.offset) == (1, log.stat().st_size)


def test_no_file_and_no_permission(shell: Sequence[str], tmp_path: Path) -> None:
    args = counts.reading("stb", str(tmp_path), None, TEXTS).args
    done = subprocess.run([*shell, str(SCRIPT), *args], capture_output=True, check=False)
    assert counts.parse(done.stdout, 3) == say("logs.denied")


def test_a_log_in_the_home_of_pm2(shell: Sequence[str], tmp_path: Path) -> None:
    (tmp_path / ".pm2" / "logs").mkdir(parents=True)
    add(tmp_path / ".pm2/logs/bot-out.log", "hi")
    found = count(shell, "~pm2/logs/bot-out.log", HOME=str(tmp_path), PM2_HOME="")
    assert found.mark.offset == 3
