"""How a command of the document becomes a process, and what ends with it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kjpstate.process import NotStarted, command_line, started
from kjpstate.said import Said, Text, say

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


def refused(*argv: str, folder: str = "D:/bot", **environ: str) -> Text:
    with pytest.raises(NotStarted) as why:
        line(*argv, folder=folder, **environ)
    return why.value.why


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
    assert refused("pnpm", "run") == say("process.no-command", word="pnpm")
    assert refused("npm", PATH=r"E:\nothing") == say("process.no-command", word="npm")
    assert refused("bin/up") == say("process.no-command-in", word="bin/up", folder="D:/bot")
    assert refused("b.cmd") == say("process.not-on-path", word="b.cmd", folder="D:/bot")


def test_on_windows_a_batch_file_takes_no_word_that_cmd_reads():
    said = refused("npm", "run", "build", "--", "a&calc")
    assert said == say("process.read-by-cmd", word="npm", sign="`&`")
    line_end = say("process.line-end")
    assert refused("./b.cmd", "a\nb") == say("process.read-by-cmd", word="./b.cmd", sign=line_end)
    odd = say("process.read-by-cmd", word="./b.cmd", sign=repr("\x1a"))
    assert refused("./b.cmd", "\x1a") == odd


def test_on_windows_a_batch_file_does_not_work_on_a_share():
    share = "//srv/share/bot"
    assert refused("npm", "ci", folder=share) == say("process.on-a-share", word="npm", folder=share)
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
    ("argv", "cwd", "why"),
    [
        (("no-such-command-here",), "", say("process.no-command", word="no-such-command-here")),
        (("bin/none",), ".", say("process.no-command-in", word="bin/none", folder=".")),
        ((sys.executable,), "./none", say("process.no-folder", folder="./none")),
        ((sys.executable,), "./file", say("process.no-folder", folder="./file")),
        (
            (sys.executable, "a\0b"),
            "",
            say("process.not-started", word=sys.executable, reason="embedded null byte"),
        ),
    ],
)
def test_what_can_not_be_started_is_a_sentence(
    tmp_path: Path, monkeypatch, argv, cwd: str, why: Said
):
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotStarted) as caught:
        run(*argv, cwd=cwd)
    assert caught.value.why == why


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
