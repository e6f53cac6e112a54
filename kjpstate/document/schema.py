"""The JSON Schemas of the folder `schemas/`, as one. Called by `load` and by `kjpstate schema`."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

_SUFFIX = ".schema.json"


@functools.cache
def bundled_schema() -> Schema:
    """One self-contained JSON Schema 2020-12 of the whole document: each file's schema under
    `$defs`."""
    files = {path.name.removesuffix(_SUFFIX): path for path in _folder().glob(f"*{_SUFFIX}")}
    parts = {name: json.loads(path.read_text("utf-8")) for name, path in sorted(files.items())}
    document = parts.pop("document")
    shared = {name: _rewritten(_bare(part), name) for name, part in parts.items()}
    return {**_rewritten(document, ""), "$defs": shared}


def resolved(schema: Schema, root: Schema) -> Schema:
    """`schema` with its `$ref` followed; words beside the `$ref` win."""
    while "$ref" in schema:
        target: Any = root
        for key in schema["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def types_of(schema: Schema) -> set[str]:
    """The words of `type`, none when it has none."""
    types = schema.get("type", ())
    return {types} if isinstance(types, str) else set(types)


def only_requires(options: Sequence[Schema]) -> bool:
    """Whether a `oneOf` says only which one of several keys must stand."""
    return all(set(option) == {"required"} for option in options)


def _folder() -> Path:
    """In the wheel beside the package's modules; in a checkout beside the package."""
    package = Path(__file__).resolve().parent.parent
    return next(
        folder for folder in (package / "schemas", package.parent / "schemas") if folder.is_dir()
    )


def _bare(part: Schema) -> Schema:
    return {key: value for key, value in part.items() if key not in ("$schema", "$id")}


def _rewritten(value: Any, name: str) -> Any:
    """`value` of the file `name` with every `$ref` leading into the one schema."""
    if isinstance(value, dict):
        return {
            key: _lead(item, name) if key == "$ref" else _rewritten(item, name)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_rewritten(item, name) for item in value]
    return value


def _lead(target: str, name: str) -> str:
    file, _, inner = target.partition("#")
    part = file.removesuffix(_SUFFIX) or name
    return f"#/$defs/{part}{inner}" if part else f"#{inner}"
