"""`kjpstate history`: past runs, newest first; those of others from the hosts they ran on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from kjpstate import errors, history, reconcile
from kjpstate.cli import options
from kjpstate.cli.running import Manner, over
from kjpstate.cli.session import Session
from kjpstate.cli.state_folder import looking_folder
from kjpstate.cli.work import Work, load
from kjpstate.formats import remembered
from kjpstate.formats.times import run_time, seconds
from kjpstate.history import Item, Past, Wanted
from kjpstate.model import Answers, Reading, ReadState, Scope, named
from kjpstate.render.drifts import lost_lines
from kjpstate.render.lines import Line
from kjpstate.render.pasts import history_json, history_lines
from kjpstate.said import Text, say

_WHILES = "m h d w"
_PATIENCE = 10.0
"""Seconds a host has to tell its runs."""
_VERBS = ("plan", "apply", "drift", "verify", "monitor", "rollback")


@dataclass(frozen=True)
class Asked:
    """The command line."""

    document: str | None = options.argument()
    every: bool = options.flag("--all", help="Of all documents, not of this one.")
    verbs: tuple[str, ...] = options.option(
        "--verb", multiple=True, type=click.Choice(_VERBS), help="Only runs of this verb."
    )
    host: str = options.option(
        "--limit", metavar="HOST", default="", help="Only runs over this host."
    )
    since: str = options.option(
        "--since", metavar="WHEN", default="", help="Such as 2026-03-01, 12h, 7d."
    )
    failed: bool = options.flag("--failed", help="Only runs whose exit code was not 0.")
    scope: Scope = options.scope("here")
    local: bool = options.flag(
        "--local", help="Only what this machine remembers; no host is asked."
    )
    most: int = options.option(
        "-n", type=click.IntRange(min=0), default=20, help="The newest so many (20); 0 for all."
    )
    as_json: bool = options.as_json()


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """What plan, apply, drift, verify and the others did, newest first."""
    name, path = ("", "") if asked.every else which(session, asked.document)
    since = since_time(asked.since)
    wanted = Wanted(name, path, asked.verbs, asked.host, since, asked.failed, asked.most)
    folder = looking_folder(session.environ)
    asks = bool(name) and not asked.local
    found = history.runs(folder, replace(wanted, most=0) if asks else wanted)
    runs, lost = found.value, dict[str, Text]()
    if asks:
        theirs, lost = over(session, asked, _told_by_hosts, Manner(looks=True, forgiving=True))
        runs = history.merged(runs, theirs, wanted)
    session.answer(
        asked.as_json,
        lambda: history_json(runs),
        lambda: history_lines(runs),
    )
    tell_trouble(session, found.trouble)
    session.tell(lost_lines(lost, session.mask()))
    return errors.IN_SYNC


async def _told_by_hosts(work: Work, asked: Asked) -> tuple[list[Past], dict[str, Text]]:
    """The runs that the hosts tell which --limit names (all without it), and those out of reach:
    host -> why."""
    wanted: dict[str, list[Reading]] = {}
    for name, host in work.hosts.items():
        if not asked.host or named(name, asked.host):
            host.within = _PATIENCE
            wanted[name] = [ReadState(name, work.document.name, remembered.NAME)]
    answers, lost = await reconcile.look(work.hosts, wanted)
    there = [name for name in wanted if name not in lost]
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
        raise errors.UsageError(say("cli.since", text=text), say("cli.since.cure")) from None


def seconds_of(option: str, text: str) -> int:
    """`30m`, `2h`, `1d` in seconds. Raises UsageError."""
    found = seconds(text, _WHILES)
    if found is None:
        raise errors.UsageError(
            say("cli.no-while", option=option, text=text), say("cli.no-while.cure")
        )
    return int(found)


def tell_trouble(session: Session, trouble: Text) -> None:
    """One sentence on what is wrong with the history, on stderr."""
    if trouble:
        session.tell([Line(trouble, "change", whole=True)])


def one(found: Sequence[Past], word: str) -> Past:
    """The only one of these runs; raises UsageError for none or several."""
    if len(found) == 1:
        return found[0]
    if not found:
        raise errors.UsageError(
            say("cli.no-such-run", word=word),
            say("cli.no-such-run.cure"),
        )
    ids = ", ".join(run.id for run in found)
    raise errors.UsageError(
        say("cli.several-runs", word=word, ids=ids), say("cli.several-runs.cure")
    )
