"""Looking as data: what to read of a host, and what it answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from kjpstate.said import Text


@dataclass(frozen=True)
class ReadFile:
    """-> File, None (no such file), Unreadable."""

    host: str
    path: str


@dataclass(frozen=True)
class ReadStat:
    """-> Stat (of the path itself, links not followed), None, Unreadable."""

    host: str
    path: str


@dataclass(frozen=True)
class ReadGlob:
    """-> tuple[File, ...] in the order of their paths (shell patterns, no `**`), Unreadable."""

    host: str
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class ReadTree:
    """-> Tree of the files below `root` named by `paths`, None (no root), Unreadable.

    A path is relative to `root`: a file, or a folder with a final `/` (`./` for the whole root).
    Our own backups and temporary names, and `node_modules/`, never count, unless it is `whole`.
    """

    host: str
    root: str
    paths: tuple[str, ...] = ("./",)
    whole: bool = False


@dataclass(frozen=True)
class ReadState:
    """-> bytes of one file of ours in the host's state folder of `document`, None, Unreadable."""

    host: str
    document: str
    name: str


@dataclass(frozen=True)
class ReadClock:
    """-> Clock, Unreadable."""

    host: str


@dataclass(frozen=True)
class ReadCommand:
    """-> Completed of a command that only looks, Unreadable (not found, timed out).

    `env` is added to the environment the host gives; seconds for `timeout`.
    """

    host: str
    argv: tuple[str, ...]
    cwd: str = ""
    timeout: float = 30.0


@dataclass(frozen=True)
class Probe:
    """-> bytes that the named script of ours in `hosts/remote/` printed, None (no POSIX host),
    Unreadable."""

    host: str
    name: str
    args: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadLock:
    """-> Holder, None (nobody holds this host's lock), Unreadable. `when`: two of them frame a
    look."""

    host: str
    when: Literal["first", "last"] = "first"


Reading: TypeAlias = (
    ReadFile
    | ReadStat
    | ReadGlob
    | ReadTree
    | ReadState
    | ReadClock
    | ReadCommand
    | ReadLock
    | Probe
)


@dataclass(frozen=True)
class File:
    """A regular file. `owner` is `uid:gid`; `symlink` is the target when the
    path itself is a link."""

    path: str
    content: bytes
    mode: int
    owner: str = "0:0"
    symlink: str = ""


@dataclass(frozen=True)
class Stat:
    """`type`: file, directory, symlink, other. Bytes for `size`; `changed` moves when the file
    does."""

    path: str
    type: Literal["file", "directory", "symlink", "other"]
    mode: int
    size: int
    owner: str = "0:0"
    changed: str = ""


@dataclass(frozen=True)
class TreeFile:
    """sha256 in hex; `changed` is opaque (mtime, ctime, inode) and moves whenever the file is
    written."""

    digest: str
    size: int
    mode: int
    changed: str = ""


@dataclass(frozen=True)
class Tree:
    """Relative path -> file, for all regular files; `others` are links, sockets and the like.
    `folders`: all folders, and what is there and never counts (see ReadTree), which nobody looked
    into."""

    root: str
    files: Mapping[str, TreeFile]
    others: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clock:
    """`boot_id` of the running kernel; `uptime` is the raw first word of /proc/uptime (seconds)."""

    boot_id: str
    uptime: str


@dataclass(frozen=True)
class Completed:
    """A finished command. `exit_code` None: killed by a signal or never known."""

    exit_code: int | None
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class Unreadable:
    """The thing may be there, but could not be read: permission, not a file, moved while read."""

    why: Text


@dataclass(frozen=True)
class NotAsked(Unreadable):
    """Nobody asked: the host is out of reach, left out, or can't be seen from here.

    That is said of the host, once. What was asked for and not answered is a plain Unreadable:
    nothing that reads it is in sync.
    """


Life: TypeAlias = Literal["alive", "step", "dead", "damaged"]


@dataclass(frozen=True)
class Holder:
    """Who holds a host's lock. `life`, decided on that host: alive; step: its process is gone, but
    a command that it started still runs; dead; damaged: what stands there is no lock. `text`: the
    lock's own lines, by which it is known, or what is wrong. `whose`: another user's and where it
    stands; empty: the login's."""

    run: str
    who: str
    when: str
    why: Text
    life: Life
    text: str
    whose: Text = ""


Answer: TypeAlias = (
    File | Holder | Stat | Tree | Clock | Completed | bytes | tuple[File, ...] | Unreadable | None
)


Answers: TypeAlias = Mapping[Reading, Answer]
