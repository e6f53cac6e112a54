"""Where an edit that has no block yet belongs: exactly one place, or a Problem that shows all
candidates.

What stands in a block of ours, of whatever set, is never searched. Called by `compare` and
`existing`.
"""

from __future__ import annotations

from dataclasses import replace

from kjpstate.formats.typescript import Match, Pattern
from kjpstate.formats.typescript.grammar import folded
from kjpstate.formats.typescript.imports import last_import
from kjpstate.formats.typescript.structure import (
    Fault,
    Place,
    braces,
    leading_comments,
    region,
    statement,
    whole,
)
from kjpstate.kinds.patch.edits import Edit
from kjpstate.kinds.patch.parsed import (
    Parsed,
    Spot,
    end_at,
    ending_of,
    indent_of,
    inner_indent,
    rest_is_free,
    shares,
    whole_lines,
)
from kjpstate.kinds.patch.place_refusals import near, not_one, off_scope, unfit
from kjpstate.kinds.patch.problems import Problem


def locate(edit: Edit, file: Parsed) -> Spot | Problem:
    """The one place of `edit`, or why there is none."""
    area = search_area(edit, file)
    if isinstance(area, Problem):
        return area
    if edit.op == "replace":
        return _replaced(edit, file, area)
    if edit.module:
        already = [place for place in standing(edit, file, area) if place.module]
        if len(already) > 1:
            return near(edit, file, already, "has its text in the file more than once already")
        if already:
            return _adopt(edit, file, already[0])
    return _inserted(edit, file, area)


def search_area(edit: Edit, file: Parsed) -> tuple[int, int] | Problem | None:
    """The bytes that `within` names; None without it."""
    if edit.within is None:
        return None
    matches = file.find(edit.within)
    if len(matches) != 1:
        return not_one(edit, edit.within, file, matches, "within")
    return region(file.source, matches[0].first, matches[0].last)


def anchors(edit: Edit, file: Parsed, area: tuple[int, int] | None) -> list[Match]:
    """Every match of every form; of two forms at one place the one that is
    whole, else the longer."""
    if edit.after_imports:
        return _imports(file, area)
    best: dict[int, Match] = {}
    for form in edit.forms:
        for match in file.find(form, area):
            known = best.get(match.first)
            if known is None or (_is_whole(file, match), match.last) > (
                _is_whole(file, known),
                known.last,
            ):
                best[match.first] = match
    return sorted(best.values())


def _imports(file: Parsed, area: tuple[int, int] | None) -> list[Match]:
    """The module's last import, if it stands in `area`."""
    found = last_import(file.source, [(block.start, block.end) for block in file.blocks])
    if found is None or (area is not None and not area[0] <= found[0] < area[1]):
        return []
    return [Match(file.source.leaf_from(found[0]), file.source.leaf_from(found[1] - 1) + 1)]


def _is_whole(file: Parsed, match: Match) -> bool:
    return isinstance(_whole(file, match), Place)


def _whole(file: Parsed, match: Match) -> Place | Fault:
    """The statements that a match is; a `;` or `,` right behind it belongs to it."""
    source, (start, end) = file.source, file.bytes_of(match)
    if match.last < len(file.texts) and file.texts[match.last] in (";", ","):
        longer = whole(source, start, source.ends[match.last])
        if isinstance(longer, Place) and not source.newline_before(match.last):
            return longer
    return whole(source, start, end)


def standing(edit: Edit, file: Parsed, area: tuple[int, int] | None) -> list[Place]:
    """Where the new text stands as whole statements, outside of blocks."""
    return statements(edit.words, file, area) if edit.words is not None else []


def statements(pattern: Pattern, file: Parsed, area: tuple[int, int] | None) -> list[Place]:
    """Where `pattern` is whole statements, outside of blocks."""
    found = (_whole(file, match) for match in file.find(pattern, area))
    return [place for place in found if isinstance(place, Place)]


def _replaced(edit: Edit, file: Parsed, area: tuple[int, int] | None) -> Spot | Problem:
    already = [place for place in standing(edit, file, area) if place.module or not edit.module]
    matches = [
        match
        for match in anchors(edit, file, area)
        if not any(place.start <= file.bytes_of(match)[0] < place.end for place in already)
    ]
    if not matches and len(already) == 1:
        return _adopt(edit, file, already[0])
    if not matches and already:
        return near(edit, file, already, "has its text in the file more than once already")
    if len(matches) != 1:
        return not_one(edit, edit.forms[0], file, matches)
    place = _whole(file, matches[0])
    if not isinstance(place, Place):
        return unfit(edit, file, place, matches[0])
    if edit.module and not place.module:
        return off_scope(edit, file, place.start)
    same = [other for other in standing(edit, file, None) if other.container == place.container]
    if same:
        return near(edit, file, same, "has its text in the same block already", place.start)
    return whole_lines(edit, file, place)


def _inserted(edit: Edit, file: Parsed, area: tuple[int, int] | None) -> Spot | Problem:
    matches = anchors(edit, file, area)
    if len(matches) != 1:
        return not_one(edit, edit.forms[0], file, matches)
    match = matches[0]
    if edit.op == "insert_inside":
        return _inside(edit, file, match)
    place = statement(file.source, file.source.starts[match.first])
    if not isinstance(place, Place):
        return unfit(edit, file, place, match)
    if edit.module and not place.module:
        return off_scope(edit, file, place.start)
    beside = _already(edit, file, place.start, place.end, match)
    if beside is not None:
        return beside
    return _before(edit, file, place) if edit.op == "insert_before" else _after(edit, file, place)


def _already(edit: Edit, file: Parsed, start: int, end: int, match: Match) -> Spot | Problem | None:
    """The new text right where it belongs (adopted), or elsewhere in the same block (a problem)."""
    source = file.source
    first, last = source.leaf_from(start), source.leaf_from(end - 1)
    inside = edit.op == "insert_inside"
    home = whole(source, start, end) if not inside else None
    same = []
    for place in standing(edit, file, (start, end) if inside else None):
        one, other = source.leaf_from(place.start), source.leaf_from(place.end - 1)
        here = {
            "insert_before": other + 1 == first,
            "insert_after": one == _after_marks(file, last),
            "insert_inside": other + 1 == last if edit.at_end else one == first + 1,
        }[edit.op]
        if here:
            return _adopt(edit, file, place)
        container = place.container
        if (inside and container.start_byte == start) or (
            isinstance(home, Place) and home.container == container
        ):
            same.append(place)
    if same:
        reason = "has its text in the same block already, but in another place"
        return near(edit, file, same, reason, source.starts[match.first])
    return None


def _after_marks(file: Parsed, last: int) -> int:
    """The first leaf behind a statement whose last leaf is `last`, its `;` or `,` passed over."""
    return (
        last + 2 if last + 1 < len(file.texts) and file.texts[last + 1] in (";", ",") else last + 1
    )


def _before(edit: Edit, file: Parsed, place: Place) -> Spot | Problem:
    source = file.source
    start = source.line_start(place.start)
    if source.data[start : place.start].strip():
        return shares(edit, file, place.start)
    floor = max(
        (block.end for block in file.blocks if block.end <= start), default=source.line_starts[0]
    )
    start = leading_comments(source, place.start, floor)
    anchor, indent = source.line(place.start), indent_of(source, place.start)
    return Spot(start, start, indent, ending_of(source, start), anchor, f"before line {anchor}")


def _after(edit: Edit, file: Parsed, place: Place) -> Spot | Problem:
    source = file.source
    last = source.leaf_from(place.end - 1)
    end = source.ends[_after_marks(file, last) - 1]
    if not rest_is_free(source, end):
        return shares(edit, file, end - 1)
    return _behind(
        file, source.line_end(end - 1), indent_of(source, place.start), source.line(end - 1)
    )


def _inside(edit: Edit, file: Parsed, match: Match) -> Spot | Problem:
    source = file.source
    block = braces(source, match.last - 1)
    if block is None:
        return unfit(edit, file, "partial-statement", match)
    start, end = block
    if edit.module:
        return off_scope(edit, file, start)
    already = _already(edit, file, start, end, match)
    if already is not None:
        return already
    one_line = source.line(start) == source.line(end - 1)
    if one_line or not rest_is_free(source, start + 1):
        return shares(edit, file, start)
    closing = source.line_start(end - 1)
    indent = inner_indent(file, match.last, start, end)
    if not edit.at_end:
        return _behind(file, source.line_end(start), indent, source.line(start))
    if source.data[closing : end - 1].strip():
        return shares(edit, file, end - 1)
    number = source.line(end - 1)
    return Spot(
        closing, closing, indent, ending_of(source, closing), number, f"before line {number}"
    )


def _behind(file: Parsed, start: int, indent: str, anchor: int) -> Spot:
    """An insert at the line after line `anchor`; the file may end there without a line end."""
    source = file.source
    bare = not end_at(source, start)
    return Spot(
        start,
        start,
        indent,
        ending_of(source, start - 1),
        anchor,
        f"after line {anchor}",
        bare=bare,
    )


def _adopt(edit: Edit, file: Parsed, place: Place) -> Spot | Problem:
    """The lines on which the text stands, and above them the comments it begins with in the
    document."""
    spot = whole_lines(edit, file, place)
    if isinstance(spot, Problem):
        return spot
    source, start = file.source, spot.start
    floor = max((block.end for block in file.blocks if block.end <= start), default=0)
    above = source.comments_in(leading_comments(source, place.start, floor), start)
    count = len(edit.comments)
    words = [folded(source.data[one:other].decode(errors="replace")) for one, other in above]
    if count and tuple(words[-count:]) == edit.comments:
        start = source.line_start(above[-count][0])
    return replace(spot, start=start, adopted=True)
