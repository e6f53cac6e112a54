"""Options that several verbs share, each said once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

from kjpstate.cli.session import Session
from kjpstate.formats.times import seconds

_Command = TypeVar("_Command", bound=Callable[..., Any])


def document(function: _Command) -> _Command:
    """`[DOCUMENT]`."""
    return click.argument("document", required=False, default=None)(function)


def as_json(function: _Command) -> _Command:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON value on stdout.")(
        function
    )


def lock_timeout(function: _Command) -> _Command:
    """`--lock-timeout 5m`."""
    text = "Wait so long for a host that another run has locked, such as 5m."
    return click.option(
        "--lock-timeout", metavar="TIME", default="0s", callback=_seconds, help=text
    )(function)


def wait(function: _Command) -> _Command:
    """`--wait 5m`."""
    text = (
        "Wait so long for a host that is lost on the way, and go on if what is left is "
        "still the plan."
    )
    return click.option("--wait", metavar="TIME", default="0s", callback=_seconds, help=text)(
        function
    )


def _seconds(_: click.Context, option: click.Parameter, text: str) -> float:
    found = seconds(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is no time: write 30s, 5m or 1h", param=option)
    return found


def timeout(default: float, words: str) -> Callable[[_Command], _Command]:
    """`--timeout SECONDS`, a number that has an end."""
    return click.option(
        "--timeout",
        type=click.FloatRange(1, 86400),
        default=default,
        show_default=True,
        metavar="SECONDS",
        callback=_some_number,
        help=words,
    )


def _some_number(_: click.Context, option: click.Parameter, number: float) -> float:
    if math.isnan(number):  # lies in every range, to click
        raise click.BadParameter("nan is no number of seconds", param=option)
    return number


def scope(function: _Command) -> _Command:
    """`--only` and `--limit`, both may be given again."""
    only = click.option(
        "--only",
        multiple=True,
        metavar="ADDRESS",
        help="Only this resource, such as dns or patch.backoff.",
    )
    limit = click.option("--limit", multiple=True, metavar="HOST", help="Only this host.")
    return only(limit(function))


def here(function: _Command) -> _Command:
    """`--here`."""
    return click.option(
        "--here",
        metavar="HOST",
        help="This machine is HOST; what stands on others is not looked at.",
    )(function)


def colour(function: _Command) -> _Command:
    """`--no-color`."""
    return click.option(
        "--no-color",
        is_flag=True,
        expose_value=False,
        callback=_no_colour,
        help="Never use colour.",
    )(function)


def _no_colour(ctx: click.Context, _: click.Parameter, chosen: bool) -> bool:
    session = ctx.find_object(Session)
    if session is not None and chosen:
        session.no_colour = True
    return chosen


def duration(name: str, variable: str, words: str) -> Callable[[_Command], _Command]:
    """An option `name` that takes `90s`, `30m` or `1h`, as a document does; seconds, or None
    without it."""
    return click.option(name, variable, metavar="TIME", callback=_some_seconds, help=words)


def _some_seconds(ctx: click.Context, option: click.Parameter, text: str | None) -> float | None:
    found = None if text is None else _seconds(ctx, option, text)
    if found == 0:
        raise click.BadParameter(f"{text!r} is no time at all: write 30s, 5m or 1h", param=option)
    return found
