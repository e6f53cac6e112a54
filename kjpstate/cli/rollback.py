"""`kjpstate rollback`: put a run's originals back, by the same protocol, after showing what that
means."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

from kjpstate import errors, reconcile, rollback
from kjpstate.cli import options
from kjpstate.cli.recording import Note
from kjpstate.cli.running import noted_over
from kjpstate.cli.session import Session
from kjpstate.cli.work import Work, head
from kjpstate.model import Report, RunInfo, Scope
from kjpstate.render.as_json import report_json
from kjpstate.render.diffs import diff_lines
from kjpstate.render.lines import BLANK
from kjpstate.render.masks import plain
from kjpstate.render.plans import plan_lines
from kjpstate.render.reports import event_line, rollback_lines
from kjpstate.said import say

_RUN = re.compile(r"[0-9a-f]{6}")


@dataclass(frozen=True)
class Asked:
    """The command line."""

    run: str | None = options.argument()
    document: str | None = options.argument()
    scope: Scope = options.hosts()
    diff: bool = options.flag(
        "--diff", help="Also show the files that would be put back, as diffs."
    )
    force: bool = options.flag(
        "--force", help="Also put back what somebody changed after that run."
    )
    yes: bool = options.yes()
    lock_timeout: float = options.lock_timeout()
    as_json: bool = options.as_json()


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """Put the originals of RUN back (without one: of the last run that changed something)."""
    run = asked.run
    if run is not None and not asked.document and (not _RUN.fullmatch(run) or Path(run).is_file()):
        asked = replace(asked, run=None, document=run)
    elif run is not None and not _RUN.fullmatch(run):
        raise errors.UsageError(say("cli.no-run", run=run), say("cli.no-run.cure"))
    if not asked.yes and (asked.as_json or not session.has_terminal()):
        raise errors.UsageError(
            say("cli.rollback-asks"),
            say("cli.rollback-asks.cure"),
        )
    return noted_over(session, "rollback", asked, _rollback)


async def _rollback(work: Work, asked: Asked, note: Note) -> int:
    session, started, info = work.session, time.monotonic(), note.run
    found = await rollback.plan(
        work.document,
        work.hosts,
        asked.run or "",
        key=work.key,
        by=info.id,
        force=asked.force,
        scope=work.scope,
    )
    session.secrets |= found.plan.secrets
    note.saw(found.plan)
    if not asked.as_json:
        with session.owing(asked.yes):
            session.out(diff_lines(found.plan, session.mask()) if asked.diff else ())
            seconds = time.monotonic() - started
            session.out(plan_lines(found.plan, head(work, found.plan, seconds), session.mask()))
    reconcile.refuse_unreachable(work.document, found.plan)
    refused = any(change.refusal is not None for change in found.plan.changes)
    if not found.plan.changes:
        raise errors.RefusedError(say("cli.rolled-back-already", run=found.run))
    if not (refused or asked.yes or session.confirmed(say("cli.roll-back", run=found.run))):
        raise errors.Failed(say("cli.not-yes"))
    started = time.monotonic()
    report = await _act(work, found, info, asked.lock_timeout)
    if not refused:
        note.did(report)
    with session.owing():
        if asked.as_json:
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
