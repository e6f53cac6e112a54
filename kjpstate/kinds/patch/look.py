"""A parsed file with the blocks in it, and how it is searched. Called by the
kind's other modules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from kjpstate.formats.typescript import Match, Pattern, Source, Spent, find
from kjpstate.formats.typescript.patterns import HIDDEN
from kjpstate.kinds.patch.markers import Block


@dataclass(frozen=True)
class Look:
    """A parsed file with the blocks in it."""

    source: Source
    blocks: Sequence[Block]
    spent: Spent = field(default_factory=Spent, compare=False, repr=False)

    @cached_property
    def texts(self) -> list[str]:
        """The file's leaves; those in blocks are HIDDEN."""
        texts = list(self.source.texts)
        for block in self.blocks:
            first, last = self.source.leaf_from(block.start), self.source.leaf_from(block.end)
            texts[first:last] = [HIDDEN] * (last - first)
        return texts

    def find(self, pattern: Pattern, area: tuple[int, int] | None = None) -> list[Match]:
        """The matches of `pattern` outside of blocks, in the bytes of `area`."""
        if area is None:
            return find(pattern, self.source, self.texts, spent=self.spent)
        first, last = self.source.leaf_from(area[0]), self.source.leaf_from(area[1] - 1)
        last = min(last + 1, len(self.texts))
        return find(pattern, self.source, self.texts, first, last, spent=self.spent)

    def block_at(self, offset: int) -> Block | None:
        """The block that `offset` lies in."""
        return next((block for block in self.blocks if block.start <= offset < block.end), None)

    def bytes_of(self, match: Match) -> tuple[int, int]:
        """Where a match stands."""
        return self.source.starts[match.first], self.source.ends[match.last - 1]

    def listed(self, offsets: Sequence[int]) -> tuple[tuple[int, str], ...]:
        """(line, text) of each offset."""
        numbers = dict.fromkeys(self.source.line(offset) for offset in offsets)
        return tuple((number, self.source.line_text(number).strip()) for number in numbers)
