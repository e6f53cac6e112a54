"""The table of checks: every reason in its column, on wide and narrow terminals."""

from __future__ import annotations

import pytest

from kjpstate.model import CheckResult
from kjpstate.render.lines import text_of
from kjpstate.render.reports import check_lines
from tests.support.screens import CHECKS
from tests.support.words import said


@pytest.mark.parametrize("width", [100, 80, 60, 40, 24])
def test_it_fits_and_loses_no_word(width: int):
    shown = text_of(check_lines(CHECKS), width=width)
    assert max(map(len, shown.splitlines())) <= width
    assert shown.split() == text_of(check_lines(CHECKS)).split()
    for code in ("checks.ok", "checks.failed", "checks.not-known", "checks.by-hand"):
        assert said(code).split()[0] in shown.split()


@pytest.mark.parametrize("width", [100, 80])
def test_reasons_stand_in_a_column(width: int):
    long = [CheckResult(f"AC{number}", "passed", "word " * 40, "stb") for number in range(3)]
    rows = text_of(check_lines(long), width=width).splitlines()[1:-1]
    assert {row.index("word") for row in rows} == {23}
