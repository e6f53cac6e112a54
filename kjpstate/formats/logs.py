"""What an app wrote into its logs since a moment, from the probe `tail` and the stamp `log` of that
moment.

Called by the kind check and by `monitor`; `render` is for the simulated box. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kjpstate.model import Answer, Probe, Unreadable
from kjpstate.said import Text, say

CAP = 256 * 1024
"""Bytes of a log's end that travel; what was written before them is not judged, and the verdict
says so."""

NOWHERE = ("NULL", "/dev/null")
"""Paths by which PM2 is told to keep no log."""

_HEADER = re.compile(rb"size (\d{1,15}) start (\d{1,15})\n")


@dataclass(frozen=True)
class Tail:
    """The bytes of a log from `start` to `size`; a log that is not there is an empty one."""

    size: int
    start: int
    content: bytes

    def since(self, offset: int | None) -> tuple[str, bool]:
        """(text written after `offset`, whether that is all of it). A smaller file was rotated: all
        of it."""
        begin = 0 if offset is None or offset > self.size else offset
        return self.content[max(begin - self.start, 0) :].decode(
            errors="replace"
        ), begin >= self.start


def numbered(app: Mapping[str, Any]) -> bool:
    """True if PM2 puts the app's number into the names of its log files: bot-out-0.log."""
    many = "instances" in app or str(app.get("exec_mode", "")).startswith("cluster")
    return many and not app.get("merge_logs")


def reading(host: str, path: str) -> Probe:
    """The reading for the end of one log; a leading `~pm2/` in `path` is PM2's home."""
    return Probe(host, "tail", (str(CAP), path))


def parse(answer: Answer) -> Tail | Text:
    """The end of the log, or a sentence why that can't be known."""
    if isinstance(answer, Unreadable):
        return say("logs.unread", why=answer.why)
    if not isinstance(answer, bytes):
        return say("logs.no-posix")
    if answer == b"missing\n":
        return Tail(0, 0, b"")
    header = _HEADER.match(answer)
    if header is None:
        return say("logs.denied")
    return Tail(int(header[1]), int(header[2]), answer[header.end() :])


def render(content: bytes | None) -> bytes:
    """The very bytes the probe would print for a file of this content; None: no such file."""
    if content is None:
        return b"missing\n"
    start = max(len(content) - CAP, 0)
    return b"size %d start %d\n" % (len(content), start) + content[start:]


def offset(stamp: Mapping[str, Any] | None, stream: str) -> int | None:
    """The end of `stream` (out or error) when the stamp was made; 0: there was no file, None: not
    known."""
    if stamp is None or stream not in stamp:
        return None
    noted = stamp[stream]
    size = noted.get("size") if isinstance(noted, dict) else 0
    return size if isinstance(size, int) and size >= 0 else None
