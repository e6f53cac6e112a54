"""One line a run in a host's state folder, the stamp `history.json`: two people see each other's. Pure.

`apply` adds its line at its end, `cli.history` reads them all. Addresses and results only: no bytes, no
reasons, nothing that could hold a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from kjpstate.formats.tree import read_stamp
from kjpstate.model import Answer

NAME = "history.json"
_MOST = 200
"""Runs that a host keeps."""
_TEXTS = ("id", "verb", "who", "started")


@dataclass(frozen=True)
class Line:
    """One run on this host. `results`: address -> the word of `model.Step`; `started` as in RunInfo."""

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
    if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in _TEXTS):
        return None
    code, results = row.get("exit_code"), row.get("results")
    if not isinstance(code, int) or not isinstance(results, dict):
        return None
    texts = {key: row[key] for key in _TEXTS}
    return Line(**texts, exit_code=code, results={str(key): str(value) for key, value in results.items()})
