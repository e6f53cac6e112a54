"""Kind `patch`: one set of edits in one source file, between markers; all of them or none.

Everything that is known about a set stands in the file itself (see `markers`): no state is kept
elsewhere. Called through the face in `kjpstate.kinds`.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from kjpstate.formats.typescript import NoParser
from kjpstate.kinds.patch import worktree
from kjpstate.kinds.patch.changed import counted
from kjpstate.kinds.patch.problems import Problem, refusal
from kjpstate.kinds.patch.standing import HAND
from kjpstate.kinds.patch.study import Study, no_parser, study
from kjpstate.kinds.patch.wanted import edits_of
from kjpstate.model import (
    UNKNOWN,
    Action,
    Advice,
    Answers,
    Drift,
    File,
    ReadFile,
    Reading,
    Refuse,
    Spec,
    State,
    Unreadable,
    Upstream,
    WriteFile,
)
from kjpstate.secret import Secret, opened

KIND, ORDER, UNIT = "patch", 20, "source"

_FOREIGN = re.compile(r"[^\x00-\x7f]{2,}")
_UNDEFINED = {code: code for code in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}
"""Bytes that cp1252 gives no letter, and that most programs pass through as they are."""


def reads(spec: Spec) -> Iterable[Reading]:
    """The file, and whether it lies in a git work tree."""
    return (ReadFile(spec["host"], spec["path"]), *worktree.readings(spec))


def actual(spec: Spec, answers: Answers) -> State:
    """`edits`: id -> digest of the words in its block, or None; `problems`:
    what stands in the way."""
    content, unreadable = _disk(spec, answers)
    seen = _study(spec, content, unreadable)
    values = {
        "edits": {name: _digest(spec, name, value) for name, value in seen.found.items()},
        "problems": [problem.plain() for problem in seen.problems],
    }
    return State(values, {"before": content, "orphans": seen.orphans}, present=content is not None)


def desired(spec: Spec, answers: Answers, upstream: Upstream) -> State:
    """The digests of the document's texts, and the file's whole new bytes beside them.

    The base is what an earlier set of this plan will leave, else what is on disk. A set that is in
    sync on disk but no longer fits that base has UNKNOWN digests, so that it is refused and not
    passed over.
    """
    content, unreadable = _disk(spec, answers)
    planned = upstream.get((spec["host"], spec["path"]), content)
    base = planned if isinstance(planned, bytes) or planned is None else content
    seen = _study(spec, base, unreadable)
    values: dict[str, Any] = {
        name: _digest(spec, name, value) for name, value in seen.wanted.items()
    }
    if seen.problems and base != content:
        values = dict.fromkeys(values, UNKNOWN)
    beside = {
        "before": seen.before,
        "after": seen.after,
        "problems": [problem.plain() for problem in seen.problems],
        "headline": _headline(spec, seen),
        "notes": _notes(seen),
        "rows": tuple(draft.inside.shown for draft in seen.drafts),
        "worktree": worktree.worktree(spec, answers),
    }
    present = spec.get("state", "present") != "absent"
    return State({"edits": values, "problems": []}, beside, present=present)


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """The file."""
    return ((spec["host"], spec["path"]),)


def actions(spec: Spec, drift: Drift) -> Iterator[Action | Refuse]:
    """The one write of the whole file; or one refusal that shows every problem of every edit."""
    beside = drift.desired.beside
    if beside["problems"]:
        yield refusal(spec, beside["problems"])
    elif beside["before"] != beside["after"]:
        yield WriteFile(spec["host"], spec["path"], beside["before"], beside["after"])


def advice(spec: Spec, answers: Answers) -> Iterator[Advice]:
    """Texts that were decoded twice, wildcards that mean nothing, and a set that the source has by
    itself; where nobody has looked at the file, also what a plan would refuse in the document's own
    texts."""
    for number, edit in enumerate(opened(spec.get("edits", ()))):
        for key in (
            "content",
            "insert_before",
            "insert_after",
            "insert_inside",
            "replace",
            "within",
        ):
            forms = edit.get(key, ())
            for text in (forms,) if isinstance(forms, str) else forms:
                yield from _garbled(edit["id"], key, text, f"/edits/{number}/{key}")
        if "$$$" in edit["content"]:
            yield Advice(
                "wildcard-in-content",
                f"edit {edit['id']}: $$$ in `content` stands for nothing, it is written as it is",
                "write the code itself",
                f"/edits/{number}/content",
                "breaks",
            )
    if isinstance(answers.get(ReadFile(spec["host"], spec["path"])), Unreadable):
        yield from _texts(spec)
    else:
        yield from _taken_up(spec, answers)


def _texts(spec: Spec) -> Iterator[Advice]:
    """What a plan would refuse whatever the file holds; said while nobody has
    looked at the file."""
    try:
        problems = edits_of(spec)[1]
    except NoParser as error:
        problems = [no_parser(error)]
    for found in problems:
        told = refusal(spec, [found.plain()])
        yield Advice(told.rule, told.reason, told.cure, told.pointer, "breaks")


def _taken_up(spec: Spec, answers: Answers) -> Iterator[Advice]:
    """One advice when every edit is about to be adopted."""
    content, _ = _disk(spec, answers)
    seen = _study(spec, content, "") if content is not None else None
    if seen is None or len(seen.drafts) != len(spec.get("edits", ())):
        return
    if all(draft.marks and seen.found[draft.edit] is None for draft in seen.drafts):
        yield Advice(
            "no-longer-needed",
            f"{spec['display']} says all of set {spec['set']} by itself; only markers would be "
            "added",
            "take the set out of the document, if the source brings the change now",
        )


def _disk(spec: Spec, answers: Answers) -> tuple[bytes | None, str]:
    answer = answers.get(ReadFile(spec["host"], spec["path"]))
    if isinstance(answer, File):
        return answer.content, ""
    return None, answer.why if isinstance(answer, Unreadable) else ""


def _study(spec: Spec, content: bytes | None, unreadable: str) -> Study:
    if unreadable and content is None:
        named = {edit["id"]: None for edit in spec.get("edits", ())}
        problem = Problem("file-unreadable", f"can't be read on {spec['host']}: {unreadable}")
        return Study(named, named, None, None, problems=(problem,))
    return _studied(_Asked(_frozen(spec), spec), content)


@dataclass(frozen=True)
class _Asked:
    """A spec that can be compared: two of equal words are one question."""

    words: Hashable
    spec: Spec = field(compare=False)


@lru_cache(maxsize=8)
def _studied(asked: _Asked, content: bytes | None) -> Study:
    """The study that both states of one plan are made of, done once; so is that under the locks."""
    return study(asked.spec, content)


def _frozen(value: Any) -> Hashable:
    if isinstance(value, Mapping):
        return tuple((key, _frozen(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(item) for item in value)
    return value  # type: ignore[no-any-return]


def _digest(spec: Spec, name: str, value: str | None) -> str | Secret | None:
    """A digest as a value; hidden where the text holds a secret, which a digest would help to
    guess."""
    hidden = any(
        edit["id"] == name and isinstance(edit["content"], Secret) for edit in spec.get("edits", ())
    )
    return Secret(value) if hidden and value is not None else value


def _headline(spec: Spec, seen: Study) -> str:
    count = len(seen.drafts)
    edits = f"{count} edit{'' if count == 1 else 's'}"
    if spec.get("state", "present") == "absent":
        return f"{spec['display']}: {edits} taken out"
    hand = sum(draft.hand for draft in seen.drafts)
    lines = counted(
        (sum(draft.added + draft.inside.added for draft in seen.drafts), "added"),
        (sum(draft.inside.changed for draft in seen.drafts), "changed"),
        (sum(draft.inside.removed for draft in seen.drafts), "removed"),
        (sum(draft.replaced for draft in seen.drafts), "replaced"),
    )
    if seen.drafts and all(draft.marks for draft in seen.drafts):
        lines = "only markers change"
    by_hand = f"{hand} {HAND}" if hand else ""
    return ", ".join(filter(None, (f"{spec['display']}: {edits}", lines, by_hand)))


def _notes(seen: Study) -> tuple[str, ...]:
    names = max((len(draft.edit) for draft in seen.drafts), default=0)
    places = max((len(draft.where) for draft in seen.drafts), default=0)
    return tuple(
        f"{draft.edit:<{names + 2}}{draft.where:<{places + 2}}{draft.note}".rstrip()
        for draft in seen.drafts
    )


def _garbled(edit: str, key: str, text: str, pointer: str) -> Iterator[Advice]:
    """One advice for a text in which UTF-8 was read as Windows-1252 and written again."""
    for match in _FOREIGN.finditer(text):
        meant = _repaired(match.group())
        if meant is not None:
            yield Advice(
                "double-encoded",
                f"edit {edit}: {match.group()!r} in `{key}` looks like {meant!r}, decoded twice",
                f"write {meant}",
                pointer,
                "note" if key == "content" else "breaks",
            )
            return


def _repaired(text: str) -> str | None:
    raw = b""
    for letter in text:
        try:
            raw += (
                bytes([_UNDEFINED[ord(letter)]])
                if ord(letter) in _UNDEFINED
                else letter.encode("cp1252")
            )
        except UnicodeEncodeError:
            return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
