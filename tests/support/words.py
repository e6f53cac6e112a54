"""The words of a message as the catalogue in use has them: what a test compares a screen with."""

from __future__ import annotations

from typing import Any

from kjpstate.said import say
from kjpstate.words import text


def said(code: str, /, **values: Any) -> str:
    """The sentence of `code`; `values` as the room gives them, a message among them as `say(…)`."""
    found = text(say(code, **values))
    assert not found.startswith(f"[{code}"), f"{code} has no words, or not these values"
    return found
