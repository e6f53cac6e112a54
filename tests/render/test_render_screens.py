"""Screens, whatever their words: what they count, name and fit into."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kjpstate.model import Plan
from kjpstate.render.drifts import lost_lines
from kjpstate.render.lines import text_of
from kjpstate.render.masks import mask_for
from kjpstate.render.plans import Head, count, plan_lines
from kjpstate.render.reports import check_lines
from kjpstate.said import Said, say
from tests.support.screens import (
    owner_head,
    owner_plan,
    owner_report,
    refused_plan,
)
from tests.support.words import said

OPEN = mask_for(())
EMPTY = Plan("bot-kjp", (), in_sync=("dns", "build"))


def test_the_owners_plan_fits_100_columns_and_40_lines():
    rows = text_of(plan_lines(owner_plan(), owner_head(), OPEN)).splitlines()
    assert len(rows) <= 40
    assert max(map(len, rows)) <= 100


def test_a_narrow_terminal_wraps_and_loses_no_word():
    narrow = text_of(plan_lines(owner_plan(), owner_head(), OPEN), width=50)
    assert max(map(len, narrow.splitlines())) <= 50
    assert narrow.split() == text_of(plan_lines(owner_plan(), owner_head(), OPEN)).split()


@pytest.mark.parametrize("width", [1, 10, 20, 33])
def test_no_width_breaks_a_screen(width):
    assert "dns" in text_of(plan_lines(owner_plan(), owner_head(), OPEN), width=width)


def counts(**found: int) -> list[Said]:
    words = ("add", "change", "replace", "remove")
    return [say(f"plan.to-{word}", count=found.get(word, 0)) for word in words]


def test_the_last_line_counts():
    lost = say("plan.lost", count=1)
    assert count(EMPTY) == said("plan.in-sync")
    assert count(owner_plan()) == said("plan.counts", parts=counts(add=1, change=4, replace=1))
    held = [say("plan.refused", count=1), say("plan.held", count=2), lost]
    assert count(refused_plan()) == said("plan.counts", parts=[*counts(), *held])
    unseen = replace(EMPTY, unreachable={"stb": "off"})
    assert count(unseen) == said("plan.in-sync-unseen", lost=lost)


def test_nothing_to_type_next_when_nothing_can_be_applied():
    following = said("plan.next", command=owner_head().following)
    assert following in text_of(plan_lines(owner_plan(), owner_head(), OPEN))
    assert following not in text_of(plan_lines(refused_plan(), owner_head(), OPEN))
    assert following not in text_of(plan_lines(EMPTY, owner_head(), OPEN))
    assert said("plan.next", command="") not in text_of(
        plan_lines(owner_plan(), owner_head(following=""), OPEN)
    )


def test_a_fleet_is_counted_in_the_first_line():
    hosts = {f"stb[10.0.0.{n}]": owner_head().hosts["stb"] for n in range(200)}
    assert said("plan.more-hosts", count=196) in text_of(
        plan_lines(EMPTY, Head(hosts), OPEN), width=400
    )


def test_a_manual_check_is_asked_and_never_passed():
    text = text_of(check_lines(owner_report(owner_plan()).checks))
    assert f"{said('checks.by-hand'):<9}  it answers" in text
    parts = [say("checks.count-passed", count=1), say("checks.count-failed", count=1)]
    parts.append(say("checks.count-by-hand", count=1))
    assert text.splitlines()[-1] == said("checks.count", parts=parts)


def test_a_host_is_named_once_where_it_was_not_reached() -> None:
    why = {"stb": "stb: nothing listens at 10.0.0.1 port 22\ndoes sshd run there?"}
    row = "nothing listens at 10.0.0.1 port 22; does sshd run there?"
    assert text_of(lost_lines(why, OPEN)) == said("drift.not-reached", host="stb", why=row) + "\n"
