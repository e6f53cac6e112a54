"""What keeps a set from being applied, as plain values, and the one refusal made of all of them.

Called by the kind's other modules; `Problem.plain` is what stands in a state's `problems`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from kjpstate.model import Refuse, Spec
from kjpstate.rules import RULES

_LONGEST = 160
"""Signs of a line of the file that are shown; a minified one has thousands."""


@dataclass(frozen=True)
class Problem:
    """`reason` goes on after `edit NAME` or after the file's name. `line` from 1, 0 for the whole
    file.

    `more`: other lines to look at, as (number, text): candidates, or what looks nearest.
    """

    rule: str
    reason: str
    line: int = 0
    text: str = ""
    edit: str = ""
    more: tuple[tuple[int, str], ...] = ()
    cure: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON, the keys in this order: rule, edit, line, text, reason, more [{line, text}]."""
        return {
            "rule": self.rule,
            "edit": self.edit,
            "line": self.line,
            "text": self.text,
            "reason": self.reason,
            "more": [{"line": number, "text": text} for number, text in self.more],
            "cure": self.cure,
        }


def refusal(spec: Spec, problems: Sequence[Mapping[str, Any]]) -> Refuse:
    """One refusal for all that is wrong; the first problem gives the rule and the pointer."""
    first, shown = problems[0], spec["display"]
    reason, cure = f"{shown}: {_said(first)}", _cure(first)
    if len(problems) == 1:
        places = tuple(_lines(shown, first))
    else:
        reason = (
            f"{shown}: {len(problems)} problems: {', '.join(dict.fromkeys(map(_short, problems)))}"
        )
        places = tuple(_one_by_one(shown, problems))
        cure = "each of these as it says; until then nothing of the set is applied"
    return Refuse(
        first["rule"], reason, places=places, cure=cure, pointer=_pointer(spec, first["edit"])
    )


def _said(problem: Mapping[str, Any]) -> str:
    return (
        f"edit {problem['edit']} {problem['reason']}" if problem["edit"] else str(problem["reason"])
    )


def _short(problem: Mapping[str, Any]) -> str:
    return (
        f"{problem['rule']} in edit {problem['edit']}" if problem["edit"] else str(problem["rule"])
    )


def _cure(problem: Mapping[str, Any]) -> str:
    return str(problem["cure"] or RULES[problem["rule"]].cure)


def _one_by_one(shown: str, problems: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Each with what is wrong, the lines to look at, what to do; a cure that several share once,
    below."""
    for problem, after in zip_longest(problems, problems[1:]):
        yield f"{_said(problem)}   [{problem['rule']}]"
        yield from (f"  {line}" for line in _lines(shown, problem))
        if after is None or _cure(after) != _cure(problem):
            yield f"  Cure: {_cure(problem)}"


def _lines(shown: str, problem: Mapping[str, Any]) -> Iterator[str]:
    """The problem's line and the others to look at, each once."""
    found = [problem, *problem["more"]] if problem["line"] else list(problem["more"])
    for number in dict.fromkeys(item["line"] for item in found):
        text = next(item["text"] for item in found if item["line"] == number).strip()
        text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        yield f"{shown}:{number}: {text}" if text else f"{shown}:{number}"


def _pointer(spec: Spec, edit: str) -> str:
    for number, item in enumerate(spec.get("edits", ())):
        if item["id"] == edit:
            return f"/edits/{number}"
    return ""
