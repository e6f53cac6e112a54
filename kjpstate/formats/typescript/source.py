"""Bytes -> leaves, comments and lines. The grammar is tree-sitter's; a leaf is compared by its text alone.

A string is one leaf by its value, a template and a regular expression one leaf by its text; `>>` is two
leaves (a fragment can't know whether it closes two types); what the parser only supposed is no leaf.
Called by `patterns`, `structure` and the kind `patch`.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

BOM = b"\xef\xbb\xbf"
OPENERS, CLOSERS = frozenset("([{"), frozenset(")]}")

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
_LITERALS = frozenset({"string", "template_string", "template_literal_type", "regex"})
_QUOTES = frozenset("'\"`")
COMMENTS = frozenset({"comment", "html_comment", "hash_bang_line"})
_SUSPECT = frozenset(b"'\"`/<# \t\r\n")
"""First bytes of leaves that may be a literal, a comment, or text between tags."""
_SPLIT = frozenset({">>", ">>>"})

_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r\n|.)", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_LINE_ENDS = ("\n", "\r", "\r\n", "\u2028", "\u2029")

# What content may stand in when it is no list of statements: members, properties, elements, cases.
_FRAMES = (
    ("", ""),
    ("class A {\n", "\n}"),
    ("x = {\n", "\n}"),
    ("x = [\n", "\n]"),
    ("switch (x) {\n", "\n}"),
    ("interface A {\n", "\n}"),
    ("enum A {\n", "\n}"),
)


class NoParser(Exception):
    """tree-sitter is not installed on this machine."""


@dataclass(frozen=True)
class Leaf:
    """`text` is what is compared; `start` and `end` are bytes. `comment`: it is one, `text` its words."""

    start: int
    end: int
    text: str
    comment: bool = False


@dataclass(frozen=True, eq=False)
class Source:
    """One parsed text. `texts[i]` stands at `starts[i]:ends[i]`; comments stand apart; offsets are bytes."""

    data: bytes
    tree: Tree
    starts: list[int]
    ends: list[int]
    texts: list[str]
    comments: list[tuple[int, int]]

    @property
    def open_literal(self) -> bool:
        """Whether a string or template never closes; only a text with errors has one."""
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

    def newline_before(self, index: int) -> bool:
        """Whether leaf `index` does not stand on the line of the leaf before it."""
        before = self.ends[index - 1] if index else 0
        return b"\n" in self.data[before : self.starts[index]]

    def fault(self) -> int | None:
        """The offset of the first thing the grammar could not read; None for a sound text."""
        node = self.tree.root_node
        if not node.has_error:
            return None
        while True:
            inner = next((child for child in node.children if child.has_error or child.is_missing), None)
            if inner is None or node.is_error:
                return node.start_byte
            node = inner

    def leaf_from(self, offset: int) -> int:
        """The index of the first leaf that does not end before or at `offset`."""
        return bisect_right(self.ends, offset)

    def leaves(self, start: int, end: int) -> list[Leaf]:
        """Leaves and comments that lie in `start:end`, in order."""
        first, last = self.leaf_from(start), bisect_right(self.starts, end - 1)
        found = [Leaf(self.starts[i], self.ends[i], self.texts[i]) for i in range(first, last)]
        found += [
            Leaf(one, other, folded(self.data[one:other].decode(errors="replace")), True)
            for one, other in self.comments_in(start, end)
        ]
        return sorted(found, key=lambda leaf: leaf.start)

    def comments_in(self, start: int, end: int) -> Sequence[tuple[int, int]]:
        """The comments that lie in `start:end`."""
        first = bisect_right(self.comments, (start, -1))
        last = bisect_right(self.comments, (end, -1))
        return [item for item in self.comments[first:last] if item[1] <= end]

    def covered(self) -> bool:
        """Whether every word of the text is a leaf or a comment: an ERROR may swallow some."""
        spans = sorted([*zip(self.starts, self.ends, strict=True), *self.comments])
        place = 0
        for start, end in spans:
            if self.data[place:start].strip(BOM + b" \t\r\n\f\v"):
                return False
            place = max(place, end)
        return not self.data[place:].strip(b" \t\r\n\f\v")


def grammar_of(path: str) -> str | None:
    """`typescript` or `tsx`, by the ending of `path`; None for anything else."""
    ending = re.search(r"\.[a-z]+$", path.lower())
    return _GRAMMARS.get(ending.group()) if ending else None


def read(data: bytes, path: str) -> Source:
    """Parse a file's bytes (UTF-8). JavaScript that only reads with JSX is read so. Raises NoParser."""
    grammar = grammar_of(path) or "typescript"
    source = _parse(data, grammar)
    if grammar == "typescript" and path.lower().endswith("js") and source.fault() is not None:
        other = _parse(data, "tsx")
        return other if other.fault() is None else source
    return source


def fragment(text: str, path: str) -> tuple[Source, int, int] | None:
    """(source, start, end) of a text that stands by itself: statements, members, properties or cases.

    None when it is none of them: unbalanced, or with a fault. Raises NoParser.
    """
    grammar = grammar_of(path) or "typescript"
    for before, after in _FRAMES:
        source = _parse(f"{before}{text}{after}".encode(), grammar)
        start = len(before)
        end = start + len(text.encode())
        if source.fault() is None and _balanced(source, start, end):
            return source, start, end
    return None


def token_digest(leaves: Sequence[Leaf]) -> str:
    """12 hex over words and comments: blind to layout, quotes, `;` and trailing commas."""
    words = [leaf for leaf in leaves if leaf.comment or leaf.text != ";"]
    tokens = [leaf for leaf in words if not leaf.comment]
    trailing = {leaf.start for leaf, after in pairwise(tokens) if leaf.text == "," and after.text in CLOSERS}
    if tokens and tokens[-1].text == ",":
        trailing.add(tokens[-1].start)
    kept = (
        "\0".join(("#" if leaf.comment else "", leaf.text)) for leaf in words if leaf.start not in trailing
    )
    return hashlib.sha256("\n\0".join(kept).encode()).hexdigest()[:12]


def folded(text: str) -> str:
    """`text` with each run of blanks as one."""
    return " ".join(text.split())


def string_value(literal: str) -> str:
    """What a string literal means, its quotes taken off and its escapes resolved."""
    return _ESCAPE.sub(_unescape, literal[1:-1])


def _unescape(match: re.Match[str]) -> str:
    escape = match.group(1)
    if escape in _LINE_ENDS:
        return ""
    if escape[0] in "ux" and len(escape) > 1:
        code = int(escape.strip("ux{}"), 16) if "{" in escape else int(escape[1:], 16)
        return chr(code) if code < 0x110000 else match.group()
    return _SIMPLE.get(escape, escape)


def _balanced(source: Source, start: int, end: int) -> bool:
    depth = 0
    for index in range(source.leaf_from(start), len(source.texts)):
        if source.starts[index] >= end:
            break
        text = source.texts[index]
        depth += (text in OPENERS) - (text in CLOSERS)
        if depth < 0:
            return False
    return depth == 0


@lru_cache(maxsize=16)
def _parse(data: bytes, grammar: str) -> Source:
    tree = _parser(grammar).parse(data)
    source = Source(data, tree, [], [], [], [])
    add_start, add_end, add_text = source.starts.append, source.ends.append, source.texts.append
    for start, end, role in _terminals(tree, data):
        if role in COMMENTS:
            source.comments.append((start, end))
            continue
        text = data[start:end].decode(errors="replace")
        if role or text in _SPLIT:
            for one, other, part in _normal(text, start, end, role):
                add_start(one)
                add_end(other)
                add_text(part)
            continue
        add_start(start)
        add_end(end)
        add_text(folded(text) if grammar == "tsx" else text)
    return source


@lru_cache(maxsize=2)
def _parser(grammar: str) -> Parser:
    try:
        import tree_sitter
        import tree_sitter_typescript
    except ImportError as error:
        raise NoParser(str(error)) from error
    language = (
        tree_sitter_typescript.language_tsx()
        if grammar == "tsx"
        else tree_sitter_typescript.language_typescript()
    )
    return tree_sitter.Parser(tree_sitter.Language(language))


def _terminals(tree: Tree, data: bytes) -> Iterator[tuple[int, int, str]]:
    """(start, end, role) of all that has a width; role: a literal's, comment's or text's type, or empty."""
    cursor = tree.walk()
    down, right, up = cursor.goto_first_child, cursor.goto_next_sibling, cursor.goto_parent
    while True:
        while down():
            pass
        node = cursor.node
        assert node is not None
        start, end = node.start_byte, node.end_byte
        if start < end:
            role = ""
            if data[start] in _SUSPECT:
                role, whole = _role(node)
                if whole is not node:
                    start, end = whole.start_byte, whole.end_byte
                    up()
            yield start, end, role
        while not right():
            if not up():
                return


def _role(node: Node) -> tuple[str, Node]:
    """What a leaf that starts like a literal, a comment or a text belongs to, and the node of the whole."""
    if node.type in COMMENTS or node.type == "jsx_text":
        return node.type, node
    parent = node.parent
    if parent is not None and parent.type in _LITERALS and parent.start_byte == node.start_byte:
        return parent.type, parent
    return "", node


def _normal(text: str, start: int, end: int, role: str) -> Iterator[tuple[int, int, str]]:
    if role == "string":
        yield start, end, f'"{string_value(text)}"'
    elif role == "jsx_text":
        yield start, end, folded(text)
    elif role:
        yield start, end, text.replace("\r\n", "\n")
    else:
        yield from ((start + place, start + place + 1, ">") for place in range(len(text)))
