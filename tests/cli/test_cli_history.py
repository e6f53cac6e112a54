"""`history` and `show` over runs that really happened."""

from __future__ import annotations

import re

import pytest

from kjpstate import errors
from kjpstate.cli.history import since_time
from tests.support.commands import Desk
from tests.support.words import said


@pytest.fixture(name="lived")
def lived_fixture(desk: Desk) -> Desk:
    """A plan, an apply, three checks in sync and one with drift."""
    desk.kjpstate("plan")
    desk.kjpstate("apply", "--yes")
    for _ in range(3):
        assert desk.kjpstate("drift").code == 0
    (desk.folder / "src/a.ts").write_text("hello again\n", "utf-8")
    assert desk.kjpstate("drift").code == 2
    return desk


def test_the_table_newest_first(lived: Desk):
    shown = lived.kjpstate("history")
    assert (shown.code, shown.err) == (0, "")
    head, *rows = shown.out.splitlines()
    assert head.split() == ["when", "run", "verb", "result", "who"]
    said = [re.split(r"  +", row)[2:4] for row in rows]
    assert said[0] == ["drift", "1 drift"]
    assert said[1][0] == "drift" and said[1][1].startswith("in sync, 3 times until ")
    assert said[2:] == [["apply", "1 applied"], ["plan", "1 drift"]]


def test_what_is_asked_for(lived: Desk):
    def verbs(*argv: str) -> list[str]:
        return [run["verb"] for run in lived.kjpstate("history", "--json", *argv).json["runs"]]

    assert verbs() == ["drift", "drift", "apply", "plan"]
    assert verbs("--verb", "apply", "--verb", "plan") == ["apply", "plan"]
    assert verbs("-n", "1") == ["drift"]
    assert verbs("--failed") == ["drift", "plan"]
    assert verbs("--limit", "stb") == []
    assert verbs("--since", "1h") == verbs("--all") == verbs("kjpstate.yaml") == verbs()
    assert lived.kjpstate("history", "--since", "yesterday").code == 64
    assert lived.kjpstate("history", "nothing.yaml").code == 64


def test_other_documents_are_left_out_unless_asked_for(lived: Desk):
    lived.write(lived.document().replace("name: little", "name: other"))
    assert lived.kjpstate("history", "--verb", "apply").out == said("past.none") + "\n"
    lived.kjpstate("plan")
    shown = lived.kjpstate("history", "--all", "-n", "0").out.splitlines()
    assert [row.split()[-1] for row in shown] == ["document", "other", *["little"] * 4]


def test_without_any_document_all_runs_are_shown(lived: Desk, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert len(lived.kjpstate("history", "--json").json["runs"]) == 4


def test_a_document_with_errors_still_has_its_history(lived: Desk):
    lived.write("kjpstate: 1\nname: [")
    assert len(lived.kjpstate("history", "--json").json["runs"]) == 4


def test_one_run_in_full(lived: Desk):
    runs = lived.kjpstate("history", "--json").json["runs"]
    apply = next(run for run in runs if run["verb"] == "apply")
    assert apply["started"].endswith("Z") and apply["exit_code"] == 0
    assert lived.kjpstate("show", apply["id"], "--json").json["run"] == apply
    shown = lived.kjpstate("show", apply["id"][:5])
    assert shown.code == 0
    assert shown.out.startswith(f"run {apply['id']}   apply of little   exit code 0\n")
    assert "  applied  build" in shown.out
    assert shown.out.endswith("\n1 applied.\n")


def test_a_run_nobody_knows(lived: Desk):
    assert "no run fffffff is remembered" in lived.kjpstate("show", "fffffff").err
    assert "no id of a run" in lived.kjpstate("show", "build").err
    assert lived.kjpstate("show", "build").code == 64


def test_before_any_run(desk: Desk):
    assert desk.kjpstate("history").out == said("past.none") + "\n"
    assert desk.kjpstate("history", "--json").json["runs"] == []
    assert desk.kjpstate("show", "abc").code == 64


def test_a_while_and_a_day():
    assert since_time("") == ""
    assert re.fullmatch(r"\d{8}T\d{6}Z", since_time("4w"))
    assert since_time("2026-03-01") <= "20260301T140000Z"
    with pytest.raises(errors.UsageError):
        since_time("2026-13-01")


def test_two_people_see_each_others_runs(lived: Desk, tmp_path, monkeypatch):
    mine = lived.kjpstate("history", "--json").json["runs"]
    monkeypatch.setenv("KJPSTATE_STATE", str(tmp_path / "sisters"))
    hers = lived.kjpstate("history", "--json").json["runs"]
    (apply,) = [run for run in mine if run["verb"] == "apply"]
    assert [(run["id"], run["noted_on"], run["result"]) for run in hers] == [
        (apply["id"], "pc", "1 applied")
    ]
    assert lived.kjpstate("history", "--local").out == said("past.none") + "\n"
    assert lived.kjpstate("apply", "--yes").code == 0
    both = lived.kjpstate("history", "--verb", "apply", "--json").json["runs"]
    assert [run["noted_on"] for run in both] == [None, "pc"]
    assert lived.kjpstate("history", "--failed").out == said("past.none") + "\n"
    assert "(told by pc)" in lived.kjpstate("history").out


def test_a_host_that_can_not_be_asked_is_told_and_the_rest_is_shown(lived: Desk):
    lived.write(
        lived.document().replace("{pc: {local: .}}", "{pc: {local: .}, far: {local: nowhere}}")
    )
    shown = lived.kjpstate("history", "--verb", "apply")
    assert shown.code == 0 and "1 applied" in shown.out
    assert shown.err.startswith("far: not reached: ")
