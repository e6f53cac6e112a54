"""Onto a stream: a code page that lacks our signs, a terminal, NO_COLOR, no rich where none is
needed."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from kjpstate.render.lines import Line
from kjpstate.render.masks import mask_for
from kjpstate.render.plans import count, plan_lines
from kjpstate.render.stream import encodable, put, wants_colour, width_of
from tests.support.screens import owner_head, owner_plan

MASK = mask_for(())


class Terminal(io.StringIO):
    """Says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "latin-1"])
def test_the_owners_plan_survives_a_code_page(encoding):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    put(plan_lines(owner_plan(), owner_head(), MASK), stream, MASK)
    text = raw.getvalue().decode(encoding)
    assert count(owner_plan()) in text
    assert "\\u" not in text


def test_signs_fall_back_to_ascii_and_the_rest_to_escapes():
    assert encodable("a · b → c … ⛔", "ascii") == "a | b -> c ... \\u26d4"
    assert encodable("a · b → c", "cp1252") == "a · b -> c"
    assert encodable("a → ⛔ ü", "utf-8") == "a → ⛔ ü"
    assert encodable("\udc80", "utf-8") == "\\udc80"


@pytest.mark.parametrize(
    ("environ", "refused", "expected"),
    [({}, False, True), ({"NO_COLOR": "1"}, False, False), ({"NO_COLOR": ""}, False, True),
     ({"TERM": "dumb"}, False, False), ({}, True, False)],
)  # fmt: skip
def test_colour_only_where_it_is_wanted(environ, refused, expected):
    assert wants_colour(Terminal(), environ, refused) is expected
    assert wants_colour(io.StringIO(), environ, refused) is False


def test_colour_stands_beside_the_symbol(monkeypatch):
    monkeypatch.setenv("COLUMNS", "90")
    stream = Terminal()
    put([Line("  ~ dns", "change"), Line("plain")], stream, MASK, colour=True)
    assert stream.getvalue() == "\x1b[33m  ~ dns\x1b[0m\nplain\n"
    assert width_of(stream) == 90
    assert width_of(io.StringIO()) == 100


def test_rich_is_not_imported_for_a_pipe():
    code = (
        "import io, sys\nfrom kjpstate.render.lines import Line\nfrom kjpstate.render.stream "
        "import put\n"
        "put([Line('x', 'add')], io.StringIO(), str)\nsys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
