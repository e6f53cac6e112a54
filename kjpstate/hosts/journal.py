"""The journal of a run on this machine, and what is made of one that ended before its time.

Called by `local`; the very protocol of `remote/journal.sh`. Its format: `formats/journal.py`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from kjpstate.formats import journal
from kjpstate.formats.tree import AS_BYTES, OF_HOST, unfolded
from kjpstate.hosts import files, trees
from kjpstate.hosts.files import Pen, Trouble
from kjpstate.model import Recovered, Unfinished, Verdict


def settle(state: Path, pen: Pen, host: str) -> Iterator[Recovered]:
    """Finish or undo what each unfinished run left half done, in every document's folder of `state`.

    Called with the lock held, so nobody is writing. Closes the journals and says what was made of them.
    """
    shared = state / OF_HOST
    for found in sorted(state.glob(f"*/{journal.FILE}")):
        fresh = ".*.kjpstate-new"
        for left in (*found.parent.glob(".output.*"), *found.parent.glob(fresh), *shared.glob(fresh)):
            left.unlink(missing_ok=True)
        known = journal.read(found.read_bytes())
        if known is not None and not known.ended:
            yield _recover(found, known, pen, host)


def _recover(file: Path, known: journal.Journal, pen: Pen, host: str) -> Recovered:
    verdict: Verdict = "between"
    at = known.pending
    if at is not None:
        run = replace(pen.run, id=known.run, started=known.when, document=file.parent.name)
        verdict = settled(at, replace(pen, run=run, ledger=file.with_name("backups")))
    files.append(file, journal.lines([journal.line("closed", known.run, pen.run.id, verdict)]))
    pen.tell("journal closed")
    lost = Unfinished(known.run, known.when, known.who, at.kind if at else "", at.path if at else "")
    return Recovered(host, file.parent.name, lost, verdict)


def settled(at: journal.Intent, pen: Pen) -> Verdict:
    """Finish or undo the one action that may be half done; what has become of it."""
    real = pen.real(at.path.rstrip("/"))
    match at.kind:
        case "write" | "restore":
            return _file(at, real, pen)
        case "switch":
            return _switch(at, real, pen)
        case "backup":
            return _backup(at, real, pen)
        case "lay":
            files.sweep_trees(real)
            return "untouched"
        case "remove":
            there = os.path.lexists(real)
            files.sweep_trees(real)
            return "untouched" if there else "whole"
        case "make":
            return "whole" if real.is_dir() else "untouched"
        case _:
            return "unknown"


def _file(at: journal.Intent, real: Path, pen: Pen) -> Verdict:
    """One rename can't be half done; what stands is told."""
    files.sweep(real)
    _note(at, pen, "file")
    try:
        now = files.digest_of(at.path, real) or "-"
    except (Trouble, OSError):
        return "foreign"
    return "whole" if now == at.new else "untouched" if now == at.old else "foreign"


def _backup(at: journal.Intent, real: Path, pen: Pen) -> Verdict:
    """A copy gets its name when it is whole."""
    kept = pen.real(at.backup)
    for left in (
        *_beside(kept, f".{real.name}.kjpstate-keep."),
        *_beside(kept, f"{real.name}.kjpstate-keep."),
    ):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink(missing_ok=True)
    _note(at, pen, "directory" if kept.is_dir() else "file")
    return "whole" if kept.exists() else "untouched"


def _beside(path: Path, start: str) -> list[Path]:
    with contextlib.suppress(OSError):
        return [found for found in path.parent.iterdir() if found.name.startswith(start)]
    return []


def _switch(at: journal.Intent, real: Path, pen: Pen) -> Verdict:
    """The second of two renames is done, or the first one undone."""
    fresh, kept = pen.real(f"{at.path}.kjpstate-new.{pen.run.id}"), pen.real(at.backup)
    verdict: Verdict = "untouched"
    if not real.exists() and fresh.is_dir():
        fresh.rename(real)
        verdict = "finished"
    elif not real.exists() and kept.is_dir():
        kept.rename(real)
        verdict = "undone"
    elif real.is_dir() and not fresh.is_dir():
        verdict = "whole"
    files.sync(real.parent)
    names = pen.ledger.with_name(trees.NAMES)
    if verdict in ("finished", "whole"):
        if names.is_file() and kept.is_dir():
            lines = names.read_bytes().decode(*AS_BYTES).split("\n")
            trees.catch_up(kept, real, {unfolded(line) for line in lines if line})
        if ".kjpstate-old." not in at.backup:
            _note(at, pen, "directory")
    names.unlink(missing_ok=True)
    files.sweep_trees(real)
    return verdict


def _note(at: journal.Intent, pen: Pen, kind: Literal["file", "directory"]) -> None:
    """The ledger names every backup that is there."""
    kept = pen.real(at.backup) if at.backup else None
    if kept is None or not kept.exists():
        return
    known = pen.ledger.read_bytes() if pen.ledger.is_file() else b""
    if f"\t{at.backup}\t".encode(*AS_BYTES) not in known:
        digest = files.sha256_of(kept) if kind == "file" else trees.tree_digest(kept)
        files.note(pen, at.path, at.backup, digest, kind)


class Writer:
    """Announces each action before it is done, and says how it ended. One for each session.

    `pending`: the one that has no end yet.

    The file begins anew with the session's first action: a session that does nothing leaves no trace.
    """

    def __init__(self, folder: Path, head: bytes, run: str, tell: Callable[[str], None]) -> None:
        self._file = folder / journal.FILE
        self._head, self._run, self._tell = head, run, tell
        self._count = 0
        self._open = self._torn = False
        self.pending: journal.Intent | None = None

    def intent(self, kind: str, path: str, old: str = "-", new: str = "-", backup: str = "") -> None:
        """On the disk when this returns. Raises Trouble for a name that no line can hold, OSError."""
        if "\n" in path + backup:
            raise Trouble(f"{path}: a name with a line end can not be managed")
        self._count += 1
        words = ("intent", str(self._count), kind, path.rstrip("/"), old, new, backup)
        if self._open:
            files.append(self._file, journal.lines([journal.line(*words)]))
        else:
            files.atomically(self._file, journal.lines([self._head, journal.line(*words)]))
            self._open = True
        self.pending = journal.Intent(str(self._count), kind, path.rstrip("/"), old, new, backup)
        self._tell("intent")

    def done(self, status: str) -> None:
        """How the announced action ended; nothing when none was announced. Never raises."""
        if self.pending is not None:
            self.pending = None
            with contextlib.suppress(OSError):
                text = journal.lines([journal.line("done", str(self._count), status)])
                files.append(self._file, text, sync=False)
                self._tell("done")

    def half_done(self) -> None:
        """The announced action can be neither finished nor undone now: the next session will."""
        self.pending, self._torn = None, True

    def ended(self) -> None:
        """The run came to its end by itself. Never raises."""
        if self._open and self.pending is None and not self._torn:
            with contextlib.suppress(OSError):
                files.append(self._file, journal.lines([journal.line("ended", self._run)]))
