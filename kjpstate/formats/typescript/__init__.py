"""TypeScript and JavaScript as leaves with places: the only door to tree-sitter. Pure.

`grammar` walks trees, `source` reads a file, `fragments` an author's new text, `patterns` finds an
author's old text, `structure` says what is a whole statement and which names stand where. Called by
the kind `patch`.
"""

from __future__ import annotations

from kjpstate.formats.typescript.fragments import fragment, token_digest
from kjpstate.formats.typescript.grammar import NoParser
from kjpstate.formats.typescript.patterns import (
    BadPattern,
    Match,
    Pattern,
    Spent,
    TooFree,
    find,
    nearest,
    pattern_of,
)
from kjpstate.formats.typescript.source import Source, grammar_of, read, reread

__all__ = [
    "BadPattern",
    "Match",
    "NoParser",
    "Pattern",
    "Source",
    "Spent",
    "TooFree",
    "find",
    "fragment",
    "grammar_of",
    "nearest",
    "pattern_of",
    "read",
    "reread",
    "token_digest",
]
