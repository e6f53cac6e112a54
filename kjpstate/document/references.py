"""`${env:NAME}` and `${file:PATH}` in a text -> a Secret; `$${env:` is the text `${env:`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kjpstate.formats.windows import misleading
from kjpstate.secret import Secret

MAX_FILE = 64 * 1024
MIN_MASKED = 4
"""Shorter values are veiled where they stand, but not masked in every text: that would garble all
of it."""

_REFERENCE = re.compile(r"(?P<escaped>\$)?\$\{(?P<source>env|file):(?P<name>[^}\n]*)\}?")


class BadReference(Exception):
    """A reference that leads nowhere; str() says why."""


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
            raise BadReference(f"{match.group()} has no closing brace")
        name = match["name"]
        value = self._environment(name) if match["source"] == "env" else self._file(name)
        self.values |= {value} if len(value) >= MIN_MASKED else set()
        return value

    def _environment(self, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise BadReference(f"{name!r} is not the name of an environment variable")
        if name not in self.environ and self.forgiving:
            return ""
        if name not in self.environ:
            raise BadReference(f"the environment variable {name} is not set; set it and run again")
        return self.environ[name]

    def _file(self, name: str) -> str:
        try:
            written = at_home(name, self.environ)
            if self.windows and (odd := misleading(written.replace("\\", "/"))):
                raise BadReference(f"the file {name} can't be read: {odd}")
            path = self.folder / written
            if path.exists() and not path.is_file():
                raise BadReference(f"{name} is not a file")
            with path.open("rb") as file:
                data = file.read(MAX_FILE + 1)
            value = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a user without a home
            if self.forgiving and isinstance(error, FileNotFoundError):
                return ""
            why = "it is not UTF-8 text" if isinstance(error, UnicodeError) else _why(error)
            raise BadReference(f"the file {name} can't be read: {why}") from None
        if len(data) > MAX_FILE or "\0" in value:
            raise BadReference(f"the file {name} does not hold a secret of at most 64 KiB of text")
        return value


def at_home(path: str, environ: Mapping[str, str]) -> str:
    """`~` and `~/…` as the home folder of whoever runs kjpstate, with `/`; any
    other path as it is."""
    if path != "~" and not path.startswith("~/"):
        return path
    home = environ.get("HOME") or environ.get("USERPROFILE") or str(Path.home())
    return home.replace("\\", "/").rstrip("/") + path[1:]


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
