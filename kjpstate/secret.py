"""Secret values, and the veil that lets them be compared without being shown.

`document` makes a Secret of every `${env:…}` and `${file:…}`; a kind makes one of what it reads
from a host and must not show (an environment's values). `reconcile` veils states before they are
compared.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kjpstate.said import Said, say

HIDDEN = "(hidden)"
CUT = "…"
"""Ends a text that was shortened; before it the masks look for a secret's first half."""


class Secret:
    """A string that only `open()` opens: never shown by repr, format, json or a diff."""

    __slots__ = ("_value", "reference")

    def __init__(self, value: str, reference: str = "") -> None:
        self._value = value
        self.reference = reference

    def open(self) -> str:
        """The value itself, for the bytes of a file and nothing else."""
        return self._value

    def digest(self, key: bytes) -> str:
        """What stands for the value on a screen: `(hidden) 1f3a9c2e`, the same
        for the same value."""
        return f"{HIDDEN} {hmac.new(key, self._value.encode(), hashlib.sha256).hexdigest()[:8]}"

    def __repr__(self) -> str:
        return f"Secret({self.reference or HIDDEN})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(
            self._value.encode(), other._value.encode()
        )

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __reduce__(self) -> Any:
        raise TypeError("a Secret is never pickled")


def sealed(value: Any, key: bytes) -> str:
    """A keyed digest of a plain JSON value, 32 hex digits: the same for the same value, and nothing
    can be read out of it without the key; also not by trying what it might be."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, default=repr)
    return hmac.new(key, b"sealed " + text.encode(), hashlib.sha256).hexdigest()[:32]


def shortened(text: str, most: int) -> str:
    """At most `most` signs of a foreign text: the only way to shorten one that no mask has passed
    yet."""
    return text if len(text) <= most else text[: most - 1] + CUT


def opened(value: Any) -> Any:
    """`value` with every Secret in it opened: for the bytes of a file, never for a screen."""
    if isinstance(value, Secret):
        return value.open()
    if isinstance(value, Mapping):
        return {key: opened(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [opened(item) for item in value]
    return value


def secrets_in(value: Any) -> Iterator[str]:
    """The opened values of all Secrets in `value`: what a renderer must mask."""
    if isinstance(value, Secret):
        yield value.open()
    elif isinstance(value, Said):
        yield from secrets_in(value.values)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from secrets_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from secrets_in(item)


def value_hidden(found: re.Match[str], after: str) -> str:
    """A match of `key` and `value` again if the text `after` has that value openly; else its value
    is hidden, with as many rows."""
    value = found["value"].strip()
    if value.strip("\"'`") and value.strip("\"'`") in after:
        return found[0]
    return found["key"] + HIDDEN + "\n" * found["value"].count("\n")


def veil(desired: Any, actual: Any, key: bytes) -> tuple[Any, Any]:
    """Both values with each Secret replaced, so that equal stays equal and nothing can be read.

    A plain desired value beside a Secret actual one stays plain (the document shows it anyway); the
    actual one becomes that value if it is the same, else its keyed digest.
    """
    if isinstance(desired, Said) and isinstance(actual, Said) and desired.code == actual.code:
        one, other = veil(desired.values, actual.values, key)
        return say(desired.code, **one), say(actual.code, **other)
    if isinstance(desired, Mapping) and isinstance(actual, Mapping):
        left, right = {}, {}
        for name in (*desired, *(name for name in actual if name not in desired)):
            one, other = veil(desired.get(name), actual.get(name), key)
            if name in desired:
                left[name] = one
            if name in actual:
                right[name] = other
        return left, right
    if _sequence(desired) and _sequence(actual) and len(desired) == len(actual):
        pairs = [veil(one, other, key) for one, other in zip(desired, actual, strict=True)]
        return [one for one, _ in pairs], [other for _, other in pairs]
    if isinstance(desired, Secret):
        return desired.digest(key), _hide(
            Secret(actual) if isinstance(actual, str) else actual, key
        )
    if isinstance(actual, Secret):
        same = isinstance(desired, str) and Secret(desired) == actual
        return _hide(desired, key), desired if same else actual.digest(key)
    return _hide(desired, key), _hide(actual, key)


def _hide(value: Any, key: bytes) -> Any:
    if isinstance(value, Secret):
        return value.digest(key)
    if isinstance(value, Said):
        return say(value.code, **_hide(value.values, key))
    if isinstance(value, Mapping):
        return {name: _hide(item, key) for name, item in value.items()}
    if _sequence(value):
        return [_hide(item, key) for item in value]
    return value


def _sequence(value: Any) -> bool:
    return isinstance(value, (list, tuple))
