"""The lock of this machine, the same file that `remote/session.sh` takes over SSH.

Called by `local`. A file that comes into being whole, by a hard link, and says who holds it; stale when its
process is gone, was started at another time, or belongs to another boot, and no command that it started runs
any more (`kjpstate.step.RUN-PID` beside it). Who breaks it must first win the right to break that very owner,
so no live lock is ever broken.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from kjpstate.errors import Failed, Locked
from kjpstate.hosts.files import publish
from kjpstate.model import Holder, Life, RunInfo

NAME = "kjpstate"
_GONE = ("Z", "X")


@dataclass(frozen=True)
class Lock:
    """A lock that is held; `content` proves that it is ours."""

    path: Path
    content: str

    def held(self) -> bool:
        """Whether the file still says that we hold it."""
        return _read(self.path) == self.content

    def step(self, pid: int | None) -> None:
        """A command was started: should we die, whoever finds our lock waits for it too. None: it ended."""
        path = self.path.with_name(f"{NAME}.step.{_generation(self.content)}")
        if pid is None:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            return
        text = f"pid {pid}\nstart {process_start(pid)}\nboot {_boot_id()}\n"
        fresh = path.with_name(f"{path.name}.new")
        with contextlib.suppress(OSError):
            fresh.write_text(text, "utf-8", newline="\n")
            fresh.chmod(0o644)
            fresh.replace(path)

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
            if (life := life_of(folder, found)) != "dead":
                raise Locked(*describe(host, fields(found), life), run=fields(found).get("run", ""))
            _break(path, found, content, host)
        _sweep(folder)
    except OSError as error:
        raise Failed(f"{host}: the lock {path} can't be taken: {error.strerror or error}") from None
    return Lock(path, content)


def life_of(folder: Path, content: str) -> Life:
    """alive: the owner's process runs; step: it is gone, but a command that it started runs; dead."""
    if _alive(content):
        return "alive"
    return "step" if _step_lives(folder, content) else "dead"


def holder(folder: Path) -> Holder | None:
    """Who holds the lock in `folder`; None when nobody does."""
    content = _read(folder / NAME)
    return held_by(content, life_of(folder, content)) if content else None


def held_by(content: str, life: str) -> Holder:
    """The lines of a lock as a value; `life` as its host says it."""
    owner = fields(content)
    run, who, when, why = (owner.get(word, "") for word in ("run", "who", "when", "why"))
    known: Life = next((word for word in get_args(Life) if word == life), "alive")
    return Holder(run, who, when, why, known, content)


def unlock(folder: Path, owner: Holder, *, force: bool) -> bool:
    """Break the very lock that `owner` is; False when it is another's by now, or lives and no `force`."""
    path = folder / NAME
    found = _read(path)
    if found is None or found.strip() != owner.text.strip():
        return False
    if not force and life_of(folder, found) != "dead":
        return False
    ours = f"run unlock\npid {os.getpid()}\nstart {process_start(os.getpid())}\nboot {_boot_id()}\n"
    try:
        _break(path, found, ours, "")
        path.with_name(f"{NAME}.step.{_generation(found)}").unlink(missing_ok=True)
    except OSError as error:
        raise Failed(f"the lock {path} can't be removed: {error.strerror or error}") from None
    return _read(path) != found


def _sweep(folder: Path) -> None:
    """What dead contenders left; the lock is ours."""
    for left in (
        *folder.glob(f".{NAME}.*.link"),
        *folder.glob(f"{NAME}.step.*"),
        *folder.glob(f"{NAME}.break.*"),
    ):
        owner = left.name.split(".")[2]
        if left.suffix == ".link" and owner.isdigit() and process_start(int(owner)):
            continue
        with contextlib.suppress(OSError):
            left.unlink(missing_ok=True)


def _step_lives(folder: Path, content: str) -> bool:
    """Whether the command that the owner started, or one of its group, still runs."""
    step = _read(folder / f"{NAME}.step.{_generation(content)}")
    if step is None:
        return False
    if _alive(step):
        return True
    words = fields(step)
    if words.get("boot") != _boot_id() or process_start(int(words.get("pid") or 0)):
        return False  # its number was given to another process: then its group is gone too
    return any(words["pid"] in group for group in _groups())


def _groups() -> Iterator[tuple[str, str]]:
    """(process group, session) of every process that runs."""
    for found in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, group, session, *_ = found.read_text(errors="replace").rpartition(") ")[2].split()
            if state not in _GONE:
                yield group, session


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


def describe(host: str, owner: Mapping[str, str], life: str = "alive") -> tuple[str, str, str]:
    """Message, remedy and rule for a lock that another run holds."""
    who, when, run = owner.get("who", "somebody"), owner.get("when", "an unknown time"), owner.get("run", "?")
    doing = owner.get("why", "apply")
    message = f"{host} is locked by run {run} of {who} since {when} ({doing})"
    if life == "step":
        message += ", which is lost, but a command that it started still runs there"
    remedy = f"add --lock-timeout 5m to wait for it; kjpstate unlock {host}   shows whether it lives"
    return f"{message}; nothing was done", remedy, "locked"


def _link(path: Path, content: str) -> bool:
    """Create `path` with all of `content` at once; False when it exists."""
    temporary = path.with_name(f".{NAME}.{os.getpid()}.{os.urandom(4).hex()}.link")
    try:
        temporary.write_text(content, "utf-8", newline="\n")
        temporary.chmod(0o644)
        publish(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, FileExistsError) or path.exists():
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
    try:
        if _read(path) == stale:
            path.unlink()
    finally:  # another user's lock may not be ours to remove: nothing of ours stays beside it
        for left in path.parent.glob(f"{NAME}.break.{_generation(stale)}*"):
            left.unlink(missing_ok=True)


def _generation(content: str) -> str:
    owner = fields(content)
    return f"{owner.get('run', '')}-{owner.get('pid', '')}"


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")  # a power cut may leave anything: that holds no lock
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
    """When the process started, opaque; empty when there is none, or it only waits to be buried."""
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
