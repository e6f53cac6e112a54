"""`kjpstate plan`: look, compare, show; nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import click

from kjpstate import errors, reconcile
from kjpstate.cli import options
from kjpstate.cli.recording import Note, narrowed, noted
from kjpstate.cli.session import Session
from kjpstate.cli.work import head, opened, typed
from kjpstate.render.as_json import plan_json
from kjpstate.render.diffs import diff_lines
from kjpstate.render.plans import plan_lines
from kjpstate.render.reports import cost_lines


@click.command()
@options.document
@options.scope
@options.here
@options.as_json
@click.option("--diff", is_flag=True, help="Also show the files that would be written, as diffs.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there is drift, 8 when refused.")
@click.option("-v", "--verbose", is_flag=True, help="On stderr: connections, execs, bytes, milliseconds.")
@options.colour
@click.pass_obj
def command(session: Session, /, document: str | None, **chosen: Any) -> int:
    """Look at every host, and show what apply would do. Changes nothing."""
    with noted(session, "plan", document, narrowed(chosen["only"], chosen["limit"], chosen["here"])) as note:
        return asyncio.run(_plan(session, document, note, **chosen))


async def _plan(
    session: Session,
    argument: str | None,
    note: Note,
    *,
    only: Sequence[str],
    limit: Sequence[str],
    here: str | None,
    as_json: bool,
    diff: bool,
    detailed_exitcode: bool,
    verbose: bool,
) -> int:
    async with opened(session, argument, only, limit, here) as work:
        note.over(work.document, work.scope)
        plan, seconds = await work.plan()
        note.saw(plan)
        code = _code(note.ended(reconcile.exit_code(plan)), detailed_exitcode)
        if as_json:
            session.out_json(plan_json(plan, session.mask(), exit_code=code))
        else:
            if diff:
                session.out(diff_lines(plan, session.mask()))
            following = "" if session.in_automation else typed("apply", argument, only, limit, here)
            session.out(plan_lines(plan, head(work, plan, seconds, following, diff), session.mask()))
        if verbose:
            costs = {name: host.cost for name, host in work.hosts.items()}
            session.tell(cost_lines(costs, seconds * 1000))
        return code


def _code(code: int, detailed: bool) -> int:
    """Drift alone is an answer, not a failure, unless the caller asked for it."""
    return errors.IN_SYNC if code == errors.DRIFT and not detailed else code
