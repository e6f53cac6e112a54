"""The words of every message, in the reader's language. Only `render` and `cli` ask for them.

A module a room has a table MESSAGES: code -> the English sentence, which is gettext's message id.
Placeholders are names of values, with a format where a value is no text:

    {path}            a text, a number, a message in words
    {reason:clause}   a sentence without its full stop
    {names:and}       a list: `a, b and c` (`or` too); {names} alone is `a, b, c`,
                      {names:lines} a line each, {names:quoted} `"a", "b"`, {names:words} `a b c`,
                      {names:ands} `a and b and c`, {names:ors} `a or b or c`,
                      {names:semicolons} `a; b; c`
    {took:span}       seconds, in words: `about`, `clock`, `exact`, `rough`, `spelled` as in
                      `formats.times`
    {text!r}          quoted, as Python would
    {text:schema}     a text of the schemas, which is its own message id; `gist` is its first
                      sentence as a part of another
    {count:,}         any other format of Python's
"""

from __future__ import annotations

import gettext
import string
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Final

from kjpstate.formats import times
from kjpstate.said import Said, Text, speaks
from kjpstate.words.plural import Plural

DOMAIN: Final = "kjpstate"
ENGLISH: Final = "en"
_TIMES: Mapping[str, Callable[[float], str]] = {
    "about": times.about,
    "clock": times.clock,
    "exact": times.exact,
    "rough": times.rough,
    "spelled": times.spelled,
}
_chosen: gettext.NullTranslations = gettext.NullTranslations()


def places(environ: Mapping[str, str]) -> Iterator[Path]:
    """The folders of catalogues, `LANGUAGE/LC_MESSAGES/kjpstate.mo`: that of KJPSTATE_LOCALES, if
    it is set, and our own."""
    if environ.get("KJPSTATE_LOCALES"):
        yield Path(environ["KJPSTATE_LOCALES"])
    yield Path(__file__).parent / "locale"


def use(language: str, environ: Mapping[str, str]) -> None:
    """Speak `language` from now on; English, where no catalogue of it can be read."""
    global _chosen  # noqa: PLW0603 - the reader of one run is one
    speaks(text)
    _chosen = gettext.NullTranslations()
    for place in places(environ):
        with suppress(OSError, ValueError, LookupError, struct.error):  # none, or damaged
            _chosen = gettext.translation(DOMAIN, str(place), [language])
            return


def text(said: Text) -> str:
    """The sentence of a message; a text of somebody else's as it is."""
    if isinstance(said, str):
        return said
    message = messages().get(said.code)
    if message is None:
        return said.bare
    values = said.values
    try:
        return _FORMATTER.vformat(_translated(message, values), (), values)
    except (LookupError, ValueError, TypeError, AttributeError):  # a catalogue's mistake
        return said.bare


def texts(many: Sequence[Text]) -> list[str]:
    """The sentence of each."""
    return [text(said) for said in many]


@cache
def messages() -> Mapping[str, str | Plural]:
    """Code -> its English."""
    found: dict[str, str | Plural] = {}
    for room in iter_modules(__path__):
        found |= getattr(import_module(f"{__name__}.{room.name}"), "MESSAGES", {})
    return found


def _translated(message: str | Plural, values: Mapping[str, Any]) -> str:
    if isinstance(message, Plural):
        return _chosen.ngettext(message.one, message.many, int(values[message.by]))
    return _chosen.gettext(message)


class _Formatter(string.Formatter):
    """Lists, times and messages beside Python's own formats."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec in _TIMES:
            return _TIMES[format_spec](value)
        if isinstance(value, (list, tuple)):
            return _listed([self.format_field(item, "") for item in value], format_spec)
        if isinstance(value, Said):
            value = text(value)
        if format_spec == "schema":
            return _chosen.gettext(value)
        if format_spec == "gist":
            first = _chosen.gettext(value).partition(".")[0]
            return f"{first[:1].lower()}{first[1:]}"
        if format_spec == "clause":
            return str(value).rstrip(".")
        return format(value, format_spec)

    def convert_field(self, value: Any, conversion: Any) -> Any:
        if isinstance(value, Said):
            value = text(value)
        return super().convert_field(value, conversion)


_FORMATTER = _Formatter()


def _listed(items: Sequence[str], how: str) -> str:
    match how:
        case "and" | "or" if len(items) > 1:
            last = {"list": ", ".join(items[:-1]), "last": items[-1]}
            return _translated(messages()[f"list.{how}"], {}).format(**last)
        case "ands" | "ors":
            return _translated(messages()[f"list.{how}"], {}).join(items)
        case "quoted":
            return ", ".join(f'"{item}"' for item in items)
        case "words-or-none":
            return " ".join(items) or _translated(messages()["list.none"], {})
        case "semicolons":
            return "; ".join(items)
        case "lines":
            return "\n".join(items)
        case "words":
            return " ".join(items)
        case _:
            return ", ".join(items)
