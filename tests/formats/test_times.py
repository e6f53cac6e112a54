"""Times: what is typed in seconds, what is shown, what files are named by."""

from datetime import UTC, datetime

import pytest

from kjpstate.formats import times


@pytest.mark.parametrize(
    ("text", "units", "found"),
    [
        ("500ms", "ms s m h", 0.5),
        ("30s", "ms s m h", 30),
        ("2h", "s m h", 7200),
        ("7d", "m h d", 604_800),
        ("4w", "m h d w", 2_419_200),
        ("0s", "s", 0),
        ("7d", "ms s m h", None),
        ("1 h", "h", None),
        ("h", "h", None),
        ("-1h", "h", None),
        ("12345678s", "s", None),
        ("٣s", "s", None),
        ("", "s", None),
    ],
)
def test_a_span_as_it_is_typed(text, units, found):
    assert times.seconds(text, units) == found


@pytest.mark.parametrize(
    ("seconds", "rough", "about", "exact", "spelled"),
    [
        (0.25, "0 s", "0 s", "0.25 s", "less than a minute"),
        (42, "42 s", "42 s", "42 s", "less than a minute"),
        (119.9, "119 s", "2 min", "120 s", "1 minute"),
        (270, "4 min", "4 min", "4.5 min", "4 minutes"),
        (3600, "60 min", "60 min", "60 min", "1 hour"),
        (7200, "2 h", "2 h", "120 min", "2 hours"),
        (172_800, "2 days", "48 h", "2880 min", "2 days"),
    ],
)
def test_a_span_as_it_is_read(seconds, rough, about, exact, spelled):
    assert times.rough(seconds) == rough
    assert times.about(seconds) == about
    assert times.exact(seconds) == exact
    assert times.spelled(seconds) == spelled


def test_a_moment_of_a_run_there_and_back():
    moment = datetime(2026, 3, 1, 6, 0, 5, tzinfo=UTC)
    assert times.run_time(moment) == times.run_time(moment.timestamp()) == "20260301T060005Z"
    assert times.parsed_time("20260301T060005Z") == moment
    assert times.iso_time("20260301T060005Z") == "2026-03-01T06:00:05Z"
    assert times.utc_minute(moment.timestamp()) == "2026-03-01 06:00 UTC"
    assert times.local_time("no time") == times.iso_time("no time") == "no time"
