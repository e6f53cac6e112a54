"""How a run ends when it can't do its work: one sentence, the remedy, the exit code; no traceback.

The only place where an exception becomes a screen.
"""

from __future__ import annotations

import errno
import os
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TypeGuard

import click

from kjpstate import __version__, errors
from kjpstate.cli.session import Session
from kjpstate.formats.times import run_time
from kjpstate.render.as_json import error_json
from kjpstate.render.lines import Line
from kjpstate.said import say

_MOST_REPORTS = 20
"""A check that crashes from cron does so every ten minutes; the oldest report goes first."""
_FULL = (errno.ENOSPC, errno.EIO, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


def end(error: BaseException, session: Session) -> int:
    """Say why on stderr (and as JSON on stdout when asked); the exit code."""
    if isinstance(error, BrokenPipeError):
        return errors.FAILED
    known = as_known(error, session)
    code = known.exit_code
    if session.wants_json:
        try:
            session.out_json(error_json(known, session.mask()))
        except OSError:
            code = errors.FAILED
    try:
        session.tell(_lines(known))
    except OSError:
        return errors.FAILED
    return code if not _is_of_the_output(error) else errors.FAILED


def leave(session: Session) -> None:
    """Give up what nobody takes any more. Python flushes at its end, and exits with 120 where it
    can't."""
    for stream in (session.stdout, session.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nobody:
                os.dup2(nobody.fileno(), stream.fileno())


def end_late(error: Exception, session: Session, code: int) -> int:
    """The run is over and noted, and something of it could not be shown: its code, or if all was
    well that of `error`. Nothing goes to stdout, which has the run's own answer."""
    if isinstance(error, BrokenPipeError):
        return code or errors.FAILED
    known = as_known(error, session)
    with suppress(OSError):
        session.tell(_lines(known))
    return code or known.exit_code


def as_known(error: BaseException, session: Session) -> errors.KjpstateError:
    """`error` as one of our own tree; what nobody foresaw goes into a crash report."""
    if isinstance(error, errors.KjpstateError):
        return error
    if isinstance(error, (KeyboardInterrupt, click.exceptions.Abort)):
        return errors.Interrupted("Interrupted.", say("cli.interrupted.cure"))
    if isinstance(error, click.ClickException):
        return _usage(error)
    if _is_of_the_output(error):
        return errors.Failed(say("cli.output", reason=os.strerror(error.errno or 0)))
    if isinstance(error, FileNotFoundError) and _stands_nowhere():
        return errors.UsageError(say("cli.nowhere"), say("cli.nowhere.cure"))
    return _crashed(error, session)


def _stands_nowhere() -> bool:
    try:
        Path.cwd()
    except OSError:
        return True
    return False


def _is_of_the_output(error: BaseException) -> TypeGuard[OSError]:
    """Whether it is our own stdout or stderr that takes no more: an error of a
    file would name it."""
    return isinstance(error, OSError) and error.filename is None and error.errno in _FULL


def _usage(error: click.ClickException) -> errors.UsageError:
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context is not None else "kjpstate"
    message = " ".join(error.format_message().split()).rstrip(".")
    end = "" if message.endswith("?") else "."
    return errors.UsageError(
        f"{path}: {message[:1].lower()}{message[1:]}{end}", say("cli.usage.cure", command=path)
    )


def _crashed(error: BaseException, session: Session) -> errors.Failed:
    """The traceback goes into a file that only its owner reads, secrets masked."""
    from kjpstate.cli.state_folder import state_folder

    text = session.mask()("".join(traceback.format_exception(error)))
    words = " ".join(session.argv)
    report = (
        f"kjpstate {__version__}, Python {sys.version}\nkjpstate {session.mask()(words)}\n\n{text}"
    )
    kind = type(error).__name__
    try:
        folder = state_folder(session.environ)
        file = folder / f"crash-{run_time(time.time())}.txt"
        with os.fdopen(
            os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as to:
            to.write(report)
        for old in sorted(set(folder.glob("crash-*.txt")) - {file})[: 1 - _MOST_REPORTS]:
            old.unlink(missing_ok=True)
    except (OSError, errors.KjpstateError) as unwritten:
        return errors.Failed(say("cli.crashed-unwritten", kind=kind, why=str(unwritten)))
    return errors.Failed(say("cli.crashed", kind=kind), say("cli.crashed.cure", file=str(file)))


def _lines(error: errors.KjpstateError) -> list[Line]:
    rule = f"   [{error.rule}]" if error.rule else ""
    first, *rest = str(error.message).split("\n")
    lines = [Line(f"{first}{rule}", "refuse", hang=2), *(Line(row, hang=2) for row in rest)]
    return lines + [Line(f"  {row}", hang=4) for row in str(error.remedy).splitlines()]
