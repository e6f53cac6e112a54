"""Where an edit that has no block yet belongs: exactly one place, or a Problem that shows all candidates.

What stands in a block of ours, of whatever set, is never searched. Called by `study`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from kjpstate.formats.typescript import Match, Pattern, Source, find, nearest
from kjpstate.formats.typescript.grammar import folded
from kjpstate.formats.typescript.patterns import HIDDEN, RUN
from kjpstate.formats.typescript.structure import (
    Fault,
    Place,
    braces,
    leading_comments,
    region,
    statement,
    whole,
)
from kjpstate.kinds.patch.markers import Block, line_end
from kjpstate.kinds.patch.problems import Problem
from kjpstate.kinds.patch.wanted import Edit


@dataclass(frozen=True)
class Spot:
    """Bytes `start:end` (whole lines; empty for an insert) that an edit's block takes the place of.

    `adopted`: the new text already stands there. `anchor`: the line to show, from 1. `ending`: the line end
    to write. `bare`: the line before is the file's last and has no line end.
    """

    start: int
    end: int
    indent: str
    ending: bytes
    anchor: int
    where: str
    adopted: bool = False
    bare: bool = False


@dataclass(frozen=True)
class Look:
    """A parsed file with the blocks in it."""

    source: Source
    blocks: Sequence[Block]

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
            return find(pattern, self.source, self.texts)
        first, last = self.source.leaf_from(area[0]), self.source.leaf_from(area[1] - 1)
        return find(pattern, self.source, self.texts, first, min(last + 1, len(self.texts)))

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


def locate(edit: Edit, look: Look) -> Spot | Problem:
    """The one place of `edit`, or why there is none."""
    area = search_area(edit, look)
    if isinstance(area, Problem):
        return area
    if edit.op == "replace":
        return _replaced(edit, look, area)
    if edit.module:
        standing = [place for place in _standing(edit, look, area) if place.module]
        if len(standing) > 1:
            return _near(edit, look, standing, "has its text in the file more than once already")
        if standing:
            return _adopt(edit, look, standing[0])
    return _inserted(edit, look, area)


def search_area(edit: Edit, look: Look) -> tuple[int, int] | Problem | None:
    """The bytes that `within` names; None without it."""
    if edit.within is None:
        return None
    matches = look.find(edit.within)
    if len(matches) != 1:
        return _not_one(edit, edit.within, look, matches, "within")
    return region(look.source, matches[0].first, matches[0].last)


def anchors(edit: Edit, look: Look, area: tuple[int, int] | None) -> list[Match]:
    """Every match of every form; of two forms at one place the one that is whole, else the longer."""
    best: dict[int, Match] = {}
    for form in edit.forms:
        for match in look.find(form, area):
            known = best.get(match.first)
            if known is None or (_is_whole(look, match), match.last) > (_is_whole(look, known), known.last):
                best[match.first] = match
    return sorted(best.values())


def _is_whole(look: Look, match: Match) -> bool:
    return isinstance(_whole(look, match), Place)


def _whole(look: Look, match: Match) -> Place | Fault:
    """The statements that a match is; a `;` or `,` right behind it belongs to it."""
    source, (start, end) = look.source, look.bytes_of(match)
    if match.last < len(look.texts) and look.texts[match.last] in (";", ","):
        longer = whole(source, start, source.ends[match.last])
        if isinstance(longer, Place) and not source.newline_before(match.last):
            return longer
    return whole(source, start, end)


def _standing(edit: Edit, look: Look, area: tuple[int, int] | None) -> list[Place]:
    """Where the new text already stands as whole statements."""
    if edit.words is None:
        return []
    found = (_whole(look, match) for match in look.find(edit.words, area))
    return [place for place in found if isinstance(place, Place)]


def _replaced(edit: Edit, look: Look, area: tuple[int, int] | None) -> Spot | Problem:
    standing = _standing(edit, look, area)
    matches = [
        match
        for match in anchors(edit, look, area)
        if not any(place.start <= look.bytes_of(match)[0] < place.end for place in standing)
    ]
    if not matches and len(standing) == 1:
        return _adopt(edit, look, standing[0])
    if not matches and standing:
        return _near(edit, look, standing, "has its text in the file more than once already")
    if len(matches) != 1:
        return _not_one(edit, edit.forms[0], look, matches)
    place = _whole(look, matches[0])
    if not isinstance(place, Place):
        return _unfit(edit, look, place, matches[0])
    if edit.module and not place.module:
        return _scope(edit, look, place.start)
    return _lines(edit, look, place)


def _inserted(edit: Edit, look: Look, area: tuple[int, int] | None) -> Spot | Problem:
    matches = anchors(edit, look, area)
    if len(matches) != 1:
        return _not_one(edit, edit.forms[0], look, matches)
    match = matches[0]
    if edit.op == "insert_inside":
        return _inside(edit, look, match)
    place = statement(look.source, look.source.starts[match.first])
    if not isinstance(place, Place):
        return _unfit(edit, look, place, match)
    if edit.module and not place.module:
        return _scope(edit, look, place.start)
    beside = _already(edit, look, place.start, place.end, match)
    if beside is not None:
        return beside
    return _before(edit, look, place) if edit.op == "insert_before" else _after(edit, look, place)


def _already(edit: Edit, look: Look, start: int, end: int, match: Match) -> Spot | Problem | None:
    """The new text right where it belongs (adopted), or elsewhere in the same block (a problem)."""
    source = look.source
    first, last = source.leaf_from(start), source.leaf_from(end - 1)
    inside = edit.op == "insert_inside"
    home = whole(source, start, end) if not inside else None
    same = []
    for place in _standing(edit, look, (start, end) if inside else None):
        one, other = source.leaf_from(place.start), source.leaf_from(place.end - 1)
        here = {
            "insert_before": other + 1 == first,
            "insert_after": one == _after_marks(look, last),
            "insert_inside": other + 1 == last if edit.at_end else one == first + 1,
        }[edit.op]
        if here:
            return _adopt(edit, look, place)
        container = place.container
        if (inside and container.start_byte == start) or (
            isinstance(home, Place) and home.container == container
        ):
            same.append(place)
    if same:
        reason = "has its text in the same block already, but in another place"
        return _near(edit, look, same, reason, source.starts[match.first])
    return None


def _after_marks(look: Look, last: int) -> int:
    """The first leaf behind a statement whose last leaf is `last`, its `;` or `,` passed over."""
    return last + 2 if last + 1 < len(look.texts) and look.texts[last + 1] in (";", ",") else last + 1


def _before(edit: Edit, look: Look, place: Place) -> Spot | Problem:
    source = look.source
    start = source.line_start(place.start)
    if source.data[start : place.start].strip():
        return _shares(edit, look, place.start)
    floor = max((block.end for block in look.blocks if block.end <= start), default=source.line_starts[0])
    start = leading_comments(source, place.start, floor)
    anchor = source.line(place.start)
    return Spot(
        start, start, _indent(source, place.start), _ending(source, start), anchor, f"before line {anchor}"
    )


def _after(edit: Edit, look: Look, place: Place) -> Spot | Problem:
    source = look.source
    last = source.leaf_from(place.end - 1)
    end = source.ends[_after_marks(look, last) - 1]
    if not _rest_is_free(source, end):
        return _shares(edit, look, end - 1)
    return _behind(look, source.line_end(end - 1), _indent(source, place.start), source.line(end - 1))


def _inside(edit: Edit, look: Look, match: Match) -> Spot | Problem:
    source = look.source
    block = braces(source, match.last - 1)
    if block is None:
        return _unfit(edit, look, "partial-statement", match)
    start, end = block
    if edit.module:
        return _scope(edit, look, start)
    already = _already(edit, look, start, end, match)
    if already is not None:
        return already
    one_line = source.line(start) == source.line(end - 1)
    if one_line or not _rest_is_free(source, start + 1):
        return _shares(edit, look, start)
    closing = source.line_start(end - 1)
    indent = _inner_indent(look, match.last, start, end)
    if not edit.at_end:
        return _behind(look, source.line_end(start), indent, source.line(start))
    if source.data[closing : end - 1].strip():
        return _shares(edit, look, end - 1)
    number = source.line(end - 1)
    return Spot(closing, closing, indent, _ending(source, closing), number, f"before line {number}")


def _behind(look: Look, start: int, indent: str, anchor: int) -> Spot:
    """An insert at the line after line `anchor`; the file may end there without a line end."""
    source = look.source
    bare = not _end_at(source, start)
    return Spot(start, start, indent, _ending(source, start - 1), anchor, f"after line {anchor}", bare=bare)


def _adopt(edit: Edit, look: Look, place: Place) -> Spot | Problem:
    """The lines on which the text stands, and above them the comments it begins with in the document."""
    spot = _lines(edit, look, place)
    if isinstance(spot, Problem):
        return spot
    source, start = look.source, spot.start
    floor = max((block.end for block in look.blocks if block.end <= start), default=0)
    above = source.comments_in(leading_comments(source, place.start, floor), start)
    count = len(edit.comments)
    words = [folded(source.data[one:other].decode(errors="replace")) for one, other in above]
    if count and tuple(words[-count:]) == edit.comments:
        start = source.line_start(above[-count][0])
    return replace(spot, start=start, adopted=True)


def _lines(edit: Edit, look: Look, place: Place) -> Spot | Problem:
    """The whole lines of `place`, if nothing else stands on them."""
    source = look.source
    start, end = source.line_start(place.start), source.line_end(place.end - 1)
    if source.data[start : place.start].strip() or not _rest_is_free(source, place.end):
        return _shares(edit, look, place.start)
    first, last = source.line(place.start), source.line(place.end - 1)
    endings = {line_end(line) for line in source.data[start:end].splitlines(keepends=True)} - {b""}
    if len(endings) > 1:
        text = source.line_text(first).strip()
        return Problem("mixed-eol", "would replace lines with mixed line ends", first, text, edit.id)
    where = f"line {first}" if first == last else f"lines {first}-{last}"
    return Spot(start, end, _indent(source, place.start), _ending(source, start), first, where)


def _rest_is_free(source: Source, offset: int) -> bool:
    """Whether after `offset` its line holds nothing but comments that end on it."""
    end = source.line_end(offset - 1)
    for one, other in source.comments_in(offset, len(source.data)):
        if one >= end:
            break
        if source.data[offset:one].strip() or other > end:
            return False
        offset = other
    return not source.data[offset:end].strip()


def _indent(source: Source, offset: int) -> str:
    line = source.data[source.line_start(offset) : offset].decode(errors="replace")
    return line[: len(line) - len(line.lstrip(" \t"))]


def _inner_indent(look: Look, first: int, start: int, end: int) -> str:
    """The indentation of what stands in the block, else one step more than the line that opens it."""
    source = look.source
    inner = first < len(source.starts) and source.starts[first] < end - 1
    if inner and source.newline_before(first):
        return _indent(source, source.starts[first])
    outer = source.data[source.line_start(start) : start].decode(errors="replace")
    outer = outer[: len(outer) - len(outer.lstrip(" \t"))]
    return outer + _step(source)


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


def _ending(source: Source, offset: int) -> bytes:
    """The line end of the line of `offset`, of the one before it, or a plain one."""
    return _end_at(source, source.line_end(offset)) or _end_at(source, source.line_start(offset)) or b"\n"


def _end_at(source: Source, offset: int) -> bytes:
    return line_end(source.data[max(offset - 2, 0) : offset])


def _not_one(edit: Edit, pattern: Pattern, look: Look, matches: Sequence[Match], key: str = "") -> Problem:
    offsets = [look.source.starts[match.first] for match in matches]
    what = f"`{key}`" if key else "place"
    if matches:
        found = look.listed(offsets)
        reason = f"has {len(matches)} places (lines {', '.join(str(number) for number, _ in found)})"
        if key:
            reason = f"has a `within` that stands in the file {len(matches)} times"
        return Problem("anchor-ambiguous", reason, found[0][0], found[0][1], edit.id, found[1:])
    for match in find(pattern, look.source):
        number = look.source.line(look.bytes_of(match)[0])
        inside = look.block_at(look.bytes_of(match)[0])
        if inside is not None:
            reason = f"has its {what} only inside the block {inside.name} (line {number})"
            text, cure = look.source.line_text(number).strip(), "anchor it beside that block"
            return Problem("anchor-missing", reason, number, text, edit.id, cure=cure)
    near = tuple((number, look.source.line_text(number).strip()) for number in nearest(pattern, look.source))
    if not near:
        reason = f"has no {what} in the file: {_first_line(pattern)}"
        return Problem("anchor-missing", reason, edit=edit.id, cure="write what stands in the file now")
    number, text = near[0]
    hint = " and ".join(_differences(pattern, look.source, number))
    reason = f"has no {what} any more; nearest is line {number}" + (
        f": the document expects {hint}" if hint else ""
    )
    cure = f"if that is right, write it as {f'`{key}`' if key else 'the anchor'}"
    if edit.op == "replace" and not key:
        cure = "if that is right, add it as a second accepted form"
    return Problem("anchor-missing", reason, number, text, edit.id, near[1:], cure)


def _first_line(pattern: Pattern) -> str:
    return next(line for line in pattern.text.splitlines() if line.strip()).strip()


def _differences(pattern: Pattern, source: Source, number: int) -> Iterator[str]:
    """What the pattern has otherwise than line `number`, when that is little; its wildcards are left out."""
    start = source.line_starts[number - 1]
    first, last = source.leaf_from(start), source.leaf_from(source.line_end(start) - 1)
    wanted = list(pattern.leaves[: pattern.leaves.index(RUN)] if RUN in pattern.leaves else pattern.leaves)
    found = source.texts[first : max(last, first)]
    while found and len(found) > 1 and found[0] in ("}", "else") and found[0] != wanted[0]:
        found, first = found[1:], first + 1
    found = found[: len(wanted) + 8]
    matcher = difflib.SequenceMatcher(None, wanted, found, autojunk=False)
    steps = [step for step in matcher.get_opcodes() if step[0] != "equal"]
    if steps and steps[-1][2] == len(wanted) and len(steps) > 1:
        steps.pop()
    if len(steps) > 2:
        return
    for tag, one, two, three, four in steps:
        missing = " ".join(wanted[one:two])
        extra = ""
        if four > three:
            extra = source.data[source.starts[first + three] : source.ends[first + four - 1]].decode()
        if tag == "insert":
            yield f"no `{extra}`"
        elif tag == "delete":
            yield f"`{missing}`"
        else:
            yield f"`{missing}`, not `{extra}`"


def _unfit(edit: Edit, look: Look, fault: Fault, match: Match) -> Problem:
    start, _ = look.bytes_of(match)
    number = look.source.line(start)
    text = look.source.line_text(number).strip()
    more: tuple[tuple[int, str], ...] = ()
    if fault == "unbraced-body":
        reason = f"would change a body without braces at line {number}"
    else:
        reason = f"fits only a part of the statement at line {number}"
        if match.last < len(look.source.texts):
            following = look.source.starts[match.last]
            reason += f"; {look.source.texts[match.last][:40]} follows"
            more = look.listed([following])
    return Problem(fault, reason, number, text, edit.id, more)


def _shares(edit: Edit, look: Look, offset: int) -> Problem:
    number = look.source.line(offset)
    reason = f"has its place on line {number}, where other code stands too"
    return Problem("anchor-shares-line", reason, number, look.source.line_text(number).strip(), edit.id)


def _scope(edit: Edit, look: Look, offset: int) -> Problem:
    number = look.source.line(offset)
    reason = f"has its place at line {number}, which is not at module level"
    cure = "anchor it at something outside of all functions, or drop `scope`"
    return Problem("scope", reason, number, look.source.line_text(number).strip(), edit.id, cure=cure)


def _near(
    edit: Edit, look: Look, standing: Sequence[Place], reason: str, anchor: int | None = None
) -> Problem:
    lines = look.listed([*(place.start for place in standing), *([anchor] if anchor is not None else [])])
    cure = "take the old text out, or move it to where the document says"
    return Problem("near", reason, lines[0][0], lines[0][1], edit.id, lines[1:], cure)
