"""One file on this machine replaced, backed up, restored: the very protocol of `remote/session.sh`.

Called by `local` and `trees`. Paths are the document's, and messages name them so; `Pen.real` says where
they are. Backup, beside, verify, rename, read back; `tell` hears of every effect right
after it happened. An OSError is turned into Trouble; whatever `tell` raises passes through untouched.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from kjpstate.formats.tree import AS_BYTES
from kjpstate.hosts.names import temporary_of
from kjpstate.model import RunInfo

POSIX = os.name == "posix"


class Trouble(Exception):
    """An action that did not happen, or, `unknown`, whose end the disk did not confirm: its Outcome's status,
    and a sentence."""

    def __init__(self, reason: str, status: Literal["failed", "moved", "unknown"] = "failed") -> None:
        super().__init__(reason)
        self.reason = reason
        self.status: Literal["failed", "moved", "unknown"] = status


class Announced(Protocol):
    """The journal of the session, `hosts.journal.Writer`."""

    def intent(self, kind: str, path: str, old: str = "-", new: str = "-", backup: str = "") -> None: ...
    def done(self, status: str) -> None: ...
    def half_done(self) -> None: ...


@dataclass(frozen=True)
class Pen:
    """Who writes: the run, the ledger of its backups, whom to tell of each effect, where a path really is,
    and the journal in which each action is announced."""

    run: RunInfo
    ledger: Path
    tell: Callable[[str], None]
    real: Callable[[str], Path]
    journal: Announced


def why(path: str, error: OSError) -> str:
    """One plain sentence for what the system said about `path`."""
    if isinstance(error, PermissionError) and not POSIX:
        return f"{path}: permission denied, or another program has it open"
    return f"{path}: {(error.strerror or str(error)).lower()}"


def sync(path: Path) -> None:
    """Force a file to the disk; a folder too, where the system can."""
    if path.is_dir() and not POSIX:
        return
    handle = os.open(path, os.O_RDONLY if POSIX else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest_of(path: str, real: Path) -> str | None:
    """sha256 in hex of a regular file; None when there is none. Raises Trouble for anything else."""
    if real.is_symlink():
        raise Trouble(f"{path} is a symbolic link to {real.readlink()}; kjpstate does not write through it")
    if not real.exists():
        return None
    if real.is_dir():
        raise Trouble(f"{path} is a folder, not a file")
    if not real.is_file():
        raise Trouble(f"{path} is not a regular file")
    return sha256_of(real)


def sha256_of(real: Path) -> str:
    """sha256 in hex of a file's bytes."""
    with real.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def put(
    path: str, before: bytes | None, after: bytes | None, mode: int, *, pen: Pen, backup: str
) -> Literal["done", "already"]:
    """Replace, create or remove `path` if it still holds `before`, which is kept as `backup`.

    Raises Trouble: moved, a link, a folder, no parent, no room, no permission; the file is then as it was.
    """
    real = pen.real(path)
    try:
        now, old, new = digest_of(path, real), _sha(before), _sha(after)
        if now == new:
            return "already"
        if now != old:
            raise Trouble(f"{path} is not as the plan saw it any more", "moved")
        if not real.parent.is_dir():
            raise Trouble(f"{path}: its folder does not exist")
        pen.journal.intent("write", path, old or "-", new or "-", backup)
        sweep(real)
        if before is not None:
            keep_file(path, pen, backup)
        if after is None:
            real.unlink()
            pen.tell("remove")
        else:
            _replace(path, after, old, mode, pen)
    except OSError as error:
        raise Trouble(why(path, error)) from None
    try:
        sync(real.parent)
        if digest_of(path, real) != new:
            raise Trouble(
                f"{path} does not hold what was just written; somebody else is writing it", "unknown"
            )
    except OSError as error:
        raise Trouble(why(path, error), "unknown") from None
    return "done"


def _sha(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def _replace(path: str, after: bytes, old: str | None, mode: int, pen: Pen) -> None:
    real = pen.real(path)
    temporary = pen.real(temporary_of(path, "new", pen.run.id))
    try:
        _write_new(temporary, after)
        pen.tell("temporary")
        if old is None:
            temporary.chmod(mode)
        else:
            carry(real, temporary)
        if sha256_of(temporary) != _sha(after):
            raise Trouble(f"{path}: what was written beside it reads back differently")
        if digest_of(path, real) != old:
            raise Trouble(f"{path} is not as the plan saw it any more", "moved")
        temporary.replace(real)
    except (OSError, Trouble):
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    pen.tell("rename")


def _write_new(path: Path, content: bytes) -> None:
    """Create `path`, which must not exist, for nobody but us, and force it to the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def carry(source: Path, target: Path) -> None:
    """Give `target` the mode, owner and extended attributes of `source`, but not its times."""
    found = source.stat()
    if POSIX:
        mine = target.stat()
        if (found.st_uid, found.st_gid) != (mine.st_uid, mine.st_gid):
            os.chown(target, found.st_uid, found.st_gid)
        _carry_attributes(source, target)
    target.chmod(stat.S_IMODE(found.st_mode))


def _carry_attributes(source: Path, target: Path) -> None:
    """A file system without extended attributes has none to lose; a disk that fails at them is told."""
    if not hasattr(os, "listxattr"):
        return
    try:
        for name in os.listxattr(source):
            os.setxattr(target, name, os.getxattr(source, name))
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.EPERM, errno.EACCES):
            raise


def keep_file(path: str, pen: Pen, backup: str) -> None:
    """Copy `path` to `backup` unless this run already did, never over anything. Raises Trouble, OSError."""
    real, final = pen.real(path), pen.real(backup)
    digest = digest_of(path, real)
    if final.exists() or digest is None:
        return
    temporary = final.with_name(f".{real.name}.kjpstate-keep.{pen.run.id}")
    temporary.unlink(missing_ok=True)
    try:
        _write_new(temporary, real.read_bytes())
        carry(real, temporary)
        found = real.stat()
        os.utime(temporary, ns=(found.st_atime_ns, found.st_mtime_ns))
        if sha256_of(temporary) != digest:
            raise Trouble(f"{path} moved while it was backed up", "moved")
        pen.tell("backup copied")
        publish(temporary, final)
    except (OSError, Trouble):
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    note_kept(pen, path, backup, digest, "file")


def publish(temporary: Path, final: Path) -> None:
    """Give `temporary` its final name; fails if that exists. Where hard links are missing, by a rename."""
    try:
        os.link(temporary, final)
    except FileExistsError:
        raise
    except OSError:
        if final.exists():
            raise
        temporary.rename(final)
        return
    try:
        temporary.unlink()
    except OSError:
        final.unlink()
        raise


def note_kept(pen: Pen, path: str, backup: str, digest: str, kind: str) -> None:
    """Note a copy that has just got its name; one that can't be noted goes again: its original stands."""
    final = pen.real(backup)
    pen.tell("backup")
    try:
        note(pen, path, backup, digest, kind)
    except OSError:
        if not _noted(pen, backup):
            shutil.rmtree(final) if final.is_dir() else final.unlink()
        raise
    sync(final.parent)


def _noted(pen: Pen, backup: str) -> bool:
    return pen.ledger.is_file() and f"\t{backup}\t".encode(*AS_BYTES) in pen.ledger.read_bytes()


def note(pen: Pen, path: str, backup: str, digest: str, kind: str) -> None:
    """Add a line to the ledger of backups: run, path, backup, sha256, type, parted by tabs."""
    pen.ledger.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    cut = pen.ledger.is_file() and not pen.ledger.read_bytes().endswith(b"\n") and pen.ledger.stat().st_size
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
    """Put a copy of `backup` over `path` by one rename, or remove it, if it still is what `written` says.

    See `model.Restore`. Raises Trouble (moved: somebody else changed it, that stands), OSError.
    """
    real = pen.real(path)
    source = pen.real(backup) if backup else None
    if source is not None and not source.is_file():
        raise Trouble(f"{path}: its original {backup} is gone")
    now, then = digest_of(path, real), source and sha256_of(source)
    if now == then and (source is None or _same_attributes(source, real)):
        return "already"
    if written and (now or "-") != written:
        raise Trouble(f"{path} was changed by somebody else meanwhile; that stands", "moved")
    pen.journal.intent("restore", path, now or "-", then or "-", backup or "")
    if source is None:
        real.unlink(missing_ok=True)
    else:
        _copy_over(source, real, pen.real(temporary_of(path, "new", pen.run.id)))
    pen.tell("restore")
    sync(real.parent)
    if digest_of(path, real) != then:
        raise Trouble(f"{path} does not hold what was put back; somebody else is writing it")
    return "done"


def _same_attributes(one: Path, other: Path) -> bool:
    left, right = one.stat(), other.stat()
    return (left.st_mode, left.st_uid, left.st_gid) == (right.st_mode, right.st_uid, right.st_gid)


def _copy_over(source: Path, real: Path, temporary: Path) -> None:
    temporary.unlink(missing_ok=True)
    try:
        _write_new(temporary, source.read_bytes())
        carry(source, temporary)
        found = source.stat()
        os.utime(temporary, ns=(found.st_atime_ns, found.st_mtime_ns))
        temporary.replace(real)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def sweep(path: Path) -> None:
    """Remove what a run that was cut left beside `path`; the lock says that nobody is writing now."""
    for left in path.parent.glob(f".{_literal(path.name)}.kjpstate-*"):
        if left.is_file() and not left.is_symlink():
            left.unlink()


def sweep_trees(path: Path) -> None:
    """The same for a folder's unfinished copies, and for a link that was on its way into it."""
    for left in path.parent.glob(f"{_literal(path.name)}.kjpstate-*"):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink(missing_ok=True)


def _literal(name: str) -> str:
    return "".join(f"[{mark}]" if mark in "*?[" else mark for mark in name)


def atomically(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write one small file of ours in the state folder: temp, rename, to the disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.kjpstate-new")
    temporary.unlink(missing_ok=True)
    try:
        _write_new(temporary, content)
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)
