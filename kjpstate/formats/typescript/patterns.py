"""An author's text found in a file, leaf by leaf: blind to blanks, comments, quotes, optional `;`
and trailing commas; `$$$` is any balanced run, `$NAME` one identifier. Nothing else is loose.

Called by the kind `patch`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from kjpstate.formats.typescript.source import CLOSERS, OPENERS, WORD, Source, read

HIDDEN = "\0"
"""The text of a leaf that nothing may match (it stands in a block of ours); no leaf of a file has
it."""

RUN = "$$$"
MOST_RUNS, LONGEST_RUN = 16, 5_000
FEWEST_STEPS, STEPS_A_LEAF = 200_000, 10
"""How long a pattern is looked for, in leaves compared; most need one or two for each of the file.
"""
MOST_BINDINGS = 64
MOST_TOGETHER = 8
"""How many times that all patterns with wildcards of one file may take together."""
_LONGEST_LINE = 200
"""Signs of a line that are compared where nothing was found."""

_NAME = re.compile(r"\$[A-Z][A-Z0-9_]*")
_IDENTIFIER = re.compile(r"[\w$\u200c\u200d]+")
_RESERVED = re.compile(
    "a(wait|sync)|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|"
    "finally|for|function|if|import|in|instanceof|let|new|of|return|static|super|switch|throw|try|typeof|"
    "var|void|while|with|yield"
)
_CONTINUES = re.compile(r"[([`.,?:*/%&|^<>=]|[-+](?!\+|-)|!=|(?:in|instanceof|as|satisfies)$")
"""A leaf on a new line that goes on with the statement before it, so that no `;` was left out
there."""


class BadPattern(Exception):
    """A text that can't be looked for; the message says why."""


class TooFree(Exception):
    """A pattern for which the search would not end in a useful time; str() says what in it is too
    free."""

    def __init__(self, pattern: Pattern) -> None:
        super().__init__(_too_free(pattern))
        self.pattern = pattern


@dataclass(frozen=True)
class Pattern:
    """`lines[i]`: whether leaf i starts a line of the author's text. `loose`: wildcards count."""

    text: str
    leaves: tuple[str, ...]
    lines: tuple[bool, ...]
    loose: bool

    @property
    def wild(self) -> bool:
        """Tell whether it has a wildcard."""
        return self.loose and any(leaf == RUN or _NAME.fullmatch(leaf) for leaf in self.leaves)

    @cached_property
    def names(self) -> Mapping[int, str]:
        """Where a `$NAME` stands, and which."""
        found = enumerate(self.leaves) if self.loose else ()
        return {at: leaf for at, leaf in found if leaf[0] == "$" and _NAME.fullmatch(leaf)}

    @cached_property
    def carried(self) -> Mapping[int, tuple[str, ...]]:
        """For each `$$$` the names that stand before it and behind it: what they stood for decides
        there."""
        return {
            at: tuple(
                sorted(
                    {name for place, name in self.names.items() if place < at}
                    & {name for place, name in self.names.items() if place > at}
                )
            )
            for at, leaf in enumerate(self.leaves)
            if self.loose and leaf == RUN
        }


@dataclass(frozen=True, order=True)
class Match:
    """Leaves `first` up to, not including, `last`."""

    first: int
    last: int


@dataclass
class Spent:
    """The steps that the patterns with wildcards took so far in one file."""

    steps: dict[Pattern, int] = field(default_factory=dict)


@dataclass
class _Search:
    """One pattern over one list of leaves.

    `runs`: for a `$$$` and what the names bound before it stand for, leaf -> the nearest end of a
    run from there after which the rest of the pattern stands, and where that ends. `behind`:
    opening bracket -> the leaf behind its closing one. Both are filled as they are needed, so that
    no leaf is walked twice.
    """

    pattern: Pattern
    source: Source
    texts: Sequence[str]
    end: int
    steps: int
    runs: dict[tuple[int | str, ...], dict[int, tuple[int, int] | None]] = field(
        default_factory=dict
    )
    behind: dict[int, int | None] = field(default_factory=dict)

    def spend(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise TooFree(self.pattern)


def pattern_of(text: str, path: str, *, wildcards: bool = True) -> Pattern:
    """The leaves of an author's text; it need not be a whole statement. Raises BadPattern,
    NoParser."""
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
    *,
    spent: Spent | None = None,
) -> list[Match]:
    """Every place of `pattern` among the leaves `first` to `last`.

    `texts` are those of `source`, some of them HIDDEN. `spent`: what others took before, in the
    same texts; where they are too free together, that is the one that took most. Raises TooFree.
    """
    seen = source.texts if texts is None else texts
    end = len(seen) if last is None else last
    steps = FEWEST_STEPS + STEPS_A_LEAF * max(end - first, 0)
    search = _Search(pattern, source, seen, end, steps)
    found = _found(search, first)
    if spent is not None and pattern.wild:
        spent.steps[pattern] = spent.steps.get(pattern, 0) + steps - search.steps
        if sum(spent.steps.values()) > MOST_TOGETHER * (FEWEST_STEPS + STEPS_A_LEAF * len(seen)):
            raise TooFree(max(spent.steps, key=lambda one: spent.steps[one]))
    return found


def _found(search: _Search, first: int) -> list[Match]:
    pattern, seen = search.pattern, search.texts
    found = []
    for start in _starts(search, first):
        if start and seen[start - 1] in (".", "?.") and pattern.leaves[0] not in (".", "?."):
            continue
        behind = _match(search, 0, start, {})
        if behind is not None:
            found.append(Match(start, behind))
    return found


def nearest(pattern: Pattern, source: Source, most: int = 3) -> list[int]:
    """The numbers of the lines that look most like the first line of `pattern`, best first."""
    wanted = next(line for line in pattern.text.splitlines() if line.strip()).strip()[
        :_LONGEST_LINE
    ]
    words = set(WORD.findall(wanted))
    weight = sum(map(len, words)) or 1
    scored = []
    for number, (known, line) in enumerate(source.words, start=1):
        shared = sum(map(len, words & known))
        if shared:
            scored.append((shared / weight, number, line[: len(wanted) + 12]))
    scored = sorted(scored, key=lambda item: -item[0])[:40]
    alike = {
        line: difflib.SequenceMatcher(None, wanted, line).ratio()
        for line in {line for *_, line in scored}
    }
    ranked = sorted((-shared - alike[line], number) for shared, number, line in scored)
    return [number for score, number in ranked[:most] if score < -0.6]


def _starts(search: _Search, first: int) -> Iterator[int]:
    wanted = search.pattern.leaves[0]
    ahead = 0
    if 0 in search.pattern.names:
        if not _follows(search.pattern):
            yield from range(first, search.end)
            return
        wanted, ahead = search.pattern.leaves[1], 1
    texts, place = search.texts, first + ahead - 1
    try:
        while True:
            place = texts.index(wanted, place + 1, search.end)
            yield place - ahead
    except ValueError:
        return


def _follows(pattern: Pattern) -> bool:
    """Tell whether the second leaf stands right behind the first wherever the pattern does."""
    if len(pattern.leaves) == 1 or pattern.lines[1]:
        return False
    return pattern.leaves[1] not in (RUN, ";", ",", *CLOSERS) and 1 not in pattern.names


def _match(search: _Search, at: int, place: int, names: dict[str, str]) -> int | None:
    """Where a match of the pattern from its leaf `at` on ends, if it stands at leaf `place`."""
    leaves, variable, texts = search.pattern.leaves, search.pattern.names, search.texts
    while at < len(leaves):
        search.spend()
        if at in search.pattern.carried:
            return _match_run(search, at, place, names)
        wanted = leaves[at]
        if place < search.end:
            text = texts[place]
            if _binds(wanted, text, names) if at in variable else wanted == text:
                at, place = at + 1, place + 1
                continue
        step = _tolerated(search, at, place)
        if step is None:
            return None
        at, place = step
    return place


def _match_run(search: _Search, at: int, place: int, names: Mapping[str, str]) -> int | None:
    """The shortest balanced run after which the rest of the pattern stands."""
    bound = {name: names[name] for name in search.pattern.carried[at]}
    if len(search.runs) > MOST_BINDINGS:
        search.runs.clear()
    known = search.runs.setdefault((at, *bound.values()), {})
    walked: list[int] = []
    here: int | None = place
    found: tuple[int, int] | None = None
    while here is not None:
        search.spend()
        if here in known:
            found = known[here]
            break
        walked.append(here)
        behind = _match(search, at + 1, here, dict(bound))
        if behind is not None:
            found = here, behind
            break
        here = _further(search, here)
    known.update(dict.fromkeys(walked, found))
    return found[1] if found is not None and found[0] - place <= LONGEST_RUN else None


def _further(search: _Search, place: int) -> int | None:
    """The next leaf at which a run that goes on from `place` may end; None where it can't go on."""
    text = search.texts[place] if place < search.end else HIDDEN
    if text == HIDDEN or text in CLOSERS:
        return None
    return _behind(search, place) if text in OPENERS else place + 1


def _behind(search: _Search, place: int) -> int | None:
    """The leaf behind the bracket that closes the one at `place`; None where none does, or what is
    HIDDEN."""
    known, texts, at = search.behind, search.texts, place
    opened: list[int] = []
    while place not in known:
        search.spend()
        text = texts[at] if at < search.end else HIDDEN
        if text == HIDDEN or known.get(at, at) is None:
            known.update(dict.fromkeys((place, *opened)))
        elif at in known:
            at = known[at] or at
        else:
            if text in OPENERS:
                opened.append(at)
            elif text in CLOSERS:
                known[opened.pop()] = at + 1
            at += 1
    return known[place]


def _binds(wanted: str, text: str, names: dict[str, str]) -> bool:
    """Tell whether `text` is an identifier, and the one that `wanted` stood for before."""
    if not _IDENTIFIER.fullmatch(text) or text[0].isdigit() or _RESERVED.fullmatch(text):
        return False
    return names.setdefault(wanted, text) == text


def _too_free(pattern: Pattern) -> str:
    runs = [at for at, leaf in enumerate(pattern.leaves) if pattern.loose and leaf == RUN]
    if not pattern.wild:
        return "it repeats itself too often; write a shorter piece that stands once"
    if 0 in pattern.names:
        wild, cure = f"`{pattern.leaves[0]}` at its beginning", "begin it with a word of its own"
    elif runs:
        around = pattern.leaves[max(runs[0] - 4, 0) : runs[0] + 5]
        wild, cure = f"`$$$` in `{' '.join(around)[:100]}`", "write more of what stands around it"
    else:
        name = next(iter(pattern.names.values()))
        wild, cure = f"`{name}`", "write the name itself"
    return f"{wild} is too free: it fits too many places; {cure}"


def _tolerated(search: _Search, at: int, place: int) -> tuple[int, int] | None:
    """The next (pattern leaf, file leaf) where only an optional `;` or a trailing comma differs."""
    leaves, texts = search.pattern.leaves, search.texts
    wanted = leaves[at]
    text = texts[place] if place < search.end else ""
    if at == 0:
        return None
    if wanted == ";" and _may_end(search, place):
        return at + 1, place
    if text == ";" and (wanted in CLOSERS or search.pattern.lines[at]):
        return at, place + 1
    if (
        wanted == ","
        and at + 1 < len(leaves)
        and leaves[at + 1] in CLOSERS
        and text == leaves[at + 1]
    ):
        return (at + 1, place) if texts[place - 1] not in (*OPENERS, ",") else None
    following = texts[place + 1] if place + 1 < search.end else ""
    if text == "," and wanted in CLOSERS and following == wanted:
        return (at, place + 1) if leaves[at - 1] not in (*OPENERS, ",") else None
    return None


def _may_end(search: _Search, place: int) -> bool:
    """Tell whether the statement before leaf `place` ends there without a `;`."""
    if place >= len(search.source.texts):
        return True
    text = search.source.texts[place]
    return text == "}" or (search.source.newline_before(place) and not _CONTINUES.match(text))
