"""Which language a run speaks: what was typed, else KJPSTATE_LANG, the document's, the system's."""

from __future__ import annotations

import locale
import sys
from collections.abc import Iterator, Mapping

from kjpstate.words import DOMAIN, ENGLISH, places, use

VARIABLE = "KJPSTATE_LANG"
_OF_SYSTEM = ("LC_ALL", "LC_MESSAGES", "LANG")


def offered(environ: Mapping[str, str]) -> tuple[str, ...]:
    """English, and every language that has a catalogue."""
    found = (
        file.parents[1].name
        for place in places(environ)
        for file in place.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")
    )
    return (ENGLISH, *sorted(set(found) - {ENGLISH}))


def speak(environ: Mapping[str, str], typed: str = "", written: str = "") -> str:
    """Speak the first language of these that is offered, from now on; its name.

    `typed`: `--lang`. `written`: the document's `lang`.
    """
    known = offered(environ)
    wanted = (typed, environ.get(VARIABLE, ""), written, *_of_system(environ))
    language = next((name for name in wanted if name in known), ENGLISH)
    use(language, environ)
    return language


def _of_system(environ: Mapping[str, str]) -> Iterator[str]:
    """`id_ID`, then `id`."""
    name = _on_windows() if sys.platform == "win32" else _on_posix(environ)
    whole = name.partition(".")[0].partition("@")[0]
    yield whole
    yield whole.partition("_")[0]


def _on_posix(environ: Mapping[str, str]) -> str:
    return next((environ[name] for name in _OF_SYSTEM if environ.get(name)), "")


def _on_windows() -> str:
    """The language of the user's screens, which is not that of dates and numbers."""
    import ctypes

    number = getattr(ctypes, "windll").kernel32.GetUserDefaultUILanguage()  # noqa: B009
    return locale.windows_locale.get(number, "")
