"""Plan -> one row a drift, nothing when in sync: what `drift` prints for cron and scripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kjpstate.model import Change, Holder, Plan, Unfinished
from kjpstate.render.lines import Line
from kjpstate.render.masks import Mask
from kjpstate.render.plans import STYLES
from kjpstate.render.rows import row_text, rows_of_lost
from kjpstate.render.values import telling
from kjpstate.said import Text, say

_MOST_TOLD = 3


def drift_lines(
    plan: Plan, mask: Mask, hints: Mapping[str, Text] | None = None
) -> tuple[Line, ...]:
    """`~ dns  stb  servers (none) -> 8.8.8.8 1.1.1.1`, one row a change, never wrapped.

    A dead bot comes first and differently: `! DEAD bot-kjp  stb  given up (errored)`. `hints`:
    address -> a clause on what may have caused it.
    """
    changes = sorted(plan.changes, key=lambda change: not dead(change))
    return tuple(
        _line(change, mask, (hints or {}).get(change.resource.address, "")) for change in changes
    )


def dead(change: Change) -> str:
    """Why the app of this change is known not to be alive; "" for all else."""
    return "" if change.life in ("alive", "unknown") else str(change.drift.told.sick or change.life)


def busy_lines(busy: Mapping[str, Holder], mask: Mask) -> tuple[Line, ...]:
    """One row a host that another run is at work on, for stderr."""
    return tuple(
        Line(
            _squeezed(
                say(
                    "drift.busy",
                    host=host,
                    run=owner.run,
                    who=owner.who,
                    why=owner.why or "apply",
                    when=owner.when,
                ),
                mask,
            ),
            "change",
            whole=True,
        )
        for host, owner in busy.items()
    )


def cut_lines(unfinished: Mapping[str, Unfinished], mask: Mask) -> tuple[Line, ...]:
    """One row a host on which a run was cut, for stderr: it may be why something differs."""
    return tuple(
        Line(
            _squeezed(
                say("drift.cut", host=host, run=run.run, who=run.who),
                mask,
            ),
            "change",
            whole=True,
        )
        for host, run in unfinished.items()
    )


def lost_lines(unreachable: Mapping[str, Text], mask: Mask) -> tuple[Line, ...]:
    """One row a host that did not answer (host -> why), for stderr."""
    return tuple(
        Line(
            say("drift.not-reached", host=host, why=lost_row(host, why, mask)), "refuse", whole=True
        )
        for host, why in unreachable.items()
    )


def lost_row(host: str, why: Text, mask: Mask) -> str:
    """What happened and the remedy, rows of their own on a plan; the host is
    named beside. Masked."""
    return _squeezed("; ".join(rows_of_lost(host, why)), mask)


def saying(change: Change, mask: Mask) -> str:
    """What is said about one change, in one row; masked."""
    return _squeezed("; ".join(_said(change, mask)), mask)


def row_of(change: Change, mask: Mask) -> str:
    """The same after why its bot is dead, if it is; that is said once."""
    reason, said = _squeezed(dead(change), mask), saying(change, mask)
    return f"{reason}; {said.replace(f': {reason}', '', 1)}" if reason else said


def _line(change: Change, mask: Mask, hint: Text) -> Line:
    head = f"{change.symbol} {change.resource.address}"
    style = STYLES[change.symbol]
    if dead(change):
        app = change.drift.told.name or change.resource.address
        head, style = str(say("drift.dead", app=app)), "refuse"
    because = f"   [{_squeezed(hint, mask)}]" if hint else ""
    return Line(
        f"{head}  {change.resource.host}  {row_of(change, mask)}{because}", style, whole=True
    )


def _squeezed(text: Text, mask: Mask) -> str:
    """One row, single blanks; masked first, since a secret may hold more than one."""
    return " ".join(mask(text).split())


def _said(change: Change, mask: Mask) -> Iterator[str]:
    if change.refusal is not None and change.refused:
        yield str(say("drift.refused", rule=change.refusal.rule, why=change.refusal.reason))
    else:
        headline = str(change.drift.told.headline)
        yield from [headline] if " " in headline else _told(change, headline, mask)
    if change.refusal is not None and change.beyond:
        yield str(change.refusal.cure)
    if change.held:
        yield str(say("drift.held", address=change.held))
    if change.lapsed is not None:
        yield str(say("plan.lapsed", until=change.lapsed.until, why=change.lapsed.why))


def _told(change: Change, path: str, mask: Mask) -> Iterator[str]:
    """A headline that only names a file says nothing yet: the kind's notes,
    else the differences."""
    notes = list(map(row_text, change.drift.told.rows or ()))
    differences = telling(change.drift.differences, mask)
    told = (
        notes if notes else [f"{key} {actual} -> {desired}" for key, actual, desired in differences]
    )
    yield (
        f"{path}: {told[0]}"
        if path and told
        else path or (told[0] if told else str(say("drift.differs")))
    )
    yield from told[1:_MOST_TOLD]
    if len(told) > _MOST_TOLD:
        yield str(say("drift.more", count=len(told) - _MOST_TOLD))
