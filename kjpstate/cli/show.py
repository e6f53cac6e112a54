"""`kjpstate show FILE`: a saved plan; `kjpstate show RUN`: one past run in full. No host is
touched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kjpstate import errors, history, saved
from kjpstate.cli import options, saving
from kjpstate.cli.history import one, tell_trouble
from kjpstate.cli.session import Session
from kjpstate.cli.state_folder import looking_folder
from kjpstate.formats.times import utc_minute
from kjpstate.render.as_json import plan_json
from kjpstate.render.lines import BLANK, Line
from kjpstate.render.pasts import past_lines, show_json
from kjpstate.render.plans import Head, plan_lines
from kjpstate.said import Text, say


@dataclass(frozen=True)
class Asked:
    """The command line."""

    what: str = options.argument(required=True, metavar="FILE | RUN")
    diff: bool = options.flag("--diff", help="Of a plan: also the files that would be written.")
    as_json: bool = options.as_json()


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """Show a saved plan, or one past run, in full.

    FILE is what `plan --out` wrote; RUN is a run's id, or how it begins, as `kjpstate history`
    shows it.
    """
    if Path(asked.what).is_file() or Path(asked.what).suffix in (".plan", ".json"):
        return _show_plan(session, Path(asked.what), asked)
    return _show_run(session, asked)


def _show_run(session: Session, asked: Asked) -> int:
    """Show one past run, by its id or how it begins."""
    if not re.fullmatch("[0-9a-f]{1,32}", asked.what):
        raise errors.UsageError(
            say("cli.no-run-id", word=asked.what),
            say("cli.no-run-id.cure"),
        )
    found = history.run(looking_folder(session.environ), asked.what)
    tell_trouble(session, found.trouble)
    run = one(found.value, asked.what)
    session.answer(asked.as_json, lambda: show_json(run), lambda: past_lines(run))
    return errors.IN_SYNC


def _show_plan(session: Session, path: Path, asked: Asked) -> int:
    """Show a saved plan as `plan` showed it, whose it is, and whether it can still be used."""
    plan = saving.read(session, path)
    found, use, screen = saved.shown(plan), saving.use_of(session, plan), plan.body["screen"]
    if asked.as_json:
        value = plan_json(found.plan, session.mask(), exit_code=errors.IN_SYNC)
        session.out_json({**value, "saved": _about(plan, use)})
        return errors.IN_SYNC
    if asked.diff:
        session.out([Line(text, style, whole=True) for style, text in screen["diff"]])
    session.out(_opening(plan, path, use))
    head = Head(found.hosts, screen["seconds"], "", screen["pins"], asked.diff)
    session.out(plan_lines(found.plan, head, session.mask()))
    return errors.IN_SYNC


def _about(plan: saved.Saved, use: Text) -> dict[str, object]:
    document, scope = plan.body["document"], plan.body["scope"]
    about = {"id": plan.id, "kjpstate": plan.tool, "created": plan.created, "expires": plan.expires}
    return {**about, "document": document, "scope": scope, "use": str(use)}


def _opening(plan: saved.Saved, path: Path, use: Text) -> list[Line]:
    of = " ".join([saving.document_of(plan), *saving.scope_of(plan).words])
    return [
        Line(
            say(
                "cli.plan-saved",
                file=str(path),
                created=utc_minute(plan.created),
                tool=plan.tool,
                use=use,
            ),
            "strong",
            hang=2,
        ),
        Line(say("cli.plan-of", words=of), hang=2),
        BLANK,
    ]
