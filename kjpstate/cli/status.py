"""`kjpstate status`: five lines on how things stand; exit 2 when something is wrong, the checker
too."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from kjpstate import errors, history, reconcile
from kjpstate.cli import options
from kjpstate.cli.history import said_by, seconds_of, tell_trouble
from kjpstate.cli.running import Manner, over
from kjpstate.cli.session import Session
from kjpstate.cli.work import Work
from kjpstate.formats import journal, remembered
from kjpstate.formats.pm2 import probe
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.pm2.health import health_of
from kjpstate.formats.times import run_time
from kjpstate.history import ACTS, Past, Wanted
from kjpstate.kinds import questions
from kjpstate.model import Answers, Holder, Reading, ReadLock, ReadState, Scope
from kjpstate.render.statuses import Bot, Status, status_json, status_lines
from kjpstate.said import Text

_CHECKS = 20
"""Remembered checks that are looked through for the last one that looked."""


@dataclass(frozen=True)
class Asked:
    """The command line."""

    document: str | None = options.argument()
    scope: Scope = options.hosts()
    max_age: str = options.option(
        "--max-age",
        default="1h",
        show_default=True,
        metavar="TIME",
        help="How old the last check may be: 30m, 2h, 1d.",
    )
    timeout: float = options.timeout(30.0, "For asking all hosts.")
    as_json: bool = options.as_json()


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """The bot, the last apply, the last check, what is unfinished, and what to type next. Changes
    nothing."""
    seconds_of("--max-age", asked.max_age)
    return over(session, asked, _status, Manner(looks=True, forgiving=True))


async def _status(work: Work, asked: Asked) -> int:
    session = work.session
    patience = timedelta(seconds=seconds_of("--max-age", asked.max_age))
    chosen = reconcile.in_scope(work.document, work.scope)
    apps = [app for _, app in questions(chosen, Declared)]
    answers, lost = await _looked(work, apps, asked.timeout)
    status, trouble = _stands(work, apps, answers, lost, patience)
    session.answer(
        asked.as_json,
        lambda: status_json(status, session.mask()),
        lambda: status_lines(status),
    )
    tell_trouble(session, trouble)
    return status.code


async def _looked(
    work: Work, apps: Sequence[Declared], timeout: float
) -> tuple[Answers, dict[str, Text]]:
    """One message a host: its lock, its journal, its lines, its apps."""
    wanted: dict[str, list[Reading]] = {}
    for name in work.chosen:
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
    lost: dict[str, Text],
    patience: timedelta,
) -> tuple[Status, Text]:
    document = work.document
    there = [name for name in work.chosen if name not in lost]
    acts = history.runs(work.folder, Wanted(document.name, verbs=ACTS, most=_CHECKS))
    checks = history.runs(work.folder, Wanted(document.name, verbs=("drift",), most=_CHECKS))
    whole = [
        _of_scope(run, work)
        for run in checks.value
        if "--only" not in run.scope.split() and set(work.chosen) <= set(run.hosts or work.chosen)
    ]  # one address, or another host, says little
    told = [run for name in there for run in said_by(name, document.name, answers)]
    locks = {name: answers.get(ReadLock(name)) for name in there}
    busy = {
        name: owner
        for name, owner in locks.items()
        if isinstance(owner, Holder) and owner.life != "dead"
    }
    cut = reconcile.unfinished(document, there, answers)
    mine = [
        run
        for run in acts.value
        if not work.scope.narrows_hosts or set(run.hosts) & set(work.chosen)
    ]
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
    if not work.scope.narrows_hosts or set(run.hosts) <= set(work.chosen):
        return run
    items = tuple(item for item in run.items if not item.host or item.host in work.chosen)
    if run.verb != "drift" or run.exit_code not in (
        errors.DRIFT,
        errors.UNREACHABLE,
        errors.REFUSED,
    ):
        return replace(run, items=items)
    code = errors.code_of(item.result for item in items)
    return replace(run, items=items, exit_code=code)


def _bot(app: Declared, answers: Answers) -> Bot:
    seen = probe.parse(answers.get(probe.reading(app)))
    return Bot(app.name, app.host, health_of(app, seen))
