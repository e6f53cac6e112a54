"""Sentences of the hosts, by their codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MESSAGES: Mapping[str, str] = {
    "hosts.backup-is-a-link": "{backup} is a symbolic link; it is left alone",
    "hosts.changed-meanwhile": "{path} was changed by somebody else meanwhile; that stands",
    "hosts.failed": "{path}: {reason}",
    "hosts.file-and-folder": (
        "{path}: {name} is a file where a folder must be, or a folder where a file must be"
    ),
    "hosts.folder-not-file": "{path} is a folder, not a file",
    "hosts.folder-now": "{path} is a folder now",
    "hosts.is-a-folder": "is a folder",
    "hosts.is-no-folder": "is not a folder",
    "hosts.is-no-regular-file": "is not a regular file",
    "hosts.killed": "was killed by a signal",
    "hosts.late-lost": "{path}: what others wrote there meanwhile could not be brought along",
    "hosts.leads-nowhere": "is a symbolic link to {target}, which does not exist",
    "hosts.left-over": "{path} is taken away, but {left} can't be removed: {reason}",
    "hosts.line-end": "{path}: a name with a line end can not be managed",
    "hosts.link-not-replaced": "{path} is a symbolic link; kjpstate does not replace it",
    "hosts.link-not-switched": (
        "{path} is a symbolic link to {target}; kjpstate does not switch it"
    ),
    "hosts.link-not-written": (
        "{path} is a symbolic link to {target}; kjpstate does not write through it"
    ),
    "hosts.moved-while-kept": "{path} moved while it was backed up",
    "hosts.moved-while-read": "moved while it was read",
    "hosts.no-command": "{command}: no such command",
    "hosts.no-folder": "no folder {folder}",
    "hosts.no-folder-at": "{path} is not a folder",
    "hosts.no-folder-for": "{path}: its folder does not exist",
    "hosts.no-name-for-original": "{path}: no name to keep the original by",
    "hosts.no-name-of-a-backup": (
        "{backup} bears no name of a backup of run {run}; it is left alone"
    ),
    "hosts.no-parent": "{path}: the folder it should be in does not exist",
    "hosts.no-proc": "no /proc on this host",
    "hosts.no-regular-file-at": "{path} is not a regular file",
    "hosts.no-such-folder": "there is no folder {folder}",
    "hosts.not-a-folder": "{path} is there and is not a folder",
    "hosts.not-as-planned": "{path} is not as the plan saw it any more",
    "hosts.not-in-time": "{command} did not end within {seconds} s",
    "hosts.not-understood": "the host answered in a way kjpstate does not understand",
    "hosts.not-what-was-put-back": (
        "{path} does not hold what was put back; somebody else is writing it"
    ),
    "hosts.not-what-was-sent": "{path}: what arrived is not what was sent",
    "hosts.not-what-was-written": (
        "{path} does not hold what was written; somebody else is writing it"
    ),
    "hosts.not-written": "{path} can not be written",
    "hosts.original-gone": "{path}: its original {backup} is gone",
    "hosts.permission-denied": "permission denied",
    "hosts.source-moved": "{path}: what came is not what the plan saw at its source any more",
    "hosts.still-running": "still running after {seconds} s, stopped",
    "hosts.system": "{reason}",
    "hosts.too-large": "is larger than {size} MiB",
    "hosts.too-large-below": "{name}: is larger than {size} MiB",
    "hosts.tool": "{line}",
    "lock.foreign": "{path} belongs to user {user}",
    "lock.is-a-folder": "{path} is a folder",
    "lock.is-a-link": "{path} is a symbolic link",
    "lock.is-empty": "{path} is empty",
    "lock.is-no-regular-file": "{path} is not a regular file",
    "lock.is-too-large": "{path} is too large for a lock",
    "lock.left": "{path}, which a dead run left, can not be removed",
    "lock.no-lock": "{path} does not read as a lock",
    "lock.place-is-no-folder": "{path} is not a folder",
    "lock.place-is-open": "{path} can be written by others",
    "lock.taken-away": "the lock was taken away from this run",
    "lock.whose": "{user}'s, {path}",
    "lock.whose-earlier": "an earlier version's, {path}",
    "unsafe-folder.behind-a-link": (
        "lies behind a link of user {user}, and is not theirs [unsafe-folder]"
    ),
    "unsafe-folder.link": (
        "{path}: {link} is a link that user {user} may change, which is not followed; name the "
        "real folder in the document [unsafe-folder]"
    ),
    "unsafe-folder.moved": "{path}: its folder was moved just now [unsafe-folder]",
    "unsafe-folder.no-way": (
        "{path}: its folder is of user {user}, and this host has no setpriv, runuser or su by "
        "which they could do it; chown root {folder} [unsafe-folder]"
    ),
    "unsafe-folder.no-way-inside": (
        "{path}: it is of user {user}, and this host has no setpriv, runuser or su by which they "
        "could act; chown -R root it [unsafe-folder]"
    ),
    "unsafe-folder.not-theirs": (
        "{path}: user {user}, whose folder it is in, can't read it; chown it to them "
        "[unsafe-folder]"
    ),
    "unsafe-folder.others": (
        "{path}: others than user {user} may change names in its folder; chmod go-w {folder} "
        "[unsafe-folder]"
    ),
    "unsafe-folder.others-inside": (
        "{path}: others than user {user} may change names in it; chmod -R go-w it, or chown -R it "
        "to one user [unsafe-folder]"
    ),
}


def say(code: str, /, **values: Any) -> str:
    """The sentence of `code` about `values`."""
    return MESSAGES[code].format(**values)
