"""The pages of `kjpstate explain`: of a rule, of a message, and of a key of the document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from string import Formatter
from typing import Any

from kjpstate.document.keys import Key
from kjpstate.render.lines import BLANK, Line
from kjpstate.said import say
from kjpstate.words import messages, text
from kjpstate.words.plural import Plural

_PAGE = (".page-title", ".page-text", ".page-cure")
"""A rule's page is no wording of it."""


def rule_page(rule: str) -> Iterator[Line]:
    """Title, text and cure of a rule, and the codes under which it is told."""
    yield Line(f"{rule}: {rule_title(rule)}", "strong", hang=2)
    yield BLANK
    yield Line(text(say(f"{rule}.page-text")))
    yield BLANK
    yield Line(text(say("explain.cure", cure=say(f"{rule}.page-cure"))))
    told = [code for code in wordings() if code == rule or code.startswith(f"{rule}.")]
    if told:
        yield BLANK
        yield Line(text(say("explain.told-as", codes=told)), hang=2)


def rule_title(rule: str) -> str:
    """The rule in one line."""
    return text(say(f"{rule}.page-title"))


def wordings() -> tuple[str, ...]:
    """The codes of all messages, in their order; a rule's page has none of its own."""
    return tuple(sorted(code for code in messages() if not code.endswith(_PAGE)))


def message_page(code: str, rule: str) -> Iterator[Line]:
    """A message: its sentence with the names of its values, and the rule that it belongs to."""
    message = messages()[code]
    forms = (message.one, message.many) if isinstance(message, Plural) else (message,)
    first, *more = (row for form in dict.fromkeys(forms) for row in form.split("\n"))
    yield Line(f"{code}: {first}", "strong", hang=2)
    yield from (Line(row, hang=2) for row in more)
    yield BLANK
    names = dict.fromkeys(name for form in forms for _, name, _, _ in Formatter().parse(form))
    values = [name for name in names if name]
    yield Line(text(say("explain.values", names=values) if values else say("explain.no-values")))
    if rule:
        yield Line(text(say("explain.of-rule", rule=rule)))


def key_page(alike: Sequence[Key], below: Sequence[Key]) -> Iterator[Line]:
    """What keys that are described alike are for, what may stand there, and the keys below them."""
    key = alike[0]
    first, *more = key.described
    yield Line(f"{', '.join(one.path for one in alike)}: {first}", "strong", hang=2)
    yield from (Line(say("explain.or", text=text), hang=4) for text in more)
    yield BLANK
    for takes in key.takes:
        yield Line(say("explain.takes", what=takes), hang=7)
    if all(one.required for one in alike):
        yield Line(say("explain.must-stand"))
    if key.default is not None:
        yield Line(say("explain.default", value=_yaml(key.default)), hang=12)
    for example in key.examples:
        yield Line(say("explain.example", key=key.name, value=_yaml(example)), hang=9)
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
