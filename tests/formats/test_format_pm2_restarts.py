"""PM2's restarts, crash by crash: the model against runs of PM2 5, 6 and 7 recorded from its own
log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kjpstate.formats.pm2.policy import Policy, policy
from kjpstate.formats.pm2.restarts import crashes, schedule
from kjpstate.render.restarts import restarts_lines
from tests.support.pm2_restarts import OWNERS, Ran, agree, without
from tests.support.words import said

RECORDED = Path(__file__).parents[1] / "cases/pm2/restarts"
RUNS = [
    pytest.param(Ran(**ran), id=f"{file.stem}-{name}")
    for file in sorted(RECORDED.glob("*.json"))
    for name, ran in json.loads(file.read_text()).items()
]


def test_every_version_and_every_key_is_recorded():
    assert {run.id.split("-")[0] for run in RUNS} == {"5", "6", "7"}
    settings = [set(run.values[0].settings) for run in RUNS]
    assert set(OWNERS) in settings and all(set(without(key)) in settings for key in OWNERS)
    assert set() in settings and {run.values[0].live for run in RUNS} >= {0, 8000}


@pytest.mark.parametrize("run", RUNS)
def test_the_model_agrees_with_a_recorded_run(run):
    agree(run)


@given(
    count=st.integers(1, 20),
    least=st.integers(500, 20_000),
    delay=st.integers(0, 20_000),
    backoff=st.integers(0, 20_000),
    life=st.integers(50, 20_000),
)
def test_the_schedule_ends_just_where_the_arithmetic_says(count, least, delay, backoff, life):
    """It ends when each life is short and the last of `count` crashes still
    falls into the window."""
    rules = Policy(count, least, delay, backoff)
    short = life < least and count * life + rules.until_given_up < rules.window
    assert (schedule(rules, life)[-1].delay is None) == short
    if life != rules.longest_life:
        assert short == (rules.can_give_up and life < rules.longest_life + 1)
    starts = schedule(rules, life)
    assert [row.first for row in starts[1:]] == [(row.last or 0) + 1 for row in starts[:-1]]


def test_a_long_life_begins_the_waits_anew():
    lives = [0, 0, 0, 70_000, 0]
    delays = [crash.delay for crash in crashes(policy({"exp_backoff_restart_delay": 100}), lives)]
    assert delays == [100, 150, 225, 100, 150]


def test_the_owners_bot_is_given_up_after_a_minute():
    rows = schedule(policy(OWNERS))
    assert (rows[-1].first, rows[-1].delay, rows[-1].at) == (15, None, 53_571 + 15 * 400)
    assert schedule(policy(OWNERS), 8000)[-1].last is None


@pytest.mark.parametrize(
    ("app", "told"),
    [
        (
            OWNERS,
            [
                ("restarts.given-up-waiting", {"start": "   15", "at": "   60 s"}),
                ("restarts.gives-up", {"starts": 15, "life": "6.43 s", "window": "150 s"}),
                ("restarts.no-effect", {"delay": "3 s"}),
            ],
        ),
        (
            {},
            [
                ("restarts.from-to", {"first": 1, "last": 15}),
                ("restarts.given-up-errored", {"start": "   16", "at": "  6.4 s"}),
                ("restarts.gives-up", {"starts": 16, "life": "1 s", "window": "16 s"}),
            ],
        ),
        (
            {"exp_backoff_restart_delay": 1000},
            [
                ("restarts.from-on", {"first": 8}),
                ("restarts.for-ever", {"drawn": "|"}),
                ("restarts.never-gives-up", {"start": 16, "waits": "152 s", "window": "16 s"}),
            ],
        ),
        ({"autorestart": False}, [("restarts.never", {})]),
    ],
)
def test_the_drawing_tells_how_it_ends(app, told):
    text = "\n".join(str(line.text) for line in restarts_lines("bot", app))
    parts = [part.strip() for code, values in told for part in said(code, **values).split("|")]
    assert [part for part in parts if part not in text] == []
