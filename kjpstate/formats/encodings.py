"""Bytes with zeros in them, of which no text in UTF-8 has any; and texts that were decoded twice.
Called by `document` and the kind `patch`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

Zeros: TypeAlias = Literal["", "utf-16", "empty", "binary"]

_MARKS = (b"\xff\xfe", b"\xfe\xff")
_FEWEST, _LOOKED_AT = 7, 8192
_FOREIGN = re.compile(r"[^\x00-\x7f]{2,}")
_UNDEFINED = frozenset((0x81, 0x8D, 0x8F, 0x90, 0x9D))
"""Bytes that cp1252 gives no letter, and that most programs pass through as they are."""


def zeros(data: bytes) -> Zeros:
    """UTF-16 (also without its mark), nothing but zeros, anything else with a zero, or no zero at
    all."""
    if data[:2] in _MARKS:
        return "utf-16"
    if b"\0" not in data:
        return ""
    if not data.strip(b"\0"):
        return "empty"
    start = data[:_LOOKED_AT]
    shares = sorted(half.count(0) / max(len(half), 1) for half in (start[::2], start[1::2]))
    return "utf-16" if len(start) > _FEWEST and shares[1] > 0.4 and shares[0] < 0.1 else "binary"


def decoded_twice(text: str) -> Iterator[tuple[str, str]]:
    """(as it stands, as it was meant) of each run in which UTF-8 was read as Windows-1252."""
    for match in _FOREIGN.finditer(text):
        meant = _repaired(match.group())
        if meant is not None:
            yield match.group(), meant


def _repaired(text: str) -> str | None:
    try:
        return b"".join(map(_byte, text)).decode()
    except UnicodeError:
        return None


def _byte(letter: str) -> bytes:
    code = ord(letter)
    return bytes([code]) if code in _UNDEFINED else letter.encode("cp1252")
