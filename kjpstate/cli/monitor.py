"""`kjpstate monitor`: watch the document's apps for a while; it only looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from kjpstate import monitor
from kjpstate.cli import interrupts, options
from kjpstate.cli.recording import Note, narrowed, noted
from kjpstate.cli.session import Session
from kjpstate.cli.watching import begun, code_of, draw, items, must_take, watched
from kjpstate.cli.work import opened
from kjpstate.render.soak_json import soak_json
from kjpstate.render.soaks import soak_lines


@click.command()
@options.document
@options.duration("--for", "length", "How long, such as 30m; else as in the document.")
@options.duration("--every", "every", "How often to look, such as 30s.")
@click.option("--limit", multiple=True, metavar="HOST", help="Only this host.")
@options.here
@click.option("--keep-going", is_flag=True, help="Go on to the end also after a limit was passed.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw it: .html, .svg, .png or .pdf.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON value a line: each look, then the verdict."
)
@options.colour
@click.pass_obj
def command(
    session: Session,
    /,
    document: str | None,
    *,
    length: float | None,
    every: float | None,
    limit: Sequence[str],
    here: str | None,
    keep_going: bool,
    plot: Path | None,
    as_json: bool,
) -> int:
    """Watch CPU, memory, crashes, logs and names; exit 6 when a limit is
    passed. Changes nothing."""
    asked = _Asked(length, every, tuple(limit), here, keep_going, plot, as_json)
    with noted(session, "monitor", document, narrowed((), limit, here)) as note:
        return note.ended(interrupts.run(_monitor(session, document, note, asked)))


@dataclass(frozen=True)
class _Asked:
    length: float | None
    every: float | None
    limit: tuple[str, ...]
    here: str | None
    keep_going: bool
    plot: Path | None
    as_json: bool


async def _monitor(session: Session, argument: str | None, note: Note, asked: _Asked) -> int:
    async with opened(session, argument, (), asked.limit, here=asked.here) as work:
        pace = monitor.pace(work.document, asked.length, asked.every, keep_going=asked.keep_going)
        record = begun(work, pace, note.over(work.document, work.scope).started)
        must_take(asked.plot)
        soak = await watched(work, record, stream=asked.as_json)
        note.items += items(soak)
        code = code_of(soak)
        with session.owing():
            if asked.as_json:
                session.out_json_line(soak_json(soak, session.mask(), exit_code=code))
            else:
                session.out(soak_lines(soak))
        draw(session, asked.plot, soak)
        return code
