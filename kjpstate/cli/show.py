"""`kjpstate show FILE`: a saved plan; `kjpstate show RUN`: one past run in full. No host is
touched."""

from __future__ import annotations

import re
from pathlib import Path

import click

from kjpstate import errors, history
from kjpstate.cli import options
from kjpstate.cli.controller import looking_folder
from kjpstate.cli.history import one, tell_trouble
from kjpstate.cli.session import Session
from kjpstate.cli.show_plan import show_plan
from kjpstate.render.pasts import past_lines, show_json


@click.command()
@click.argument("what", metavar="FILE | RUN")
@click.option("--diff", is_flag=True, help="Of a plan: also the files that would be written.")
@options.as_json
@options.colour
@click.pass_obj
def command(session: Session, what: str, diff: bool, as_json: bool) -> int:
    """Show a saved plan, or one past run, in full.

    FILE is what `plan --out` wrote; RUN is a run's id, or how it begins, as `kjpstate history`
    shows it.
    """
    if Path(what).is_file() or Path(what).suffix in (".plan", ".json"):
        return show_plan(session, Path(what), as_json=as_json, diff=diff)
    return show_run(session, what, as_json)


def show_run(session: Session, word: str, as_json: bool) -> int:
    """One past run, by its id or how it begins."""
    if not re.fullmatch("[0-9a-f]{1,32}", word):
        raise errors.UsageError(
            f"{word} is no id of a run: those are six of the digits 0-9a-f",
            "kjpstate history   has their ids",
        )
    found = history.run(looking_folder(session.environ), word)
    tell_trouble(session, found.trouble)
    run = one(found.value, word)
    if as_json:
        session.out_json(show_json(run))
    else:
        session.out(past_lines(run))
    return errors.IN_SYNC
