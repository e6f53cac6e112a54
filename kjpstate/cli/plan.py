"""`kjpstate plan`: look, compare, show; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass

from kjpstate import errors, reconcile
from kjpstate.cli import options, saving
from kjpstate.cli.recording import Note
from kjpstate.cli.running import noted_over
from kjpstate.cli.session import Session
from kjpstate.cli.work import Work, head, typed
from kjpstate.formats.times import utc_minute
from kjpstate.model import Plan, Scope
from kjpstate.render.as_json import plan_json
from kjpstate.render.diffs import diff_lines
from kjpstate.render.lines import Line
from kjpstate.render.plans import plan_lines
from kjpstate.render.reports import cost_lines
from kjpstate.said import say


@dataclass(frozen=True)
class Asked:
    """The command line."""

    document: str | None = options.argument()
    scope: Scope = options.scope()
    as_json: bool = options.as_json()
    diff: bool = options.flag("--diff", help="Also show the files that would be written, as diffs.")
    out: str | None = options.option(
        "--out", metavar="FILE", help="Save the plan, for `kjpstate apply FILE`."
    )
    expires: str = options.option(
        "--expires",
        metavar="TIME",
        default=saving.LASTS,
        help="How long a saved plan is good: 24h.",
    )
    detailed: bool = options.flag(
        "--detailed-exitcode", help="Exit 2 when there is drift, 8 when refused."
    )
    verbose: bool = options.flag(
        "-v", "--verbose", help="On stderr: connections, execs, bytes, milliseconds."
    )


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """Look at every host, and show what apply would do. Changes nothing."""
    if asked.out:
        saving.must_be_free(asked.out)
    saving.lasting(asked.expires)
    return noted_over(session, "plan", asked, _plan)


async def _plan(work: Work, asked: Asked, note: Note) -> int:
    session = work.session
    plan, seconds = await work.plan()
    note.saw(plan)
    code = _code(note.ended(reconcile.exit_code(plan)), asked.detailed)
    saved = _saved(work, asked, plan, seconds)
    if asked.as_json:
        session.out_json(plan_json(plan, session.mask(), exit_code=code))
    else:
        session.out(diff_lines(plan, session.mask()) if asked.diff else ())
        told = head(work, plan, seconds, _following(session, asked), asked.diff)
        session.out(plan_lines(plan, told, session.mask()))
    session.tell(saved)
    if asked.verbose:
        costs = {name: host.cost for name, host in work.hosts.items()}
        session.tell(cost_lines(costs, seconds * 1000))
    return code


def _saved(work: Work, asked: Asked, plan: Plan, seconds: float) -> list[Line]:
    """Save the plan if it has a file to go to, and say so."""
    if not asked.out:
        return []
    lasts = saving.lasting(asked.expires)
    made = saving.save(work, plan, seconds, out=asked.out, lasts=lasts)
    until = utc_minute(made.expires)
    return [Line(say("cli.saved", file=asked.out, until=until), hang=2)]


def _following(session: Session, asked: Asked) -> str:
    """What to type next; nothing where nobody types."""
    if session.in_automation:
        return ""
    return typed("apply", asked.out) if asked.out else typed("apply", asked.document, asked.scope)


def _code(code: int, detailed: bool) -> int:
    """Drift alone is an answer, not a failure, unless the caller asked for it."""
    return errors.IN_SYNC if code == errors.DRIFT and not detailed else code
