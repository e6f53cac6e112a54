"""Whole screens, as a person sees them; the files under cases/screens are what they must be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kjpstate.model import Event, Plan
from kjpstate.render.diffs import diff_lines
from kjpstate.render.drifts import drift_lines, lost_lines
from kjpstate.render.kept import backup_lines
from kjpstate.render.lines import text_of
from kjpstate.render.masks import mask_for
from kjpstate.render.plans import plan_lines
from kjpstate.render.reports import event_line, report_lines
from kjpstate.undo.ledger import Found, Kept
from tests.support.screens import (
    RESOLVED,
    failed_report,
    owner_head,
    owner_plan,
    owner_report,
    refused_plan,
)

CASES = Path(__file__).parents[1] / "cases" / "screens"
OPEN = mask_for(())
EMPTY = Plan("bot-kjp", (), in_sync=("dns", "build"))
EVENTS = (
    Event("start", "dns", "dns"),
    Event("action", "", f"write {RESOLVED}"),
    Event("wait", "", "bot-kjp to be online longer than 10 s"),
    Event("done", "dns", ""),
    Event("failed", "build", "npx tsc --noEmit: failed (exit code 2)\nTS2304"),
)
KEPT = Kept("a1b2c3", RESOLVED, f"{RESOLVED}.backup.20260226T101112Z-a1b2c3", "ab" * 32, "file")
SCREENS = {
    "owner": lambda: plan_lines(owner_plan(), owner_head(), OPEN),
    "owner-diff": lambda: diff_lines(owner_plan(), OPEN),
    "owner-drift": lambda: drift_lines(owner_plan(), OPEN),
    "in-sync": lambda: plan_lines(EMPTY, owner_head(), OPEN),
    "refused": lambda: plan_lines(refused_plan(), owner_head(), OPEN),
    "refused-drift": lambda: (
        *drift_lines(refused_plan(), OPEN),
        *lost_lines(refused_plan().unreachable, OPEN),
    ),
    "applied": lambda: report_lines(owner_report(owner_plan()), EMPTY, 12.3),
    "restored": lambda: report_lines(failed_report(owner_plan()), owner_plan(), 8.0),
    "backups": lambda: backup_lines(
        (
            Found("stb", KEPT, True, "kept", 812),
            Found(
                "stb",
                replace(KEPT, path="/root/bot-kjp/dist/", type="directory"),
                False,
                "changed",
                3 << 20,
            ),
            Found("stb", replace(KEPT, run="d4e5f6", path="/root/x"), True, "gone"),
        )
    ),
    "progress": lambda: [event_line(event) for event in EVENTS],
}


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_as_its_file_says(name):
    assert text_of(SCREENS[name]()) == (CASES / f"{name}.txt").read_text("utf-8")


def test_every_case_file_has_its_screen():
    assert {path.stem for path in CASES.glob("*.txt")} == {*SCREENS, "owner-50-columns"}


def test_a_narrow_terminal_shows_the_same_words():
    narrow = text_of(plan_lines(owner_plan(), owner_head(), OPEN), width=50)
    assert narrow == (CASES / "owner-50-columns.txt").read_text("utf-8")
