"""Putting back: only what is still as we wrote it, with its attributes; what others did stands."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat

import pytest

from kjpstate.formats.tree import listing_digest
from kjpstate.model import Backup, Restore, Run, SyncTree, TreeFile, WriteFile
from tests.support import bodies
from tests.support.bodies import run_info

SUFFIX = ".backup.20261123T200000Z-abc123"


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def work(bench, *actions, between=None):
    """All in one session; `between` is done by somebody else before the last one -> outcomes."""

    async def go():
        host = bench.host()
        try:
            await host.begin(run_info(), ())
            found = list((await host.act(actions[:-1], (), {"box": host}))[0])
            if between is not None:
                between()
            return [*found, *(await host.act(actions[-1:], (), {"box": host}))[0]]
        finally:
            await host.close()

    return asyncio.run(go())


def test_a_file_comes_back_with_its_mode_and_only_once(bench):
    path = bench.put("x", b"old", 0o640)
    back = Restore("box", path, path + SUFFIX, sha(b"new"))
    outcomes = work(bench, WriteFile("box", path, b"old", b"new"), back, back)
    assert [outcome.status for outcome in outcomes] == ["done", "done", "already"]
    assert bench.get("x") == b"old" and stat.S_IMODE(bench.real(path).stat().st_mode) == 0o640
    assert bench.names() == ["x", f"x{SUFFIX}"]


def test_somebody_elses_edit_made_meanwhile_stands(bench):
    path = bench.put("x", b"old")
    write = WriteFile("box", path, b"old", b"new")
    outcomes = work(
        bench,
        write,
        Restore("box", path, path + SUFFIX, sha(b"new")),
        between=lambda: bench.put("x", b"theirs"),
    )
    assert outcomes[1].status == "moved" and outcomes[1].reason.code == "hosts.changed-meanwhile"
    assert bench.get("x") == b"theirs" and bench.get(f"x{SUFFIX}") == b"old"


@pytest.mark.parametrize("edited", [False, True])
def test_a_file_that_was_new_goes_again_unless_somebody_edited_it(bench, edited):
    path = bench.path("x")
    back = Restore("box", path, None, sha(b"new"))
    edit = (lambda: bench.put("x", b"theirs")) if edited else None
    outcomes = work(bench, WriteFile("box", path, None, b"new"), back, between=edit)
    assert outcomes[1].status == ("moved" if edited else "done")
    assert bench.get("x") == (b"theirs" if edited else None)


def test_a_file_that_was_removed_comes_back_unless_somebody_made_a_new_one(bench):
    path = bench.put("x", b"old", 0o600)
    write, back = WriteFile("box", path, b"old", None), Restore("box", path, path + SUFFIX, "-")
    assert work(bench, write, back)[1].status == "done" and bench.get("x") == b"old"
    assert stat.S_IMODE(bench.real(path).stat().st_mode) == 0o600


def switched(bench, **more):
    for name, text in {
        "src/a.js": "new a",
        "dist/a.js": "old a",
        "dist/gone.js": "old",
        "dist/db.json": "{}",
    }.items():
        bench.put(name, text)
    files = {"a.js": TreeFile(sha(b"new a"), 5, 0o644)}
    switch = SyncTree("box", bench.path("src/"), "box", bench.path("dist/"), files, ("gone.js",))
    back = Restore(
        "box",
        bench.path("dist/"),
        bench.path("dist") + SUFFIX,
        files={"a.js": sha(b"new a")},
        removed=("gone.js",),
    )
    return work(bench, switch, back, **more)


def test_a_switched_folder_comes_back_and_brings_along_what_the_bot_wrote_meanwhile(bench):
    def bot():
        file = bench.real(bench.path("dist/db.json"))
        file.unlink()
        bench.put("dist/db.json", '{"more": 1}')
        bench.put("dist/sub/fresh.json", "1")

    outcomes = switched(bench, between=bot)
    assert [outcome.status for outcome in outcomes] == ["done", "done"], outcomes
    assert bench.names("dist") == ["a.js", "db.json", "gone.js", "sub", "sub/fresh.json"]
    assert bench.get("dist/a.js") == b"old a" and bench.get("dist/db.json") == b'{"more": 1}'
    assert not [name for name in bench.names() if "kjpstate-" in name]


def test_a_switched_folder_with_an_edit_in_a_file_of_ours_stands(bench):
    outcomes = switched(bench, between=lambda: bench.put("dist/a.js", "theirs"))
    assert outcomes[1].status == "moved" and outcomes[1].reason.code == "hosts.changed-meanwhile"
    assert bench.get("dist/a.js") == b"theirs"


@pytest.mark.parametrize("used", [False, True])
def test_a_folder_that_was_new_goes_again_but_for_what_others_put_into_it(bench, used):
    bench.put("src/sub/a.js", "new")
    files = {"sub/a.js": TreeFile(sha(b"new"), 3, 0o644)}
    switch = SyncTree("box", bench.path("src/"), "box", bench.path("dist/"), files)
    back = Restore("box", bench.path("dist/"), None, files={"sub/a.js": sha(b"new")})
    outcomes = work(
        bench, switch, back, between=(lambda: bench.put("dist/db.json", "{}")) if used else None
    )
    assert outcomes[1].status == "done"
    assert bench.get("dist/sub/a.js") is None
    assert [name for name in bench.names() if name.startswith("dist")] == (
        ["dist", "dist/db.json"] if used else []
    )


@pytest.mark.parametrize("edited", [False, True])
def test_a_folder_of_a_command_goes_back_only_while_it_is_as_it_was_seen(bench, edited):
    bench.put("out/sub/a.js", "built")
    bench.put("old/a.js", "old")
    seen = listing_digest({"sub/a.js": sha(b"built")})
    edit = (lambda: bench.put("out/b.js", "theirs")) if edited else None
    back = Restore("box", bench.path("out/"), bench.path("old"), seen)
    assert work(bench, back, between=edit)[0].status == ("moved" if edited else "done")
    assert bench.names("out") == (["b.js", "sub", "sub/a.js"] if edited else ["a.js"])


@pytest.mark.parametrize("edited", [False, True])
def test_a_folder_that_is_gone_comes_back_unless_somebody_made_a_new_one(bench, edited):
    bench.put("old/a.js", "old")
    edit = (lambda: bench.put("out/b.js", "theirs")) if edited else None
    back = Restore("box", bench.path("out/"), bench.path("old"), "-")
    assert work(bench, back, between=edit)[0].status == ("moved" if edited else "done")
    assert bench.names("out") == (["b.js"] if edited else ["a.js"])


def test_an_original_that_is_gone_is_said(bench):
    path = bench.put("x", b"new")
    outcomes = work(bench, Restore("box", path, path + SUFFIX, sha(b"new")))
    assert (
        outcomes[0].status == "failed"
        and outcomes[0].reason.code == "hosts.original-gone"
        and bench.get("x") == b"new"
    )


def test_a_command_may_only_write_what_was_kept_first(bench):
    path = bench.put("x", b"old")
    words = ("systemctl", "--version") if bench.body == "simulated" else ("true",)
    run = Run("box", words, "writes", writes=(path,))
    assert work(bench, run)[0].status == "refused"
    assert work(bench, Backup("box", path), run)[-1].status != "refused"


def test_no_way_out_of_what_may_change_by_dots(bench):
    write = WriteFile("box", bench.path("../outside"), None, b"x")
    assert work(bench, write)[0].status == "refused"
    assert not bench.real(bench.root).parent.joinpath("outside").exists()


@pytest.mark.parametrize("body", ["local", "dash"])
def test_a_folder_that_is_away_but_can_not_be_removed_is_named(tmp_path, monkeypatch, body):
    """Nothing of ours stays behind in silence."""
    if body == "local":

        def refused(path, *words, **options):
            raise PermissionError(13, "Permission denied", str(path))

        bench = bodies.local_bench(tmp_path)
        monkeypatch.setattr("kjpstate.hosts.folders.shutil.rmtree", refused)
    else:
        bench = bodies.shell_bench(tmp_path, body)
        rm = tmp_path / "programs" / "rm"
        rm.parent.mkdir()
        rm.write_text(RM_REFUSED)
        rm.chmod(0o755)
        monkeypatch.setenv("PATH", f"{rm.parent}:{os.environ['PATH']}")
    bench.put("dist/a.js", "new")
    outcome = work(bench, Restore("box", bench.path("dist/"), None))[0]
    assert outcome.status == "failed"
    left = bench.path("dist") + ".kjpstate-old.abc123"
    values = outcome.reason.values
    assert outcome.reason.code == "hosts.left-over"
    assert (values["path"], values["left"]) == (bench.path("dist"), left)
    assert str(values["reason"]).lower() == "permission denied"


RM_REFUSED = """#!/bin/sh
case "$*" in *kjpstate-old*) echo "rm: cannot remove '$2': Permission denied" >&2; exit 1 ;; esac
PATH=${PATH#*:} exec rm "$@"
"""
