"""`kjpstate verify`: the acceptance checks of the document; they only look."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kjpstate import errors, reconcile
from kjpstate.cli import interrupts, options
from kjpstate.cli.recording import Note, narrowed, noted
from kjpstate.cli.session import Session
from kjpstate.cli.work import opened
from kjpstate.model import CheckResult
from kjpstate.render.as_json import verify_json
from kjpstate.render.junit import junit_xml
from kjpstate.render.reports import check_lines

if TYPE_CHECKING:
    from kjpstate.document import Document


@click.command()
@options.document
@click.option("--check", "names", multiple=True, metavar="NAME", help="Only this check.")
@options.here
@options.as_json
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also as JUnit XML into this file.",
)
@options.colour
@click.pass_obj
def command(
    session: Session,
    /,
    document: str | None,
    *,
    names: Sequence[str],
    here: str | None,
    as_json: bool,
    junit: Path | None,
) -> int:
    """Run the document's acceptance checks; exit 6 when one fails. Changes nothing."""
    words = [word for name in names for word in ("--check", name)] + narrowed((), (), here)
    with noted(session, "verify", document, words) as note:
        run = _verify(session, document, note, names=names, here=here, as_json=as_json, junit=junit)
        return note.ended(interrupts.run(run))


def code_of(results: Iterable[CheckResult]) -> int:
    """6 for a failed check, 3 for one whose host did not answer; one for a
    person to do is neither."""
    codes = {"failed": errors.CHECKS_FAILED, "unknown": errors.UNREACHABLE}
    return errors.worst(codes.get(result.result, errors.IN_SYNC) for result in results)


def dead_first(document: Document, results: Sequence[CheckResult]) -> list[CheckResult]:
    """For the screen: a bot that is not alive before all that follows from it."""
    asked = {item.spec.name for item in document.checks if item.spec.foremost}
    return sorted(
        results, key=lambda result: not (result.result == "failed" and result.name in asked)
    )


async def _verify(
    session: Session,
    argument: str | None,
    note: Note,
    *,
    names: Sequence[str],
    here: str | None,
    as_json: bool,
    junit: Path | None,
) -> int:
    async with opened(session, argument, here=here) as work:
        note.over(work.document, work.scope)
        if junit is not None:
            _write(junit, "")  # before anything is asked: what was found out would be lost
        started, when = time.monotonic(), time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        results = await reconcile.verify(work.document, work.hosts, key=work.key, names=names)
        note.checked(results)
        code = code_of(results)
        if junit is not None:
            spent = time.monotonic() - started
            _write(junit, junit_xml(work.document.name, results, spent, when, session.mask()))
        if as_json:
            session.out_json(verify_json(work.document.name, results, session.mask(), code))
        else:
            session.out(check_lines(dead_first(work.document, results)))
        return code


def _write(file: Path, text: str) -> None:
    try:
        with file.open("w" if text else "a", encoding="utf-8", newline="\n") as to:
            to.write(text)
    except OSError as error:
        raise errors.Failed(
            f"the results {file} can't be written: {error.strerror or error}",
            "name another file with --junit",
        ) from None
