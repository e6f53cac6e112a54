"""The pages of `kjpstate explain`: of a rule, and of a key of the document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from kjpstate.document.keys import Key
from kjpstate.render.lines import BLANK, Line
from kjpstate.rules import Rule


def rule_page(name: str, rule: Rule) -> Iterator[Line]:
    """Title, text and cure of a rule."""
    yield Line(f"{name}: {rule.title}", "strong", hang=2)
    yield BLANK
    yield Line(rule.text)
    yield BLANK
    yield Line(f"Cure: {rule.cure}")


def key_page(alike: Sequence[Key], below: Sequence[Key]) -> Iterator[Line]:
    """What keys that are described alike are for, what may stand there, and the keys below them."""
    key = alike[0]
    first, *more = key.described
    yield Line(f"{', '.join(one.path for one in alike)}: {first}", "strong", hang=2)
    yield from (Line(f"or: {text}", hang=4) for text in more)
    yield BLANK
    for takes in key.takes:
        yield Line(f"Takes: {takes}", hang=7)
    if all(one.required for one in alike):
        yield Line("Must stand where its mapping stands.")
    if key.default is not None:
        yield Line(f"Without it: {_yaml(key.default)}", hang=12)
    for example in key.examples:
        yield Line(f"Example: {key.name}: {_yaml(example)}", hang=9)
    if below:
        yield BLANK
        width = max(len(one.path) for one in below)
        yield from (
            Line(f"{one.path:<{width}}  {one.described[0]}", hang=width + 2) for one in below
        )


def _yaml(value: Any) -> str:
    """In one line, as a document has it: plain where that reads the same, else as JSON, which YAML
    is too."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
