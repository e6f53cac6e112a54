"""A catalogue of noise: each message is replaced by signs that say nothing, its placeholders kept.

`python -m tests.support.noise [PYTEST'S WORDS]` runs tests under it. What then still passes reads no
sentence: `tests/words` has the rest.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from kjpstate.document import bundled_schema
from kjpstate.words import DOMAIN, messages
from kjpstate.words.plural import Plural

LANGUAGE = "noise"
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


def noise(message: str) -> str:
    """The message's placeholders in their order, with signs of its digest around them."""
    digest = hashlib.sha256(message.encode()).hexdigest()
    words = iter(re.findall("....", digest.translate(str.maketrans("0123456789", "ghjkmpqrvw"))))
    parts = [next(words), *(f"{held} {next(words, 'x')}" for held in _PLACEHOLDER.findall(message))]
    return " ".join(parts)


def schema_texts(schema: Any) -> Iterator[str]:
    """The texts of the schemas that a person is told; each is its own message id."""
    if isinstance(schema, dict):
        for key, item in schema.items():
            if key in ("description", "x-expected") and isinstance(item, str):
                yield item
            else:
                yield from schema_texts(item)
    elif isinstance(schema, list):
        for item in schema:
            yield from schema_texts(item)


def catalogue(folder: Path) -> Path:
    """The folder with the noise of every message and of every text of the schemas in it."""
    made = Catalog(locale="en", domain=DOMAIN)
    for message in messages().values():
        if isinstance(message, Plural):
            pair = (message.one, message.many)
            made.add(pair, (noise(message.one), noise(message.many)))
        else:
            made.add(message, noise(message))
    for found in schema_texts(bundled_schema()):
        made.add(found, noise(found))
    place = folder / LANGUAGE / "LC_MESSAGES"
    place.mkdir(parents=True, exist_ok=True)
    with (place / f"{DOMAIN}.mo").open("wb") as file:
        write_mo(file, made)
    return folder


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        os.environ["KJPSTATE_LANG"] = LANGUAGE
        os.environ["KJPSTATE_LOCALES"] = str(catalogue(Path(place)))
        sys.exit(pytest.main(["--ignore=tests/words", *sys.argv[1:]]))
