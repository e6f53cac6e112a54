"""`kjpstate show RUN`: one past run in full."""

from __future__ import annotations

import re

import click

from kjpstate import errors, history
from kjpstate.cli import options
from kjpstate.cli.controller import state_folder
from kjpstate.cli.history import one, tell_trouble
from kjpstate.cli.session import Session
from kjpstate.render.pasts import past_lines, show_json


@click.command()
@click.argument("what", metavar="RUN")
@options.as_json
@options.colour
@click.pass_obj
def command(session: Session, what: str, as_json: bool) -> int:
    """Show one past run in full; RUN is its id, or how it begins, as `kjpstate history` shows it."""
    return show_run(session, what, as_json)


def show_run(session: Session, word: str, as_json: bool) -> int:
    """One past run, by its id or how it begins."""
    if not re.fullmatch("[0-9a-f]{1,32}", word):
        raise errors.UsageError(
            f"{word} is no id of a run: those are six of the digits 0-9a-f",
            "kjpstate history   has their ids",
        )
    found = history.run(state_folder(session.environ), word)
    tell_trouble(session, found.trouble)
    run = one(found.value, word)
    if as_json:
        session.out_json(show_json(run))
    else:
        session.out(past_lines(run))
    return errors.IN_SYNC
