"""The lines of runs on a host: bounded, and a damaged one takes no other with it."""

from __future__ import annotations

import json

import pytest

from kjpstate.formats.remembered import Line, lines, with_line

ONE = Line("aaaaaa", "apply", "kjp@laptop", "20260301T000000Z", 0, {"dns": "applied"})


def stamp(values: object) -> bytes:
    """As it stands in the state folder."""
    return json.dumps(values).encode()


def test_a_line_more():
    first = with_line(None, ONE)
    assert lines(stamp(first)) == (ONE,)
    two = Line("bbbbbb", "rollback", "sister@pc", "20260302T000000Z", 7)
    assert lines(stamp(with_line(stamp(first), two))) == (ONE, two)


def test_only_so_many_are_kept():
    answer: bytes | None = None
    for number in range(230):
        answer = stamp(with_line(answer, Line(f"{number:06x}", "apply", "", "", 0)))
    kept = lines(answer)
    assert len(kept) == 200 and kept[-1].id == f"{229:06x}"


@pytest.mark.parametrize("answer", [None, b"", b"[]", b'{"runs": 5}', b'{"runs": [5, {}, {"id": "a"}]}'])
def test_damage_is_nothing(answer):
    assert lines(answer) == ()


def test_a_damaged_line_takes_no_other_with_it():
    values = with_line(None, ONE)
    values["runs"].append({"id": "x", "verb": 5})
    assert lines(stamp(values)) == (ONE,)
