"""A Plan on its hosts: lock, read again, act, read again; a part that fails puts its unit back.

Called by `reconcile.apply` with the very scene the plan was made of. It does what the plan shows
and nothing else; an owed step is computed again when what it waits for is done, and may only
shrink.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kjpstate import errors
from kjpstate.apply.change import take
from kjpstate.apply.describe import describe
from kjpstate.apply.locks import begin
from kjpstate.apply.notes import index_of, lines_of, remember, standing
from kjpstate.apply.restore import give_up
from kjpstate.apply.state import Patience, Tell, Work
from kjpstate.host import Host
from kjpstate.model import (
    Answer,
    Answers,
    Backup,
    Event,
    Plan,
    Reading,
    Report,
    RunInfo,
    SyncTree,
    WriteFile,
)
from kjpstate.plan import Scene, build, moved
from kjpstate.said import say

__all__ = ["Patience", "begin", "describe", "readings_by_host", "run"]


async def run(
    plan: Plan,
    scene: Scene,
    hosts: Mapping[str, Host],
    info: RunInfo,
    tell: Tell,
    *,
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> Report:
    """Apply `plan`; raises Locked, Unreachable (nothing done), StalePlan (nothing done)."""
    begun: list[Host] = []
    work = Work(info, plan, scene, hosts, tell, patience)
    whole = False
    try:
        await _begin(work, begun)
        _refuse_stale(plan, build(replace(scene, answers=work.planned)))
        for position, change in enumerate(plan.changes):
            await _to_the_end(take(change, work), work)
            if work.stopping:
                await _to_the_end(give_up(plan.changes[position + 1 :], work), work)
                break
        await remember(work)
        whole = True
        return _report(work)
    finally:
        ends = (host.end(finished=whole and host.name not in work.lost) for host in begun)
        await asyncio.gather(*ends)


async def _to_the_end(part: Coroutine[Any, Any, None], work: Work) -> None:
    """Await `part`; the first Ctrl-C lets its running action end, a second one does not wait."""
    task = asyncio.ensure_future(part)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        if work.stopping:
            task.cancel()
            raise
        work.stopping = True
        work.tell(Event("wait", "", say("wait.running-action")))
        await task


async def _begin(work: Work, begun: list[Host]) -> None:
    """Take every lock, in the order of the hosts' names so that two runs can't
    wait for each other."""
    answers: dict[Reading, Answer] = dict(work.scene.answers)
    readings = readings_by_host(work.scene)
    for name in sorted(readings):
        if name in work.hosts:
            host = work.hosts[name]
            wanted = [*readings[name], index_of(name, work.info.document)]
            wanted.append(lines_of(name, work.info.document))
            wanted += standing(name, work.plan, readings[name])
            answers.update(await _lock(host, work, wanted, begun))
            begun.append(host)
            work.recovered += host.recovered
            host.heard = lambda line: work.tell(Event("output", "", line))
    work.planned, work.answers = answers, dict(answers)


async def _lock(
    host: Host, work: Work, readings: Sequence[Reading], begun: Sequence[Host]
) -> Answers:
    """Begin on one host; a lock that is our own already means two names for one machine."""
    try:
        return await begin(host, work.info, readings, work.tell, work.patience.lock)
    except errors.Locked as locked:
        if locked.run != work.info.id:
            raise
        names = sorted({host.name, *(other.name for other in begun)})
        raise errors.RefusedError(
            say("one-machine-two-names", names=names),
            say("one-machine-two-names.cure"),
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
    found = moved(plan.fingerprints, fresh.fingerprints)
    if found:
        raise errors.StalePlan(
            say("stale-plan", moved=found),
            say("stale-plan.cure"),
            "stale-plan",
        )


def _report(work: Work) -> Report:
    backups = tuple(
        (outcome.action.host, _replaced(outcome.action), outcome.backup)
        for step in work.steps
        for outcome in step.outcomes
        if outcome.backup and isinstance(outcome.action, (WriteFile, Backup, SyncTree))
    )
    if work.plan.unreachable:
        work.codes.append(errors.UNREACHABLE)
    return Report(
        run=work.info,
        plan=work.plan,
        steps=tuple(work.steps),
        backups=backups,
        exit_code=errors.worst(work.codes),
        commands=tuple(work.commands),
        recovered=tuple(work.recovered),
    )


def _replaced(action: WriteFile | Backup | SyncTree) -> str:
    return action.to_directory if isinstance(action, SyncTree) else action.path
