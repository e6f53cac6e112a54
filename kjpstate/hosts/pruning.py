"""Backups that go: the very protocol of `remote/prune.sh`. Called by `local`."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from pathlib import Path

from kjpstate.formats.tree import is_backup
from kjpstate.hosts.files import NoFolder, Pen, Trouble, atomically, folder_of
from kjpstate.model import Prune
from kjpstate.said import say


def prune(action: Prune, ledger: Path, pen: Pen) -> None:
    """Remove the backups that the ledger names and `action` too, then their rows. Raises Trouble,
    OSError."""
    if not ledger.is_file():
        return
    left = b"".join(row + b"\n" for row in _left(action, ledger, pen))
    atomically(ledger, left)
    pen.tell("ledger")


def _left(action: Prune, ledger: Path, pen: Pen) -> Iterator[bytes]:
    gone = {backup.encode("utf-8", "surrogateescape") for backup in action.backups}
    for row in ledger.read_bytes().splitlines():
        fields = row.split(b"\t")
        if len(fields) > 2 and fields[2] in gone:
            _remove(
                fields[2].decode("utf-8", "surrogateescape"),
                fields[0].decode("ascii", "replace"),
                pen,
            )
        else:
            yield row


def _remove(backup: str, run: str, pen: Pen) -> None:
    if not is_backup(backup, run):
        raise Trouble(say("hosts.no-name-of-a-backup", backup=backup, run=run))
    name = pen.real(backup).name
    with contextlib.suppress(NoFolder), folder_of(backup, pen) as folder:
        found = folder.stat(name)
        if found is not None and stat.S_ISLNK(found.st_mode):
            raise Trouble(say("hosts.backup-is-a-link", backup=backup))
        folder.remove(name)
    pen.tell("pruned")
