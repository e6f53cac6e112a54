"""Times, shares and amounts as a document writes them -> numbers. Called by all that load a
section."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def seconds(text: str) -> float:
    """`30s`, `5m`, `2h`, `500ms` in seconds."""
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h)", text).groups()  # type: ignore[union-attr]
    return int(number) * _UNITS[unit]


def percent(text: str) -> float:
    """`30%` as 30.0."""
    return float(text.removesuffix("%"))


def bytes_of(text: str) -> int:
    """`300M` in bytes, with PM2's units: K, M and G of 1024 each."""
    return int(text[:-1]) << {"K": 10, "M": 20, "G": 30}[text[-1]]
