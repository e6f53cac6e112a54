"""What a run notes on each host: before each step what it will do, at its end one line about it.

A rollback is made of the first; `status` on the host reads the second.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from kjpstate import errors
from kjpstate.apply.state import Work
from kjpstate.formats import remembered
from kjpstate.model import Action, Change, Plan, Reading, ReadState, Stamp
from kjpstate.undo import record
from kjpstate.undo.record import TAKES_BACK


def lines_of(host: str, document: str) -> ReadState:
    """The lines that stand there; read when the host's lock is taken."""
    return ReadState(host, document, remembered.NAME)


async def remember(work: Work) -> None:
    """Add the line; a link that is lost now spoils nothing, since all is done."""
    homes = {change.resource.address: change.resource.host for change in work.plan.changes}
    touched = {outcome.action.host for step in work.steps for outcome in step.outcomes}
    for host in sorted(touched - work.lost):
        results = {step.address: step.result for step in work.steps if homes[step.address] == host}
        line = remembered.Line(
            work.info.id,
            "rollback" if str(work.info.why).startswith(TAKES_BACK) else "apply",
            work.info.who,
            work.info.started,
            errors.worst(work.codes),
            results,
        )
        document = work.info.document
        values = remembered.with_line(work.planned.get(lines_of(host, document)), line)
        try:
            await work.hosts[host].act((Stamp(host, document, remembered.NAME, values),))
        except errors.Unreachable:
            work.lost.add(host)


def index_of(host: str, document: str) -> ReadState:
    """The list of the runs that changed something on a host; read when its lock is taken."""
    return ReadState(host, document, record.INDEX)


def standing(host: str, plan: Plan, asked: Collection[Reading]) -> dict[Reading, None]:
    """What stands where the plan's actions will write; read when the locks are taken, before any of
    them."""
    actions = [
        action for change in plan.changes for action in change.actions if action.host == host
    ]
    return dict.fromkeys(record.standing(actions, asked))


def changed(plan: Plan) -> set[str]:
    """The hosts that a run of this plan changes."""
    return {action.host for change in plan.changes for action in change.actions}


def ahead(change: Change, actions: Sequence[Action], work: Work) -> Iterator[Action]:
    """The actions with their note before the first on each host, in the same message."""
    kind = work.scene.kinds[change.resource.kind]
    stamps_count = getattr(kind, "STAMPS_COUNT", False)
    steps = record.noted(change, actions, work.answers, stamps_count=stamps_count)
    for action in actions:
        step = steps.pop(action.host, None)
        if step is not None:
            yield from _note(action.host, step, work)
        yield action


def _note(host: str, step: record.Step, work: Work) -> Iterator[Stamp]:
    document = work.info.document
    if host not in work.records:
        work.records[host] = record.opening(work.info, changed(work.plan))
        runs = record.listed(work.answers.get(index_of(host, document)))
        yield Stamp(host, document, record.INDEX, record.with_run(runs, work.info.id))
    work.records[host] = record.extended(work.records[host], step)
    yield record.stamp(host, document, work.records[host])


def forgotten(unit: Sequence[str], work: Work) -> Iterator[Stamp]:
    """What is left of the notes when a unit was put back: there is nothing of it to roll back."""
    for host, found in list(work.records.items()):
        left = record.without(found, unit)
        if left != found:
            work.records[host] = left
            yield record.stamp(host, work.info.document, left)
