"""The file itself: opened, migrated, used; a damaged one is set aside, one we can't write is worked
around.

Called by `runs`, and by whatever else is kept in the same file. The only place that knows what
sqlite's errors mean.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from kjpstate.formats.times import run_time
from kjpstate.history.schema import APPLICATION, VERSION, migrate
from kjpstate.said import Said, Text, say

if TYPE_CHECKING:
    import sqlite3

FILE = "history.db"

_PATIENCE = 10.0
"""Seconds to wait for another process that is writing."""
_SYNC = "NORMAL"
"""In WAL: whole after a crash or a power cut, at most the last run is lost. Tests of many runs say
OFF."""
_MOST_ASIDE = 5
"""Damaged files that are kept; the oldest goes first."""

# Primary result codes of SQLite.
_ERROR, _BUSY, _LOCKED, _READONLY, _CORRUPT, _CANTOPEN, _CONSTRAINT, _NOTADB = (
    1,
    5,
    6,
    8,
    11,
    14,
    19,
    26,
)
_WRONG_TABLES = ("no such table", "no such column", "table ", "foreign key mismatch", "FOREIGN KEY")

T = TypeVar("T")


@dataclass(frozen=True)
class Used(Generic[T]):
    """What came of it, and a sentence on what went wrong with the file, empty when nothing did."""

    value: T
    trouble: Text = ""


class Damaged(Exception):
    """What was read can't have been written by us."""


class _Unusable(Exception):
    """The file is not for us: `aside`, whether it may be set aside."""

    def __init__(self, why: Said, aside: bool) -> None:
        super().__init__(why)
        self.why = why
        self.aside = aside


def use(
    folder: Path, act: Callable[[sqlite3.Connection], T], otherwise: T, *, writes: bool
) -> Used[T]:
    """`act` on the open file in one transaction; `otherwise` when it can't be used. Never raises
    for it.

    `writes`: the file is made when there is none. Without it, a file that can't be written is read
    as it is.
    """
    try:
        import sqlite3
    except ImportError as error:
        return Used(otherwise, say("history.no-sqlite", error=str(error)))
    file = folder / FILE
    trouble: Text = ""
    for _ in range(2):
        seen = _identity(file)
        if seen is None and not writes:
            return Used(otherwise, trouble)
        try:
            return Used(_act(file, act, writes), trouble)
        except _Unusable as error:
            if not error.aside or trouble:
                return Used(otherwise, trouble or error.why)
            trouble = _set_aside(file, seen, error.why)
        except sqlite3.Error as error:
            if not _damaged(error) or trouble:
                return Used(otherwise, trouble or _why(file, error))
            damaged = say("history.damaged-as", file=str(file), error=str(error))
            trouble = _set_aside(file, seen, damaged)
        except (Damaged, UnicodeDecodeError) as error:
            if trouble:
                return Used(otherwise, trouble)
            # SQLite's own words, when they are what can't be read, say nothing.
            damaged = say("history.damaged", file=str(file))
            if isinstance(error, Damaged):
                damaged = say("history.damaged-as", file=str(file), error=str(error))
            trouble = _set_aside(file, seen, damaged)
        except OSError as error:
            why = str(error.strerror or error)
            return Used(otherwise, trouble or say("history.unusable", file=str(file), error=why))
    return Used(otherwise, trouble)


def _act(file: Path, act: Callable[[sqlite3.Connection], T], writes: bool) -> T:
    import sqlite3

    try:
        with contextlib.closing(_connected(file)) as connection:
            _prepare(connection, file)
            connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            try:
                value = act(connection)
                connection.execute("COMMIT")
                return value
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
    except sqlite3.OperationalError as error:
        if writes or _code(error) not in (_READONLY, _CANTOPEN):
            raise
    with contextlib.closing(_copied(file)) as connection:
        return act(connection)


def _connected(file: Path) -> sqlite3.Connection:
    import sqlite3

    if not file.exists():
        # SQLite gives the files beside it the mode of this one.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with contextlib.ExitStack() as unused:
        connection = unused.enter_context(
            contextlib.closing(sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None))
        )
        connection.text_factory = _text
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA synchronous = {_SYNC}")
        unused.pop_all()
    return connection


def _text(raw: bytes) -> str:
    """Also of a row in which a worn card has turned a few bits: the others are
    readable for years."""
    return raw.decode("utf-8", "replace")


def _copied(file: Path) -> sqlite3.Connection:
    """The file as it stands, in memory: where it may not be written, WAL can't be read beside
    others."""
    import sqlite3

    with contextlib.ExitStack() as unused:
        memory = unused.enter_context(
            contextlib.closing(sqlite3.connect(":memory:", isolation_level=None))
        )
        memory.text_factory = _text
        where = f"{file.absolute().as_uri()}?immutable=1"
        with contextlib.closing(sqlite3.connect(where, uri=True)) as source:
            source.backup(memory)
        _prepare(memory, file)
        unused.pop_all()
    return memory


def _prepare(connection: sqlite3.Connection, file: Path) -> None:
    """Our own file at our own version; raises _Unusable for a foreign or a newer one."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application == APPLICATION and version == VERSION:
        return
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION and (tables or version):
        raise _Unusable(say("history.anothers", file=str(file)), aside=True)
    if version > VERSION:
        newer = say("history.newer", file=str(file), tables=version, ours=VERSION)
        raise _Unusable(newer, aside=False)
    if not version:
        connection.execute("PRAGMA journal_mode = WAL")
    migrate(connection)


def _code(error: sqlite3.Error) -> int:
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def _damaged(error: sqlite3.Error) -> bool:
    """Whether no other try would end better; a table that is missing was taken away by somebody."""
    code = _code(error)
    return code in (_CORRUPT, _NOTADB) or (
        code in (_ERROR, _CONSTRAINT) and str(error).startswith(_WRONG_TABLES)
    )


def _why(file: Path, error: sqlite3.Error) -> Said:
    match _code(error):
        case code if code in (_BUSY, _LOCKED):
            return say("history.held", file=str(file), seconds=_PATIENCE)
        case code if code == _READONLY:
            return say("history.not-writable", file=str(file))
        case _:
            return say("history.unusable", file=str(file), error=str(error))


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _set_aside(file: Path, seen: tuple[int, int] | None, fault: Said) -> Said:
    """Rename that very file; a process that was faster has put a new one in its place already."""
    if _identity(file) != seen:
        return say("history.aside-already", fault=fault)
    stem = f"history.damaged-{run_time(time.time())}.db"
    try:
        for ending in ("-wal", "-shm", ""):
            beside = file.with_name(file.name + ending)
            if beside.exists():
                beside.replace(file.with_name(stem + ending))
        _keep_few(file.parent)
    except OSError as error:
        return say("history.not-aside", fault=fault, error=str(error.strerror or error))
    return say("history.set-aside", fault=fault, name=stem)


def _keep_few(folder: Path) -> None:
    for file in sorted(folder.glob("history.damaged-*.db"))[:-_MOST_ASIDE]:
        for ending in ("-wal", "-shm", ""):
            file.with_name(file.name + ending).unlink(missing_ok=True)
