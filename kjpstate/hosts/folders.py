"""A folder held open, so that what is done in it is done there, wherever its path leads by then.

Called by `files`, `trees`, `eyes`, `journal`, `lock`. Another user of this machine may rename what
lies in a folder of theirs, or put a link in its place, at any moment: a path is walked once, name
by name, and from then on there is only the descriptor and a single name; where the system has none
(Windows), the path.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from kjpstate.said import Text, say

POSIX = os.name == "posix"
HOLDS = os.open in os.supports_dir_fd and os.link in os.supports_dir_fd
_PATH = getattr(os, "O_PATH", os.O_RDONLY)
_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = getattr(os, "O_DIRECTORY", 0)
_LINKS = 40
_OTHERS = 0o022


class Unfit(OSError):
    """What is there is not what it must be; `why` says so in our words."""

    def __init__(self, number: int, why: Text) -> None:
        super().__init__(number, str(why))
        self.why = why


class UnsafeFolder(Unfit):
    """A path that another user may lead elsewhere while we act; `why` is a whole sentence."""

    def __init__(self, why: Text) -> None:
        super().__init__(errno.ELOOP, why)


class Folder:
    """A folder that is held open; every method takes a single name in it and follows no link."""

    def __init__(self, path: Path, handle: int | None) -> None:
        self.path, self.handle = path, handle

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.handle is not None:
            os.close(self.handle)

    def _at(self, name: str) -> str:
        return name if self.handle is not None else str(self.path / name)

    def stat(self, name: str) -> os.stat_result | None:
        """The status of `name` itself; None when there is none."""
        try:
            return os.stat(self._at(name), dir_fd=self.handle, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def has(self, name: str) -> bool:
        """True if anything has that name, even a link to nowhere."""
        return self.stat(name) is not None

    def is_folder(self, name: str) -> bool:
        """True if `name` itself is a folder."""
        found = self.stat(name)
        return found is not None and stat.S_ISDIR(found.st_mode)

    def is_file(self, name: str) -> bool:
        """True if `name` itself is a regular file."""
        found = self.stat(name)
        return found is not None and stat.S_ISREG(found.st_mode)

    def target(self, name: str) -> str:
        """The path that the link `name` leads to."""
        return os.readlink(self._at(name), dir_fd=self.handle)

    def names(self) -> list[str]:
        """All names in it, sorted."""
        with os.scandir(self.path if self.handle is None else self.handle) as found:
            return sorted(entry.name for entry in found)

    def read(self, name: str) -> int:
        """A descriptor of a regular file; never one that waits, a link or a
        device. Raises OSError."""
        handle = os.open(self._at(name), os.O_RDONLY | _PLAIN, dir_fd=self.handle)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise Unfit(errno.EINVAL, say("hosts.is-no-regular-file"))
        return handle

    def create(self, name: str) -> int:
        """A descriptor of a file that was not there, for nobody but us."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _PLAIN
        return os.open(self._at(name), flags, 0o600, dir_fd=self.handle)

    def replace(self, name: str, other: str, into: Folder | None = None) -> None:
        """Rename over `other`."""
        into = into or self
        os.replace(self._at(name), into._at(other), src_dir_fd=self.handle, dst_dir_fd=into.handle)

    def rename(self, name: str, other: str, into: Folder | None = None) -> None:
        """Rename, where nothing has the other name."""
        into = into or self
        os.rename(self._at(name), into._at(other), src_dir_fd=self.handle, dst_dir_fd=into.handle)

    def link(self, name: str, other: str, into: Folder | None = None) -> None:
        """A second name for what `name` itself is."""
        into = into or self
        follow = os.link not in os.supports_follow_symlinks
        os.link(
            self._at(name),
            into._at(other),
            src_dir_fd=self.handle,
            dst_dir_fd=into.handle,
            follow_symlinks=follow,
        )

    def symlink(self, target: str, name: str) -> None:
        """A link to `target`."""
        os.symlink(target, self._at(name), dir_fd=self.handle)

    def unlink(self, name: str, missing_ok: bool = False) -> None:
        """Remove what is no folder."""
        try:
            os.unlink(self._at(name), dir_fd=self.handle)
        except FileNotFoundError:
            if not missing_ok:
                raise

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        os.rmdir(self._at(name), dir_fd=self.handle)

    def remove(self, name: str) -> None:
        """Remove it with all below it, whatever it is; nothing when there is none."""
        if self.is_folder(name):
            shutil.rmtree(self._at(name), dir_fd=self.handle)
        else:
            self.unlink(name, missing_ok=True)

    def make(self, name: str, mode: int = 0o777) -> None:
        """A new folder."""
        os.mkdir(self._at(name), mode, dir_fd=self.handle)

    def private(self, name: str) -> Folder:
        """A new folder that nobody but us can enter, held open. Raises UnsafeFolder, OSError."""
        self.make(name, 0o700)
        made = self.enter(name)
        if POSIX and made.status().st_uid != os.geteuid():
            made.__exit__(None, None, None)
            raise UnsafeFolder(say("unsafe-folder.replaced", path=str(self.path / name)))
        return made

    def enter(self, name: str) -> Folder:
        """The folder `name` in it, held open too; never through a link."""
        path = self.path / name
        if self.handle is None:
            if path.is_symlink() or not path.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
            return Folder(path, None)
        return Folder(path, os.open(name, os.O_RDONLY | _FOLDER | _PLAIN, dir_fd=self.handle))

    def own(self, name: str, found: os.stat_result) -> None:
        """Give what `name` itself is to the owner of `found`."""
        os.chown(
            self._at(name), found.st_uid, found.st_gid, dir_fd=self.handle, follow_symlinks=False
        )

    def set_mode(self, handle: int, name: str, mode: int) -> None:
        """The mode of the file `name` that `handle` holds open."""
        if hasattr(os, "fchmod"):
            os.fchmod(handle, mode)
        else:
            (self.path / name).chmod(mode)

    def set_times(self, handle: int, name: str, found: os.stat_result) -> None:
        """Gives `name` the times that `found` has."""
        what = handle if os.utime in os.supports_fd else self._at(name)
        os.utime(what, ns=(found.st_atime_ns, found.st_mtime_ns))

    def dress(self, found: os.stat_result, mode: int | None = None) -> None:
        """Give the folder itself the owner, mode and, without a `mode` of its own, times of
        `found`."""
        wanted = stat.S_IMODE(found.st_mode) if mode is None else mode
        if self.handle is None:
            self.path.chmod(wanted)
        else:
            give(self.handle, found)
            os.fchmod(self.handle, wanted)
        if mode is None:
            os.utime(
                self.path if self.handle is None else self.handle,
                ns=(found.st_atime_ns, found.st_mtime_ns),
            )

    def heir(self) -> os.stat_result | None:
        """The owner to give new files to: the folder's, where root works in a folder of somebody
        else; else None."""
        found = self.status()
        return found if POSIX and os.geteuid() == 0 and found.st_uid != 0 else None

    def status(self) -> os.stat_result:
        """The status of the folder itself."""
        return self.path.stat() if self.handle is None else os.fstat(self.handle)

    def sync_file(self, name: str) -> None:
        """Force a regular file in it to the disk."""
        handle = os.open(
            self._at(name), (os.O_RDONLY if POSIX else os.O_RDWR) | _PLAIN, dir_fd=self.handle
        )
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def sync(self) -> None:
        """Force its names to the disk, where the system can."""
        if self.handle is not None:
            os.fsync(self.handle)


def give(handle: int, found: os.stat_result) -> None:
    """Give what is open to the owner of `found`, if it is not theirs; a login that may not keeps
    it."""
    if not POSIX:
        return
    mine = os.fstat(handle)
    if (mine.st_uid, mine.st_gid) != (found.st_uid, found.st_gid):
        try:
            os.fchown(handle, found.st_uid, found.st_gid)
        except PermissionError:
            if os.geteuid() == 0:
                raise


def opened(path: Path) -> Folder:
    """A folder of this machine, held open. Raises UnsafeFolder where another user may change a link
    on the way to it, OSError."""
    if not HOLDS:
        if not path.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return Folder(path, None)
    handle, changers = _descend(path, os.O_RDONLY | _FOLDER, folders_count=True)
    if changers:
        os.close(handle)
        raise UnsafeFolder(say("unsafe-folder.leads-through", path=str(path), user=_user(changers)))
    return Folder(path, handle)


def make(path: Path, mode: int) -> None:
    """A folder with `mode`, and those above it that lack; each is its parent's owner's where root
    works in a folder of somebody else. Raises UnsafeFolder, OSError."""
    try:
        parent = opened(path.parent)
    except FileNotFoundError:
        make(path.parent, 0o777)
        parent = opened(path.parent)
    with parent:
        heir = parent.heir()
        parent.make(path.name, mode)
        if heir is not None:
            parent.own(path.name, heir)


def reading(path: Path) -> int:
    """A descriptor of what `path` leads to, links included; reading it never waits.

    A link of another user leads only to what is that very user's. Raises UnsafeFolder, OSError.
    """
    if not HOLDS:
        return os.open(path, os.O_RDONLY | _PLAIN)
    handle, changers = _descend(path, os.O_RDONLY, folders_count=False)
    if changers - {os.fstat(handle).st_uid}:
        os.close(handle)
        raise UnsafeFolder(say("unsafe-folder.behind-theirs", user=_user(changers)))
    return handle


def _user(changers: set[int]) -> Text:
    first = max(changers)
    return say("hosts.others") if first < 0 else say("hosts.user", number=first)


def _descend(path: Path, flags: int, folders_count: bool) -> tuple[int, set[int]]:
    """The descriptor of what `path` leads to, opened with `flags`, and which other users chose the
    links on the way: whose they are, and, where `folders_count`, whose folders they are in."""
    changers: set[int] = set()
    here = os.open("/", _PATH | _FOLDER)
    rest, links = list(reversed(path.absolute().parts)), 0
    try:
        while rest:
            name = rest.pop()
            wanted = _PATH | _FOLDER if rest else flags
            try:
                there = os.open(name, wanted | _PLAIN, dir_fd=here)
            except OSError as error:
                owner, target = _link(name, here, error)
                links += 1
                if links > _LINKS:
                    raise
                changers |= owner | (_others_in(os.fstat(here)) if folders_count else set())
                rest += reversed(Path(target).parts)
                continue
            os.close(here)
            here = there
    except BaseException:
        os.close(here)
        raise
    return here, changers


def _link(name: str, folder: int, error: OSError) -> tuple[set[int], str]:
    """Checks that nobody else could have laid the link `name`, and returns where it leads; raises
    `error` where it is no link."""
    handle = None
    try:
        if _PATH == os.O_RDONLY:
            found, target = os.lstat(name, dir_fd=folder), os.readlink(name, dir_fd=folder)
        else:  # both of the very same link
            handle = os.open(name, _PATH | _PLAIN, dir_fd=folder)
            found, target = os.fstat(handle), os.readlink("", dir_fd=handle)
    except OSError:
        raise error from None
    finally:
        if handle is not None:
            os.close(handle)
    return {found.st_uid} - _trusted(), target


def _trusted() -> set[int]:
    return {0, os.geteuid()}


def _others_in(folder: os.stat_result) -> set[int]:
    """Other users who may rename what lies in a folder: its owner, or -1 for whoever else may write
    there. In a sticky one only an entry's owner may."""
    if folder.st_uid not in _trusted():
        return {folder.st_uid}
    if folder.st_mode & stat.S_ISVTX or not folder.st_mode & _OTHERS:
        return set()
    if folder.st_mode & 0o002 or not _private(folder.st_gid):
        return {-1}
    return set()


def _private(group: int) -> bool:
    """True if nobody but root and us is in a group."""
    import grp
    import pwd

    with suppress(KeyError):
        mine = {pwd.getpwuid(uid).pw_name for uid in _trusted()}
        members = {
            *grp.getgrgid(group).gr_mem,
            *(one.pw_name for one in pwd.getpwall() if one.pw_gid == group),
        }
        return members <= mine
    return False
