"""Names that a set declares: free where it does, not hidden where it uses them.
Called by `study`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kjpstate.formats.typescript import fragment
from kjpstate.formats.typescript.structure import declared, declared_in, list_around, shadows
from kjpstate.kinds.patch.compose import Draft
from kjpstate.kinds.patch.look import Look
from kjpstate.kinds.patch.problems import Problem
from kjpstate.kinds.patch.wanted import Edit


def problems(
    look: Look, edits: Sequence[Edit], drafts: Sequence[Draft], path: str
) -> Iterator[Problem]:
    """name-taken and name-shadowed, for the edits that would be written."""
    by_id = {edit.id: edit for edit in edits}
    own = {edit.id: _declares(edit, path) for edit in edits} if drafts else {}
    shared = {name: edit.id for edit in edits if edit.module for name in own.get(edit.id, ())}
    for draft in drafts:
        yield from _taken(look, draft, own[draft.edit])
        yield from _shadowed(look, by_id[draft.edit], draft, shared)


def _declares(edit: Edit, path: str) -> set[str]:
    parsed = fragment(edit.content, path)
    return declared_in(*parsed) if parsed is not None else set()


def _taken(look: Look, draft: Draft, names: set[str]) -> Iterator[Problem]:
    source = look.source
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


def _shadowed(look: Look, edit: Edit, draft: Draft, shared: Mapping[str, str]) -> Iterator[Problem]:
    """Names of other edits at module level that this one uses where something nearer bears them."""
    words = set(edit.words.leaves) if edit.words is not None else set()
    used = {name for name in words & shared.keys() if shared[name] != edit.id}
    for name, offset in shadows(look.source, draft.start, used):
        number = look.source.line(offset)
        reason = f"uses {name} of edit {shared[name]}, but line {number} has another {name} nearer"
        yield Problem(
            "name-shadowed", reason, number, look.source.line_text(number).strip(), edit.id
        )
