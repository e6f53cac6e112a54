"""How a command of the document becomes a process: on Windows `npm` and `npx` are `npm.cmd` and `npx.cmd`."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kjpstate.hosts import commands
from kjpstate.model import Run

THERE = {
    ("npm", None): r"C:\Program Files\nodejs\npm.CMD",
    ("npx", None): r"C:\Program Files\nodejs\npx.CMD",
    ("node", None): r"C:\Program Files\nodejs\node.EXE",
    ("npm", r"D:\node"): r"D:\node\npm.CMD",
}


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, whose own search knows PATHEXT."""
    monkeypatch.setattr(commands, "os", SimpleNamespace(name="nt"))
    found = SimpleNamespace(which=lambda program, path=None: THERE.get((program, path)))
    monkeypatch.setattr(commands, "shutil", found)


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("argv", "clean_env", "resolved"),
    [
        (("npm", "run", "build"), None, (THERE["npm", None], "run", "build")),
        (
            ("npx", "--no-install", "tsc", "--noEmit"),
            None,
            (THERE["npx", None], "--no-install", "tsc", "--noEmit"),
        ),
        (("node", "a b.js"), None, (THERE["node", None], "a b.js")),
        (("npm", "ci"), {"PATH": r"D:\node"}, (r"D:\node\npm.CMD", "ci")),
    ],
)
def test_on_windows_a_program_is_its_whole_path_with_its_ending(argv, clean_env, resolved):
    assert commands._resolved(Run("pc", argv, "builds", clean_env=clean_env)) == resolved


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize("clean_env", [None, {"PATH": r"E:\nothing"}, {}])
def test_on_windows_a_program_that_is_not_there_is_said(clean_env):
    with pytest.raises(FileNotFoundError, match="pnpm: no such command"):
        commands._resolved(Run("pc", ("pnpm", "run", "build"), "builds", clean_env=clean_env))


def test_elsewhere_the_system_itself_finds_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(commands, "os", SimpleNamespace(name="posix"))
    assert commands._resolved(Run("pc", ("npm", "ci"), "installs")) == ("npm", "ci")
