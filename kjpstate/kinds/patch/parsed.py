"""A parsed file with the blocks in it: how it is searched, and its whole lines. Called by the
kind's other modules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from kjpstate.formats.typescript import Match, Pattern, Source, Spent, find
from kjpstate.formats.typescript.patterns import HIDDEN
from kjpstate.formats.typescript.structure import Place
from kjpstate.kinds.patch.edits import Edit
from kjpstate.kinds.patch.markers import Block, line_end
from kjpstate.kinds.patch.problems import Problem


@dataclass(frozen=True)
class Parsed:
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


@dataclass(frozen=True)
class Spot:
    """Whole lines that the block of an edit takes the place of."""

    start: int
    end: int
    """Bytes `start:end`; empty for an insert."""
    indent: str
    ending: bytes
    """The line end to write."""
    anchor: int
    """The line to show, from 1."""
    where: str
    adopted: bool = False
    """True when the new text is there already."""
    bare: bool = False
    """True when the line before is the file's last and has no line end."""


def whole_lines(edit: Edit, file: Parsed, place: Place) -> Spot | Problem:
    """The whole lines of `place`, if nothing else stands on them."""
    source = file.source
    start, end = source.line_start(place.start), source.line_end(place.end - 1)
    if source.data[start : place.start].strip() or not rest_is_free(source, place.end):
        return shares(edit, file, place.start)
    first, last = source.line(place.start), source.line(place.end - 1)
    endings = {line_end(line) for line in source.data[start:end].splitlines(keepends=True)} - {b""}
    if len(endings) > 1:
        text = source.line_text(first).strip()
        return Problem(
            "mixed-eol", "would replace lines with mixed line ends", first, text, edit.id
        )
    where = f"line {first}" if first == last else f"lines {first}-{last}"
    return Spot(start, end, indent_of(source, place.start), ending_of(source, start), first, where)


def shares(edit: Edit, file: Parsed, offset: int) -> Problem:
    """A place on a line that is not free."""
    number = file.source.line(offset)
    reason = f"has its place on line {number}, where other code stands too"
    return Problem(
        "anchor-shares-line", reason, number, file.source.line_text(number).strip(), edit.id
    )


def rest_is_free(source: Source, offset: int) -> bool:
    """Tell whether after `offset` its line holds nothing but comments that end on it."""
    end = source.line_end(offset - 1)
    for one, other in source.comments_in(offset, len(source.data)):
        if one >= end:
            break
        if _words(source, offset, one) or other > end:
            return False
        offset = other
    return not _words(source, offset, end)


def _words(source: Source, start: int, end: int) -> str:
    return source.data[start:end].decode(errors="replace").strip()


def indent_of(source: Source, offset: int) -> str:
    """The blanks that the line of `offset` begins with."""
    line = source.data[source.line_start(offset) : offset].decode(errors="replace")
    return line[: len(line) - len(line.lstrip(" \t"))]


def inner_indent(file: Parsed, first: int, start: int, end: int) -> str:
    """The indentation of what stands in the block, else one step more than the
    line that opens it."""
    source = file.source
    inner = first < len(source.starts) and source.starts[first] < end - 1
    if inner and source.newline_before(first):
        return indent_of(source, source.starts[first])
    return indent_of(source, start) + _step(source)


def _step(source: Source) -> str:
    """One step of indentation as the file has it: a tab, or its smallest run of blanks."""
    sizes = set()
    for number in range(1, min(len(source.line_starts), 400) + 1):
        line = source.line_text(number)
        if line.startswith("\t"):
            return "\t"
        size = len(line) - len(line.lstrip(" "))
        if line.strip() and size > 1 and not line.lstrip().startswith("*"):
            sizes.add(size)
    return " " * min(sizes, default=2)


def ending_of(source: Source, offset: int) -> bytes:
    """The line end of the line of `offset`, of the one before it, or a plain one."""
    return (
        end_at(source, source.line_end(offset))
        or end_at(source, source.line_start(offset))
        or b"\n"
    )


def end_at(source: Source, offset: int) -> bytes:
    """The line end right before `offset`, or nothing."""
    return line_end(source.data[max(offset - 2, 0) : offset])
