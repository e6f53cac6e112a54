"""`kjpstate backups`: what each host keeps of what runs changed; `backups prune`: old ones go."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from kjpstate import backups, errors
from kjpstate.cli import interrupts, options
from kjpstate.cli.controller import run_info
from kjpstate.cli.session import Session
from kjpstate.cli.work import Work, opened
from kjpstate.formats.times import run_time
from kjpstate.render.as_json import listed_json
from kjpstate.render.drifts import lost_lines
from kjpstate.render.kept import backup_lines, pruned_lines, rows_of
from kjpstate.undo import pruning
from kjpstate.undo.ledger import Kept

_PRUNE = "prune"
_DAY = 86400


@click.command()
@click.argument("words", nargs=-1, metavar="[prune] [DOCUMENT]")
@click.option(
    "--keep", type=click.IntRange(1), metavar="N", help="prune: what the newest N runs kept stays."
)
@click.option(
    "--keep-days", type=click.IntRange(1), metavar="D", help="prune: what is not D days old stays."
)
@click.option("--limit", multiple=True, metavar="HOST", help="Only this host.")
@options.here
@click.option("--yes", is_flag=True, help="prune: do not ask.")
@options.as_json
@options.colour
@click.pass_obj
def command(session: Session, /, words: Sequence[str], **chosen: Any) -> int:
    """List what was kept before a run changed it: every run, every file, and whether it is still as
    it was.

    With `prune`: remove old ones, after showing which. The first original of a file never goes, nor
    what the last run kept.
    """
    prunes = words[:1] == (_PRUNE,) and not Path(_PRUNE).is_file()
    rest = words[1:] if prunes else words
    if len(rest) > 1:
        raise errors.UsageError(f"backups takes one document, not {', '.join(rest)}")
    bounds = chosen.pop("keep"), chosen.pop("keep_days")
    if not prunes and (bounds != (None, None) or chosen["yes"]):
        raise errors.UsageError("--keep, --keep-days and --yes belong to: kjpstate backups prune")
    if prunes and bounds == (None, None):
        raise errors.UsageError("backups prune needs --keep N, --keep-days D, or both")
    yes = chosen.pop("yes")
    if prunes and not yes and (chosen["as_json"] or not session.has_terminal()):
        raise errors.UsageError("prune asks before it removes, and can't ask here.", "add --yes")
    document = rest[0] if rest else None
    if prunes:
        return interrupts.run(_prune(session, document, bounds, yes=yes, **chosen))
    return interrupts.run(_list(session, document, **chosen))


async def _list(
    session: Session, document: str | None, *, limit: Sequence[str], here: str | None, as_json: bool
) -> int:
    async with opened(session, document, (), limit, here=here, forgiving=True) as work:
        rows, unreachable = await backups.ledgers(work.document, work.hosts, work.scope)
        found = await backups.look(work.hosts, rows)
        if as_json:
            session.out_json(listed_json("backups", rows_of(found), session.mask()))
        else:
            session.out(backup_lines(found))
        session.tell(lost_lines(unreachable, session.mask()))
        return errors.UNREACHABLE if unreachable else errors.IN_SYNC


async def _prune(
    session: Session,
    document: str | None,
    bounds: tuple[int | None, int | None],
    *,
    limit: Sequence[str],
    here: str | None,
    yes: bool,
    as_json: bool,
) -> int:
    async with opened(session, document, (), limit, here=here, forgiving=True) as work:
        rows, unreachable = await backups.ledgers(work.document, work.hosts, work.scope)
        going = {host: pruning.doomed(kept, **_bounds(bounds)) for host, kept in rows.items()}
        found = await backups.look(work.hosts, going)
        with session.owing(yes):
            if not as_json:
                session.out(pruned_lines(found))
            session.tell(lost_lines(unreachable, session.mask()))
        if found and not yes and not session.confirmed("Remove these for good?"):
            raise errors.Failed("Nothing was done: the answer was not yes.")
        done = await _removed(work, going)
        if as_json:
            session.out_json(listed_json("pruned", rows_of(found), session.mask()))
        elif found:
            session.tell(pruned_lines(found, done))
        return errors.UNREACHABLE if unreachable else errors.IN_SYNC


def _bounds(bounds: tuple[int | None, int | None]) -> dict[str, Any]:
    keep, days = bounds
    since = None
    if days is not None:
        since = run_time(time.time() - days * _DAY)
    return {"keep": keep, "since": since}


async def _removed(work: Work, going: Mapping[str, Sequence[Kept]]) -> Mapping[str, int]:
    run = replace(run_info(work.document.name), why="backups prune")
    return await backups.prune(work.document, work.hosts, going, run=run)
