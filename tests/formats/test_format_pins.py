"""formats.pins: RFC 6901 in a lock file, and sentences where there is nothing."""

from __future__ import annotations

import json

import pytest

from kjpstate.formats import pins
from kjpstate.said import Said, say

LOCK = json.dumps(
    {
        "name": "bot",
        "packages": {
            "": {"name": "bot"},
            "node_modules/@whiskeysockets/baileys": {"version": "7.0.0-rc.9"},
            "a~b": [1, {"c": None}],
        },
    }
).encode()


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/packages/node_modules~1@whiskeysockets~1baileys/version", "7.0.0-rc.9"),
        ("/packages//name", "bot"),
        ("/packages/a~0b/0", 1),
        ("/packages/a~0b/1/c", None),
    ],
)
def test_a_pointer_finds_its_value(pointer: str, value: object) -> None:
    assert pins.find(LOCK, pointer) == (value, "")


def test_the_empty_pointer_is_the_whole_file() -> None:
    assert pins.find(b"\xef\xbb\xbf[1]", "") == ([1], "")


def test_an_escaped_tilde_before_a_one_is_not_a_slash() -> None:
    assert pins.find(b'{"~1": "x", "/": "y"}', "/~01") == ("x", "")


@pytest.mark.parametrize(
    ("content", "pointer", "reason"),
    [
        (LOCK, "/packages/nothing/version", say("pins.nothing-at", pointer="/packages/nothing")),
        (LOCK, "/packages/a~0b/01", say("pins.nothing-at", pointer="/packages/a~0b/01")),
        (LOCK, "/packages/a~0b/2", say("pins.nothing-at", pointer="/packages/a~0b/2")),
        (LOCK, "/name/first", say("pins.nothing-at", pointer="/name/first")),
        (LOCK, "name", say("pins.no-slash", pointer="name")),
        (LOCK, "/a~2", say("pins.bad-escape", pointer="/a~2")),
        (b"{", "/a", "pins.no-json"),
        (b"\xff", "/a", "pins.no-json"),
        (b"[" * 100_000, "/a", "pins.no-json"),
    ],
)
def test_a_pointer_to_nothing_says_why(content: bytes, pointer: str, reason: Said | str) -> None:
    value, problem = pins.find(content, pointer)
    assert value is None
    assert reason in (problem, problem.code)
