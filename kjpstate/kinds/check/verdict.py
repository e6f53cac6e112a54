"""A check's verdict: one word and one sentence. Used by the modules of this kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Verdict:
    """`reason` says what was seen, also when it passed."""

    result: Literal["passed", "failed", "manual"]
    reason: str


def all_of(findings: Iterable[tuple[bool, str]]) -> Verdict:
    """(well, sentence) of each part -> passed with all sentences, or failed with those that are not well."""
    parts = list(findings)
    bad = [sentence for well, sentence in parts if not well]
    if bad:
        return Verdict("failed", "; ".join(bad))
    return Verdict("passed", "; ".join(sentence for _, sentence in parts))


def quoted(texts: Iterable[str]) -> str:
    """`"a", "b"` for a sentence."""
    return ", ".join(f'"{text}"' for text in texts)
