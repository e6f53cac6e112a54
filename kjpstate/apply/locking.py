"""A host's lock taken, waiting for it as long as it is worth, and what was settled under it told.

Called by `apply.run`, by `taking` when a lost host is back, and by `reconcile`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

from kjpstate import errors
from kjpstate.apply.words import settled
from kjpstate.apply.work import Tell
from kjpstate.host import Host
from kjpstate.model import Answers, Event, Reading, RunInfo

_PAUSES = (0.5, 1.0, 2.0, 5.0)
"""Seconds between two tries at a lock or a host; the last one again and again."""


def pauses(seconds: float) -> Iterator[float]:
    """How long to sleep before each next try, until `seconds` are over."""
    deadline, number = time.monotonic() + seconds, 0
    while (left := deadline - time.monotonic()) > 0:
        yield min(_PAUSES[min(number, len(_PAUSES) - 1)], left)
        number += 1


async def begin(
    host: Host, run: RunInfo, readings: Sequence[Reading], tell: Tell, seconds: float = 0.0
) -> Answers:
    """Take the lock of `host`, waiting up to `seconds` for another run to let it go; tell what was
    settled.

    Raises Locked, Unreachable, RefusedError.
    """
    waiting = pauses(seconds)
    while True:
        try:
            answers = await host.begin(run, readings)
            break
        except errors.Locked as locked:
            pause = next(waiting, None) if locked.run != run.id else None
            if pause is None:
                raise
            tell(Event("wait", "", locked.held))
            await asyncio.sleep(pause)
    for found in host.recovered:
        tell(Event("recovered", "", settled(found)))
    return answers
