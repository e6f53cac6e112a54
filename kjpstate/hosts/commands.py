"""Commands and probes as processes of this machine.

Called by `local`. Output goes to files, not pipes, so that a daemon which a command leaves behind
can't hold it up; how a command is found, started and ended is `process`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TypeAlias

from kjpstate.hosts.folders import Unfit
from kjpstate.hosts.heard import Heard, Lines
from kjpstate.hosts.names import FILE_CAP, OUTPUT_CAP
from kjpstate.hosts.programs import script
from kjpstate.model import Completed, Probe, Run
from kjpstate.process import NotStarted, started
from kjpstate.said import say

_PROBE_TIMEOUT = 90.0
_USUAL = tuple(
    f"{prefix}/{name}" for name in ("bin", "sbin") for prefix in ("/usr/local", "/usr", "")
)
_LISTEN = 0.3
"""Seconds between two looks at what a command has printed."""


Step: TypeAlias = Callable[[int | None], None]
"""Told the process of a command that has just been started; see `lock.Lock.step`."""


class TimedOut(Exception):
    """The command was still running after its time and was killed."""


async def run(command: Run, heard: Heard | None = None, step: Step | None = None) -> Completed:
    """Run one command, no shell; `heard` is told each line as it comes, `step` the process.

    Raises NotStarted, OSError, TimedOut.
    """
    env = _environment() if command.clean_env is None else dict(command.clean_env)
    with _spools() as (to_out, to_err, out, err):
        listening = asyncio.ensure_future(_listen((out, err), heard))
        try:
            with started(
                command.argv, stdout=to_out, stderr=to_err, cwd=command.cwd, env=env
            ) as process:
                if step is not None:
                    step(process.pid)
                code = await asyncio.wait_for(asyncio.to_thread(process.wait), command.timeout)
        except TimeoutError:
            raise TimedOut from None
        finally:
            listening.cancel()
            await asyncio.wait([listening])
        return Completed(code if code >= 0 else None, _tail(out, FILE_CAP), _tail(err, OUTPUT_CAP))


async def _listen(streams: tuple[IO[bytes], ...], heard: Heard | None) -> None:
    """Tell what comes, until cancelled; then the rest."""
    if heard is None:
        return
    lines = [(stream, Lines(heard)) for stream in streams]
    try:
        while True:
            await asyncio.sleep(_LISTEN)
            for stream, spoken in lines:
                spoken.feed(stream.read())
    finally:
        for stream, spoken in lines:
            spoken.feed(stream.read())
            spoken.end()


def _environment() -> dict[str, str] | None:
    """Ours, with the usual folders of programs: cron gives a bare PATH or none, a login has them
    all."""
    if os.name != "posix":
        return None
    given = [folder for folder in os.environ.get("PATH", "").split(":") if folder]
    path = ":".join(dict.fromkeys([*given, *_USUAL]))
    home = {} if os.environ.get("HOME") else {"HOME": str(Path.home())}
    return {**os.environ, **home, "PATH": path}


@contextlib.contextmanager
def _spools() -> Iterator[tuple[IO[bytes], IO[bytes], IO[bytes], IO[bytes]]]:
    """stdout and stderr to write, and both opened once more: reading must not move the writer."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        contextlib.ExitStack() as stack,
    ):
        paths = (Path(folder, "out"), Path(folder, "err"))
        writing = [stack.enter_context(path.open("ab")) for path in paths]
        reading = [stack.enter_context(path.open("rb")) for path in paths]
        yield writing[0], writing[1], reading[0], reading[1]


def _tail(stream: IO[bytes], cap: int) -> bytes:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - cap))
    return stream.read()


async def probe(reading: Probe) -> bytes | None:
    """Runs the named probe here: its output; None where there is no POSIX shell. Raises OSError,
    TimedOut."""
    if os.name != "posix" or not Path("/bin/sh").exists():
        return None
    argv = ("/bin/sh", "-c", script(f"probe_{reading.name}"), "kjpstate", *reading.args)
    try:
        done = await run(Run(reading.host, argv, "looks", timeout=_PROBE_TIMEOUT))
    except NotStarted as why:
        raise Unfit(errno.ENOENT, why.why) from None
    if done.exit_code != 0:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise Unfit(
            errno.EIO,
            say("hosts.probe-failed", probe=reading.name, reason=said or str(done.exit_code)),
        )
    return done.stdout
