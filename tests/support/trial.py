"""kjpstate as a stranger runs it: a document in, exit code and files out, the program a process of
its own.

For tests/field/, which are marked `root`. `$KJPSTATE_CHECKOUT` names another checkout whose program
is tried instead of this one: so a fault is shown red there and green here. The program, and all
servers started with `inside`, live in a mount namespace whose /run/lock, /run/kjpstate and
/var/lib/kjpstate are nobody else's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parents[2]
PRIVATE = ("/run/lock", "/run/kjpstate", "/var/lib/kjpstate")


def checkout() -> Path:
    """The checkout whose program is tried."""
    return Path(os.environ.get("KJPSTATE_CHECKOUT") or HERE)


@dataclass(frozen=True)
class Done:
    """What a program left. `code` is negative for the signal that ended it, None where its time was
    over."""

    code: int | None
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass
class Trial:
    """`folder` is the document's. `inside`: words before each command, which lead into the
    namespace."""

    folder: Path
    inside: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)

    @property
    def document(self) -> Path:
        return self.folder / "kjpstate.yaml"

    def write(self, name: str, text: str | bytes, mode: int | None = None) -> Path:
        """A file below the folder, with the folders above it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if mode is not None:
            path.chmod(mode)
        return path

    def kjpstate(self, *argv: str, typed: str = "", timeout: float = 60, **env: str) -> Done:
        """One command line of kjpstate, typed in the folder. `typed` is what it reads on standard
        input."""
        return self.run(self.program(*argv), typed=typed, timeout=timeout, **env)

    def program(self, *argv: str) -> tuple[str, ...]:
        return (*self.inside, sys.executable, "-m", "kjpstate", *argv)

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(checkout()), **self.env, **(env or {})}

    def run(self, words: Sequence[str], typed: str = "", timeout: float = 60, **env: str) -> Done:
        """A program, ended with all that it started when its time is over."""
        with subprocess.Popen(
            words,
            cwd=self.folder,
            env=self.environment(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="backslashreplace",
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(typed, timeout=timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                out, err = process.communicate()
                return Done(None, out, err)
            return Done(process.returncode, out, err)

    def sh(self, script: str, **env: str) -> Done:
        """A few lines of shell in the same namespace."""
        return self.run((*self.inside, "sh", "-ec", script), **env)


@contextmanager
def private(folder: Path) -> Iterator[Trial]:
    """A trial in a mount namespace of its own; root's places there are empty and end with it."""
    script = "".join(
        f"mkdir -p {place}; mount -t tmpfs -o mode={mode(place)} kj {place}; " for place in PRIVATE
    )
    keeper = subprocess.Popen(
        [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-ec",
            f"{script} echo ready; exec sleep 3600",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert keeper.stdout is not None and keeper.stdout.readline() == "ready\n"
        yield Trial(
            folder, ("nsenter", f"--target={keeper.pid}", "--mount", f"--wd={folder}", "--")
        )
    finally:
        keeper.kill()
        keeper.wait()
        if keeper.stdout is not None:
            keeper.stdout.close()


def mode(place: str) -> str:
    """/run/lock is everybody's, as on Debian."""
    return {"/run/lock": "1777"}.get(place, "0755")
