"""`kjpstate drift`: the plan for machines; silent and 0 when in sync."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import click

from kjpstate import reconcile
from kjpstate.cli import options
from kjpstate.cli.session import Session
from kjpstate.cli.work import opened
from kjpstate.render.as_json import plan_json
from kjpstate.render.drifts import drift_lines, lost_lines


@click.command()
@options.document
@options.scope
@options.as_json
@options.colour
@click.pass_obj
def command(
    session: Session, document: str | None, only: Sequence[str], limit: Sequence[str], as_json: bool
) -> int:
    """For cron: silent and 0 when in sync; else one line a drift, and 2 (3 when a host did not answer)."""
    return asyncio.run(_drift(session, document, only, limit, as_json))


async def _drift(
    session: Session, argument: str | None, only: Sequence[str], limit: Sequence[str], as_json: bool
) -> int:
    async with opened(session, argument, only, limit) as work:
        plan, _ = await work.plan()
        code = reconcile.exit_code(plan)
        if as_json:
            session.out_json(plan_json(plan, session.mask(), exit_code=code))
        else:
            session.out(drift_lines(plan, session.mask()))
        session.tell(lost_lines(plan.unreachable, session.mask()))
        return code
