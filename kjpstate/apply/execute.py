"""Does actions in order on their hosts, in as few messages as their fills and waits allow.

A stamp is filled with what is read at the instant of writing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kjpstate.apply.describe import describe, rows, why
from kjpstate.apply.state import Stopped, Work
from kjpstate.formats import JUDGES
from kjpstate.formats.tree import digests
from kjpstate.model import (
    Action,
    Answer,
    Await,
    Backup,
    Clock,
    Completed,
    Event,
    Outcome,
    ReadCommand,
    Reading,
    Run,
    Stamp,
    Stat,
    SyncTree,
    Tree,
    Unreadable,
    WriteFile,
    Written,
    join,
)
from kjpstate.said import Text, say


def reading_of(item: Reading | Written) -> Reading:
    return item.tree if isinstance(item, Written) else item


def filled(stamp: Stamp, work: Work) -> Stamp:
    """The stamp with its `fill` taken, or the old one when only a clock would move."""
    assert stamp.values is not None
    values = dict(stamp.values)
    clocks = set()
    for name, item in stamp.fill:
        answer = work.fill[reading_of(item)]
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


def _written(item: Written, answer: Answer, work: Work) -> dict[str, str]:
    """What the last run wrote (new, or changed since before it), and what `also` names and still
    stands."""
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
            why = answer.why if isinstance(answer, Unreadable) else repr(answer)
            raise Stopped(say("apply.unread", why=why))


_PAUSE = 1.0
"""Seconds between two samples of an Await."""


async def execute(actions: Iterable[Action], outcomes: list[Outcome], work: Work) -> None:
    """Do the actions in order, as few messages as their fills and waits allow."""
    batch: list[Action] = []
    for action in actions:
        if work.stopping:
            raise Stopped(say("apply.interrupted"))
        if batch and batch[-1].host != action.host:
            await _flush(batch, (), outcomes, work)
        match action:
            case Await():
                await _flush(batch, (), outcomes, work)
                await _await(action, work)
            case Stamp(fill=fill) if fill:
                readings = tuple(reading_of(item) for _, item in fill)
                await _flush(batch, readings, outcomes, work, action.host)
                batch.append(filled(action, work))
            case Run(writes=writes, outputs=outputs, renews=renews):
                if outputs is not None:
                    await _flush(batch, (outputs,), outcomes, work, action.host)
                    before = work.fill[outputs]
                    work.outputs.setdefault(outputs, before if isinstance(before, Tree) else None)
                batch += [Backup(action.host, path, renews) for path in writes]
                batch.append(action)
            case _:
                batch.append(action)
    await _flush(batch, (), outcomes, work)


async def _flush(
    batch: list[Action],
    readings: Sequence[Reading],
    outcomes: list[Outcome],
    work: Work,
    host: str = "",
) -> None:
    """Send `batch` as one message with `readings` behind it; raises Stopped at the first that is
    not ok."""
    if not batch and not readings:
        return
    host = batch[0].host if batch else host
    for action in batch:
        if isinstance(action, (WriteFile, SyncTree, Run)):
            work.tell(Event("action", "", describe(action)))
    work.sent = tuple(batch)
    found, answers = await work.hosts[host].act(work.sent, readings, work.hosts)
    work.sent = ()
    batch.clear()
    outcomes += found
    if found and not found[-1].ok:
        reason = await _with_evidence(why(found[-1]), found[-1].action, work)
        raise Stopped(reason, unknown=found[-1].status == "unknown")
    work.fill.update(answers)


async def _with_evidence(reason: Text, action: Action, work: Work) -> Text:
    """The reason, with the rule of a command that failed, and below it what the host itself says
    about it, where that can be had."""
    if not isinstance(action, Run):
        return reason
    said = say("act.rule", said=reason, rule=action.rule) if action.rule else reason
    if not action.on_failure:
        return said
    reading = ReadCommand(action.host, action.on_failure)
    _, answers = await work.hosts[action.host].act((), (reading,))
    answer = answers.get(reading)
    told = answer.stdout.decode(errors="replace").strip() if isinstance(answer, Completed) else ""
    return rows(said, told)


async def _await(action: Await, work: Work) -> None:
    """Sample until the judge is content; the last reason stands in the failure."""
    work.tell(Event("wait", "", action.why))
    deadline = time.monotonic() + action.timeout
    while True:
        _, answers = await work.hosts[action.host].act((), (action.reading,))
        reason = JUDGES[action.judge](answers[action.reading], dict(action.args))
        if reason is None:
            return
        if work.stopping:
            raise Stopped(say("apply.interrupted"))
        if time.monotonic() > deadline:
            raise Stopped(
                say("apply.not-well", what=action.why, reason=reason, seconds=action.timeout)
            )
        await asyncio.sleep(_PAUSE)
