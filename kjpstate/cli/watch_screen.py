"""A watch with its screen: a table on a terminal, else lines, or JSON; then the plot."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from kjpstate import errors, monitor
from kjpstate.cli.session import Session
from kjpstate.cli.work import Work
from kjpstate.formats.soak import Hole, Sample, Soak
from kjpstate.formats.times import clock
from kjpstate.history import Item
from kjpstate.monitor import Pace, Record
from kjpstate.render.soak_json import seen_json
from kjpstate.render.soaks import hole_line, opening_lines, sample_line
from kjpstate.render.stream import wants_colour
from kjpstate.said import say

_SHORTEST = 1.0


def code_of(soak: Soak) -> int:
    """0 passed, 6 failed, 3 not known; 130 when somebody ended it."""
    return errors.code_of([soak.ended if soak.ended == "interrupted" else soak.result])


def begun(work: Work, pace: Pace, started: str) -> Record:
    """What is to be watched, nothing seen yet; raises UsageError where there is
    nothing to watch."""
    if pace.every < _SHORTEST:
        raise errors.UsageError(
            say("cli.every-too-often", every=pace.every), say("cli.every-too-often.cure")
        )
    subjects = monitor.subjects(work.document, work.aim)
    return Record(work.document.name, subjects, monitor.limits(work.document), pace, started)


def items(soak: Soak) -> Iterator[Item]:
    """The verdicts, as the history remembers them."""
    for verdict in soak.verdicts:
        why = "; ".join(
            str(finding.what) if finding.at is None else f"{clock(finding.at)} {finding.what}"
            for finding in verdict.findings
        )
        yield Item(verdict.host, verdict.app, verdict.result, "monitor", why)


async def watched(work: Work, record: Record, *, stream: bool = False) -> Soak:
    """The watch to its end, or until somebody ends it; `stream`: each look as a line of JSON on
    stdout."""
    with _screen(work.session, record, stream) as tell:
        specs = work.document.hosts.values()
        members = [spec.name for spec in specs if spec.member_of]
        try:
            ended = await monitor.watch(record, work.hosts, tell, members)
        except asyncio.CancelledError:
            ended = "interrupted"
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
    return record.soak(ended)


def must_take(plot: Path | None) -> None:
    """Before half an hour is spent: the plot can be drawn and written. Raises
    UsageError, Failed."""
    if plot is None:
        return
    from kjpstate.render.plots import ENDINGS, installed

    if plot.suffix not in ENDINGS:
        raise errors.UsageError(
            say("cli.plot-ending", plot=str(plot), endings=[*ENDINGS]), say("cli.plot-ending.cure")
        )
    if not installed():
        raise errors.UsageError(
            say("cli.no-matplotlib"),
            say("cli.no-matplotlib.cure"),
        )
    _write(plot, b"")


def draw(session: Session, plot: Path | None, soak: Soak) -> None:
    """The plot, if one was asked for; raises Failed."""
    if plot is not None:
        from kjpstate.render.plots import drawn

        _write(plot, drawn(soak, session.mask(), plot.suffix))


def _write(file: Path, content: bytes) -> None:
    try:
        with file.open("wb" if content else "ab") as to:
            to.write(content)
    except OSError as error:
        raise errors.Failed(
            say("cli.plot-not-written", file=str(file), reason=str(error.strerror or error)),
            say("cli.plot-not-written.cure"),
        ) from None


@contextlib.contextmanager
def _screen(
    session: Session, record: Record, stream: bool
) -> Iterator[Callable[[Sample | Hole], None]]:
    """What is told of each look: results of a stream on stdout, all else as progress on stderr."""
    if stream:
        yield lambda seen: session.out_json_line(seen_json(seen, session.mask()))
        return
    pace, limits = record.pace, record.limits
    for line in opening_lines(record.subjects, limits, pace.length, pace.every):
        session.follow(line)
    if session.stderr.isatty() and session.environ.get("TERM") != "dumb":
        from kjpstate.render.live import board

        origin = monitor.now()
        colour = wants_colour(session.stderr, session.environ, session.no_colour)
        with board(
            session.stderr,
            session.mask(),
            limits,
            pace.length,
            lambda: monitor.now() - origin,
            colour=colour,
        ) as tell:
            yield tell
        return
    alone = len(record.subjects) == 1
    yield lambda seen: session.follow(
        sample_line(seen, limits, alone=alone) if isinstance(seen, Sample) else hole_line(seen)
    )
