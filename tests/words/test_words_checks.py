"""The table of checks, in words."""

from __future__ import annotations

from kjpstate.model import CheckResult
from kjpstate.render.lines import text_of
from kjpstate.render.reports import check_lines

CHECKS = (
    CheckResult("AC1", "passed", "the file has both", "stb"),
    CheckResult("AC6", "failed", 'its logs have "ENOTFOUND" 12 times since the last apply', "stb"),
    CheckResult(
        "a rather long name of a check",
        "unknown",
        "stb does not answer\nis it on?",
        "stb[10.0.0.1]",
    ),
    CheckResult("AC6 by hand", "manual", "Send the bot a message; it replies.", ""),
)
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
