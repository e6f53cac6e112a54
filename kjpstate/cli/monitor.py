"""`kjpstate monitor`: watch the document's apps for a while; it only looks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kjpstate import monitor
from kjpstate.cli import options
from kjpstate.cli.recording import Note
from kjpstate.cli.running import noted_over
from kjpstate.cli.session import Session
from kjpstate.cli.watch_screen import begun, code_of, draw, items, must_take, watched
from kjpstate.cli.work import Work
from kjpstate.model import Scope
from kjpstate.render.soak_json import soak_json
from kjpstate.render.soaks import soak_lines


@dataclass(frozen=True)
class Asked:
    """The command line."""

    document: str | None = options.argument()
    length: float | None = options.duration(
        "--for", "How long, such as 30m; else as in the document."
    )
    every: float | None = options.duration("--every", "How often to look, such as 30s.")
    scope: Scope = options.hosts()
    keep_going: bool = options.flag(
        "--keep-going", help="Go on to the end also after a limit was passed."
    )
    plot: Path | None = options.file("--plot", "Draw it: .html, .svg, .png or .pdf.")
    as_json: bool = options.flag(
        "--json", help="One JSON value a line: each look, then the verdict."
    )


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """Watch CPU, memory, crashes, logs and names; exit 6 when a limit is
    passed. Changes nothing."""
    return noted_over(session, "monitor", asked, _monitor)


async def _monitor(work: Work, asked: Asked, note: Note) -> int:
    session = work.session
    pace = monitor.pace(work.document, asked.length, asked.every, keep_going=asked.keep_going)
    record = begun(work, pace, note.run.started)
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
