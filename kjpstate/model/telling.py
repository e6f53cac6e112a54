"""What a kind tells of one resource, typed; a screen puts it into words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from kjpstate.said import Text


@dataclass(frozen=True)
class Note:
    """One line under an address, and lines of a source below it."""

    text: Text
    below: tuple[str, ...] = ()


@dataclass(frozen=True)
class Moves:
    """One value that becomes another one, as a row of a table."""

    key: str
    old: Text
    new: Text
    more: Text = ""
    """What follows the new value: where it holds."""
    apart: bool = False
    """Whether the row stands for itself, without the column of the keys."""


NOTHING: Final = "(none)"
"""The old or the new value of a row where there is none."""

Row: TypeAlias = Note | Moves


@dataclass(frozen=True)
class Told:
    """One resource for a screen, in its order."""

    headline: Text = ""
    """It follows the address."""
    rows: tuple[Row, ...] | None = None
    """None: the differences themselves are shown."""
    covers: tuple[Text, ...] = ()
    """The `why` of runs that the headline or a row says already."""
    names_owed: bool = False
    """Whether the headline says already what the change waits for."""
    name: str = ""
    """The app's own name, where the resource is one."""
    sick: Text = ""
    """Why that app is not alive."""
    left: tuple[Text, ...] = ()
    """What stands there and left the document; nothing is done about it."""
    mismatch: str = ""
    """The rule to tell when all was done and it still differs."""
    in_diff: bool = False
    """Whether the rows only sum up what `--diff` shows."""


@dataclass(frozen=True)
class Suggestion:
    """A command that a person may want to type after an apply."""

    why: Text
    command: str


@dataclass(frozen=True)
class Refuse:
    """Yielded instead of actions where going on would mean guessing or destroying.

    `rule` is an id of `rules.RULES`; `places` are lines like `src/wa.ts:389: if (…)`; `cure` what
    to type or change; `pointer` is where in the section the cause stands.
    """

    rule: str
    reason: Text
    places: tuple[Text, ...] = ()
    cure: Text = ""
    pointer: str = ""


@dataclass(frozen=True)
class Advice:
    """Legal, but it will not do what the writer hopes. `pointer` is a JSON
    pointer in the section."""

    rule: str
    reason: Text
    cure: Text = ""
    pointer: str = ""
    severity: Literal["breaks", "useless", "note"] = "useless"
