"""The problems that keep a set from being applied, and the one refusal made of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from kjpstate.kinds.patch.spec import Spec
from kjpstate.model import Refuse
from kjpstate.said import Text, say

_LONGEST = 160
"""Signs of a line of the file that are shown; a minified one has thousands."""


@dataclass(frozen=True)
class Problem:
    """One thing that keeps a set from being applied."""

    rule: str
    reason: str
    """It goes on after `edit NAME` or after the file's name."""
    line: int = 0
    """From 1; 0 for the whole file."""
    text: str = ""
    """That line of the file."""
    edit: str = ""
    more: tuple[tuple[int, str], ...] = ()
    """(number, text) of other lines to look at: candidates, or the nearest ones."""
    cure: str = ""
    """Empty: the rule's own."""


def refusal(spec: Spec, problems: Sequence[Problem]) -> Refuse:
    """One refusal for all that is wrong; the first problem gives the rule and the pointer."""
    first, shown = problems[0], spec.display
    reason, cure = f"{shown}: {_said(first)}", _cure(first)
    if len(problems) == 1:
        places = tuple(_lines(shown, first))
    else:
        reason = (
            f"{shown}: {len(problems)} problems: {', '.join(dict.fromkeys(map(_short, problems)))}"
        )
        places = tuple(_one_by_one(shown, problems))
        cure = "each of these as it says; until then nothing of the set is applied"
    return Refuse(first.rule, reason, places=places, cure=cure, pointer=_pointer(spec, first.edit))


def _said(problem: Problem) -> str:
    return f"edit {problem.edit} {problem.reason}" if problem.edit else problem.reason


def _short(problem: Problem) -> str:
    return f"{problem.rule} in edit {problem.edit}" if problem.edit else problem.rule


def _cure(problem: Problem) -> Text:
    return problem.cure or say(f"{problem.rule}.page-cure")


def _one_by_one(shown: str, problems: Sequence[Problem]) -> Iterator[str]:
    """Each problem with its lines and its cure; a cure that several share stands once, below."""
    for problem, after in zip_longest(problems, problems[1:]):
        yield f"{_said(problem)}   [{problem.rule}]"
        yield from (f"  {line}" for line in _lines(shown, problem))
        if after is None or _cure(after) != _cure(problem):
            yield f"  Cure: {_cure(problem)}"


def _lines(shown: str, problem: Problem) -> Iterator[str]:
    """The problem's line and the others to look at, each once."""
    first = [(problem.line, problem.text)] if problem.line else []
    found: dict[int, str] = {}
    for number, text in (*first, *problem.more):
        found.setdefault(number, text.strip())
    for number, text in found.items():
        cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        yield f"{shown}:{number}: {cut}" if text else f"{shown}:{number}"


def _pointer(spec: Spec, edit: str) -> str:
    for number, item in enumerate(spec.edits):
        if item.id == edit:
            return f"/edits/{number}"
    return ""
