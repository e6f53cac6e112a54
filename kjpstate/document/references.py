"""`${env:NAME}` and `${file:PATH}` in a text -> a Secret; `$${env:` is the text `${env:`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kjpstate.formats.windows import misleading
from kjpstate.said import Text, say
from kjpstate.secret import Secret

MAX_FILE = 64 * 1024
MIN_MASKED = 4
"""Shorter values are veiled where they stand, but not masked in every text: that would garble all
of it."""

_REFERENCE = re.compile(r"(?P<escaped>\$)?\$\{(?P<source>env|file):(?P<name>[^}\n]*)\}?")


class BadReference(Exception):
    """A reference that leads nowhere."""

    def __init__(self, why: Text) -> None:
        super().__init__(why)
        self.why = why


@dataclass
class References:
    """Fills references; remembers every value for the masks of renderers.

    `folder`: where relative paths of `${file:…}` start. `forgiving`: what is not set, or not there,
    is empty.
    """

    environ: Mapping[str, str]
    folder: Path
    forgiving: bool = False
    windows: bool = False
    values: set[str] = field(default_factory=set, repr=False)

    def filled(self, text: str) -> str | Secret:
        """`text` as it is, or a Secret when it holds a reference; raises BadReference."""
        found = [match for match in _REFERENCE.finditer(text) if not match["escaped"]]
        filled = _REFERENCE.sub(self._value, text)
        if not found:
            return filled
        self.values |= {filled} if len(filled) >= MIN_MASKED else set()
        return Secret(filled, reference=text)

    def _value(self, match: re.Match[str]) -> str:
        if match["escaped"]:
            return match.group()[1:]
        if not match.group().endswith("}"):
            raise BadReference(say("document.no-brace", reference=match.group()))
        name = match["name"]
        value = self._environment(name) if match["source"] == "env" else self._file(name)
        self.values |= {value} if len(value) >= MIN_MASKED else set()
        return value

    def _environment(self, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise BadReference(say("document.no-variable-name", name=repr(name)))
        if name not in self.environ and self.forgiving:
            return ""
        if name not in self.environ:
            raise BadReference(say("document.variable-not-set", name=name))
        return self.environ[name]

    def _file(self, name: str) -> str:
        try:
            written = at_home(name, self.environ)
            if self.windows and (odd := misleading(written.replace("\\", "/"))):
                raise BadReference(say("document.secret-unreadable", file=name, why=odd))
            path = self.folder / written
            if path.exists() and not path.is_file():
                raise BadReference(say("document.secret-no-file", file=name))
            with path.open("rb") as file:
                data = file.read(MAX_FILE + 1)
            value = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a user without a home
            if self.forgiving and isinstance(error, FileNotFoundError):
                return ""
            raise BadReference(
                say("document.secret-unreadable", file=name, why=_why(error))
            ) from None
        if len(data) > MAX_FILE or "\0" in value:
            raise BadReference(say("document.secret-too-large", file=name))
        return value


def at_home(path: str, environ: Mapping[str, str]) -> str:
    """`~` and `~/…` as the home folder of whoever runs kjpstate, with `/`; any
    other path as it is."""
    if path != "~" and not path.startswith("~/"):
        return path
    home = environ.get("HOME") or environ.get("USERPROFILE") or str(Path.home())
    return home.replace("\\", "/").rstrip("/") + path[1:]


def _why(error: Exception) -> Text:
    if isinstance(error, UnicodeError):
        return say("document.secret-no-text")
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
