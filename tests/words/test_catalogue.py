"""Every message has words, every sentence is said, and its placeholders are given."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from kjpstate import words
from kjpstate.rules import RULES
from kjpstate.said import Said, plain, said_of, say
from kjpstate.words import messages, text
from kjpstate.words.plural import Plural

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*")
# Asked for by `words` itself.
PAGE = ("page-title", "page-text", "page-cure")
OWN = {"list.and", "list.ands", "list.none", "list.or", "list.ors"}


@cache
def calls() -> tuple[tuple[str, str, frozenset[str], bool], ...]:
    """(place, code, names of its values, whether more are handed on) of every `say(…)`."""
    return tuple(_calls())


def _calls() -> Iterator[tuple[str, str, frozenset[str], bool]]:
    for path in sorted((ROOT / "kjpstate").rglob("*.py")):
        source = path.read_text("utf-8")
        tree = ast.parse(source)
        for node in ast.walk(tree) if _says(tree) else ():
            match node:
                case ast.Call(func=ast.Name(id="say"), args=[code, *_], keywords=keywords):
                    names = frozenset(word.arg for word in keywords if word.arg is not None)
                    more = any(word.arg is None for word in keywords)
                    for found in _literals(code):
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", found, names, more


def _says(tree: ast.Module) -> bool:
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return any(
        found.module == "kjpstate.said" and any(name.name == "say" for name in found.names)
        for found in imports
    )


def _literals(code: ast.expr) -> Iterator[str]:
    match code:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from _literals(body)
            yield from _literals(orelse)


def placeholders(message: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(message) if name}


def forms(message: str | Plural) -> tuple[str, ...]:
    return (message.one, message.many) if isinstance(message, Plural) else (message,)


def test_every_code_has_words_and_its_values() -> None:
    wrong = []
    for place, code, names, more in calls():
        message = messages().get(code)
        if message is None:
            wrong.append(f"{place}: {code} has no words")
            continue
        wanted = set().union(*map(placeholders, forms(message)))
        wanted |= {message.by} if isinstance(message, Plural) else set()
        if not more and wanted - names:
            wrong.append(f"{place}: {code} is not given {', '.join(sorted(wanted - names))}")
    assert not wrong, "\n".join(wrong)


def test_no_code_has_two_sentences() -> None:
    found: dict[str, str] = {}
    for room in iter_modules(words.__path__):
        table = getattr(import_module(f"kjpstate.words.{room.name}"), "MESSAGES", {})
        assert not found.keys() & table.keys()
        found |= dict.fromkeys(table, room.name)


def test_every_sentence_is_said_somewhere() -> None:
    """Literally, or as a text that stands in a table: the code itself is somewhere in the source."""
    texts = [
        path.read_text("utf-8")
        for path in (ROOT / "kjpstate").rglob("*.py")
        if "words" not in path.relative_to(ROOT).parts
    ]
    source = "\n".join(texts)
    pages = {f"{rule}.{part}" for rule in RULES for part in PAGE}
    said = pages | OWN
    unsaid = [code for code in messages() if code not in said and f'"{code}"' not in source]
    assert not unsaid, "\n".join(unsaid)


@pytest.mark.parametrize("code", sorted(messages()))
def test_a_code_is_one_and_its_sentence_can_be_filled(code: str) -> None:
    assert CODE.fullmatch(code)
    for form in forms(messages()[code]):
        assert form and all(name.isidentifier() for name in placeholders(form))


def test_a_message_travels_as_plain_values() -> None:
    said = say("lock.held", by=say("list.and", list=["a", "b"], last="c"), runs=[1, 2])
    assert said_of(plain(said)) == said and hash(said)
    assert isinstance(said.values["by"], Said) and said.values["runs"] == (1, 2)
    assert said_of(plain("text")) == "text"


def test_what_has_no_words_shows_its_code() -> None:
    assert text(say("no.such-code", path="/x")) == "[no.such-code path=/x]"
    assert text(say("list.and", list="a")) == "[list.and list=a]"
