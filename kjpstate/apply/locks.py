"""A host's lock taken, and taken again when the host was lost on the way.

Taking the lock waits for a command that was left running, and lets the host settle what was half
done. What had happened on a lost host is read from its journal; what is left to do is computed from
a new look, never from what was sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

from kjpstate import errors
from kjpstate.apply.describe import settled
from kjpstate.apply.state import Tell, Work
from kjpstate.formats import journal
from kjpstate.formats.journal import Intent
from kjpstate.host import Host
from kjpstate.model import (
    Action,
    Answers,
    Backup,
    Event,
    MakeDirectory,
    Outcome,
    Reading,
    ReadState,
    Recovered,
    Restore,
    Run,
    RunInfo,
    Stamp,
    SyncTree,
    Verdict,
    WriteFile,
)
from kjpstate.said import packed, say

_PAUSES = (0.5, 1.0, 2.0, 5.0)
"""Seconds between two tries at a lock or a host; the last one again and again."""


def pauses(seconds: float) -> Iterator[float]:
    """How long to sleep before each next try, until `seconds` are over."""
    deadline, number = time.monotonic() + seconds, 0
    while (left := deadline - time.monotonic()) > 0:
        yield min(_PAUSES[min(number, len(_PAUSES) - 1)], left)
        number += 1


async def begin(
    host: Host, run: RunInfo, readings: Sequence[Reading], tell: Tell, seconds: float = 0.0
) -> Answers:
    """Take the lock of `host`, waiting up to `seconds` for another run to let it go; tell what was
    settled.

    Raises Locked, Unreachable, RefusedError.
    """
    waiting = pauses(seconds)
    while True:
        try:
            answers = await host.begin(run, readings)
            break
        except errors.Locked as locked:
            pause = next(waiting, None) if locked.run != run.id else None
            if pause is None:
                raise
            tell(Event("wait", "", locked.held))
            await asyncio.sleep(pause)
    for found in host.recovered:
        tell(Event("recovered", "", settled(found)))
    return answers


_HAPPENED: tuple[Verdict, ...] = ("whole", "finished")


async def regain(lost: errors.Unreachable, outcomes: list[Outcome], work: Work) -> bool:
    """Wait for the lost host as long as the apply may; True when it is locked again for this run.

    `outcomes` then also has what happened of the message on which the link was lost.
    """
    host, sent = work.hosts[lost.host], work.sent
    work.sent = ()
    if not work.patience.wait:
        return False
    work.tell(Event("wait", "", say("wait.host", host=lost.host, why=lost.message)))
    await host.close()
    reading = ReadState(lost.host, work.info.document, journal.FILE)
    for pause in pauses(work.patience.wait):
        if work.stopping:
            return False
        try:
            answer = (await begin(host, work.info, (reading,), work.tell))[reading]
        except (errors.Unreachable, errors.Locked):
            await asyncio.sleep(pause)
            continue
        work.recovered += host.recovered
        work.regained.add(lost.host)
        known = journal.read(answer) if isinstance(answer, bytes) else None
        if known is not None and known.run == work.info.id:
            outcomes += happened(sent, known, host.recovered)
        return True
    return False


def happened(
    sent: Sequence[Action], known: journal.Journal, recovered: Sequence[Recovered]
) -> Iterator[Outcome]:
    """How the actions of one message ended, as the journal has it; after the last announced none
    began."""
    announced = {(intent.kind, intent.path): intent for intent in known.intents}
    found = [(action, announced.get(_key(action))) for action in sent]
    last = max(
        (number for number, (_, intent) in enumerate(found) if intent is not None), default=-1
    )
    verdict: Verdict = next(
        (item.verdict for item in recovered if item.run.run == known.run), "unknown"
    )
    for action, intent in found[: last + 1]:
        yield Outcome(action, "already") if intent is None else _outcome(action, intent, verdict)


def _outcome(action: Action, intent: Intent, verdict: Verdict) -> Outcome:
    if intent.status:
        status = intent.status
    elif verdict == "unknown":
        status = "unknown"
    else:
        status = "done" if verdict in _HAPPENED else "failed"
    backup = "" if isinstance(action, WriteFile) and action.before is None else intent.backup
    match status:
        case "done" | "already" | "failed" | "moved":
            return Outcome(action, status, backup=backup if status == "done" else "")
        case _:
            return Outcome(action, "unknown")


def _key(action: Action) -> tuple[str, str]:
    """What an action is announced as."""
    match action:
        case WriteFile(path=path):
            return "write", path
        case SyncTree(to_directory=path):
            return "switch", path.rstrip("/")
        case Backup(path=path):
            return "backup", path.rstrip("/")
        case MakeDirectory(path=path):
            return "make", path.rstrip("/")
        case Restore(path=path):
            return "restore", path.rstrip("/")
        case Stamp(name=name):
            return "stamp", name
        case Run(why=why):
            return "run", packed(why).rstrip("/")
        case _:
            return "", ""
