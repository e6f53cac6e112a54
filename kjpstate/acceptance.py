"""Which acceptance of the document covers a difference or an advice, and whether it still does.
Pure.

Called by `plan`, and by `cli.validate` for advice. A day is `YYYY-MM-DD`; days compare as texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from kjpstate.model import Acceptance, AdviceAt, Drift, named
from kjpstate.said import say

_ALIVE = "alive"
"""The compared key of a process that says whether the bot lives: a dead bot is never accepted."""


def of_drift(drift: Drift, acceptances: Iterable[Acceptance]) -> Acceptance | None:
    """The acceptance that covers this drift, in force or not; the one that lasts longest of
    several."""
    if drift.differs(_ALIVE):
        return None
    address = drift.resource.address
    return _longest(item for item in acceptances if item.address and named(address, item.address))


def in_force(acceptance: Acceptance, today: str) -> bool:
    """Whether `today` is not past its last day."""
    return not acceptance.until or today <= acceptance.until


def unsilenced(
    advice: Iterable[AdviceAt], acceptances: Sequence[Acceptance], today: str
) -> Iterator[AdviceAt]:
    """The advice that no acceptance silences; what was silenced until some day says so."""
    for item in advice:
        by = _longest(other for other in acceptances if other.rule == item.advice.rule)
        if by is None:
            yield item
        elif not in_force(by, today):
            reason = say("advice.lapsed", reason=item.advice.reason, until=by.until, why=by.why)
            yield replace(item, advice=replace(item.advice, reason=reason))


def _longest(acceptances: Iterable[Acceptance]) -> Acceptance | None:
    return max(acceptances, key=lambda item: item.until or "9999-12-31", default=None)
