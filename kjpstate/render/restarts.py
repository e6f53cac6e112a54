"""PM2's schedule of restarts as a drawing: each start of a crash loop, the wait after it, and the
end.

Called by `explain pm2`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kjpstate.formats.pm2.policy import START, Policy, policy
from kjpstate.formats.pm2.restarts import Row, schedule
from kjpstate.formats.times import exact
from kjpstate.render.lines import BLANK, Line

_KEYS = ("max_restarts", "min_uptime", "exp_backoff_restart_delay", "restart_delay")
_BAR = 40
_HANG = 2


def restarts_lines(title: str, app: Mapping[str, Any]) -> Iterator[Line]:
    """One app's page; `app`: its keys as the document says."""
    rules = policy(app)
    said = ", ".join(f"{key} {app[key]}" for key in _KEYS if app.get(key) is not None)
    yield Line(
        f"{title}: {said or 'no restart settings, so what PM2 does by itself'}",
        "strong",
        hang=_HANG,
    )
    yield BLANK
    if app.get("autorestart") is False:
        yield Line("It is never restarted: autorestart is false.")
        return
    yield Line(f"When each start dies at once ({_span(START)}):")
    yield BLANK
    rows = schedule(rules)
    longest = max((row.delay or 0 for row in rows), default=0)
    yield from (_drawn(row, longest, rules) for row in rows)
    yield BLANK
    yield from (Line(text, hang=_HANG) for text in _sentences(rules))


def _drawn(row: Row, longest: int, rules: Policy) -> Line:
    if row.delay is None:
        status = (
            '"waiting restart" with no pid' if rules.backoff or rules.restart_delay else '"errored"'
        )
        text = (
            f"  start {row.first:>5}   dies at {_span(row.at):>7}   given up for good: PM2 "
            f"says {status}"
        )
        return Line(text, "refuse", hang=_HANG)
    last = (
        ""
        if row.last == row.first
        else f"{row.first} to {row.last}"
        if row.last
        else f"{row.first} on"
    )
    bar = "#" * round(_BAR * row.delay / longest) if longest else ""
    for_ever = "   for ever" if row.last is None else ""
    text = (
        f"  start {last or row.first:>5}   dies at {_span(row.at):>7}   waits "
        f"{_span(row.delay):>7}  {bar}"
    )
    return Line(text.rstrip() + for_ever, hang=_HANG)


def _sentences(rules: Policy) -> Iterator[str]:
    count, window = rules.max_restarts, _span(rules.window)
    if rules.can_give_up:
        life = _span(rules.longest_life)
        yield (
            f"Gives up when {count} starts live under {life} each, all within {window} of a "
            "start on "
            "purpose. Nothing but a command or a reboot starts it again."
        )
        yield (
            f"Never gives up when the crashes come later than that, or each start lives "
            f"longer than {life}."
        )
    else:
        yield (
            f"Never gives up: a crash counts only within {window} of a start on purpose, and "
            "the waits "
            f"before start {count} alone take {_span(rules.until_given_up)}."
        )
    yield "After a reboot (pm2 resurrect) nothing is counted, and nothing is given up."
    if rules.backoff:
        yield f"Once it has been up for 30 to 60 s, the waits begin anew at {_span(rules.backoff)}."
    if rules.backoff and rules.restart_delay:
        yield (
            f"restart_delay {_span(rules.restart_delay)} has no effect beside "
            "exp_backoff_restart_delay."
        )


def _span(milliseconds: int) -> str:
    return exact(milliseconds / 1000)
