"""A unit put back when a part of it failed or was interrupted. Called by
`taking` and `apply.run`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from kjpstate import errors
from kjpstate.apply.describe import by_hand, describe, rows, why
from kjpstate.apply.notes import forgotten
from kjpstate.apply.state import Stopped, Work, unit_of
from kjpstate.formats.digests import sha256_or_dash
from kjpstate.formats.tree import read_stamp
from kjpstate.kinds import parts
from kjpstate.model import (
    Action,
    Backup,
    Change,
    Event,
    Outcome,
    ReadState,
    Restore,
    Run,
    Stamp,
    Step,
    SyncTree,
    WriteFile,
)
from kjpstate.plan import spread_block
from kjpstate.said import Text, say


async def give_up(rest: Sequence[Change], work: Work) -> None:
    """After a Ctrl-C: nothing new begins, and a unit that is half done is put back."""
    work.codes.append(errors.INTERRUPTED)
    for change in rest:
        unit = unit_of(change, work.plan)
        acts = change.refusal is None and not change.held and unit not in work.blocked
        if acts and work.done.get(unit):
            await undo(change, unit, "apply.not-reached", work)
        work.steps.append(Step(change.resource.address, "not tried", say("apply.interrupted")))


async def undo(change: Change, unit: Sequence[str], why: str, work: Work) -> Text:
    """Put the unit back, block what reads what it writes; the trouble, or nothing.

    `why`: the code of the reason, about the address of `change`.
    """
    trouble = await restore(work.done[unit], work) or await _acted(forgotten(unit, work), work)
    _block(change, unit, work)
    said = say(why, address=change.resource.address)
    if trouble:
        said = say("apply.not-put-back", trouble=trouble)
    work.steps = [
        replace(step, result="failed" if trouble else "restored", reason=said)
        if step.address in unit and step.result == "applied"
        else step
        for step in work.steps
    ]
    work.codes.append(errors.FAILED if trouble else errors.RESTORED)
    return trouble


async def stop(
    change: Change, unit: Sequence[str], stopped: Stopped, outcomes: Sequence[Outcome], work: Work
) -> None:
    """Note the failure, put the unit back, hold what reads what it writes."""
    address = change.resource.address
    work.tell(Event("failed", address, stopped.reason))
    written = [done.action for done in work.done[unit] if isinstance(done.action, WriteFile)]
    trouble = await undo(change, unit, "apply.failed", work)
    if trouble:
        reason = say("apply.failed-and-stands", reason=stopped.reason, trouble=trouble)
        work.steps.append(Step(address, "failed", reason, tuple(outcomes)))
        return
    whose = "" if work.stopping else await _whose(change, outcomes, written, work)
    work.steps.append(Step(address, "restored", rows(stopped.reason, whose), tuple(outcomes)))


async def _whose(
    change: Change, outcomes: Sequence[Outcome], written: Sequence[WriteFile], work: Work
) -> Text:
    """After a restore: do once more what the kind asks for (it writes nothing), and let the kinds
    that wrote the source say whose errors they are."""
    failed = outcomes[-1] if outcomes else None
    if failed is None or failed.status != "failed" or failed.exit_code is None:
        return ""
    here = [write for write in written if write.host == change.resource.host]
    after_failure = getattr(work.scene.kinds[change.resource.kind], "after_failure", None)
    again = after_failure(change.drift.view, failed.action) if here and after_failure else None
    if again is None:
        return ""
    work.tell(Event("action", "", say("act.again", what=describe(again))))
    try:
        found, _ = await work.hosts[again.host].act((again,))
    except errors.Unreachable as lost:
        return say("apply.check-not-run", why=lost.message)
    told = (whose_errors(failed, found[-1], here) for whose_errors in parts("whose_errors"))
    return rows(*told)


def lose(
    change: Change,
    unit: Sequence[str],
    lost: errors.Unreachable,
    outcomes: Sequence[Outcome],
    work: Work,
) -> None:
    """The link is gone, the outcome unknown: nothing more is tried there; the next run reads what
    is."""
    reason = say("apply.link-lost", why=lost.message)
    work.tell(Event("failed", change.resource.address, reason))
    _block(change, unit, work)
    work.steps.append(Step(change.resource.address, "failed", reason, tuple(outcomes)))
    work.codes.append(errors.UNREACHABLE)
    work.lost.add(lost.host)


def _block(change: Change, unit: Sequence[str], work: Work) -> None:
    unit_of = {address: group for group in work.plan.units for address in group}
    resources = {resource.address: resource for resource in work.scene.resources}
    work.blocked[unit] = change.resource.address
    work.blocked = spread_block(
        work.blocked, work.plan.changes, unit_of, resources, work.scene.kinds
    )


async def restore(outcomes: list[Outcome], work: Work) -> Text:
    """Put back all that these outcomes did, in reverse, then run each undo once; the trouble, or
    nothing."""
    stands = {where for outcome in outcomes if (where := _anothers(outcome))}
    actions = [
        action
        for outcome in reversed(outcomes)
        for action in _reverse(outcome, work)
        if not (isinstance(action, Restore) and (action.host, action.path) in stands)
    ]
    undo = [
        replace(
            outcome.action,
            argv=argv,
            why=say("act.undo"),
            typed=(),
            undo=(),
            writes=(),
            outputs=None,
            replaces=False,
        )
        for outcome in reversed(outcomes)
        if isinstance(outcome.action, Run)
        for argv in outcome.action.undo
    ]
    outcomes.clear()
    return await _acted((*actions, *undo), work)


async def _acted(actions: Iterable[Action], work: Work) -> Text:
    """Do each of `actions`, whatever became of the others; the trouble, or nothing.

    What could not be done is told as commands for a human: `work.commands`.
    """
    left = list(actions)
    trouble: list[Text] = []
    while left:
        action = left.pop(0)
        if not isinstance(action, Stamp):
            work.tell(Event("action", "", describe(action)))
        try:
            found, _ = await work.hosts[action.host].act((action,))
        except errors.Unreachable as lost:
            work.commands += [
                (item.host, by_hand(item))
                for item in (action, *left)
                if not isinstance(item, Stamp)
            ]
            return str(lost.message)
        except Exception as error:
            trouble.append(str(errors.mistake(error)))
            work.commands.append((action.host, by_hand(action)))
            continue
        if not found[-1].ok:
            trouble.append(why(found[-1]))
            if not isinstance(action, Stamp):
                work.commands.append((action.host, by_hand(action)))
    return say("apply.trouble", trouble=trouble) if trouble else ""


def _reverse(outcome: Outcome, work: Work) -> Iterator[Action]:
    """What puts back what one outcome did; nothing for an action that did not happen."""
    match outcome.action:
        case WriteFile(host=host, path=path, after=after) if outcome.status in ("done", "unknown"):
            yield Restore(host, path, outcome.backup or None, sha256_or_dash(after))
        case SyncTree(host=host, to_directory=path, manifest=manifest) if outcome.status in (
            "done",
            "unknown",
        ):
            files = {name: file.digest for name, file in (manifest or {}).items()}
            yield Restore(
                host, path, outcome.backup or None, files=files, removed=outcome.action.remove
            )
        case Backup(host=host, path=path) if outcome.ok:
            yield Restore(host, path, outcome.backup or None)
        case Stamp(host=host, document=document, name=name) as stamp if outcome.status == "done":
            reading = ReadState(host, document, name)
            if reading in work.planned:
                yield replace(stamp, values=read_stamp(work.planned[reading]), fill=())


def _anothers(outcome: Outcome) -> tuple[str, str] | None:
    """The (host, path) where a putting back found somebody's edit: that stands."""
    match outcome:
        case Outcome(action=Restore(host=host, path=path), status="moved"):
            return host, path
        case _:
            return None
