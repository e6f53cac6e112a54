"""What bytes with zeros in them are: no text in UTF-8 has any. Called by `document` and the kind
`patch`."""

from __future__ import annotations

from typing import Literal, TypeAlias

Zeros: TypeAlias = Literal["", "utf-16", "empty", "binary"]

_MARKS = (b"\xff\xfe", b"\xfe\xff")
_FEWEST, _LOOKED_AT = 7, 8192


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
