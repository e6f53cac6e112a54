"""What keeps a set from being applied, as plain values, and the one refusal made of all of them.

Called by the kind's other modules; `Problem.plain` is what stands in a state's `problems`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kjpstate.model import Refuse, Spec
from kjpstate.rules import RULES


@dataclass(frozen=True)
class Problem:
    """`reason` goes on after `edit NAME` or after the file's name. `line` from 1, 0 for the whole file.

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
    """One refusal for all that is wrong; the first problem gives the rule, the cure and the pointer."""
    first, shown = problems[0], spec["display"]
    who = f"edit {first['edit']} " if first["edit"] else ""
    reason = f"{shown}: {who}{first['reason']}"
    if len(problems) > 1:
        others = dict.fromkeys(problem["rule"] for problem in problems[1:])
        reason += f"; and {len(problems) - 1} more: {', '.join(others)}"
    return Refuse(
        first["rule"],
        reason,
        places=tuple(_places(shown, problems)),
        cure=first["cure"] or RULES[first["rule"]].cure,
        pointer=_pointer(spec, first["edit"]),
    )


def _places(shown: str, problems: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Each line once; with several problems each says whose it is and why."""
    several = len(problems) > 1
    for problem in problems:
        label = f"  [{problem['rule']}{': ' + problem['edit'] if problem['edit'] else ''}]" if several else ""
        if problem["line"]:
            yield f"{shown}:{problem['line']}: {problem['text'].strip()}{label}"
        elif several:
            yield f"{shown}: {problem['reason']}{label}"
        # Of what only looks alike, one line each is enough when there is more to read.
        for near in problem["more"] if not several or problem["rule"] != "anchor-missing" else ():
            if near["line"] != problem["line"]:
                yield f"{shown}:{near['line']}: {near['text'].strip()}"


def _pointer(spec: Spec, edit: str) -> str:
    for number, item in enumerate(spec.get("edits", ())):
        if item["id"] == edit:
            return f"/edits/{number}"
    return ""
