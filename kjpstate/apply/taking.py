"""One change of the plan: what is still due, done, and read again. Called by `apply.run`."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from kjpstate import errors
from kjpstate.apply.acting import execute
from kjpstate.apply.noting import ahead
from kjpstate.apply.restoring import lose, stop
from kjpstate.apply.work import Stopped, Work, unit_of
from kjpstate.model import (
    UNKNOWN,
    Action,
    Change,
    Event,
    MakeDirectory,
    Reading,
    Run,
    Step,
    SyncTree,
    WriteFile,
)
from kjpstate.plan import Assessment, assess, change_for


async def take(change: Change, work: Work) -> None:
    """One change of the plan, whatever becomes of it; its step and its code are noted."""
    address, unit = change.resource.address, unit_of(change, work.plan)
    if change.refusal is not None:
        word: Literal["held", "refused"] = "held" if change.beyond else "refused"
        work.steps.append(Step(address, word, change.refusal.reason))
        work.codes.append(errors.DRIFT if change.beyond else errors.REFUSED)
        return
    held = change.held or work.blocked.get(unit, "")
    if held:
        work.steps.append(Step(address, "held" if held != address else "not tried", f"waits for {held}"))
        return
    outcomes = work.done.setdefault(unit, [])
    first = len(outcomes)
    work.tell(Event("start", address, change.resource.kind))
    try:
        actions = await _due(change, work)
        await execute(tuple(ahead(change, actions, work)), outcomes, work)
        await read_again(change, work)
    except Stopped as stopped:
        await stop(change, unit, stopped, outcomes[first:], work)
        return
    except errors.Unreachable as lost:
        lose(change, unit, lost, outcomes[first:], work)
        return
    work.steps.append(Step(address, "applied" if actions else "shrunk", "", tuple(outcomes[first:])))
    work.tell(Event("done", address, "" if actions else "nothing was needed"))


async def _due(change: Change, work: Work) -> tuple[Action, ...]:
    """The change's actions; of an owed one what is left of them now that the rest is done."""
    if not change.after:
        return change.actions
    await look(change, work)
    found = assess(change.resource, replace(work.scene, answers=work.answers), {})
    _refuse_foreign(change, found)
    if found.drift is None:
        return ()
    due = change_for(found.drift, work.scene)
    if due.refusal is not None:
        raise Stopped(due.refusal.reason)
    extra = {_footprint(action) for action in due.actions} - {_footprint(action) for action in change.actions}
    if extra:
        shown = ", ".join(sorted(" ".join(map(str, item)) for item in extra))
        raise Stopped(f"now needs more than the plan showed: {shown}")
    return due.actions


def _refuse_foreign(change: Change, found: Assessment) -> None:
    """Compared values that no earlier step feeds must still be as the plan saw them."""
    planned = change.drift
    moved = [
        key
        for key, value in found.actual.values.items()
        if key in planned.desired.values
        and planned.desired.values[key] is not UNKNOWN
        and key not in (*planned.actual.ticks, *planned.desired.ticks)
        and value not in (planned.actual.values.get(key), planned.desired.values[key])
    ]
    if moved:
        raise Stopped(f"{', '.join(moved)} changed meanwhile, by somebody else; that stands as it is")


def _footprint(action: Action) -> tuple[str, ...]:
    """What two actions must share for one to stand for the other in a plan."""
    match action:
        case WriteFile(host=host, path=path) | MakeDirectory(host=host, path=path):
            return "write", host, path
        case SyncTree(host=host, to_directory=path):
            return "write", host, path
        case Run(host=host, argv=argv):
            return "run", host, *argv
        case _:
            return (type(action).__name__, action.host)


async def look(change: Change, work: Work) -> None:
    """Read all that the change's resource reads again, one message a host."""
    by_host: dict[str, list[Reading]] = {}
    for reading in work.scene.kinds[change.resource.kind].reads(change.resource.spec):
        if reading.host in work.hosts:
            by_host.setdefault(reading.host, []).append(reading)
    for host, readings in by_host.items():
        work.answers.update((await work.hosts[host].act((), readings))[1])


async def read_again(change: Change, work: Work) -> None:
    """The second reading: only it says whether the change succeeded."""
    await look(change, work)
    found = assess(change.resource, replace(work.scene, answers=work.answers), {})
    if found.drift is not None:
        left = "; ".join(
            f"{'.'.join(map(str, item.path))} is {item.actual!r}, wanted {item.desired!r}"
            for item in found.drift.differences
        )
        raise Stopped(f"done, but read again it still differs: {left}")
