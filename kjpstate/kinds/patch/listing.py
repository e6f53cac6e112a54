"""The blocks of one file for people, and the hand edits in them as texts for the document.

Called by `cli/patch.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kjpstate.formats.typescript import Source, read
from kjpstate.kinds.patch import existing, markers
from kjpstate.kinds.patch.compare import unusable
from kjpstate.kinds.patch.edits import edits_of
from kjpstate.kinds.patch.markers import Block
from kjpstate.kinds.patch.parsed import Parsed
from kjpstate.kinds.patch.problems import Problem
from kjpstate.kinds.patch.spec import Spec


@dataclass(frozen=True)
class ShownBlock:
    """One block of a file."""

    name: str
    first: int
    last: int
    """Lines `first` to `last` from 1, markers included."""
    operation: str
    by_hand: bool
    """True when its text is not what its marker says; a formatter alone does not make it so."""
    adopted: bool
    original: tuple[str, ...] | None
    """The replaced lines; None for an insert."""


def blocks_shown(
    data: bytes | None, path: str, host: str
) -> tuple[list[ShownBlock], list[Problem]]:
    """Every block of every set in order, and what is wrong with the file or its markers. Raises
    NoParser."""
    file, problems = _sound(data, path, host)
    if file is None:
        return [], problems
    return [_shown(file, block) for block in file.blocks], problems


def hand_edits(spec: Spec, data: bytes | None) -> tuple[dict[str, str], list[Problem]]:
    """Edit -> the text that somebody wrote into its block, as `content`; or what keeps it from
    being read.

    A text that the document says already is no hand edit. Raises NoParser.
    """
    file, problems = _sound(data, spec.path, spec.host)
    edits, faults = edits_of(spec)
    if file is None or problems or faults:
        return {}, [*problems, *faults]
    wanted: Mapping[str, str] = {edit.id: edit.digest for edit in edits}
    own = [block for block in file.blocks if block.set == spec.set and block.edit in wanted]
    problems = existing.unreadable(own)
    if problems:
        return {}, problems
    return {
        block.edit: _text(file.source, block)
        for block in own
        if existing.by_hand(file, block) and existing.digest(file, block) != wanted[block.edit]
    }, []


def _sound(data: bytes | None, path: str, host: str) -> tuple[Parsed | None, list[Problem]]:
    problem = unusable(host, path, data)
    if problem is not None or data is None:
        return None, [problem] if problem is not None else []
    source = read(data, path)
    blocks, problems = markers.blocks_of(source)
    return Parsed(source, blocks), [*problems, *existing.unreadable(blocks)]


def _shown(file: Parsed, block: Block) -> ShownBlock:
    last = file.source.line(block.end - 1)
    edited = existing.by_hand(file, block)
    return ShownBlock(
        block.name, block.line, last, block.attributes["op"], edited, block.adopted, block.was
    )


def _text(source: Source, block: Block) -> str:
    """The block's text without its indentation; lines inside a template or
    string stay as they are."""
    inside: set[int] = set()
    for leaf in source.leaves(block.body, block.body_end):
        if not leaf.comment and source.data[leaf.start : leaf.start + 1] in (b"`", b"'", b'"'):
            inside.update(range(source.line(leaf.start) + 1, source.line(leaf.end - 1) + 1))
    numbers = range(source.line(block.body), source.line(block.body_end))
    lines = (
        source.line_text(number)
        if number in inside
        else _without(source.line_text(number), block.indent)
        for number in numbers
    )
    return "\n".join(lines).strip("\n")


def _without(line: str, indent: str) -> str:
    """`line` without `indent`, or without as much of it as it has."""
    size = 0
    while size < len(indent) and line[size : size + 1] == indent[size]:
        size += 1
    return line[size:] if line.strip() else ""
