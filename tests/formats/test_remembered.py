"""The lines of runs on a host: bounded, and a damaged one takes no other with it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

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
        answer = stamp(with_line(answer, replace(ONE, id=f"{number:06x}")))
    kept = lines(answer)
    assert len(kept) == 200 and kept[-1].id == f"{229:06x}"


@pytest.mark.parametrize(
    "answer", [None, b"", b"[]", b'{"runs": 5}', b'{"runs": [5, {}, {"id": "a"}]}']
)
def test_damage_is_nothing(answer):
    assert lines(answer) == ()


def test_a_damaged_line_takes_no_other_with_it():
    values = with_line(None, ONE)
    values["runs"].append({"id": "x", "verb": 5})
    assert lines(stamp(values)) == (ONE,)


@pytest.mark.parametrize(
    "said",
    [
        {"id": "\x1b[31m"},
        {"id": "abc"},
        {"verb": "rm -rf"},
        {"who": "kjp\nroot@stb"},
        {"who": "\x1b]0;title\x07"},
        {"who": "x\u202eevil"},
        {"who": "w" * 100_000},
        {"started": "yesterday"},
        {"started": "99999999T999999Z\n"},
        {"exit_code": True},
        {"exit_code": 10**30},
        {"results": []},
    ],
)
def test_a_line_that_nobody_of_ours_wrote_is_left_out(said: dict[str, Any]):
    assert lines(stamp({"runs": [asdict(ONE) | said, asdict(ONE)]})) == (ONE,)


def test_results_are_few_words():
    wild = {"dns": "\x1b[2J", "x" * 999: "applied"} | {
        f"patch.{number}": "applied" for number in range(9999)
    }
    (line,) = lines(stamp({"runs": [asdict(replace(ONE, results=wild))]}))
    assert len(line.results) == 500 and set(line.results.values()) == {"applied"}
