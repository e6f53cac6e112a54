"""A text that stands by itself, and the digest of its words: what an author's content is judged by.

Called by the kind `patch`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

from kjpstate.formats.typescript.grammar import Leaf
from kjpstate.formats.typescript.source import CLOSERS, OPENERS, Source, grammar_of, parsed

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


def fragment(text: str, path: str) -> tuple[Source, int, int] | None:
    """(source, start, end) of a text that stands by itself: statements, members, properties or
    cases.

    None when it is none of them: unbalanced, or with a fault. Raises NoParser.
    """
    grammar = grammar_of(path) or "typescript"
    for before, after in _FRAMES:
        source = parsed(f"{before}{text}{after}".encode(), grammar)
        start = len(before)
        end = start + len(text.encode())
        if source.fault() is None and _balanced(source, start, end):
            return source, start, end
    return None


def token_digest(leaves: Sequence[Leaf]) -> str:
    """12 hex over words and comments: blind to layout, quotes, `;` and trailing commas."""
    words = [leaf for leaf in leaves if leaf.comment or leaf.text != ";"]
    tokens = [leaf for leaf in words if not leaf.comment]
    trailing = {
        leaf.start for leaf, after in pairwise(tokens) if leaf.text == "," and after.text in CLOSERS
    }
    if tokens and tokens[-1].text == ",":
        trailing.add(tokens[-1].start)
    kept = (
        "\0".join(("#" if leaf.comment else "", leaf.text))
        for leaf in words
        if leaf.start not in trailing
    )
    return hashlib.sha256("\n\0".join(kept).encode()).hexdigest()[:12]


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
