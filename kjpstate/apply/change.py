"""One change of the plan: what is still due, done, and read again. Called by `apply.run`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from kjpstate import errors
from kjpstate.apply.describe import describe
from kjpstate.apply.execute import execute
from kjpstate.apply.locks import regain
from kjpstate.apply.notes import ahead
from kjpstate.apply.restore import lose, stop
from kjpstate.apply.state import Stopped, Work, unit_of
from kjpstate.model import (
    UNKNOWN,
    Action,
    Await,
    Change,
    Difference,
    Event,
    MakeDirectory,
    Outcome,
    Reading,
    Run,
    Step,
    SyncTree,
    WriteFile,
)
from kjpstate.plan import Assessment, assess, change_for
from kjpstate.said import Said, say


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
        work.steps.append(
            Step(
                address,
                "held" if held != address else "not tried",
                say("apply.waits-for", address=held),
            )
        )
        return
    outcomes = work.done.setdefault(unit, [])
    first = len(outcomes)
    work.tell(Event("start", address, change.resource.kind))
    try:
        acted = await _do(change, outcomes, work)
    except Stopped as stopped:
        await stop(change, unit, stopped, outcomes[first:], work)
        return
    except errors.Unreachable as lost:
        lose(change, unit, lost, outcomes[first:], work)
        return
    except Exception as error:
        await stop(change, unit, Stopped(str(errors.mistake(error))), outcomes[first:], work)
        return
    work.steps.append(Step(address, "applied" if acted else "shrunk", "", tuple(outcomes[first:])))
    work.tell(Event("done", address, "" if acted else say("apply.not-needed")))


async def _do(change: Change, outcomes: list[Outcome], work: Work) -> bool:
    """Act and read again; when a host is lost and comes back, what is left. Whether anything was
    needed.

    Raises Stopped; Unreachable when a host is lost and does not come back in time.
    """
    actions: tuple[Action, ...] | None = None
    noted: tuple[Action, ...] = ()
    while True:
        try:
            if actions is None:
                actions = await _due(change, work)
                noted = tuple(ahead(change, actions, work))
                await execute(noted, outcomes, work)
            else:
                notes = [action for action in noted if action not in actions]
                await execute((*notes, *await _left(change, actions, work)), outcomes, work)
            await read_again(change, work)
            return bool(actions)
        except errors.Unreachable as lost:
            if not await regain(lost, outcomes, work):
                raise


async def _left(change: Change, actions: Sequence[Action], work: Work) -> tuple[Action, ...]:
    """What a host that was lost still needs, by a new look: only what `actions` had, else raises
    Stopped.

    When nothing is, still to be waited for is what was waited for.
    """
    await look(change, work)
    found = assess(change.resource, replace(work.scene, answers=work.answers), {})
    if found.drift is None:
        return tuple(action for action in actions if isinstance(action, Await))
    due = change_for(found.drift, work.scene)
    if due.refusal is not None:
        raise Stopped(str(due.refusal.reason))
    planned = {_content(action) for action in actions}
    other = [action for action in due.actions if _content(action) not in planned]
    if other:
        raise Stopped(say("apply.other-actions", actions=[describe(action) for action in other]))
    return due.actions


def _content(action: Action) -> tuple[Any, ...]:
    """What an action and one of the plan must share to be the same: bytes too; notes of our own are
    free."""
    match action:
        case WriteFile(before=before, after=after):
            return *_footprint(action), before, after
        case SyncTree(manifest=manifest):
            return *_footprint(action), *sorted(
                (path, file.digest) for path, file in (manifest or {}).items()
            )
        case _:
            return _footprint(action)


async def _due(change: Change, work: Work) -> tuple[Action, ...]:
    """The change's actions; of an owed one what is left of them now that the rest is done."""
    if not change.after:
        return await _left(change, change.actions, work) if work.regained else change.actions
    await look(change, work)
    found = assess(change.resource, replace(work.scene, answers=work.answers), {})
    _refuse_foreign(change, found)
    if found.drift is None:
        return ()
    due = change_for(found.drift, work.scene)
    if due.refusal is not None:
        raise Stopped(str(due.refusal.reason))
    extra = {_footprint(action) for action in due.actions} - {
        _footprint(action) for action in change.actions
    }
    if extra:
        shown = sorted(" ".join(map(str, item)) for item in extra)
        raise Stopped(say("apply.more-actions", actions=shown))
    return due.actions


def _refuse_foreign(change: Change, found: Assessment) -> None:
    """Compared values that no earlier step feeds must still be as the plan saw them; a problem
    that is new is refused in its own words."""
    planned = change.drift
    moved = [
        key
        for key, value in found.actual.values.items()
        if key != "problems"
        and key in planned.desired.values
        and planned.desired.values[key] is not UNKNOWN
        and key not in (*planned.actual.ticks, *planned.desired.ticks)
        and value not in (planned.actual.values.get(key), planned.desired.values[key])
    ]
    if moved:
        raise Stopped(say("apply.changed-meanwhile", keys=moved))


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
        said = say("apply.still-differs", left=map(_left_over, found.drift.differences))
        rule = found.told.mismatch
        raise Stopped(say("act.rule", said=said, rule=rule) if rule else said)


def _left_over(item: Difference) -> Said:
    key = ".".join(map(str, item.path))
    return say("apply.is-not", key=key, actual=repr(item.actual), desired=repr(item.desired))
