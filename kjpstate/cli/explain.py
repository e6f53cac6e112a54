"""`kjpstate explain`: the page of a rule; without one, all of them by title. `explain pm2` draws restarts."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

import click

from kjpstate import errors
from kjpstate.cli import options
from kjpstate.cli.session import Session
from kjpstate.render.lines import BLANK, Line
from kjpstate.render.restarts import restarts_lines
from kjpstate.rules import RULES


@click.command()
@click.argument("rule", required=False, default=None)
@options.document
@options.colour
@click.pass_obj
def command(session: Session, rule: str | None, document: str | None) -> int:
    """Say what a rule means and what to do about it; without RULE, list them all.

    `explain pm2 [DOCUMENT]` draws when PM2 restarts the document's apps, and when it gives them up.
    """
    if rule == "pm2":
        session.out(_restarts(session, document))
        return 0
    if document is not None:
        raise errors.UsageError(f"the page of {rule} needs no document", f"kjpstate explain {rule}")
    session.out(_page(rule) if rule else _list())
    return 0


def _restarts(session: Session, document: str | None) -> Iterator[Line]:
    """The schedule of each app of the document; where none stands here, what PM2 does by itself."""
    for number, (title, app) in enumerate(_apps(session, document)):
        if number:
            yield BLANK
        yield from restarts_lines(title, app)


def _apps(session: Session, document: str | None) -> list[tuple[str, dict[str, object]]]:
    from kjpstate.cli.work import load

    try:
        loaded = load(session, document)
    except errors.UsageError:
        if document is not None or session.environ.get("KJPSTATE_DOCUMENT"):
            raise
        return [("an app", {})]
    found = {
        f"{item.spec['app']['name']} ({item.where})": dict(item.spec["app"])
        for item in loaded.resources
        if item.kind == "pm2_process"
    }
    return list(found.items()) or [("an app", {})]


def _page(name: str) -> list[Line]:
    rule = RULES.get(name)
    if rule is None:
        close = get_close_matches(name, RULES, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise errors.UsageError(f"there is no rule {name}{hint}", "kjpstate explain   lists them all")
    return [
        Line(f"{name}: {rule.title}", "strong", hang=2),
        BLANK,
        Line(rule.text),
        BLANK,
        Line(f"Cure: {rule.cure}"),
    ]


def _list() -> list[Line]:
    width = max((len(name) for name in RULES), default=0)
    return [Line(f"{name:<{width}}  {rule.title}", hang=width + 2) for name, rule in RULES.items()]
