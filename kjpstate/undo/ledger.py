"""The ledger of backups in a host's state folder; a line: run, path, backup, sha256, type, by tabs.
Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from kjpstate.errors import Failed
from kjpstate.model import Answer, Unreadable
from kjpstate.said import say

LEDGER = "backups"
_FIELDS = 5
_TIME = re.compile(rb"\.backup\.(\d{8}T\d{6}Z)-[0-9a-f]+\t")

Condition: TypeAlias = Literal["kept", "changed", "gone", "unreadable"]


@dataclass(frozen=True)
class Kept:
    """One backup. `sha256`: of the file, or of a folder's listing. `type`: file or directory."""

    run: str
    path: str
    backup: str
    sha256: str
    type: str

    def line(self) -> str:
        """As it stands in the ledger."""
        return "\t".join((self.run, self.path, self.backup, self.sha256, self.type)) + "\n"


@dataclass(frozen=True)
class Found:
    """One backup as it stands. `first`: the first original of its path, which is never pruned.
    `size`: bytes, None when it can't be read."""

    host: str
    kept: Kept
    first: bool
    condition: Condition
    size: int | None = None


def parse(host: str, answer: Answer) -> tuple[Kept, ...]:
    """All rows in the order they were made; raises Failed for a ledger that can't be read or is
    damaged."""
    if answer is None:
        return ()
    if isinstance(answer, Unreadable) or not isinstance(answer, bytes):
        why = answer.why if isinstance(answer, Unreadable) else say("ledger.no-file")
        raise Failed(say("ledger.unread", host=host, why=why))
    rows = []
    for number, line in enumerate(answer.decode("utf-8", "surrogateescape").split("\n"), 1):
        if not line:
            continue
        fields = line.split("\t")
        if len(fields) != _FIELDS:
            raise Failed(say("ledger.damaged", host=host, line=number, text=line[:80]))
        rows.append(Kept(*fields))
    return tuple(rows)


def joined(one: Answer, other: Answer) -> Answer:
    """Two lists of one host as one, by the time that the names of the backups tell."""
    if not isinstance(one, bytes) or not isinstance(other, bytes):
        return next(
            (answer for answer in (one, other) if isinstance(answer, Unreadable)), one or other
        )
    rows = dict.fromkeys(row for row in (*one.split(b"\n"), *other.split(b"\n")) if row)
    timed = [
        (found[1] if (found := _TIME.search(row)) else b"", at, row) for at, row in enumerate(rows)
    ]
    return b"".join(row + b"\n" for _, _, row in sorted(timed))


def of_run(rows: Iterable[Kept], run: str) -> dict[str, Kept]:
    """Path (a folder's without its final `/`) -> the first backup that this run made of it."""
    found: dict[str, Kept] = {}
    for row in rows:
        if row.run == run:
            found.setdefault(row.path.rstrip("/"), row)
    return found


def originals(rows: Iterable[Kept]) -> dict[str, Kept]:
    """Path -> its first backup of all: how it was before kjpstate ever touched it. Never pruned."""
    found: dict[str, Kept] = {}
    for row in rows:
        found.setdefault(row.path.rstrip("/"), row)
    return found
