"""`kjpstate explain`: the page of a rule; without one, all of them by title."""

from __future__ import annotations

from difflib import get_close_matches

import click

from kjpstate import errors
from kjpstate.cli import options
from kjpstate.cli.session import Session
from kjpstate.render.lines import BLANK, Line
from kjpstate.rules import RULES


@click.command()
@click.argument("rule", required=False, default=None)
@options.colour
@click.pass_obj
def command(session: Session, rule: str | None) -> int:
    """Say what a rule means and what to do about it; without RULE, list them all."""
    session.out(_page(rule) if rule else _list())
    return 0


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
