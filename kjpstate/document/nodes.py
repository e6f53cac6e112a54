"""YAML text -> nodes that know their line and column; a document is input from a stranger. The only
yaml.

Nothing is typed here: every scalar stays the text its writer meant. Refused: tags, anchors,
aliases, merge keys, duplicate keys, a second document, and whatever is larger than a person writes.
Called by `load`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from kjpstate.errors import DocumentError, Problem
from kjpstate.formats.encodings import zeros
from kjpstate.secret import shortened

MAX_BYTES, MAX_DEPTH, MAX_NODES = 1024 * 1024, 32, 20_000
MOST_PROBLEMS, LONGEST_REASON = 50, 600

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]"
)


_NO_TEXT = {
    "utf-16": "not UTF-8 text; save the file as UTF-8: it is UTF-16 now",
    "empty": "the file holds nothing but zero bytes, as a power cut leaves it; take "
    "it from a backup",
    "binary": "a zero byte: this is binary, or damaged; a document is text, saved as UTF-8",
}


@dataclass(frozen=True)
class Place:
    """Line and column, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Scalar:
    """One text. `plain`: written without quotes; `block`: its lines stand below `place`, one for
    one.

    `end`: behind its last sign, the quote included.
    """

    text: str
    place: Place
    plain: bool = True
    block: bool = False
    end: Place = Place(0, 0)


@dataclass(frozen=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True)
class Mapping:
    """Keys with their places, in the writer's order."""

    entries: dict[str, Node]
    keys: dict[str, Place]
    place: Place


Node: TypeAlias = Scalar | Sequence | Mapping


Reason: TypeAlias = str | Callable[[], str]
"""Why something does not fit; a function where finding the words (what was probably meant) takes a
while."""


@dataclass
class Problems:
    """Collects what is wrong with one file, in any order; beyond MOST_PROBLEMS they are only
    counted."""

    file: str
    found: dict[Problem, None] = field(default_factory=dict)
    more: set[Place] = field(default_factory=set)

    def add(self, place: Place, reason: Reason) -> None:
        """Note one problem; the same one twice counts once."""
        if len(self.found) >= MOST_PROBLEMS:
            self.more.add(place)
            return
        said = visible(reason if isinstance(reason, str) else reason())
        self.found[
            Problem(self.file, place.line, place.column, shortened(said, LONGEST_REASON))
        ] = None

    def stop(self) -> None:
        """Raise them all, if there are any."""
        if self.found:
            told = {Place(problem.line, problem.column) for problem in self.found}
            raise DocumentError(tuple(self.found), more=len(self.more - told))


def visible(text: str) -> str:
    """A text as it may stand within a row: what would end the row, or would not be seen, is spelled
    out."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape", "surrogatepass").decode()
        for sign in text
    )


class _Stopped(Exception):
    """A limit was passed or the parser gave up; why is already noted."""


def compose(data: bytes, file: str) -> Mapping:
    """The root mapping of `data`; raises DocumentError with every problem that
    can be told apart."""
    problems = Problems(file)
    text = _text(data, problems)
    problems.stop()
    reader = _Reader(_events(text, problems), problems)
    try:
        root = reader.document()
    except _Stopped:
        root = None
    problems.stop()
    if not isinstance(root, Mapping):
        place = root.place if root is not None else Place(1, 1)
        what = "the document is empty" if root is None else "the document is not a mapping"
        problems.add(place, f"{what}; expected keys such as `kjpstate: 1`, `hosts:` and `dns:`")
        problems.stop()
        raise AssertionError("unreachable")
    return root


def _text(data: bytes, problems: Problems) -> str:
    if len(data) > MAX_BYTES:
        problems.add(Place(1, 1), f"the document is larger than {MAX_BYTES // 1024} KiB")
        return ""
    kind = zeros(data)
    if kind:
        before = [b""] if kind == "utf-16" else data[: data.find(b"\0")].split(b"\n")
        problems.add(
            Place(len(before), len(before[-1].decode("utf-8", "replace")) + 1), _NO_TEXT[kind]
        )
        return ""
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].split(b"\n")
        column = len(before[-1].decode("utf-8", "replace")) + 1
        problems.add(Place(len(before), column), "not UTF-8 text; save the file as UTF-8")
        return ""
    alone = re.search(r"\r(?!\n)", text)
    if alone is not None:
        before_it = text[: alone.start()].split("\n")
        problems.add(
            Place(len(before_it), len(before_it[-1]) + 1),
            "a line end that is a carriage return alone (U+000D); save the file with LF line ends",
        )
        return ""
    for line, written in enumerate(text.split("\n"), start=1):
        for match in _UNSEEN.finditer(written.removesuffix("\r")):
            problems.add(Place(line, match.start() + 1), _unseen(match.group()))
    return text


def _unseen(character: str) -> str:
    return f"an invisible character (U+{ord(character):04X}); delete it"


def _events(text: str, problems: Problems) -> Iterator[Any]:
    """The parser's events; what it can't read becomes one problem and ends them."""
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    place = Place(1, 1)
    try:
        for event in yaml.parse(text, Loader=loader):
            place = _place(event.start_mark)
            yield event
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.add(_place(mark) if mark else place, _syntax(text, error, mark))
    except (yaml.YAMLError, ValueError, RecursionError, IndexError) as error:
        problems.add(
            place, f"not readable as YAML from here on: {' '.join(str(error).split())[:200]}"
        )


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _syntax(text: str, error: Any, mark: Any) -> str:
    """One sentence for a syntax error, with the usual cause where the line shows it."""
    lines = text.splitlines()
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    problem = " ".join(str(error.problem or "").split())
    if "nesting depth" in problem:  # libyaml's own limit, met while it looks ahead of our events
        return _too_deep()
    hint = ""
    if line.startswith("\t") or line[: len(line) - len(line.lstrip())].count("\t"):
        hint = "; indent with spaces, not with a tab"
    elif "escape" in problem:
        hint = "; write paths with / or put the text in single quotes"
    elif "mapping values are not allowed" in problem:
        hint = "; put a text that holds `: ` in quotes"
    elif "cannot start any token" in problem:
        hint = "; put a text that starts with this character in quotes"
    return f"not valid YAML: {problem or 'unexpected text'}{hint}"


def _too_deep() -> str:
    return f"the document goes deeper than {MAX_DEPTH} levels"


class _Reader:
    """Turns events into nodes; problems that don't stop the reading are noted and passed over."""

    def __init__(self, events: Iterator[Any], problems: Problems) -> None:
        self._events = events
        self._problems = problems
        self._nodes = 0

    def document(self) -> Node | None:
        """The root of the one document, None when there is none."""
        root: Node | None = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._problems.add(
                        _place(event.start_mark), "a second document; write only one in a file"
                    )
                    return root
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event, depth=1)
        if isinstance(root, Scalar) and root.plain and not root.text:
            return None
        return root

    def _node(self, event: Any, depth: int) -> Node:
        place = _place(event.start_mark)
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            many = f"the document goes beyond {MAX_NODES} values"
            self._problems.add(place, _too_deep() if depth > MAX_DEPTH else many)
            raise _Stopped
        if event.anchor:
            sign = "alias *" if isinstance(event, yaml.AliasEvent) else "anchor &"
            self._problems.add(place, f"{sign}{event.anchor} is not supported; write the value out")
        if getattr(event, "tag", None):
            self._problems.add(
                place, f"the tag {event.tag} is not supported; write the value alone"
            )
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place, depth)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(place, depth)
        return (
            self._scalar(event, place) if isinstance(event, yaml.ScalarEvent) else Scalar("", place)
        )

    def _scalar(self, event: Any, place: Place) -> Scalar:
        for character in _UNSEEN.findall(event.value):
            self._problems.add(place, _unseen(character))
        plain, block = event.style in (None, ""), event.style == "|"
        return Scalar(event.value, place, plain, block, _place(event.end_mark))

    def _sequence(self, place: Place, depth: int) -> Sequence:
        items = []
        while (event := self._next(yaml.SequenceEndEvent)) is not None:
            items.append(self._node(event, depth + 1))
        return Sequence(tuple(items), place)

    def _mapping(self, place: Place, depth: int) -> Mapping:
        entries: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        while (event := self._next(yaml.MappingEndEvent)) is not None:
            key = self._node(event, depth + 1)
            value = self._node(self._next(), depth + 1)
            if self._key_is_good(key, keys):
                assert isinstance(key, Scalar)
                entries[key.text], keys[key.text] = value, key.place
        return Mapping(entries, keys, place)

    def _key_is_good(self, key: Node, seen: dict[str, Place]) -> bool:
        if not isinstance(key, Scalar):
            self._problems.add(key.place, "a key must be a text, not a list or a mapping")
        elif key.text == "<<" and key.plain:
            self._problems.add(key.place, "merge keys (<<) are not supported; write the keys out")
        elif key.text in seen:
            first = seen[key.text].line
            self._problems.add(
                key.place, f"the key {key.text!r} stands twice; it stands first at line {first}"
            )
        else:
            return True
        return False

    def _next(self, end: type | None = None) -> Any:
        """The next event, None at `end`; the parser having stopped (its problem is noted) ends it
        all."""
        event = next(self._events, None)
        if event is None:
            raise _Stopped
        return None if end is not None and isinstance(event, end) else event
