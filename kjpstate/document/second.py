"""A second opinion: what `shape` let pass, held against jsonschema. Called by a thorough `load`.

`shape` knows only the words our schemas use; a word it does not know would pass without it.
jsonschema takes longer to import than a whole document to read, so only `validate` asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kjpstate.document.schema import Schema
from kjpstate.document.sentences import escaped
from kjpstate.said import Text, say
from kjpstate.secret import Secret


def objections(value: Mapping[str, Any], schema: Schema) -> Iterator[tuple[str, Text]]:
    """(JSON pointer, reason) of all that jsonschema would refuse; Secrets are texts to it, never
    opened."""
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(schema).iter_errors(_veiled(value)):
        pointer = "".join(f"/{escaped(str(step))}" for step in error.absolute_path)
        yield pointer, say("document.objection", word=str(error.validator))


def _veiled(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reference
    if isinstance(value, Mapping):
        return {key: _veiled(item) for key, item in value.items()}
    return [_veiled(item) for item in value] if isinstance(value, list) else value
