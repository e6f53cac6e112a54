"""One set over the bytes of one file: what stands there, what should, the new bytes, or every
problem.

Called by the kind's face, once for what is on disk and once for what the plan will find there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from kjpstate.formats.encodings import zeros
from kjpstate.formats.typescript import NoParser, Source, TooFree, grammar_of, read
from kjpstate.formats.typescript.source import CLOSERS, OPENERS
from kjpstate.kinds.patch import existing, markers
from kjpstate.kinds.patch.compose import Draft, collisions, composed, new_draft, overlaps, written
from kjpstate.kinds.patch.edits import Edit, edits_of
from kjpstate.kinds.patch.markers import Block
from kjpstate.kinds.patch.parsed import Parsed, Spot
from kjpstate.kinds.patch.places import locate
from kjpstate.kinds.patch.problems import Problem
from kjpstate.kinds.patch.spec import Spec

MOST_BYTES, MOST_DEPTH = 2 * 1024 * 1024, 500
_CONFLICT = re.compile(rb"^(<{7}|>{7})( |\r?$)", re.MULTILINE)


@dataclass(frozen=True)
class Comparison:
    """A set over the bytes of its file."""

    found: Mapping[str, str | None]
    """Edit -> the digest of the words in its block, None without one."""
    wanted: Mapping[str, str | None]
    """Edit -> the digest of the document's words."""
    before: bytes | None
    """The file's bytes; None where there is no file."""
    after: bytes | None
    """The bytes as they should be."""
    drafts: tuple[Draft, ...] = ()
    problems: tuple[Problem, ...] = ()
    orphans: tuple[str, ...] = ()
    """Blocks that no edit of the document names, of this set, or of one that left the document."""

    @property
    def settled(self) -> bool:
        """Tell whether the file is as it should be."""
        return not (self.problems or self.drafts) and self.found == self.wanted


def compare(spec: Spec, data: bytes | None) -> Comparison:
    """Everything about the set `spec` in a file that holds `data` (None: there is no file)."""
    named = dict.fromkeys(edit.id for edit in spec.edits)
    if spec.absent and (data is None or markers.WORD.encode() not in data):
        return Comparison(named, named, data, data)
    try:
        problem = unusable(spec.host, spec.path, data)
        if problem is not None:
            texts = [] if spec.absent else edits_of(spec)[1]
            return Comparison(named, named, data, data, problems=(problem, *texts))
        assert data is not None
        return _removal(spec, data, named) if spec.absent else _presence(spec, data, named)
    except NoParser as error:
        return Comparison(named, named, data, data, problems=(_no_parser(error),))
    except TooFree as error:
        return Comparison(named, named, data, data, problems=(_too_free(spec, error),))


def _too_free(spec: Spec, error: TooFree) -> Problem:
    """The search was given up; of the other edits nothing is said."""
    for edit in edits_of(spec)[0]:
        for key, patterns in (
            (edit.op, edit.forms),
            ("within", (edit.within,)),
            ("content", (edit.words,)),
        ):
            if error.pattern in patterns:
                return Problem(
                    "anchor-too-free",
                    f"has a `{key}` that can't be looked for: {error}",
                    edit=edit.id,
                )
    return Problem("anchor-too-free", f"holds a block that can't be looked for: {error}")


def text_faults(spec: Spec) -> list[Problem]:
    """The problems of the document's own texts, whatever the file holds."""
    try:
        return edits_of(spec)[1]
    except NoParser as error:
        return [_no_parser(error)]


def _no_parser(error: NoParser) -> Problem:
    return Problem("no-tree-sitter", f"can't be read without tree-sitter ({error})")


def unusable(host: str, path: str, data: bytes | None) -> Problem | None:
    """Find the problem of the file as a whole."""
    if data is None:
        return Problem("file-missing", f"is not there: no file {path} on {host}")
    if grammar_of(path) is None:
        return Problem("not-typescript", "is neither TypeScript nor JavaScript by its name")
    kind = zeros(data)
    if kind == "utf-16":
        return Problem("not-utf8", "is UTF-16, not UTF-8")
    if kind:
        what = (
            "nothing but zero bytes, as a power cut leaves it" if kind == "empty" else "a zero byte"
        )
        return Problem("binary", f"holds {what}, so it is no source text")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        number = data[: error.start].count(b"\n") + 1
        text = data.split(b"\n")[number - 1].decode(errors="replace").strip()
        return Problem("not-utf8", f"is not UTF-8 at line {number}", number, text)
    lone = re.search(rb"\r(?!\n)", data)
    if lone is not None:
        number = data[: lone.start()].count(b"\n") + 1
        return Problem(
            "cr-eol", f"has a line end that is a carriage return alone, at line {number}", number
        )
    if len(data) > MOST_BYTES:
        reason = (
            f"is {len(data) // 1024} KiB large; a source file of up to {MOST_BYTES // 1024} is read"
        )
        return Problem("source-too-large", reason)
    source = read(data, path)
    return _unsound(source) or _too_deep(source)


def _too_deep(source: Source) -> Problem | None:
    depth = accumulate((text in OPENERS) - (text in CLOSERS) for text in source.texts)
    place = next((place for place, level in enumerate(depth) if level > MOST_DEPTH), None)
    if place is None:
        return None
    number = source.line(source.starts[place])
    reason = f"goes deeper than {MOST_DEPTH} brackets at line {number}"
    return Problem("source-too-large", reason, number, source.line_text(number).strip())


def _unsound(source: Source) -> Problem | None:
    fault = source.fault()
    if fault is None:
        return None
    conflicts = [source.line(match.start()) for match in _CONFLICT.finditer(source.data)]
    if conflicts:
        shown = [(number, source.line_text(number)) for number in conflicts]
        reason = f"holds an unresolved merge conflict at line {conflicts[0]}"
        return Problem("merge-conflict", reason, *shown[0], more=tuple(shown[1:]))
    number = source.line(fault)
    return Problem(
        "syntax",
        f"is not sound TypeScript at line {number}",
        number,
        source.line_text(number).strip(),
    )


def _presence(spec: Spec, data: bytes, named: Mapping[str, None]) -> Comparison:
    """Propose the new file, but only if it is then found in sync: else it would be proposed for
    ever."""
    seen, after = _proposed(spec, read(data, spec.path), named)
    if not seen.drafts:
        return seen
    again, _ = _proposed(spec, after, named)
    if not again.settled:
        again, _ = _proposed(spec, read(after.data, spec.path), named)
    if again.settled:
        return seen
    return replace(seen, after=data, drafts=(), problems=(_unsettled(seen, again),))


def _unsettled(seen: Comparison, again: Comparison) -> Problem:
    if again.problems:
        found = again.problems[0]
        edit, why = found.edit, f"it {found.reason}"
    else:
        changing = [
            name for name, digest in again.wanted.items() if again.found.get(name) != digest
        ]
        edit, why = (*changing, seen.drafts[0].edit)[0], "it would be written again"
    return Problem("unsettled", f"would be refused as soon as it stood: {why}", edit=edit)


def _proposed(spec: Spec, source: Source, named: Mapping[str, None]) -> tuple[Comparison, Source]:
    """Compare the set with a file; give the source that the file would then hold, too."""
    data = source.data
    edits, problems = edits_of(spec)
    wanted = {**named, **{edit.id: edit.digest for edit in edits}}
    file, faults = _parsed(source)
    own = {block.edit: block for block in file.blocks if block.set == spec.set}
    orphans = _orphans(spec, file.blocks) if not faults else ()
    found = {
        edit.id: existing.noted(file, own[edit.id]) if edit.id in own else None for edit in edits
    }
    faults += existing.unreadable(own.values())
    if problems or faults:
        seen = Comparison({**named, **found}, wanted, data, data, (), (*problems, *faults), orphans)
        return seen, source
    origin = markers.taken_out(data, list(own.values()))
    disk = file
    moved = {
        edit.id: own[edit.id]
        for edit in edits
        if edit.id in own and existing.moved(edit, own[edit.id], spec)
    }
    if moved:
        found |= {name: f"{found[name]} elsewhere" for name in moved}
        problems += [
            existing.edited(disk, moved[edit.id], edit, spec)
            for edit in edits
            if edit.id in moved and existing.refuses(spec, disk, moved[edit.id])
        ]
        file, _ = _parsed(read(markers.taken_out(data, list(moved.values())), spec.path))
        own = {block.edit: block for block in file.blocks if block.set == spec.set}
    drafts: list[Draft] = []
    for edit in edits:
        step = (
            existing.step(edit, own[edit.id], file, spec)
            if edit.id in own
            else _made(edit, file, spec)
        )
        if isinstance(step, Problem):
            problems.append(step)
        elif step is not None:
            drafts.append(existing.moves(step, disk, moved[edit.id]) if edit.id in moved else step)
    problems += collisions(file, edits, drafts, spec.path)
    problems += overlaps(file, drafts)
    after = file.source.data
    if not problems and drafts:
        after, problems = composed(file, drafts, edits, spec, origin)
    if problems:
        return Comparison(found, wanted, data, data, (), tuple(problems), orphans), source
    return Comparison(found, wanted, data, after, tuple(drafts), (), orphans), written(file, drafts)


def _removal(spec: Spec, data: bytes, named: Mapping[str, None]) -> Comparison:
    """The set taken out: every block that bears its name, whatever the document lists."""
    file, problems = _parsed(read(data, spec.path))
    own = [block for block in file.blocks if block.set == spec.set]
    wanted = {**named, **{block.edit: None for block in own}}
    found = {**named, **{block.edit: existing.digest(file, block) for block in own}}
    problems += existing.unreadable(own)
    edits = {edit.id: edit for edit in edits_of(spec)[0]}
    problems += [
        existing.edited(file, block, edits.get(block.edit), spec)
        for block in own
        if existing.refuses(spec, file, block)
    ]
    orphans = _orphans(spec, [block for block in file.blocks if block not in own])
    if problems or not own:
        return Comparison(found, wanted, data, data, problems=tuple(problems), orphans=orphans)
    after = markers.taken_out(data, own)
    fault = _unsound(read(after, spec.path))
    if fault is not None:
        reason = f"would not be sound TypeScript any more without its blocks, at line {fault.line}"
        problem = Problem("result-syntax", reason, fault.line, fault.text)
        return Comparison(found, wanted, data, data, problems=(problem,))
    drafts = tuple(existing.removal(file, block, number) for number, block in enumerate(own))
    return Comparison(found, wanted, data, after, drafts, orphans=orphans)


def _parsed(source: Source) -> tuple[Parsed, list[Problem]]:
    blocks, problems = markers.blocks_of(source)
    return Parsed(source, blocks), problems


def _made(edit: Edit, file: Parsed, spec: Spec) -> Draft | Problem:
    spot = locate(edit, file)
    return new_draft(edit, spot, file, spec) if isinstance(spot, Spot) else spot


def _orphans(spec: Spec, blocks: Sequence[Block]) -> tuple[str, ...]:
    """Blocks of this set without an edit, and of sets that the document does
    not know (any more)."""
    named = {edit.id for edit in spec.edits}
    return tuple(
        f"{spec.display}:{block.line} {block.name}"
        for block in blocks
        if (spec.sets and block.set not in spec.sets)
        or (block.set == spec.set and block.edit not in named)
    )
