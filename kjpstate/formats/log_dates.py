"""The moment a line of PM2's log was written, by the app's own log_date_format. Pure; for the check
`log`.

PM2 writes `DATE: line`, DATE in the words of moment and in the box's own time; so a moment in the
document is the box's time too; how late it is there, for the last 30 minutes, the box itself is
asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kjpstate.formats.times import seconds
from kjpstate.model import Answer, Completed, Unreadable
from kjpstate.said import Text, say

PM2_TIME = "YYYY-MM-DDTHH:mm:ss"
"""The format that `time: true` stands for."""

_TOKENS = {
    "YYYY": r"(?P<year>\d{4})",
    "MM": r"(?P<month>\d{2})",
    "DD": r"(?P<day>\d{2})",
    "HH": r"(?P<hour>\d{2})",
    "mm": r"(?P<minute>\d{2})",
    "ss": r"(?P<second>\d{2})",
    "M": r"(?P<month>\d{1,2})",
    "D": r"(?P<day>\d{1,2})",
    "H": r"(?P<hour>\d{1,2})",
    "SSS": r"\d{3}",
    "ZZ": r"[+-]\d{4}",
    "Z": r"[+-]\d{2}:\d{2}",
}
_WORD = re.compile(r"\[([^\]]*)\]|YYYY|MM|DD|HH|mm|ss|SSS|ZZ|[MDHZ]|[A-Za-z]|.")
_NEEDED = ("year", "month", "day", "hour", "minute")


def format_of(app: Mapping[str, Any]) -> str:
    """The app's log_date_format, "" when its lines bear no date."""
    return str(app.get("log_date_format") or (PM2_TIME if app.get("time") else ""))


def pattern(date_format: str) -> re.Pattern[str] | None:
    """The pattern of a line's beginning; None for a format that does not give date, hour and
    minute, or that has words we do not know."""
    parts = []
    for match in _WORD.finditer(date_format):
        word = match[0]
        if (
            match[1] is None
            and word not in _TOKENS
            and re.fullmatch("[A-Za-z]", word)
            and word != "T"
        ):
            return None
        parts.append(
            re.escape(match[1]) if match[1] is not None else _TOKENS.get(word, re.escape(word))
        )
    try:
        found = re.compile("".join(parts))
    except re.error:  # the same word twice
        return None
    return found if all(name in found.groupindex for name in _NEEDED) else None


def moment(text: str) -> datetime:
    """`2026-11-25`, `2026-11-25 21:00` or `2026-11-25T21:00:05`; raises ValueError."""
    return datetime.fromisoformat(text)


def window(text: str) -> timedelta | None:
    """`90s`, `30m` or `2h`: so long before now; None for what is no such time."""
    found = seconds(text, "s m h")
    return timedelta(seconds=found) if found else None


NOW = ("date", "+%Y-%m-%dT%H:%M:%S")
"""The command that tells a host's own time."""


def said_now(answer: Answer) -> datetime | Text:
    """The time that NOW printed, or why that can't be known."""
    said = answer.stdout.decode(errors="replace").strip() if isinstance(answer, Completed) else ""
    try:
        return datetime.fromisoformat(said)
    except ValueError:
        why = answer.why if isinstance(answer, Unreadable) else say("clock.odd", said=said)
        return say("clock.unknown", why=why)


@dataclass(frozen=True)
class Written:
    """The lines of a log since a moment. `undated`: those before the first date, which may be older
    or not. `earlier`: an older line stands before them, so that these are all."""

    late: str
    undated: str
    earlier: bool


def since(text: str, begin: datetime, date_format: str) -> Written:
    """The lines written at `begin` or later. A line without a date belongs to the line before it;
    where the first date is an older one, what stands before it is older too."""
    begins = pattern(date_format)
    if begins is None:
        return Written("", text, False)
    judged = list(_judged(text, begin, begins))
    first = next((late for _, late in judged if late is not None), None)
    return Written(
        "".join(line for line, late in judged if late),
        "" if first is False else "".join(line for line, late in judged if late is None),
        any(late is False for _, late in judged),
    )


def _judged(
    text: str, begin: datetime, begins: re.Pattern[str]
) -> Iterator[tuple[str, bool | None]]:
    late: bool | None = None
    for line in text.splitlines(keepends=True):
        match = begins.match(line)
        if match:
            found = {name: int(value) for name, value in match.groupdict().items()}
            with suppress(ValueError):  # looks like a date and is none
                late = datetime(**{"second": 0, **found}) >= begin  # type: ignore[arg-type]
        yield line, late
