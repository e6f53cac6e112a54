"""A sentence that depends on a number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plural:
    """`one` where the value `by` is 1, else `many`; a language may have more forms."""

    one: str
    many: str
    by: str = "count"
