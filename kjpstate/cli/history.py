"""`kjpstate history`: past runs, newest first; those of others from the hosts they ran on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from kjpstate import errors, history, reconcile
from kjpstate.cli import interrupts, options
from kjpstate.cli.controller import looking_folder
from kjpstate.cli.session import Session
from kjpstate.cli.work import load, opened
from kjpstate.formats import remembered
from kjpstate.formats.times import run_time, seconds
from kjpstate.history import Item, Past, Wanted
from kjpstate.model import Answers, Reading, ReadState, named
from kjpstate.render.drifts import lost_lines
from kjpstate.render.lines import Line
from kjpstate.render.pasts import history_json, history_lines

_WHILES = "m h d w"
_PATIENCE = 10.0
"""Seconds a host has to tell its runs."""
_VERBS = ("plan", "apply", "drift", "verify", "monitor", "rollback")


@click.command()
@options.document
@click.option("--all", "every", is_flag=True, help="Of all documents, not of this one.")
@click.option(
    "--verb", "verbs", multiple=True, type=click.Choice(_VERBS), help="Only runs of this verb."
)
@click.option("--limit", "host", metavar="HOST", default="", help="Only runs over this host.")
@click.option("--since", metavar="WHEN", default="", help="Such as 2026-03-01, 12h, 7d.")
@click.option("--failed", is_flag=True, help="Only runs whose exit code was not 0.")
@options.here
@click.option("--local", is_flag=True, help="Only what this machine remembers; no host is asked.")
@click.option(
    "-n", "most", type=click.IntRange(min=0), default=20, help="The newest so many (20); 0 for all."
)
@options.as_json
@options.colour
@click.pass_obj
def command(
    session: Session,
    /,
    document: str | None,
    *,
    every: bool,
    verbs: Sequence[str],
    host: str,
    since: str,
    failed: bool,
    here: str | None,
    local: bool,
    most: int,
    as_json: bool,
) -> int:
    """What plan, apply, drift, verify and the others did, newest first."""
    name, path = ("", "") if every else which(session, document)
    wanted = Wanted(name, path, tuple(verbs), host, since_time(since), failed, most)
    folder = looking_folder(session.environ)
    found = history.runs(folder, replace(wanted, most=0) if name and not local else wanted)
    runs, lost = found.value, dict[str, str]()
    if name and not local:
        theirs, lost = interrupts.run(_told_by_hosts(session, document, here, host))
        runs = history.merged(runs, theirs, wanted)
    if as_json:
        session.out_json(history_json(runs))
    else:
        session.out(history_lines(runs))
    tell_trouble(session, found.trouble)
    session.tell(lost_lines(lost, session.mask()))
    return errors.IN_SYNC


async def _told_by_hosts(
    session: Session, argument: str | None, here: str | None, limit: str
) -> tuple[list[Past], dict[str, str]]:
    """The runs that the hosts tell which `limit` names (empty: all), and those out of reach: host
    -> why."""
    async with opened(session, argument, here=here, looks=True, forgiving=True) as work:
        wanted: dict[str, list[Reading]] = {}
        asked = {name: host for name, host in work.hosts.items() if not limit or named(name, limit)}
        for name, host in asked.items():
            host.within = _PATIENCE
            wanted[name] = [ReadState(name, work.document.name, remembered.NAME)]
        answers, lost = await reconcile.look(work.hosts, wanted)
        there = [name for name in asked if name not in lost]
        return [run for name in there for run in said_by(name, work.document.name, answers)], lost


def said_by(host: str, document: str, answers: Answers) -> Iterator[Past]:
    """The runs that a host remembers."""
    for line in remembered.lines(answers.get(ReadState(host, document, remembered.NAME))):
        yield Past(
            *(line.id, line.verb, document, "", "", line.who, line.started, 0.0, line.exit_code),
            hosts=(host,),
            items=tuple(Item(host, address, result) for address, result in line.results.items()),
            at=host,
        )


def which(session: Session, argument: str | None) -> tuple[str, str]:
    """Name and path of the document that is meant; the path alone of one with errors; empty for
    none."""
    from kjpstate import document

    try:
        path = document.find(argument, session.environ, str(Path.cwd()))
    except errors.UsageError:
        if argument is not None:
            raise
        return "", ""
    try:
        return load(session, path, forgiving=True).name, str(Path(path).absolute())
    except errors.DocumentError:
        return "", str(Path(path).absolute())


def since_time(text: str) -> str:
    """`7d`, `12h`, `2026-03-01` -> a time; empty for empty. Raises UsageError."""
    if not text:
        return ""
    if (ago := seconds(text, _WHILES)) is not None:
        return run_time(max(0, time.time() - ago))
    try:
        return run_time(time.mktime(time.strptime(text, "%Y-%m-%d")))
    except (ValueError, OverflowError):
        raise errors.UsageError(
            f"--since {text}: neither a day nor a while", "such as 2026-03-01, 30m, 12h, 7d, 4w"
        ) from None


def seconds_of(option: str, text: str) -> int:
    """`30m`, `2h`, `1d` in seconds. Raises UsageError."""
    found = seconds(text, _WHILES)
    if found is None:
        raise errors.UsageError(f"{option} {text}: no while", "such as 30m, 12h, 7d, 4w")
    return int(found)


def tell_trouble(session: Session, trouble: str) -> None:
    """One sentence on what is wrong with the history, on stderr."""
    if trouble:
        session.tell([Line(trouble, "change", whole=True)])


def one(found: Sequence[Past], word: str) -> Past:
    """The only one of these runs; raises UsageError for none or several."""
    if len(found) == 1:
        return found[0]
    if not found:
        raise errors.UsageError(
            f"no run {word} is remembered on this machine",
            "kjpstate history   has their ids; one that a host told is shown where it was run",
        )
    ids = ", ".join(run.id for run in found)
    raise errors.UsageError(f"{word} begins several runs: {ids}", "type more of the id")
