"""`kjpstate drift`: the plan for machines; silent and 0 when in sync."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import click

from kjpstate import reconcile
from kjpstate.cli import options
from kjpstate.cli.notifying import notify
from kjpstate.cli.recording import Note, narrowed, noted
from kjpstate.cli.session import Session
from kjpstate.cli.work import opened
from kjpstate.render.as_json import plan_json
from kjpstate.render.drifts import drift_lines, lost_lines


@click.command()
@options.document
@options.scope
@options.here
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
    as_json: bool,
) -> int:
    """For cron: silent and 0 when in sync; else one line a drift, and 2 (3 when a host did not answer)."""
    with noted(session, "drift", document, narrowed(only, limit, here)) as note:
        run = _drift(session, document, note, only=only, limit=limit, here=here, as_json=as_json)
        return note.ended(asyncio.run(run))


async def _drift(
    session: Session,
    argument: str | None,
    note: Note,
    *,
    only: Sequence[str],
    limit: Sequence[str],
    here: str | None,
    as_json: bool,
) -> int:
    async with opened(session, argument, only, limit, here) as work:
        note.over(work.document, work.scope)
        plan, _ = await work.plan()
        note.saw(plan)
        code = reconcile.exit_code(plan)
        if as_json:
            session.out_json(plan_json(plan, session.mask(), exit_code=code))
        else:
            session.out(drift_lines(plan, session.mask()))
        session.tell(lost_lines(plan.unreachable, session.mask()))
        notify(work, plan)
        return code
