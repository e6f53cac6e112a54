"""`kjpstate schedule`: have `drift` run by cron, a systemd timer or the Windows task scheduler."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from kjpstate import errors
from kjpstate.cli import options, schedulers
from kjpstate.cli.schedulers import Scheduler
from kjpstate.cli.session import Session
from kjpstate.cli.work import load
from kjpstate.document import Document
from kjpstate.errors import UsageError
from kjpstate.formats.schedules import MINUTE, Job, fits, job_name
from kjpstate.formats.times import seconds
from kjpstate.render.lines import Line

_LIMIT = 5 * MINUTE
"""Seconds after which a scheduled run is ended by its scheduler; `drift` ends itself long before.
"""

_FINE = {
    errors.IN_SYNC: "in sync",
    errors.DRIFT: "it found drift",
    errors.UNREACHABLE: "a host was not reached",
    errors.LOCKED: "another run is at work",
    errors.REFUSED: "something is refused",
}
"""What a trial run may end with: `drift` works; all else would fail every ten minutes, unseen."""


@click.command()
@options.document
@click.option(
    "--every",
    default="10m",
    show_default=True,
    metavar="TIME",
    help="How often, such as 10m or 1h.",
)
@click.option(
    "--with",
    "by",
    type=click.Choice(list(schedulers.ALL)),
    help="Which; else what this machine has.",
)
@click.option("--here", metavar="HOST", help="This machine is that host of the document.")
@click.option("--limit", multiple=True, metavar="HOST", help="Only this host.")
@click.option("--show", is_flag=True, help="Only show what is scheduled, and what would be.")
@click.option("--remove", is_flag=True, help="Take it out again.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.colour
@click.pass_obj
def command(
    session: Session,
    /,
    document: str | None,
    *,
    every: str,
    by: str | None,
    here: str | None,
    limit: tuple[str, ...],
    show: bool,
    remove: bool,
    yes: bool,
) -> int:
    """Write, show or remove what runs `kjpstate drift` again and again; a trial run comes first."""
    loaded = load(session, document, forgiving=show or remove)
    job = _job(session, loaded, every, here, limit)
    scheduler = schedulers.chosen(by)
    standing = scheduler.found(job)
    if show:
        return _shown(session, scheduler, job, standing)
    if remove:
        return _removed(session, scheduler, job, standing, yes)
    if standing == scheduler.text(job):
        session.out([Line(f"{scheduler.place(job)} has it already; nothing was written.", "good")])
        return errors.IN_SYNC
    session.out(_texts(scheduler.place(job), scheduler.text(job)))
    _try(session, scheduler, job)
    _ask(session, "Write this?", yes)
    scheduler.write(job)
    session.out([Line(f"Written. {scheduler.hint(job)}", "good")])
    return errors.IN_SYNC


def _job(
    session: Session, document: Document, every: str, here: str | None, limit: tuple[str, ...]
) -> Job:
    path = str(Path(document.path).absolute())
    for name in (here, *limit):
        if name and not any(host == name or host.startswith(f"{name}[") for host in document.hosts):
            raise UsageError(f"{name}: no such host; the document has {', '.join(document.hosts)}")
    words = [
        *(("--here", here) if here is not None else ()),
        *(word for name in limit for word in ("--limit", name)),
    ]
    state = session.environ.get("KJPSTATE_STATE")
    environ = {"KJPSTATE_STATE": str(Path(state).expanduser().absolute())} if state else {}
    argv = (schedulers.interpreter(), "-m", "kjpstate", "drift", path, *words)
    for text in (*argv, *environ.values()):
        if not text.isprintable():
            raise UsageError(
                f"{text!r} has a sign that no schedule can hold", "give that file another name"
            )
    return Job(job_name(document.name, path), path, argv, _period(every), _LIMIT, environ)


def _period(text: str) -> int:
    every = seconds(text) or 0
    if every != int(every) or not fits(int(every)):
        raise UsageError(
            f"--every {text}: expected minutes that divide the hour, or hours that divide the day",
            "such as 5m, 10m, 15m, 30m, 1h, 6h, 24h",
        )
    return int(every)


def _shown(session: Session, scheduler: Scheduler, job: Job, standing: str) -> int:
    if not standing:
        session.out(
            [Line(f"Not scheduled in {scheduler.place(job)}. kjpstate schedule   would write:")]
        )
    session.out(_texts(scheduler.place(job), standing or scheduler.text(job)))
    return errors.IN_SYNC


def _removed(session: Session, scheduler: Scheduler, job: Job, standing: str, yes: bool) -> int:
    if not standing:
        session.out(
            [Line(f"{scheduler.place(job)} has nothing of this document; nothing was done.")]
        )
        return errors.IN_SYNC
    session.out(_texts(scheduler.place(job), standing))
    _ask(session, "Remove this?", yes)
    scheduler.remove(job)
    session.out([Line("Removed.", "good")])
    return errors.IN_SYNC


def _texts(place: str, text: str) -> list[Line]:
    return [
        Line(f"{place}:", "strong"),
        *(Line(f"  {row}", whole=True) for row in text.splitlines()),
    ]


def _try(session: Session, scheduler: Scheduler, job: Job) -> None:
    """Run it once as the scheduler will: no agent, no terminal, a bare
    environment. Raises Failed."""
    session.tell([Line("A trial run in that environment …")])
    code, output = schedulers.trial(job, scheduler.environ(), os.environ)
    if code not in _FINE or _shut_out(output):
        said = session.mask()(output.strip()) or "it said nothing"
        raise errors.Failed(
            f"in the scheduler's bare environment `drift` ended with exit code {code}: {said}",
            "nothing was written. A key that only an agent has, or an ${env:…}, is not there "
            "at night",
        )
    session.tell([Line(f"It works there: exit code {code}, {_FINE[code]}.", "good")])
    session.tell(Line(f"  {row}", whole=True) for row in output.splitlines())


def _shut_out(output: str) -> bool:
    """Whether a host is on and can't be looked at like that, neither now nor at night; of a fleet's
    members each is left out and told by `drift` itself."""
    from kjpstate.hosts.connecting import NONE_OF_OURS

    why = rf"\[host-key-|{NONE_OF_OURS}"
    return re.search(rf"(?m)^[^\s\[]+: not reached: .*({why})", output) is not None


def _ask(session: Session, question: str, yes: bool) -> None:
    if yes:
        return
    if not session.has_terminal():
        raise UsageError(
            "schedule asks before it writes, and there is no terminal to ask on.",
            "add --yes; kjpstate schedule --show   shows what would be written",
        )
    if not session.confirmed(question):
        raise errors.Failed("Nothing was done: the answer was not yes.")
