"""How a command of the document becomes a process, and what ends with it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kjpstate.process import NotStarted, command_line, started

FOLDERS = {"Path": r"C:\node;C:\Windows\System32", "PATHEXT": ".COM;.EXE;.BAT;.CMD"}
THERE = {
    r"C:\node\npm.cmd",
    r"C:\node\npx.cmd",
    r"C:\node\node.exe",
    r"D:\other\npm.cmd",
    r"D:\bot\b.cmd",
    r"\\srv\share\bot\up.exe",
}


def line(*argv: str, folder: str = "D:/bot", **environ: str) -> str:
    return command_line(argv, folder, {**FOLDERS, **environ}, THERE.__contains__)


def refused(*argv: str, folder: str = "D:/bot", **environ: str) -> str:
    with pytest.raises(NotStarted) as why:
        line(*argv, folder=folder, **environ)
    return str(why.value)


def test_on_windows_a_program_is_its_whole_path_with_its_ending():
    assert line("npm", "run", "build") == r'"C:\node\npm.cmd" run build'
    assert (
        line("npx", "--no-install", "tsc", "--noEmit")
        == r'"C:\node\npx.cmd" --no-install tsc --noEmit'
    )
    assert line("node", "a b.js", "x&y", "%PATH%") == r'C:\node\node.exe "a b.js" x&y %PATH%'
    assert line("./b.cmd") == r'"D:\bot\b.cmd"'
    assert line("npm", "ci", PATH=r"D:\other") == r'"D:\other\npm.cmd" ci'


def test_on_windows_a_program_that_is_not_there_is_said():
    assert refused("pnpm", "run") == "pnpm: no such command"
    assert refused("npm", PATH=r"E:\nothing") == "npm: no such command"
    assert refused("bin/up") == "bin/up: no such command in D:/bot"
    assert refused("b.cmd") == "b.cmd: no such command on PATH; write ./b.cmd for the one in D:/bot"


def test_on_windows_a_batch_file_takes_no_word_that_cmd_reads():
    said = refused("npm", "run", "build", "--", "a&calc")
    assert said == (
        "npm: cmd.exe reads this batch file and would take `&` for its own; "
        "start the program behind it (such as node with its script) instead"
    )
    assert "take a line end for its own" in refused("./b.cmd", "a\nb")
    assert "take '\\x1a' for its own" in refused("./b.cmd", "\x1a")


def test_on_windows_a_batch_file_does_not_work_on_a_share():
    assert "can't work in //srv/share/bot; give the share a drive" in refused(
        "npm", "ci", folder="//srv/share/bot"
    )
    assert line("./up", folder="//srv/share/bot") == r"\\srv\share\bot\up.exe"


# ---- on this machine


def run(*argv: str, **kwargs: str) -> tuple[int, bytes]:
    with started(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kwargs) as process:
        out, _ = process.communicate()
    return process.returncode, out


def test_a_command_runs_in_its_folder(tmp_path: Path):
    code, out = run(
        sys.executable, "-c", "import os; print(os.getcwd()); exit(3)", cwd=str(tmp_path)
    )
    assert code == 3 and Path(out.decode().strip()) == tmp_path


@pytest.mark.parametrize(
    ("argv", "cwd", "says"),
    [
        (("no-such-command-here",), "", "no-such-command-here: no such command"),
        (("bin/none",), ".", "bin/none: no such command in ."),
        ((sys.executable,), "./none", "there is no folder ./none"),
        ((sys.executable,), "./file", "there is no folder ./file"),
        ((sys.executable, "a\0b"), "", f"{sys.executable}: can't be started: embedded null"),
    ],
)
def test_what_can_not_be_started_is_a_sentence(
    tmp_path: Path, monkeypatch, argv, cwd: str, says: str
):
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotStarted) as why:
        run(*argv, cwd=cwd)
    assert str(why.value).startswith(says)


PARENT = """
import subprocess, sys, pathlib, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
pathlib.Path("started").touch()
time.sleep(float(sys.argv[2]))
"""
CHILD = """
import pathlib, time
while True:
    with pathlib.Path("beats").open("ab") as beats:
        beats.write(b".")
    time.sleep(0.05)
"""


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def beats(folder: Path) -> int:
    path = folder / "beats"
    return path.stat().st_size if path.exists() else 0


def stands_still(folder: Path) -> bool:
    """Whether nobody writes any more, for as long as twenty beats take."""
    before = beats(folder)
    time.sleep(1)
    return beats(folder) == before


@pytest.mark.parametrize("error", [TimeoutError, KeyboardInterrupt])
def test_who_leaves_a_command_ends_all_that_it_started(tmp_path: Path, error: type[BaseException]):
    words = (sys.executable, "-c", PARENT, CHILD, "600")
    with (
        pytest.raises(error),
        started(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=str(tmp_path)),
    ):
        until(lambda: beats(tmp_path) > 2)
        raise error
    until(lambda: stands_still(tmp_path))


def test_what_a_command_leaves_in_the_background_is_left_alone(tmp_path: Path):
    mortal = CHILD.replace("while True:", "for _ in range(200):")
    words = (sys.executable, "-c", PARENT, mortal, "0")
    with started(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=str(tmp_path)
    ) as process:
        process.wait()
    before = beats(tmp_path)
    until(lambda: beats(tmp_path) > before)
