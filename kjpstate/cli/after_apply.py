"""What an apply was asked to do when it is done: watch for a while, and roll back what does not
hold.

Called by `apply`. A failed check or a limit that was passed rolls the run back only with
--rollback-on-fail; what is not known does not, nor does a Ctrl-C.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kjpstate import errors, monitor, rollback
from kjpstate.cli.recording import Note, noted
from kjpstate.cli.watch_screen import begun, code_of, draw, items, must_take, watched
from kjpstate.cli.work import Work
from kjpstate.formats.soak import Soak
from kjpstate.formats.times import run_time
from kjpstate.model import Report, Scope
from kjpstate.monitor import Record
from kjpstate.render.as_json import report_json
from kjpstate.render.lines import BLANK, Line
from kjpstate.render.masks import Mask
from kjpstate.render.reports import event_line, rollback_lines
from kjpstate.render.soak_json import monitor_json
from kjpstate.render.soaks import soak_lines
from kjpstate.said import say


@dataclass(frozen=True)
class AfterApply:
    """As the command line says. `length`: seconds to watch, None: not at all."""

    length: float | None = None
    rollback: bool = False
    plot: Path | None = None

    def ready(self, work: Work) -> Record | None:
        """Before anything is done: what is to be watched. Raises UsageError, Failed."""
        if self.length is None:
            if self.plot is not None:
                raise errors.UsageError(
                    say("cli.plot-without-watch"), say("cli.plot-without-watch.cure")
                )
            return None
        pace = monitor.pace(work.document, self.length, None, patient=True)
        must_take(self.plot)
        return begun(work, pace, "")


@dataclass(frozen=True)
class Ended:
    """How it all ended. `undone`: what the rollback did, where there was one to do."""

    code: int
    soak: Soak | None = None
    undone: Report | None = None

    def json(self, mask: Mask) -> dict[str, Any]:
        """The keys beside those of the report."""
        undone = self.undone
        return {
            "monitor": None if self.soak is None else monitor_json(self.soak, mask),
            "rollback": None
            if undone is None
            else report_json(undone, None, mask, exit_code=undone.exit_code),
            "exit_code": self.code,
        }


@dataclass(frozen=True)
class Aftermath:
    """`record`: what is to be watched, if anything. `quiet`: no screens, the caller prints JSON."""

    work: Work
    note: Note
    asked: AfterApply
    record: Record | None
    quiet: bool

    async def finish(self, report: Report, code: int) -> Ended:
        """Watch if the apply and its checks went well, then roll back if something failed."""
        soak = None
        if self.record is not None and code in (errors.IN_SYNC, errors.UNREACHABLE):
            soak = await self._watch(self.record)
            code = errors.worst([code, code_of(soak)])
        if not self.asked.rollback or not _does_not_hold(report, soak):
            return Ended(code, soak)
        if not any(step.result == "applied" for step in report.steps):
            self.work.session.follow(Line(say("cli.nothing-to-undo"), "change"))
            return Ended(code, soak)
        undone = await self._undo(report)
        well = undone is not None and undone.exit_code == errors.IN_SYNC
        return Ended(errors.RESTORED if well else errors.FAILED, soak, undone)

    async def _watch(self, record: Record) -> Soak:
        record.started = run_time(time.time())
        soak = await watched(self.work, record)
        self.note.items += items(soak)
        with self.work.session.owing():
            self._show([BLANK, *soak_lines(soak)])
        with self.work.session.owing():
            draw(self.work.session, self.asked.plot, soak)
        return soak

    async def _undo(self, done: Report) -> Report | None:
        """Take the run back on the hosts that it changed, as a run of its own; None when that could
        not even begin, which is told."""
        session, started, run = self.work.session, time.monotonic(), done.run.id
        session.follow(Line(say("cli.undoing", run=run), "strong"))
        try:
            report = await self._rolled_back(run, _changed(done))
        except errors.KjpstateError as error:
            why = say("cli.not-undone", run=run, why=error.message)
            session.follow(Line(why, "refuse", hang=2))
            session.follow(Line(say("cli.not-undone.cure", run=run), hang=4))
            return None
        with session.owing():
            for change in report.plan.changes:
                if change.refusal is not None:
                    session.follow(
                        Line(f"{change.resource.host}: {change.refusal.reason}", "refuse", hang=2)
                    )
            seconds = time.monotonic() - started
            self._show([BLANK, *rollback_lines(report, run, seconds, done.plan.unreachable)])
        return report

    async def _rolled_back(self, run: str, changed: Sequence[str]) -> Report:
        work, session = self.work, self.work.session
        with noted(session, "rollback", work.document.path) as note:
            report = await rollback.run(
                work.document,
                work.hosts,
                run,
                key=work.key,
                info=note.over(work.document, changed),
                progress=lambda event: session.follow(event_line(event)),
                scope=Scope(limit=tuple(changed)),
            )
            note.did(report)
            note.ended(report.exit_code)
            return report

    def _show(self, lines: Sequence[Line]) -> None:
        if not self.quiet:
            self.work.session.out(lines)


def _changed(report: Report) -> list[str]:
    """The hosts on which the run did anything."""
    return sorted({outcome.action.host for step in report.steps for outcome in step.outcomes})


def _does_not_hold(report: Report, soak: Soak | None) -> bool:
    """Whether the apply itself went well, and a check or the watch failed; Ctrl-C is nobody's
    failure."""
    if soak is not None:
        return soak.result == "failed" and soak.ended != "interrupted"
    went = report.exit_code in (errors.IN_SYNC, errors.UNREACHABLE, errors.CHECKS_FAILED)
    return went and any(check.result == "failed" for check in report.checks)
