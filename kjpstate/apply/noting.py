"""Notes, ahead of each step, what a run will do to a host; a rollback is made of that. Called by
`taking`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from kjpstate.apply.work import Work
from kjpstate.model import Action, Change, Plan, Reading, ReadState, Stamp
from kjpstate.undo import record


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
