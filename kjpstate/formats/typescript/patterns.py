"""An author's text found in a file, leaf by leaf: blind to blanks, comments, quotes, optional `;` and
trailing commas; `$$$` is any balanced run, `$NAME` one identifier. Nothing else is loose.

Called by the kind `patch`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kjpstate.formats.typescript.source import CLOSERS, OPENERS, Source, read

HIDDEN = "\0"
"""The text of a leaf that nothing may match (it stands in a block of ours); no leaf of a file has it."""

RUN = "$$$"
MOST_RUNS, LONGEST_RUN = 16, 5_000

_NAME = re.compile(r"\$[A-Z][A-Z0-9_]*")
_IDENTIFIER = re.compile(r"[\w$\u200c\u200d]+")
_RESERVED = re.compile(
    "a(wait|sync)|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|"
    "finally|for|function|if|import|in|instanceof|let|new|of|return|static|super|switch|throw|try|typeof|"
    "var|void|while|with|yield"
)
_WORD = re.compile(r"\w{3,}")
_LEAD = re.compile(r"^\s*(\}\s*)?(else\s+)?")
_CONTINUES = re.compile(r"[([`.,?:*/%&|^<>=]|[-+](?!\+|-)|!=|(?:in|instanceof|as|satisfies)$")
"""A leaf on a new line that goes on with the statement before it, so that no `;` was left out there."""


class BadPattern(Exception):
    """A text that can't be looked for; the message says why."""


@dataclass(frozen=True)
class Pattern:
    """`lines[i]`: whether leaf i starts a line of the author's text. `loose`: wildcards count."""

    text: str
    leaves: tuple[str, ...]
    lines: tuple[bool, ...]
    loose: bool

    @property
    def wild(self) -> bool:
        """Whether it has a wildcard."""
        return self.loose and any(leaf == RUN or _NAME.fullmatch(leaf) for leaf in self.leaves)


@dataclass(frozen=True, order=True)
class Match:
    """Leaves `first` up to, not including, `last`."""

    first: int
    last: int


@dataclass
class _Search:
    """One pattern over one list of leaves; `dead` are the states known to lead nowhere."""

    pattern: Pattern
    source: Source
    texts: Sequence[str]
    end: int
    dead: set[tuple[int, int, tuple[tuple[str, str], ...]]] = field(default_factory=set)


def pattern_of(text: str, path: str, *, wildcards: bool = True) -> Pattern:
    """The leaves of an author's text; it need not be a whole statement. Raises BadPattern, NoParser."""
    source = read(text.encode(), path)
    if not source.texts:
        raise BadPattern("it holds no code")
    if source.open_literal:
        raise BadPattern("a string or template in it never closes")
    if not source.covered():
        raise BadPattern("it is no TypeScript")
    if wildcards and RUN in (source.texts[0], source.texts[-1]):
        raise BadPattern("it begins or ends with $$$, which could be anything")
    if wildcards and source.texts.count(RUN) > MOST_RUNS:
        raise BadPattern(f"it has more than {MOST_RUNS} $$$")
    lines = tuple(source.newline_before(index) for index in range(len(source.texts)))
    return Pattern(text, tuple(source.texts), lines, wildcards)


def find(
    pattern: Pattern,
    source: Source,
    texts: Sequence[str] | None = None,
    first: int = 0,
    last: int | None = None,
) -> list[Match]:
    """Every place of `pattern` among the leaves `first` to `last`.

    `texts` are those of `source`, some of them HIDDEN.
    """
    seen = source.texts if texts is None else texts
    search = _Search(pattern, source, seen, len(seen) if last is None else last)
    found = []
    for start in _starts(search, first):
        if start and seen[start - 1] in (".", "?.") and pattern.leaves[0] not in (".", "?."):
            continue
        end = _match(search, 0, start, {}, start)
        if end is not None:
            found.append(Match(start, end))
    return found


def nearest(pattern: Pattern, source: Source, most: int = 3) -> list[int]:
    """The numbers of the lines that look most like the first line of `pattern`, best first."""
    wanted = next(line for line in pattern.text.splitlines() if line.strip()).strip()
    words = set(_WORD.findall(wanted))
    weight = sum(map(len, words)) or 1
    scored = []
    for number in range(1, len(source.line_starts) + 1):
        line = _LEAD.sub("", source.line_text(number))
        shared = sum(map(len, words.intersection(_WORD.findall(line))))
        if shared:
            scored.append((shared / weight, number, line[: len(wanted) + 12]))
    ranked = sorted(
        (-shared - difflib.SequenceMatcher(None, wanted, line).ratio(), number)
        for shared, number, line in sorted(scored, key=lambda item: -item[0])[:40]
    )
    return [number for score, number in ranked[:most] if score < -0.6]


def _starts(search: _Search, first: int) -> Iterator[int]:
    wanted = search.pattern.leaves[0]
    if search.pattern.loose and _NAME.fullmatch(wanted):
        yield from range(first, search.end)
        return
    texts, place = search.texts, first - 1
    try:
        while True:
            place = texts.index(wanted, place + 1, search.end)
            yield place
    except ValueError:
        return


def _match(search: _Search, at: int, place: int, names: dict[str, str], start: int) -> int | None:
    """Where a match of the pattern from its leaf `at` on ends, if it stands at leaf `place`."""
    leaves = search.pattern.leaves
    while at < len(leaves):
        if search.pattern.loose and leaves[at] == RUN:
            return _match_run(search, at, place, names, start)
        if place < search.end and _same(search, leaves[at], search.texts[place], names):
            at, place = at + 1, place + 1
            continue
        step = _tolerated(search, at, place, start)
        if step is None:
            return None
        at, place = step
    return place


def _match_run(search: _Search, at: int, place: int, names: dict[str, str], start: int) -> int | None:
    """The shortest balanced run after which the rest of the pattern stands."""
    for end in _runs(search, place):
        state = (at, end, tuple(sorted(names.items())))
        if state in search.dead:
            return None  # an earlier run went on from here, in vain
        found = _match(search, at + 1, end, dict(names), start)
        if found is not None:
            return found
        search.dead.add(state)
    return None


def _runs(search: _Search, place: int) -> Iterator[int]:
    depth, limit = 0, min(search.end, place + LONGEST_RUN)
    while True:
        if depth == 0:
            yield place
        if place >= limit or search.texts[place] == HIDDEN:
            return
        depth += (search.texts[place] in OPENERS) - (search.texts[place] in CLOSERS)
        if depth < 0:
            return
        place += 1


def _same(search: _Search, wanted: str, text: str, names: dict[str, str]) -> bool:
    if not (search.pattern.loose and _NAME.fullmatch(wanted)):
        return wanted == text
    if not _IDENTIFIER.fullmatch(text) or text[0].isdigit() or _RESERVED.fullmatch(text):
        return False
    return names.setdefault(wanted, text) == text


def _tolerated(search: _Search, at: int, place: int, start: int) -> tuple[int, int] | None:
    """The next (pattern leaf, file leaf) where only an optional `;` or a trailing comma differs."""
    leaves, texts = search.pattern.leaves, search.texts
    wanted = leaves[at]
    text = texts[place] if place < search.end else ""
    if place == start:
        return None
    if wanted == ";" and _may_end(search, place):
        return at + 1, place
    if text == ";" and (wanted in CLOSERS or search.pattern.lines[at]):
        return at, place + 1
    if wanted == "," and at + 1 < len(leaves) and leaves[at + 1] in CLOSERS and text == leaves[at + 1]:
        return (at + 1, place) if texts[place - 1] not in (*OPENERS, ",") else None
    following = texts[place + 1] if place + 1 < search.end else ""
    if text == "," and wanted in CLOSERS and following == wanted:
        return (at, place + 1) if leaves[at - 1] not in (*OPENERS, ",") else None
    return None


def _may_end(search: _Search, place: int) -> bool:
    """Whether the statement before leaf `place` ends there without a `;`."""
    if place >= len(search.source.texts):
        return True
    text = search.source.texts[place]
    return text == "}" or (search.source.newline_before(place) and not _CONTINUES.match(text))
