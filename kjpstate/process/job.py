"""A job of Windows: a process and all that it starts end together. Called by `process`, on Windows
alone."""

from __future__ import annotations

import ctypes
import subprocess
from typing import Any

SUSPENDED = 0x00000004
"""A process starts nothing before it is in its job."""
_EXTENDED_LIMITS = 9
_BREAKAWAY_OK = 0x00000800
_KILL_ON_JOB_CLOSE = 0x00002000
_ENDED = 1


class _Limits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("times", ctypes.c_int64 * 2),
        ("flags", ctypes.c_uint32),
        ("working_set", ctypes.c_size_t * 2),
        ("processes", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("classes", ctypes.c_uint32 * 2),
        ("io", ctypes.c_uint64 * 6),
        ("memory", ctypes.c_size_t * 4),
    )


class Job:
    """Holds a suspended process and lets it run.

    Should kjpstate be killed, Windows closes the job, which ends them all.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._kernel = _library("kernel32")
        self._kernel.CreateJobObjectW.restype = ctypes.c_void_p
        self._job = ctypes.c_void_p(self._kernel.CreateJobObjectW(None, None))
        handle = ctypes.c_void_p(int(process._handle))  # type: ignore[attr-defined,unused-ignore]
        try:
            _must(self._limit(_KILL_ON_JOB_CLOSE | _BREAKAWAY_OK))
            _must(self._kernel.AssignProcessToJobObject(self._job, handle))
            _must(_library("ntdll").NtResumeProcess(handle) == 0)
        except OSError:
            process.kill()
            process.wait()
            raise

    def end(self) -> None:
        """End the process and all that it started."""
        self._kernel.TerminateJobObject(self._job, _ENDED)

    def let_go(self) -> None:
        """Leave what still runs to itself."""
        self._limit(_BREAKAWAY_OK)
        self._kernel.CloseHandle(self._job)

    def _limit(self, flags: int) -> Any:
        limits = _Limits(flags=flags)
        size = ctypes.sizeof(limits)
        return self._kernel.SetInformationJobObject(
            self._job, _EXTENDED_LIMITS, ctypes.byref(limits), size
        )


def _library(name: str) -> Any:
    return ctypes.WinDLL(name, use_last_error=True)  # type: ignore[attr-defined,unused-ignore]


def _must(done: Any) -> None:
    if not done:
        raise ctypes.WinError(ctypes.get_last_error())  # type: ignore[attr-defined,unused-ignore]
