"""`kjpstate schedule`: have `drift` run by cron, a systemd timer or the Windows task scheduler."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import click

from kjpstate import errors
from kjpstate.cli import options, schedulers
from kjpstate.cli.schedulers import Scheduler
from kjpstate.cli.session import Session
from kjpstate.cli.work import load
from kjpstate.document import Document, narrowed
from kjpstate.errors import UsageError
from kjpstate.formats.schedules import MINUTE, Job, fits, job_name
from kjpstate.formats.times import seconds
from kjpstate.model import Scope
from kjpstate.render.lines import Line
from kjpstate.said import Text, say

_LIMIT = 5 * MINUTE
"""Seconds after which a scheduled run is ended by its scheduler; `drift` ends itself long before.
"""

_FINE = {
    errors.IN_SYNC: say("schedule.works"),
    errors.DRIFT: say("schedule.works-drift"),
    errors.UNREACHABLE: say("schedule.works-unreachable"),
    errors.LOCKED: say("schedule.works-locked"),
    errors.REFUSED: say("schedule.works-refused"),
}
"""What a trial run may end with: `drift` works; all else would fail every ten minutes, unseen."""


@dataclass(frozen=True)
class Asked:
    """The command line."""

    document: str | None = options.argument()
    every: str = options.option(
        "--every",
        default="10m",
        show_default=True,
        metavar="TIME",
        help="How often, such as 10m or 1h.",
    )
    by: str | None = options.option(
        "--with",
        type=click.Choice(list(schedulers.ALL)),
        help="Which; else what this machine has.",
    )
    scope: Scope = options.hosts()
    show: bool = options.flag("--show", help="Only show what is scheduled, and what would be.")
    remove: bool = options.flag("--remove", help="Take it out again.")
    yes: bool = options.yes()


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """Write, show or remove what runs `kjpstate drift` again and again; a trial run comes first."""
    loaded = load(session, asked.document, forgiving=asked.show or asked.remove)
    job = _job(session, loaded, asked)
    scheduler = schedulers.chosen(asked.by)
    standing = scheduler.found(job)
    if asked.show:
        return _shown(session, scheduler, job, standing)
    if asked.remove:
        return _removed(session, scheduler, job, standing, asked.yes)
    if standing == scheduler.text(job):
        session.out([Line(say("schedule.there-already", place=scheduler.place(job)), "good")])
        return errors.IN_SYNC
    session.out(_texts(scheduler.place(job), scheduler.text(job)))
    _try(session, scheduler, job)
    _ask(session, say("schedule.write-this"), asked.yes)
    scheduler.write(job)
    session.out([Line(say("schedule.written", hint=scheduler.hint(job)), "good")])
    return errors.IN_SYNC


def _job(session: Session, document: Document, asked: Asked) -> Job:
    narrowed(document, asked.scope)  # raises for a word that is no host
    path = str(Path(document.path).absolute())
    state = session.environ.get("KJPSTATE_STATE")
    environ = {"KJPSTATE_STATE": str(Path(state).expanduser().absolute())} if state else {}
    typed = ("--lang", session.lang) if session.lang else ()
    argv = (
        *(schedulers.interpreter(), "-m", "kjpstate", *typed, "drift", path),
        *asked.scope.words,
    )
    for text in (*argv, *environ.values()):
        if not text.isprintable():
            raise UsageError(
                say("schedule.unprintable", text=text), say("schedule.unprintable.cure")
            )
    return Job(job_name(document.name, path), path, argv, _period(asked.every), _LIMIT, environ)


def _period(text: str) -> int:
    every = seconds(text) or 0
    if every != int(every) or not fits(int(every)):
        raise UsageError(
            say("schedule.every", text=text),
            say("schedule.every.cure"),
        )
    return int(every)


def _shown(session: Session, scheduler: Scheduler, job: Job, standing: str) -> int:
    if not standing:
        session.out([Line(say("schedule.not-scheduled", place=scheduler.place(job)))])
    session.out(_texts(scheduler.place(job), standing or scheduler.text(job)))
    return errors.IN_SYNC


def _removed(session: Session, scheduler: Scheduler, job: Job, standing: str, yes: bool) -> int:
    if not standing:
        session.out([Line(say("schedule.nothing-there", place=scheduler.place(job)))])
        return errors.IN_SYNC
    session.out(_texts(scheduler.place(job), standing))
    _ask(session, say("schedule.remove-this"), yes)
    scheduler.remove(job)
    session.out([Line("Removed.", "good")])
    return errors.IN_SYNC


def _texts(place: Text, text: str) -> list[Line]:
    return [
        Line(f"{place}:", "strong"),
        *(Line(f"  {row}", whole=True) for row in text.splitlines()),
    ]


def _try(session: Session, scheduler: Scheduler, job: Job) -> None:
    """Run it once as the scheduler will: no agent, no terminal, a bare
    environment. Raises Failed."""
    session.tell([Line(say("schedule.trial"))])
    code, output = schedulers.trial(job, scheduler.environ(), os.environ)
    if code not in _FINE or _shut_out(output):
        said = session.mask()(output.strip())
        failed = say("schedule.trial-failed", status=code, said=said)
        if not said:
            failed = say("schedule.trial-silent", status=code)
        raise errors.Failed(failed, say("schedule.trial.cure"))
    session.tell([Line(_FINE[code], "good")])
    session.tell(Line(f"  {row}", whole=True) for row in output.splitlines())


def _shut_out(output: str) -> bool:
    """Whether a host is on and can't be looked at like that, neither now nor at night; of a fleet's
    members each is left out and told by `drift` itself."""
    return re.search(r"(?m)^[^\s\[]+: .*\[(host-key-[a-z]+|login-refused)\]", output) is not None


def _ask(session: Session, question: Text, yes: bool) -> None:
    if yes:
        return
    if not session.has_terminal():
        raise UsageError(
            say("schedule.asks"),
            say("schedule.asks.cure"),
        )
    if not session.confirmed(question):
        raise errors.Failed(say("cli.not-yes"))
