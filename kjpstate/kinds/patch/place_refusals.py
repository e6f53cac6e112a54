"""Why an edit has no place, with the lines to look at. Called by `places`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from kjpstate.formats.typescript import Match, Pattern, Source, find, nearest
from kjpstate.formats.typescript.patterns import RUN
from kjpstate.formats.typescript.structure import Fault, Place
from kjpstate.kinds.patch.edits import Edit
from kjpstate.kinds.patch.parsed import Parsed
from kjpstate.kinds.patch.problems import Problem
from kjpstate.secret import shortened

_MOST_FORMS, _MOST_LEAVES = 8, 200
"""The most that is compared to find the nearest line: the time grows with the square of it."""


def not_one(
    edit: Edit, pattern: Pattern, file: Parsed, matches: Sequence[Match], key: str = ""
) -> Problem:
    """None or several matches: all of them, or the nearest lines and what is otherwise there."""
    if edit.after_imports and not key:
        reason = "has no place: the file imports nothing, so there is nothing to stand after"
        cure = "name a statement that stands in the file: insert_before, or insert_after"
        return Problem("anchor-missing", reason, edit=edit.id, cure=cure)
    offsets = [file.source.starts[match.first] for match in matches]
    what = f"`{key}`" if key else "place"
    if matches:
        found = file.listed(offsets)
        reason = (
            f"has {len(matches)} places (lines {', '.join(str(number) for number, _ in found)})"
        )
        if key:
            reason = f"has a `within` that stands in the file {len(matches)} times"
        return Problem("anchor-ambiguous", reason, found[0][0], found[0][1], edit.id, found[1:])
    for match in find(pattern, file.source):
        number = file.source.line(file.bytes_of(match)[0])
        inside = file.block_at(file.bytes_of(match)[0])
        if inside is not None:
            reason = f"has its {what} only inside the block {inside.name} (line {number})"
            text, cure = file.source.line_text(number).strip(), "anchor it beside that block"
            return Problem("anchor-missing", reason, number, text, edit.id, cure=cure)
    pattern = _closest(edit, file.source) if edit.op == "replace" and not key else pattern
    near = tuple(
        (number, file.source.line_text(number).strip()) for number in nearest(pattern, file.source)
    )
    if not near:
        reason = f"has no {what} in the file: `{_first_line(pattern)}`"
        return Problem(
            "anchor-missing", reason, edit=edit.id, cure="write what stands in the file now"
        )
    number, text = near[0]
    hint = " and ".join(
        _differences(pattern, file.source, number, edit.op == "replace" and not key)
    )
    reason = f"has no {what} any more; nearest is line {number}" + (
        f": the document expects {hint}" if hint else ""
    )
    cure = f"if that is right, write it as {f'`{key}`' if key else 'the anchor'}"
    if edit.op == "replace" and not key:
        cure = "if that is right, add it as a second accepted form"
    return Problem("anchor-missing", reason, number, text, edit.id, near[1:], cure)


def _closest(edit: Edit, source: Source) -> Pattern:
    """Choose the accepted form whose first line comes nearest to a line of the file."""

    def likeness(form: Pattern) -> float:
        lines = nearest(form, source, 1)
        text = source.line_text(lines[0]).strip() if lines else ""
        return difflib.SequenceMatcher(None, _first_line(form), text, autojunk=False).ratio()

    return max(edit.forms[:_MOST_FORMS], key=likeness) if len(edit.forms) > 1 else edit.forms[0]


def _first_line(pattern: Pattern) -> str:
    return shortened(next(line for line in pattern.text.splitlines() if line.strip()).strip(), 160)


def _differences(pattern: Pattern, source: Source, number: int, whole: bool) -> Iterator[str]:
    """Name the few differences between the pattern and line `number`; wildcards are left out.

    `whole`: it must fit from the first word of the line on, else it may begin anywhere.
    """
    start = source.line_starts[number - 1]
    first, last = source.leaf_from(start), source.leaf_from(source.line_end(start) - 1)
    wanted = list(
        pattern.leaves[: pattern.leaves.index(RUN)] if RUN in pattern.leaves else pattern.leaves
    )
    wanted = wanted[:_MOST_LEAVES]
    found = source.texts[first : max(last, first)]
    while found and len(found) > 1 and found[0] in ("}", "else") and found[0] != wanted[0]:
        found, first = found[1:], first + 1
    found = found[: len(wanted) + 8]
    matcher = difflib.SequenceMatcher(None, wanted, found, autojunk=False)
    steps = [
        step
        for step in matcher.get_opcodes()
        if step[0] != "equal" and not _names(wanted[step[1] : step[2]], found[step[3] : step[4]])
    ]
    if not whole and steps and steps[0][:3] == ("insert", 0, 0):
        steps = steps[1:]
    if steps and steps[-1][2] == len(wanted) and len(steps) > 1:
        steps.pop()
    if len(steps) > 2:
        return
    for tag, one, two, three, four in steps:
        missing = " ".join(wanted[one:two])
        extra = ""
        if four > three:
            extra = source.data[
                source.starts[first + three] : source.ends[first + four - 1]
            ].decode()
        if tag == "insert":
            yield f"no `{extra}`"
        elif tag == "delete":
            yield f"`{missing}`"
        else:
            yield f"`{missing}`, not `{extra}`"


def _names(wanted: Sequence[str], found: Sequence[str]) -> bool:
    """Tell whether a `$NAME` stands beside one identifier, which it may be."""
    return len(wanted) == len(found) == 1 and wanted[0].startswith("$") and found[0].isidentifier()


def unfit(edit: Edit, file: Parsed, fault: Fault, match: Match) -> Problem:
    """A match that is no whole statement."""
    start, _ = file.bytes_of(match)
    number = file.source.line(start)
    text = file.source.line_text(number).strip()
    more: tuple[tuple[int, str], ...] = ()
    if fault == "unbraced-body":
        reason = f"would change a body without braces at line {number}"
    elif edit.op != "replace":
        reason = f"has an anchor that begins in the middle of a statement, at line {number}"
        cure = "anchor it at the beginning of a statement"
        return Problem(fault, reason, number, text, edit.id, cure=cure)
    else:
        reason = f"fits only a part of the statement at line {number}"
        if match.last < len(file.source.texts):
            following = file.source.starts[match.last]
            reason += f"; {file.source.texts[match.last][:40]} follows"
            more = file.listed([following])
    return Problem(fault, reason, number, text, edit.id, more)


def off_scope(edit: Edit, file: Parsed, offset: int) -> Problem:
    """A place that is not at module level."""
    number = file.source.line(offset)
    reason = f"has its place at line {number}, which is not at module level"
    cure = "anchor it at something outside of all functions, or drop `scope`"
    return Problem(
        "scope", reason, number, file.source.line_text(number).strip(), edit.id, cure=cure
    )


def near(
    edit: Edit, file: Parsed, standing: Sequence[Place], reason: str, anchor: int | None = None
) -> Problem:
    """The new text elsewhere than where it belongs."""
    lines = file.listed(
        [*(place.start for place in standing), *([anchor] if anchor is not None else [])]
    )
    cure = "take the old text out, or move it to where the document says"
    return Problem("near", reason, lines[0][0], lines[0][1], edit.id, lines[1:], cure)
