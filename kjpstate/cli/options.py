"""Command lines as values: each field of a verb's dataclass is an option or an argument, said there
once; those that several verbs have are said here."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import Any, TypeVar

import click

from kjpstate.cli.session import Session
from kjpstate.formats.times import seconds
from kjpstate.model import Scope

_Asked = TypeVar("_Asked")
_Parameters = Callable[[str], list[click.Parameter]]
"""What the command line has for a field of that name."""

_PARAMETERS, _MADE = "parameters", "made"
"""Keys of a field's metadata; under the second what makes one value out of several parameters."""

_SCOPE: Mapping[str, tuple[str, str, bool]] = {
    "only": ("ADDRESS", "Only this resource, such as dns or patch.backoff.", True),
    "limit": ("HOST", "Only this host.", True),
    "exclude": ("HOST", "Do not look at this host; * and ? stand for any signs.", True),
    "here": ("HOST", "This machine is HOST; what stands on others is not looked at.", False),
}
"""Field of `Scope` -> the word for its value, its help, and whether it may be given again."""


def command(
    asked: type[_Asked], by: Callable[..., Any] = click.command, **how: Any
) -> Callable[[Callable[[Session, _Asked], int]], click.Command]:
    """Make a click command of a function that is given its command line as an `asked`."""
    parameters = {item.name: item.metadata[_PARAMETERS](item.name) for item in _fields(asked)}

    def made(work: Callable[[Session, _Asked], int]) -> click.Command:
        @functools.wraps(work)
        def run(session: Session, /, **words: Any) -> int:
            return work(session, _filled(asked, parameters, words))

        every = [one for several in parameters.values() for one in several]
        command: click.Command = by(params=[*every, _colour()], **how)(click.pass_obj(run))
        return command

    return made


def _filled(
    asked: type[_Asked],
    parameters: Mapping[str, list[click.Parameter]],
    words: Mapping[str, Any],
) -> _Asked:
    values: dict[str, Any] = {}
    for item in _fields(asked):
        given = {str(one.name): words[str(one.name)] for one in parameters[item.name]}
        made = item.metadata[_MADE]
        values[item.name] = words[item.name] if made is None else made(**given)
    return asked(**values)


def _fields(asked: type[Any]) -> Any:
    return fields(asked)


def _field(parameters: _Parameters, made: Callable[..., Any] | None = None) -> Any:
    return field(kw_only=True, metadata={_PARAMETERS: parameters, _MADE: made})


def option(*names: str, **how: Any) -> Any:
    """A field that an option fills."""
    return _field(lambda name: [click.Option([*names, name], **how)])


def flag(*names: str, help: str) -> Any:
    """A field that is true when the option is given."""
    return option(*names, is_flag=True, help=help)


def argument(**how: Any) -> Any:
    """A field that a word without an option fills; None without it, unless it is required."""
    how.setdefault("required", False)
    return _field(lambda name: [click.Argument([name], **how)])


def scope(*names: str) -> Any:
    """The field of a `Scope`: the options of these names, or all of them."""

    def parameters(_: str) -> list[click.Parameter]:
        return [
            click.Option([f"--{name}"], metavar=word, help=text, multiple=again)
            for name, (word, text, again) in _SCOPE.items()
            if name in (names or _SCOPE)
        ]

    return _field(parameters, Scope)


def hosts() -> Any:
    """The field of a `Scope` that names no addresses."""
    return scope("limit", "exclude", "here")


def as_json() -> Any:
    """`--json`."""
    return flag("--json", help="One JSON value on stdout.")


def yes(text: str = "Do not ask.") -> Any:
    """`--yes`."""
    return flag("--yes", help=text)


def lock_timeout() -> Any:
    """`--lock-timeout 5m`, in seconds."""
    text = "Wait so long for a host that another run has locked, such as 5m."
    return option("--lock-timeout", metavar="TIME", default="0s", callback=_seconds, help=text)


def wait() -> Any:
    """`--wait 5m`, in seconds."""
    text = (
        "Wait so long for a host that is lost on the way, and go on if what is left is "
        "still the plan."
    )
    return option("--wait", metavar="TIME", default="0s", callback=_seconds, help=text)


def timeout(default: float, text: str) -> Any:
    """`--timeout SECONDS`, a number that has an end."""
    return option(
        "--timeout",
        type=click.FloatRange(1, 86400),
        default=default,
        show_default=True,
        metavar="SECONDS",
        callback=_some_number,
        help=text,
    )


def duration(name: str, text: str) -> Any:
    """An option that takes `90s`, `30m` or `1h`, as a document does: in seconds, None without
    it."""
    return option(name, metavar="TIME", callback=_some_seconds, help=text)


def file(name: str, text: str) -> Any:
    """An option that names a file to be written; None without it."""
    return option(name, type=click.Path(dir_okay=False, path_type=Path), help=text)


def _colour() -> click.Option:
    return click.Option(
        ["--no-color"],
        is_flag=True,
        expose_value=False,
        callback=_no_colour,
        help="Never use colour.",
    )


def _no_colour(ctx: click.Context, _: click.Parameter, chosen: bool) -> bool:
    session = ctx.find_object(Session)
    if session is not None and chosen:
        session.no_colour = True
    return chosen


def _some_number(_: click.Context, option: click.Parameter, number: float) -> float:
    if math.isnan(number):  # lies in every range, to click
        raise click.BadParameter("nan is no number of seconds", param=option)
    return number


def _some_seconds(ctx: click.Context, option: click.Parameter, text: str | None) -> float | None:
    found = None if text is None else _seconds(ctx, option, text)
    if found == 0:
        raise click.BadParameter(f"{text!r} is no time at all: write 30s, 5m or 1h", param=option)
    return found


def _seconds(_: click.Context, option: click.Parameter, text: str) -> float:
    found = seconds(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is no time: write 30s, 5m or 1h", param=option)
    return found
