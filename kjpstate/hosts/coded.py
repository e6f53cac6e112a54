"""What our scripts say in their own words: a code and its values, a line each, of
which only the last may have line ends. Pure.

Called by `frames` and `session`. The box may be anybody's: what has not this form is not taken for
words of ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kjpstate.said import Text, say

_TOLD = re.compile(r"\w+: (?:can't open |cannot open )?(.*): (.*)")
"""What a tool says of what it can't read: its name, the thing, the reason."""

_NUMBERS = {"seconds", "size", "user"}
"""Values that are no text, where they are in digits."""

VALUES: Mapping[str, tuple[str, ...]] = {
    "hosts.backup-is-a-link": ("backup",),
    "hosts.changed-meanwhile": ("path",),
    "hosts.failed": ("path", "reason"),
    "hosts.file-and-folder": ("path", "name"),
    "hosts.folder-not-file": ("path",),
    "hosts.folder-now": ("path",),
    "hosts.is-a-folder": (),
    "hosts.is-no-folder": (),
    "hosts.is-no-regular-file": (),
    "hosts.killed": (),
    "hosts.late-lost": ("path",),
    "hosts.leads-nowhere": ("target",),
    "hosts.left-over": ("path", "left", "reason"),
    "hosts.line-end": ("path",),
    "hosts.link-not-replaced": ("path",),
    "hosts.link-not-switched": ("path", "target"),
    "hosts.link-not-written": ("path", "target"),
    "hosts.moved-while-kept": ("path",),
    "hosts.no-command": ("command",),
    "hosts.no-folder": ("folder",),
    "hosts.no-folder-at": ("path",),
    "hosts.no-folder-for": ("path",),
    "hosts.no-name-for-original": ("path",),
    "hosts.no-name-of-a-backup": ("backup", "run"),
    "hosts.no-parent": ("path",),
    "hosts.no-proc": (),
    "hosts.no-regular-file-at": ("path",),
    "hosts.no-such-folder": ("folder",),
    "hosts.not-a-folder": ("path",),
    "hosts.not-as-planned": ("path",),
    "hosts.not-in-time": ("command", "seconds"),
    "hosts.not-what-was-put-back": ("path",),
    "hosts.not-what-was-sent": ("path",),
    "hosts.not-what-was-written": ("path",),
    "hosts.not-written": ("path",),
    "hosts.original-gone": ("path", "backup"),
    "hosts.permission-denied": (),
    "hosts.source-moved": ("path",),
    "hosts.still-running": ("seconds",),
    "hosts.system": ("reason",),
    "hosts.too-large": ("size",),
    "hosts.too-large-below": ("name", "size"),
    "hosts.tool": ("line",),
    "lock.foreign": ("path", "user"),
    "lock.is-a-folder": ("path",),
    "lock.is-a-link": ("path",),
    "lock.is-empty": ("path",),
    "lock.is-no-regular-file": ("path",),
    "lock.is-too-large": ("path",),
    "lock.left": ("path",),
    "lock.no-lock": ("path",),
    "lock.place-is-no-folder": ("path",),
    "lock.place-is-open": ("path",),
    "lock.taken-away": (),
    "lock.whose": ("user", "path"),
    "lock.whose-earlier": ("path",),
    "unsafe-folder.behind-a-link": ("user",),
    "unsafe-folder.link": ("path", "link", "user"),
    "unsafe-folder.moved": ("path",),
    "unsafe-folder.no-way": ("path", "user", "folder"),
    "unsafe-folder.no-way-inside": ("path", "user"),
    "unsafe-folder.not-theirs": ("path", "user"),
    "unsafe-folder.others": ("path", "user", "folder"),
    "unsafe-folder.others-inside": ("path", "user"),
}
"""Code -> the names of its values, in the order in which the scripts give them."""


def values_of(text: str) -> tuple[str, dict[str, Any]]:
    """The code and its values; raises ValueError for what is not of our scripts."""
    code, _, rest = text.partition("\n")
    names = VALUES.get(code)
    if names is None:
        raise ValueError(text)
    values = rest.split("\n", len(names) - 1) if names else ()
    told: dict[str, Any] = dict(zip(names, values, strict=True))
    return code, {
        name: int(value) if name in _NUMBERS and value.isdecimal() else value
        for name, value in told.items()
    }


def decoded(text: str) -> Text:
    """The sentence that the text stands for; nothing for nothing."""
    if not text:
        return ""
    try:
        code, values = values_of(text)
    except ValueError:
        return say("hosts.not-understood")
    match code:
        case "hosts.tool":
            return _by_tool(values["line"])
        case "hosts.system":
            return _lowered(values["reason"])
        case _:
            return say(code, **values)


def _by_tool(line: str) -> Text:
    """The path below the root that could not be read, and why; the reason alone where it is the
    root itself."""
    found = _TOLD.fullmatch(line)
    if found is None:
        return _lowered(line.removeprefix("cd: "))
    name = found[1].strip("'\"").removeprefix("./")
    if name == ".":
        return _lowered(found[2])
    return say("hosts.failed", path=name, reason=_lowered(found[2]))


def _lowered(reason: str) -> str:
    return reason[:1].lower() + reason[1:]
