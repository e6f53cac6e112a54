"""Which backups may go. Pure. The first original of a path never goes, nor what
the last run kept."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kjpstate.undo.ledger import Kept, originals

_DAY = re.compile(r"\.backup\.(\d{8}T\d{6}Z)-[0-9a-f]+$")


def doomed(rows: Sequence[Kept], *, keep: int | None, since: str | None) -> tuple[Kept, ...]:
    """The rows that go: not of the newest `keep` runs, and made before `since` (YYYYMMDDTHHMMSSZ);
    None binds nothing. A backup whose name tells no time stays."""
    if keep is None and since is None:
        return ()
    runs = list(dict.fromkeys(row.run for row in reversed(rows)))
    newest = set(runs[: max(keep or 0, 1)])
    pinned = {row.backup for row in originals(rows).values()}
    return tuple(
        row
        for row in rows
        if row.run not in newest and row.backup not in pinned and _before(row.backup, since)
    )


def made(backup: str) -> str:
    """When a backup was made, by its name: YYYYMMDDTHHMMSSZ, or nothing."""
    found = _DAY.search(backup)
    return found[1] if found else ""


def _before(backup: str, since: str | None) -> bool:
    day = made(backup)
    return bool(day) and (since is None or day < since)
