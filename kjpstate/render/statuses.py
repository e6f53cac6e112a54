"""How things stand, in five lines: the bot, the last apply, the last check, what is unfinished,
what to type.

Called by `cli.status` with what was read and remembered; this page knows no clock but the time it
is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from kjpstate import errors
from kjpstate.formats.pm2.health import Health
from kjpstate.formats.times import iso_time, local_time, parsed_time
from kjpstate.history import Past
from kjpstate.model import Holder, Unfinished
from kjpstate.render.as_json import opening
from kjpstate.render.lines import Line
from kjpstate.render.masks import Mask, plain
from kjpstate.render.pasts import result_of
from kjpstate.said import Text

_ANSWERS = (errors.IN_SYNC, errors.DRIFT, errors.UNREACHABLE, errors.REFUSED)
"""What a check ends with that looked; with anything else it failed itself."""
_LABEL = 12


@dataclass(frozen=True)
class Bot:
    """One app on one host."""

    name: str
    host: str
    health: Health


@dataclass(frozen=True)
class Status:
    """What is known. `now` as YYYYMMDDTHHMMSSZ; `patience`: how old the last check may be.

    `checks`: the remembered checks, newest first; `unread`: they can't be read. `lost`: host ->
    why. `busy`: host -> who is at work there.
    """

    document: str
    now: str
    patience: timedelta
    bots: Sequence[Bot] = ()
    applies: Sequence[Past] = ()
    checks: Sequence[Past] = ()
    unfinished: Mapping[str, Unfinished] = field(default_factory=dict)
    busy: Mapping[str, Holder] = field(default_factory=dict)
    lost: Mapping[str, Text] = field(default_factory=dict)
    unread: bool = False

    @property
    def check(self) -> Past | None:
        """The last check that looked."""
        return next((run for run in self.checks if run.exit_code in _ANSWERS), None)

    @property
    def dead(self) -> bool:
        """Whether a bot is known not to be alive."""
        return any(not bot.health.alive and bot.health.state != "unknown" for bot in self.bots)

    @property
    def age(self) -> timedelta | None:
        """How long ago the last check looked; None: never, as far as is remembered here."""
        if self.check is None:
            return None
        try:
            return parsed_time(self.now) - parsed_time(self.check.ended)
        except ValueError:
            return timedelta.max

    @property
    def stale(self) -> bool:
        """Whether the checker ran once and runs no more, or nobody can tell by that clock or that
        history."""
        if not self.checks:
            return self.unread
        return self.age is None or abs(self.age) > self.patience

    @property
    def code(self) -> int:
        """0 when all is well; 2; 3 when a host could not be asked."""
        drifted = self.check is not None and self.check.exit_code in (errors.DRIFT, errors.REFUSED)
        wrong = self.dead or self.stale or drifted or bool(self.unfinished)
        return errors.code_of([*(["drift"] if wrong else []), *("unreachable" for _ in self.lost)])


def status_lines(status: Status) -> tuple[Line, ...]:
    """The screen; more than five lines only for more than one bot or host."""
    rows = [*_bots(status), _apply(status), _check(status), *_unfinished(status), _next(status)]
    return tuple(
        Line(f"{label:<{_LABEL}}{text}", style, hang=_LABEL) for label, text, style in rows
    )


def status_json(status: Status, mask: Mask) -> dict[str, Any]:
    """The same for machines."""
    check, apply = status.check, next(iter(status.applies), None)
    value = {
        "document": status.document,
        "bots": [
            {
                "name": bot.name,
                "host": bot.host,
                "alive": None if bot.health.state == "unknown" else bot.health.alive,
                "state": bot.health.state,
                "reason": bot.health.reason,
            }
            for bot in status.bots
        ],
        "last_apply": None if apply is None else _run_json(apply),
        "last_check": None if check is None else _run_json(check),
        "stale": status.stale,
        "unfinished": [
            {"host": host, "run": run.run, "who": run.who, "started": iso_time(run.when)}
            for host, run in status.unfinished.items()
        ],
        "busy": [
            {"host": host, "run": owner.run, "who": owner.who}
            for host, owner in status.busy.items()
        ],
        "unreachable": [{"host": host, "reason": why} for host, why in status.lost.items()],
        "next": _following(status),
    }
    return {**opening(), **plain(value, mask), "exit_code": status.code}


def _run_json(run: Past) -> dict[str, Any]:
    return {
        "run": run.id,
        "who": run.who,
        "at": iso_time(run.ended),
        "exit_code": run.exit_code,
        "result": result_of(run),
        "times": run.times,
    }


def _bots(status: Status) -> Iterator[tuple[str, str, str]]:
    label = "bot"
    for bot in status.bots:
        where = f"{bot.name} on {bot.host}"
        if bot.health.state == "unknown":
            yield label, f"{where}: not known: {bot.health.reason}", "refuse"
        elif bot.health.alive:
            yield label, f"{where} is alive: {bot.health.reason}", "good"
        else:
            yield label, f"{where} is DEAD: {bot.health.reason}", "refuse"
        label = ""
    for host, why in status.lost.items():
        first = str(why).removeprefix(f"{host}: ").partition("\n")[0]
        yield label, f"{host} was not reached: {first}", "refuse"
        label = ""
    if not status.bots and not status.lost:
        yield label, "none in this document", ""


def _apply(status: Status) -> tuple[str, str, str]:
    run = next(iter(status.applies), None)
    if run is None:
        return "last apply", "none that is remembered here or on the hosts", ""
    style = "good" if run.exit_code == 0 else "refuse"
    return (
        "last apply",
        f"{local_time(run.started)} by {run.who}: {result_of(run)} (run {run.id})",
        style,
    )


def _check(status: Status) -> tuple[str, str, str]:
    newest, check = next(iter(status.checks), None), status.check
    if newest is None and status.unread:
        return (
            "last check",
            "STALE: whether the checker itself runs is not known: no history can be read",
            "refuse",
        )
    if newest is None:
        return "last check", "none that is remembered here", ""
    if check is None:
        return "last check", f"none that looked; {_failing(newest)}", "refuse"
    since = local_time(check.ended)
    if status.stale:
        what = f"the checker itself has not run since {since}"
        if status.age is not None and status.age < timedelta(0):
            what = f"by this clock the last check, {since}, is yet to come"
        return "last check", f"STALE: {what}{_after(newest, check)}", "refuse"
    times = f", {check.times:,} times in a row" if check.times > 1 else ""
    style = "good" if check.exit_code == 0 else "change"
    return "last check", f"{since}: {result_of(check)}{times}{_after(newest, check)}", style


def _after(newest: Past, check: Past) -> str:
    return "" if newest is check else f"; {_failing(newest)}"


def _failing(run: Past) -> str:
    said = f": {run.said}" if run.said else ""
    return f"{local_time(run.ended)} it failed ({result_of(run)}{said})"


def _unfinished(status: Status) -> Iterator[tuple[str, str, str]]:
    label = "unfinished"
    for host, owner in status.busy.items():
        yield (
            label,
            f"run {owner.run} of {owner.who} is at work on {host} ({owner.why or 'apply'})",
            "change",
        )
        label = ""
    for host, run in status.unfinished.items():
        yield (
            label,
            f"run {run.run} of {run.who} ({local_time(run.when)}) was cut on {host}",
            "refuse",
        )
        label = ""
    if not status.busy and not status.unfinished:
        yield label, "nothing", ""


def _next(status: Status) -> tuple[str, str, str]:
    return "next", _following(status), "strong"


def _following(status: Status) -> str:
    check = status.check
    if status.busy:
        return "wait until that run ends"
    if status.unfinished:
        return "kjpstate apply   settles it first, then shows the plan"
    if status.dead or (check is not None and check.exit_code in (errors.DRIFT, errors.REFUSED)):
        return "kjpstate plan   shows what an apply would do"
    if status.lost:
        return "is it on, and in this network?   kjpstate status   asks again"
    if status.stale:
        return "kjpstate drift   checks now; kjpstate schedule --show   shows what should run it"
    if not status.applies:
        return "kjpstate plan"
    if not status.checks:
        return "kjpstate schedule   has drift run by itself"
    return "nothing to do"
