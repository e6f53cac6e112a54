"""A program of this machine: found, started, and ended with all that it started.

The one way for builds, checks and notices; called by `hosts.commands` and `notify.channels`. No
shell reads a command: on Windows, where cmd.exe reads a batch file's, words that it would take for
its own are refused.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol, TypeAlias

from kjpstate.formats import windows
from kjpstate.said import Text, say

Stream: TypeAlias = "int | IO[bytes]"


class NotStarted(Exception):
    """A command that can't be started, or may not be."""

    def __init__(self, why: Text) -> None:
        super().__init__(why)
        self.why = why


class Kin(Protocol):
    """A process and all that it started."""

    def end(self) -> None: ...
    def let_go(self) -> None: ...


@contextlib.contextmanager
def started(
    argv: Sequence[str],
    *,
    stdout: Stream,
    stderr: Stream,
    stdin: Stream = subprocess.DEVNULL,
    cwd: str = "",
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs; who leaves by an exception before its end ends it with all that it
    started.

    What it leaves in the background when it ends by itself is left alone. Raises NotStarted.
    """
    if cwd and not Path(cwd).is_dir():
        raise NotStarted(say("process.no-folder", folder=cwd))
    try:
        process, kin = _start(argv, cwd, env, stdin=stdin, stdout=stdout, stderr=stderr)
    except (OSError, ValueError) as error:
        raise NotStarted(_why(argv[0], cwd, error)) from None
    try:
        yield process
    except BaseException:
        if process.returncode is None:
            kin.end()
            process.wait()
        raise
    finally:
        kin.let_go()


def _start(
    argv: Sequence[str], cwd: str, env: Mapping[str, str] | None, **streams: Any
) -> tuple[subprocess.Popen[bytes], Kin]:
    words = as_started(argv, cwd, env)
    if sys.platform == "win32":
        from kjpstate.process import job

        suspended = subprocess.Popen(
            words, cwd=cwd or None, env=env, creationflags=job.SUSPENDED, **streams
        )
        return suspended, job.Job(suspended)
    process = subprocess.Popen(words, cwd=cwd or None, env=env, start_new_session=True, **streams)
    return process, _Group(process.pid)


def as_started(
    argv: Sequence[str], cwd: str = "", env: Mapping[str, str] | None = None
) -> list[str] | str:
    """The words as the system is given them, on Windows one line. Raises NotStarted."""
    if sys.platform == "win32":
        return command_line(
            argv, cwd or str(Path.cwd()), os.environ if env is None else env, os.path.isfile
        )
    return list(argv)


class _Group:
    """The process group of a command; who left it, as a daemon does, is on its own."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def let_go(self) -> None:
        """Does nothing: there is nothing to let go."""


def _why(word: str, cwd: str, error: OSError | ValueError) -> Text:
    if isinstance(error, FileNotFoundError):
        return _missing(word, cwd)
    if code := getattr(error, "winerror", None):  # its text is in the language of that Windows
        return say("process.windows", word=word, code=code)
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    return say("process.not-started", word=word, reason=reason)


def _missing(word: str, folder: str, beside: bool = False) -> Text:
    """A bare word is looked for on PATH, one with a folder from the command's own; `beside`: that
    has it."""
    if beside:
        return say("process.not-on-path", word=word, folder=folder)
    if folder and "/" in word.replace("\\", "/"):
        return say("process.no-command-in", word=word, folder=folder)
    return say("process.no-command", word=word)


def command_line(
    argv: Sequence[str], folder: str, environ: Mapping[str, str], there: Callable[[str], bool]
) -> str:
    """The one line that Windows starts a command by; `folder` is the command's.
    Raises NotStarted."""
    word, *words = argv
    path, endings = _variable(environ, "PATH"), _variable(environ, "PATHEXT")
    file = windows.program(word, folder, path, endings, there)
    if file is None:
        beside = windows.program(f"./{word}", folder, path, endings, there) is not None
        raise NotStarted(_missing(word, folder, beside))
    if not windows.is_batch(file):
        return subprocess.list2cmdline([file, *words])
    if sign := windows.read_by_cmd(file, words):
        raise NotStarted(say("process.read-by-cmd", word=word, sign=_shown(sign)))
    if windows.on_share(folder):
        raise NotStarted(say("process.on-a-share", word=word, folder=folder))
    return windows.batch_line(file, words)


def _variable(environ: Mapping[str, str], name: str) -> str:
    """Windows knows variables whatever their case; the last one was set on purpose."""
    return next((environ[key] for key in reversed(list(environ)) if key.upper() == name), "")


def _shown(sign: str) -> Text:
    if sign.isprintable():
        return f"`{sign}`"
    return say("process.line-end") if sign in "\r\n" else repr(sign)
