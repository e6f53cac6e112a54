"""PM2's restarts crash by crash: what it counts, how long it waits, where it stops for good.

The arithmetic of `policy` answers "can it give up at all"; here the same algorithm runs. Held in
the tests against recorded and live runs of PM2 5, 6 and 7. All values are milliseconds. Called by
`explain pm2`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, repeat

from kjpstate.formats.pm2.policy import START, Policy

_SURELY_RESET = 60_000
"""A worker looks every 30 s and forgets the backoff of an app started more than 30 s before."""
_MANY = 100_000
"""Starts after which a loop of lives of no length at all counts as endless."""


@dataclass(frozen=True)
class Crash:
    """One death. `at`: since the deliberate start. `counted`: the unstable starts so far, as PM2
    counts them.

    `delay`: the wait before the next start; None: PM2 gave the app up, and starts it no more.
    """

    at: int
    counted: int
    delay: int | None


def crashes(policy: Policy, lives: Iterable[int]) -> Iterator[Crash]:
    """The deaths of an app whose starts live so long, one after the other,
    until PM2 gives it up."""
    now = counted = before = 0
    for life in lives:
        now += life
        if now < policy.window and life < policy.min_uptime:
            counted += 1
        if counted >= policy.max_restarts:
            yield Crash(now, counted, None)
            return
        if life + before >= _SURELY_RESET:
            before = 0
        delay = before = policy.next_delay(before)
        yield Crash(now, counted, delay)
        now += delay


@dataclass(frozen=True)
class Row:
    """Starts `first` to `last` (None: for ever) of a crash loop; the first dies `at`, each is
    followed by the same `delay` (None: given up)."""

    first: int
    last: int | None
    at: int
    delay: int | None


def schedule(policy: Policy, life: int = START) -> list[Row]:
    """The whole loop of an app that lives so long each time; the last row is the end, or goes on
    for ever."""
    rows: list[Row] = []
    for number, crash in enumerate(islice(crashes(policy, repeat(life)), _MANY), 1):
        if rows and rows[-1].delay == crash.delay:
            rows[-1] = replace(rows[-1], last=number)
            if crash.at >= policy.window:
                break
        else:
            rows.append(Row(number, number, crash.at, crash.delay))
    last = rows[-1]
    return rows if last.delay is None else [*rows[:-1], replace(last, last=None)]
