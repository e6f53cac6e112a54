"""Nodes and the JSON Schema -> plain values, typed by the schema, and every problem with its place.

One walk does what two would do: YAML has no say in types, so a scalar is typed where the schema
asks, and what does not fit is told at its own line. A test holds it against jsonschema. Called by
`load`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from kjpstate.document.nodes import MOST_PROBLEMS, Mapping, Node, Place, Problems, Scalar, Sequence
from kjpstate.document.references import BadReference, References
from kjpstate.document.schema import Schema, only_requires, resolved, types_of
from kjpstate.document.sentences import (
    absent,
    escaped,
    expected,
    missing,
    nearest,
    says_yes_or_no,
    ticked,
    unknown,
    unlike,
)
from kjpstate.document.words import CHECKERS
from kjpstate.said import Text, say
from kjpstate.secret import Secret

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?")
_NOTHING = ("", "~", "null", "Null", "NULL")
_EMPTY = Mapping({}, {}, Place(1, 1))

MISSING: Final = object()
"""Stands for a value that did not fit: left out of what the walk returns."""


@dataclass
class Shaper:
    """`broken`: pointers of the mappings and lists from which something that did not fit was left
    out."""

    root: Schema
    problems: Problems
    references: References
    broken: set[str] = field(default_factory=set)

    def value(self, node: Node, schema: Schema, pointer: str = "") -> Any:
        """The typed value of `node`, or MISSING."""
        schema = resolved(schema, self.root)
        if "oneOf" in schema and not only_requires(schema["oneOf"]):
            return self._alternative(node, schema, pointer)
        types = types_of(schema)
        if isinstance(node, Mapping) and "object" in types:
            return self._mapping(node, schema, pointer)
        if isinstance(node, Sequence) and "array" in types:
            return self._sequence(node, schema, pointer)
        if isinstance(node, Scalar) and not types <= {"object", "array"}:
            return self._scalar(node, schema, types)
        return self._unfit(node, schema)

    # ---- one of several shapes

    def _alternative(self, node: Node, schema: Schema, pointer: str) -> Any:
        fitting = [
            option
            for option in (resolved(one, self.root) for one in schema["oneOf"])
            if self._admits(option, node)
        ]
        if not fitting:
            return self._unfit(node, schema)
        if isinstance(node, Mapping) and len(fitting) > 1:
            return self._told_apart(node, fitting, pointer)
        if isinstance(node, Scalar) and len(fitting) > 1:
            if (
                node.plain
                and says_yes_or_no(node.text)
                and any("boolean" in types_of(one) for one in fitting)
            ):
                meant = "true" if says_yes_or_no(node.text) == "yes" else "false"
                unsure = say("document.may-mean", found=repr(node.text), meant=meant)
                self.problems.add(node.place, unsure)
                return MISSING
            typed = [(option, _typed(node, option)) for option in fitting]
            fitting = [
                option for option, value in typed if value is not MISSING and _allows(option, value)
            ]
            if not fitting:
                return self._unfit(node, schema)
        return self.value(node, fitting[0], pointer)

    def _admits(self, schema: Schema, node: Node) -> bool:
        if "oneOf" in schema and not only_requires(schema["oneOf"]):
            return any(self._admits(resolved(one, self.root), node) for one in schema["oneOf"])
        types = types_of(schema)
        if isinstance(node, Mapping):
            return "object" in types
        return "array" in types if isinstance(node, Sequence) else not types <= {"object", "array"}

    def _told_apart(self, node: Mapping, options: Items[Schema], pointer: str) -> Any:
        """Among mappings the required key that only one of them has decides."""
        common = set.intersection(*(set(option["required"]) for option in options))
        marks = {next(iter(set(option["required"]) - common)): option for option in options}
        given = [key for key in node.entries if key in marks]
        if len(given) == 1:
            return self.value(node, marks[given[0]], pointer)
        if given:
            together = say("document.together", keys=ticked(given))
            self.problems.add(node.keys[given[1]], together)
            return MISSING
        strays = [key for key in node.entries if key not in common]
        near = [(key, nearest(key, marks)) for key in strays[:MOST_PROBLEMS]]
        for key, meant in near:
            if meant:
                stray = say("document.unknown-key", key=key)
                guess = say("document.did-you-mean", reason=stray, meant=meant)
                self.problems.add(node.keys[key], guess)
        if not any(meant for _, meant in near):
            place = node.keys[strays[0]] if strays else node.place
            self.problems.add(place, say("document.one-key-of", keys=ticked(marks)))
        return MISSING

    # ---- mappings

    def _mapping(self, node: Mapping, schema: Schema, pointer: str) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for key, item in node.entries.items():
            inner = self._schema_of(key, schema)
            if inner is None:
                self.problems.add(node.keys[key], partial(unknown, key, schema))
                continue
            below = f"{pointer}/{escaped(key)}"
            typed = self.value(item, inner, below)
            if typed is MISSING:
                self.broken.add(pointer)
            else:
                value[key] = typed
        for reason in _keys_at_fault(set(node.entries), schema):
            self.problems.add(node.place, reason)
            self.broken.add(pointer)
        return value

    def _schema_of(self, key: str, schema: Schema) -> Schema | None:
        if key in schema.get("properties", {}):
            return schema["properties"][key]  # type: ignore[no-any-return]
        for pattern, inner in schema.get("patternProperties", {}).items():
            if re.search(_anchored(pattern), key):
                return inner  # type: ignore[no-any-return]
        more = schema.get("additionalProperties", False)
        return more if isinstance(more, dict) else None

    # ---- lists

    def _sequence(self, node: Sequence, schema: Schema, pointer: str) -> list[Any]:
        typed = [
            self._item(item, schema["items"], f"{pointer}/{at}")
            for at, item in enumerate(node.items)
        ]
        if any(item is MISSING for item in typed):
            self.broken.add(pointer)
        if len(node.items) < schema.get("minItems", 0):
            self.problems.add(node.place, say("document.list-empty"))
            self.broken.add(pointer)
        if schema.get("uniqueItems"):
            seen: set[str] = set()
            for at, item in enumerate(typed):
                if item is not MISSING and repr(item) in seen:
                    twice = say("document.item-twice", item=repr(item))
                    self.problems.add(node.items[at].place, twice)
                seen.add(repr(item))
        return [item for item in typed if item is not MISSING]

    def _item(self, node: Node, schema: Schema, pointer: str) -> Any:
        """An entry; a mapping that does not fit leaves an empty one: its neighbours keep their
        places."""
        typed = self.value(node, schema, pointer)
        if typed is MISSING and self._admits(resolved(schema, self.root), _EMPTY):
            self.broken.add(pointer)
            return {}
        return typed

    # ---- texts, numbers, yes and no

    def _scalar(self, node: Scalar, schema: Schema, types: set[str]) -> Any:
        if node.plain and node.text in _NOTHING:
            self.problems.add(node.place, absent(node, schema))
            return MISSING
        value = _typed(node, schema)
        if isinstance(value, str):
            return self._text(node, schema)
        if value is MISSING or not _allows(schema, value):
            return self._unfit(node, schema)
        return value

    def _text(self, node: Scalar, schema: Schema) -> Any:
        try:
            value = self.references.filled(node.text)
        except BadReference as error:
            self.problems.add(node.place, error.why)
            return MISSING
        if isinstance(value, Secret):
            if schema.get("x-secret"):
                return value
            self.problems.add(node.place, say("document.no-secret"))
            return MISSING
        if not _allows(schema, value):
            return self._unfit(node, schema)
        flaws = list(CHECKERS.get(schema.get("format", ""), _no_flaws)(value))
        for line, reason in flaws:
            place = Place(node.place.line + 1 + line, 1) if node.block else node.place
            self.problems.add(place, reason)
        return MISSING if flaws else value

    def _unfit(self, node: Node, schema: Schema) -> Any:
        if "oneOf" in schema:
            schema = {
                **schema,
                "oneOf": [resolved(option, self.root) for option in schema["oneOf"]],
            }
        self.problems.add(node.place, partial(unlike, node, schema))
        return MISSING


def _typed(node: Scalar, schema: Schema) -> Any:
    """The value the schema sees in a text: quoted is text, plain is the first type that fits."""
    types = types_of(schema)
    if schema.get("x-text") or not node.plain:
        return node.text if "string" in types else MISSING
    if "boolean" in types and node.text in ("true", "false"):
        return node.text == "true"
    if "integer" in types and _INTEGER.fullmatch(node.text):
        return int(node.text)
    if "number" in types and _NUMBER.fullmatch(node.text):
        return float(node.text)
    return node.text if "string" in types else MISSING


def _allows(schema: Schema, value: Any) -> bool:
    """The keywords for single values."""
    if "const" in schema and (value != schema["const"] or type(value) is not type(schema["const"])):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, str):
        long_enough = len(value) >= schema.get("minLength", 0)
        return long_enough and (
            "pattern" not in schema or bool(re.search(_anchored(schema["pattern"]), value))
        )
    if isinstance(value, bool):
        return True
    return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))


def _anchored(pattern: str) -> str:
    """Python's `$` also matches before a final line break; JSON Schema's does not."""
    return (
        pattern.removesuffix("$") + r"\Z"
        if pattern.endswith("$") and not pattern.endswith(r"\$")
        else pattern
    )


def _keys_at_fault(keys: set[str], schema: Schema) -> Iterator[Text]:
    """required, oneOf of required, dependentRequired, minProperties."""
    for key in schema.get("required", ()):
        if key not in keys:
            yield missing(key, schema["properties"].get(key, {}))
    choice = [option["required"][0] for option in schema.get("oneOf", ())]
    given = [key for key in choice if key in keys]
    if choice and not given:
        yield say("document.none-of-the-keys", keys=ticked(choice))
    if len(given) > 1:
        yield say("document.several-of-the-keys", keys=ticked(choice), given=ticked(given))
    for key, needed in schema.get("dependentRequired", {}).items():
        for other in needed:
            if key in keys and other not in keys:
                yield say("document.only-beside", key=key, other=other)
    if not keys and schema.get("minProperties"):
        yield say("document.mapping-empty", expected=expected(schema))


def _no_flaws(_: str) -> Iterator[tuple[int, Text]]:
    return iter(())
