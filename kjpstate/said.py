"""What is said, before anybody has put it into words: a code and what it speaks of. Pure.

Every room below `render` says codes; `words` has the sentence of each in the reader's language. So
a decision, a comparison, a saved plan and a history hold no sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Said:
    """One message. Equal by value; `str()` of it is for a log, never for a person."""

    code: str
    """Words joined by `-`, parts by `.`: a rule (`outside-may-change`), one of its wordings
    (`pm2-unreadable.no-node`), or what a room tells (`lock.held-by`)."""
    pairs: tuple[tuple[str, Any], ...] = ()
    """(name, value), by name. A value is a plain one, a Secret, a Said, or a tuple of these."""

    @property
    def values(self) -> dict[str, Any]:
        """What the message speaks of, by name."""
        return dict(self.pairs)

    def __str__(self) -> str:
        told = " ".join(f"{name}={value}" for name, value in self.pairs)
        return f"[{self.code}{told and ' '}{told}]"


Text: TypeAlias = Said | str
"""A message of ours; or a text of somebody else's (a program's, a document's), shown as it is."""


def say(code: str, /, **values: Any) -> Said:
    """The message `code` about these values; a list is kept as a tuple."""
    kept = {name: _kept(value) for name, value in values.items()}
    return Said(code, tuple(sorted(kept.items())))


def _kept(value: Any) -> Any:
    return tuple(map(_kept, value)) if isinstance(value, (list, tuple)) else value


def plain(text: Any) -> Any:
    """As JSON: a message as `{"code": …, "values": {…}}`, all else as it is."""
    match text:
        case Said(code=code, pairs=pairs):
            return {"code": code, "values": {name: plain(value) for name, value in pairs}}
        case list() | tuple():
            return [plain(item) for item in text]
        case _:
            return text


def said_of(value: Any) -> Any:
    """The other way round: what `plain` made of a text."""
    if isinstance(value, Mapping) and set(value) == {"code", "values"}:
        return say(
            str(value["code"]), **{name: said_of(item) for name, item in value["values"].items()}
        )
    return [said_of(item) for item in value] if isinstance(value, list) else value
