"""Kind `patch`: one set of edits in one source file, between markers; all of them or none.

Everything that is known about a set stands in the file itself (see `markers`): no state is kept
elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from kjpstate.formats.encodings import decoded_twice
from kjpstate.kinds.patch import git
from kjpstate.kinds.patch.compare import Comparison, compare, text_faults
from kjpstate.kinds.patch.compiler_errors import verdict as whose_errors
from kjpstate.kinds.patch.existing import HAND
from kjpstate.kinds.patch.line_diff import counted
from kjpstate.kinds.patch.problems import Problem, refusal
from kjpstate.kinds.patch.spec import EditSpec, Spec, made
from kjpstate.model import (
    Action,
    Advice,
    Answers,
    Change,
    Drift,
    File,
    Note,
    ReadFile,
    Reading,
    Refuse,
    State,
    Suggestion,
    Told,
    Unreadable,
    Upstream,
    WriteFile,
)
from kjpstate.said import Text
from kjpstate.secret import Secret, opened
from kjpstate.section import Made, Page

__all__ = ["EditSpec", "Spec", "whose_errors"]

KIND, ORDER, UNIT, SECTION = "patch", 20, "source", "patches"


@dataclass(frozen=True)
class View:
    """One set and its file."""

    spec: Spec
    content: bytes | None
    """The file on disk; None where there is none, or it can't be read."""
    base: bytes | None
    """The file as an earlier set of this plan will leave it, else as it is on disk."""
    unreadable: Text
    """Why the file can't be read."""
    worktree: str
    """The git work tree it lies in; "" for none."""

    @cached_property
    def disk(self) -> Comparison:
        """The set over what is on disk."""
        return self._compared(self.content)

    @cached_property
    def planned(self) -> Comparison:
        """The set over what the plan will find there."""
        return self.disk if self.base == self.content else self._compared(self.base)

    def _compared(self, content: bytes | None) -> Comparison:
        spec = self.spec
        if content is not None or not self.unreadable:
            return compare(spec, content)
        named = dict.fromkeys(edit.id for edit in spec.edits)
        problem = Problem("file-unreadable", f"can't be read on {spec.host}: {self.unreadable}")
        return Comparison(named, named, None, None, problems=(problem,))


def resources(page: Page, earlier: Sequence[Made]) -> list[Made]:
    """One set of edits in one file."""
    return made(page.sections(SECTION))


def reads(spec: Spec) -> Iterable[Reading]:
    """The file, and whether it lies in a git work tree."""
    return (_file(spec), *git.readings(spec))


def see(spec: Spec, answers: Answers, upstream: Upstream) -> View:
    """The file as it is, and as the plan will find it."""
    answer = answers.get(_file(spec))
    content = answer.content if isinstance(answer, File) else None
    planned = upstream.get((spec.host, spec.path), content)
    return View(
        spec,
        content,
        planned if isinstance(planned, bytes) or planned is None else content,
        answer.why if isinstance(answer, Unreadable) else "",
        git.worktree(spec, answers),
    )


def actual(view: View) -> State:
    """`edits`: id -> digest of the words in its block, or None."""
    found = view.disk.found
    return State({"edits": _digests(view.spec, found)}, present=view.content is not None)


def desired(view: View) -> State:
    """The digests of the document's texts."""
    wanted = view.planned.wanted
    return State({"edits": _digests(view.spec, wanted)}, present=not view.spec.absent)


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """The file."""
    return ((spec.host, spec.path),)


def refusals(view: View) -> Iterator[Refuse]:
    """One refusal that shows every problem of every edit."""
    if view.planned.problems:
        yield refusal(view.spec, view.planned.problems)


def actions(view: View, drift: Drift) -> Iterator[Action]:
    """The one write of the whole file."""
    before, after = view.planned.before, view.planned.after
    if before != after:
        yield WriteFile(view.spec.host, view.spec.path, before, after)


def advice(view: View) -> Iterator[Advice]:
    """Texts that were decoded twice, wildcards that mean nothing, and a set that the source has by
    itself; where nobody has looked at the file, also what a plan would refuse in the document's own
    texts."""
    for number, edit in enumerate(view.spec.edits):
        for key, text in _texts(edit):
            yield from _garbled(edit.id, key, text, f"/edits/{number}/{key}")
        if "$$$" in opened(edit.content):
            yield Advice(
                "wildcard-in-content",
                f"edit {edit.id}: $$$ in `content` stands for nothing, it is written as it is",
                "write the code itself",
                f"/edits/{number}/content",
                "breaks",
            )
    if view.unreadable:
        yield from _faults(view.spec)
    elif view.content is not None:
        yield from _taken_up(view)


def told(view: View, drift: Drift | None) -> Told:
    """How many lines change, each edit with its place, and blocks that left the document."""
    return Told(_headline(view), _rows(view.planned), in_diff=True, left=view.disk.orphans)


def after_apply(changes: Iterable[Change]) -> Iterator[Suggestion]:
    """Commits that keep what was patched."""
    views = (change.drift.view for change in changes)
    return git.commits((view.spec, view.worktree) for view in views if isinstance(view, View))


def _file(spec: Spec) -> ReadFile:
    return ReadFile(spec.host, spec.path)


def _digests(spec: Spec, digests: Mapping[str, str | None]) -> dict[str, str | Secret | None]:
    """Digests as values; hidden where the text holds a secret, which a digest would help to
    guess."""
    hidden = {edit.id for edit in spec.edits if isinstance(edit.content, Secret)}
    return {
        name: Secret(value) if name in hidden and value is not None else value
        for name, value in digests.items()
    }


def _headline(view: View) -> str:
    shown, drafts = view.spec.display, view.planned.drafts
    edits = f"{len(drafts)} edit{'' if len(drafts) == 1 else 's'}"
    if view.spec.absent:
        return f"{shown}: {edits} taken out"
    hand = sum(draft.hand for draft in drafts)
    lines = counted(
        (sum(draft.added + draft.inside.added for draft in drafts), "added"),
        (sum(draft.inside.changed for draft in drafts), "changed"),
        (sum(draft.inside.removed for draft in drafts), "removed"),
        (sum(draft.replaced for draft in drafts), "replaced"),
    )
    if drafts and all(draft.marks for draft in drafts):
        lines = "only markers change"
    by_hand = f"{hand} {HAND}" if hand else ""
    return ", ".join(filter(None, (f"{shown}: {edits}", lines, by_hand)))


def _rows(seen: Comparison) -> tuple[Note, ...]:
    names = max((len(draft.edit) for draft in seen.drafts), default=0)
    places = max((len(draft.where) for draft in seen.drafts), default=0)
    return tuple(
        Note(
            f"{draft.edit:<{names + 2}}{draft.where:<{places + 2}}{draft.note}".rstrip(),
            draft.inside.shown,
        )
        for draft in seen.drafts
    )


def _texts(edit: EditSpec) -> Iterator[tuple[str, str]]:
    """(key, text) of all that the document says of an edit."""
    yield "content", opened(edit.content)
    yield from ((edit.operation, opened(form)) for form in edit.forms)
    if edit.within is not None:
        yield "within", opened(edit.within)


def _garbled(edit: str, key: str, text: str, pointer: str) -> Iterator[Advice]:
    """One advice for a text in which UTF-8 was read as Windows-1252 and written again."""
    for found, meant in decoded_twice(text):
        yield Advice(
            "double-encoded",
            f"edit {edit}: {found!r} in `{key}` looks like {meant!r}, decoded twice",
            f"write {meant}",
            pointer,
            "note" if key == "content" else "breaks",
        )
        return


def _faults(spec: Spec) -> Iterator[Advice]:
    """Refusals of a plan whatever the file holds; told while nobody has looked at the file."""
    for found in text_faults(spec):
        item = refusal(spec, [found])
        yield Advice(item.rule, item.reason, item.cure, item.pointer, "breaks")


def _taken_up(view: View) -> Iterator[Advice]:
    """One advice when every edit is about to be adopted."""
    spec, seen = view.spec, view.disk
    if len(seen.drafts) != len(spec.edits):
        return
    if all(draft.marks and seen.found[draft.edit] is None for draft in seen.drafts):
        yield Advice(
            "no-longer-needed",
            f"{spec.display} says all of set {spec.set} by itself; only markers would be added",
            "take the set out of the document, if the source brings the change now",
        )
