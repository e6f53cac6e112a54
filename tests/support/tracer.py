"""A process and all it starts, stopped before each system call that writes: to kill it, or to fail
that call.

For the tests of faults. Linux on x86-64, no library: a seccomp filter of the child lets every other
call pass at full speed, and ptrace stops the rest, whichever process of the child makes it, so that
the count of stops is the same in every run. Killing before stop N leaves what any instant between
stops N-1 and N would leave.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import signal
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_TRACEME, _CONT, _GETREGSET, _SETREGSET, _SETOPTIONS = 0, 7, 0x4204, 0x4205, 0x4200
_OPTIONS = (
    0x02 | 0x04 | 0x08 | 0x10 | 0x80 | 0x100000
)  # fork, vfork, clone, exec, seccomp; die with the tracer
_EVENT_SECCOMP = 7
_WALL = 0x40000000
_AT_FDCWD = 0xFFFFFF9C
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

_FD, _PATH, _AT, _TWO = "fd", "path", "at", "two"
CALLS: dict[str, tuple[int, str, int]] = {
    # name: (number, what its arguments are, which of them names what is written)
    "open": (2, _PATH, 0), "openat": (257, _AT, 1), "creat": (85, _PATH, 0),
    "write": (1, _FD, 0), "pwrite64": (18, _FD, 0), "writev": (20, _FD, 0),
    "sendfile": (40, _FD, 0), "copy_file_range": (326, _FD, 2), "ftruncate": (77, _FD, 0),
    "fsync": (74, _FD, 0), "fdatasync": (75, _FD, 0), "syncfs": (306, _FD, 0),
    "rename": (82, _PATH, 1), "renameat": (264, _AT, 3), "renameat2": (316, _AT, 3),
    "link": (86, _PATH, 1), "linkat": (265, _AT, 3), "symlink": (88, _PATH, 1), "symlinkat": (266, _AT, 2),
    "unlink": (87, _PATH, 0), "unlinkat": (263, _AT, 1), "rmdir": (84, _PATH, 0),
    "mkdir": (83, _PATH, 0), "mkdirat": (258, _AT, 1),
    "chmod": (90, _PATH, 0), "fchmod": (91, _FD, 0), "fchmodat": (268, _AT, 1),
    "chown": (92, _PATH, 0), "lchown": (94, _PATH, 0), "fchown": (93, _FD, 0), "fchownat": (260, _AT, 1),
    "setxattr": (188, _PATH, 0), "fsetxattr": (190, _FD, 0), "utimensat": (280, _AT, 1),
    "sendto": (44, _FD, 0), "sendmsg": (46, _FD, 0), "execve": (59, _PATH, 0),
}  # fmt: skip
_BY_NUMBER = {number: (name, shape, place) for name, (number, shape, place) in CALLS.items()}

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_ulong, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


class _Registers(ctypes.Structure):
    _names = (
        "r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di number ip cs flags sp ss fs "
        "gs ds es f g"
    )
    _fields_ = [(name, ctypes.c_ulonglong) for name in _names.split()]

    def argument(self, index: int) -> int:
        """Of a system call, as it was made."""
        return (self.di, self.si, self.dx, self.r10)[index]


class _Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


@dataclass(frozen=True)
class Stop:
    """One call that is about to be made: its name and the absolute path of what it would write."""

    call: str
    path: str


@dataclass
class Traced:
    """What became of it. `stops`: those that counted, in order. `code`: as a shell says it."""

    stops: list[Stop] = field(default_factory=list)
    code: int = 0
    killed: bool = False
    injected: bool = False


Counts = Callable[[Stop], bool]


def trace(
    child: Callable[[], object],
    counts: Counts,
    *,
    kill_at: int = 0,
    fail_at: int = 0,
    error: int = 0,
    stdin: int = -1,
    stdout: int = -1,
) -> Traced:
    """Run `child` (which execs, or returns) in a session of its own, traced to the end of all it
    started.

    `counts`: which stops count. Before the `kill_at`-th the whole process group is killed; what
    left the group goes on to its end. The `fail_at`-th is not made and returns `error`.
    """
    assert platform.machine() == "x86_64", "the tracer knows the system calls of x86-64 only"
    pid = os.fork()
    if pid == 0:
        _become(child, stdin, stdout)
    os.waitpid(pid, _WALL | os.WUNTRACED)
    _ptrace(_SETOPTIONS, pid, 0, _OPTIONS)
    _ptrace(_CONT, pid, 0, 0)
    return _follow(pid, counts, kill_at, fail_at, error)


def _become(child: Callable[[], object], stdin: int, stdout: int) -> None:
    """In the new process: never returns."""
    code = 70
    try:
        os.setsid()
        for number, wanted in ((0, stdin), (1, stdout)):
            if wanted >= 0:
                os.dup2(wanted, number)
        _libc.ptrace(_TRACEME, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        _filter()
        code = 0 if child() is None else 71
    finally:
        os._exit(code)


def _filter() -> None:
    """From here on these calls stop for the tracer."""
    plain = sorted(number for name, (number, *_) in CALLS.items() if name not in ("open", "openat"))
    trace_, allow = (0x06, 0, 0, 0x7FF00000), (0x06, 0, 0, 0x7FFF0000)
    program = [(0x20, 0, 0, 0)]
    for left, number in enumerate(reversed(plain)):
        program.insert(1, (0x15, left + 7, 0, number))
    program += [  # the two opens stop only where they could write
        (0x15, 0, 2, 257), (0x20, 0, 0, 32), (0x45, 4, 3, _WRITES),
        (0x15, 0, 2, 2), (0x20, 0, 0, 24), (0x45, 1, 0, _WRITES),
    ]  # fmt: skip
    program += [allow, trace_]
    code = b"".join(struct.pack("HBBI", *line) for line in program)
    lines = ctypes.create_string_buffer(code)
    whole = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(lines))
    holder = ctypes.create_string_buffer(whole)
    if _libc.prctl(38, 1, 0, 0, 0) or _libc.prctl(22, 2, holder, 0, 0):
        raise OSError(ctypes.get_errno(), "no seccomp")


def _follow(root: int, counts: Counts, kill_at: int, fail_at: int, error: int) -> Traced:
    found, alive, number = Traced(), {root}, 0
    while alive:
        try:
            pid, status = os.waitpid(-1, _WALL)
        except ChildProcessError:
            break
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            alive.discard(pid)
            if pid == root:
                found.code = (
                    os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
                )
            continue
        alive.add(pid)
        passed = 0
        if status >> 16 == _EVENT_SECCOMP:
            stop = _stop_of(pid)
            if stop is not None and counts(stop):
                number += 1
                found.stops.append(stop)
                if number == kill_at:
                    found.killed = True
                    os.killpg(root, signal.SIGKILL)
                    if _gone(pid, root):
                        continue
                if number == fail_at:
                    found.injected = True
                    _refuse(pid, error)
        elif not status >> 16:
            sent = os.WSTOPSIG(status)
            passed = 0 if sent in (signal.SIGSTOP, signal.SIGTRAP) else sent
        with contextlib.suppress(ProcessLookupError):
            _ptrace(_CONT, pid, 0, passed)
    return found


def _gone(pid: int, group: int) -> bool:
    """Whether it was in the group that was just killed."""
    try:
        return os.getpgid(pid) == group
    except ProcessLookupError:
        return True


def _ptrace(request: int, pid: int, address: int, data: int) -> None:
    if _libc.ptrace(request, pid, address, data) < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"ptrace {request:#x}: {os.strerror(code)}")


def _registers(pid: int) -> _Registers:
    registers = _Registers()
    vector = _Vector(ctypes.addressof(registers), ctypes.sizeof(registers))
    _ptrace(_GETREGSET, pid, 1, ctypes.addressof(vector))
    return registers


def _refuse(pid: int, error: int) -> None:
    """The call is skipped, and its result is the error."""
    registers = _registers(pid)
    registers.number = ctypes.c_ulonglong(-1).value
    registers.ax = ctypes.c_ulonglong(-error).value
    vector = _Vector(ctypes.addressof(registers), ctypes.sizeof(registers))
    _ptrace(_SETREGSET, pid, 1, ctypes.addressof(vector))


def _stop_of(pid: int) -> Stop | None:
    try:
        registers = _registers(pid)
        name, shape, place = _BY_NUMBER[registers.number]
        if shape == _FD:
            return Stop(name, str(Path(f"/proc/{pid}/fd/{registers.argument(place)}").readlink()))
        text = _text(pid, registers.argument(place))
        if not text.startswith("/"):
            folder = registers.argument(place - 1) & 0xFFFFFFFF if shape == _AT else _AT_FDCWD
            base = "cwd" if folder == _AT_FDCWD else f"fd/{folder}"
            text = os.path.normpath(f"{Path(f'/proc/{pid}/{base}').readlink()}/{text}")
        return Stop(name, text)
    except (OSError, KeyError):
        return None


def _text(pid: int, address: int) -> str:
    """A C string of the process."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        found = b""
        while b"\0" not in found and len(found) < 8192:
            left = 4096 - (address + len(found)) % 4096  # never over the end of a page
            found += os.pread(memory.fileno(), min(left, 256), address + len(found))
    return os.fsdecode(found.partition(b"\0")[0])


def executes(argv: Sequence[str], environ: dict[str, str]) -> Callable[[], object]:
    """A child that becomes this program."""
    return lambda: os.execve(argv[0], list(argv), environ)
