"""Whole lines in a file: where they begin, how they are indented, how they end.
Called by `places`."""

from __future__ import annotations

from dataclasses import dataclass

from kjpstate.formats.typescript import Source
from kjpstate.formats.typescript.structure import Place
from kjpstate.kinds.patch.doubts import shares
from kjpstate.kinds.patch.look import Look
from kjpstate.kinds.patch.markers import line_end
from kjpstate.kinds.patch.problems import Problem
from kjpstate.kinds.patch.wanted import Edit


@dataclass(frozen=True)
class Spot:
    """Bytes `start:end` (whole lines; empty for an insert) that an edit's block takes the place of.

    `adopted`: the new text already stands there. `anchor`: the line to show, from 1. `ending`: the
    line end to write. `bare`: the line before is the file's last and has no line end.
    """

    start: int
    end: int
    indent: str
    ending: bytes
    anchor: int
    where: str
    adopted: bool = False
    bare: bool = False


def whole_lines(edit: Edit, look: Look, place: Place) -> Spot | Problem:
    """The whole lines of `place`, if nothing else stands on them."""
    source = look.source
    start, end = source.line_start(place.start), source.line_end(place.end - 1)
    if source.data[start : place.start].strip() or not rest_is_free(source, place.end):
        return shares(edit, look, place.start)
    first, last = source.line(place.start), source.line(place.end - 1)
    endings = {line_end(line) for line in source.data[start:end].splitlines(keepends=True)} - {b""}
    if len(endings) > 1:
        text = source.line_text(first).strip()
        return Problem(
            "mixed-eol", "would replace lines with mixed line ends", first, text, edit.id
        )
    where = f"line {first}" if first == last else f"lines {first}-{last}"
    return Spot(start, end, indent_of(source, place.start), ending_of(source, start), first, where)


def rest_is_free(source: Source, offset: int) -> bool:
    """Whether after `offset` its line holds nothing but comments that end on it."""
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


def inner_indent(look: Look, first: int, start: int, end: int) -> str:
    """The indentation of what stands in the block, else one step more than the
    line that opens it."""
    source = look.source
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
