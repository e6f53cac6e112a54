"""A watch on the screen, as JSON and as a picture: fits the width, escapes everything, masks
secrets."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from kjpstate.formats.soak import Finding, Limits, Soak, Verdict
from kjpstate.render.lines import text_of
from kjpstate.render.live import board
from kjpstate.render.masks import HIDDEN, mask_for
from kjpstate.render.plots import ENDINGS, drawn
from kjpstate.render.soak_json import seen_json, soak_json
from kjpstate.render.soaks import hole_line, opening_lines, sample_line, soak_lines
from kjpstate.said import say
from tests.support.soaks import BAD, HOLE, LIMITS, OPEN, SAMPLE, SOAK, SUBJECTS
from tests.support.words import said


def test_what_is_beyond_a_limit_is_marked():
    well = text_of([sample_line(SAMPLE, LIMITS, alone=True)], width=200)
    beyond = text_of([sample_line(BAD, LIMITS)], width=200)
    assert "0:30" in well and "!" not in well and said("soak.alive") in well
    assert "1:30" in beyond and beyond.count("! ") == 3
    assert f"! {said('soak.not-alive', why='stopped')}" in beyond
    assert f"! web.whatsapp.com {said('soak.unresolved')}" in beyond


def test_holes_begin_and_end():
    begun, found = hole_line(replace(HOLE, end=None)), hole_line(HOLE)
    lost = said("soak.out-of-sight", host="stb", why="the link to stb was lost")
    assert text_of([begun]) == f"   0:40  {lost}\n"
    assert text_of([found]) == f"   1:10  {said('soak.seen-again', host='stb', after=30.0)}\n"


def test_the_verdict_tells_why_when_and_what_was_not_seen():
    rows = text_of(soak_lines(SOAK), width=200).splitlines()
    lost = {"host": "stb", "why": "the link to stb was lost", "start": 40.0}
    assert rows[0] == said("soak.title")
    assert rows[1].startswith(f"  {said('checks.failed'):<9}  ")
    assert rows[2].startswith("             1:30  ")
    assert rows[3] == f"  {said('soak.lost', end=70.0, **lost)}"
    parts = [say("checks.count-passed", count=0), say("checks.count-failed", count=1)]
    assert rows[-1] == said("soak.counts-of", parts=parts, took=90.0, wanted=1800.0)
    open_end = soak_lines(replace(SOAK, holes=(replace(HOLE, end=None),)))
    assert said("soak.lost-to-the-end", end=90.0, **lost) in text_of(open_end, width=200)
    assert said("soak.never-seen") in text_of(soak_lines(replace(SOAK, samples=())))


@pytest.mark.parametrize("width", [100, 80, 40, 20])
def test_every_screen_fits(width: int):
    lines = [
        *opening_lines(SUBJECTS, LIMITS, 1800, 30),
        sample_line(BAD, LIMITS),
        hole_line(HOLE),
        *soak_lines(SOAK),
    ]
    words = max(len(word) for word in text_of(lines, width=1000).split())
    assert max(map(len, text_of(lines, width=width).splitlines())) <= max(width, words + 9)


def test_a_document_without_limits_says_so():
    assert said("soak.no-limits") in text_of(opening_lines(SUBJECTS, Limits(), 60, 5))


def test_json_holds_it_all():
    value = soak_json(SOAK, OPEN, exit_code=6)
    assert json.loads(json.dumps(value)) == value
    assert value["verdicts"][0]["findings"] == [
        {"at": 90, "reason": "restarts by crashes: 2; the limit is 0"}
    ]
    assert value["holes"][0]["end"] == 70
    assert seen_json(BAD, OPEN)["alive"] is False
    assert seen_json(HOLE, OPEN)["type"] == "hole"


SECRET = "s3cr3t<value>"


def test_secrets_and_hostile_texts_reach_no_picture_and_no_json():
    hostile = f"</svg><script>alert(1)</script>\"' \x1b[2J {SECRET}"
    bad = replace(
        BAD,
        sick=hostile,
        notes=(hostile,),
        app=hostile,
        logs={hostile: 4},
        names={hostile: False},
        cpu=99.0,
    )
    soak = replace(
        SOAK,
        document=hostile,
        samples=(replace(SAMPLE, app=hostile, logs={hostile: 0}, names={hostile: True}), bad),
        holes=(replace(HOLE, why=hostile),),
        verdicts=(Verdict("stb", hostile, "failed", (Finding(90, hostile),)),),
        limits=replace(LIMITS, log={hostile: 3}),
    )
    mask = mask_for([SECRET])
    pictures = [drawn(soak, mask, ending).decode() for ending in (".html", ".svg")]
    for text in (
        *pictures,
        json.dumps(soak_json(soak, mask, exit_code=6)),
        json.dumps(seen_json(bad, mask)),
    ):
        assert "s3cr3t" not in text
        assert HIDDEN in text
    for picture in pictures:
        assert "<script" not in picture
        assert "\x1b" not in picture


def body_of(page: str) -> ElementTree.Element:
    """The body as a tree: every element is closed."""
    return ElementTree.fromstring(page[page.index("<body>") : page.index("</html>")])


def ids(page: str) -> list[str]:
    return [element.get("id", "") for element in body_of(page).iter()]


def test_the_picture_has_every_panel_limit_and_hole_and_fetches_nothing():
    page = drawn(SOAK, OPEN, ".html").decode()
    told = " ".join("".join(body_of(page).itertext()).split())
    for title in (
        "CPU, % of one core",
        "Memory, MB",
        "Restarts by crashes",
        "Lines in its logs",
        "Names that resolve",
        "bot-kjp on stb: Failed",
        "restarts by crashes: 2; the limit is 0",
        "Began 2026-03-01 10:00:00 UTC",
    ):
        assert title in told
    found = ids(page)
    assert found.count("line") == 4
    assert found.count("limit") == 4
    assert (
        found.count("hole") == found.count("note") == found.count("found") == 5
    )  # through every panel
    assert not re.search(r"src=|href=\"[^#]|url\([^#]|@import|<!DOCTYPE svg", page)
    assert "default-src 'none'" in page


@pytest.mark.parametrize(
    "soak",
    [
        replace(SOAK, samples=(), holes=(replace(HOLE, end=None),)),
        replace(SOAK, samples=(SAMPLE,), seconds=0, limits=Limits()),
        replace(SOAK, verdicts=()),
    ],
)
def test_an_odd_watch_is_drawn_too(soak: Soak):
    assert body_of(drawn(soak, OPEN, ".html").decode()) is not None


STARTS = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF", ".html": b"<!doctype html>"}


@pytest.mark.parametrize("ending", ENDINGS)
def test_each_ending_is_its_own_format(ending: str):
    assert drawn(SOAK, OPEN, ending).startswith(STARTS[ending])


def test_the_same_watch_is_drawn_with_the_same_bytes():
    assert drawn(SOAK, OPEN, ".svg") == drawn(SOAK, OPEN, ".svg")


def test_a_line_is_broken_where_nothing_was_seen():
    wild = [replace(SAMPLE, at=at, cpu=at * 13.7) for at in range(0, 90, 7)]
    tree = body_of(drawn(replace(SOAK, samples=tuple(wild)), OPEN, ".html").decode())
    (line, *_) = [element for element in tree.iter() if element.get("id") == "line"]
    strokes = next(child.get("d", "") for child in line.iter() if child.get("d"))
    assert strokes.count("M") == 2


@pytest.mark.parametrize("width", [100, 80, 40])
def test_the_table_on_a_terminal_shows_the_last_looks_and_the_time_left(width: int, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    stream = io.StringIO()
    with board(stream, mask_for([SECRET]), LIMITS, 1800, lambda: 90.0, colour=False) as tell:
        for number in range(30):
            tell(replace(SAMPLE, at=float(number)))
        tell(replace(HOLE, end=None))
        tell(HOLE)
        tell(replace(BAD, notes=(f"why {SECRET}",)))
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    last = drawn[drawn.rindex(said("live.time")) :]
    assert "s3cr3t" not in drawn
    assert max(map(len, last.splitlines())) <= width
    assert "0:29" in last and "0:05" not in last
    assert set(said("live.of", length=1800.0).split()) <= set(last.split())
    assert all("84 MB" in row for row in last.splitlines() if re.match(r"0:2\d", row)), last
    if width == 100:
        for text in (
            "ENOTFOUND",
            "web.whatsapp.com",
            said("live.out-of-sight"),
            "the link to stb was",
            said("live.seen-again"),
        ):
            assert text in last, last
        sick, no = said("soak.not-alive", why="stopped"), said("live.unresolved")
        assert re.search(rf"1:30 +! {sick} +\? +\? +! 2 +\? +! {no}", last), last


def test_two_apps_in_one_table_are_named(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    stream = io.StringIO()
    with board(stream, OPEN, LIMITS, 1800, lambda: 90.0, colour=False) as tell:
        tell(SAMPLE)
        tell(replace(SAMPLE, app="other"))
    assert said("soak.app", app="bot-kjp", host="stb") in stream.getvalue()
    assert said("soak.app", app="other", host="stb") in stream.getvalue()
