"""`kjpstate backups`: what each host keeps of what runs changed; `backups prune`: old ones go."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from kjpstate import backups, errors
from kjpstate.cli import options
from kjpstate.cli.running import Manner, over
from kjpstate.cli.session import Session
from kjpstate.cli.state_folder import run_info
from kjpstate.cli.work import Work
from kjpstate.formats.times import run_time
from kjpstate.model import Scope
from kjpstate.render.as_json import listed_json
from kjpstate.render.drifts import lost_lines
from kjpstate.render.kept import backup_lines, pruned_lines, rows_of
from kjpstate.said import say
from kjpstate.undo import pruning
from kjpstate.undo.ledger import Kept

_PRUNE = "prune"
_DAY = 86400


@dataclass(frozen=True)
class Asked:
    """The command line."""

    words: tuple[str, ...] = options.argument(nargs=-1, metavar="[prune] [DOCUMENT]")
    keep: int | None = options.option(
        "--keep",
        type=click.IntRange(1),
        metavar="N",
        help="prune: what the newest N runs kept stays.",
    )
    keep_days: int | None = options.option(
        "--keep-days",
        type=click.IntRange(1),
        metavar="D",
        help="prune: what is not D days old stays.",
    )
    scope: Scope = options.hosts()
    yes: bool = options.yes("prune: do not ask.")
    as_json: bool = options.as_json()

    @property
    def prunes(self) -> bool:
        """The first word is the verb of its own, and no document."""
        return self.words[:1] == (_PRUNE,) and not Path(_PRUNE).is_file()

    @property
    def documents(self) -> tuple[str, ...]:
        """The words that are left."""
        return self.words[1:] if self.prunes else self.words

    @property
    def document(self) -> str | None:
        """The one of them there should be."""
        return self.documents[0] if self.documents else None

    @property
    def bounded(self) -> bool:
        """It says what stays."""
        return (self.keep, self.keep_days) != (None, None)


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """List what was kept before a run changed it: every run, every file, and whether it is still as
    it was.

    With `prune`: remove old ones, after showing which. The first original of a file never goes, nor
    what the last run kept.
    """
    if len(asked.documents) > 1:
        raise errors.UsageError(say("cli.one-document", documents=[*asked.documents]))
    if not asked.prunes and (asked.bounded or asked.yes):
        raise errors.UsageError(say("cli.belongs-to-prune"))
    if asked.prunes and not asked.bounded:
        raise errors.UsageError(say("cli.prune-needs"))
    if asked.prunes and not asked.yes and (asked.as_json or not session.has_terminal()):
        raise errors.UsageError(say("cli.prune-asks"), say("cli.prune-asks.cure"))
    return over(session, asked, _prune if asked.prunes else _list, Manner(forgiving=True))


async def _list(work: Work, asked: Asked) -> int:
    session = work.session
    rows, unreachable = await backups.ledgers(work.document, work.hosts, work.chosen)
    found = await backups.look(work.hosts, rows)
    session.answer(
        asked.as_json,
        lambda: listed_json("backups", rows_of(found), session.mask()),
        lambda: backup_lines(found),
    )
    session.tell(lost_lines(unreachable, session.mask()))
    return errors.code_of("unreachable" for _ in unreachable)


async def _prune(work: Work, asked: Asked) -> int:
    session, since = work.session, _since(asked.keep_days)
    rows, unreachable = await backups.ledgers(work.document, work.hosts, work.chosen)
    going = {
        host: pruning.doomed(kept, keep=asked.keep, since=since) for host, kept in rows.items()
    }
    found = await backups.look(work.hosts, going)
    with session.owing(asked.yes):
        if not asked.as_json:
            session.out(pruned_lines(found))
        session.tell(lost_lines(unreachable, session.mask()))
    if found and not asked.yes and not session.confirmed(say("cli.prune-these")):
        raise errors.Failed(say("cli.not-yes"))
    done = await _removed(work, going)
    if asked.as_json:
        session.out_json(listed_json("pruned", rows_of(found), session.mask()))
    elif found:
        session.tell(pruned_lines(found, done))
    return errors.code_of("unreachable" for _ in unreachable)


def _since(days: int | None) -> str | None:
    return None if days is None else run_time(time.time() - days * _DAY)


async def _removed(work: Work, going: Mapping[str, Sequence[Kept]]) -> Mapping[str, int]:
    run = replace(run_info(work.document.name), why="backups prune")
    return await backups.prune(work.document, work.hosts, going, run=run)
