"""Bytes -> leaves, comments and lines; a leaf is compared by its text alone, never by the grammar's
type.

Called by `patterns`, `structure`, `fragments` and the kind `patch`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from kjpstate.formats.typescript.grammar import (
    COMMENTS,
    Edit,
    Leaf,
    folded,
    leaves_of,
    special,
    string_value,
    terminals,
    tree_after,
    tree_of,
)

if TYPE_CHECKING:
    from tree_sitter import Tree

BOM = b"\xef\xbb\xbf"
OPENERS, CLOSERS = frozenset("([{"), frozenset(")]}")

WORD = re.compile(r"\w{3,}")
_LEAD = re.compile(r"^\s*(\}\s*)?(else\s+)?")
_LONGEST_LINE, _SHOWN = 1_000, 240
"""Signs of a line in which words are looked for, and that are kept."""
_QUOTES = frozenset("'\"`")
_BLANK = " \t\r\n\f\v\xa0\ufeff\u2028\u2029\u3000"
_SMALL = 16 * 1024
"""Bytes: below it a text is an author's, above it a file."""

_GRAMMARS = {
    ".ts": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".js": "typescript",
    ".cjs": "typescript",
    ".mjs": "typescript",
    ".tsx": "tsx",
    ".jsx": "tsx",
}


@dataclass(frozen=True, eq=False)
class Source:
    """One parsed text. `texts[i]` stands at `starts[i]:ends[i]`; comments stand apart; offsets are
    bytes."""

    data: bytes
    tree: Tree
    grammar: str

    @cached_property
    def _leaves(self) -> tuple[list[int], list[int], list[str], list[tuple[int, int]]]:
        data = self.data
        starts, ends, roles = terminals(self.tree, data, 0, len(data))
        letters = data.decode(
            "latin-1"
        )  # a letter a byte: most words are ASCII, and need no decoding each
        texts = [letters[start:end] for start, end in zip(starts, ends, strict=True)]
        if not data.isascii():
            for index in [index for index, text in enumerate(texts) if not text.isascii()]:
                texts[index] = data[starts[index] : ends[index]].decode(errors="replace")
        if self.grammar == "tsx":
            texts = [text if index in roles else folded(text) for index, text in enumerate(texts)]
        for index in [index for index, role in roles.items() if role == "string"]:
            texts[index] = f'"{string_value(texts[index])}"'
            del roles[index]
        comments = [
            (starts[index], ends[index]) for index, role in roles.items() if role in COMMENTS
        ]
        found: tuple[list[int], list[int], list[str]] = [], [], []
        behind = 0
        for index, role in (*roles.items(), (len(starts), "")):
            found[0].extend(starts[behind:index])
            found[1].extend(ends[behind:index])
            found[2].extend(texts[behind:index])
            behind = index + 1
            leaves = special(texts[index], starts[index], ends[index], role) if role else ()
            for leaf in leaves:
                if not leaf.comment:
                    found[0].append(leaf.start)
                    found[1].append(leaf.end)
                    found[2].append(leaf.text)
        if self.grammar == "tsx":
            comments = self._with_braces(comments, *found)
        return *found, comments

    def _with_braces(
        self, comments: list[tuple[int, int]], starts: list[int], ends: list[int], texts: list[str]
    ) -> list[tuple[int, int]]:
        """The comments, one between tags (`{/* … */}`) with its braces, which
        are no leaves then."""
        whole: dict[int, tuple[int, int]] = {}
        for start, _ in comments:
            after = bisect_right(ends, start)
            if 0 < after < len(texts) and texts[after - 1 : after + 1] == ["{", "}"]:
                span = starts[after - 1], ends[after]
                node = self.tree.root_node.descendant_for_byte_range(*span)
                if node is not None and node.type == "jsx_expression" and node.byte_range == span:
                    whole[after] = span
        for after in sorted(whole, reverse=True):
            for kept in (starts, ends, texts):
                del kept[after - 1 : after + 1]
        if not whole:
            return comments
        spans = whole.values()
        bare = [one for one in comments if not any(span[0] < one[0] < span[1] for span in spans)]
        return sorted([*bare, *spans])

    @property
    def starts(self) -> list[int]:
        """Where each leaf starts."""
        return self._leaves[0]

    @property
    def ends(self) -> list[int]:
        """Behind each leaf."""
        return self._leaves[1]

    @property
    def texts(self) -> list[str]:
        """The text of each leaf that is compared."""
        return self._leaves[2]

    @property
    def comments(self) -> list[tuple[int, int]]:
        """Where the comments stand."""
        return self._leaves[3]

    @property
    def open_literal(self) -> bool:
        """Tell whether a string or template never closes; only a text with errors has one."""
        return any(text in _QUOTES for text in self.texts)

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset of each line; a byte order mark belongs to no line."""
        first = len(BOM) if self.data.startswith(BOM) else 0
        return [first, *(match.end() for match in re.finditer(rb"\n", self.data))]

    def line(self, offset: int) -> int:
        """The line of `offset`, from 1."""
        return max(bisect_right(self.line_starts, offset), 1)

    def line_start(self, offset: int) -> int:
        """Where the line of `offset` starts."""
        return self.line_starts[self.line(offset) - 1]

    def line_end(self, offset: int) -> int:
        """Behind the line of `offset`, its line end included."""
        number = self.line(offset)
        return self.line_starts[number] if number < len(self.line_starts) else len(self.data)

    def line_text(self, number: int) -> str:
        """Line `number` (from 1) without its line end."""
        start = self.line_starts[number - 1]
        return self.data[start : self.line_end(start)].decode(errors="replace").rstrip("\r\n")

    @cached_property
    def words(self) -> list[tuple[frozenset[str], str]]:
        """The longer words of each line, and its beginning without `}` and `else`."""
        lines = (
            _LEAD.sub("", self.line_text(number)[:_LONGEST_LINE])
            for number in range(1, len(self.line_starts) + 1)
        )
        return [(frozenset(WORD.findall(line)), line[:_SHOWN]) for line in lines]

    def newline_before(self, index: int) -> bool:
        """Tell whether leaf `index` does not stand on the line of the leaf before it."""
        before = self.ends[index - 1] if index else 0
        return b"\n" in self.data[before : self.starts[index]]

    def fault(self) -> int | None:
        """The offset of the first thing the grammar could not read; None for a sound text."""
        node = self.tree.root_node
        if not node.has_error:
            return None
        while True:
            inner = next(
                (child for child in node.children if child.has_error or child.is_missing), None
            )
            if inner is None or node.is_error:
                return node.start_byte
            node = inner

    def leaf_from(self, offset: int) -> int:
        """The index of the first leaf that does not end before or at `offset`."""
        return bisect_right(self.ends, offset)

    def leaves(self, start: int, end: int) -> list[Leaf]:
        """Leaves and comments that lie in `start:end`, in order; the rest of the text is not
        walked."""
        found = leaves_of(self.tree, self.data, self.grammar, start, end) if start < end else ()
        return [leaf for leaf in found if leaf.end <= end]

    def comment_at(self, offset: int) -> tuple[int, int] | None:
        """The comment that `offset` lies in."""
        node = self.tree.root_node.descendant_for_byte_range(offset, offset + 1)
        return node.byte_range if node is not None and node.type in COMMENTS else None

    def comments_in(self, start: int, end: int) -> Sequence[tuple[int, int]]:
        """The comments that lie in `start:end`."""
        first = bisect_right(self.comments, (start, -1))
        last = bisect_right(self.comments, (end, -1))
        return [item for item in self.comments[first:last] if item[1] <= end]

    def covered(self) -> bool:
        """Tell whether every word of the text is a leaf or a comment: an ERROR may swallow some."""
        spans = sorted([*zip(self.starts, self.ends, strict=True), *self.comments])
        place = 0
        for start, end in spans:
            if self.data[place:start].decode(errors="replace").strip(_BLANK):
                return False
            place = max(place, end)
        return not self.data[place:].decode(errors="replace").strip(_BLANK)


def grammar_of(path: str) -> str | None:
    """`typescript` or `tsx`, by the ending of `path`; None for anything else."""
    ending = re.search(r"\.[a-z]+$", path.lower())
    return _GRAMMARS.get(ending.group()) if ending else None


def read(data: bytes, path: str) -> Source:
    """Parse a file's bytes (UTF-8). JavaScript that only reads with JSX is read so. Raises
    NoParser."""
    grammar = grammar_of(path) or "typescript"
    source = parsed(data, grammar)
    if grammar == "typescript" and path.lower().endswith("js") and source.fault() is not None:
        other = parsed(data, "tsx")
        return other if other.fault() is None else source
    return source


def reread(source: Source, after: bytes, edits: Sequence[Edit]) -> Source:
    """`after`, which is `source` with `edits` done, parsed only where it changed. It is remembered
    nowhere: whoever reads the file next parses all of it."""
    return Source(
        after, tree_after(source.tree, source.data, source.grammar, after, edits), source.grammar
    )


def parsed(data: bytes, grammar: str) -> Source:
    """One parse for the same bytes, however often they are asked for. Raises NoParser."""
    return (_text if len(data) < _SMALL else _file)(data, grammar)


@lru_cache(maxsize=256)
def _text(data: bytes, grammar: str) -> Source:
    return Source(data, tree_of(data, grammar), grammar)


@lru_cache(maxsize=4)
def _file(data: bytes, grammar: str) -> Source:
    return Source(data, tree_of(data, grammar), grammar)
