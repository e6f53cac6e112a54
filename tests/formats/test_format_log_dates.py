"""Lines of PM2's logs by their date: every format that can be compared, and those that can't."""

from __future__ import annotations

import pytest

from kjpstate.formats import log_dates
from kjpstate.formats.log_dates import Written

OLD = "2026-11-25T20:59:59: old\n  its second line\n"
NEW = "2026-11-25T21:00:00: new\n  at its place\n"


@pytest.mark.parametrize(
    ("date_format", "line"),
    [
        ("YYYY-MM-DD HH:mm:ss", "2026-11-25 21:00:00: x"),
        ("YYYY-MM-DDTHH:mm:ss", "2026-11-25T21:00:00: x"),
        ("YYYY-MM-DD HH:mm:ss Z", "2026-11-25 21:00:00 +07:00: x"),
        ("YYYY-MM-DD HH:mm:ss.SSS", "2026-11-25 21:00:00.123: x"),
        ("DD/MM/YYYY HH:mm", "25/11/2026 21:00: x"),
        ("[on] D.M.YYYY [at] H:mm", "on 25.11.2026 at 21:00: x"),
    ],
)
def test_a_format_of_moment(date_format: str, line: str) -> None:
    text = line + "\n"
    assert log_dates.since(text, log_dates.moment("2026-11-25 21:00"), date_format) == Written(
        text, "", False
    )
    assert log_dates.since(text, log_dates.moment("2026-11-25 21:01"), date_format) == Written(
        "", "", True
    )


@pytest.mark.parametrize(
    "date_format", ["", "HH:mm:ss", "YY-MM-DD HH:mm", "MMM Do HH:mm", "YYYY-MM-DD", "x"]
)
def test_a_format_that_says_too_little(date_format: str) -> None:
    assert log_dates.pattern(date_format) is None


def test_a_line_without_a_date_belongs_to_the_one_before_it() -> None:
    begin = log_dates.moment("2026-11-25T21:00:00")
    cut = "  the end of a line whose date was cut off\n"
    assert log_dates.since(cut + OLD + NEW, begin, log_dates.PM2_TIME) == Written(NEW, "", True)
    assert log_dates.since(cut + NEW, begin, log_dates.PM2_TIME) == Written(NEW, cut, False)
    no_date = "2026-13-45T99:00:00: no date\n"
    assert log_dates.since(no_date, begin, log_dates.PM2_TIME) == Written("", no_date, False)
    assert log_dates.since(OLD + NEW, begin, "") == Written("", OLD + NEW, False)


def test_time_true_is_a_format_too() -> None:
    assert log_dates.format_of({"time": True}) == log_dates.PM2_TIME
    assert log_dates.format_of({}) == ""
