"""The journal on the host and what the next session makes of a run that ended before its time:
every body."""

from __future__ import annotations

import asyncio
import hashlib
import stat

import pytest

from kjpstate.formats import journal
from kjpstate.hosts.local import LocalHost
from kjpstate.model import (
    Backup,
    MakeDirectory,
    ReadState,
    ReadTree,
    Restore,
    Run,
    Stamp,
    SyncTree,
    WriteFile,
)
from tests.support.bodies import run_info

SUFFIX = ".backup.20261123T200000Z-abc123"
LEDGER = "abc123\t{path}\t{path}" + SUFFIX + "\t"


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def work(bench, *actions, run=None, finished=True):
    """One session -> (outcomes, what it settled first)."""

    async def go():
        host = bench.host()
        try:
            await host.begin(run or run_info(), ())
            found, settled = await host.act(actions, (), {"box": host}), host.recovered
            await host.end(finished=finished)
            return found[0], settled
        finally:
            await host.close()

    return asyncio.run(go())


def known(bench):
    return journal.read((bench.state / "doc" / journal.FILE).read_bytes())


def left_behind(bench, *intents, run="abc123", more=b""):
    """The journal of a run that ended before its time: each intent without its number, its end
    first."""
    text = journal.line("run", run, "20261123T200000Z", "me@laptop", "apply")
    for number, (status, *words) in enumerate(intents, 1):
        text += journal.line("intent", str(number), *words)
        if status:
            text += journal.line("done", str(number), status)
    file = bench.state / "doc" / journal.FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text + more)


def verdict_of(bench):
    _, settled = work(bench, run=run_info("def456"))
    assert len(settled) == 1
    assert known(bench).ended and work(bench, run=run_info("def457"))[1] == ()
    assert not [name for name in bench.names() if "kjpstate-" in name]
    return settled[0]


# ---- what is written


def test_each_action_is_announced_and_ends_and_only_digests_are_kept(bench):
    bench.put("x", "old secret")
    bench.put("src/a.js", "new")
    bench.put("dist/a.js", "old")
    reading = ReadTree("box", bench.path("src/"))
    files = (
        asyncio.run(LocalHost("box").look([reading]))[reading].files
        if bench.body != "simulated"
        else {}
    )
    actions = [
        WriteFile("box", bench.path("x"), b"old secret", b"new secret"),
        MakeDirectory("box", bench.path("made/")),
        Backup("box", bench.path("dist/")),
        Stamp("box", "doc", "s.json", {"a": "secret"}),
        Restore("box", bench.path("x"), bench.path("x") + SUFFIX, sha(b"new secret")),
    ]
    if bench.body != "simulated":
        actions.insert(3, SyncTree("box", bench.path("src/"), "box", bench.path("dist/"), files))
        actions.insert(0, Run("box", ("true",), "tries"))
    outcomes, _ = work(bench, *actions)
    assert all(outcome.ok for outcome in outcomes), outcomes
    found = known(bench)
    assert (found.run, found.who, found.ended, found.pending) == ("abc123", "me@laptop", True, None)
    kinds = [intent.kind for intent in found.intents]
    if bench.body == "simulated":
        assert kinds == ["write", "make", "backup", "stamp", "restore"]
    else:
        assert kinds == ["run", "write", "make", "backup", "lay", "switch", "stamp", "restore"]
    write = next(intent for intent in found.intents if intent.kind == "write")
    words = (write.path, write.old, write.new, write.backup)
    path = bench.path("x")
    assert words == (path, sha(b"old secret"), sha(b"new secret"), path + SUFFIX)
    assert {intent.status for intent in found.intents} == {"done"}
    file = bench.state / "doc" / journal.FILE
    assert b"secret" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert bench.get("x") == b"old secret"


def test_a_session_that_does_nothing_leaves_no_journal(bench):
    work(bench)
    assert not (bench.state / "doc" / journal.FILE).exists()


def test_a_failed_action_ends_too(bench):
    outcomes, _ = work(bench, WriteFile("box", bench.path("no/x"), None, b"x"))
    assert outcomes[0].status == "failed"
    bench.put("dir/x", "1")
    outcomes, _ = work(
        bench, Stamp("box", "doc", "a", {}), WriteFile("box", bench.path("dir"), b"", b"x")
    )
    assert [outcome.status for outcome in outcomes] == ["done", "failed"]
    assert known(bench).ended


def test_a_name_with_a_tab_or_a_backslash_is_one_word(bench):
    path = bench.path("a\tb\\tc")
    outcomes, _ = work(bench, WriteFile("box", path, None, b"1"))
    assert outcomes[0].ok and known(bench).intents[0].path == path


# ---- a run that is given up


def test_a_run_given_up_between_two_actions_is_told_and_closed(bench):
    work(bench, WriteFile("box", bench.path("x"), None, b"1"), finished=False)
    assert not known(bench).ended
    found = verdict_of(bench)
    assert (found.verdict, found.run.run, found.run.who, found.document) == (
        "between",
        "abc123",
        "me@laptop",
        "doc",
    )


def test_a_lost_run_of_another_document_is_settled_too(bench):
    work(bench, WriteFile("box", bench.path("x"), None, b"1"), finished=False)
    _, settled = work(bench, run=run_info("def456", document="other"))
    assert [found.document for found in settled] == ["doc"]


@pytest.mark.parametrize(
    ("now", "verdict"),
    [(b"old", "untouched"), (b"new", "whole"), (b"theirs", "foreign"), (None, "foreign")],
)
def test_a_write_that_was_cut(bench, now, verdict):
    if now is not None:
        bench.put("x", now)
    bench.put(".x.kjpstate-new.abc123", "ne")
    path = bench.path("x")
    left_behind(bench, ("", "write", path, sha(b"old"), sha(b"new"), path + SUFFIX))
    found = verdict_of(bench)
    assert (found.verdict, found.run.kind, found.run.path) == (verdict, "write", path)
    assert bench.get("x") == now
    assert not (bench.state / "doc" / "backups").exists()


def test_a_backup_that_was_not_noted_is_noted(bench):
    path = bench.path("x")
    bench.put("x", b"new")
    bench.put(f"x{SUFFIX}", b"old")
    left_behind(bench, ("", "write", path, sha(b"old"), sha(b"new"), path + SUFFIX))
    assert verdict_of(bench).verdict == "whole"
    ledger = (bench.state / "doc" / "backups").read_text()
    assert ledger == LEDGER.format(path=path) + sha(b"old") + "\tfile\n"


@pytest.mark.parametrize(
    ("stands", "verdict", "content"),
    [
        ({"dist/a": "old", "dist.kjpstate-new.abc123/a": "new"}, "untouched", b"old"),
        ({f"dist{SUFFIX}/a": "old", "dist.kjpstate-new.abc123/a": "new"}, "finished", b"new"),
        ({f"dist{SUFFIX}/a": "old"}, "undone", b"old"),
        ({f"dist{SUFFIX}/a": "old", "dist/a": "new"}, "whole", b"new"),
        ({"dist.kjpstate-new.abc123/a": "new"}, "finished", b"new"),
    ],
)
def test_a_switch_that_was_cut(bench, stands, verdict, content):
    for name, text in stands.items():
        bench.put(name, text)
    path = bench.path("dist")
    left_behind(
        bench,
        ("done", "lay", path, "-", "-", ""),
        ("", "switch", path, "-", sha(b""), path + SUFFIX),
    )
    assert verdict_of(bench).verdict == verdict
    assert bench.get("dist/a") == content
    noted = (bench.state / "doc" / "backups").exists()
    assert noted == (verdict in ("finished", "whole") and f"dist{SUFFIX}/a" in stands)


def test_what_came_late_into_the_old_folder_is_brought_along_by_the_next_session(bench):
    path = bench.path("dist")
    bench.put("dist/a", "new")
    bench.put(f"dist{SUFFIX}/a", "old")
    bench.put(f"dist{SUFFIX}/gone", "old")
    bench.put(f"dist{SUFFIX}/db.json", "late")
    left_behind(bench, ("", "switch", path, "-", "-", path + SUFFIX))
    (bench.state / "doc" / "switch.names").write_text("\na\ngone\n")
    assert verdict_of(bench).verdict == "whole"
    assert bench.names("dist") == ["a", "db.json"] and bench.get("dist/a") == b"new"
    assert not (bench.state / "doc" / "switch.names").exists()


@pytest.mark.parametrize(
    ("kind", "stands", "verdict"),
    [
        ("lay", {"dist.kjpstate-new.abc123/a": "half"}, "untouched"),
        ("make", {}, "untouched"),
        ("make", {"dist/a": ""}, "whole"),
        ("remove", {"dist.kjpstate-old.abc123/a": "half"}, "whole"),
        ("remove", {"dist/a": ""}, "untouched"),
        ("backup", {"dist/a": "", "dist.kjpstate-keep.abc123/a": ""}, "untouched"),
        ("backup", {"dist/a": "", f"dist{SUFFIX}/a": ""}, "whole"),
        ("run", {}, "unknown"),
        ("stamp", {}, "unknown"),
    ],
)
def test_what_else_may_be_cut(bench, kind, stands, verdict):
    for name, text in stands.items():
        bench.put(name, text)
    path = bench.path("dist")
    left_behind(bench, ("", kind, path, "-", "-", path + SUFFIX if kind == "backup" else ""))
    assert verdict_of(bench).verdict == verdict
    left = bench.names()
    assert {name.split("/")[0] for name in left} == {
        name.split("/")[0] for name in stands if "kjpstate-" not in name
    }


def test_a_last_line_that_was_cut_does_not_count(bench):
    path = bench.path("x")
    left_behind(
        bench, ("done", "write", path, "-", sha(b"1"), ""), more=b"\nintent\t2\twrite\t/etc/pass"
    )
    found = verdict_of(bench)
    assert (found.verdict, found.run.kind) == ("between", "")


def test_the_journal_is_read_by_the_eye(bench):
    work(bench, WriteFile("box", bench.path("x"), None, b"1"), finished=False)

    async def go():
        host = bench.host()
        try:
            reading = ReadState("box", "doc", journal.FILE)
            return (await host.look([reading]))[reading]
        finally:
            await host.close()

    assert not journal.read(asyncio.run(go())).ended
