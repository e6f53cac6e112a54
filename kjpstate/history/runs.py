"""Runs in and out of the file: noted, folded into the one before when nothing is new, pruned, found
again.

Called by `cli.recording`, `cli.history`, `cli.show`, `cli.status`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kjpstate.formats.times import parsed_time, run_time
from kjpstate.history.past import ACTS, FOLDED, Item, Past, Wanted
from kjpstate.history.store import Damaged, Used, use
from kjpstate.said import Text, say

if TYPE_CHECKING:
    import sqlite3

_GAP = timedelta(hours=26)
"""Between two equal checks further apart than this nobody looked: that is worth a row of its own.
"""

_MOST_ITEMS, _MOST_CHARACTERS = 500, 600
"""Of one run, and of one text of it."""

_EVERY = 16
"""Added runs between two times of tidying up."""


@dataclass(frozen=True)
class Limits:
    """How much is kept. The newest `always` stay whatever the clock says."""

    looks: int = 3000
    acts: int = 2000
    looks_for: timedelta = timedelta(days=400)
    acts_for: timedelta = timedelta(days=1500)
    always: int = 200


LIMITS = Limits()

_COLUMNS = (
    "id, verb, document, path, digest, who, started, seconds, exit_code, said, scope, hosts, "
    "print, times,"
    " last"
)


def note(folder: Path, past: Past, limits: Limits = LIMITS) -> Text:
    """Remember one run; a message when it could not be, or when the file had to be set aside."""
    found = use(folder, lambda connection: _note(connection, past, limits), False, writes=True)
    if found.trouble and not found.value:
        return say("history.not-noted", why=found.trouble)
    return found.trouble


def runs(folder: Path, wanted: Wanted) -> Used[tuple[Past, ...]]:
    """The runs that are asked for, newest first."""
    return use(folder, lambda connection: tuple(_found(connection, wanted)), (), writes=False)


def run(folder: Path, id_: str) -> Used[tuple[Past, ...]]:
    """Those whose id begins with `id_`: one, none, or several."""
    return use(
        folder,
        lambda connection: tuple(
            _past(connection, row)
            for row in connection.execute(
                f"SELECT seq, {_COLUMNS} FROM runs WHERE substr(id, 1, ?) = ? ORDER BY seq "
                "DESC LIMIT 9",
                (len(id_), id_),
            ).fetchall()
        ),
        (),
        writes=False,
    )


def merged(mine: Sequence[Past], theirs: Iterable[Past], wanted: Wanted) -> tuple[Past, ...]:
    """Both, newest first by the clocks of those who ran them; one run on
    several hosts is one run."""
    known = {run.id for run in mine}
    others: dict[str, Past] = {}
    for run in theirs:
        if run.id in known or not _matches(run, wanted):
            continue
        first = others.get(run.id)
        if first is None:
            others[run.id] = run
        else:
            hosts, items = (*first.hosts, *run.hosts), (*first.items, *run.items)
            others[run.id] = replace(first, hosts=hosts, items=items, at=f"{first.at}, {run.at}")
    both = (
        sorted([*mine, *others.values()], key=lambda run: run.started, reverse=True)
        if others
        else mine
    )
    return tuple(both[: wanted.most or None])


def _matches(run: Past, wanted: Wanted) -> bool:
    return (
        (not wanted.verbs or run.verb in wanted.verbs)
        and (not wanted.host or any(_named(host, wanted.host) for host in run.hosts))
        and run.ended >= wanted.since
        and not (wanted.failed and run.exit_code == 0)
    )


def _note(connection: sqlite3.Connection, past: Past, limits: Limits) -> bool:
    past = _bounded(past)
    before = _same_before(connection, past) if past.verb in FOLDED else None
    if before is not None:
        connection.execute(
            "UPDATE runs SET times = times + 1, last = ?, seconds = ?, said = ? WHERE seq = ?",
            (past.started, past.seconds, past.said, before),
        )
        if past.items:
            connection.execute("DELETE FROM items WHERE run = ?", (before,))
            _add_items(connection, before, past)
        return True
    seq = _add(connection, past)
    if seq % _EVERY == 0:
        _prune(connection, _time(past.started), limits)
    return True


def _add(connection: sqlite3.Connection, past: Past) -> int:
    values = (
        *(
            past.id,
            past.verb,
            past.document,
            past.path,
            past.digest,
            past.who,
            past.started,
            past.seconds,
        ),
        *(
            past.exit_code,
            past.said,
            past.scope,
            " ".join(past.hosts),
            past.print,
            past.times,
            past.ended,
        ),
    )
    marks = ", ".join("?" * len(values))
    seq = connection.execute(f"INSERT INTO runs ({_COLUMNS}) VALUES ({marks})", values).lastrowid
    assert seq is not None
    _add_items(connection, seq, past)
    connection.executemany(
        "INSERT INTO backups (run, host, path, backup) VALUES (?, ?, ?, ?)",
        [(seq, *backup) for backup in past.backups],
    )
    return seq


def _add_items(connection: sqlite3.Connection, seq: int, past: Past) -> None:
    connection.executemany(
        "INSERT INTO items (run, host, address, result, about, reason) VALUES (?, ?, ?, ?, ?, ?)",
        [(seq, *item.same, item.reason) for item in past.items],
    )


def _same_before(connection: sqlite3.Connection, past: Past) -> int | None:
    """The row of the run before, when it came out the same and nothing was changed since."""
    row = connection.execute(
        "SELECT seq, print, last FROM runs WHERE document = ? AND verb = ? AND path = ? AND "
        "scope = ?"
        " AND who = ? ORDER BY seq DESC LIMIT 1",
        (past.document, past.verb, past.path, past.scope, past.who),
    ).fetchone()
    if row is None or row[1] != past.print:
        return None
    acted = connection.execute(
        f"SELECT 1 FROM runs WHERE document = ? AND seq > ? AND verb IN ({_marks(ACTS)}) LIMIT 1",
        (past.document, row[0], *ACTS),
    ).fetchone()
    apart = _time(past.started) - _time(row[2])
    return int(row[0]) if acted is None and timedelta(0) <= apart <= _GAP else None


def _prune(connection: sqlite3.Connection, now: datetime, limits: Limits) -> None:
    """Beyond the newest few: what is too much, and what is too old."""
    for word, most, age in (
        ("NOT IN", limits.looks, limits.looks_for),
        ("IN", limits.acts, limits.acts_for),
    ):
        kind = f"verb {word} ({_marks(ACTS)})"
        oldest = f"SELECT seq FROM runs WHERE {kind} ORDER BY seq DESC LIMIT -1 OFFSET ?"
        connection.execute(f"DELETE FROM runs WHERE seq IN ({oldest})", (*ACTS, most))
        connection.execute(
            f"DELETE FROM runs WHERE last < ? AND seq IN ({oldest})",
            (run_time(now - age), *ACTS, limits.always),
        )


def _found(connection: sqlite3.Connection, wanted: Wanted) -> Iterator[Past]:
    where, values = ["1"], list[Any]()
    if wanted.document or wanted.path:
        where.append(
            "((document <> '' AND document = ?) OR (path = ? AND (document = '' OR ? = '')))"
        )
        values += [wanted.document, wanted.path, wanted.document]
    if wanted.verbs:
        where.append(f"verb IN ({_marks(wanted.verbs)})")
        values += wanted.verbs
    if wanted.since:
        where.append("last >= ?")
        values.append(wanted.since)
    if wanted.failed:
        where.append("exit_code <> 0")
    rows = connection.execute(
        f"SELECT seq, {_COLUMNS} FROM runs WHERE {' AND '.join(where)} ORDER BY seq DESC", values
    )
    left = wanted.most or -1
    for row in rows.fetchall():
        if wanted.host and not any(_named(host, wanted.host) for host in str(row[12]).split()):
            continue
        if left == 0:
            return
        left -= 1
        yield _past(connection, row)


def _named(host: str, word: str) -> bool:
    return host == word or host.startswith(f"{word}[")


def _past(connection: sqlite3.Connection, row: tuple[Any, ...]) -> Past:
    (
        seq,
        id_,
        verb,
        document,
        path,
        digest,
        who,
        started,
        seconds,
        code,
        said,
        scope,
        hosts,
        _,
        times,
        last,
    ) = row
    items = connection.execute(
        "SELECT host, address, result, about, reason FROM items WHERE run = ? ORDER BY rowid",
        (seq,),
    ).fetchall()
    backups = connection.execute(
        "SELECT host, path, backup FROM backups WHERE run = ? ORDER BY rowid", (seq,)
    ).fetchall()
    texts = (id_, verb, document, path, digest, who, started, said, scope, hosts, last)
    _sound((seconds, code, times), (int, float))
    _sound((*texts, *(text for found in (*items, *backups) for text in found)), (str,))
    return Past(
        *(id_, verb, document, path, digest, who, started, seconds, code, said, scope),
        hosts=tuple(hosts.split()),
        items=tuple(Item(*item) for item in items),
        backups=tuple(backups),
        times=times,
        last=last,
    )


def _sound(values: Iterable[object], types: tuple[type, ...]) -> None:
    """SQLite gives what stands there, whatever its column says. Raises Damaged."""
    for value in values:
        if not isinstance(value, types):
            raise Damaged(f"a run with {type(value).__name__} for {types[0].__name__}")


def _bounded(past: Past) -> Past:
    items = [replace(item, reason=_short(item.reason)) for item in past.items[:_MOST_ITEMS]]
    return replace(
        past, items=tuple(items), backups=past.backups[:_MOST_ITEMS], said=_short(past.said)
    )


def _short(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def _marks(words: tuple[str, ...]) -> str:
    return ", ".join("?" * len(words))


def _time(text: str) -> datetime:
    try:
        return parsed_time(text)
    except (TypeError, ValueError):
        return datetime.min.replace(tzinfo=UTC)
