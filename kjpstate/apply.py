"""A Plan on its hosts: lock, read again, act, read again; a part that fails puts its unit back.

Called by `reconcile.apply` with the very scene the plan was made of. It does what the plan shows and
nothing else; an owed step is computed again when what it waits for is done, and may only shrink.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from kjpstate import errors
from kjpstate.formats import JUDGES
from kjpstate.formats.tree import digests, read_stamp
from kjpstate.host import Host
from kjpstate.kinds.patch.blame import verdict
from kjpstate.model import (
    UNKNOWN,
    Action,
    Answer,
    Answers,
    Await,
    Backup,
    Change,
    Clock,
    Event,
    MakeDirectory,
    Outcome,
    Plan,
    Reading,
    ReadState,
    ReadTree,
    Report,
    Restore,
    Run,
    RunInfo,
    Stamp,
    Stat,
    Step,
    SyncTree,
    Tree,
    Unreadable,
    WriteFile,
    Written,
    join,
)
from kjpstate.plan import Assessment, Scene, assess, build, change_for, spread_block

Tell: TypeAlias = Callable[[Event], None]

_PAUSE = 1.0
"""Seconds between two samples of an Await."""


class _Stopped(Exception):
    """A change can't go on; `reason` is a sentence, `unknown`: whether its last action may have happened."""

    def __init__(self, reason: str, unknown: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unknown = unknown


@dataclass
class _Work:
    """What one apply knows while it runs; `done` are the outcomes by unit, in order."""

    plan: Plan
    scene: Scene
    hosts: Mapping[str, Host]
    tell: Tell
    answers: dict[Reading, Answer]
    planned: Answers
    steps: list[Step] = field(default_factory=list)
    done: dict[Sequence[str], list[Outcome]] = field(default_factory=dict)
    blocked: dict[Sequence[str], str] = field(default_factory=dict)
    outputs: dict[ReadTree, Tree | None] = field(default_factory=dict)
    codes: list[int] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    fill: dict[Reading, Answer] = field(default_factory=dict)
    stopping: bool = False


async def run(plan: Plan, scene: Scene, hosts: Mapping[str, Host], info: RunInfo, tell: Tell) -> Report:
    """Apply `plan`; raises Locked, Unreachable (nothing done), StalePlan (nothing done)."""
    begun: list[Host] = []
    try:
        answers = await _begin(scene, hosts, info, begun, tell)
        _refuse_stale(plan, build(replace(scene, answers=answers)))
        work = _Work(plan, scene, hosts, tell, dict(answers), answers)
        for position, change in enumerate(plan.changes):
            await _to_the_end(_take(change, work), work)
            if work.stopping:
                await _to_the_end(_give_up(plan.changes[position + 1 :], work), work)
                break
        return _report(work, info)
    finally:
        await asyncio.gather(*(host.end() for host in begun))


async def _to_the_end(part: Coroutine[Any, Any, None], work: _Work) -> None:
    """Await `part`; the first Ctrl-C lets its running action end, a second one does not wait."""
    task = asyncio.ensure_future(part)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        if work.stopping:
            task.cancel()
            raise
        work.stopping = True
        work.tell(Event("wait", "", "the running action to end; Ctrl-C again stops at once"))
        await task


async def _give_up(rest: Sequence[Change], work: _Work) -> None:
    """After a Ctrl-C: nothing new begins, and a unit that is half done is put back."""
    work.codes.append(errors.INTERRUPTED)
    for change in rest:
        unit = _unit(change, work.plan)
        acts = change.refusal is None and not change.held and unit not in work.blocked
        if acts and work.done.get(unit):
            await _undo(change, unit, "was not reached", work)
        work.steps.append(Step(change.resource.address, "not tried", "interrupted"))


async def _undo(change: Change, unit: Sequence[str], why: str, work: _Work) -> str:
    """Put the unit back, block what reads what it writes; the trouble, or nothing."""
    trouble = await _restore(work.done[unit], work)
    _block(change, unit, work)
    said = (
        f"could not be put back: {trouble}" if trouble else f"put back, since {change.resource.address} {why}"
    )
    work.steps = [
        replace(step, result="failed" if trouble else "restored", reason=said)
        if step.address in unit and step.result == "applied"
        else step
        for step in work.steps
    ]
    work.codes.append(errors.FAILED if trouble else errors.RESTORED)
    return trouble


async def _begin(
    scene: Scene, hosts: Mapping[str, Host], info: RunInfo, begun: list[Host], tell: Tell
) -> dict[Reading, Answer]:
    """Take every lock, in the order of the hosts' names so that two runs can't wait for each other."""
    answers: dict[Reading, Answer] = dict(scene.answers)
    readings = readings_by_host(scene)
    for name in sorted(readings):
        if name in hosts:
            answers.update(await _lock(hosts[name], info, readings[name], begun))
            begun.append(hosts[name])
            hosts[name].heard = lambda line: tell(Event("output", "", line))
    return answers


async def _lock(host: Host, info: RunInfo, readings: Sequence[Reading], begun: Sequence[Host]) -> Answers:
    """Begin on one host; a lock that is our own already means two names for one machine."""
    try:
        return await host.begin(info, readings)
    except errors.Locked as locked:
        if locked.run != info.id:
            raise
        names = " and ".join(sorted({host.name, *(other.name for other in begun)}))
        raise errors.RefusedError(
            f"{names} are one machine: it has one lock, and this run holds it already",
            "give that machine one name in hosts, and use it in every section",
            "one-machine-two-names",
        ) from None


def readings_by_host(scene: Scene) -> dict[str, list[Reading]]:
    """All readings of the scene's resources, each once, by host."""
    found: dict[str, dict[Reading, None]] = {}
    for resource in scene.resources:
        for reading in scene.kinds[resource.kind].reads(resource.spec):
            found.setdefault(reading.host, {})[reading] = None
    return {host: list(readings) for host, readings in found.items()}


def _refuse_stale(plan: Plan, fresh: Plan) -> None:
    moved = [
        address for address, print_ in plan.fingerprints.items() if fresh.fingerprints.get(address) != print_
    ]
    if moved:
        raise errors.StalePlan(
            f"{', '.join(moved)} is no longer as the plan saw it; nothing was done",
            "kjpstate plan   shows what it is now",
            "stale-plan",
        )


async def _take(change: Change, work: _Work) -> None:
    """One change of the plan, whatever becomes of it; its step and its code are noted."""
    address, unit = change.resource.address, _unit(change, work.plan)
    if change.refusal is not None:
        work.steps.append(Step(address, "refused", change.refusal.reason))
        work.codes.append(errors.REFUSED)
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
        await _execute(actions, outcomes, work)
        await _read_again(change, work)
    except _Stopped as stopped:
        await _stop(change, unit, stopped, outcomes[first:], work)
        return
    except errors.Unreachable as lost:
        _lose(change, unit, lost, outcomes[first:], work)
        return
    work.steps.append(Step(address, "applied" if actions else "shrunk", "", tuple(outcomes[first:])))
    work.tell(Event("done", address, "" if actions else "nothing was needed"))


def _unit(change: Change, plan: Plan) -> Sequence[str]:
    return next(unit for unit in plan.units if change.resource.address in unit)


async def _due(change: Change, work: _Work) -> tuple[Action, ...]:
    """The change's actions; of an owed one what is left of them now that the rest is done."""
    if not change.after:
        return change.actions
    await _look(change, work)
    found = assess(change.resource, replace(work.scene, answers=work.answers), {})
    _refuse_foreign(change, found)
    if found.drift is None:
        return ()
    due = change_for(found.drift, work.scene)
    if due.refusal is not None:
        raise _Stopped(due.refusal.reason)
    extra = {_footprint(action) for action in due.actions} - {_footprint(action) for action in change.actions}
    if extra:
        shown = ", ".join(sorted(" ".join(map(str, item)) for item in extra))
        raise _Stopped(f"now needs more than the plan showed: {shown}")
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
        raise _Stopped(f"{', '.join(moved)} changed meanwhile, by somebody else; that stands as it is")


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


async def _execute(actions: Iterable[Action], outcomes: list[Outcome], work: _Work) -> None:
    """Do the actions in order, as few messages as their fills and waits allow."""
    batch: list[Action] = []
    for action in actions:
        if work.stopping:
            raise _Stopped("interrupted")
        if batch and batch[-1].host != action.host:
            await _flush(batch, (), outcomes, work)
        match action:
            case Await():
                await _flush(batch, (), outcomes, work)
                await _await(action, work)
            case Stamp(fill=fill) if fill:
                readings = tuple(_reading(item) for _, item in fill)
                await _flush(batch, readings, outcomes, work, action.host)
                batch.append(_filled(action, work))
            case Run(writes=writes, outputs=outputs):
                if outputs is not None:
                    await _flush(batch, (outputs,), outcomes, work, action.host)
                    before = work.fill[outputs]
                    work.outputs[outputs] = before if isinstance(before, Tree) else None
                batch += [Backup(action.host, path) for path in writes]
                batch.append(action)
            case _:
                batch.append(action)
    await _flush(batch, (), outcomes, work)


async def _flush(
    batch: list[Action], readings: Sequence[Reading], outcomes: list[Outcome], work: _Work, host: str = ""
) -> None:
    """Send `batch` as one message with `readings` behind it; raises _Stopped at the first that is not ok."""
    if not batch and not readings:
        return
    host = batch[0].host if batch else host
    for action in batch:
        if isinstance(action, (WriteFile, SyncTree, Run)):
            work.tell(Event("action", "", describe(action)))
    found, answers = await work.hosts[host].act(tuple(batch), readings, work.hosts)
    batch.clear()
    outcomes += found
    if found and not found[-1].ok:
        raise _Stopped(_why(found[-1]), unknown=found[-1].status == "unknown")
    work.fill.update(answers)


def _why(outcome: Outcome) -> str:
    tail = outcome.output.decode(errors="replace").strip()
    status = f" (exit code {outcome.exit_code})" if outcome.exit_code is not None else ""
    reason = outcome.reason or {"moved": "is not as the plan saw it any more"}.get(
        outcome.status, outcome.status
    )
    return f"{describe(outcome.action)}: {reason}{status}" + (f"\n{tail}" if tail else "")


def describe(action: Action) -> str:
    """One action in a few words, for progress and errors; no bytes, no environment."""
    match action:
        case WriteFile(path=path, after=after):
            return f"{'remove' if after is None else 'write'} {path}"
        case SyncTree(to_directory=path):
            return f"switch {path}"
        case Run(argv=argv, why=why):
            return spoken(argv) or why or argv[0]
        case Await(why=why):
            return why
        case Stamp(name=name):
            return f"note {name}"
        case MakeDirectory(path=path):
            return f"make {path}"
        case Backup(path=path):
            return f"back up {path}"
        case Restore(path=path):
            return f"restore {path}"


def spoken(argv: Sequence[str]) -> str:
    """A command as a person would type it: PM2 without its paths; nothing for a script of ours."""
    if len(argv) > 2 and argv[1].endswith("/pm2"):
        return " ".join(("pm2", *argv[2:]))
    return "" if tuple(argv[:2]) == ("sh", "-c") else " ".join(argv)


async def _await(action: Await, work: _Work) -> None:
    """Sample until the judge is content; the last reason stands in the failure."""
    work.tell(Event("wait", "", action.why))
    deadline = time.monotonic() + action.timeout
    while True:
        _, answers = await work.hosts[action.host].act((), (action.reading,))
        reason = JUDGES[action.judge](answers[action.reading], dict(action.args))
        if reason is None:
            return
        if work.stopping:
            raise _Stopped("interrupted")
        if time.monotonic() > deadline:
            raise _Stopped(f"{action.why}: {reason} after {action.timeout:.0f} s")
        await asyncio.sleep(_PAUSE)


def _reading(item: Reading | Written) -> Reading:
    return item.tree if isinstance(item, Written) else item


def _filled(stamp: Stamp, work: _Work) -> Stamp:
    """The stamp with its `fill` taken, or the old one when only a clock would move."""
    assert stamp.values is not None
    values = dict(stamp.values)
    clocks = set()
    for name, item in stamp.fill:
        answer = work.fill[_reading(item)]
        if isinstance(item, Written):
            values[name] = _written(item, answer, work)
        else:
            values[name] = _plain(answer)
        if isinstance(answer, Clock):
            clocks.add(name)
    if stamp.keep is not None and _without(values, clocks) == _without(stamp.keep, clocks):
        values = dict(stamp.keep)
    return replace(stamp, values=values, fill=(), keep=None)


def _without(values: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _written(item: Written, answer: Answer, work: _Work) -> dict[str, str]:
    """What the last run wrote (new, or changed since before it), and what `also` names and still stands."""
    after = answer.files if isinstance(answer, Tree) else {}
    old = {
        (reading.host, join(reading.root, path)): file
        for reading, tree in work.outputs.items()
        if tree is not None
        for path, file in tree.files.items()
    }
    return {
        path: file.digest
        for path, file in sorted(after.items())
        if path in item.also or old.get((item.tree.host, join(item.tree.root, path))) != file
    }


def _plain(answer: Answer) -> Any:
    """An answer as a stamp holds it."""
    match answer:
        case Tree():
            return digests(answer)
        case Clock(boot_id=boot_id, uptime=uptime):
            return {"boot_id": boot_id, "uptime": uptime}
        case Stat(size=size, changed=changed):
            return {"size": size, "changed": changed}
        case None:
            return None
        case _:
            raise _Stopped(f"could not be read: {answer.why if isinstance(answer, Unreadable) else answer!r}")


async def _look(change: Change, work: _Work) -> None:
    """Read all that the change's resource reads again, one message a host."""
    by_host: dict[str, list[Reading]] = {}
    for reading in work.scene.kinds[change.resource.kind].reads(change.resource.spec):
        if reading.host in work.hosts:
            by_host.setdefault(reading.host, []).append(reading)
    for host, readings in by_host.items():
        work.answers.update((await work.hosts[host].act((), readings))[1])


async def _read_again(change: Change, work: _Work) -> None:
    """The second reading: only it says whether the change succeeded."""
    await _look(change, work)
    found = assess(change.resource, replace(work.scene, answers=work.answers), {})
    if found.drift is not None:
        left = "; ".join(
            f"{'.'.join(map(str, item.path))} is {item.actual!r}, wanted {item.desired!r}"
            for item in found.drift.differences
        )
        raise _Stopped(f"done, but read again it still differs: {left}")


async def _stop(
    change: Change, unit: Sequence[str], stopped: _Stopped, outcomes: Sequence[Outcome], work: _Work
) -> None:
    """Note the failure, put the unit back, hold what reads what it writes."""
    address = change.resource.address
    work.tell(Event("failed", address, stopped.reason))
    written = [done.action for done in work.done[unit] if isinstance(done.action, WriteFile)]
    trouble = await _undo(change, unit, "failed", work)
    if trouble:
        reason = f"{stopped.reason}\nand could not be put back: {trouble}"
        work.steps.append(Step(address, "failed", reason, tuple(outcomes)))
        return
    whose = "" if work.stopping else await _whose(change, outcomes, written, work)
    reason = "\n".join(filter(None, (stopped.reason, whose)))
    work.steps.append(Step(address, "restored", reason, tuple(outcomes)))


async def _whose(
    change: Change, outcomes: Sequence[Outcome], written: Sequence[WriteFile], work: _Work
) -> str:
    """After a restore: a build's failed check (it writes nothing) once more: whose errors are they."""
    failed = outcomes[-1] if outcomes else None
    if failed is None or failed.status != "failed" or failed.exit_code is None:
        return ""
    check = failed.action
    here = [write for write in written if write.host == change.resource.host]
    if change.resource.kind != "build" or not here or not isinstance(check, Run) or check.writes:
        return ""
    work.tell(Event("action", "", f"{describe(check)}, on the restored source"))
    try:
        found, _ = await work.hosts[check.host].act((check,))
    except errors.Unreachable as lost:
        return f"The check could not be run on the restored source: {lost.message}"
    return verdict(failed, found[-1], here)


def _lose(
    change: Change, unit: Sequence[str], lost: errors.Unreachable, outcomes: Sequence[Outcome], work: _Work
) -> None:
    """The link is gone, the outcome unknown: nothing more is tried there; the next run reads what is."""
    reason = f"{lost.message}; whether its last action happened is not known, the next run reads again"
    work.tell(Event("failed", change.resource.address, reason))
    _block(change, unit, work)
    work.steps.append(Step(change.resource.address, "failed", reason, tuple(outcomes)))
    work.codes.append(errors.UNREACHABLE)


def _block(change: Change, unit: Sequence[str], work: _Work) -> None:
    unit_of = {address: group for group in work.plan.units for address in group}
    resources = {resource.address: resource for resource in work.scene.resources}
    work.blocked[unit] = change.resource.address
    work.blocked = spread_block(work.blocked, work.plan.changes, unit_of, resources, work.scene.kinds)


async def _restore(outcomes: list[Outcome], work: _Work) -> str:
    """Put back all that these outcomes did, in reverse, then run each undo once; the trouble, or nothing."""
    actions = [action for outcome in reversed(outcomes) for action in _reverse(outcome, work)]
    undo = [
        replace(outcome.action, argv=argv, why="undo", undo=(), writes=(), outputs=None, replaces=False)
        for outcome in reversed(outcomes)
        if isinstance(outcome.action, Run)
        for argv in outcome.action.undo
    ]
    outcomes.clear()
    trouble = []
    for action in (*actions, *undo):
        work.tell(Event("action", "", describe(action)))
        try:
            found, _ = await work.hosts[action.host].act((action,))
        except errors.Unreachable as lost:
            return lost.message
        if not found[-1].ok:
            trouble.append(_why(found[-1]))
    return "; ".join(trouble)


def _reverse(outcome: Outcome, work: _Work) -> Iterator[Action]:
    """What puts back what one outcome did; nothing for an action that did not happen."""
    match outcome.action:
        case WriteFile(before=before, after=after) as action if outcome.status == "done":
            yield replace(action, before=after, after=before)
        case SyncTree(host=host, to_directory=path) if outcome.status in ("done", "unknown"):
            yield Restore(host, path, outcome.backup or None)
        case Backup(host=host, path=path) if outcome.ok:
            yield Restore(host, path, outcome.backup or None)
        case Stamp(host=host, document=document, name=name) as stamp if outcome.status == "done":
            reading = ReadState(host, document, name)
            if reading in work.planned:
                yield replace(stamp, values=read_stamp(work.planned[reading]), fill=())


def _replaced(action: WriteFile | Backup | SyncTree) -> str:
    return action.to_directory if isinstance(action, SyncTree) else action.path


def _report(work: _Work, info: RunInfo) -> Report:
    backups = tuple(
        (outcome.action.host, _replaced(outcome.action), outcome.backup)
        for step in work.steps
        for outcome in step.outcomes
        if outcome.backup and isinstance(outcome.action, (WriteFile, Backup, SyncTree))
    )
    if work.plan.unreachable:
        work.codes.append(errors.UNREACHABLE)
    return Report(
        run=info,
        plan=work.plan,
        steps=tuple(work.steps),
        backups=backups,
        exit_code=errors.worst(work.codes),
        commands=tuple(work.commands),
    )
