"""The five lines of `status`: a table of how things may stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from kjpstate.formats.pm2.health import Health
from kjpstate.formats.times import local_time
from kjpstate.history import Item, Past
from kjpstate.model import Holder, Unfinished
from kjpstate.render.lines import text_of
from kjpstate.render.statuses import Bot, Status, status_json, status_lines
from kjpstate.said import say
from tests.support.words import said

NOW = "20260301T120000Z"
ALIVE = Bot("bot-kjp", "stb", Health("alive", "online for 3 h, 2 restarts"))
DEAD = Bot("bot-kjp", "stb", Health("given-up", "given up (errored)"))
UNSEEN = Bot("bot-kjp", "stb", Health("unknown", "no node here"))
APPLY = Past(
    *("a1b2c3", "apply", "bot-kjp", "/k.yaml", "d", "kjp@laptop", "20260228T100000Z", 9.0, 0),
    items=(Item("stb", "dns", "applied"),),
)
CHECK = replace(
    APPLY,
    id="d00001",
    verb="drift",
    items=(),
    started="20260301T100000Z",
    times=12,
    last="20260301T115000Z",
)
DRIFT = replace(
    CHECK, exit_code=2, items=(Item("stb", "dns", "drift"),), times=1, last="20260301T115500Z"
)
BROKEN = replace(CHECK, exit_code=65, said="kjpstate.yaml:3:1: not valid YAML", times=3)
WELL = Status("bot-kjp", NOW, timedelta(hours=1), (ALIVE,), (APPLY,), (CHECK,))
CUT = {
    "stb": Unfinished("beef00", "20260301T090000Z", "sister@pc", "switch", "/root/bot-kjp/dist/")
}
BUSY = {"stb": Holder("beef01", "sister@pc", "20260301T115900Z", "apply", "alive", "")}
LOST = {"stb": "stb: 192.168.100.104 port 22 did not answer\nis the box on?"}

BOT = {"app": "bot-kjp", "host": "stb"}
CHECKED = {
    "since": local_time("20260301T115000Z"),
    "result": said("past.in-sync"),
    "times": 12,
}
FAILED = {
    "when": local_time("20260301T115000Z"),
    "result": said("past.document"),
    "said": "kjpstate.yaml:3:1: not valid YAML",
}

TABLE = {
    "well": (WELL, 0, said("status.alive", **BOT, why=ALIVE.health.reason), "status.nothing-to-do"),
    "dead": (
        replace(WELL, bots=(DEAD,)),
        2,
        said("status.dead", **BOT, why=DEAD.health.reason),
        "status.plan-shows",
    ),
    "not seen": (
        replace(WELL, bots=(UNSEEN,)),
        0,
        said("status.not-known", **BOT, why=UNSEEN.health.reason),
        "status.nothing-to-do",
    ),
    "drift": (
        replace(WELL, checks=(DRIFT, CHECK)),
        2,
        said("past.drifts", count=1),
        "status.plan-shows",
    ),
    "stale": (
        replace(WELL, now="20260301T125001Z"),
        2,
        said("status.stale", since=local_time("20260301T115000Z")),
        "status.check-now",
    ),
    "stale on purpose": (
        replace(WELL, now="20260301T125001Z", patience=timedelta(days=1)),
        0,
        said("status.check-again", **CHECKED),
        "status.nothing-to-do",
    ),
    "failing": (
        replace(WELL, checks=(BROKEN, CHECK)),
        0,
        said("status.failed-saying", **FAILED),
        "status.nothing-to-do",
    ),
    "failing for long": (
        replace(WELL, now="20260301T140000Z", checks=(BROKEN, CHECK)),
        2,
        said("status.stale", since=local_time("20260301T115000Z")),
        "status.check-now",
    ),
    "only failing": (
        replace(WELL, checks=(BROKEN,)),
        2,
        said("status.none-looked", failing=say("status.failed-saying", **FAILED)),
        "status.check-now",
    ),
    "never checked": (
        replace(WELL, checks=()),
        0,
        said("status.no-check"),
        "status.schedule",
    ),
    "nothing yet": (
        Status("x", NOW, timedelta(hours=1)),
        0,
        said("status.no-bot"),
        "status.plan",
    ),
    "cut": (
        replace(WELL, unfinished=CUT),
        2,
        said(
            "status.cut",
            run="beef00",
            who="sister@pc",
            when=local_time("20260301T090000Z"),
            host="stb",
        ),
        "status.apply-settles",
    ),
    "at work": (
        replace(WELL, busy=BUSY),
        0,
        said("status.busy", run="beef01", who="sister@pc", host="stb", why="apply"),
        "status.wait",
    ),
    "lost": (
        replace(WELL, bots=(), lost=LOST),
        3,
        said("status.not-reached", host="stb", why="192.168.100.104 port 22 did not answer"),
        "status.is-it-on",
    ),
    "lost and drift": (
        replace(WELL, bots=(), lost=LOST, checks=(DRIFT,)),
        2,
        said("status.not-reached", host="stb", why="192.168.100.104 port 22 did not answer"),
        "status.plan-shows",
    ),
    "a clock set back by a day: a checker that no longer runs would not be seen until then": (
        replace(WELL, now="20260228T115000Z"),
        2,
        said("status.yet-to-come", since=local_time("20260301T115000Z")),
        "status.check-now",
    ),
    "a clock set back a little": (
        replace(WELL, now="20260301T111000Z"),
        0,
        said("status.check-again", **CHECKED),
        "status.nothing-to-do",
    ),
    "no such time": (
        replace(WELL, checks=(replace(CHECK, last="soon"),)),
        2,
        said("status.stale", since="soon"),
        "status.check-now",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_stands_there(name: str):
    status, code, told, following = TABLE[name]
    text = text_of(status_lines(status), width=200)
    assert told in text
    rows = text.splitlines()
    assert len(rows) == 5
    assert rows[-1] == f"{said('status.next'):<12}{said(following)}"
    assert status.code == code
    value = status_json(status, lambda word: word)
    assert value["exit_code"] == code
    assert value["next"] in rows[-1]


def test_the_json_names_what_is_known():
    value = status_json(
        replace(WELL, bots=(ALIVE, DEAD, UNSEEN), unfinished=CUT), lambda word: word
    )
    assert [bot["alive"] for bot in value["bots"]] == [True, False, None]
    assert (
        value["last_check"]["at"] == "2026-03-01T11:50:00Z" and value["last_check"]["times"] == 12
    )
    assert value["last_apply"]["run"] == "a1b2c3"
    assert value["unfinished"][0]["host"] == "stb"
    assert value["stale"] is False
