"""`kjpstate verify`: the acceptance checks of the document; they only look."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kjpstate import errors, reconcile
from kjpstate.cli import options
from kjpstate.cli.recording import Note
from kjpstate.cli.running import noted_over
from kjpstate.cli.session import Session
from kjpstate.cli.work import Work
from kjpstate.model import CheckResult, Scope
from kjpstate.render.as_json import verify_json
from kjpstate.render.junit import junit_xml
from kjpstate.render.reports import check_lines
from kjpstate.said import say

if TYPE_CHECKING:
    from kjpstate.document import Document


@dataclass(frozen=True)
class Asked:
    """The command line."""

    document: str | None = options.argument()
    names: tuple[str, ...] = options.option(
        "--check", multiple=True, metavar="NAME", help="Only this check."
    )
    scope: Scope = options.hosts()
    as_json: bool = options.as_json()
    junit: Path | None = options.file("--junit", "Also as JUnit XML into this file.")


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """Run the document's acceptance checks; exit 6 when one fails. Changes nothing."""
    words = [word for name in asked.names for word in ("--check", name)]
    return noted_over(session, "verify", asked, _verify, words=words)


def code_of(results: Iterable[CheckResult]) -> int:
    """6 for a failed check, 3 for one whose host did not answer; one for a
    person to do is neither."""
    return errors.code_of(result.result for result in results)


def dead_first(document: Document, results: Sequence[CheckResult]) -> list[CheckResult]:
    """For the screen: a bot that is not alive before all that follows from it."""
    asked = {item.spec.name for item in document.checks if item.spec.foremost}
    return sorted(
        results, key=lambda result: not (result.result == "failed" and result.name in asked)
    )


async def _verify(work: Work, asked: Asked, note: Note) -> int:
    session, document = work.session, work.document
    if asked.junit is not None:
        _write(asked.junit, "")  # before anything is asked: what was found out would be lost
    started, when = time.monotonic(), time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    results = await reconcile.verify(
        document, work.hosts, key=work.key, names=asked.names, scope=work.scope
    )
    note.checked(results)
    code = code_of(results)
    if asked.junit is not None:
        spent = time.monotonic() - started
        _write(asked.junit, junit_xml(document.name, results, spent, when, session.mask()))
    session.answer(
        asked.as_json,
        lambda: verify_json(document.name, results, session.mask(), code),
        lambda: check_lines(dead_first(document, results)),
    )
    return code


def _write(file: Path, text: str) -> None:
    try:
        with file.open("w" if text else "a", encoding="utf-8", newline="\n") as to:
            to.write(text)
    except OSError as error:
        raise errors.Failed(
            say("cli.results-not-written", file=str(file), reason=str(error.strerror or error)),
            say("cli.results-not-written.cure"),
        ) from None
