"""`kjpstate status`: five lines on how things stand; exit 2 when something is wrong, the checker
too."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import click

from kjpstate import errors, history, reconcile
from kjpstate.cli import interrupts, options
from kjpstate.cli.history import said_by, seconds_of, tell_trouble
from kjpstate.cli.session import Session
from kjpstate.cli.work import Work, opened
from kjpstate.formats import journal, remembered
from kjpstate.formats.pm2 import probe
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.pm2.health import health_of
from kjpstate.formats.times import run_time
from kjpstate.history import ACTS, Past, Wanted
from kjpstate.kinds import questions
from kjpstate.model import Answers, Holder, Reading, ReadLock, ReadState
from kjpstate.render.statuses import Bot, Status, status_json, status_lines

_CODES = {
    "drift": errors.DRIFT,
    "held": errors.DRIFT,
    "unreachable": errors.UNREACHABLE,
    "refused": errors.REFUSED,
}
"""What a result of one address, or host, makes of a check."""

_CHECKS = 20
"""Remembered checks that are looked through for the last one that looked."""


@click.command()
@options.document
@click.option("--limit", multiple=True, metavar="HOST", help="Only this host.")
@options.here
@click.option(
    "--max-age",
    default="1h",
    show_default=True,
    metavar="TIME",
    help="How old the last check may be: 30m, 2h, 1d.",
)
@options.timeout(30.0, "For asking all hosts.")
@options.as_json
@options.colour
@click.pass_obj
def command(
    session: Session,
    /,
    document: str | None,
    *,
    limit: Sequence[str],
    here: str | None,
    max_age: str,
    timeout: float,
    as_json: bool,
) -> int:
    """The bot, the last apply, the last check, what is unfinished, and what to type next. Changes
    nothing."""
    patience = timedelta(seconds=seconds_of("--max-age", max_age))
    return interrupts.run(
        _status(
            session, document, limit, here=here, patience=patience, timeout=timeout, as_json=as_json
        )
    )


async def _status(
    session: Session,
    argument: str | None,
    limit: Sequence[str],
    *,
    here: str | None,
    patience: timedelta,
    timeout: float,
    as_json: bool,
) -> int:
    async with opened(session, argument, (), limit, here=here, looks=True, forgiving=True) as work:
        chosen = reconcile.in_scope(work.document, limit)
        apps = [app for _, app in questions(chosen, Declared)]
        answers, lost = await _looked(work, apps, timeout)
        status, trouble = _stands(work, apps, answers, lost, patience)
        if as_json:
            session.out_json(status_json(status, session.mask()))
        else:
            session.out(status_lines(status))
        tell_trouble(session, trouble)
        return status.code


async def _looked(
    work: Work, apps: Sequence[Declared], timeout: float
) -> tuple[Answers, dict[str, str]]:
    """One message a host: its lock, its journal, its lines, its apps."""
    wanted: dict[str, list[Reading]] = {}
    for name in work.scope:
        work.hosts[name].within = timeout
        notes = (
            ReadState(name, work.document.name, file) for file in (journal.FILE, remembered.NAME)
        )
        wanted[name] = [ReadLock(name), *notes]
    for app in apps:
        wanted.setdefault(app.host, []).append(probe.reading(app))
    return await reconcile.look(work.hosts, wanted)


def _stands(
    work: Work,
    apps: Sequence[Declared],
    answers: Answers,
    lost: dict[str, str],
    patience: timedelta,
) -> tuple[Status, str]:
    document = work.document
    there = [name for name in work.scope if name not in lost]
    acts = history.runs(work.folder, Wanted(document.name, verbs=ACTS, most=_CHECKS))
    checks = history.runs(work.folder, Wanted(document.name, verbs=("drift",), most=_CHECKS))
    whole = [
        _of_scope(run, work)
        for run in checks.value
        if "--only" not in run.scope.split() and set(work.scope) <= set(run.hosts or work.scope)
    ]  # one address, or another host, says little
    told = [run for name in there for run in said_by(name, document.name, answers)]
    locks = {name: answers.get(ReadLock(name)) for name in there}
    busy = {
        name: owner
        for name, owner in locks.items()
        if isinstance(owner, Holder) and owner.life != "dead"
    }
    cut = reconcile.unfinished(document, there, answers)
    mine = [run for run in acts.value if not work.limit or set(run.hosts) & set(work.scope)]
    applies: Sequence[Past] = history.merged(
        [_of_scope(run, work) for run in mine], told, Wanted(verbs=ACTS)
    )
    status = Status(
        document.name,
        run_time(time.time()),
        patience,
        tuple(_bot(app, answers) for app in apps if app.host not in lost),
        applies,
        whole,
        {name: run for name, run in cut.items() if name not in busy},
        busy,
        lost,
        unread=bool(checks.trouble or acts.trouble),
    )
    return status, acts.trouble or checks.trouble


def _of_scope(run: Past, work: Work) -> Past:
    """What a run says of the hosts that are asked for; with --limit no other has a say in it."""
    if not work.limit or set(run.hosts) <= set(work.scope):
        return run
    items = tuple(item for item in run.items if not item.host or item.host in work.scope)
    if run.verb != "drift" or run.exit_code not in (
        errors.DRIFT,
        errors.UNREACHABLE,
        errors.REFUSED,
    ):
        return replace(run, items=items)
    code = errors.worst(_CODES.get(item.result, errors.IN_SYNC) for item in items)
    return replace(run, items=items, exit_code=code)


def _bot(app: Declared, answers: Answers) -> Bot:
    seen = probe.parse(answers.get(probe.reading(app)))
    return Bot(app.name, app.host, health_of(app, seen))
