"""tree-sitter's trees, walked leaf by leaf: the only module that loads it.

A string is one leaf by its value, a template and a regular expression one leaf by its text; `>>` is
two leaves (a fragment can't know whether it closes two types); what the parser only supposed is no
leaf. Called by `source`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

Edit: TypeAlias = tuple[int, int, bytes]

_LITERALS = frozenset({"string", "template_string", "template_literal_type", "regex"})
COMMENTS = frozenset({"comment", "html_comment", "hash_bang_line"})
_CLOSING = ord(">")
_SUSPECT = frozenset(b"'\"`/<># \t\r\n")
"""First bytes of leaves that may be a literal, a comment, text between tags, or two in one."""
_SPLIT = frozenset({">>", ">>>"})

_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r\n|.)", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_LINE_ENDS = ("\n", "\r", "\r\n", "\u2028", "\u2029")


class NoParser(Exception):
    """tree-sitter, or a grammar that fits it, is not installed on this machine."""


class Leaf(NamedTuple):
    """`text` is what is compared; `start` and `end` are bytes. `comment`: it is one, `text` its
    words."""

    start: int
    end: int
    text: str
    comment: bool = False


def tree_of(data: bytes, grammar: str) -> Tree:
    """Parse UTF-8 bytes with `typescript` or `tsx`. Raises NoParser."""
    return _parser(grammar).parse(data)


def tree_after(tree: Tree, data: bytes, grammar: str, after: bytes, edits: Sequence[Edit]) -> Tree:
    """The tree of `after`, which is `data` with `edits` done; what they don't touch is not parsed
    again.

    `edits`: (start, end, new text), in bytes of `data`. `tree` stays as it is.
    """
    edited = copy.copy(tree)
    for start, end, text in sorted(edits, reverse=True):
        row, column = _point(data, start)
        rows, rest = _point(text, len(text))
        ended = (row + rows, rest if rows else column + rest)
        edited.edit(start, end, start + len(text), (row, column), _point(data, end), ended)
    return _parser(grammar).parse(after, edited)


def _point(data: bytes, offset: int) -> tuple[int, int]:
    """Row and column (bytes) of `offset`, from 0."""
    return data.count(b"\n", 0, offset), offset - data.rfind(b"\n", 0, offset) - 1


def leaves_of(tree: Tree, data: bytes, grammar: str, first: int, behind: int) -> Iterator[Leaf]:
    """All that has a width in the bytes `first:behind`, in order, comments among it."""
    starts, ends, roles = terminals(tree, data, first, behind)
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        text, role = data[start:end].decode(errors="replace"), roles.get(index)
        if role:
            yield from special(text, start, end, role)
        else:
            yield Leaf(start, end, folded(text) if grammar == "tsx" else text)


def folded(text: str) -> str:
    """`text` with each run of blanks as one."""
    return " ".join(text.split())


def string_value(literal: str) -> str:
    """Read a string literal, its quotes taken off and its escapes resolved."""
    text = literal[1:-1]
    return _ESCAPE.sub(_unescape, text) if "\\" in text else text


def _unescape(match: re.Match[str]) -> str:
    escape = match.group(1)
    if escape in _LINE_ENDS:
        return ""
    if escape[0] in "ux" and len(escape) > 1:
        code = int(escape.strip("ux{}"), 16) if "{" in escape else int(escape[1:], 16)
        return chr(code) if code < 0x110000 else match.group()
    return _SIMPLE.get(escape, escape)


@lru_cache(maxsize=2)
def _parser(grammar: str) -> Parser:
    try:
        import tree_sitter
        import tree_sitter_typescript

        chosen = getattr(tree_sitter_typescript, f"language_{grammar}")
        return tree_sitter.Parser(tree_sitter.Language(chosen()))
    except (ImportError, ValueError) as error:  # not there, or a grammar the library is too old for
        raise NoParser(str(error)) from error


def terminals(
    tree: Tree, data: bytes, first: int, behind: int
) -> tuple[list[int], list[int], dict[int, str]]:
    """Where each leaf starts, where it ends, and by index a literal's, comment's or text's type, or
    `split`.

    Lists, not tuples one by one: a file has ten leaves a line, and this walk is half of a plan's
    time.
    """
    cursor = tree.walk()
    while cursor.goto_first_child_for_byte(first) is not None:
        pass
    down, right, up = cursor.goto_first_child, cursor.goto_next_sibling, cursor.goto_parent
    starts: list[int] = []
    ends: list[int] = []
    roles: dict[int, str] = {}
    add_start, add_end, suspect = starts.append, ends.append, _SUSPECT
    while True:
        while down():
            pass
        node = cursor.node
        assert node is not None
        start, end = node.start_byte, node.end_byte
        if start >= behind:
            return starts, ends, roles
        if start < end:
            role = ""
            if data[start] in suspect and (data[start] != _CLOSING or end - start > 1):
                role, whole = _role(node)
                if whole is not node:
                    start, end = whole.start_byte, whole.end_byte
                    up()
            if start >= first:
                if role:
                    roles[len(starts)] = role
                add_start(start)
                add_end(end)
        while not right():
            if not up():
                return starts, ends, roles


def _role(node: Node) -> tuple[str, Node]:
    """Find what a leaf that starts like a literal, a comment or a text belongs to, and the node of
    the whole."""
    kind = node.type
    if kind in COMMENTS or kind == "jsx_text":
        return kind, node
    if kind in _SPLIT:
        return "split", node
    parent = node.parent
    if parent is not None and parent.type in _LITERALS and parent.start_byte == node.start_byte:
        return parent.type, parent
    return "", node


def special(text: str, start: int, end: int, role: str) -> Iterator[Leaf]:
    """The leaves of a terminal that is more than its bare text."""
    if role in COMMENTS:
        yield Leaf(start, end, folded(text), True)
    elif role == "string":
        yield Leaf(start, end, f'"{string_value(text)}"')
    elif role == "jsx_text":
        yield Leaf(start, end, folded(text))
    elif role == "split":
        yield from (Leaf(start + place, start + place + 1, ">") for place in range(len(text)))
    else:
        yield Leaf(start, end, text.replace("\r\n", "\n"))
