"""What stands in a lock: read safely, checked by its whole form, and whether who wrote it still
lives.

Called by `lock`, and for their words by `session`, `frames` and `ssh`. A lock may have been written
by anybody: a word of it becomes part of a path or a number only after its form was checked.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from kjpstate.said import Text, say

CAP = 4096
"""Bytes of the largest lock."""
_MOST = 200
"""Signs of a value that a lock quotes: a name, a moment, a purpose."""
_GONE = ("Z", "X")
_PROCESS = (
    r"pid (?P<pid>[1-9][0-9]{0,8})\nstart (?P<start>[0-9]{1,20}|-)\nboot (?P<boot>[0-9a-z-]{1,64})"
)
_OWNER = re.compile(
    r"run (?P<run>[0-9a-f]{6})\nwho (?P<who>[^\n]+)\nwhen (?P<when>[^\n]+)\nwhy (?P<why>[^\n]+)\n"
    rf"{_PROCESS}(?:\nlogin (?P<login>[1-9][0-9]{{0,8}}))?\n*"
)
_STEP = re.compile(rf"{_PROCESS}\n*")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


class Damaged(Exception):
    """Something at a lock's place that is no lock; `why` says where and what it is."""

    def __init__(self, why: Text) -> None:
        super().__init__(why)
        self.why = why


def quoted(text: str) -> str:
    """A value as a lock can hold it: one line, without control characters, not too long."""
    return (
        " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:_MOST]
        or "-"
    )


def owner(content: str) -> Mapping[str, str] | None:
    """The words of a lock; None when it has not the whole form of one."""
    return _words(_OWNER, content)


def step(content: str) -> Mapping[str, str] | None:
    """The words of the note of a command that runs."""
    return _words(_STEP, content)


def _words(form: re.Pattern[str], content: str) -> Mapping[str, str] | None:
    found = form.fullmatch(content)
    return None if found is None or _CONTROL.search(content) else found.groupdict(default="")


def fields(content: str) -> dict[str, str]:
    """The lines of a lock as word -> value, parted as `owner` parts them, for a screen: whatever
    they are."""
    return dict(line.split(" ", 1) for line in content.split("\n") if " " in line)


def read(path: Path, owners: Collection[int]) -> str | None:
    """The text of a small regular file of one of these users; None when there is none.

    Never follows a link, never waits. Raises Damaged for anything else, OSError.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        _judge(path, path.lstat(), owners)
        handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Damaged(say("lock.is-a-link", path=str(path))) from None
        raise
    with os.fdopen(handle, "rb") as stream:
        _judge(path, os.fstat(handle), owners)
        return stream.read(CAP).decode("utf-8", "replace")


def _judge(path: Path, found: os.stat_result, owners: Collection[int]) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise Damaged(say("lock.is-a-link", path=str(path)))
    if stat.S_ISDIR(found.st_mode):
        raise Damaged(say("lock.is-a-folder", path=str(path)))
    if not stat.S_ISREG(found.st_mode):
        raise Damaged(say("lock.is-no-regular-file", path=str(path)))
    if os.name == "posix" and found.st_uid not in owners:
        raise Damaged(say("lock.foreign", path=str(path), user=found.st_uid))
    if not found.st_size:
        raise Damaged(say("lock.is-empty", path=str(path)))
    if found.st_size > CAP:
        raise Damaged(say("lock.is-too-large", path=str(path)))


def read_owner(path: Path, owners: Collection[int]) -> str | None:
    """The text of a lock. Raises Damaged when it is none, OSError."""
    content = read(path, owners)
    if content is not None and owner(content) is None:
        raise Damaged(say("lock.no-lock", path=str(path)))
    return content


def alive(words: Mapping[str, str]) -> bool:
    """True if the process that wrote these words still runs: same boot, same pid, same start."""
    if words["boot"] != boot_id():
        return False
    pid = int(words["pid"])
    return process_start(pid) == words["start"] or _hidden(pid)


def group_lives(words: Mapping[str, str]) -> bool:
    """True if the process, or one of the group that it led, still runs."""
    if alive(words):
        return True
    if words["boot"] != boot_id() or process_start(int(words["pid"])):
        return False  # its number was given to another process: then its group is gone too
    return any(words["pid"] in group for group in _groups())


def _hidden(pid: int) -> bool:
    """True if a process is there of which this user may know no more (/proc mounted with
    hidepid)."""
    if not Path("/proc/self/stat").exists() or os.path.lexists(f"/proc/{pid}/stat"):
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _groups() -> Iterator[tuple[str, str]]:
    """(process group, session) of every process that runs."""
    for found in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, group, session, *_ = (
                found.read_text(errors="replace").rpartition(") ")[2].split()
            )
            if state not in _GONE:
                yield group, session


def boot_id() -> str:
    """The running kernel's, `-` where it has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "-"


def process_start(pid: int) -> str:
    """The start of a process, opaque; empty when there is none, or it only waits to be buried."""
    if sys.platform == "win32":
        return _windows_start(pid)
    try:
        words = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(") ")[2].split()
        return "" if words[0] in _GONE else words[19]
    except OSError:
        if Path("/proc/self/stat").exists():
            return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "-"


def _windows_start(pid: int) -> str:
    import ctypes

    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return ""
    process = ctypes.c_void_p(handle)
    times = (ctypes.c_ulonglong * 4)()
    code = ctypes.c_ulong()
    kernel.GetExitCodeProcess(process, ctypes.byref(code))
    kernel.GetProcessTimes(process, *(ctypes.byref(times, 8 * index) for index in range(4)))
    kernel.CloseHandle(process)
    return str(times[0]) if code.value == 259 else ""  # STILL_ACTIVE
