"""A watch on the screen, as JSON and as a picture: fits the width, escapes everything, masks
secrets."""

from __future__ import annotations

from dataclasses import replace

from kjpstate.render.lines import text_of
from kjpstate.render.soaks import hole_line, sample_line, soak_lines
from tests.support.soaks import BAD, HOLE, LIMITS, SAMPLE, SOAK


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
