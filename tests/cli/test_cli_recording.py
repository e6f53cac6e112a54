"""Every verb that looks at hosts leaves its run in the history, whatever becomes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kjpstate import history
from kjpstate.history import FILE, Past, Wanted
from tests.support.commands import Desk


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """kjpstate's own folder, known to the test."""
    folder = tmp_path / "own"
    monkeypatch.setenv("KJPSTATE_STATE", str(folder))
    return folder


def noted(folder: Path) -> list[Past]:
    """All runs, oldest first."""
    found = history.runs(folder, Wanted())
    assert found.trouble == ""
    return list(reversed(found.value))


def test_each_verb_leaves_its_run(desk: Desk, folder: Path):
    desk.kjpstate("plan")
    desk.kjpstate("drift", "--only", "build")
    desk.kjpstate("apply", "--yes")
    desk.kjpstate("verify")
    desk.kjpstate("drift")
    plan, drift, apply, verify, last = noted(folder)
    assert (plan.verb, plan.exit_code, plan.document, plan.hosts) == ("plan", 2, "little", ("pc",))
    assert plan.path == str(desk.folder / "kjpstate.yaml")
    assert (drift.scope, drift.items[0].address, drift.items[0].result) == (
        "--only build",
        "build",
        "drift",
    )
    assert [(item.address, item.result) for item in apply.items] == [
        ("build", "applied"),
        ("AC1", "passed"),
        ("it answers", "manual"),
    ]
    assert (apply.exit_code, len(apply.id)) == (0, 6)
    assert [item.about for item in verify.items] == ["check", "check"]
    assert (last.exit_code, last.items, len(last.digest)) == (0, (), 64)


def test_the_id_of_an_apply_is_that_of_its_backups(desk: Desk, folder: Path):
    desk.kjpstate("apply", "--yes")
    (desk.folder / "src/a.ts").write_text("hello again\n", "utf-8")
    desk.kjpstate("apply", "--yes")
    apply = noted(folder)[-1]
    assert [kept for _, _, kept in apply.backups if kept.endswith(f"-{apply.id}")]


def test_checks_in_sync_are_counted(desk: Desk, folder: Path):
    desk.kjpstate("apply", "--yes")
    for _ in range(3):
        assert desk.kjpstate("drift").err == ""
    assert [(run.verb, run.times) for run in noted(folder)] == [("apply", 1), ("drift", 3)]


def test_a_run_that_fails_is_noted_and_mistakes_of_typing_are_not(desk: Desk, folder: Path):
    assert desk.kjpstate("plan", "--only", "nothing").code == 64
    desk.write("kjpstate: 1\nname: [")
    assert desk.kjpstate("plan").code == 65
    assert noted(folder) == []
    assert desk.kjpstate("drift", "kjpstate.yaml").code == 65
    (run,) = noted(folder)
    assert (run.exit_code, run.document, run.path) == (65, "", str(desk.folder / "kjpstate.yaml"))
    assert "kjpstate.yaml:3" in run.said


@pytest.mark.parametrize("verb", [("plan",), ("drift",), ("apply", "--yes"), ("verify",)])
def test_a_damaged_file_changes_no_exit_code_and_is_told_once(
    desk: Desk, folder: Path, verb: tuple[str, ...]
):
    expected = desk.kjpstate(*verb)
    (folder / FILE).write_bytes(b"damaged" * 1000)
    shown = desk.kjpstate(*verb)
    assert shown.code == (0 if verb[0] == "apply" else expected.code)
    told = [line for line in shown.err.splitlines() if "the history" in line]
    assert len(told) == 1 and "was damaged" in told[0]
    assert "the history" not in desk.kjpstate(*verb).err
