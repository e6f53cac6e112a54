"""The verdict over a watch: which look is beyond which limit, what a hole means, and when nobody
can say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.soak import Hole, Limits, Sample, Soak, Subject, failures, judge, size
from kjpstate.formats.times import clock
from kjpstate.said import say

BOT = Subject(Declared("stb", "d", "/srv/ecosystem.config.js", {"name": "bot"}))
ALL = Limits(cpu=30, memory=200 << 20, crash_restarts=0, unresolved=1, log={"ENOTFOUND": 3})
WELL = Sample(
    at=0,
    host="stb",
    app="bot",
    cpu=2.0,
    memory=90 << 20,
    logs={"ENOTFOUND": 0},
    names={"web.whatsapp.com": True},
)
LENGTH = 120.0


def looks(*changes: dict) -> list[Sample]:
    """One look each half a minute, each as well as can be but for its change."""
    return [
        replace(WELL, **{"at": 30.0 * number, **change}) for number, change in enumerate(changes)
    ]


FAILED = {
    "cpu": (
        [{}, {"cpu": 30.0}, {"cpu": 85.2}, {"cpu": 99.0}],
        60,
        say("watch.cpu", cpu=85.2, limit=30),
    ),
    "memory": (
        [{}, {"memory": 300 << 20}],
        30,
        say("watch.memory", memory="300 MB", limit="200 MB"),
    ),
    "a crash": ([{}, {"crashes": 1}, {"crashes": 1}], 30, say("watch.crashes", crashes=1, limit=0)),
    "log": (
        [{}, {"logs": {"ENOTFOUND": 3}}, {"logs": {"ENOTFOUND": 9}}],
        60,
        say("watch.log", text="ENOTFOUND", times=9, limit=3),
    ),
    "names": (
        [{}, {"names": {"a": False}}, {}, {"names": {"a": False}}],
        90,
        say("watch.unresolved", names=["a"], looks=2, limit=1),
    ),
    "dead twice": (
        [{}, {"sick": "stopped"}, {"sick": "not in PM2's list"}, {}],
        60,
        say("watch.not-alive", app="bot", why="not in PM2's list"),
    ),
    "dead at the end": (
        [{}, {}, {"sick": "stopped"}],
        60,
        say("watch.not-alive", app="bot", why="stopped"),
    ),
}


@pytest.mark.parametrize("name", FAILED)
def test_each_limit_is_told_once_with_its_moment(name: str):
    changes, at, what = FAILED[name]
    verdict = judge(BOT, ALL, looks(*changes), [], seconds=LENGTH)
    assert verdict.result == "failed"
    assert [(finding.at, finding.what) for finding in verdict.findings] == [(at, what)]


@pytest.mark.parametrize(
    "changes",
    [
        [{}, {}, {}],
        [{}, {"cpu": 30.0}, {"planned": 4}, {"crashes": 0}],
        [{}, {"sick": "launching"}, {}],
        [{}, {"logs": {"ENOTFOUND": 3}}, {"names": {"a": False}}, {"cpu": None}],
    ],
)
def test_what_is_within_all_limits_passes(changes: list[dict]):
    assert judge(BOT, ALL, looks(*changes), [], seconds=LENGTH).result == "passed"


def test_without_limits_it_must_only_be_alive():
    wild = looks({"cpu": 400.0, "crashes": 9}, {"logs": {}, "names": {"a": False}, "memory": None})
    assert judge(BOT, Limits(), wild, [], seconds=LENGTH).result == "passed"
    assert (
        judge(BOT, Limits(), [*wild, replace(wild[-1], sick="stopped")], [], seconds=LENGTH).result
        == "failed"
    )


SHORT, LONG = Hole("stb", 30, 50, "the link was lost"), Hole("stb", 20, 60, "the link was lost")
UNKNOWN = {
    "nothing seen": (
        [],
        [Hole("stb", 0, None, "stb can't be reached")],
        ALL,
        "stb can't be reached",
    ),
    "out of sight at the end": (
        looks({}),
        [Hole("stb", 90, None, "no answer")],
        ALL,
        say("watch.lost-at-the-end", why="no answer"),
    ),
    "too long out of sight": (
        looks({}, {}),
        [LONG],
        ALL,
        say("watch.lost", dark=40.0, length=120.0),
    ),
    "CPU never measured": (
        looks({"cpu": None}, {"cpu": None}),
        [],
        ALL,
        say("watch.cpu-never"),
    ),
    "memory never measured": (looks({"memory": None}), [], ALL, say("watch.memory-never")),
    "a log that can't be read": (
        looks({"logs": {"ENOTFOUND": None}}),
        [],
        ALL,
        say("watch.logs-unread", text="ENOTFOUND"),
    ),
    "no name asked for": (
        looks({"names": {}}),
        [],
        ALL,
        say("watch.no-name"),
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_was_not_seen_is_no_pass(name: str):
    samples, holes, limits, what = UNKNOWN[name]
    verdict = judge(BOT, limits, samples, holes, seconds=LENGTH)
    assert verdict.result == "unknown"
    assert what in [finding.what for finding in verdict.findings]


def test_a_short_hole_is_neither_a_pass_nor_a_crash():
    assert judge(BOT, ALL, looks({}, {}), [SHORT], seconds=LENGTH).result == "passed"
    assert judge(BOT, ALL, looks({}, {"crashes": 1}), [LONG], seconds=LENGTH).result == "failed"


def test_a_watch_that_was_ended_says_so_and_failed_stays_failed():
    left = "the watch was interrupted"
    assert judge(BOT, ALL, looks({}, {}), [], seconds=30, left=left).result == "unknown"
    assert judge(BOT, ALL, looks({}, {"crashes": 2}), [], seconds=30, left=left).result == "failed"
    # The app may just be starting: only a watch that went to its end judges the last look alone.
    assert (
        judge(BOT, ALL, looks({}, {"sick": "launching"}), [], seconds=30, left=left).result
        == "unknown"
    )


def test_while_it_goes_on_only_what_is_certain_counts():
    assert not list(failures(ALL, looks({}, {"sick": "launching"})))
    assert list(failures(ALL, looks({}, {"crashes": 1})))


def test_the_worst_verdict_is_the_watch_s():
    verdicts = [
        judge(BOT, ALL, looks(*changes), [], seconds=LENGTH)
        for changes in ([{}], [], [{"crashes": 1}])
    ]
    results = []
    for chosen in (verdicts[:1], verdicts[:2], verdicts):
        soak = Soak("d", "", 1, 1, 1, "whole", ALL, (), (), tuple(chosen))
        results.append(soak.result)
    assert results == ["passed", "unknown", "failed"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0:00"), (29.6, "0:30"), (90, "1:30"), (1800, "30:00"), (3723, "1:02:03")],
)
def test_moments_for_a_person(seconds: float, said: str):
    assert clock(seconds) == said


def test_amounts_for_a_person():
    assert [size(count) for count in (0, 1 << 20, 84 << 20)] == ["0.0 MB", "1.0 MB", "84 MB"]
