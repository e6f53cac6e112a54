"""Values as a person writes them into a document -> numbers, lists, commands, paths."""

from __future__ import annotations

import posixpath
import shlex
from typing import Any

from kjpstate.formats.times import seconds


def lasting(text: str) -> float:
    """A time that the schema has judged, in seconds."""
    found = seconds(text)
    if found is None:
        raise ValueError(f"{text!r} is no time")
    return found


def percent(text: str) -> float:
    """`30%` as 30.0."""
    return float(text.removesuffix("%"))


def bytes_of(text: str) -> int:
    """`300M` in bytes, with PM2's units: K, M and G of 1024 each."""
    return int(text[:-1]) << {"K": 10, "M": 20, "G": 30}[text[-1]]


def as_list(value: Any) -> list[Any]:
    """One text or a list of them -> a list; nothing -> []."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def argv(value: str | list[str]) -> tuple[str, ...]:
    """A command as words."""
    return tuple(shlex.split(value) if isinstance(value, str) else value)


def relative(text: str) -> str:
    """A path of a section's directory without what says nothing (`./`, `//`); the directory is
    `./`."""
    while text.startswith("./"):
        text = text[2:]
    if text in ("", "."):
        return "./"
    return posixpath.normpath(text) + ("/" if text.endswith(("/", "/.")) else "")
