"""Every case of tests/cases/patch: applied, applied again, taken out; or refused with all that is
wrong."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from kjpstate.formats.typescript.structure import Fault
from kjpstate.kinds import patch
from kjpstate.model import Refuse
from kjpstate.rules import RULES
from tests.support.patch_cases import (
    ROOT,
    Case,
    cases,
    notes,
    problems_of,
    run,
    view_of,
    without_blocks,
)

CASES = cases()
SOURCES = [path.read_text("utf-8") for path in Path(patch.__file__).parent.glob("*.py")]
REASONS = {rule for text in SOURCES for rule in re.findall(r'Problem\(\s*"([a-z0-9-]+)"', text)}
REASONS |= set(get_args(Fault))


def params(wanted: Any) -> list[Any]:
    return [pytest.param(case, id=case.name) for case in CASES if wanted(case.result)]


@pytest.mark.parametrize("case", params(lambda result: result == "applied"))
def test_applied_once_then_in_sync_then_taken_out(case: Case) -> None:
    after = run(case.spec, case.content)
    assert isinstance(after, bytes), after
    assert run(case.spec, after) is None
    assert case.data or without_blocks(after) == case.origin
    out = replace(case.spec, state="absent", on_drift="apply")
    assert run(out, after) == (None if after == case.origin else case.origin)
    assert run(out, case.origin) is None
    if case.after is not None:
        shown = re.sub(r"\b(body|was|at)=[0-9a-f]{12}", r"\1=<\1>", after.decode())
        assert shown == case.after
    adopted = re.findall(r"begin \S+/(\S+) .* adopted=1", after.decode())
    assert sorted(adopted) == sorted(case.adopted)


@pytest.mark.parametrize("case", params(lambda result: isinstance(result, list)))
def test_refused_with_every_problem_and_nothing_written(case: Case) -> None:
    problems = problems_of(case.spec, case.content)
    for problem, told in zip(problems, case.result, strict=True):
        assert {key: getattr(problem, key) for key in told if key != "says"} == {
            key: value for key, value in told.items() if key != "says"
        }
        assert told.get("says", "") in problem.reason
        assert problem.rule in RULES
    refused = run(case.spec, case.content)
    assert isinstance(refused, Refuse)
    assert refused.rule == case.result[0]["rule"]
    assert refused.cure
    number = next((n for n, e in enumerate(case.spec.edits) if e.id == problems[0].edit), None)
    assert refused.pointer == ("" if number is None else f"/edits/{number}")


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES if case.told])
def test_what_the_plan_says_of_it(case: Case) -> None:
    view = view_of(case.spec, case.content)
    told = patch.told(view, None)
    said = {
        "headline": told.headline,
        "notes": [row.text for row in notes(told)],
        "rows": [list(row.below) for row in notes(told)],
        "orphans": list(told.left),
        "advice": [item.rule for item in patch.advice(view)],
    }
    assert {key: said[key] for key in case.told} == case.told


@pytest.mark.parametrize("case", params(lambda result: result == "in sync"))
def test_in_sync(case: Case) -> None:
    assert run(case.spec, case.content) is None
    assert problems_of(case.spec, case.content) == ()


def test_no_case_is_left_out() -> None:
    known = [
        case
        for case in CASES
        if case.result in ("applied", "in sync") or isinstance(case.result, list)
    ]
    assert len(known) == len(CASES) >= 140
    handlers = {
        " ".join(case.content.decode().split())
        for case in CASES
        if b"connection.update" in case.content
    }
    assert len(handlers) >= 55
    endings = {case.spec.path.rpartition(".")[2] for case in CASES}
    assert endings >= {"ts", "tsx", "mts", "cts", "js", "cjs", "mjs"}


def test_every_reason_to_refuse_has_a_case() -> None:
    told = {
        problem["rule"]
        for case in CASES
        if isinstance(case.result, list)
        for problem in case.result
    }
    elsewhere = {
        "file-missing",
        "file-unreadable",
        "no-tree-sitter",
        "byte-guard",
        "source-too-large",
    }
    assert told | elsewhere == {rule for rule in REASONS if rule in RULES} == REASONS


def test_the_six_files_on_which_blockinfile_does_harm_are_cases() -> None:
    page = (
        (ROOT / "docs" / "patches.md")
        .read_text("utf-8")
        .partition("## Beside Ansible's blockinfile")[2]
    )
    rows = [row for row in page.partition("\n## ")[0].splitlines() if row.startswith("| ")][1:]
    named = [
        re.findall(r"`([a-z]+(?:-[a-z]+)*)`[,)]", row.rpartition("|")[0].rpartition("|")[2])
        for row in rows
    ]
    assert len(rows) == 6
    assert all(set(names) & {case.name for case in CASES} for names in named)
