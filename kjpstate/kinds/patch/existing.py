"""A block that is there already: in sync, to be rewritten, moved, or in doubt.

Called by `compare`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kjpstate.formats.typescript import BadPattern, pattern_of, token_digest
from kjpstate.formats.typescript.patterns import HIDDEN
from kjpstate.formats.typescript.structure import at_module_level, braces, list_around
from kjpstate.kinds.patch import markers
from kjpstate.kinds.patch.compose import Draft, new_text
from kjpstate.kinds.patch.edits import Edit, attributes, block_lines, block_text, replaces
from kjpstate.kinds.patch.line_diff import MOST_ROWS, Changed, compared
from kjpstate.kinds.patch.markers import Block
from kjpstate.kinds.patch.parsed import Parsed
from kjpstate.kinds.patch.places import anchors, search_area, standing, statements
from kjpstate.kinds.patch.problems import Problem
from kjpstate.kinds.patch.spec import Spec
from kjpstate.secret import shortened

HAND = "edited by hand"
_UNNOTED = " under an older marker"


def digest(file: Parsed, block: Block) -> str:
    """The digest of the words that stand in the block now."""
    return token_digest(file.source.leaves(block.body, block.body_end))


def noted(file: Parsed, block: Block) -> str:
    """The digest of the words in the block, and whether its marker says another one."""
    return digest(file, block) + (_UNNOTED if by_hand(file, block) else "")


def unreadable(blocks: Iterable[Block]) -> list[Problem]:
    """Blocks of another version, or whose kept original was changed."""
    problems = []
    for block in blocks:
        if block.attributes["v"] != markers.VERSION:
            reason = (
                f"has a block written by another version of kjpstate (v={block.attributes['v']})"
            )
            problems.append(Problem("marker-version", reason, block.line, block.name, block.edit))
        elif block.was is not None and markers.was_digest(block.was) != block.attributes["was"]:
            reason = "has a block whose kept original (`was |`) was changed"
            problems.append(
                Problem("original-tampered", reason, block.line, block.name, block.edit)
            )
    return problems


def by_hand(file: Parsed, block: Block) -> bool:
    """Tell whether somebody changed the text in the block; a formatter did not."""
    return digest(file, block) != block.attributes["body"]


def refuses(spec: Spec, file: Parsed, block: Block) -> bool:
    """Tell whether the block was changed by hand and the document says to leave it then."""
    return spec.on_drift == "refuse" and by_hand(file, block)


def edited(file: Parsed, block: Block, edit: Edit | None, spec: Spec) -> Problem:
    """The refusal of a hand edit, with what stands there and what the document says."""
    source, last = file.source, file.source.line(block.end - 1)
    reason = f"was edited by hand inside its block, lines {block.line}-{last}"
    rows = inside(file, block, edit, spec).rows if edit is not None else ()
    wanted = [row.text for row in rows if row.sign == "+" and row.text]
    if wanted:
        more = f" (and {len(wanted) - 1} more)" if len(wanted) > 1 else ""
        reason += f"; the document says `{shortened(wanted[0], 60)}`{more}"
    lines = [row.number for row in rows if row.number][:MOST_ROWS] or [block.line]
    shown = [(number, source.line_text(number).strip()) for number in lines]
    return Problem("edited-by-hand", reason, *shown[0], block.edit, tuple(shown[1:]))


def inside(file: Parsed, block: Block, edit: Edit, spec: Spec) -> Changed:
    """Compare the block's text with the document's; of a secret text only how much differs."""
    source = file.source
    first = source.line(block.body)
    old = [source.line_text(number) for number in range(first, source.line(block.body_end))]
    found = compared(old, block_lines(edit, spec.path, block.indent), first)
    return replace(found, rows=()) if edit.hidden else found


def moved(edit: Edit, block: Block, spec: Spec) -> bool:
    """Tell whether the block was made for another place than the one the document names now."""
    if block.attributes["op"] != edit.op.replace("_", "-"):
        return True
    at = block.attributes.get("at")
    if at in edit.anchor_digests:
        return False
    if edit.op != "replace":
        return at is not None
    return block.was is not None and not replaces(edit, block.was, spec.path)


def step(edit: Edit, block: Block, file: Parsed, spec: Spec) -> Draft | Problem | None:
    """Nothing for a block in sync; else the block with the document's text, or why not."""
    problem = (
        _misplaced(edit, block, file)
        or _reappeared(edit, block, file, spec)
        or _needless(edit, block, file)
    )
    if problem is not None:
        return problem
    now = digest(file, block)
    if now == edit.digest:
        return _renewed(edit, block, file) if by_hand(file, block) else None
    hand = now != block.attributes["body"]
    if refuses(spec, file, block):
        return edited(file, block, edit, spec)
    source = file.source
    ending = markers.line_end(source.data[block.start : block.body])
    was = block.was
    kept = {key: value for key, value in block.attributes.items() if key not in ("adopted", "was")}
    if block.adopted:
        body = source.data[block.body : block.body_end].decode(errors="replace")
        was = tuple(line.rstrip("\r") for line in body.removesuffix("\n").split("\n"))
    lines = block_lines(edit, spec.path, block.indent)
    said = {**kept, **attributes(edit, spec.path, was)}
    text = new_text(block_text(block.name, lines, said, was, block.indent), ending)
    if not markers.line_end(source.data[block.start : block.end]):
        text = text[: len(text) - len(ending)]
    last = source.line(block.end - 1)
    differs = inside(file, block, edit, spec)
    note = (
        f"{HAND}: put back, the edited file is kept beside" if hand else f"its text: {differs.said}"
    )
    where = f"lines {block.line}-{last}"
    return Draft(
        edit.id, edit.number, block.start, block.end, text, where, note, inside=differs, hand=hand
    )


def _renewed(edit: Edit, block: Block, file: Parsed) -> Draft:
    """A hand edit that the document says by now: only the digest in its marker is behind."""
    source = file.source
    line = markers.begin_line(block.name, block.indent, {**block.attributes, "body": edit.digest})
    ending = markers.line_end(source.data[block.start : block.body])
    text = new_text([line], ending) + source.data[block.body : block.end]
    where = f"lines {block.line}-{source.line(block.end - 1)}"
    note = "as the document says by now; its marker takes note of that"
    return Draft(edit.id, edit.number, block.start, block.end, text, where, note, marks=True)


def moves(draft: Draft, file: Parsed, block: Block) -> Draft:
    """The draft of an edit whose block stands where an earlier document wanted it."""
    hand = by_hand(file, block)
    kept = f"; {HAND} there, the edited file is kept beside" if hand else ""
    return replace(draft, note=f"moves here from line {block.line}{kept}", hand=hand)


def removal(file: Parsed, block: Block, number: int) -> Draft:
    """Describe a block that comes out."""
    last = file.source.line(block.end - 1)
    if block.adopted:
        note = "loses its markers; the text was there before us and stays"
    elif block.was is not None:
        note = f"comes out; {len(block.was)} old line{'s' * (len(block.was) > 1)} come back"
    else:
        note = "comes out"
    if by_hand(file, block):
        note += f"; {HAND}, the edited file is kept beside"
    where = f"lines {block.line}-{last}"
    return Draft(
        block.edit, number, block.start, block.end, b"", where, note, hand=by_hand(file, block)
    )


def _misplaced(edit: Edit, block: Block, file: Parsed) -> Problem | None:
    source = file.source
    reason, right = "", block.start
    if edit.module and not at_module_level(source, block.start + len(block.indent), block.end):
        reason = "has a block that no longer stands at module level"
    area = search_area(edit, file)
    if isinstance(area, tuple) and not (
        area[0] <= block.start < area[1] or _borders(edit, block, file, area)
    ):
        reason, right = "has a block that stands outside of its `within`", area[0]
    if edit.op == "insert_inside" and not (edit.module or block.adopted):
        found = anchors(edit, file, None)
        home = braces(source, found[0].last - 1) if len(found) == 1 else None
        if home is not None and not home[0] <= block.start < home[1]:
            reason, right = "has a block that stands outside of the braces it belongs in", home[0]
    if not reason:
        return None
    cure = "take the block out by hand (all of its lines); it is then put where the document says"
    text = source.line_text(block.line).strip()
    return Problem("misplaced", reason, block.line, text, edit.id, file.listed([right]), cure)


def _borders(edit: Edit, block: Block, file: Parsed, area: tuple[int, int]) -> bool:
    """Tell whether an insert stands beside the very statement that `within` names, since its
    anchor is there."""
    source = file.source
    if edit.op == "insert_before":
        first, last = source.leaf_from(block.end), source.leaf_from(area[0])
    else:
        first, last = source.leaf_from(area[1] - 1) + 1, source.leaf_from(block.start)
    outside = edit.op in ("insert_before", "insert_after") and first <= last
    return outside and all(text in (HIDDEN, ";", ",") for text in file.texts[first:last])


def _needless(edit: Edit, block: Block, file: Parsed) -> Problem | None:
    """The very text of the block stands beside it without markers: the source has brought it
    itself.

    Where it stood by hand before the block did, others like it stood beside it before, too.
    """
    if block.stood:
        return None
    source = file.source
    home = list_around(source, block.start)
    twice = [place for place in standing(edit, file, None) if place.container == home]
    if not twice:
        return None
    number = source.line(twice[0].start)
    reason = f"is no longer needed: line {number} says the same as its block, without markers"
    return Problem(
        "no-longer-needed",
        reason,
        *file.listed([twice[0].start])[0],
        edit.id,
        file.listed([block.start]),
    )


def _reappeared(edit: Edit, block: Block, file: Parsed, spec: Spec) -> Problem | None:
    """The replaced text stands again beside its block, or in what stands there:
    a merge kept both."""
    if edit.op != "replace":
        return None
    try:
        forms = (
            [pattern_of("\n".join(block.was), spec.path, wildcards=False)]
            if block.was
            else edit.forms
        )
    except BadPattern:
        return None
    area = search_area(edit, file)
    within = area if isinstance(area, tuple) else None
    home = list_around(file.source, block.start)
    news = standing(edit, file, within)
    for place in (place for form in forms for place in statements(form, file, within)):
        beside = home.start_byte <= place.start < home.end_byte and (
            place.module or not edit.module
        )
        if beside and not any(new.start <= place.start < new.end for new in news):
            number = file.source.line(place.start)
            reason = f"has its old text in the file again, at line {number}, beside its block"
            text = file.source.line_text(number).strip()
            block_at = (block.line, file.source.line_text(block.line).strip())
            return Problem("original-reappeared", reason, number, text, edit.id, (block_at,))
    return None
