"""`kjpstate apply`: plan, show, ask, act, check, look again."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from kjpstate import errors, reconcile
from kjpstate.cli import options, saving
from kjpstate.cli.after_apply import AfterApply, Aftermath
from kjpstate.cli.recording import Note
from kjpstate.cli.running import noted_over
from kjpstate.cli.session import Session
from kjpstate.cli.verify import code_of
from kjpstate.cli.work import Work, head
from kjpstate.model import EVERYTHING, Event, Plan, Recovered, Report, RunInfo, Scope
from kjpstate.render.as_json import report_json
from kjpstate.render.lines import BLANK
from kjpstate.render.plans import plan_lines
from kjpstate.render.reports import check_lines, event_line, report_lines
from kjpstate.said import say
from kjpstate.saved import Saved

_PATIENCE = 90.0
"""Seconds a bot that was just started has until its checks must pass: node on a slow box takes its
time."""


@dataclass(frozen=True)
class Given:
    """A saved plan and the file it came from; neither when a document is applied."""

    saved: Saved | None = None
    file: Path | None = None


@dataclass(frozen=True)
class Asked:
    """The command line."""

    document: str | None = options.argument(metavar="[DOCUMENT | FILE]")
    scope: Scope = options.scope()
    yes: bool = options.yes()
    lock_timeout: float = options.lock_timeout()
    wait: float = options.wait()
    monitor: float | None = options.duration(
        "--monitor", "Then watch for so long, such as 30m; see kjpstate monitor."
    )
    plot: Path | None = options.file("--plot", "Draw what --monitor saw: .html, .svg, .png, .pdf.")
    rollback_on_fail: bool = options.flag(
        "--rollback-on-fail",
        help="Roll this run back when a check or the watch fails (exit 7).",
    )
    as_json: bool = options.as_json()


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """Show the plan, ask, and do it: backups first, only what differs; then run the checks.

    With a FILE of `plan --out`: do that plan, without asking, or nothing if anything moved since.
    """
    file, given = saving.found(asked.document), Given()
    if file is not None:
        if asked.scope != EVERYTHING:
            raise errors.UsageError(
                say("cli.has-scope", file=str(file)),
                say("cli.has-scope.cure"),
            )
        saved = saving.opening(session, file)
        given, scope = Given(saved, file), saving.scope_to_apply(saved)
        asked = replace(asked, document=saving.document_of(saved), scope=scope, yes=True)
    if not asked.yes and asked.as_json:
        raise errors.UsageError(say("cli.apply-json-asks"), say("cli.apply-json-asks.cure"))
    if not asked.yes and not session.has_terminal():
        raise errors.UsageError(
            say("cli.apply-asks"),
            say("cli.apply-asks.cure"),
        )
    return noted_over(session, "apply", asked, functools.partial(_apply, given))


async def _apply(given: Given, work: Work, asked: Asked, note: Note) -> int:
    session, run = work.session, note.over(work.document, work.aim)
    after = AfterApply(asked.monitor, asked.rollback_on_fail, asked.plot)
    aftermath = Aftermath(work, note, after, after.ready(work), asked.as_json)
    plan, seconds = await work.plan()
    if given.saved is not None and given.file is not None:
        saving.refuse_stale(work, plan, given.saved, given.file)
    recovered = await _recover(work, plan, run, asked.lock_timeout)
    if plan.unfinished:
        plan, seconds = await work.plan()
    if not asked.as_json:
        with session.owing(asked.yes):
            session.out(plan_lines(plan, head(work, plan, seconds), session.mask()))
    reconcile.refuse_unreachable(work.document, plan)
    wanted = any(change.refusal is None and not change.held for change in plan.changes)
    if wanted and not asked.yes and not session.confirmed(say("cli.apply-this")):
        raise errors.Failed(say("cli.not-yes"))
    started = time.monotonic()
    note.saw(plan)
    with saving.used(work, given.saved, given.file, run):
        doing = _act(work, plan, run, asked) if wanted else _check_only(work, plan, run)
        report = await doing
    report = replace(report, recovered=(*recovered, *report.recovered))
    note.did(report)
    second, code = None if wanted else plan, report.exit_code
    with session.owing():
        second = second or (await work.plan())[0]
        code = errors.worst([code, reconcile.exit_code(second)])
        if wanted and not asked.as_json:
            session.out([BLANK, *report_lines(report, second, time.monotonic() - started)])
        elif not asked.as_json:
            session.out([BLANK, *check_lines(report.checks)] if report.checks else [])
    ended = await aftermath.finish(report, code)
    with session.owing():
        if asked.as_json:
            done = report_json(report, second, session.mask(), exit_code=code)
            session.out_json({**done, **ended.json(session.mask())})
    return ended.code


async def _recover(
    work: Work, plan: Plan, run: RunInfo, lock_timeout: float
) -> tuple[Recovered, ...]:
    return await reconcile.recover(work.hosts, plan, run, _follow(work), lock_timeout)


def _follow(work: Work) -> Callable[[Event], None]:
    return lambda event: work.session.follow(event_line(event))


async def _act(work: Work, plan: Plan, run: RunInfo, asked: Asked) -> Report:
    return await reconcile.apply(
        work.document,
        work.hosts,
        plan,
        run=run,
        key=work.key,
        progress=_follow(work),
        scope=work.scope,
        patience=_PATIENCE,
        lock_timeout=asked.lock_timeout,
        wait=asked.wait,
    )


async def _check_only(work: Work, plan: Plan, run: RunInfo) -> Report:
    """Nothing to write: the checks still run, unless something is refused."""
    if plan.changes:
        return Report(run, plan, (), exit_code=reconcile.exit_code(plan))
    results = await reconcile.verify(
        work.document, work.hosts, key=work.key, scope=work.scope, lost=plan.unreachable
    )
    return Report(run, plan, (), checks=results, exit_code=code_of(results))
