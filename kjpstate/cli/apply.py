"""`kjpstate apply`: plan, show, ask, act, check, look again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from kjpstate import errors, reconcile
from kjpstate.cli import interrupts, options, saving
from kjpstate.cli.afterwards import Aftermath, Asked
from kjpstate.cli.recording import Note, narrowed, noted
from kjpstate.cli.session import Session
from kjpstate.cli.verify import code_of
from kjpstate.cli.work import Work, head, opened
from kjpstate.model import Event, Plan, Recovered, Report, RunInfo
from kjpstate.render.as_json import report_json
from kjpstate.render.lines import BLANK
from kjpstate.render.plans import plan_lines
from kjpstate.render.reports import check_lines, event_line, report_lines
from kjpstate.saved import Saved

_PATIENCE = 90.0
"""Seconds a bot that was just started has until its checks must pass: node on a slow box takes its
time."""


@dataclass(frozen=True)
class Given:
    """A saved plan and the file it came from; neither when a document is applied."""

    saved: Saved | None = None
    file: Path | None = None


@click.command()
@click.argument("document", required=False, default=None, metavar="[DOCUMENT | FILE]")
@options.scope
@options.here
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.lock_timeout
@options.wait
@options.duration(
    "--monitor", "monitor", "Then watch for so long, such as 30m; see kjpstate monitor."
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw what --monitor saw: .html, .svg, .png, .pdf.",
)
@click.option(
    "--rollback-on-fail",
    is_flag=True,
    help="Roll this run back when a check or the watch fails (exit 7).",
)
@options.as_json
@options.colour
@click.pass_obj
def command(
    session: Session,
    /,
    document: str | None,
    *,
    only: Sequence[str],
    limit: Sequence[str],
    here: str | None,
    yes: bool,
    as_json: bool,
    lock_timeout: float,
    wait: float,
    monitor: float | None,
    plot: Path | None,
    rollback_on_fail: bool,
) -> int:
    """Show the plan, ask, and do it: backups first, only what differs; then run the checks.

    With a FILE of `plan --out`: do that plan, without asking, or nothing if anything moved since.
    """
    file = saving.found(document)
    if file is not None:
        if only or limit or here is not None:
            why = f"{file} has its scope from when it was saved"
            raise errors.UsageError(why, "leave --only, --limit and --here out")
        saved = saving.opening(session, file)
        given, document, yes = Given(saved, file), saving.document_of(saved), True
        only, limit, here = saving.scope_of(saved)
    else:
        given = Given()
    if not yes and as_json:
        raise errors.UsageError(
            "apply --json can't ask; add --yes.", "kjpstate plan --json   shows the plan first"
        )
    if not yes and not session.has_terminal():
        raise errors.UsageError(
            "apply asks before it acts, and there is no terminal to ask on.",
            "add --yes to apply without asking; kjpstate plan   shows the plan first",
        )
    with noted(session, "apply", document, narrowed(only, limit, here)) as note:
        chosen: dict[str, Any] = {
            "only": only,
            "limit": limit,
            "here": here,
            "yes": yes,
            "as_json": as_json,
        }
        chosen["after"] = Asked(monitor, rollback_on_fail, plot)
        patience = {"lock_timeout": lock_timeout, "wait": wait}
        run = _apply(session, document, note, given, **chosen, patience=patience)
        return note.ended(interrupts.run(run))


async def _apply(
    session: Session,
    argument: str | None,
    note: Note,
    given: Given,
    *,
    only: Sequence[str],
    limit: Sequence[str],
    here: str | None,
    yes: bool,
    as_json: bool,
    after: Asked,
    patience: Mapping[str, float],
) -> int:
    async with opened(session, argument, only, limit, here=here) as work:
        run = note.over(work.document, work.aim)
        aftermath = Aftermath(work, note, after, after.ready(work), as_json)
        plan, seconds = await work.plan()
        if given.saved is not None and given.file is not None:
            saving.refuse_stale(work, plan, given.saved, given.file)
        recovered = await _recover(work, plan, run, patience["lock_timeout"])
        if plan.unfinished:
            plan, seconds = await work.plan()
        if not as_json:
            with session.owing(yes):
                session.out(plan_lines(plan, head(work, plan, seconds), session.mask()))
        reconcile.refuse_unreachable(work.document, plan)
        wanted = any(change.refusal is None and not change.held for change in plan.changes)
        if wanted and not yes and not session.confirmed("Apply this?"):
            raise errors.Failed("Nothing was done: the answer was not yes.")
        started = time.monotonic()
        note.saw(plan)
        with saving.used(work, given.saved, given.file, run):
            report = await (
                _act(work, plan, run, patience) if wanted else _check_only(work, plan, run)
            )
        report = replace(report, recovered=(*recovered, *report.recovered))
        note.did(report)
        second, code = None if wanted else plan, report.exit_code
        with session.owing():
            second = second or (await work.plan())[0]
            code = errors.worst([code, reconcile.exit_code(second)])
            if wanted and not as_json:
                session.out([BLANK, *report_lines(report, second, time.monotonic() - started)])
            elif not as_json:
                session.out([BLANK, *check_lines(report.checks)] if report.checks else [])
        ended = await aftermath.finish(report, code)
        with session.owing():
            if as_json:
                done = report_json(report, second, session.mask(), exit_code=code)
                session.out_json({**done, **ended.json(session.mask())})
        return ended.code


async def _recover(
    work: Work, plan: Plan, run: RunInfo, lock_timeout: float
) -> tuple[Recovered, ...]:
    return await reconcile.recover(work.hosts, plan, run, _follow(work), lock_timeout)


def _follow(work: Work) -> Callable[[Event], None]:
    return lambda event: work.session.follow(event_line(event))


async def _act(work: Work, plan: Plan, run: RunInfo, patience: Mapping[str, float]) -> Report:
    return await reconcile.apply(
        work.document,
        work.hosts,
        plan,
        run=run,
        key=work.key,
        progress=_follow(work),
        only=work.only,
        limit=work.limit,
        patience=_PATIENCE,
        **patience,
    )


async def _check_only(work: Work, plan: Plan, run: RunInfo) -> Report:
    """Nothing to write: the checks still run, unless something is refused."""
    if plan.changes:
        return Report(run, plan, (), exit_code=reconcile.exit_code(plan))
    scope: dict[str, Any] = {"only": work.only, "limit": work.limit, "lost": plan.unreachable}
    results = await reconcile.verify(work.document, work.hosts, key=work.key, **scope)
    return Report(run, plan, (), checks=results, exit_code=code_of(results))
