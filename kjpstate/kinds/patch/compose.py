"""Drafts -> the file's new bytes, proven: it parses, each block is whole and says what it should,
and every byte outside of our blocks is as it was. Called by `compare` and `existing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kjpstate.formats.typescript import Source, fragment, read, reread, token_digest
from kjpstate.formats.typescript.structure import (
    Place,
    declared,
    declared_in,
    list_around,
    shadows,
    whole,
)
from kjpstate.kinds.patch import markers
from kjpstate.kinds.patch.edits import Edit, attributes, block_lines, block_text
from kjpstate.kinds.patch.line_diff import UNCHANGED, Changed
from kjpstate.kinds.patch.markers import Block
from kjpstate.kinds.patch.parsed import Parsed, Spot
from kjpstate.kinds.patch.problems import Problem
from kjpstate.kinds.patch.spec import Spec
from kjpstate.secret import shortened


@dataclass(frozen=True)
class Draft:
    """One block as it is to be written."""

    edit: str
    number: int
    start: int
    end: int
    text: bytes
    """It takes the place of the bytes `start:end`, which are whole lines."""
    where: str
    """The place, for people."""
    note: str
    """Its fate, for people."""
    added: int = 0
    """Lines of code that come."""
    replaced: int = 0
    """Lines of the file that go."""
    inside: Changed = UNCHANGED
    """The changes in a block that is there already."""
    hand: bool = False
    """True when it was edited by hand."""
    marks: bool = False
    """True when the code stays and only markers change."""


def new_draft(edit: Edit, spot: Spot, file: Parsed, spec: Spec) -> Draft:
    """The block of an edit that has none yet."""
    source, name = file.source, f"{spec.set}/{edit.id}"
    old_text = source.data[spot.start : spot.end]
    exact = spot.adopted and token_digest(source.leaves(spot.start, spot.end)) == edit.digest
    ended = markers.line_end(old_text)
    old = [
        line.rstrip("\r") for line in old_text[: len(old_text) - len(ended)].decode().split("\n")
    ]
    lines = old if exact else block_lines(edit, spec.path, spot.indent)
    replacing = spot.end > spot.start
    was = old if replacing and not exact else None
    said = attributes(edit, spec.path, was, adopted=exact)
    text = new_text(block_text(name, lines, said, was, spot.indent), spot.ending)
    if (replacing and not ended) or spot.bare:
        text = text[: len(text) - len(spot.ending)]
    if spot.bare:
        text = spot.ending + text
    shown = shortened(source.line_text(spot.anchor).strip(), 60)
    if exact:
        note = "stands there already: only its markers are added"
    elif spot.adopted:
        note = "stands there with other comments: rewritten, its lines are kept"
    else:
        note = shown + (" …" if replacing and len(old) > 1 else "")
    added = 0 if exact else len(lines)
    gone = 0 if was is None else len(was)
    return Draft(
        edit.id, edit.number, spot.start, spot.end, text, spot.where, note, added, gone, marks=exact
    )


def new_text(lines: Sequence[str], ending: bytes) -> bytes:
    """A block's bytes, each line with `ending`."""
    return b"".join(line.encode(errors="surrogatepass") + ending for line in lines)


def composed(
    file: Parsed, drafts: Sequence[Draft], edits: Sequence[Edit], spec: Spec, origin: bytes
) -> tuple[bytes, list[Problem]]:
    """The new bytes, or the old ones and what is wrong. `origin`: the file without any block of
    this set.

    The drafts must not overlap.
    """
    source = written(file, drafts)
    problems = _unproven(source, edits, spec, origin)
    if problems:
        problems = _unproven(read(source.data, spec.path), edits, spec, origin)
    return (file.source.data, problems) if problems else (source.data, [])


def written(file: Parsed, drafts: Sequence[Draft]) -> Source:
    """The file with the drafts in it; they must not overlap."""
    pieces, place = [], 0
    for draft in sorted(drafts, key=lambda draft: (draft.start, draft.end, draft.number)):
        pieces += [file.source.data[place : draft.start], draft.text]
        place = draft.end
    after = b"".join((*pieces, file.source.data[place:]))
    return reread(file.source, after, [(draft.start, draft.end, draft.text) for draft in drafts])


def overlaps(file: Parsed, drafts: Sequence[Draft]) -> list[Problem]:
    """Drafts whose lines meet each other's, or those of a block that is not their own."""
    taken = [(draft.start, draft.end, draft.edit) for draft in drafts]
    own = {(draft.start, draft.end) for draft in drafts}
    taken += [
        (block.start, block.end, block.name)
        for block in file.blocks
        if (block.start, block.end) not in own
    ]
    edits = {draft.edit for draft in drafts}
    problems = []
    for (_, end, one), (start, _, other) in pairwise(sorted(taken)):
        if start < end:
            guilty, party = (other, one) if other in edits else (one, other)
            number = file.source.line(start)
            reason = f"would change lines that {party} changes too (line {number})"
            cure = "make one edit of the two"
            text = file.source.line_text(number).strip()
            problems.append(Problem("overlap", reason, number, text, guilty, cure=cure))
    return problems


def _unproven(source: Source, edits: Sequence[Edit], spec: Spec, origin: bytes) -> list[Problem]:
    """Everything that speaks against the new bytes."""
    blocks, broken = markers.blocks_of(source)
    own = {block.edit: block for block in blocks if block.set == spec.set}
    fault = source.fault()
    if fault is not None:
        number = source.line(fault)
        near = min(own.values(), key=lambda block: abs(block.line - number), default=None)
        text = source.line_text(number).strip()
        reason = (
            f"has content that does not fit its place: the file would not be sound "
            f"TypeScript at `{text}`"
        )
        return [Problem("result-syntax", reason, edit=near.edit if near else "")]
    for edit in edits:
        block = own.get(edit.id)
        if block is None or broken:
            return [Problem("byte-guard", "would leave its markers unreadable", edit=edit.id)]
        if not _whole_body(source, block):
            reason = "has content that would run into the code around it"
            return [Problem("result-syntax", reason, edit=edit.id, cure="end it with a ;")]
        if token_digest(source.leaves(block.body, block.body_end)) != edit.digest:
            reason = "has content that reads otherwise at its place"
            return [Problem("result-syntax", reason, edit=edit.id, cure="write whole statements")]
    if markers.taken_out(source.data, list(own.values())) != origin:
        return [Problem("byte-guard", "would change bytes outside of its blocks")]
    return []


def _whole_body(source: Source, block: Block) -> bool:
    leaves = [leaf for leaf in source.leaves(block.body, block.body_end) if not leaf.comment]
    return not leaves or isinstance(whole(source, leaves[0].start, leaves[-1].end), Place)


def collisions(
    file: Parsed, edits: Sequence[Edit], drafts: Sequence[Draft], path: str
) -> Iterator[Problem]:
    """Names that an edit declares and its place has already, or uses and its place hides."""
    by_id = {edit.id: edit for edit in edits}
    own = {edit.id: _declares(edit, path) for edit in edits} if drafts else {}
    shared = {name: edit.id for edit in edits if edit.module for name in own.get(edit.id, ())}
    for draft in drafts:
        yield from _taken(file, draft, own[draft.edit])
        yield from _shadowed(file, by_id[draft.edit], draft, shared)


def _declares(edit: Edit, path: str) -> set[str]:
    parsed = fragment(edit.content, path)
    return declared_in(*parsed) if parsed is not None else set()


def _taken(file: Parsed, draft: Draft, names: set[str]) -> Iterator[Problem]:
    source = file.source
    told: set[str] = set()
    if not names:
        return
    for name, offset in declared(list_around(source, draft.start)):
        if name in names - told and not draft.start <= offset < draft.end:
            told.add(name)
            number = source.line(offset)
            reason = f"declares {name}, which line {number} declares too"
            yield Problem(
                "name-taken", reason, number, source.line_text(number).strip(), draft.edit
            )


def _shadowed(
    file: Parsed, edit: Edit, draft: Draft, shared: Mapping[str, str]
) -> Iterator[Problem]:
    """Names of other edits at module level that this one uses where something nearer bears them."""
    words = set(edit.words.leaves) if edit.words is not None else set()
    used = {name for name in words & shared.keys() if shared[name] != edit.id}
    for name, offset in shadows(file.source, draft.start, used):
        number = file.source.line(offset)
        reason = f"uses {name} of edit {shared[name]}, but line {number} has another {name} nearer"
        yield Problem(
            "name-shadowed", reason, number, file.source.line_text(number).strip(), edit.id
        )
