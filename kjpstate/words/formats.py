"""The words of what `formats/` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kjpstate.words.plural import Plural

MESSAGES: Final[Mapping[str, str | Plural]] = {
    "causes.both": "{app}; {files}",
    "causes.changed": "{name} changed {when}, {span:spelled} ago",
    "causes.list": "{parts}",
    "causes.nobody": "nobody was logged in then",
    "causes.packages": "just after dpkg: {packages}",
    "causes.packages-and-more": "just after dpkg: {packages} and {more} more",
    "causes.people": "logged in then: {names}",
    "causes.people-and-more": "logged in then: {names} and {more} more",
    "causes.person": "{user} from {origin}",
    "causes.pm2-log": "PM2's log: {when} {line}",
    "causes.unknown-time": "at an unknown time",
    "causes.went": "{name} went away, or its folder changed, {when}, {span:spelled} ago",
    "clock.odd": "`date` said {said!r}",
    "clock.unknown": "the host's own time is not known: {why}",
    "cpu.no-posix": "CPU can be measured only on a POSIX host",
    "cpu.no-process": "no process of it runs under PM2",
    "cpu.unmeasured": "its CPU could not be measured: {why}",
    "logs.at": "{path} {why}",
    "logs.denied": "could not be read: no permission, or not a file",
    "logs.no-posix": "logs can be read only on a POSIX host",
    "logs.rotated": "{path} was rotated; what it held is counted",
    "logs.rotated-lost": "{path} was rotated; its last lines before that are not counted",
    "logs.unread": "could not be read: {why}",
    "names.no-answer": "gave no answer ({tool} ended with {code})",
    "names.no-posix": "names can be asked for only on a POSIX host",
    "names.not-asked": "names could not be asked for: {why}",
    "pins.bad-escape": "the pointer {pointer} has a ~ that is neither ~0 (for ~) nor ~1 (for /)",
    "pins.no-json": "it is not JSON ({error})",
    "pins.no-slash": "the pointer {pointer} does not begin with /",
    "pins.nothing-at": "there is nothing at {pointer}",
    "server-closed": "has no DNS server: the connection was refused [server-closed]",
    "server-empty": "knows the name and has no address for it [server-empty]",
    "server-nxdomain": "says that there is no such name [server-nxdomain]",
    "server-refused": "refuses to answer us [server-refused]",
    "server-servfail": "failed to find an answer [server-servfail]",
    "server-timeout": "did not answer within 2 s [server-timeout]",
    "watch.a-name": "a name",
    "watch.box-restarted": "the box was restarted",
    "watch.cpu": "CPU {cpu:.0f}% of one core; the limit is {limit:g}%",
    "watch.cpu-never": "its CPU was never measured",
    "watch.crashes": "restarts by crashes: {crashes}; the limit is {limit}",
    "watch.daemon-restarted": "PM2's daemon was restarted",
    "watch.idle": "online, but without any connection for {seconds:.0f} s: given up by itself",
    "watch.log": 'lines with "{text}": {times}; the limit is {limit}',
    "watch.logs-unread": 'its logs can\'t be read, so lines with "{text}" were not counted',
    "watch.lost": "out of sight for {dark:clock} of {length:clock}",
    "watch.lost-at-the-end": "out of sight at the end: {why}",
    "watch.memory": "memory {memory}; the limit is {limit}",
    "watch.memory-never": "its memory was never measured",
    "watch.no-name": "no name was asked for: no check `dns` of this host has `resolves`",
    "watch.not-alive": "{app} is not alive: {why}",
    "watch.nothing-seen": "nothing was seen",
    "watch.planned": "restarted on purpose",
    "watch.unresolved": "{names} did not resolve at {looks} looks; the limit is {limit}",
    "windows.device-path": (
        "expected a path with its drive, such as C:/bot; found the device path {path}"
    ),
    "windows.no-drive": (
        "{path} is another place on each drive of Windows; write the drive: C:{path}"
    ),
    "windows.no-share": "expected //server/share/folder; found {path}",
    "windows.no-slash": "expected / after the drive: {path}",
    "windows.odd-name": "{name!r} can't be the name of a file or folder on Windows",
}
