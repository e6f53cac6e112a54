"""The table of checks, in words."""

from __future__ import annotations

from kjpstate.render.lines import text_of
from kjpstate.render.reports import check_lines
from tests.support.screens import CHECKS

WIDE = """\
Checks:
  ok         AC1          stb            the file has both
  FAILED     AC6          stb            its logs have "ENOTFOUND" 12 times since the last apply
  not known  a rather long name of a check
             stb[10.0.0.1]  stb does not answer; is it on?
  by hand    AC6 by hand                 Send the bot a message; it replies.
Checks: 1 passed, 1 failed, 1 by hand, 1 not known.
"""


def test_a_wide_one():
    assert text_of(check_lines(CHECKS)) == WIDE
