"""One file on this machine replaced, backed up, restored: the very protocol of `remote/session.sh`.

Called by `local` and `trees`. Paths are the document's, and messages name them so; `Pen.real` says
where they are. Backup, beside, verify, rename, read back; `tell` hears of every effect right after
it happened. An OSError is turned into Trouble; whatever `tell` raises passes through untouched.

The folder of a file is held open from the first look to the last, and owner, mode and attributes
are set on what is open: whoever else may write there can't lead us elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from kjpstate.formats.digests import sha256_or_none
from kjpstate.formats.tree import AS_BYTES
from kjpstate.hosts.folders import Folder, Unfit, UnsafeFolder, give, opened
from kjpstate.hosts.names import temporary_of
from kjpstate.model import RunInfo
from kjpstate.said import Text, say

POSIX = os.name == "posix"


class Trouble(Exception):
    """An action that did not happen, or, `unknown`, whose end the disk did not confirm: its
    Outcome's status, and a sentence."""

    def __init__(
        self, reason: Text, status: Literal["failed", "moved", "unknown"] = "failed"
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status: Literal["failed", "moved", "unknown"] = status


class NoFolder(Trouble):
    """The folder of what is to be written is not there."""


class Announced(Protocol):
    """The journal of the session, `hosts.journal.Writer`."""

    def intent(
        self, kind: str, path: str, old: str = "-", new: str = "-", backup: str = ""
    ) -> None: ...
    def done(self, status: str) -> None: ...
    def half_done(self) -> None: ...


@dataclass(frozen=True)
class Pen:
    """The writer of one session: its run, the ledger of its backups, the listener told of each
    effect, the real place of a path, and the journal in which each action is announced."""

    run: RunInfo
    ledger: Path
    tell: Callable[[str], None]
    real: Callable[[str], Path]
    journal: Announced


def why(path: str, error: OSError) -> Text:
    """One plain sentence for what the system said about `path`."""
    said = reason(error)
    return said if isinstance(error, UnsafeFolder) else say("hosts.failed", path=path, reason=said)


def reason(error: OSError) -> Text:
    """The system's words without the path; for an unsafe folder our own whole sentence."""
    if isinstance(error, Unfit):
        return error.why
    if isinstance(error, PermissionError) and not POSIX:
        return say("hosts.denied-or-open")
    return (error.strerror or str(error)).lower()


def sync(path: Path) -> None:
    """Force a file to the disk; a folder too, where the system can."""
    if path.is_dir() and not POSIX:
        return
    handle = os.open(path, os.O_RDONLY if POSIX else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest_of(path: str, folder: Folder, name: str) -> str | None:
    """sha256 in hex of a regular file; None when there is none. Raises Trouble
    for anything else."""
    found = folder.stat(name)
    if found is None:
        return None
    if stat.S_ISLNK(found.st_mode):
        raise Trouble(say("hosts.link-not-written", path=path, target=folder.target(name)))
    if stat.S_ISDIR(found.st_mode):
        raise Trouble(say("hosts.folder-not-file", path=path))
    if not stat.S_ISREG(found.st_mode):
        raise Trouble(say("hosts.no-regular-file-at", path=path))
    return sha256_in(folder, name)


def sha256_in(folder: Folder, name: str) -> str:
    """sha256 in hex of a regular file's bytes; never through a link."""
    with os.fdopen(folder.read(name), "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def folder_of(path: str, pen: Pen) -> Folder:
    """The folder that `path` is in, held open. Raises NoFolder, OSError."""
    try:
        return opened(pen.real(path).parent)
    except (FileNotFoundError, NotADirectoryError):
        raise NoFolder(say("hosts.no-folder-for", path=path)) from None


def put(
    path: str, before: bytes | None, after: bytes | None, mode: int, *, pen: Pen, backup: str
) -> Literal["done", "already"]:
    """Replace, create or remove `path` if it still holds `before`, which is kept as `backup`.

    Raises Trouble: moved, a link, a folder, no parent, no room, no permission; the file is then as
    it was.
    """
    try:
        with folder_of(path, pen) as folder:
            return _put(path, before, after, mode, pen=pen, backup=backup, folder=folder)
    except NoFolder:
        if after is None:
            return "already"
        if before is not None:
            raise Trouble(say("hosts.not-as-planned", path=path), "moved") from None
        raise
    except OSError as error:
        raise Trouble(why(path, error)) from None


def _put(
    path: str,
    before: bytes | None,
    after: bytes | None,
    mode: int,
    *,
    pen: Pen,
    backup: str,
    folder: Folder,
) -> Literal["done", "already"]:
    name = pen.real(path).name
    now, old, new = digest_of(path, folder, name), sha256_or_none(before), sha256_or_none(after)
    if now == new:
        return "already"
    if now != old:
        raise Trouble(say("hosts.not-as-planned", path=path), "moved")
    pen.journal.intent("write", path, old or "-", new or "-", backup)
    sweep(folder, name)
    if before is not None:
        keep_file(path, pen, backup, folder)
    if after is None:
        folder.unlink(name)
        pen.tell("remove")
    else:
        _replace(path, after, old, mode, pen=pen, folder=folder)
    try:
        folder.sync()
        if digest_of(path, folder, name) != new:
            raise Trouble(
                say("hosts.not-what-was-written", path=path),
                "unknown",
            )
    except OSError as error:
        raise Trouble(why(path, error), "unknown") from None
    return "done"


def _replace(
    path: str, after: bytes, old: str | None, mode: int, *, pen: Pen, folder: Folder
) -> None:
    name = pen.real(path).name
    temporary = pen.real(temporary_of(path, "new", pen.run.id)).name
    try:
        with held(_write_new(folder, temporary, after)) as written:
            pen.tell("temporary")
            if old is None:
                heir = folder.heir()
                if heir is not None:
                    give(written, heir)
                folder.set_mode(written, temporary, mode)
            else:
                with held(folder.read(name)) as standing:
                    carry(standing, written, folder, temporary)
            if _sha256_again(written) != sha256_or_none(after):
                raise Trouble(say("hosts.reads-back-differently", path=path))
        if digest_of(path, folder, name) != old:
            raise Trouble(say("hosts.not-as-planned", path=path), "moved")
        folder.replace(temporary, name)
    except (OSError, Trouble):
        with contextlib.suppress(OSError):
            folder.unlink(temporary, missing_ok=True)
        raise
    pen.tell("rename")


@contextlib.contextmanager
def held(handle: int) -> Iterator[int]:
    try:
        yield handle
    finally:
        os.close(handle)


def _write_new(folder: Folder, name: str, content: bytes) -> int:
    """Create `name`, which must not exist, for nobody but us, force it to the disk, and leave it
    open."""
    handle = folder.create(name)
    try:
        with os.fdopen(handle, "wb", closefd=False) as stream:
            stream.write(content)
            stream.flush()
            os.fsync(handle)
    except OSError:
        os.close(handle)
        raise
    return handle


def _sha256_again(handle: int) -> str:
    os.lseek(handle, 0, os.SEEK_SET)
    with os.fdopen(handle, "rb", closefd=False) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def carry(source: int, target: int, folder: Folder, name: str) -> None:
    """Give the open file `target`, which is `name`, the mode, owner and extended attributes of the
    open `source`, but not its times."""
    found = os.fstat(source)
    if POSIX:
        mine = os.fstat(target)
        if (found.st_uid, found.st_gid) != (mine.st_uid, mine.st_gid):
            os.fchown(target, found.st_uid, found.st_gid)
        _carry_attributes(source, target)
    folder.set_mode(target, name, stat.S_IMODE(found.st_mode))


def _carry_attributes(source: int, target: int) -> None:
    """A file system without extended attributes has none to lose; a disk that fails at them is
    told."""
    if not hasattr(os, "listxattr"):
        return
    try:
        for name in os.listxattr(source):
            os.setxattr(target, name, os.getxattr(source, name))
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.EPERM, errno.EACCES):
            raise


def copy(source: Folder, name: str, target: Folder, other: str) -> str:
    """A copy of a regular file under a new name, times and all: the sha256 of its bytes."""
    with held(source.read(name)) as standing:
        with os.fdopen(standing, "rb", closefd=False) as stream:
            content = stream.read()
        with held(_write_new(target, other, content)) as written:
            carry(standing, written, target, other)
            target.set_times(written, other, os.fstat(standing))
            return _sha256_again(written)


@contextlib.contextmanager
def beside(path: str, pen: Pen, folder: Folder) -> Iterator[Folder]:
    """The folder of a backup: the one that is open where it is the same."""
    if pen.real(path).parent == folder.path:
        yield folder
    else:
        with folder_of(path, pen) as other:
            yield other


def keep_file(path: str, pen: Pen, backup: str, folder: Folder) -> None:
    """Copy `path`, which is in `folder`, to `backup` unless this run already did, never over
    anything.

    Raises Trouble, OSError.
    """
    name, final = pen.real(path).name, pen.real(backup).name
    temporary = f".{name}.kjpstate-keep.{pen.run.id}"
    digest = digest_of(path, folder, name)
    with beside(backup, pen, folder) as place:
        if digest is None or place.is_file(final):
            return
        place.unlink(temporary, missing_ok=True)
        try:
            if copy(folder, name, place, temporary) != digest:
                raise Trouble(say("hosts.moved-while-kept", path=path), "moved")
            pen.tell("backup copied")
            publish(place, temporary, final)
        except (OSError, Trouble):
            with contextlib.suppress(OSError):
                place.unlink(temporary, missing_ok=True)
            raise
        note_kept(pen, path, backup, digest, "file", folder=place)


def publish(folder: Folder, temporary: str, final: str) -> None:
    """Give `temporary` its final name; fails if that exists. Where hard links are missing, by a
    rename."""
    try:
        folder.link(temporary, final)
    except FileExistsError:
        raise
    except OSError:
        if folder.has(final):
            raise
        folder.rename(temporary, final)
        return
    try:
        folder.unlink(temporary)
    except OSError:
        folder.unlink(final)
        raise


def note_kept(pen: Pen, path: str, backup: str, digest: str, kind: str, *, folder: Folder) -> None:
    """Note a copy that has just got its name; one that can't be noted goes again: its original
    stands."""
    pen.tell("backup")
    try:
        note(pen, path, backup, digest, kind)
    except OSError:
        if not _noted(pen, backup):
            folder.remove(pen.real(backup).name)
        raise
    folder.sync()


def _noted(pen: Pen, backup: str) -> bool:
    return pen.ledger.is_file() and f"\t{backup}\t".encode(*AS_BYTES) in pen.ledger.read_bytes()


def note(pen: Pen, path: str, backup: str, digest: str, kind: str) -> None:
    """Add a line to the ledger of backups: run, path, backup, sha256, type, parted by tabs."""
    pen.ledger.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    cut = (
        pen.ledger.is_file()
        and not pen.ledger.read_bytes().endswith(b"\n")
        and pen.ledger.stat().st_size
    )
    line = "\t".join((pen.run.id, path, backup, digest, kind)) + "\n"
    append(pen.ledger, (b"\n" if cut else b"") + line.encode(*AS_BYTES))


def append(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Add to a file of ours in the state folder, 0600, and force it to the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o600), "ab") as stream:
        stream.write(content)
        stream.flush()
        if sync:
            os.fsync(stream.fileno())


def put_back(path: str, backup: str | None, written: str, pen: Pen) -> Literal["done", "already"]:
    """Put a copy of `backup` over `path` by one rename, or remove it, if it still is what `written`
    says.

    See `model.Restore`. Raises Trouble (moved: somebody else changed it, that stands), OSError.
    """
    with folder_of(path, pen) as folder:
        if backup is None:
            return _put_back(path, "", written, pen=pen, folder=folder, kept=folder)
        with beside(backup, pen, folder) as kept:
            return _put_back(path, backup, written, pen=pen, folder=folder, kept=kept)


def _put_back(
    path: str, backup: str, written: str, *, pen: Pen, folder: Folder, kept: Folder
) -> Literal["done", "already"]:
    name, source = pen.real(path).name, pen.real(backup).name if backup else ""
    if source and not kept.is_file(source):
        raise Trouble(say("hosts.original-gone", path=path, backup=backup))
    now, then = digest_of(path, folder, name), sha256_in(kept, source) if source else None
    if now == then and (not source or _same_attributes(kept.stat(source), folder.stat(name))):
        return "already"
    if written and (now or "-") != written:
        raise Trouble(say("hosts.changed-meanwhile", path=path), "moved")
    pen.journal.intent("restore", path, now or "-", then or "-", backup)
    if source:
        _copy_over(kept, source, folder, name, pen.real(temporary_of(path, "new", pen.run.id)).name)
    else:
        folder.unlink(name, missing_ok=True)
    pen.tell("restore")
    try:
        folder.sync()
        if digest_of(path, folder, name) != then:
            raise Trouble(say("hosts.not-what-was-put-back", path=path), "unknown")
    except OSError as error:
        raise Trouble(why(path, error), "unknown") from None
    return "done"


def _same_attributes(one: os.stat_result | None, other: os.stat_result | None) -> bool:
    return one is not None and other is not None and _attributes(one) == _attributes(other)


def _attributes(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_mode, found.st_uid, found.st_gid


def _copy_over(kept: Folder, source: str, folder: Folder, name: str, temporary: str) -> None:
    folder.unlink(temporary, missing_ok=True)
    try:
        copy(kept, source, folder, temporary)
        folder.replace(temporary, name)
    except OSError:
        with contextlib.suppress(OSError):
            folder.unlink(temporary, missing_ok=True)
        raise


def sweep(folder: Folder, name: str) -> None:
    """Remove what a run that was cut left beside a file; the lock says that
    nobody is writing now."""
    for left in folder.names():
        if left.startswith(f".{name}.kjpstate-") and folder.is_file(left):
            folder.unlink(left, missing_ok=True)


def sweep_trees(folder: Folder, name: str) -> None:
    """Removes a folder's unfinished copies, and a link that was on its way into it."""
    for left in folder.names():
        if left.startswith(f"{name}.kjpstate-"):
            folder.remove(left)


def atomically(path: Path, content: bytes) -> None:
    """Write one small file of ours in the state folder: temp, rename, to the disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = f".{path.name}.kjpstate-new"
    with opened(path.parent) as folder:
        folder.unlink(temporary, missing_ok=True)
        try:
            os.close(_write_new(folder, temporary, content))
            folder.replace(temporary, path.name)
        except OSError:
            with contextlib.suppress(OSError):
                folder.unlink(temporary, missing_ok=True)
            raise
        folder.sync()
