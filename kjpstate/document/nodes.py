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
from kjpstate.said import Said, Text, over, say
from kjpstate.secret import shortened

MAX_BYTES, MAX_DEPTH, MAX_NODES = 1024 * 1024, 32, 20_000
MOST_PROBLEMS, LONGEST_REASON = 50, 600

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]"
)


_NO_TEXT = {
    "utf-16": say("document.utf-16"),
    "empty": say("document.zeros"),
    "binary": say("document.binary"),
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


Reason: TypeAlias = Text | Callable[[], Text]
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
        said = over(reason if isinstance(reason, (str, Said)) else reason(), _shown)
        self.found[Problem(self.file, place.line, place.column, said)] = None

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


def _shown(text: str) -> str:
    return shortened(visible(text), LONGEST_REASON)


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
        what = say("document.empty" if root is None else "document.no-mapping")
        problems.add(place, what)
        problems.stop()
        raise AssertionError("unreachable")
    return root


def _text(data: bytes, problems: Problems) -> str:
    if len(data) > MAX_BYTES:
        problems.add(Place(1, 1), say("document.too-large", most=MAX_BYTES // 1024))
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
        problems.add(Place(len(before), column), say("document.not-utf-8"))
        return ""
    alone = re.search(r"\r(?!\n)", text)
    if alone is not None:
        before_it = text[: alone.start()].split("\n")
        problems.add(
            Place(len(before_it), len(before_it[-1]) + 1),
            say("document.carriage-return"),
        )
        return ""
    for line, written in enumerate(text.split("\n"), start=1):
        for match in _UNSEEN.finditer(written.removesuffix("\r")):
            problems.add(Place(line, match.start() + 1), _unseen(match.group()))
    return text


def _unseen(character: str) -> Text:
    return say("document.invisible", sign=f"U+{ord(character):04X}")


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
        why = " ".join(str(error).split())[:200]
        problems.add(place, say("document.unreadable-yaml", why=why))


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _syntax(text: str, error: Any, mark: Any) -> Text:
    """One sentence for a syntax error, with the usual cause where the line shows it."""
    lines = text.splitlines()
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    problem = " ".join(str(error.problem or "").split())
    if "nesting depth" in problem:  # libyaml's own limit, met while it looks ahead of our events
        return _too_deep()
    if problem:
        reason = say("document.yaml", problem=problem)
    else:
        reason = say("document.yaml-unexpected")
    if line.startswith("\t") or line[: len(line) - len(line.lstrip())].count("\t"):
        return say("document.yaml-tab", reason=reason)
    if "escape" in problem:
        return say("document.yaml-escape", reason=reason)
    if "mapping values are not allowed" in problem:
        return say("document.yaml-colon", reason=reason)
    if "cannot start any token" in problem:
        return say("document.yaml-sign", reason=reason)
    return reason


def _too_deep() -> Text:
    return say("document.too-deep", most=MAX_DEPTH)


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
                    self._problems.add(_place(event.start_mark), say("document.second"))
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
            many = say("document.too-many", most=MAX_NODES)
            self._problems.add(place, _too_deep() if depth > MAX_DEPTH else many)
            raise _Stopped
        if event.anchor:
            alias = isinstance(event, yaml.AliasEvent)
            code = "document.alias" if alias else "document.anchor"
            self._problems.add(place, say(code, name=event.anchor))
        if getattr(event, "tag", None):
            self._problems.add(place, say("document.tag", tag=event.tag))
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
            self._problems.add(key.place, say("document.key-no-text"))
        elif key.text == "<<" and key.plain:
            self._problems.add(key.place, say("document.merge-key"))
        elif key.text in seen:
            first = seen[key.text].line
            twice = say("document.key-twice", key=repr(key.text), line=first)
            self._problems.add(key.place, twice)
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
