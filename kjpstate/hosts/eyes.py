"""Readings answered on this machine in plain Python: the very answers of `remote/look.sh`.

Called by `local`. Every function takes the document's path and the real one, and never raises for
one bad thing: a missing one is None, one that can't be read is Unreadable.
"""

from __future__ import annotations

import errno
import fnmatch
import hashlib
import os
import platform
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, TypeVar

from kjpstate.formats.tree import ours
from kjpstate.hosts import folders
from kjpstate.hosts.files import held
from kjpstate.hosts.names import FILE_CAP, TREE_FILE_CAP
from kjpstate.model import Clock, File, ReadTree, Stat, Tree, TreeFile, Unreadable
from kjpstate.said import Text, say

T = TypeVar("T")
_MACHINE_ID = Path("/etc/machine-id")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def guarded(read: Callable[[], T]) -> T | Unreadable | None:
    """Returns the answer of `read`; None for a missing thing, Unreadable for one the system will
    not show."""
    try:
        return read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except _Unread as error:
        return Unreadable(error.why)
    except OSError as error:
        return Unreadable(_reason(error))


class _Unread(Exception):
    """One thing below a folder that the system will not show, and why."""

    def __init__(self, path: str, error: OSError) -> None:
        super().__init__(path)
        reason = _reason(error)
        self.why = say("hosts.failed", path=path, reason=reason) if path else reason


def _reason(error: OSError) -> Text:
    if isinstance(error, folders.Unfit):
        return error.why
    said = error.strerror or str(error)
    return said[:1].lower() + said[1:]


def read_file(path: str, real: Path) -> File | Unreadable | None:
    """A file's bytes, mode, owner and, when the path itself is a link, its target."""
    return guarded(lambda: _file(path, real))


def _file(path: str, real: Path) -> File | Unreadable:
    link = str(real.readlink()) if real.is_symlink() else ""
    try:
        _regular(real.stat())
        handle = folders.reading(real)
    except FileNotFoundError:
        if not link:
            raise
        return Unreadable(say("hosts.leads-nowhere", target=link))
    with held(handle):
        before = _regular(os.fstat(handle), FILE_CAP)
        content = b"".join(_read(handle, FILE_CAP + 1))
        after = os.fstat(handle)
    if len(content) != before.st_size or _changed(before) != _changed(after):
        return Unreadable(say("hosts.moved-while-read"))
    return File(path, content, _mode(before), f"{before.st_uid}:{before.st_gid}", link)


def _regular(found: os.stat_result, most: int = sys.maxsize) -> os.stat_result:
    """`found`, which is a regular file's; raises OSError for anything else, and
    for a larger one."""
    if not stat.S_ISREG(found.st_mode):
        code = "hosts.is-a-folder" if stat.S_ISDIR(found.st_mode) else "hosts.is-no-regular-file"
        raise folders.Unfit(errno.EINVAL, say(code))
    if found.st_size > most:
        raise folders.Unfit(errno.EFBIG, say("hosts.too-large", size=most // 1024 // 1024))
    return found


def _read(handle: int, most: int) -> Iterator[bytes]:
    """At most so many bytes, never waiting for one."""
    while most > 0 and (chunk := os.read(handle, min(most, 1 << 20))):
        most -= len(chunk)
        yield chunk


def _sha256_of(real: Path, found: os.stat_result) -> str:
    """sha256 in hex of a file of a tree that is as it was found."""
    _regular(found, TREE_FILE_CAP)
    with held(folders.reading(real)) as handle:
        digest = hashlib.sha256()
        for chunk in _read(handle, _regular(os.fstat(handle), TREE_FILE_CAP).st_size):
            digest.update(chunk)
        return digest.hexdigest()


def _changed(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns}.{found.st_ctime_ns}.{found.st_ino}"


def _mode(found: os.stat_result) -> int:
    """Permission bits; on Windows what such a file or folder would have elsewhere."""
    if os.name == "posix":
        return stat.S_IMODE(found.st_mode)
    return 0o755 if stat.S_ISDIR(found.st_mode) else 0o644


def read_stat(path: str, real: Path) -> Stat | Unreadable | None:
    """Reads the status of the path itself; links are not followed."""

    def look() -> Stat:
        found = real.lstat()
        owner = f"{found.st_uid}:{found.st_gid}"
        return Stat(path, _type(found.st_mode), _mode(found), found.st_size, owner, _changed(found))

    return guarded(look)


def _type(mode: int) -> Literal["file", "directory", "symlink", "other"]:
    if stat.S_ISLNK(mode):
        return "symlink"
    if stat.S_ISREG(mode):
        return "file"
    return "directory" if stat.S_ISDIR(mode) else "other"


def read_glob(
    patterns: tuple[str, ...], real: Callable[[str], Path]
) -> tuple[File, ...] | Unreadable:
    """Every regular file that a pattern names, in the order of their paths."""
    found: dict[str, File] = {}
    for pattern in patterns:
        for path in _matches(pattern, real):
            answer = read_file(path, real(path))
            if isinstance(answer, Unreadable) and real(path).is_file():
                return Unreadable(say("hosts.at", path=path, why=answer.why))
            if isinstance(answer, File):
                found[path] = answer
    return tuple(found[path] for path in sorted(found))


def _matches(pattern: str, real: Callable[[str], Path]) -> Iterator[str]:
    """The paths a shell would put in the place of `pattern`: hidden names only where it begins with
    a dot."""
    first, *parts = pattern.split("/")
    paths = [first]
    for part in parts:
        if not any(mark in part for mark in "*?["):
            paths = [f"{path}/{part}" for path in paths]
            continue
        paths = [
            f"{path}/{name}"
            for path in paths
            for name in _names(real(path + "/"))
            if fnmatch.fnmatchcase(name, part) and (name[0] != "." or part[0] == ".")
        ]
    return (path for path in paths if os.path.lexists(real(path)))


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


_LOOKS = 3
"""A bot's own files come and go: at the last look one that went counts as not there."""


def read_tree(reading: ReadTree, root: Path) -> Tree | Unreadable | None:
    """Digests of the files below `root` that the reading names; see ReadTree for what does not
    count."""
    for look in range(1, _LOOKS + 1):
        found = guarded(lambda: root.stat().st_mode)
        if not isinstance(found, int):
            return (
                Unreadable(say("hosts.is-no-folder"))
                if found is None and os.path.lexists(root)
                else found
            )
        if not stat.S_ISDIR(found):
            return Unreadable(say("hosts.is-no-folder"))
        last = look == _LOOKS
        tree = guarded(lambda last=last: _tree(reading, root, last))  # type: ignore[misc]
        if tree is not None:
            return tree
    return Unreadable(say("hosts.moved-while-read"))


def _tree(reading: ReadTree, root: Path, last: bool) -> Tree:
    files: dict[str, TreeFile] = {}
    others: set[str] = set()
    folders: set[str] = set()
    for entry in reading.paths:
        for path, real in _walk(root, entry.removeprefix("./").rstrip("/"), reading.whole):
            if real is None:
                folders.add(path)
            if real is None or path in files:
                continue
            try:
                found = real.lstat()
                if stat.S_ISREG(found.st_mode):
                    digest = _sha256_of(real, found)
                    files[path] = TreeFile(digest, found.st_size, _mode(found), _changed(found))
                else:
                    others.add(path)
            except FileNotFoundError:
                if not last:
                    raise
            except OSError as error:
                raise _Unread(path, error) from None
    return Tree(reading.root, files, tuple(sorted(others)), tuple(sorted(folders)))


def _walk(root: Path, path: str, whole: bool) -> Iterator[tuple[str, Path | None]]:
    """Every file below `path`, or `path` itself when it is one; nothing for a missing one. Folders,
    and what never counts, come without a place."""
    real = root / path if path else root
    try:
        mode = real.lstat().st_mode if path else stat.S_IFDIR
        entries = _entries(real) if stat.S_ISDIR(mode) else None
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise _Unread(path, error) from None
    if entries is None:
        yield path, real
        return
    if path:
        yield path, None
    for entry in entries:
        below = f"{path}/{entry.name}" if path else entry.name
        if not whole and (ours(entry.name) or entry.name == "node_modules"):
            yield below, None
        elif entry.is_dir(follow_symlinks=False):
            yield from _walk(root, below, whole)
        else:
            yield below, Path(entry.path)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """The entries of a folder by name; none where it went meanwhile."""
    try:
        return sorted(os.scandir(folder), key=lambda item: item.name)
    except FileNotFoundError:
        return []


def machine_id() -> str:
    """The system's id of this machine; its network name where it has no such id (Windows)."""
    try:
        return _MACHINE_ID.read_text().strip() or platform.node()
    except OSError:
        return platform.node()


def read_clock() -> Clock | Unreadable:
    """The kernel's boot id and uptime; on a machine without /proc the clock that starts at boot."""
    try:
        return Clock(_BOOT_ID.read_text().strip(), Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return Clock("", f"{time.monotonic():.2f}")
