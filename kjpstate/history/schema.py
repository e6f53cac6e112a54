"""The tables, version by version. `PRAGMA user_version` says which one a file has; called by
`store`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

APPLICATION = 0x6B6A7073
"""`kjps` in `PRAGMA application_id`: another program's file is not ours to write."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE runs (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, verb TEXT NOT NULL,
            document TEXT NOT NULL, path TEXT NOT NULL, digest TEXT NOT NULL, who TEXT NOT NULL,
            started TEXT NOT NULL, seconds REAL NOT NULL,
            exit_code INTEGER NOT NULL, said TEXT NOT NULL,
            scope TEXT NOT NULL, hosts TEXT NOT NULL, print TEXT NOT NULL, times INTEGER NOT NULL,
            last TEXT NOT NULL)""",
        "CREATE INDEX runs_of_a_document ON runs (document, verb, seq)",
        """CREATE TABLE items (
            run INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE, host TEXT NOT NULL,
            address TEXT NOT NULL, result TEXT NOT NULL, about TEXT NOT NULL,
            reason TEXT NOT NULL)""",
        "CREATE INDEX items_of_a_run ON items (run)",
    ),
    (
        """CREATE TABLE backups (
            run INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE, host TEXT NOT NULL,
            path TEXT NOT NULL, backup TEXT NOT NULL)""",
        "CREATE INDEX backups_of_a_run ON backups (run)",
    ),
)
"""What brings a file from version N to N+1 stands at N. Never change one that was released: add the
next."""

VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to VERSION in one transaction; another process may have done it meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself ends that of a disk that is full
            connection.execute("ROLLBACK")
        raise
