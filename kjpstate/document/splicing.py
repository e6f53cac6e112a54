"""One text of a document written anew, all around it kept: comments, layout, quotes, line ends.

Called by `kjpstate patch keep`, which loads the result and compares before it writes anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from kjpstate.document.nodes import Mapping, Node, Place, Scalar, Sequence, compose
from kjpstate.model import Where

_HEADER = re.compile(r"\|(?P<one>[-+]?)(?P<indent>[1-9]?)(?P<other>[-+]?)(?P<rest>[ \t]*(#.*)?\r?)")
_MOST_STEP = 9
"""YAML tells the indentation of a text that begins with blanks by one digit."""
_OTHER_LINE_ENDS = re.compile("[\x85\u2028\u2029]|\r(?!\n)")
_BLOCK_KEY = re.compile(r"[ ]*(- +)*")
_REST = re.compile(r"[ \t]*(#.*)?\r?")


def spliced(data: bytes, file: str, key: Where, text: str) -> bytes | None:
    """`data` with `text` as the value of the key at `key`; None where its form can't be written
    safely.

    A block (`|`) gets new lines at its own indentation; a text in quotes stays one, or becomes a
    block when it has several lines and stands alone. Folded (`>`) and many-lined quoted texts are
    not touched.
    """
    place = Place(key.line, key.column)
    scalar = next((found for at, found in _keyed(compose(data, file)) if at == place), None)
    raw = data.decode("utf-8")
    if not isinstance(scalar, Scalar) or _OTHER_LINE_ENDS.search(raw):
        return None
    mark = "\ufeff" if raw.startswith("\ufeff") else ""
    lines = raw.removeprefix(mark).split("\n")
    open_end = lines[-1] != ""
    if open_end and len(lines) > 1 and lines[-2].endswith("\r"):
        lines[-1] += "\r"  # only while it is worked on: more lines may come behind it
    done = (
        _block(lines, scalar, place, text) if scalar.block else _inline(lines, scalar, place, text)
    )
    if open_end:
        lines[-1] = lines[-1].removesuffix("\r")
    return (mark + "\n".join(lines)).encode() if done else None


def _keyed(node: Node) -> Iterator[tuple[Place, Node]]:
    """(place of the key, value) of every key below `node`."""
    if isinstance(node, Mapping):
        for name, value in node.entries.items():
            yield node.keys[name], value
            yield from _keyed(value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _keyed(item)


def _block(lines: list[str], scalar: Scalar, key: Place, text: str) -> bool:
    """Put `text` in place of the lines below a `|`; blank lines behind them stay."""
    header = scalar.place.line - 1
    before, said = (
        lines[header][: scalar.place.column - 1],
        lines[header][scalar.place.column - 1 :],
    )
    match = _HEADER.fullmatch(said)
    if match is None:
        return False
    first = header + 1
    indent = next((_indent(line) for line in lines[first:] if line.strip()), 0)
    if match["indent"]:
        indent = key.column - 1 + int(match["indent"])
    elif indent < key.column:
        indent = key.column + 1
    step = indent - (key.column - 1)
    if not match["indent"] and text.startswith(" "):
        if step > _MOST_STEP:
            return False
        lines[header] = f"{before}|{match['one']}{match['other']}{step}{match['rest']}"
    last = behind = first
    while behind < len(lines) and (not lines[behind].strip() or _indent(lines[behind]) >= indent):
        behind += 1
        if lines[behind - 1].strip():
            last = behind
    lines[first:last] = _written(text, indent, lines[header])
    return True


def _inline(lines: list[str], scalar: Scalar, key: Place, text: str) -> bool:
    """Put `text` in place of a value on one line; several lines become a block
    where one may stand."""
    number, start, end = scalar.place.line - 1, scalar.place.column - 1, scalar.end.column - 1
    line = lines[number]
    if scalar.end.line != scalar.place.line or (not scalar.plain and line[start] not in "'\""):
        return False
    before, rest = line[:start], line[end:]
    alone = _BLOCK_KEY.fullmatch(line[: key.column - 1]) and key.line == scalar.place.line
    if "\n" in text and alone and _REST.fullmatch(rest):
        step = "2" if text.startswith(" ") else ""
        lines[number : number + 1] = [
            f"{before}|{step}{rest}",
            *_written(text, key.column + 1, line),
        ]
    elif line[start] == "'" and "\n" not in text:
        lines[number] = "".join((before, "'", text.replace("'", "''"), "'", rest))
    else:
        lines[number] = before + json.dumps(text, ensure_ascii=False) + rest
    return True


def _written(text: str, indent: int, like: str) -> list[str]:
    ending = "\r" if like.endswith("\r") else ""
    return (
        [(" " * indent + line if line else "") + ending for line in text.split("\n")]
        if text
        else []
    )


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
