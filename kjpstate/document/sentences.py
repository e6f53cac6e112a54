"""The sentences for what does not fit: what was found, what was expected, what was probably meant.
Pure.

Called by `shape`; `near` also by whoever looks a word up.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from kjpstate.document.nodes import Mapping, Node, Scalar, Sequence
from kjpstate.document.schema import Schema, only_requires, types_of
from kjpstate.secret import shortened

_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


_LONGEST_KEY = 60
"""Signs of a foreign key that are shown, and beyond which nothing is likely to be meant by it."""


def escaped(key: str) -> str:
    """A key as one step of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def near(word: str, words: Iterable[str]) -> str:
    """`; did you mean `x`?` for the nearest of `words`, or nothing."""
    meant = nearest(word, words)
    return f"; did you mean `{meant}`?" if meant else ""


def nearest(word: str, words: Iterable[str]) -> str:
    if len(word) > _LONGEST_KEY:
        return ""
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", word).lower().replace("-", "_")
    known = {name.lower(): name for name in words}
    if snake in known:
        return known[snake]
    return next((known[match] for match in difflib.get_close_matches(snake, known, 1, 0.6)), "")


def meaning(schema: Schema) -> str:
    text = schema.get("description", "").partition(".")[0]
    return f": {text[:1].lower()}{text[1:]}" if text else ""


def unknown(key: str, schema: Schema) -> str:
    known = schema.get("properties", {})
    alias = schema.get("x-aliases", {}).get(key)
    key = shortened(key, _LONGEST_KEY)
    if alias:
        return f"`{key}` is only another name of PM2's `{alias}`; write `{alias}`"
    if not known:
        return f"{key!r} is not {schema.get('x-expected', 'allowed here')}"
    meant = nearest(key, known)
    if meant:
        return f"unknown key `{key}`; did you mean `{meant}`?"
    return f"unknown key `{key}`" + (
        f"; expected one of {quoted(known, ', ')}" if len(known) <= 14 else ""
    )


def expected(schema: Schema) -> str:
    if "x-expected" in schema:
        return str(schema["x-expected"])
    if "enum" in schema:
        return (
            f"one of {', '.join(map(str, schema['enum']))}"
            if len(schema["enum"]) > 1
            else schema["enum"][0]
        )
    if "oneOf" in schema and not only_requires(schema["oneOf"]):
        return " or ".join(dict.fromkeys(expected(option) for option in schema["oneOf"]))
    types = types_of(schema)
    if "properties" in schema:
        return f"a mapping with {quoted(schema.get('required') or schema['properties'], ', ')}"
    if "integer" in types and "minimum" in schema:
        low, high = schema["minimum"], schema.get("maximum")
        limit = f"from {low} to {high}" if high is not None else f"from {low}"
        return f"a whole number {limit}"
    if schema.get("x-text"):
        return "a text"
    return (
        " or ".join(word for name, word in _TYPES.items() if name in types)
        or "one of its known shapes"
    )


def found(node: Node) -> str:
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    text = node.text if len(node.text) <= 40 else node.text[:39] + "…"
    return f"{text!r}" if node.text else "an empty text"


def hint(node: Node, schema: Schema) -> str:
    if not isinstance(node, Scalar):
        return ""
    types = types_of(schema)
    if not node.plain and types & {"integer", "boolean", "number"} and "string" not in types:
        return "; leave the quotes out"
    if "boolean" in types and (said := says_yes_or_no(node.text)):
        return f"; write {'true' if said == 'yes' else 'false'}"
    if "array" in types:
        return (
            f"; write [{', '.join(node.text.replace(',', ' ').split())}]"
            if len(node.text) <= 60
            else ""
        )
    return near(node.text, map(str, schema["enum"])) if "enum" in schema else ""


def says_yes_or_no(text: str) -> str:
    """`yes` or `no` for the other ways to write true and false, else nothing."""
    if text in ("true", "false"):
        return ""
    word = text.lower()
    return (
        "yes"
        if word in ("yes", "on", "y", "true")
        else "no"
        if word in ("no", "off", "n", "false")
        else ""
    )


def quoted(words: Iterable[str], between: str) -> str:
    return between.join(f"`{word}`" for word in words)
