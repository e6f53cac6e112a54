"""What one look found, held against what was known -> what is worth telling. Pure; times are UTC
seconds.

A change is told once, by (address, reason), however its contents go on changing; what ended is told
once too. During quiet hours notices wait, and two that cancel each other are never told; a dead bot
does not wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, get_args

from kjpstate.model import Change, Plan
from kjpstate.said import Text

Kind: TypeAlias = Literal[
    "dead", "alive", "drift", "resolved", "changed", "accepted", "unreachable", "recovered"
]

KINDS: frozenset[str] = frozenset(get_args(Kind))
_ENDS: Mapping[str, Kind] = {"dead": "alive", "drift": "resolved", "unreachable": "recovered"}
DEAD = "dead"


@dataclass(frozen=True)
class Finding:
    """One thing that is not as written. `reason`: dead, drift, or the rule of a refusal. `text`:
    one row."""

    address: str
    host: str
    reason: str
    text: str


@dataclass(frozen=True)
class Seen:
    """One look. `looked`: the addresses that were compared; `known`: all of the document, and the
    hosts they read from; `hosts`: those that were asked; `lost`: host -> why it was not reached.
    `accepted`: addresses whose difference is left as it is; `unsure`: those of which it is not
    known whether they live. `narrowed`: only a part of the document is known, so nothing has left
    it."""

    findings: tuple[Finding, ...]
    looked: frozenset[str]
    known: frozenset[str]
    hosts: frozenset[str]
    lost: Mapping[str, Text]
    accepted: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    narrowed: bool = False


@dataclass(frozen=True)
class Notice:
    """One sentence for a person. `subject`: the address, or the host where no address is meant;
    `since`: when it was first seen."""

    kind: Kind
    subject: str
    host: str
    reason: str
    text: str
    since: float

    @property
    def urgent(self) -> bool:
        """Whether it may wake somebody."""
        return self.kind in ("dead", "alive")


@dataclass(frozen=True)
class Standing:
    """A finding, or a host out of reach, that stands. `looks`: in a row, until it is told."""

    subject: str
    host: str
    reason: str
    text: str
    since: float
    looks: int = 1
    told: bool = False


@dataclass(frozen=True)
class Memory:
    """All that is known of one document. `waiting`: notices that quiet hours hold back."""

    standing: tuple[Standing, ...] = ()
    waiting: tuple[Notice, ...] = ()


@dataclass
class _Turn:
    """One look being worked in: what stands afterwards, and what there is to tell."""

    standing: list[Standing] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


_LOST = "unreachable"


def seen_in(
    plan: Plan, known: frozenset[str], hosts: frozenset[str], row: Callable[[Change], str]
) -> Seen:
    """A plan as a look; `row` gives a change's masked sentence."""
    changed = {change.resource.address for change in plan.changes}
    accepted = {drift.resource.address for drift, _ in plan.accepted}
    unsure = {change.resource.address for change in plan.changes if change.life == "unknown"}
    return Seen(
        findings=tuple(finding for change in plan.changes for finding in _findings(change, row)),
        looked=frozenset({*changed, *accepted, *plan.in_sync}),
        known=known,
        hosts=hosts,
        lost={host: str(why) for host, why in plan.unreachable.items()},
        accepted=frozenset(accepted),
        unsure=frozenset(unsure),
    )


def _findings(change: Change, row: Callable[[Change], str]) -> Iterator[Finding]:
    """A dead bot is one thing, why its cure is refused another; what else differs of it comes with
    that."""
    address, host, text = change.resource.address, change.resource.host, row(change)
    dies = change.life not in ("alive", "unknown")
    if dies:
        yield Finding(address, host, DEAD, text)
    if change.refusal is not None:
        yield Finding(address, host, change.refusal.rule, text)
    elif not dies:
        yield Finding(address, host, "drift", text)


def advance(
    memory: Memory, seen: Seen, now: float, *, lost_after: int, quiet: bool
) -> tuple[Memory, tuple[Notice, ...]]:
    """What is known after this look, and what to tell now. `lost_after`: looks in a row until a
    host that does not answer is told."""
    turn = _Turn()
    before = {(item.subject, item.reason): item for item in memory.standing}
    _found(turn, before, seen, now)
    _not_reached(turn, before, seen, now, lost_after)
    _ended(turn, before, seen)
    # what began and then left the document is not news
    earlier = (
        notice
        for notice in memory.waiting
        if notice.kind not in _ENDS or notice.subject in seen.known or seen.narrowed
    )
    waiting = _cancelled((*earlier, *turn.notices))
    held = tuple(notice for notice in waiting if quiet and not notice.urgent)
    return Memory(tuple(turn.standing), held), tuple(
        notice for notice in waiting if notice not in held
    )


def _found(turn: _Turn, before: Mapping[tuple[str, str], Standing], seen: Seen, now: float) -> None:
    for finding in seen.findings:
        known = before.get((finding.address, finding.reason))
        if known is not None:
            turn.standing.append(known)
            continue
        item = Standing(finding.address, finding.host, finding.reason, finding.text, now, told=True)
        turn.standing.append(item)
        turn.notices.append(_notice(item))


def _not_reached(
    turn: _Turn, before: Mapping[tuple[str, str], Standing], seen: Seen, now: float, lost_after: int
) -> None:
    for host, why in seen.lost.items():
        known = before.get((host, _LOST))
        item = known or Standing(host, host, _LOST, str(why), now, looks=0)
        if not item.told:
            item = replace(item, looks=item.looks + 1)
        if not item.told and item.looks >= lost_after:
            item = replace(item, told=True)
            turn.notices.append(_notice(item))
        turn.standing.append(item)


def _ended(turn: _Turn, before: Mapping[tuple[str, str], Standing], seen: Seen) -> None:
    """What stood and was not seen now: over if looked at, kept if not, dropped if it left the
    document.

    Of a dead bot nothing else is over, and of one that nothing is known of, not its death.
    """
    now_standing = {(item.subject, item.reason) for item in turn.standing}
    dead = {finding.address for finding in seen.findings if finding.reason == DEAD}
    for key, item in before.items():
        if key in now_standing:
            continue
        lost = item.reason == _LOST
        unsure = item.subject in (seen.unsure if item.reason == DEAD else dead)
        if item.subject in (seen.hosts if lost else seen.looked) and not unsure:
            if item.told:
                turn.notices.append(replace(_notice(item), kind=_end(item, seen)))
        elif item.subject in seen.known or seen.narrowed:
            turn.standing.append(item)


def _end(item: Standing, seen: Seen) -> Kind:
    """`resolved` only when the resource is as written: not if it differs otherwise now, or is lived
    with."""
    kind = _ENDS[_kind(item)]
    if kind != "resolved":
        return kind
    if item.subject in seen.accepted:
        return "accepted"
    return "changed" if any(found.address == item.subject for found in seen.findings) else kind


def _kind(item: Standing) -> Kind:
    if item.reason == DEAD:
        return "dead"
    return "unreachable" if item.reason == _LOST else "drift"


def _notice(item: Standing) -> Notice:
    return Notice(_kind(item), item.subject, item.host, item.reason, item.text, item.since)


def _cancelled(notices: Sequence[Notice]) -> tuple[Notice, ...]:
    """Of one subject and reason, what began and ended (or ended and began again) untold is not
    told."""
    left: list[Notice] = []
    for notice in notices:
        earlier = next(
            (
                other
                for other in left
                if (other.subject, other.reason) == (notice.subject, notice.reason)
            ),
            None,
        )
        if earlier is not None and earlier.kind != notice.kind:
            left.remove(earlier)
        elif earlier is None:
            left.append(notice)
    return tuple(left)


def in_quiet(quiet: tuple[int, int] | None, minute: int) -> bool:
    """Whether a minute of the day lies in (first, last) minutes; over midnight where first is
    later."""
    if quiet is None:
        return False
    first, last = quiet
    return first <= minute < last if first < last else minute >= first or minute < last
