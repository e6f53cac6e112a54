"""`kjpstate validate`: the document alone; no host is touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kjpstate import errors
from kjpstate.acceptance import unsilenced
from kjpstate.cli import options
from kjpstate.cli.session import Session
from kjpstate.cli.work import load
from kjpstate.kinds import KINDS
from kjpstate.model import AdviceAt, Answer, NotAsked, Reading, Where
from kjpstate.reconcile import today
from kjpstate.render.as_json import FORMAT_VERSION, advice_json
from kjpstate.render.lines import Line
from kjpstate.render.notices import advice_lines
from kjpstate.said import Said, say

if TYPE_CHECKING:
    from kjpstate.document import Document

_SEVERITIES = ("breaks", "useless", "note")


@dataclass(frozen=True)
class Asked:
    """The command line."""

    document: str | None = options.argument()
    as_json: bool = options.as_json()


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """Check the document alone, and advise on what can be seen in it; exit 65 when it is wrong."""
    loaded = load(session, asked.document, thorough=True)
    advice = sorted(
        advised(loaded), key=lambda item: (_SEVERITIES.index(item.advice.severity), item.where.line)
    )
    session.answer(
        asked.as_json,
        lambda: {
            "format_version": FORMAT_VERSION,
            "valid": True,
            "advice": advice_json(advice, session.mask()),
            "exit_code": errors.IN_SYNC,
        },
        lambda: [*(advice_lines(advice) if advice else ()), Line(_said(loaded), "good")],
    )
    return errors.IN_SYNC


def advised(document: Document) -> Iterator[AdviceAt]:
    """The advice that needs no host and is not silenced, each once at its place."""
    return unsilenced(_advised(document), document.accepted, today())


def _advised(document: Document) -> Iterator[AdviceAt]:
    seen: set[tuple[str, Where]] = set()
    for resource in document.resources:
        kind = KINDS[resource.kind]
        for advice in kind.advice(kind.see(resource.spec, _NotLookedAt(), {})):
            where = resource.line(advice.pointer)
            if (advice.rule, where) not in seen:
                seen.add((advice.rule, where))
                yield AdviceAt(advice, resource.address, where)


class _NotLookedAt(Mapping[Reading, Answer]):
    """Answers of nobody: a kind must not take what was not read for missing."""

    def __getitem__(self, reading: Reading) -> Answer:
        return NotAsked("not looked at")

    def __iter__(self) -> Iterator[Reading]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _said(document: Document) -> Said:
    counts = (
        say("cli.resources", count=len(document.resources)),
        say("cli.checks", count=len(document.checks)),
        say("cli.hosts", count=len(document.hosts)),
    )
    return say("cli.valid", path=document.path, counts=counts)
