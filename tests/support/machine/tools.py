"""Commands, and the folder in which what takes minutes to build is kept between runs."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class MachineFailed(Exception):
    """The machine of the tests, not kjpstate, did not do what it should; says what, with the
    output."""


@dataclass(frozen=True)
class Completed:
    """What a command said. `code`: its exit status."""

    code: int
    out: str
    err: str


def cache_folder() -> Path:
    """$KJPSTATE_TOOLS, or a folder under the system's for temporary files."""
    named = os.environ.get("KJPSTATE_TOOLS")
    folder = Path(named) if named else Path(tempfile.gettempdir()) / "kjpstate-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def run(
    argv: Sequence[str | Path], *, cwd: Path | None = None, timeout: float = 120, text: str = ""
) -> str:
    """Standard output of a command that must succeed."""
    done = attempt(argv, cwd=cwd, timeout=timeout, text=text)
    if done.code:
        raise MachineFailed(
            f"{' '.join(map(str, argv))}: exit {done.code}\n{done.out[-2000:]}{done.err[-4000:]}"
        )
    return done.out


def attempt(
    argv: Sequence[str | Path], *, cwd: Path | None = None, timeout: float = 120, text: str = ""
) -> Completed:
    """A command that may fail; one that does not end in time raises."""
    try:
        done = subprocess.run(
            [str(word) for word in argv],
            cwd=cwd,
            input=text.encode(),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise MachineFailed(f"{' '.join(map(str, argv))}: no end after {timeout:g} s") from late
    return Completed(
        done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    )


def wait_until(true: Callable[[], bool], seconds: float, every: float = 0.05) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(every)
    return true()


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Held by one process at a time; the others wait."""
    import fcntl  # not on Windows, where these tests are collected too, and left out

    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
