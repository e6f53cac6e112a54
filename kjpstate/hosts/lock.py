"""The lock of this machine, the same file that `remote/session.sh` takes over SSH.

Called by `local`. A file that comes into being whole, by a hard link, and says who holds it; stale when its
process is gone, was started at another time, or belongs to another boot. Who breaks it must first win
the right to break that very owner, so no live lock is ever broken.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kjpstate.errors import Failed, Locked
from kjpstate.hosts.files import publish
from kjpstate.model import RunInfo

NAME = "kjpstate"


@dataclass(frozen=True)
class Lock:
    """A lock that is held; `content` proves that it is ours."""

    path: Path
    content: str

    def held(self) -> bool:
        """Whether the file still says that we hold it."""
        return _read(self.path) == self.content

    def release(self) -> None:
        """Let go; never raises, and never removes another's lock."""
        with contextlib.suppress(OSError):
            if self.held():
                self.path.unlink()


def take(folder: Path, run: RunInfo, host: str) -> Lock:
    """The lock in `folder`; raises Locked with who holds it and since when, Failed when it can't be made."""
    path = folder / NAME
    content = owner_text(run, os.getpid())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while not _link(path, content):
            found = _read(path)
            if found is None:
                continue
            if _alive(found):
                raise Locked(*describe(host, fields(found)), run=fields(found).get("run", ""))
            _break(path, found, content, host)
    except OSError as error:
        raise Failed(f"{host}: the lock {path} can't be taken: {error.strerror or error}") from None
    return Lock(path, content)


def owner_text(run: RunInfo, pid: int) -> str:
    """What stands in the lock: one `word value` a line."""
    words = {
        "run": run.id,
        "who": run.who,
        "when": run.started,
        "why": run.why,
        "pid": pid,
        "start": process_start(pid),
        "boot": _boot_id(),
    }
    return "".join(f"{word} {' '.join(str(value).split()) or '-'}\n" for word, value in words.items())


def describe(host: str, owner: Mapping[str, str]) -> tuple[str, str, str]:
    """Message, remedy and rule for a lock that another run holds."""
    who, when, run = owner.get("who", "somebody"), owner.get("when", "an unknown time"), owner.get("run", "?")
    doing = owner.get("why", "apply")
    message = f"{host} is locked by run {run} of {who} since {when} ({doing}); nothing was done"
    return message, "wait until that run ends, then try again", "locked"


def _link(path: Path, content: str) -> bool:
    """Create `path` with all of `content` at once; False when it exists."""
    temporary = path.with_name(f".{NAME}.{socket.gethostname()}.{os.getpid()}.{os.urandom(4).hex()}")
    temporary.write_text(content, "utf-8", newline="\n")
    temporary.chmod(0o644)
    try:
        publish(temporary, path)
    except FileExistsError:
        temporary.unlink()
        return False
    except OSError:
        temporary.unlink()
        if path.exists():
            return False
        raise
    return True


def _break(path: Path, stale: str, content: str, host: str) -> None:
    """Remove the lock of a dead owner, if we win the right to; who died with that right is outlived too."""
    right = path.with_name(f"{NAME}.break.{_generation(stale)}")
    while not _link(right, content):
        winner = _read(right)
        if winner is None:
            return
        if _alive(winner):
            raise Locked(*describe(host, fields(winner)), run=fields(winner).get("run", ""))
        right = right.with_name(f"{right.name}.{_generation(winner)}")
    if _read(path) == stale:
        path.unlink()
    for left in path.parent.glob(f"{NAME}.break.{_generation(stale)}*"):
        left.unlink(missing_ok=True)


def _generation(content: str) -> str:
    owner = fields(content)
    return f"{owner.get('run', '')}-{owner.get('pid', '')}"


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None


def fields(content: str) -> dict[str, str]:
    """The lines of a lock as word -> value."""
    return dict(line.split(" ", 1) for line in content.splitlines() if " " in line)


def _alive(content: str) -> bool:
    """Whether the process that wrote `content` still runs: same boot, same pid, same start."""
    owner = fields(content)
    if not owner.get("pid", "").isdigit() or owner.get("boot") != _boot_id():
        return False
    return process_start(int(owner["pid"])) == owner.get("start")


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "-"


def process_start(pid: int) -> str:
    """When the process started, opaque; empty when there is no such process."""
    if sys.platform == "win32":
        return _windows_start(pid)
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(") ")[2].split()[19]
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
