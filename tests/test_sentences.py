"""The sentences of each room stand in its table: each has a code, its values, and is said."""

import ast
import importlib
import string
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "kjpstate"
ROOMS = ("formats", "hosts", "process")


def messages(room: str) -> dict[str, str]:
    found: dict[str, str] = importlib.import_module(f"kjpstate.{room}.sentences").MESSAGES
    return found


def sources(room: str) -> list[str]:
    return [
        path.read_text("utf-8")
        for path in (ROOT / room).rglob("*.py")
        if path.name != "sentences.py"
    ]


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def asked(text: str) -> list[tuple[set[str], set[str]]]:
    """Of each call of `say`: the codes it may have, and the names of its values; none of a call
    whose values are not all written out."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
            literals = (
                one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant)
            )
            names = {word.arg for word in node.keywords if word.arg}
            if len(names) == len(node.keywords):
                found.append(({one for one in literals if isinstance(one, str)}, names))
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_every_code_that_is_said_has_its_sentence_and_its_values(room):
    known = messages(room)
    for codes, names in (call for text in sources(room) for call in asked(text)):
        for code in codes:
            assert code in known or "." not in code, code
            assert fields(known.get(code, "")) <= names, code


@pytest.mark.parametrize("room", ROOMS)
def test_every_sentence_is_said(room):
    texts = sources(room)
    dead = [code for code in messages(room) if not any(f'"{code}"' in text for text in texts)]
    assert dead == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_sentence_stands_in_one_place(room):
    known = messages(room)
    texts = sources(room)
    for code, sentence in known.items():
        plain = sentence if not fields(sentence) else ""
        twice = len(plain.split()) > 2 and any(f'"{plain}"' in text for text in texts)
        assert not twice, code
