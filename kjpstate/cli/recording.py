"""Every run of a verb into the history: what it saw, did and how it ended, masked; never in its
way.

Called by the verbs that look at hosts. The run is noted when its block ends, by an answer or by an
error.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kjpstate import errors, history
from kjpstate.cli import interrupts
from kjpstate.cli.session import Session
from kjpstate.cli.state_folder import run_info, state_folder
from kjpstate.history import Item, Past
from kjpstate.model import Change, CheckResult, Plan, Report, RunInfo
from kjpstate.render.drifts import saying
from kjpstate.render.lines import Line
from kjpstate.render.masks import Mask, clean
from kjpstate.said import say

if TYPE_CHECKING:
    from kjpstate.document import Document

_NOT_RUNS = (errors.USAGE, errors.DOCUMENT)
"""A mistyped command line is no run; from cron, where nobody types, it is one that failed."""


@dataclass
class Note:
    """One run while it runs. `run`: its name, also for the host's lock and backups."""

    session: Session
    verb: str
    run: RunInfo
    scope: str = ""
    document: Document | None = None
    path: str = ""
    hosts: tuple[str, ...] = ()
    items: list[Item] = field(default_factory=list)
    backups: tuple[tuple[str, str, str], ...] = ()
    said: str = ""
    code: int | None = None

    def over(self, document: Document, hosts: Iterable[str]) -> RunInfo:
        """The document this run is about, and the hosts in its scope; the run's full name."""
        self.document, self.hosts = document, tuple(hosts)
        self.path = str(Path(document.path).absolute())
        self.run = replace(self.run, document=document.name)
        return self.run

    def saw(self, plan: Plan, busy: Iterable[str] = ()) -> None:
        """What a look found; `busy`: the hosts that another run was at work on."""
        mask = self.session.mask()
        self.items += [Item(host, "", "busy") for host in busy]
        self.items += [_change(change, mask) for change in plan.changes]
        self.items += [
            Item(host, "", "unreachable", "", str(why)) for host, why in plan.unreachable.items()
        ]
        self.items += [
            Item(
                host,
                "",
                "unfinished",
                "",
                f"run {run.run} of {run.who} ({run.when}) {run.kind} {run.path}".strip(),
            )
            for host, run in plan.unfinished.items()
        ]

    def did(self, report: Report) -> None:
        """What an apply did."""
        homes = {change.resource.address: change.resource.host for change in report.plan.changes}
        self.items = [
            Item(homes.get(step.address, ""), step.address, step.result, "", str(step.reason))
            for step in report.steps
        ]
        self.items += [
            Item(host, "", "unreachable", "", str(why))
            for host, why in report.plan.unreachable.items()
        ]
        self.checked(report.checks)
        self.backups = report.backups

    def checked(self, results: Iterable[CheckResult]) -> None:
        """What the checks said."""
        self.items += [
            Item(result.host, result.name, result.result, "check", str(result.reason))
            for result in results
        ]

    def ended(self, code: int) -> int:
        """The run's exit code, given back."""
        self.code = code
        return code

    def past(self, seconds: float) -> Past:
        """The run as it is remembered."""
        mask = self.session.mask()
        return Past(
            id=self.run.id,
            verb=self.verb,
            document=self.run.document,
            path=_told(self.path, mask),
            digest=self.document.digest if self.document else "",
            who=_told(self.run.who, mask),
            started=self.run.started,
            seconds=round(seconds, 2),
            exit_code=errors.FAILED if self.code is None else self.code,
            said=_told(self.said, mask),
            scope=_told(self.scope, mask),
            hosts=self.hosts,
            items=tuple(_masked(item, mask) for item in self.items),
            backups=tuple(
                (host, _told(path, mask), _told(kept, mask)) for host, path, kept in self.backups
            ),
        )


@contextmanager
def noted(
    session: Session, verb: str, argument: str | None, scope: Sequence[str] = ()
) -> Iterator[Note]:
    """Run the block as one run of `verb`; `scope`: the options that narrow it, as typed."""
    path = str(Path(argument).absolute()) if argument else ""
    note, started = Note(session, verb, run_info(""), " ".join(scope), path=path), time.monotonic()
    try:
        yield note
    except BaseException as error:
        note.code, note.said = _outcome(error)
        raise
    finally:
        if note.code not in _NOT_RUNS or verb == "drift":
            with interrupts.unheard():
                _remember(session, note.past(time.monotonic() - started))


def _remember(session: Session, past: Past) -> None:
    try:
        trouble = history.note(state_folder(session.environ), past)
    except errors.Failed as error:
        trouble = say("history.not-noted", why=error.message)
    if trouble:
        session.follow(Line(trouble, "change", whole=True))


def _outcome(error: BaseException) -> tuple[int, str]:
    if isinstance(error, errors.KjpstateError):
        return error.exit_code, str(error.message)
    if isinstance(error, (KeyboardInterrupt, asyncio.CancelledError)):
        return errors.INTERRUPTED, "interrupted"
    return errors.FAILED, type(error).__name__


def _change(change: Change, mask: Mask) -> Item:
    resource, refusal = change.resource, change.refusal
    if refusal is not None and change.refused:
        return Item(resource.host, resource.address, "refused", refusal.rule, saying(change, mask))
    about = " ".join(
        dict.fromkeys(str(item.path[0]) for item in change.drift.differences if item.path)
    )
    result = "held" if change.held else "drift"
    return Item(resource.host, resource.address, result, about, saying(change, mask))


def _masked(item: Item, mask: Mask) -> Item:
    return replace(
        item,
        address=_told(item.address, mask),
        about=_told(item.about, mask),
        reason=_told(item.reason, mask),
    )


def _told(text: str, mask: Mask) -> str:
    """Masked first: a secret may hold a line end; then one row that steers no terminal."""
    return clean(" ".join(mask(text).split()))
