"""Spans of time and moments: as they are typed, as files name them, as people read them. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_RUN = "%Y%m%dT%H%M%SZ"


def seconds(text: str, units: str = "ms s m h") -> float | None:
    """`30s`, `5m`, `500ms` in seconds; None for what is no such time. `units`: those that may be
    typed here."""
    found = re.fullmatch(r"([0-9]{1,7})([a-z]+)", text)
    if found is None or found[2] not in units.split():
        return None
    return int(found[1]) * _UNITS[found[2]]


# ---- spans


def clock(seconds: float) -> str:
    """`4:30`, `1:02:03`: a moment of a watch, or how long one takes."""
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def rough(seconds: float | Decimal) -> str:
    """`42 s`, `12 min`, `3 h`, `5 days`."""
    for size, word in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {word}"
    return f"{int(seconds)} s"


def about(seconds: float) -> str:
    """`42 s`, `1 min`, `3 h`: of a forecast."""
    if seconds < 50:
        return f"{seconds:.0f} s"
    return f"{max(1, round(seconds / 60))} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


def exact(seconds: float) -> str:
    """`0.25 s`, `42 s`, `4.5 min`."""
    if seconds < 10:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    if seconds < 180:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f}".removesuffix(".0") + " min"


def spelled(seconds: float) -> str:
    """`1 hour`, `5 days`, `less than a minute`."""
    for size, word in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {word}" if count == 1 else f"{count} {word}s"
    return "less than a minute"


# ---- moments


def run_time(moment: float | datetime) -> str:
    """`20260301T060000Z`: as runs, backups and files of ours are named."""
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    return moment.strftime(_RUN)


def parsed_time(text: str) -> datetime:
    """`20260301T060000Z` as a time; raises ValueError."""
    return datetime.strptime(text, _RUN).replace(tzinfo=UTC)


def iso_time(text: str) -> str:
    """`20260301T060000Z` as `2026-03-01T06:00:00Z`; what is no such text stays."""
    try:
        return f"{parsed_time(text):%Y-%m-%dT%H:%M:%SZ}"
    except ValueError:
        return text


def local_time(text: str) -> str:
    """`20260301T060000Z` as this machine's own time; what is no such text stays."""
    try:
        return f"{parsed_time(text).astimezone():%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return text


def utc_minute(seconds: float) -> str:
    """`2026-03-01 06:00 UTC`."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M UTC}"
