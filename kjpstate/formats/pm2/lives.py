"""How long an app lived, from what PM2's daemon wrote in its own log about its starts and ends.

PM2's counters tell that it crashed, not when: one that dies every two minutes is `online` at every
look. Its log has each start and end, and whether somebody meant it. Only times between lines count,
so a box may have any clock. Called by `health`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

_AT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\S*: ")
_FORGETS = "New PM2 Daemon started"
_ENDS = "] exited "
_STARTS = "] starting in "
_BY_PM2 = ("restarted because it exceeds", "Change detected on path")
"""PM2 stops it by itself: too much memory, a file that changed."""
_ON_PURPOSE = "Stopping app:"


def lives(lines: Iterable[str]) -> tuple[int, ...]:
    """Seconds of each of its last lives in a row that nobody ended on purpose, newest last.

    `lines`: of the daemon's log those of this app, oldest first. A stop, a restart and a reload by
    somebody, and a new daemon, begin a new row; so does a clock that was set back.
    """
    row: list[int] = []
    started: datetime | None = None
    by_pm2 = meant = False
    for line in lines:
        at = _at(line)
        if at is None or _FORGETS in line:
            row, started, by_pm2, meant = [], None, False, False
        elif any(words in line for words in _BY_PM2):
            by_pm2 = True
        elif _ON_PURPOSE in line:
            meant = not by_pm2
            row = [] if meant else row
        elif _STARTS in line:
            started, by_pm2, meant = at, False, False
        elif _ENDS in line and not meant and started is not None:
            seconds = int((at - started).total_seconds())
            row, started = ([*row, seconds] if seconds >= 0 else []), None
    return tuple(row)


def _at(line: str) -> datetime | None:
    match = _AT.match(line)
    if match is None:
        return None
    try:
        return datetime.fromisoformat(f"{match[1]}T{match[2]}")
    except ValueError:
        return None
