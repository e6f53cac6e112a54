"""`kjpstate drift`: the plan for machines; silent and 0 when in sync, and for years."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kjpstate import errors, reconcile
from kjpstate.checking import Check, check
from kjpstate.cli import options
from kjpstate.cli.notifying import notify
from kjpstate.cli.recording import Note
from kjpstate.cli.running import Manner, noted_over
from kjpstate.cli.session import Session
from kjpstate.cli.work import Work, tell_unread
from kjpstate.formats.digests import sha256
from kjpstate.hosts import lock
from kjpstate.hosts.places import Places
from kjpstate.model import RunInfo, Scope
from kjpstate.render.as_json import plan_json
from kjpstate.render.drifts import busy_lines, cut_lines, drift_lines, lost_lines
from kjpstate.said import say

_GRACE = 5.0
"""Seconds beyond the limit for what can't be stopped: a resolver that hangs, a file system that is
gone."""

_TELLING = 60.0
"""Seconds for telling whoever the document names in `notify`, which ends itself before."""


@dataclass(frozen=True)
class Asked:
    """The command line."""

    document: str | None = options.argument()
    scope: Scope = options.scope()
    timeout: float = options.timeout(60.0, "For looking at everything.")
    as_json: bool = options.as_json()


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """For cron: silent and 0 when in sync; else one line a drift, and 2 (3 when a host did not
    answer)."""
    with _ended_in_time(asked.timeout) as end:
        drift = functools.partial(_drift, end)
        return noted_over(session, "drift", asked, drift, Manner(looks=True, silent=True))


@dataclass
class _End:
    """How the run came out, as soon as that is known."""

    seconds: float
    code: int | None = None
    dog: threading.Timer | None = None

    def watched(self, seconds: float) -> None:
        """The process ends after `seconds` from now, whatever it hangs in."""
        self.free()
        self.dog = threading.Timer(seconds, _end_now, (self,))
        self.dog.daemon = True
        self.dog.start()

    def free(self) -> None:
        """Nobody watches any more."""
        if self.dog is not None:
            self.dog.cancel()


async def _drift(end: _End, work: Work, asked: Asked, note: Note) -> int:
    session = work.session
    with _alone(work, note.run):
        found = await check(
            work.document,
            work.hosts,
            key=work.key,
            scope=work.scope,
            within=end.seconds,
            advised=asked.as_json,  # rows have no place for it
        )
        session.secrets |= found.plan.secrets
        note.saw(found.plan, found.busy)
        end.code = code = note.ended(_code(found))
        try:
            _say(session, found, code, asked.as_json)
            if code:  # cron sends a mail of whatever is said
                tell_unread(
                    session, [work.document.hosts[name] for name in work.chosen], work.folder
                )
        finally:
            # Also when a full disk takes no more output: that may be what the bot died of. What may
            # be told is what was judged: nothing of a host that another run is at work on.
            end.watched(_TELLING)
            notify(work, found.plan)
            end.watched(_GRACE)
    return code


def _code(found: Check) -> int:
    beside = [*("busy" for _ in found.busy), *("distrusted" for _ in found.distrusted)]
    return errors.code_of([*reconcile.findings(found.plan), *beside])


def _say(session: Session, found: Check, code: int, as_json: bool) -> None:
    plan = found.plan
    if as_json:
        session.out_json(
            plan_json(plan, session.mask(), exit_code=code, hints=found.hints, busy=found.busy)
        )
    else:
        session.out(drift_lines(plan, session.mask(), found.hints))
    session.tell(lost_lines(plan.unreachable, session.mask()))
    session.tell(cut_lines(plan.unfinished if plan.changes else {}, session.mask()))
    session.tell(busy_lines(found.busy, session.mask()))


@contextlib.contextmanager
def _alone(work: Work, run: RunInfo) -> Iterator[None]:
    """One check of a document at a time. Raises Locked; where no lock can be kept there is none."""
    path = str(Path(work.document.path).absolute())
    folder = work.folder / "checking" / sha256(path.encode())[:12]
    held: lock.Lock | None = None
    try:
        info = RunInfo(run.id, run.started, run.document, run.who, "drift")
        held = lock.take(Places(folder), info, "this machine")
    except errors.Locked as locked:
        raise errors.Locked(
            say("locked.checking", document=work.document.name, run=locked.run),
            rule="locked",
            run=locked.run,
        ) from None
    except errors.Failed:
        pass
    try:
        yield
    finally:
        if held is not None:
            held.release()


@contextlib.contextmanager
def _ended_in_time(seconds: float) -> Iterator[_End]:
    """The end of the process a little after `seconds`, whatever it hangs in."""
    end = _End(seconds)
    end.watched(seconds + _GRACE)
    try:
        yield end
    finally:
        end.free()


def _end_now(end: _End) -> None:
    if end.code is None:
        text = str(say("cli.drift-hangs", seconds=end.seconds))
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()
    os._exit(errors.UNREACHABLE if end.code is None else end.code)
