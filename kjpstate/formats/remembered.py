"""One line a run in a host's state folder, the stamp `history.json`: two people see each other's.
Pure.

`apply` adds its line at its end, `cli.history` reads them all. Addresses and results only: no
bytes, no reasons, nothing that could hold a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeGuard

from kjpstate.formats.tree import read_stamp
from kjpstate.model import Answer

NAME = "history.json"
_MOST = 200
"""Runs that a host keeps."""
_FORMS = {"id": "[0-9a-f]{6,32}", "verb": "[a-z]{1,20}", "started": r"\d{8}T\d{6}Z"}
_LONGEST, _MOST_RESULTS = 200, 500
"""Signs of a word, and results of a line: anybody may have written there, and it comes onto a
screen."""


@dataclass(frozen=True)
class Line:
    """One run on this host. `results`: address -> the word of `model.Step`; `started` as in
    RunInfo."""

    id: str
    verb: str
    who: str
    started: str
    exit_code: int
    results: Mapping[str, str] = field(default_factory=dict)


def lines(answer: Answer) -> tuple[Line, ...]:
    """The lines, oldest first; what is damaged is left out."""
    rows = (read_stamp(answer) or {}).get("runs")
    return tuple(line for row in (rows if isinstance(rows, list) else []) if (line := _line(row)))


def with_line(answer: Answer, line: Line) -> dict[str, Any]:
    """The stamp's new values."""
    return {"runs": [asdict(item) for item in (*lines(answer), line)][-_MOST:]}


def _line(row: Any) -> Line | None:
    if not isinstance(row, dict) or not isinstance(results := row.get("results"), dict):
        return None
    code, who = row.get("exit_code"), row.get("who")
    forms = {key: str(row.get(key)) for key in _FORMS}
    if not all(re.fullmatch(_FORMS[key], text, re.ASCII) for key, text in forms.items()):
        return None
    if not _is_word(who) or type(code) is not int or code not in range(256):
        return None
    fine = [(key, value) for key, value in results.items() if _is_word(key) and _is_word(value)]
    return Line(**forms, who=who, exit_code=code, results=dict(fine[:_MOST_RESULTS]))


def _is_word(text: Any) -> TypeGuard[str]:
    """True for one row that steers no terminal and bursts no table."""
    return isinstance(text, str) and len(text) <= _LONGEST and text.isprintable()
