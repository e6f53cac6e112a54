"""`kjpstate rollback`: put a run's originals back, by the same protocol, after showing what that
means."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from kjpstate import errors, reconcile, rollback
from kjpstate.cli import interrupts, options
from kjpstate.cli.recording import Note, narrowed, noted
from kjpstate.cli.session import Session
from kjpstate.cli.work import Work, head, opened
from kjpstate.model import Report, RunInfo
from kjpstate.render.as_json import report_json
from kjpstate.render.diffs import diff_lines
from kjpstate.render.lines import BLANK
from kjpstate.render.masks import plain
from kjpstate.render.plans import plan_lines
from kjpstate.render.reports import event_line, rollback_lines

_RUN = re.compile(r"[0-9a-f]{6}")


@click.command()
@click.argument("run", required=False, default=None)
@options.document
@click.option("--limit", multiple=True, metavar="HOST", help="Only this host.")
@options.here
@click.option("--diff", is_flag=True, help="Also show the files that would be put back, as diffs.")
@click.option("--force", is_flag=True, help="Also put back what somebody changed after that run.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.lock_timeout
@options.as_json
@options.colour
@click.pass_obj
def command(session: Session, /, run: str | None, document: str | None, **chosen: Any) -> int:
    """Put the originals of RUN back (without one: of the last run that changed something)."""
    if run is not None and not document and (not _RUN.fullmatch(run) or Path(run).is_file()):
        run, document = None, run
    if run is not None and not _RUN.fullmatch(run):
        raise errors.UsageError(
            f"{run} is not the name of a run: six hex digits", "kjpstate backups   lists them"
        )
    if not chosen["yes"] and (chosen["as_json"] or not session.has_terminal()):
        raise errors.UsageError(
            "rollback asks before it acts, and can't ask here.",
            "add --yes to roll back without asking",
        )
    with noted(
        session, "rollback", document, narrowed((), chosen["limit"], chosen["here"])
    ) as note:
        return note.ended(interrupts.run(_rollback(session, document, run or "", note, **chosen)))


async def _rollback(
    session: Session,
    argument: str | None,
    id: str,
    note: Note,
    *,
    limit: Sequence[str],
    here: str | None,
    diff: bool,
    force: bool,
    yes: bool,
    as_json: bool,
    lock_timeout: float,
) -> int:
    async with opened(session, argument, (), limit, here=here) as work:
        started, info = time.monotonic(), note.over(work.document, work.scope)
        found = await rollback.plan(
            work.document, work.hosts, id, key=work.key, by=info.id, force=force, limit=work.limit
        )
        session.secrets |= found.plan.secrets
        note.saw(found.plan)
        if not as_json:
            with session.owing(yes):
                session.out(diff_lines(found.plan, session.mask()) if diff else ())
                seconds = time.monotonic() - started
                session.out(plan_lines(found.plan, head(work, found.plan, seconds), session.mask()))
        reconcile.refuse_unreachable(work.document, found.plan)
        refused = any(change.refusal is not None for change in found.plan.changes)
        if not found.plan.changes:
            raise errors.RefusedError(f"run {found.run} is rolled back already; nothing was done")
        if not (refused or yes or session.confirmed(f"Roll run {found.run} back?")):
            raise errors.Failed("Nothing was done: the answer was not yes.")
        started = time.monotonic()
        report = await _act(work, found, info, lock_timeout)
        if not refused:
            note.did(report)
        with session.owing():
            if as_json:
                done = report_json(report, None, session.mask(), exit_code=report.exit_code)
                session.out_json({**done, "untouched": plain([*found.untouched], session.mask())})
            elif not refused:
                seconds = time.monotonic() - started
                session.out([BLANK, *rollback_lines(report, found.run, seconds, found.untouched)])
        return report.exit_code


async def _act(work: Work, found: rollback.Rollback, info: RunInfo, lock_timeout: float) -> Report:
    return await rollback.act(
        work.document,
        found,
        work.hosts,
        info=info,
        progress=lambda event: work.session.follow(event_line(event)),
        lock_timeout=lock_timeout,
    )
