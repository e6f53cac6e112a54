"""How things stand, in five lines: the bot, the last apply, the last check, what is unfinished,
what to type.

Called by `cli.status` with what was read and remembered; this page knows no clock but the time it
is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

from kjpstate import errors
from kjpstate.formats.pm2.health import Health
from kjpstate.formats.times import iso_time, local_time, parsed_time
from kjpstate.history import Past
from kjpstate.model import Holder, Unfinished
from kjpstate.render.as_json import opening
from kjpstate.render.lines import Line
from kjpstate.render.masks import Mask, plain
from kjpstate.render.pasts import result_of
from kjpstate.render.rows import rows_of_lost
from kjpstate.said import Said, Text, say

_ANSWERS = (errors.IN_SYNC, errors.DRIFT, errors.UNREACHABLE, errors.REFUSED)
"""What a check ends with that looked; with anything else it failed itself."""
_LABEL = 12
_Row: TypeAlias = tuple[Text, Text, str]
"""A label, what it says, and the style."""


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
        Line(f"{label!s:<{_LABEL}}{text}", style, hang=_LABEL) for label, text, style in rows
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
        "next": str(_following(status)),
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


def _bots(status: Status) -> Iterator[_Row]:
    label: Text = say("status.bot")
    for bot in status.bots:
        told = {"app": bot.name, "host": bot.host, "why": bot.health.reason}
        if bot.health.state == "unknown":
            yield label, say("status.not-known", **told), "refuse"
        elif bot.health.alive:
            yield label, say("status.alive", **told), "good"
        else:
            yield label, say("status.dead", **told), "refuse"
        label = ""
    for host, why in status.lost.items():
        first, *_ = rows_of_lost(host, why)
        yield label, say("status.not-reached", host=host, why=first), "refuse"
        label = ""
    if not status.bots and not status.lost:
        yield label, say("status.no-bot"), ""


def _apply(status: Status) -> _Row:
    label, run = say("status.last-apply"), next(iter(status.applies), None)
    if run is None:
        return label, say("status.no-apply"), ""
    style = "good" if run.exit_code == 0 else "refuse"
    when, result = local_time(run.started), result_of(run)
    return label, say("status.apply", when=when, who=run.who, result=result, run=run.id), style


def _check(status: Status) -> _Row:
    label = say("status.last-check")
    newest, check = next(iter(status.checks), None), status.check
    if newest is None:
        if status.unread:
            return label, say("status.no-history"), "refuse"
        return label, say("status.no-check"), ""
    if check is None:
        return label, say("status.none-looked", failing=_failing(newest)), "refuse"
    since = local_time(check.ended)
    if status.stale:
        told, style = say("status.stale", since=since), "refuse"
        if status.age is not None and status.age < timedelta(0):
            told = say("status.yet-to-come", since=since)
    else:
        told, style = _found(check, since), "good" if check.exit_code == 0 else "change"
    if newest is not check:
        told = say("status.and-then", told=told, failing=_failing(newest))
    return label, told, style


def _found(check: Past, since: str) -> Said:
    if check.times > 1:
        result = result_of(check)
        return say("status.check-again", since=since, result=result, times=check.times)
    return say("status.check", since=since, result=result_of(check))


def _failing(run: Past) -> Said:
    when, result = local_time(run.ended), result_of(run)
    if run.said:
        return say("status.failed-saying", when=when, result=result, said=run.said)
    return say("status.failed", when=when, result=result)


def _unfinished(status: Status) -> Iterator[_Row]:
    label: Text = say("status.unfinished")
    for host, owner in status.busy.items():
        why = owner.why or "apply"
        busy = say("status.busy", run=owner.run, who=owner.who, host=host, why=why)
        yield label, busy, "change"
        label = ""
    for host, run in status.unfinished.items():
        when = local_time(run.when)
        yield label, say("status.cut", run=run.run, who=run.who, when=when, host=host), "refuse"
        label = ""
    if not status.busy and not status.unfinished:
        yield label, say("status.nothing"), ""


def _next(status: Status) -> _Row:
    return say("status.next"), _following(status), "strong"


def _following(status: Status) -> Said:
    check = status.check
    if status.busy:
        return say("status.wait")
    if status.unfinished:
        return say("status.apply-settles")
    if status.dead or (check is not None and check.exit_code in (errors.DRIFT, errors.REFUSED)):
        return say("status.plan-shows")
    if status.lost:
        return say("status.is-it-on")
    if status.stale:
        return say("status.check-now")
    if not status.applies:
        return say("status.plan")
    if not status.checks:
        return say("status.schedule")
    return say("status.nothing-to-do")
