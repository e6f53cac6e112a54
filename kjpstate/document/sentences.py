"""The sentences for what does not fit: what was found, what was expected, what was probably meant.
Pure.

Called by `shape`; `guessed` also by whoever looks a word up.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from collections.abc import Mapping as Mapping_

from kjpstate.document.nodes import Mapping, Node, Scalar, Sequence
from kjpstate.document.schema import Schema, only_requires, types_of
from kjpstate.said import Text, say
from kjpstate.secret import shortened

TYPES: Mapping_[str, Text] = {
    "string": say("document.a-text"),
    "integer": say("document.a-whole-number"),
    "number": say("document.a-number"),
    "boolean": say("document.true-or-false"),
    "array": say("document.a-list"),
    "object": say("document.a-mapping"),
}
"""A schema's type -> what it is to a person."""

_LONGEST_KEY = 60
"""Signs of a foreign key that are shown, and beyond which nothing is likely to be meant by it."""
_FEW_KEYS = 14
"""So many are named, when none of them seems to be meant."""


def escaped(key: str) -> str:
    """A key as one step of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def guessed(reason: Text, word: str, words: Iterable[str], otherwise: Text = "") -> Text:
    """The reason with the one of `words` that was probably meant; where none is near, `otherwise`
    or the reason alone."""
    meant = nearest(word, words)
    if meant:
        return say("document.did-you-mean", reason=reason, meant=meant)
    return otherwise or reason


def nearest(word: str, words: Iterable[str]) -> str:
    if len(word) > _LONGEST_KEY:
        return ""
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", word).lower().replace("-", "_")
    known = {name.lower(): name for name in words}
    if snake in known:
        return known[snake]
    return next((known[match] for match in difflib.get_close_matches(snake, known, 1, 0.6)), "")


def missing(key: str, schema: Schema) -> Text:
    """The key is missing; `schema` describes it."""
    if "description" in schema:
        return say("document.key-missing-for", key=key, description=schema["description"])
    return say("document.key-missing", key=key)


def unknown(key: str, schema: Schema) -> Text:
    """The schema has no such key."""
    known = schema.get("properties", {})
    alias = schema.get("x-aliases", {}).get(key)
    key = shortened(key, _LONGEST_KEY)
    if alias:
        return say("document.alias-of-pm2", key=key, name=alias)
    if known:
        few = len(known) <= _FEW_KEYS
        among = say("document.unknown-key-of", key=key, keys=ticked(known)) if few else ""
        return guessed(say("document.unknown-key", key=key), key, known, among)
    if "x-expected" in schema:
        return say("document.is-not", found=repr(key), expected=expected(schema))
    return say("document.not-allowed", found=repr(key))


def expected(schema: Schema) -> Text:
    """The values that the schema takes."""
    if "x-expected" in schema:
        return say("document.schema-text", text=schema["x-expected"])
    if "enum" in schema:
        choices = tuple(map(str, schema["enum"]))
        return say("document.one-of", choices=choices) if len(choices) > 1 else choices[0]
    if "oneOf" in schema and not only_requires(schema["oneOf"]):
        return either(map(expected, schema["oneOf"]))
    types = types_of(schema)
    if "properties" in schema:
        keys = ticked(schema.get("required") or schema["properties"])
        return say("document.mapping-with", keys=keys)
    if "integer" in types and "minimum" in schema:
        return _number(schema["minimum"], schema.get("maximum"))
    if schema.get("x-text"):
        return TYPES["string"]
    words = [word for name, word in TYPES.items() if name in types]
    return either(words) if words else say("document.known-shapes")


def _number(low: int, high: int | None) -> Text:
    if high is None:
        return say("document.number-from", low=low)
    return say("document.number-from-to", low=low, high=high)


def either(forms: Iterable[Text]) -> Text:
    """One of several, each said once; the only one as it is."""
    once = tuple(dict.fromkeys(forms))
    return once[0] if len(once) == 1 else say("document.either", forms=once)


def found(node: Node) -> Text:
    """The value that stands there."""
    if isinstance(node, Mapping):
        return TYPES["object"]
    if isinstance(node, Sequence):
        return TYPES["array"]
    return repr(shortened(node.text, 40)) if node.text else say("document.an-empty-text")


def unlike(node: Node, schema: Schema) -> Text:
    """The value is none that the schema takes; with the way to write it where that can be told."""
    reason = say("document.unlike", expected=expected(schema), found=found(node))
    if not isinstance(node, Scalar):
        return reason
    types = types_of(schema)
    if not node.plain and types & {"integer", "boolean", "number"} and "string" not in types:
        return say("document.no-quotes", reason=reason)
    if "boolean" in types and (said := says_yes_or_no(node.text)):
        return say("document.write", reason=reason, meant="true" if said == "yes" else "false")
    if "array" in types:
        items = ", ".join(node.text.replace(",", " ").split())
        short = len(node.text) <= _LONGEST_KEY
        return say("document.write", reason=reason, meant=f"[{items}]") if short else reason
    return guessed(reason, node.text, map(str, schema.get("enum", ())))


def absent(node: Scalar, schema: Schema) -> Text:
    """Nothing stands where a value is expected."""
    wanted = expected(schema)
    if "string" not in types_of(schema):
        return say("document.value-missing", expected=wanted)
    if node.text:
        return say("document.value-missing-this", expected=wanted, text=node.text)
    return say("document.value-missing-empty", expected=wanted)


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


def ticked(words: Iterable[str]) -> tuple[str, ...]:
    """Words of a document as a sentence has them."""
    return tuple(f"`{word}`" for word in words)
