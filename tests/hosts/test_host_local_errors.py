"""This machine's disk says no: one sentence, the target whole, nothing of ours left, the next try
goes well.

Also with Windows' ways: no fsync of a folder, and a file that another program has open can't be
replaced.
"""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from kjpstate import errors
from kjpstate.formats import journal
from kjpstate.formats.digests import sha256
from kjpstate.hosts import files, folders
from kjpstate.hosts.folders import Folder
from kjpstate.hosts.local import LocalHost
from kjpstate.model import Backup, Outcome, ReadState, Restore, Stamp, SyncTree, TreeFile, WriteFile
from kjpstate.said import say
from tests.support.bodies import run_info

CODES = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EPERM)
CALLS = {
    "the payload": (files, "_write_new"),
    "the backup's name": (files, "publish"),
    "the rename": (Folder, "replace"),
    "the disk": (os, "fsync"),
    "the journal": (files, "append"),
    "the attributes": (Folder, "set_mode"),
}


class Fails:
    """Stands for one call: its time number `at` says no."""

    def __init__(self, monkeypatch, where, name, error, at):
        self.plain, self.error, self.left = getattr(where, name), error, at
        monkeypatch.setattr(where, name, self.call)

    @property
    def call(self):
        def call(*args, **more):
            self.left -= 1
            if self.left == 0:
                raise self.error
            return self.plain(*args, **more)

        return call


def host_of(folder: Path) -> LocalHost:
    return LocalHost(
        "pc", state_dir=folder / "state", lock_dir=folder / "locks", may_change=(f"{folder}/",)
    )


async def session(folder: Path, *actions, run="abc123"):
    host = host_of(folder)
    try:
        await host.begin(run_info(run), ())
        found, _ = await host.act(actions, (), {"pc": host})
        await host.end()
        return found
    finally:
        await host.close()


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if ".kjpstate-" in path.name]


@pytest.mark.parametrize("at", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("call", CALLS)
def test_a_write_that_the_disk_refuses(tmp_path, monkeypatch, call, code, at):
    file = tmp_path / "x"
    file.write_bytes(b"old")
    file.chmod(0o640)
    write = WriteFile("pc", str(file), b"old", b"new")
    with monkeypatch.context() as patched:
        where, name = CALLS[call]
        fails = Fails(patched, where, name, OSError(code, os.strerror(code)), at)
        try:
            (outcome,) = asyncio.run(session(tmp_path, write))
        except errors.Failed as error:  # not even the lock could be made
            outcome = Outcome(write, "failed", error.message)
    happened = outcome.ok or outcome.status == "unknown"
    assert file.read_bytes() == (b"new" if happened else b"old")
    assert not happened or Path(outcome.backup).read_bytes() == b"old"
    assert oct(file.stat().st_mode & 0o777) == "0o640"
    if not outcome.ok:
        assert os.strerror(code).lower() in str(outcome.reason.values["reason"]).lower()
    else:
        assert fails.left > 0 or call in ("the journal", "the disk")
    assert not left(tmp_path)
    (again,) = asyncio.run(session(tmp_path, write, run="def456"))
    assert again.ok and file.read_bytes() == b"new"
    assert b"old" in {kept.read_bytes() for kept in tmp_path.glob("x.backup.*")}
    known = journal.read((tmp_path / "state/doc" / journal.FILE).read_bytes())
    assert known.ended and not left(tmp_path) and not list((tmp_path / "locks").iterdir())


WINDOWS = PermissionError(errno.EACCES, "Access is denied")


def on_windows(monkeypatch):
    """As there: no folder is held open or forced to the disk, and what is open is not replaced."""
    monkeypatch.setattr(files, "POSIX", False)
    monkeypatch.setattr(folders, "POSIX", False)
    monkeypatch.setattr(folders, "HOLDS", False)


def test_a_file_that_another_program_has_open_is_one_clear_sentence(tmp_path, monkeypatch):
    file = tmp_path / "x"
    file.write_bytes(b"old")
    on_windows(monkeypatch)
    with monkeypatch.context() as patched:
        plain = Folder.replace

        def replace(self, name, other, into=None):
            if other == file.name:
                raise WINDOWS
            plain(self, name, other, into)

        patched.setattr(Folder, "replace", replace)
        (outcome,) = asyncio.run(session(tmp_path, WriteFile("pc", str(file), b"old", b"new")))
    assert outcome.status == "failed"
    assert outcome.reason == say("hosts.failed", path=str(file), reason=say("hosts.denied-or-open"))
    assert file.read_bytes() == b"old" and not left(tmp_path)
    (again,) = asyncio.run(
        session(tmp_path, WriteFile("pc", str(file), b"old", b"new"), run="def456")
    )
    assert again.status == "done" and file.read_bytes() == b"new"


def test_all_actions_as_on_windows(tmp_path, monkeypatch):
    on_windows(monkeypatch)
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.js").write_text("new")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/a.js").write_text("old")
    digest = sha256(b"new")
    manifest = {"a.js": TreeFile(digest, 3, 0o644)}
    actions = [
        WriteFile("pc", f"{tmp_path}/x", None, b"x"),
        SyncTree("pc", f"{tmp_path}/src/", "pc", f"{tmp_path}/dist/", manifest),
        Backup("pc", f"{tmp_path}/x"),
        Stamp("pc", "doc", "s", {}),
        Restore("pc", f"{tmp_path}/x", None),
    ]
    outcomes = asyncio.run(session(tmp_path, *actions))
    assert [outcome.status for outcome in outcomes] == ["done"] * 5, outcomes
    assert (tmp_path / "dist/a.js").read_text() == "new" and not (tmp_path / "x").exists()


@pytest.mark.parametrize("name", ["C:/x/y", "..\\z", "a:b", "nul.js", "d./a.js"])
def test_a_name_that_leads_out_on_windows_lays_and_removes_nothing(tmp_path, monkeypatch, name):
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/a.js").write_text("old")
    on_windows(monkeypatch)
    for action in (
        SyncTree(
            "pc",
            f"{tmp_path}/dist/",
            "pc",
            f"{tmp_path}/dist/",
            {name: TreeFile("0" * 64, 1, 0o644)},
        ),
        Restore("pc", f"{tmp_path}/dist/", None, removed=(name,)),
        WriteFile("pc", f"{tmp_path}/{name}", None, b"x"),
    ):
        (outcome,) = asyncio.run(session(tmp_path, action))
        assert outcome.status == "refused" and outcome.reason.code.startswith("hosts.no-")
    with pytest.raises(errors.Failed) as caught:
        asyncio.run(host_of(tmp_path).look([ReadState("pc", "doc", name)]))
    assert caught.value.message == say("hosts.no-name-of-state", name=name)
    assert [path.name for path in (tmp_path / "dist").iterdir()] == ["a.js"] and not left(tmp_path)


def test_a_folder_that_can_not_be_switched_stays_and_nothing_of_the_new_one_is_left(
    tmp_path, monkeypatch
):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.js").write_text("new")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/a.js").write_text("old")
    manifest = {"a.js": TreeFile(sha256(b"new"), 3, 0o644)}
    switch = SyncTree("pc", f"{tmp_path}/src/", "pc", f"{tmp_path}/dist/", manifest)
    plain = Folder.rename
    on_windows(monkeypatch)

    for moves in (("dist",), ("dist.kjpstate-new.abc123",)):

        def rename(self, name, other, into=None, moves=moves):
            if name in moves:
                raise WINDOWS
            plain(self, name, other, into)

        with monkeypatch.context() as patched:
            patched.setattr(Folder, "rename", rename)
            (outcome,) = asyncio.run(session(tmp_path, switch))
        assert (
            outcome.status == "failed"
            and say("hosts.denied-or-open") in outcome.reason.values.values()
        )
        assert (tmp_path / "dist/a.js").read_text() == "old" and not left(tmp_path)
