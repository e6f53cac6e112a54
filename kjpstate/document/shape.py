"""Nodes and the JSON Schema -> plain values, typed by the schema, and every problem with its place.

One walk does what two would do: YAML has no say in types, so a scalar is typed where the schema asks,
and what does not fit is told at its own line. A test holds it against jsonschema. Called by `load`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import Any, Final

from kjpstate.document.nodes import Mapping, Node, Place, Problems, Scalar, Sequence
from kjpstate.document.references import BadReference, References
from kjpstate.document.schema import Schema, resolved
from kjpstate.document.words import CHECKERS
from kjpstate.secret import Secret

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?")
_NOTHING = ("", "~", "null", "Null", "NULL")
_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}

MISSING: Final = object()
"""Stands for a value that did not fit: left out of what the walk returns."""


@dataclass
class Shaper:
    """`broken`: pointers of the mappings and lists from which something that did not fit was left out."""

    root: Schema
    problems: Problems
    references: References
    broken: set[str] = field(default_factory=set)

    def value(self, node: Node, schema: Schema, pointer: str = "") -> Any:
        """The typed value of `node`, or MISSING."""
        schema = resolved(schema, self.root)
        if "oneOf" in schema and not _only_requires(schema["oneOf"]):
            return self._alternative(node, schema, pointer)
        types = _types(schema)
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
            typed = [(option, _typed(node, option)) for option in fitting]
            fitting = [option for option, value in typed if value is not MISSING and _allows(option, value)]
            if not fitting:
                return self._unfit(node, schema)
        return self.value(node, fitting[0], pointer)

    def _admits(self, schema: Schema, node: Node) -> bool:
        if "oneOf" in schema and not _only_requires(schema["oneOf"]):
            return any(self._admits(resolved(one, self.root), node) for one in schema["oneOf"])
        types = _types(schema)
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
            self.problems.add(
                node.keys[given[1]], f"{_quoted(given, ' and ')} together; expected only one of them"
            )
            return MISSING
        strays = [key for key in node.entries if key not in common]
        near = [(key, _near(key, marks)) for key in strays]
        for key, meant in near:
            if meant:
                self.problems.add(node.keys[key], f"unknown key `{key}`; did you mean `{meant}`?")
        if not any(meant for _, meant in near):
            place = node.keys[strays[0]] if strays else node.place
            self.problems.add(place, f"expected one of the keys {_quoted(marks, ', ')}")
        return MISSING

    # ---- mappings

    def _mapping(self, node: Mapping, schema: Schema, pointer: str) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for key, item in node.entries.items():
            inner = self._schema_of(key, schema)
            if inner is None:
                self.problems.add(node.keys[key], _unknown(key, schema))
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
            if re.search(pattern, key):
                return inner  # type: ignore[no-any-return]
        more = schema.get("additionalProperties", False)
        return more if isinstance(more, dict) else None

    # ---- lists

    def _sequence(self, node: Sequence, schema: Schema, pointer: str) -> list[Any]:
        typed = [self.value(item, schema["items"], f"{pointer}/{at}") for at, item in enumerate(node.items)]
        if any(item is MISSING for item in typed):
            self.broken.add(pointer)
        if len(node.items) < schema.get("minItems", 0):
            self.problems.add(node.place, "the list is empty; expected at least one entry")
            self.broken.add(pointer)
        if schema.get("uniqueItems"):
            for at, item in enumerate(typed):
                if item is not MISSING and item in typed[:at]:
                    self.problems.add(node.items[at].place, f"{item!r} stands twice in the list")
        return [item for item in typed if item is not MISSING]

    # ---- texts, numbers, yes and no

    def _scalar(self, node: Scalar, schema: Schema, types: set[str]) -> Any:
        if node.plain and node.text in _NOTHING:
            quotes = f'; for the text itself write "{node.text}"' if "string" in types else ""
            self.problems.add(node.place, f"the value is missing; expected {_expected(schema)}{quotes}")
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
            self.problems.add(node.place, str(error))
            return MISSING
        if isinstance(value, Secret):
            if schema.get("x-secret"):
                return value
            self.problems.add(node.place, "a secret is not allowed here; `env` of an app takes them")
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
            schema = {**schema, "oneOf": [resolved(option, self.root) for option in schema["oneOf"]]}
        self.problems.add(
            node.place, f"expected {_expected(schema)}, found {_found(node)}{_hint(node, schema)}"
        )
        return MISSING


def escaped(key: str) -> str:
    """A key as one step of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def near(word: str, words: Iterable[str]) -> str:
    """`; did you mean `x`?` for the nearest of `words`, or nothing."""
    meant = _near(word, words)
    return f"; did you mean `{meant}`?" if meant else ""


def _near(word: str, words: Iterable[str]) -> str:
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", word).lower().replace("-", "_")
    known = {name.lower(): name for name in words}
    if snake in known:
        return known[snake]
    return next((known[match] for match in difflib.get_close_matches(snake, known, 1, 0.6)), "")


def _typed(node: Scalar, schema: Schema) -> Any:
    """The value the schema sees in a text: quoted is text, plain is the first type that fits."""
    types = _types(schema)
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


def _types(schema: Schema) -> set[str]:
    types = schema.get("type", ())
    return {types} if isinstance(types, str) else set(types)


def _only_requires(options: Items[Schema]) -> bool:
    return all(set(option) == {"required"} for option in options)


def _keys_at_fault(keys: set[str], schema: Schema) -> Iterator[str]:
    """required, oneOf of required, dependentRequired, minProperties."""
    for key in schema.get("required", ()):
        if key not in keys:
            yield f"the key `{key}` is missing{_meaning(schema['properties'].get(key, {}))}"
    choice = [option["required"][0] for option in schema.get("oneOf", ())]
    given = [key for key in choice if key in keys]
    if choice and len(given) != 1:
        found = f"found {_quoted(given, ' and ')}" if given else "found none"
        yield f"expected exactly one of the keys {_quoted(choice, ', ')}; {found}"
    for key, needed in schema.get("dependentRequired", {}).items():
        for other in needed:
            if key in keys and other not in keys:
                yield f"`{key}` is of use only beside `{other}`; the key `{other}` is missing"
    if not keys and schema.get("minProperties"):
        yield f"the mapping is empty; expected {_expected(schema)}"


def _meaning(schema: Schema) -> str:
    text = schema.get("description", "").partition(".")[0]
    return f": {text[:1].lower()}{text[1:]}" if text else ""


def _unknown(key: str, schema: Schema) -> str:
    known = schema.get("properties", {})
    alias = schema.get("x-aliases", {}).get(key)
    if alias:
        return f"`{key}` is only another name of PM2's `{alias}`; write `{alias}`"
    if not known:
        return f"{key!r} is not {schema.get('x-expected', 'allowed here')}"
    meant = _near(key, known)
    if meant:
        return f"unknown key `{key}`; did you mean `{meant}`?"
    return f"unknown key `{key}`" + (f"; expected one of {_quoted(known, ', ')}" if len(known) <= 12 else "")


def _expected(schema: Schema) -> str:
    if "x-expected" in schema:
        return str(schema["x-expected"])
    if "enum" in schema:
        return (
            f"one of {', '.join(map(str, schema['enum']))}" if len(schema["enum"]) > 1 else schema["enum"][0]
        )
    if "oneOf" in schema and not _only_requires(schema["oneOf"]):
        return " or ".join(dict.fromkeys(_expected(option) for option in schema["oneOf"]))
    types = _types(schema)
    if "properties" in schema:
        return f"a mapping with {_quoted(schema.get('required') or schema['properties'], ', ')}"
    if "integer" in types and "minimum" in schema:
        limit = f" to {schema['maximum']}" if "maximum" in schema else " or more"
        return f"a whole number, {schema['minimum']}{limit}"
    if schema.get("x-text"):
        return "a text"
    return " or ".join(word for name, word in _TYPES.items() if name in types) or "one of its known shapes"


def _found(node: Node) -> str:
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    text = node.text if len(node.text) <= 40 else node.text[:39] + "…"
    return f"{text!r}" if node.text else "an empty text"


def _hint(node: Node, schema: Schema) -> str:
    if not isinstance(node, Scalar):
        return ""
    types = _types(schema)
    if not node.plain and types & {"integer", "boolean", "number"} and "string" not in types:
        return "; leave the quotes out"
    if "boolean" in types and node.text.lower() in ("yes", "on", "y", "no", "off", "n"):
        return f"; write {'true' if node.text.lower() in ('yes', 'on', 'y') else 'false'}"
    if "array" in types:
        return f"; write [{', '.join(node.text.replace(',', ' ').split())}]" if len(node.text) <= 60 else ""
    return near(node.text, map(str, schema["enum"])) if "enum" in schema else ""


def _quoted(words: Iterable[str], between: str) -> str:
    return between.join(f"`{word}`" for word in words)


def _no_flaws(_: str) -> Iterator[tuple[int, str]]:
    return iter(())
