"""What is said, before anybody has put it into words: a code and what it speaks of. Pure.

Every room below `render` says codes; `words` has the sentence of each in the reader's language. So
a decision, a comparison, a saved plan and a history hold no sentence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Said:
    """One message. Equal by value, whatever its words.

    Like a lazy string, it becomes words only when it is shown: `str()` asks the speaker that the
    edge has set, and shows the code where there is none.
    """

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
        return _speakers[-1](self) if _speakers else self.bare

    @property
    def bare(self) -> str:
        """The code and its values, for a log."""
        told = " ".join(f"{name}={value}" for name, value in self.pairs)
        return f"[{self.code}{told and ' '}{told}]"


_MARK = '{"code": '
"""What a packed message begins with."""

_speakers: list[Callable[[Said], str]] = []


def speaks(speaker: Callable[[Said], str]) -> None:
    """From now on `speaker` puts messages into words."""
    _speakers[:] = [speaker]


Text: TypeAlias = Said | str
"""A message of ours; or a text of somebody else's (a program's, a document's), shown as it is."""


def say(code: str, /, **values: Any) -> Said:
    """The message `code` about these values; a list is kept as a tuple."""
    kept = {name: _kept(value) for name, value in values.items()}
    return Said(code, tuple(sorted(kept.items())))


def _kept(value: Any) -> Any:
    return tuple(map(_kept, value)) if isinstance(value, (list, tuple, map)) else value


def over(text: Text, change: Callable[[str], str]) -> Text:
    """The text with `change` done to every string in it; a message stays the same message."""
    if isinstance(text, str):
        return change(text)
    return Said(text.code, tuple((name, _over(value, change)) for name, value in text.pairs))


def _over(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case str() | Said():
            return over(value, change)
        case tuple():
            return tuple(_over(item, change) for item in value)
        case _:
            return value


def packed(text: Text) -> str:
    """A text as one string that says in every language the same; `unpacked` gives it back, with
    each Secret as it is shown."""
    if isinstance(text, Said) or text.startswith(_MARK):
        said = text if isinstance(text, Said) else say("verbatim", text=text)
        return json.dumps(plain(said), default=format)
    return text


def unpacked(text: str) -> Text:
    """What `packed` was given; any other string as it is."""
    if not text.startswith(_MARK):
        return text
    try:
        found = said_of(json.loads(text))
    except (ValueError, TypeError):
        return text
    return found if isinstance(found, Said) else text


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
