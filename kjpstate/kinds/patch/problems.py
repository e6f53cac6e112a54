"""What keeps a set from being applied, as plain values, and the one refusal made of all of them.

Called by the kind's other modules; `Problem.plain` is what stands in a state's `problems`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kjpstate.model import Refuse, Spec


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
        cure=first["cure"] or _CURES.get(first["rule"], ""),
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


_CURES = {
    "anchor-ambiguous": "say which one is meant: add `within`, or more of the text around it",
    "anchor-shares-line": "put it on lines of its own; markers are whole lines",
    "binary": "name the source file",
    "byte-guard": "report it with the file and the document; until then edit by hand",
    "content-syntax": "write whole statements, with every bracket closed",
    "cr-eol": "save it with LF or CRLF line ends",
    "edited-by-hand": "take the change into `content`, or write on_drift: apply",
    "file-missing": "put the file there, or correct `file` in the document",
    "file-unreadable": "look at it on the host",
    "markers-broken": "put the marker lines back as they were (a backup stands beside the file), or take the "
    "whole block out by hand; then kjpstate plan",
    "marker-version": "use the version of kjpstate that wrote it",
    "markers-in-content": "write the comment in other words",
    "merge-conflict": "resolve the conflict first",
    "mixed-eol": "give these lines the same line end",
    "name-shadowed": "rename it in the document, or the other one in the file",
    "name-taken": "rename it in the document; or take the old code out, if this set shall replace it",
    "no-tree-sitter": "pip install tree-sitter tree-sitter-typescript, or run kjpstate elsewhere",
    "not-typescript": "patches are for .ts .mts .cts .js .mjs .cjs .tsx .jsx",
    "not-utf8": "save it as UTF-8",
    "original-reappeared": "take one of the two out by hand: the block, or the old text beside it",
    "original-tampered": "put the `was |` lines back as they were: they are what a removal brings back",
    "partial-statement": "write the whole statement in `replace`, what follows included",
    "result-syntax": "check brackets, commas and the ; at the end of `content`",
    "syntax": "mend the file first: npx tsc --noEmit says more",
    "unbraced-body": "put braces around it in the file",
}
