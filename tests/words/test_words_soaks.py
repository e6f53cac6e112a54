"""A watch on the screen, as JSON and as a picture: fits the width, escapes everything, masks
secrets."""

from __future__ import annotations

from dataclasses import replace

from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.soak import Finding, Hole, Limits, Sample, Soak, Subject, Verdict
from kjpstate.render.lines import text_of
from kjpstate.render.masks import mask_for
from kjpstate.render.soaks import hole_line, sample_line, soak_lines

OPEN = mask_for(())
LIMITS = Limits(cpu=30, memory=200 << 20, crash_restarts=0, unresolved=2, log={"ENOTFOUND": 3})
SAMPLE = Sample(
    at=30,
    host="stb",
    app="bot-kjp",
    cpu=2.04,
    memory=84 << 20,
    logs={"ENOTFOUND": 0},
    names={"web.whatsapp.com": True},
)
BAD = replace(
    SAMPLE,
    at=90,
    sick="stopped",
    cpu=None,
    memory=None,
    crashes=2,
    planned=1,
    logs={"ENOTFOUND": None},
    names={"web.whatsapp.com": False},
    notes=("the box was restarted",),
)
HOLE = Hole("stb", 40, 70, "the link to stb was lost")
SOAK = Soak(
    "bot-kjp",
    "20260301T100000Z",
    1800,
    30,
    90,
    "early",
    LIMITS,
    (replace(SAMPLE, at=0, cpu=None), SAMPLE, BAD),
    (HOLE,),
    (
        Verdict(
            "stb", "bot-kjp", "failed", (Finding(90, "restarts by crashes: 2; the limit is 0"),)
        ),
    ),
)
SUBJECTS = (Subject(Declared("stb", "d", "/srv/ecosystem.config.js", {"name": "bot-kjp"})),)


def test_a_look_is_one_row_and_what_is_beyond_is_marked():
    assert text_of([sample_line(SAMPLE, LIMITS, alone=True)]) == (
        "   0:30  alive  CPU 2.0%  memory 84 MB  crashes 0  ENOTFOUND 0  web.whatsapp.com ok\n"
    )
    assert text_of([sample_line(BAD, LIMITS)], width=200) == (
        "   1:30  stb  bot-kjp  ! not alive: stopped  CPU ?  memory ?  ! crashes 2 (+1 "
        "planned)  ENOTFOUND ?"
        "  ! web.whatsapp.com does not resolve; the box was restarted\n"
    )


def test_holes_begin_and_end():
    assert text_of([hole_line(replace(HOLE, end=None)), hole_line(HOLE)]) == (
        "   0:40  stb  out of sight: the link to stb was lost\n   1:10  stb  seen again after "
        "0:30\n"
    )


def test_the_verdict_tells_why_when_and_what_was_not_seen():
    assert text_of(soak_lines(SOAK)) == (
        "Watched:\n"
        "  FAILED     bot-kjp on stb  3 looks: CPU 2.0% on average, 2.0% at most; memory 84 MB "
        "at most; 2\n"
        "                             restarts by crashes\n"
        "             1:30  restarts by crashes: 2; the limit is 0\n"
        "  stb was out of sight from 0:40 to 1:10: the link to stb was lost\n"
        "\n"
        "Monitor: 0 passed, 1 failed, in 1:30 of 30:00.\n"
    )
    assert "stb was out of sight from 0:40 to the end (1:30)" in text_of(
        soak_lines(replace(SOAK, holes=(replace(HOLE, end=None),)))
    )
    assert "never seen" in text_of(soak_lines(replace(SOAK, samples=())))
