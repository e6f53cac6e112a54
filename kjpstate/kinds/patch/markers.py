"""The marker lines in a file: what they say, whether they are sound, and how to take a block out
again.

    // kjpstate:begin SET/EDIT v=1 op=replace body=3f1c0a9be214 was=90d1c2aa7e55
    the new text
    // kjpstate:was | the replaced line, its own indentation included
    // kjpstate:end SET/EDIT

All book-keeping stands in the file itself, so a checkout, a clone or a copy can't make it lie.
Marker text counts only in a `//` comment alone on its line; in a string it is data. Called by the
kind's other modules.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kjpstate.formats.typescript import Source
from kjpstate.kinds.patch.problems import Problem

VERSION = "1"
WORD = "kjpstate:"

_MARK = re.compile(
    r"// kjpstate:(?:(?P<begin>begin) (?P<id>[^\s/]+/[^\s/]+)(?P<rest>(?: [a-z]+=\S+)*)"
    r"|(?P<end>end) (?P<endid>[^\s/]+/[^\s/]+)"
    r"|(?P<was>was) (?:\|(?: (?P<plain>.*))?|j (?P<json>\".*\")))[ \t]*"
)
_WORD = re.compile(rb"kjpstate", re.IGNORECASE)
_MEANT = re.compile(r"kjpstate\s*:\s*(begin|end|was)|^[/*\s]*kjpstate\s*:", re.IGNORECASE)
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029\ufeff]|\\s$")
"""Signs that a `was |` line would lose: an editor strips them, or they end the comment."""


@dataclass(frozen=True)
class Block:
    """One block in a file."""

    set: str
    edit: str
    start: int
    end: int
    """Bytes `start:end` are its whole lines."""
    body: int
    body_end: int
    """Bytes `body:body_end` are the lines of the new text."""
    attributes: Mapping[str, str]
    """The words of its first marker."""
    was: tuple[str, ...] | None
    """The replaced lines without line ends; None where nothing was replaced."""
    line: int
    """Its first line, from 1."""
    indent: str

    @property
    def name(self) -> str:
        """`SET/EDIT`, compared whole."""
        return f"{self.set}/{self.edit}"

    @property
    def adopted(self) -> bool:
        """Tell whether its text stood there before its markers did."""
        return self.attributes.get("adopted") == "1"

    @property
    def stood(self) -> bool:
        """Tell whether its text, perhaps with other comments, was there by hand before it was."""
        return self.adopted or (self.was is not None and "at" in self.attributes)


@dataclass(frozen=True)
class _Line:
    """One marker line; `start:end` its bytes with the line end."""

    match: re.Match[str]
    start: int
    end: int
    number: int
    indent: str


def blocks_of(source: Source) -> tuple[list[Block], list[Problem]]:
    """Every block of every set in order, and everything about markers that is
    not as we write them."""
    lines, problems = _marker_lines(source)
    blocks: list[Block] = []
    waiting: list[_Line] = []
    for line in lines:
        if line.match["begin"] and waiting:
            problems.append(_broken(source, waiting[0], "has no end before the next block begins"))
            waiting = [line]
        elif line.match["begin"] or waiting:
            waiting.append(line)
        else:
            problems.append(_broken(source, line, "stands outside of any block"))
        if waiting and line.match["end"]:
            block = _block(source, waiting)
            if isinstance(block, Block):
                blocks.append(block)
            else:
                problems.append(block)
            waiting = []
    if waiting:
        problems.append(_broken(source, waiting[0], "has no end"))
    problems += _twice(source, blocks)
    return blocks, sorted(problems, key=lambda problem: problem.line)


def is_marker(text: str) -> bool:
    """Tell whether `text` holds something that would be read (or meant) as a marker."""
    return _MEANT.search(text) is not None or WORD in text


def begin_line(block_name: str, indent: str, attributes: Mapping[str, str]) -> str:
    """The first line of a block, without a line end."""
    words = [
        f"{indent}// kjpstate:begin {block_name}",
        *(f"{key}={item}" for key, item in attributes.items()),
    ]
    return " ".join(words)


def end_line(block_name: str, indent: str) -> str:
    """The last line of a block, without a line end."""
    return f"{indent}// kjpstate:end {block_name}"


def was_lines(lines: Sequence[str], indent: str) -> Iterator[str]:
    """The replaced lines as comments, without line ends."""
    for line in lines:
        if _UNSAFE.search(line):
            yield f"{indent}// kjpstate:was j {json.dumps(line)}"
        else:
            yield f"{indent}// kjpstate:was | {line}" if line else f"{indent}// kjpstate:was |"


def was_digest(lines: Sequence[str]) -> str:
    """12 hex over the replaced lines."""
    return hashlib.sha256("\n".join(lines).encode(errors="surrogatepass")).hexdigest()[:12]


def taken_out(data: bytes, blocks: Sequence[Block]) -> bytes:
    """`data` as before `blocks`: originals are back, inserts gone, what was
    adopted is bare again."""
    for block in sorted(blocks, key=lambda block: block.start, reverse=True):
        before, after = data[: block.start], data[block.end :]
        text = _original(data, block)
        ending = line_end(data[block.start : block.end])
        if text is not None:
            before += text + ending
        elif not ending:
            before = before[: len(before) - len(line_end(before))]
        data = before + after
    return data


def _original(data: bytes, block: Block) -> bytes | None:
    """Give the text that `block` replaced, without its last line end; None where nothing was."""
    if block.was is not None:
        ending = line_end(data[block.start : block.body])
        return ending.join(line.encode(errors="surrogatepass") for line in block.was)
    if block.adopted:
        body = data[block.body : block.body_end]
        return body[: len(body) - len(line_end(body))]
    return None


def line_end(line: bytes) -> bytes:
    r"""`\r\n`, `\n`, or nothing: how these bytes end."""
    return b"\r\n" if line.endswith(b"\r\n") else b"\n" if line.endswith(b"\n") else b""


def _marker_lines(source: Source) -> tuple[list[_Line], list[Problem]]:
    lines, problems = [], []
    found = (source.comment_at(match.start()) for match in _WORD.finditer(source.data))
    for start, end in dict.fromkeys(comment for comment in found if comment is not None):
        text = source.data[start:end].decode(errors="replace").rstrip("\r")
        if not _MEANT.search(text):
            continue
        line_start, stop = source.line_start(start), source.line_end(start)
        indent = source.data[line_start:start].decode(errors="replace")
        match = _MARK.fullmatch(text)
        number = source.line(start)
        if match is not None and not indent.strip(" \t"):
            lines.append(_Line(match, line_start, stop, number, indent))
        else:
            reason = (
                "is no marker as kjpstate writes them"
                if match is None
                else "shares its line with code"
            )
            problems.append(_damage(source, number, reason))
    return lines, problems


def _block(source: Source, lines: Sequence[_Line]) -> Block | Problem:
    """The block of the lines from a begin to an end."""
    begin, end, kept = lines[0], lines[-1], lines[1:-1]
    name = begin.match["id"]
    if end.match["endid"] != name:
        return _broken(
            source, end, f"closes {end.match['endid']}, but {name} is open (line {begin.number})"
        )
    attributes = dict(word.split("=", 1) for word in begin.match["rest"].split())
    owner, _, edit = name.partition("/")
    missing = [key for key in ("v", "op", "body") if key not in attributes]
    if missing:
        return _broken(source, begin, f"says nothing about {', '.join(missing)}")
    if _torn(kept, end):
        return _broken(
            source, kept[0], "is parted from the block's other lines of its kind, or from its end"
        )
    was: tuple[str, ...] | None = None
    if "was" in attributes:
        try:
            was = tuple(_kept(line) for line in kept)
        except ValueError:
            return _broken(source, kept[0], "can't be read back")
    elif kept:
        return _broken(source, kept[0], f"belongs to {name}, which keeps no original")
    body_end = kept[0].start if kept else end.start
    return Block(
        owner,
        edit,
        begin.start,
        end.end,
        begin.end,
        body_end,
        attributes,
        was,
        begin.number,
        begin.indent,
    )


def _torn(kept: Sequence[_Line], end: _Line) -> bool:
    return any(line.end != after.start for line, after in pairwise((*kept, end)))


def _kept(line: _Line) -> str:
    if line.match["json"] is not None:
        text = json.loads(line.match["json"])
        if not isinstance(text, str):
            raise ValueError("not a text")
        return text
    return line.match["plain"] or ""


def _twice(source: Source, blocks: Sequence[Block]) -> Iterator[Problem]:
    seen: dict[str, Block] = {}
    for block in blocks:
        if block.name in seen:
            first = seen[block.name].line
            yield _damage(source, block.line, f"stands twice, first at line {first}")
        seen.setdefault(block.name, block)


def _broken(source: Source, line: _Line, reason: str) -> Problem:
    return _damage(source, line.number, reason)


def _damage(source: Source, number: int, reason: str) -> Problem:
    text = source.line_text(number).strip()
    return Problem("markers-broken", f"the marker at line {number} {reason}", number, text)
