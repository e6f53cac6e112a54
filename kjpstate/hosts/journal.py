"""The journal of a run on this machine, and what is made of one that ended before its time.

Called by `local`; the very protocol of `remote/journal.sh`. Its format: `formats/journal.py`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from kjpstate.formats import journal
from kjpstate.formats.tree import AS_BYTES, OF_HOST, unfolded
from kjpstate.hosts import files, trees
from kjpstate.hosts.files import NoFolder, Pen, Trouble
from kjpstate.hosts.folders import Folder, UnsafeFolder
from kjpstate.model import Recovered, Unfinished, Verdict
from kjpstate.said import say


def settle(state: Path, pen: Pen, host: str) -> Iterator[Recovered]:
    """Finish or undo what each unfinished run left half done, in every document's folder of
    `state`.

    Called with the lock held, so nobody is writing. Closes the journals and says what was made of
    them.
    """
    shared = state / OF_HOST
    for found in sorted(state.glob(f"*/{journal.FILE}")):
        fresh = ".*.kjpstate-new"
        for left in (
            *found.parent.glob(".output.*"),
            *found.parent.glob(fresh),
            *shared.glob(fresh),
        ):
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
    lost = Unfinished(
        known.run, known.when, known.who, at.kind if at else "", at.path if at else ""
    )
    return Recovered(host, file.parent.name, lost, verdict)


def settled(at: journal.Intent, pen: Pen) -> Verdict:
    """Finish or undo the one action that may be half done; what has become of it."""
    name = pen.real(at.path.rstrip("/")).name
    if at.kind not in ("write", "restore", "switch", "backup", "lay", "remove", "make"):
        return "unknown"
    try:
        with files.folder_of(at.path.rstrip("/"), pen) as folder:
            return _settled(at, folder, name, pen)
    except NoFolder:
        return "whole" if at.kind == "remove" else "untouched"
    except UnsafeFolder:
        return "foreign"


def _settled(at: journal.Intent, folder: Folder, name: str, pen: Pen) -> Verdict:
    match at.kind:
        case "write" | "restore":
            return _file(at, folder, name, pen)
        case "switch":
            return _switch(at, folder, name, pen)
        case "backup":
            return _backup(at, folder, name, pen)
        case "lay":
            files.sweep_trees(folder, name)
            return "untouched"
        case "remove":
            there = folder.has(name)
            files.sweep_trees(folder, name)
            return "untouched" if there else "whole"
        case _:
            return "whole" if folder.is_folder(name) else "untouched"


def _file(at: journal.Intent, folder: Folder, name: str, pen: Pen) -> Verdict:
    """One rename can't be half done; what stands is told."""
    files.sweep(folder, name)
    _note(at, folder, pen)
    try:
        now = files.digest_of(at.path, folder, name) or "-"
    except (Trouble, OSError):
        return "foreign"
    return "whole" if now == at.new else "untouched" if now == at.old else "foreign"


def _backup(at: journal.Intent, folder: Folder, name: str, pen: Pen) -> Verdict:
    """A copy gets its name when it is whole."""
    with files.beside(at.backup, pen, folder) as place:
        for left in place.names():
            if left.startswith((f".{name}.kjpstate-keep.", f"{name}.kjpstate-keep.")):
                place.remove(left)
        there = place.has(pen.real(at.backup).name)
    _note(at, folder, pen)
    return "whole" if there else "untouched"


def _switch(at: journal.Intent, folder: Folder, name: str, pen: Pen) -> Verdict:
    """The second of two renames is done, or the first one undone."""
    fresh, kept = f"{name}.kjpstate-new.{pen.run.id}", pen.real(at.backup).name
    verdict: Verdict = "untouched"
    with files.beside(at.backup, pen, folder) as place:
        if not folder.has(name) and folder.is_folder(fresh):
            folder.rename(fresh, name)
            verdict = "finished"
        elif not folder.has(name) and place.is_folder(kept):
            place.rename(kept, name, folder)
            verdict = "undone"
        elif folder.is_folder(name) and not folder.is_folder(fresh):
            verdict = "whole"
        folder.sync()
        names = pen.ledger.with_name(trees.NAMES)
        if verdict in ("finished", "whole"):
            if names.is_file() and place.is_folder(kept):
                lines = names.read_bytes().decode(*AS_BYTES).split("\n")
                trees.catch_up(
                    place, kept, folder, name, {unfolded(line) for line in lines if line}
                )
            if ".kjpstate-old." not in at.backup:
                _note(at, folder, pen)
    names.unlink(missing_ok=True)
    files.sweep_trees(folder, name)
    return verdict


def _note(at: journal.Intent, folder: Folder, pen: Pen) -> None:
    """The ledger names every backup that is there."""
    if not at.backup:
        return
    name = pen.real(at.backup).name
    with contextlib.suppress(NoFolder), files.beside(at.backup, pen, folder) as place:
        known = pen.ledger.read_bytes() if pen.ledger.is_file() else b""
        if f"\t{at.backup}\t".encode(*AS_BYTES) in known:
            return
        if place.is_folder(name):
            files.note(pen, at.path, at.backup, trees.tree_digest(place, name), "directory")
        elif place.is_file(name):
            files.note(pen, at.path, at.backup, files.sha256_in(place, name), "file")


class Writer:
    """Announces each action before it is done, and says how it ended. One for each session.

    `pending`: the one that has no end yet.

    The file begins anew with the session's first action: a session that does nothing leaves no
    trace.
    """

    def __init__(self, folder: Path, head: bytes, run: str, tell: Callable[[str], None]) -> None:
        self._file = folder / journal.FILE
        self._head, self._run, self._tell = head, run, tell
        self._count = 0
        self._open = self._torn = False
        self.pending: journal.Intent | None = None

    def intent(
        self, kind: str, path: str, old: str = "-", new: str = "-", backup: str = ""
    ) -> None:
        """Announces an action; it is on the disk when this returns. Raises Trouble for a name that
        no line can hold, OSError."""
        if "\n" in path + backup:
            raise Trouble(say("hosts.line-end", path=path))
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
        """Notes how the announced action ended; does nothing when none was announced. Never
        raises."""
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
