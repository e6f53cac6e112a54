"""Plan -> one row a drift, nothing when in sync: what `drift` prints for cron and scripts."""

from __future__ import annotations

from collections.abc import Iterator

from kjpstate.model import Change, Plan
from kjpstate.render.lines import Line
from kjpstate.render.plans import STYLES
from kjpstate.render.values import telling

_MOST_TOLD = 3


def drift_lines(plan: Plan) -> tuple[Line, ...]:
    """`~ dns  stb  servers (none) -> 8.8.8.8 1.1.1.1`, one row a change, never wrapped."""
    return tuple(Line(_row(change), STYLES[change.symbol], whole=True) for change in plan.changes)


def lost_lines(plan: Plan) -> tuple[Line, ...]:
    """One row a host that did not answer, for stderr."""
    return tuple(
        Line(f"{host}: not reached: {' '.join(why.split())}", "refuse", whole=True)
        for host, why in plan.unreachable.items()
    )


def _row(change: Change) -> str:
    said = "; ".join(_said(change)).replace("\n", " ")
    return f"{change.symbol} {change.resource.address}  {change.resource.host}  {said}"


def _said(change: Change) -> Iterator[str]:
    if change.refusal is not None:
        yield f"refused [{change.refusal.rule}]: {change.refusal.reason}"
        return
    told = [f"{key} {actual} -> {desired}" for key, actual, desired in telling(change.drift.differences)]
    if not told:
        yield str(change.drift.desired.beside.get("headline") or change.resource.spec.get("path", "differs"))
    yield from told[:_MOST_TOLD]
    if len(told) > _MOST_TOLD:
        yield f"and {len(told) - _MOST_TOLD} more"
    if change.held:
        yield f"held by {change.held}"
