"""How often a log held each of some texts since a mark, from the probe `count`; the log itself
never travels.

Called by `formats.course` for the monitor; `render` is for the simulated box. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kjpstate.model import Answer, Probe, Unreadable
from kjpstate.said import Text, say

_MARK = re.compile(r"mark (\d{1,15}) (\d{1,20}) (\d{1,12})")
_SEEN = re.compile(r"seen((?: \d{1,15})*)")


@dataclass(frozen=True)
class Mark:
    """Up to where a log was read: bytes, and what tells that it is the same file still."""

    offset: int = 0
    inode: str = "0"
    sum: str = "0"


@dataclass(frozen=True)
class Count:
    """`counts`: lines with each text, in the order asked, since the mark before. `mark`: for the
    next look, at 0 when there is no file. `rotated` lost: what was written before the log was put
    away was not found."""

    mark: Mark
    counts: tuple[int, ...] = ()
    rotated: Literal["", "whole", "lost"] = ""


def reading(host: str, path: str, mark: Mark | None, texts: Sequence[str]) -> Probe:
    """The reading for one log; without a mark only one is made. A leading `~pm2/` is PM2's home."""
    where = ("-", "-", "-") if mark is None else (str(mark.offset), mark.inode, mark.sum)
    return Probe(host, "count", (path, *where, *texts))


def parse(answer: Answer, texts: int) -> Count | Text:
    """The counts of so many texts, or a sentence why they can't be known."""
    if isinstance(answer, Unreadable):
        return say("logs.unread", why=answer.why)
    if not isinstance(answer, bytes):
        return say("logs.no-posix")
    sums = [0] * texts
    mark: Mark | None = None
    rotated: Literal["", "whole", "lost"] = ""
    for line in answer.decode(errors="replace").splitlines():
        if line == "missing":
            mark = Mark()
        elif line in ("rotated whole", "rotated lost"):
            rotated = "whole" if line.endswith("whole") else "lost"
        elif found := _MARK.fullmatch(line):
            mark = Mark(int(found[1]), found[2], found[3])
        elif (seen := _SEEN.fullmatch(line)) and len(seen[1].split()) == texts:
            sums = [one + int(other) for one, other in zip(sums, seen[1].split(), strict=True)]
    if mark is None:
        return say("logs.denied")
    return Count(mark, tuple(sums), rotated)


def render(count: Count) -> bytes:
    """The very bytes the probe would print."""
    lines = [f"rotated {count.rotated}"] if count.rotated else []
    lines += [" ".join(("seen", *map(str, count.counts)))] if count.counts else []
    lines.append(f"mark {count.mark.offset} {count.mark.inode} {count.mark.sum}")
    return "".join(f"{line}\n" for line in lines).encode()
