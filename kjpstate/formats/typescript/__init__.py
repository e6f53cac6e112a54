"""TypeScript and JavaScript as leaves with places: the only door to tree-sitter. Pure.

`source` reads a file, `patterns` finds an author's text in it, `structure` says what is a whole statement,
which names stand where. Called by the kind `patch`.
"""

from __future__ import annotations

from kjpstate.formats.typescript.patterns import BadPattern, Match, Pattern, find, nearest, pattern_of
from kjpstate.formats.typescript.source import (
    NoParser,
    Source,
    fragment,
    grammar_of,
    read,
    token_digest,
)

__all__ = [
    "BadPattern",
    "Match",
    "NoParser",
    "Pattern",
    "Source",
    "find",
    "fragment",
    "grammar_of",
    "nearest",
    "pattern_of",
    "read",
    "token_digest",
]
