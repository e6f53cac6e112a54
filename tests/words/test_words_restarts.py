"""The drawing of PM2's restarts, word by word."""

from __future__ import annotations

import pytest

from kjpstate.render.lines import text_of
from kjpstate.render.restarts import restarts_lines
from tests.support.pm2_restarts import OWNERS


@pytest.mark.parametrize(
    ("app", "said"),
    [
        (
            OWNERS,
            ["start    15   dies at    60 s   given up", '"waiting restart"', "no effect beside"],
        ),
        (
            {},
            ["start 1 to 15", "start    16", '"errored"', "Gives up when 16 starts live under 1 s"],
        ),
        (
            {"exp_backoff_restart_delay": 1000},
            ["8 on", "for ever", "Never gives up: a crash counts"],
        ),
        ({"autorestart": False}, ["never restarted: autorestart is false"]),
    ],
)
def test_the_drawing(app, said):
    text = text_of(restarts_lines("bot", app))
    assert [part for part in said if part not in text] == []
    text.encode("cp1252")
