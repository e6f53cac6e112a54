"""PM2's schedule of restarts as a drawing: each start of a crash loop, the wait after it, and the
end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kjpstate.formats.pm2.policy import START, Policy, policy
from kjpstate.formats.pm2.restarts import Row, schedule
from kjpstate.formats.times import exact
from kjpstate.render.lines import BLANK, Line
from kjpstate.said import Said, say

_KEYS = ("max_restarts", "min_uptime", "exp_backoff_restart_delay", "restart_delay")
_BAR = 40
_HANG = 2


def restarts_lines(title: str, app: Mapping[str, Any]) -> Iterator[Line]:
    """One app's page; `app`: its keys as the document says."""
    rules = policy(app)
    settings = [f"{key} {app[key]}" for key in _KEYS if app.get(key) is not None]
    head = say("restarts.title", app=title, settings=settings)
    if not settings:
        head = say("restarts.title-plain", app=title)
    yield Line(head, "strong", hang=_HANG)
    yield BLANK
    if app.get("autorestart") is False:
        yield Line(say("restarts.never"))
        return
    yield Line(say("restarts.at-once", after=START / 1000))
    yield BLANK
    rows = schedule(rules)
    longest = max((row.delay or 0 for row in rows), default=0)
    yield from (_drawn(row, longest, rules) for row in rows)
    yield BLANK
    yield from (Line(text, hang=_HANG) for text in _sentences(rules))


def _drawn(row: Row, longest: int, rules: Policy) -> Line:
    if row.delay is None:
        at = f"{_span(row.at):>7}"
        if rules.backoff or rules.restart_delay:
            told = say("restarts.given-up-waiting", start=f"{row.first:>5}", at=at)
        else:
            told = say("restarts.given-up-errored", start=f"{row.first:>5}", at=at)
        return Line(f"  {told}", "refuse", hang=_HANG)
    waits = say(
        "restarts.waits", start=f"{_starts(row):>5}", at=f"{_span(row.at):>7}", wait=_wait(row)
    )
    bar = "#" * round(_BAR * row.delay / longest) if longest else ""
    drawn = f"  {waits}  {bar}".rstrip()
    if row.last is None:
        drawn = str(say("restarts.for-ever", drawn=drawn))
    return Line(drawn, hang=_HANG)


def _wait(row: Row) -> str:
    return f"{_span(row.delay or 0):>7}"


def _starts(row: Row) -> str:
    """The numbers of the starts that one row stands for."""
    if row.last == row.first:
        return str(row.first)
    if row.last:
        return str(say("restarts.from-to", first=row.first, last=row.last))
    return str(say("restarts.from-on", first=row.first))


def _sentences(rules: Policy) -> Iterator[Said]:
    count, window = rules.max_restarts, _span(rules.window)
    if rules.can_give_up:
        life = _span(rules.longest_life)
        yield say("restarts.gives-up", starts=count, life=life, window=window)
        yield say("restarts.not-when", life=life)
    else:
        waits = _span(rules.until_given_up)
        yield say("restarts.never-gives-up", window=window, start=count, waits=waits)
    yield say("restarts.after-reboot")
    if rules.backoff:
        yield say("restarts.anew", wait=_span(rules.backoff))
    if rules.backoff and rules.restart_delay:
        yield say("restarts.no-effect", delay=_span(rules.restart_delay))


def _span(milliseconds: int) -> str:
    return exact(milliseconds / 1000)
