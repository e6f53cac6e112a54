"""`kjpstate show FILE`: a saved plan as `plan` showed it; no host is touched. Called by `show`."""

from __future__ import annotations

from pathlib import Path

from kjpstate import errors, saved
from kjpstate.cli import saving
from kjpstate.cli.recording import narrowed
from kjpstate.cli.session import Session
from kjpstate.formats.times import utc_minute
from kjpstate.render.as_json import plan_json
from kjpstate.render.lines import BLANK, Line
from kjpstate.render.plans import Head, plan_lines


def show_plan(session: Session, path: Path, *, as_json: bool, diff: bool) -> int:
    """The plan, whose it is, and whether it can still be used."""
    plan = saving.read(session, path)
    found, use, screen = saved.shown(plan), saving.use_of(session, plan), plan.body["screen"]
    if as_json:
        value = plan_json(found.plan, session.mask(), exit_code=errors.IN_SYNC)
        session.out_json({**value, "saved": _about(plan, use)})
        return errors.IN_SYNC
    if diff:
        session.out([Line(text, style, whole=True) for style, text in screen["diff"]])
    session.out(_opening(plan, path, use))
    head = Head(found.hosts, screen["seconds"], "", screen["pins"], diff)
    session.out(plan_lines(found.plan, head, session.mask()))
    return errors.IN_SYNC


def _about(plan: saved.Saved, use: str) -> dict[str, object]:
    document, scope = plan.body["document"], plan.body["scope"]
    about = {"id": plan.id, "kjpstate": plan.tool, "created": plan.created, "expires": plan.expires}
    return {**about, "document": document, "scope": scope, "use": use}


def _opening(plan: saved.Saved, path: Path, use: str) -> list[Line]:
    scope = plan.body["scope"]
    words = narrowed(scope["only"], scope["limit"], scope["here"])
    of = f"{plan.body['document']['path']} {' '.join(words)}".strip()
    return [
        Line(
            f"{path}   saved {utc_minute(plan.created)} by kjpstate {plan.tool}   {use}",
            "strong",
            hang=2,
        ),
        Line(f"of {of}; old values are not kept in a saved plan", hang=2),
        BLANK,
    ]
