"""Plan -> one row a drift, nothing when in sync: what `drift` prints for cron and scripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kjpstate.model import Change, Plan
from kjpstate.render.lines import Line
from kjpstate.render.masks import Mask
from kjpstate.render.plans import STYLES
from kjpstate.render.values import telling

_MOST_TOLD = 3


def drift_lines(plan: Plan, mask: Mask) -> tuple[Line, ...]:
    """`~ dns  stb  servers (none) -> 8.8.8.8 1.1.1.1`, one row a change, never wrapped; a dead bot first."""
    changes = sorted(plan.changes, key=_runs)
    return tuple(Line(_row(change, mask), STYLES[change.symbol], whole=True) for change in changes)


def _runs(change: Change) -> bool:
    """Whether nothing is said against its being alive."""
    return all(item.path[:1] != ("alive",) for item in change.drift.differences)


def lost_lines(unreachable: Mapping[str, str], mask: Mask) -> tuple[Line, ...]:
    """One row a host that did not answer (host -> why), for stderr."""
    return tuple(
        Line(f"{host}: not reached: {_squeezed(_in_one_row(host, why), mask)}", "refuse", whole=True)
        for host, why in unreachable.items()
    )


def _in_one_row(host: str, why: str) -> str:
    """What happened and the remedy, which are rows of their own on a plan; the host is named already."""
    return "; ".join(why.removeprefix(f"{host}: ").splitlines())


def saying(change: Change, mask: Mask) -> str:
    """What is said about one change, in one row; masked."""
    return _squeezed("; ".join(_said(change, mask)), mask)


def _row(change: Change, mask: Mask) -> str:
    return f"{change.symbol} {change.resource.address}  {change.resource.host}  {saying(change, mask)}"


def _squeezed(text: str, mask: Mask) -> str:
    """One row, single blanks; masked first, since a secret may hold more than one."""
    return " ".join(mask(text).split())


def _said(change: Change, mask: Mask) -> Iterator[str]:
    if change.refusal is not None and change.refused:
        yield f"refused [{change.refusal.rule}]: {change.refusal.reason}"
    else:
        headline = str(change.drift.desired.beside.get("headline", ""))
        yield from [headline] if " " in headline else _told(change, headline, mask)
    if change.refusal is not None and change.beyond:
        yield change.refusal.cure
    if change.held:
        yield f"held by {change.held}"
    if change.lapsed is not None:
        yield f"was accepted until {change.lapsed.until}: {change.lapsed.why}"


def _told(change: Change, path: str, mask: Mask) -> Iterator[str]:
    """A headline that only names a file says nothing yet: the kind's notes, else the differences."""
    notes = change.drift.desired.beside.get("notes")
    differences = telling(change.drift.differences, mask)
    told = list(notes) if notes else [f"{key} {actual} -> {desired}" for key, actual, desired in differences]
    yield f"{path}: {told[0]}" if path and told else path or (told[0] if told else "differs")
    yield from told[1:_MOST_TOLD]
    if len(told) > _MOST_TOLD:
        yield f"and {len(told) - _MOST_TOLD} more"
