"""What was kept on a document's hosts: listed, held against its digests, pruned. Called by
`cli.backups`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from kjpstate import errors, reconcile
from kjpstate.formats.tree import listing_digest
from kjpstate.host import Eye, Host
from kjpstate.model import (
    Action,
    Answer,
    Prune,
    Reading,
    ReadState,
    ReadTree,
    RunInfo,
    Stamp,
    Tree,
    Unreadable,
)
from kjpstate.said import Text, say
from kjpstate.undo import ledger, record
from kjpstate.undo.items import of_file
from kjpstate.undo.ledger import Condition, Found, Kept

_AT_ONCE = 12
"""Backups whose digests are taken in one look: a folder of modules takes a small box a while."""


async def ledgers(
    document: reconcile.Document, hosts: Mapping[str, Eye], chosen: Sequence[str]
) -> tuple[dict[str, tuple[Kept, ...]], dict[str, Text]]:
    """Host -> the rows of its ledger; and the hosts out of reach. Raises Failed for a damaged
    ledger."""
    wanted: dict[str, list[Reading]] = {name: [_ledger(name, document.name)] for name in chosen}
    answers, unreachable = await reconcile.look(hosts, wanted)
    rows = {
        name: ledger.parse(name, answers[_ledger(name, document.name)])
        for name in chosen
        if name not in unreachable
    }
    return rows, unreachable


async def look(hosts: Mapping[str, Eye], rows: Mapping[str, Sequence[Kept]]) -> list[Found]:
    """Each backup as it stands: whether its bytes still are those that were kept, and its size."""
    found: list[Found] = []
    for host, kept in rows.items():
        firsts = {row.backup for row in ledger.originals(kept).values()}
        for at in range(0, len(kept), _AT_ONCE):
            part = kept[at : at + _AT_ONCE]
            answers, _ = await reconcile.look(hosts, {host: [_reading(host, row) for row in part]})
            for row in part:
                condition, size = _condition(row, answers[_reading(host, row)])
                found.append(Found(host, row, row.backup in firsts, condition, size))
    return found


async def prune(
    document: reconcile.Document,
    hosts: Mapping[str, Host],
    going: Mapping[str, Sequence[Kept]],
    *,
    run: RunInfo,
) -> dict[str, int]:
    """Host -> how many went: the rows that still stand in the ledger under the lock.

    With them go the notes of their runs, which can't be rolled back any more. Raises Locked,
    Unreachable, Failed; what is gone by then is gone.
    """
    gone = {row.run for rows in going.values() for row in rows}
    done = {}
    for host in sorted(going) if gone else ():
        readings = [_ledger(host, document.name), ReadState(host, document.name, record.INDEX)]
        answers = await hosts[host].begin(run, readings)
        try:
            standing = set(ledger.parse(host, answers[readings[0]]))
            rows = [row for row in going[host] if row in standing]
            actions = _actions(host, document.name, rows, gone, record.listed(answers[readings[1]]))
            outcomes, _ = await hosts[host].act(actions)
            bad = next((outcome for outcome in outcomes if not outcome.ok), None)
            if bad is not None:
                why = bad.reason or bad.status
                raise errors.Failed(say("backups.not-removed", host=host, why=why))
            done[host] = len(rows)
        finally:
            await hosts[host].end()
    return done


def _actions(
    host: str, document: str, rows: Sequence[Kept], gone: Collection[str], runs: Sequence[str]
) -> tuple[Action, ...]:
    """The notes of the runs that lose something go on every host: half a run is not rolled back."""
    noted = [run for run in runs if run in gone]
    notes = [Stamp(host, document, record.name_of(run), None) for run in noted]
    if noted:
        notes.append(
            Stamp(host, document, record.INDEX, {"runs": [run for run in runs if run not in gone]})
        )
    return (*notes, *((Prune(host, document, tuple(row.backup for row in rows)),) if rows else ()))


def _ledger(host: str, document: str) -> ReadState:
    return ReadState(host, document, ledger.LEDGER)


def _reading(host: str, row: Kept) -> ReadTree:
    if row.type == "directory":
        return ReadTree(host, row.backup.rstrip("/") + "/", whole=True)
    return of_file(host, row.backup)


def _condition(row: Kept, answer: Answer) -> tuple[Condition, int | None]:
    if isinstance(answer, Unreadable):
        return "unreadable", None
    if not isinstance(answer, Tree) or (row.type != "directory" and not answer.files):
        return "gone", None
    size = sum(file.size for file in answer.files.values())
    if row.type == "directory":
        digest = listing_digest({name: file.digest for name, file in answer.files.items()})
    else:
        digest = next(iter(answer.files.values())).digest
    return ("kept" if digest == row.sha256 else "changed"), size
