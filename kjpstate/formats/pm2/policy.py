"""PM2's restart algorithm as arithmetic: when it gives up for good, and when it never will.

Source: PM2's handleExit, measured on 5, 6 and 7. A crash counts only while the app lived less than
min_uptime AND less than min_uptime*max_restarts passed since it was last started on purpose; a
backoff delay grows by half up to 15 s and overrides restart_delay. All values are milliseconds.
Called by the lint, `restarts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from kjpstate.formats.pm2.keys import milliseconds, number

MAX_RESTARTS = 16
MIN_UPTIME = 1000
START = 400
"""Milliseconds a process that dies at once takes to come up and die."""
_LONGEST_DELAY = 15_000


def min_uptime(app: Mapping[str, Any]) -> int:
    """Milliseconds an app must live for its start to count as good."""
    value = milliseconds(app.get("min_uptime", MIN_UPTIME))
    return value if isinstance(value, int) else MIN_UPTIME


@dataclass(frozen=True)
class Policy:
    """What decides over restarts; a zero delay is none."""

    max_restarts: int
    min_uptime: int
    restart_delay: int
    backoff: int

    def delays(self) -> Iterator[int]:
        """The waits between one crash and the next start, for ever."""
        delay = 0
        while True:
            delay = self.next_delay(delay)
            yield delay

    def next_delay(self, before: int) -> int:
        """The wait after one of `before`; 0: there was none, or PM2 forgot it after a long life."""
        if not self.backoff:
            return self.restart_delay
        return min(_LONGEST_DELAY, before * 3 // 2) if before else self.backoff

    @property
    def until_given_up(self) -> int:
        """The sum of the delays before the last start, if every start crashes at once."""
        return sum(islice(self.delays(), self.max_restarts - 1))

    @property
    def window(self) -> int:
        """How long after a deliberate start crashes are counted at all."""
        return self.min_uptime * self.max_restarts

    @property
    def can_give_up(self) -> bool:
        """Whether crashes at start can fill the count before the window closes."""
        return self.until_given_up < self.window

    @property
    def longest_life(self) -> int:
        """An app that lives shorter than this each time is given up."""
        return min(self.min_uptime, (self.window - self.until_given_up) // self.max_restarts)


def policy(app: Mapping[str, Any]) -> Policy:
    """The policy of one app of an ecosystem; zeros count as absent, as PM2 drops them."""
    return Policy(
        max_restarts=_whole(app, "max_restarts") or MAX_RESTARTS,
        min_uptime=min_uptime(app),
        restart_delay=_whole(app, "restart_delay"),
        backoff=_whole(app, "exp_backoff_restart_delay"),
    )


def _whole(app: Mapping[str, Any], key: str) -> int:
    value = number(app.get(key) or 0)
    return value if isinstance(value, int) else 0
