"""`kjpstate plan`: look, compare, show; nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from kjpstate import errors, reconcile
from kjpstate.cli import interrupts, options, saving
from kjpstate.cli.recording import Note, narrowed, noted
from kjpstate.cli.session import Session
from kjpstate.cli.work import head, opened, typed
from kjpstate.formats.times import utc_minute
from kjpstate.render.as_json import plan_json
from kjpstate.render.diffs import diff_lines
from kjpstate.render.lines import Line
from kjpstate.render.plans import plan_lines
from kjpstate.render.reports import cost_lines


@click.command()
@options.document
@options.scope
@options.here
@options.as_json
@click.option("--diff", is_flag=True, help="Also show the files that would be written, as diffs.")
@click.option("--out", metavar="FILE", help="Save the plan, for `kjpstate apply FILE`.")
@click.option(
    "--expires", metavar="TIME", default=saving.LASTS, help="How long a saved plan is good: 24h."
)
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit 2 when there is drift, 8 when refused."
)
@click.option(
    "-v", "--verbose", is_flag=True, help="On stderr: connections, execs, bytes, milliseconds."
)
@options.colour
@click.pass_obj
def command(session: Session, /, document: str | None, **chosen: Any) -> int:
    """Look at every host, and show what apply would do. Changes nothing."""
    if chosen["out"]:
        saving.must_be_free(chosen["out"])
    chosen["lasts"] = saving.lasting(chosen.pop("expires"))
    with noted(
        session, "plan", document, narrowed(chosen["only"], chosen["limit"], chosen["here"])
    ) as note:
        return interrupts.run(_plan(session, document, note, **chosen))


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
    out: str | None,
    lasts: int,
    detailed_exitcode: bool,
    verbose: bool,
) -> int:
    async with opened(session, argument, only, limit, here=here) as work:
        note.over(work.document, work.scope)
        plan, seconds = await work.plan()
        note.saw(plan)
        code = _code(note.ended(reconcile.exit_code(plan)), detailed_exitcode)
        made = saving.save(work, plan, seconds, out=out, lasts=lasts, here=here) if out else None
        if as_json:
            session.out_json(plan_json(plan, session.mask(), exit_code=code))
        else:
            if diff:
                session.out(diff_lines(plan, session.mask()))
            following = typed("apply", argument, only, limit, here)
            if out:
                following = typed("apply", out, (), ())
            following = "" if session.in_automation else following
            session.out(
                plan_lines(plan, head(work, plan, seconds, following, diff), session.mask())
            )
        if made is not None:
            session.tell(
                [Line(f"Saved: {out}   good until {utc_minute(made.expires)}, once", hang=2)]
            )
        if verbose:
            costs = {name: host.cost for name, host in work.hosts.items()}
            session.tell(cost_lines(costs, seconds * 1000))
        return code


def _code(code: int, detailed: bool) -> int:
    """Drift alone is an answer, not a failure, unless the caller asked for it."""
    return errors.IN_SYNC if code == errors.DRIFT and not detailed else code
