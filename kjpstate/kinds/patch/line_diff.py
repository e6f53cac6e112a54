"""The text in a block before and after, line by line: for the counts of a plan and the rows below
an edit.

Called by `existing`. Blanks at a line's ends don't count, unless nothing else differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Literal

MOST_ROWS = 6
"""Lines of both texts that are shown; `--diff` has them all."""


@dataclass(frozen=True)
class Row:
    """One line: `-` as it stands in the file, at line `number`; `+` as the document says it, number
    0."""

    sign: Literal["-", "+"]
    number: int
    text: str


@dataclass(frozen=True)
class Changed:
    """Lines of code that come, go, or stand instead of others; `rows`: all of them, in order."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    rows: tuple[Row, ...] = field(default=(), repr=False)

    @property
    def shown(self) -> tuple[str, ...]:
        """The first rows as they stand below an edit: `  44 - const a = 1;`, and how many are left
        out."""
        width = max((len(str(row.number)) for row in self.rows), default=0)
        rows = [
            f"{row.number or '':>{width}} {row.sign} {row.text}" for row in self.rows[:MOST_ROWS]
        ]
        left = len(self.rows) - len(rows)
        return (
            (*rows, f"{'':>{width}}   and {left} more line{'s' * (left > 1)}")
            if left
            else tuple(rows)
        )

    @property
    def said(self) -> str:
        """`2 lines added, 1 changed`."""
        return counted((self.added, "added"), (self.changed, "changed"), (self.removed, "removed"))


UNCHANGED = Changed()


def compared(old: Sequence[str], new: Sequence[str], first: int) -> Changed:
    """How `old`, which stands in the file from line `first` on, becomes `new`."""
    left, right = [line.strip() for line in old], [line.strip() for line in new]
    if left == right:
        left, right = list(old), list(new)
    added = changed = removed = 0
    rows: list[Row] = []
    for tag, one, two, three, four in SequenceMatcher(
        None, left, right, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            both = min(two - one, four - three)
            added, changed, removed = (
                added + four - three - both,
                changed + both,
                removed + two - one - both,
            )
            rows += _rows(old[one:two], new[three:four], first + one)
    return Changed(added, changed, removed, tuple(rows))


def counted(*parts: tuple[int, str]) -> str:
    """`17 lines added, 3 replaced`: only the first that counts anything names the unit."""
    told = [(number, word) for number, word in parts if number]
    return ", ".join(
        f"{number} {word}" if place else f"{number} line{'' if number == 1 else 's'} {word}"
        for place, (number, word) in enumerate(told)
    )


def _rows(old: Sequence[str], new: Sequence[str], first: int) -> Iterator[Row]:
    yield from (Row("-", number, line.strip()) for number, line in enumerate(old, first))
    yield from (Row("+", 0, line.strip()) for line in new)
