"""The keys a document may have, as the schemas describe them. Called by `kjpstate explain`."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from kjpstate.document.schema import Schema, bundled_schema, resolved, types_of
from kjpstate.document.sentences import TYPES, either
from kjpstate.said import Text, say


@dataclass(frozen=True)
class Key:
    """One key. A list and a name of the writer's own add nothing to its path: `pm2.apps.name`."""

    path: str
    described: tuple[Text, ...]
    """Its description in each form it may have, the first one first."""
    takes: tuple[Text, ...]
    """What may stand there."""
    default: Any = None
    examples: Any = ()
    required: bool = False
    """Where the mapping it belongs to stands, it must stand too."""

    @property
    def name(self) -> str:
        """Its last word, as it is written in a document."""
        return self.path.rpartition(".")[2]


@functools.cache
def all_keys() -> dict[str, Key]:
    """Path -> key, a section before the keys below it."""
    found: dict[str, Key] = {}
    for key in _walked(bundled_schema(), ""):
        found.setdefault(key.path, key)
    return found


def named(word: str) -> tuple[tuple[Key, ...], ...]:
    """The key of that path; else every key whose last word it is, those that are described alike
    together."""
    keys = all_keys()
    if word in keys:
        return ((keys[word],),)
    alike: dict[Key, list[Key]] = {}
    for key in keys.values():
        if key.name == word:
            what = replace(
                key, path="", default=repr(key.default), examples=repr(key.examples), required=False
            )
            alike.setdefault(what, []).append(key)
    return tuple(map(tuple, alike.values()))


def below(key: Key) -> tuple[Key, ...]:
    """The keys that stand directly below it."""
    return tuple(one for one in all_keys().values() if one.path.rpartition(".")[0] == key.path)


def _walked(schema: Schema, path: str) -> Iterator[Key]:
    for form in _forms(schema):
        for name, inner in form.get("properties", {}).items():
            where = f"{path}.{name}" if path else name
            yield _key(where, inner, name in form.get("required", ()))
            yield from _walked(inner, where)
        for inner in form.get("patternProperties", {}).values():
            yield from _walked(inner, path)
        if isinstance(form.get("additionalProperties"), dict):
            yield from _walked(form["additionalProperties"], path)
        if "items" in form:
            yield from _walked(form["items"], path)


def _forms(schema: Schema) -> Iterator[Schema]:
    """The schema itself, and each of the forms it may have instead."""
    schema = resolved(schema, bundled_schema())
    yield schema
    for form in schema.get("oneOf", ()):
        yield from _forms(form)


def _key(path: str, schema: Schema, required: bool) -> Key:
    first, *others = _forms(schema)
    forms = [form for form in (first, *others) if "description" in form]
    texts = [say("document.schema-text", text=form["description"]) for form in forms]
    return Key(
        path,
        tuple(dict.fromkeys(texts)),
        tuple(dict.fromkeys(_takes(first))),
        first.get("default"),
        tuple(first.get("examples", ())),
        required,
    )


def _takes(schema: Schema) -> Iterator[Text]:
    """`a list of texts`, `true or false`, … for each form."""
    schema = resolved(schema, bundled_schema())
    if "x-expected" in schema:
        yield say("document.schema-text", text=schema["x-expected"])
    elif "const" in schema:
        yield _written(schema["const"])
    elif "enum" in schema:
        yield either(map(_written, schema["enum"]))
    elif "oneOf" in schema:
        for form in schema["oneOf"]:
            yield from _takes(form)
    elif "items" in schema:
        yield from (say("document.list-each", item=item) for item in _takes(schema["items"]))
    elif schema.get("x-text"):
        yield TYPES["string"]
    else:
        yield from (TYPES[name] for name in sorted(types_of(schema)))


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
