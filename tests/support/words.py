"""The words of a message as the catalogue in use has them: what a test compares a screen with."""

from __future__ import annotations

from typing import Any

from kjpstate.said import Said, say
from kjpstate.words import text


def said(code: str, /, **values: Any) -> str:
    """The sentence of `code`; `values` as the room gives them, a message among them as `say(…)`."""
    found = text(say(code, **values))
    assert not found.startswith(f"[{code}"), f"{code} has no words, or not these values"
    return found


def codes(message: Any) -> list[str]:
    """The codes of a message and of all that it speaks of, the outermost first."""
    match message:
        case Said(code=code, pairs=pairs):
            return [code, *(inner for _, value in pairs for inner in codes(value))]
        case list() | tuple():
            return [inner for item in message for inner in codes(item)]
        case _:
            return []


def values(message: Any, name: str) -> list[Any]:
    """What a message, or one that it speaks of, has under `name`, the outermost first."""
    match message:
        case Said(pairs=pairs):
            own = [value for key, value in pairs if key == name]
            return own + [found for _, value in pairs for found in values(value, name)]
        case list() | tuple():
            return [found for item in message for found in values(item, name)]
        case _:
            return []
