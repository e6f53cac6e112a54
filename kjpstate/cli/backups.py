"""`kjpstate backups`: what each host's ledger says was kept, run by run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

import click

from kjpstate import errors, reconcile
from kjpstate.cli import options
from kjpstate.cli.session import Session
from kjpstate.cli.work import opened
from kjpstate.model import Answer, Reading, ReadState, Unreadable
from kjpstate.render.as_json import listed_json
from kjpstate.render.drifts import lost_lines
from kjpstate.render.reports import BackupRow, backup_lines

_FIELDS = 5


@click.command()
@options.document
@click.option("--limit", multiple=True, metavar="HOST", help="Only this host.")
@options.here
@options.as_json
@options.colour
@click.pass_obj
def command(
    session: Session, /, document: str | None, *, limit: Sequence[str], here: str | None, as_json: bool
) -> int:
    """List what was kept before a run changed it: every run, every file."""
    return asyncio.run(_backups(session, document, limit, here, as_json))


async def _backups(
    session: Session, argument: str | None, limit: Sequence[str], here: str | None, as_json: bool
) -> int:
    async with opened(session, argument, (), limit, here=here) as work:
        chosen = [name for name in work.hosts if not limit or _chosen(name, limit)]
        wanted: Mapping[str, list[Reading]] = {
            name: [ReadState(name, work.document.name, "backups")] for name in chosen
        }
        answers, unreachable = await reconcile.look(work.hosts, wanted)
        rows = [
            row
            for name in chosen
            if name not in unreachable
            for row in ledger(name, answers[wanted[name][0]])
        ]
        if as_json:
            session.out_json(listed_json("backups", [asdict(row) for row in rows], session.mask()))
        else:
            session.out(backup_lines(rows))
        session.tell(lost_lines(unreachable, session.mask()))
        return errors.UNREACHABLE if unreachable else errors.IN_SYNC


def ledger(host: str, answer: Answer) -> Iterator[BackupRow]:
    """The rows of one host's ledger: run, path, backup, sha256, type, tab separated. Raises Failed."""
    if answer is None:
        return
    if isinstance(answer, Unreadable) or not isinstance(answer, bytes):
        why = answer.why if isinstance(answer, Unreadable) else "it is not a file"
        raise errors.Failed(f"the list of backups on {host} can't be read: {why}")
    for number, line in enumerate(answer.decode("utf-8", "replace").splitlines(), 1):
        fields = line.split("\t")
        if len(fields) != _FIELDS:
            raise errors.Failed(f"the list of backups on {host} is damaged in line {number}: {line[:80]!r}")
        run, path, backup, digest, type_ = fields
        yield BackupRow(host, run, path, backup, digest, type_)


def _chosen(host: str, limit: Sequence[str]) -> bool:
    return any(host == word or host.startswith(f"{word}[") for word in limit)
