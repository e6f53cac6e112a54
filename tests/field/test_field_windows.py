"""Faults of the owner's laptop: what decides is pure, or runs anywhere, and is tried on every
system."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from kjpstate.document import load
from kjpstate.errors import DocumentError
from kjpstate.hosts.names import plain_name, refusal
from kjpstate.model import Backup, Channel, Prune, Restore, SyncTree, TreeFile, WriteFile
from kjpstate.notify import channels
from kjpstate.process import NotStarted, command_line, started
from kjpstate.said import Said, say

FILES = {
    r"C:\node\npm.cmd",
    r"C:\node\node.exe",
    r"D:\bot\b.bat",
    r"D:\bot\npm.cmd",
    r"D:\bot\node_modules\.bin\tsc.cmd",
}
ENVIRON = {"PATH": r"C:\node", "PATHEXT": ".COM;.EXE;.BAT;.CMD"}


def line(*argv: str, folder: str = "D:/bot", **environ: str) -> str:
    return command_line(argv, folder, {**ENVIRON, **environ}, FILES.__contains__)


@pytest.mark.parametrize(
    "word",
    [
        'a" & echo x>C:\\pwn & "',
        "a & calc",
        "p|more",
        "<in",
        ">out",
        "%USERNAME%",
        "a^b",
        "!PATH!",
        "(x)",
        "a\ncalc",
        "a\rcalc",
    ],
)
@pytest.mark.parametrize("program", ["npm", "./b.bat", "C:/node/npm", "node_modules/.bin/tsc"])
def test_no_word_of_a_batch_file_reaches_cmd_as_code(program: str, word: str) -> None:
    with pytest.raises(NotStarted, match="reads this batch file"):
        line(program, "run", word)
    assert line("node", "x.js", "a & calc, %USERNAME%").startswith(r"C:\node\node.exe ")
    assert line("npm", "run", "a b", "x=1,2;3@~").endswith('npm.cmd" run "a b" "x=1,2;3@~"')


def test_a_program_is_not_looked_for_where_kjpstate_was_typed() -> None:
    assert line("npm") == r'"C:\node\npm.cmd"'
    assert (
        line("node_modules/.bin/tsc", "--noEmit") == r'"D:\bot\node_modules\.bin\tsc.cmd" --noEmit'
    )
    for path in ("", ".", r"D:bot", r"\bot"):
        with pytest.raises(NotStarted, match="no such command"):
            line("npm", PATH=path)


def test_a_command_that_outlives_its_time_ends_with_its_children(tmp_path: Path) -> None:
    child = "import time, pathlib; time.sleep(6); pathlib.Path('late').touch()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with (
        pytest.raises(subprocess.TimeoutExpired),
        started(
            (sys.executable, "-c", parent),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=str(tmp_path),
        ) as process,
    ):
        process.wait(2)
    time.sleep(8)
    assert not (tmp_path / "late").exists()


def test_a_channel_that_reads_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "_PATIENCE", 1.0)
    channel = Channel("c", command=(sys.executable, "-c", "import time; time.sleep(600)"))
    assert str(channels.send(channel, {"text": "x" * 1_000_000})).endswith("did not end within 1 s")


EDIT = "{id: a, insert_before: 'f()', scope: module, content: b;}"


def where(local: str, file: str = "a.ts") -> str:
    hosts = f"kjpstate: 1\nname: t\nhosts: {{pc: {{local: {local}}}}}\n"
    text = f"{hosts}patches: [{{host: pc, file: {file}, set: s, edits: [{EDIT}]}}]\n"
    document = load("t.yaml", environ={}, text=text.encode(), windows=True)
    return str(document.resources[0].spec.path)


@pytest.mark.parametrize(
    "local", ["//srv/share/bot", "'\\\\srv\\share\\bot'", "//srv/share/x/../bot/"]
)
def test_a_share_is_itself(local: str) -> None:
    assert where(local) == "//srv/share/bot/a.ts"
    assert where("C:/bot", "//srv/share/a.ts") == "//srv/share/a.ts"


@pytest.mark.parametrize(
    "path", ["/w2/a.ts", "D:rel.ts", "'//srv'", "'//?/C:/a.ts'", "C:/nul", "a.ts:b", "x./a.ts"]
)
def test_a_path_that_would_be_another_place_is_refused(path: str) -> None:
    for local, file in ((path, "a.ts"), ("C:/bot", path)):
        with pytest.raises(DocumentError):
            where(local, file)


@pytest.mark.parametrize(
    "name", ["C:/x/y", "..\\z", "a:b", "C:x", "nul", "d/con.js", "d./a", "x ", "a\\b"]
)
def test_a_name_that_leads_out_on_windows_is_refused_there(name: str) -> None:
    told = {name: TreeFile("0" * 64, 1, 0o644)}
    for action in (
        SyncTree("stb", "/bot/dist/", "pc", "C:/bot/dist/", told),
        SyncTree("stb", "/bot/dist/", "pc", "C:/bot/dist/", {}, (name,)),
        Restore("pc", "C:/bot/dist/", None, files={name: "0" * 64}),
        Restore("pc", "C:/bot/dist/", None, removed=(name,)),
        Restore("pc", "C:/bot/dist/a", f"C:/bot/dist/{name}/a"),
        Restore("pc", f"C:/bot/dist/{name}/a", None),
        WriteFile("pc", f"C:/bot/dist/{name}/a", None, b""),
        Backup("pc", f"C:/bot/dist/{name}/a"),
        Prune("pc", "t", (f"C:/bot/dist/{name}/a",)),
    ):
        refused = refusal(action, ("C:/bot/dist/",), (), windows=True)
        assert isinstance(refused, Said), action
        assert refused.code in ("hosts.no-name-in-a-tree", "hosts.no-path-on-windows"), action
    assert refusal(SyncTree("pc", "dist/", "stb", "/bot/dist/", told), ("/bot/dist/",), ()) == (
        say("hosts.no-name-in-a-tree", name=name) if "\\" in name else ""
    )


@pytest.mark.parametrize("name", ["run-a:b.json", "nul", "con.json", "a.", "..\\z"])
def test_a_note_with_such_a_name_is_refused_there(name: str) -> None:
    with pytest.raises(Exception, match="can't be the name"):
        plain_name(name, windows=True)
