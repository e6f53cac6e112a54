"""A text parsed only where it changed has the same leaves as one parsed anew."""

from __future__ import annotations

import random

from kjpstate.formats.typescript.grammar import tree_of
from kjpstate.formats.typescript.source import Source, reread
from tests.support.patch_cases import cases

LINES = (
    b"let tries = 0;\n",
    b"if (a) {\n  b(`x\n ${c}`);\n}\n",
    b"// no code\r\n",
    b"",
    b"}\n",
    b"/*\n",
)


def test_the_leaves_are_those_of_a_whole_parse() -> None:
    chosen = random.Random(7)
    for case in cases():
        data = case.content
        grammar = "tsx" if case.spec.path.endswith("x") else "typescript"
        source = Source(data, tree_of(data, grammar), grammar)
        starts = source.line_starts
        for _ in range(4):
            one, other = sorted((chosen.choice(starts), chosen.choice(starts)))
            edits = [
                (one, one, chosen.choice(LINES)),
                (other, source.line_end(other), chosen.choice(LINES)),
            ]
            after = data[:one] + edits[0][2] + data[one:other] + edits[1][2] + data[edits[1][1] :]
            again, whole = (
                reread(source, after, edits),
                Source(after, tree_of(after, grammar), grammar),
            )
            if whole.fault() is None:
                assert again.fault() is None
                assert (again.starts, again.texts, again.comments) == (
                    whole.starts,
                    whole.texts,
                    whole.comments,
                )
