"""Where an edit that has no block yet belongs: exactly one place, or a Problem that shows all
candidates.

What stands in a block of ours, of whatever set, is never searched. Called by `study` and
`standing`.
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
from kjpstate.kinds.patch.doubts import near, not_one, off_scope, shares, unfit
from kjpstate.kinds.patch.look import Look
from kjpstate.kinds.patch.problems import Problem
from kjpstate.kinds.patch.spots import (
    Spot,
    end_at,
    ending_of,
    indent_of,
    inner_indent,
    rest_is_free,
    whole_lines,
)
from kjpstate.kinds.patch.wanted import Edit


def locate(edit: Edit, look: Look) -> Spot | Problem:
    """The one place of `edit`, or why there is none."""
    area = search_area(edit, look)
    if isinstance(area, Problem):
        return area
    if edit.op == "replace":
        return _replaced(edit, look, area)
    if edit.module:
        already = [place for place in standing(edit, look, area) if place.module]
        if len(already) > 1:
            return near(edit, look, already, "has its text in the file more than once already")
        if already:
            return _adopt(edit, look, already[0])
    return _inserted(edit, look, area)


def search_area(edit: Edit, look: Look) -> tuple[int, int] | Problem | None:
    """The bytes that `within` names; None without it."""
    if edit.within is None:
        return None
    matches = look.find(edit.within)
    if len(matches) != 1:
        return not_one(edit, edit.within, look, matches, "within")
    return region(look.source, matches[0].first, matches[0].last)


def anchors(edit: Edit, look: Look, area: tuple[int, int] | None) -> list[Match]:
    """Every match of every form; of two forms at one place the one that is
    whole, else the longer."""
    if edit.after_imports:
        return _imports(look, area)
    best: dict[int, Match] = {}
    for form in edit.forms:
        for match in look.find(form, area):
            known = best.get(match.first)
            if known is None or (_is_whole(look, match), match.last) > (
                _is_whole(look, known),
                known.last,
            ):
                best[match.first] = match
    return sorted(best.values())


def _imports(look: Look, area: tuple[int, int] | None) -> list[Match]:
    """The module's last import, if it stands in `area`."""
    found = last_import(look.source, [(block.start, block.end) for block in look.blocks])
    if found is None or (area is not None and not area[0] <= found[0] < area[1]):
        return []
    return [Match(look.source.leaf_from(found[0]), look.source.leaf_from(found[1] - 1) + 1)]


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


def standing(edit: Edit, look: Look, area: tuple[int, int] | None) -> list[Place]:
    """Where the new text stands as whole statements, outside of blocks."""
    return statements(edit.words, look, area) if edit.words is not None else []


def statements(pattern: Pattern, look: Look, area: tuple[int, int] | None) -> list[Place]:
    """Where `pattern` is whole statements, outside of blocks."""
    found = (_whole(look, match) for match in look.find(pattern, area))
    return [place for place in found if isinstance(place, Place)]


def _replaced(edit: Edit, look: Look, area: tuple[int, int] | None) -> Spot | Problem:
    already = [place for place in standing(edit, look, area) if place.module or not edit.module]
    matches = [
        match
        for match in anchors(edit, look, area)
        if not any(place.start <= look.bytes_of(match)[0] < place.end for place in already)
    ]
    if not matches and len(already) == 1:
        return _adopt(edit, look, already[0])
    if not matches and already:
        return near(edit, look, already, "has its text in the file more than once already")
    if len(matches) != 1:
        return not_one(edit, edit.forms[0], look, matches)
    place = _whole(look, matches[0])
    if not isinstance(place, Place):
        return unfit(edit, look, place, matches[0])
    if edit.module and not place.module:
        return off_scope(edit, look, place.start)
    same = [other for other in standing(edit, look, None) if other.container == place.container]
    if same:
        return near(edit, look, same, "has its text in the same block already", place.start)
    return whole_lines(edit, look, place)


def _inserted(edit: Edit, look: Look, area: tuple[int, int] | None) -> Spot | Problem:
    matches = anchors(edit, look, area)
    if len(matches) != 1:
        return not_one(edit, edit.forms[0], look, matches)
    match = matches[0]
    if edit.op == "insert_inside":
        return _inside(edit, look, match)
    place = statement(look.source, look.source.starts[match.first])
    if not isinstance(place, Place):
        return unfit(edit, look, place, match)
    if edit.module and not place.module:
        return off_scope(edit, look, place.start)
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
    for place in standing(edit, look, (start, end) if inside else None):
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
        return near(edit, look, same, reason, source.starts[match.first])
    return None


def _after_marks(look: Look, last: int) -> int:
    """The first leaf behind a statement whose last leaf is `last`, its `;` or `,` passed over."""
    return (
        last + 2 if last + 1 < len(look.texts) and look.texts[last + 1] in (";", ",") else last + 1
    )


def _before(edit: Edit, look: Look, place: Place) -> Spot | Problem:
    source = look.source
    start = source.line_start(place.start)
    if source.data[start : place.start].strip():
        return shares(edit, look, place.start)
    floor = max(
        (block.end for block in look.blocks if block.end <= start), default=source.line_starts[0]
    )
    start = leading_comments(source, place.start, floor)
    anchor, indent = source.line(place.start), indent_of(source, place.start)
    return Spot(start, start, indent, ending_of(source, start), anchor, f"before line {anchor}")


def _after(edit: Edit, look: Look, place: Place) -> Spot | Problem:
    source = look.source
    last = source.leaf_from(place.end - 1)
    end = source.ends[_after_marks(look, last) - 1]
    if not rest_is_free(source, end):
        return shares(edit, look, end - 1)
    return _behind(
        look, source.line_end(end - 1), indent_of(source, place.start), source.line(end - 1)
    )


def _inside(edit: Edit, look: Look, match: Match) -> Spot | Problem:
    source = look.source
    block = braces(source, match.last - 1)
    if block is None:
        return unfit(edit, look, "partial-statement", match)
    start, end = block
    if edit.module:
        return off_scope(edit, look, start)
    already = _already(edit, look, start, end, match)
    if already is not None:
        return already
    one_line = source.line(start) == source.line(end - 1)
    if one_line or not rest_is_free(source, start + 1):
        return shares(edit, look, start)
    closing = source.line_start(end - 1)
    indent = inner_indent(look, match.last, start, end)
    if not edit.at_end:
        return _behind(look, source.line_end(start), indent, source.line(start))
    if source.data[closing : end - 1].strip():
        return shares(edit, look, end - 1)
    number = source.line(end - 1)
    return Spot(
        closing, closing, indent, ending_of(source, closing), number, f"before line {number}"
    )


def _behind(look: Look, start: int, indent: str, anchor: int) -> Spot:
    """An insert at the line after line `anchor`; the file may end there without a line end."""
    source = look.source
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


def _adopt(edit: Edit, look: Look, place: Place) -> Spot | Problem:
    """The lines on which the text stands, and above them the comments it begins with in the
    document."""
    spot = whole_lines(edit, look, place)
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
