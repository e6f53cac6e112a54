"""A check's verdict: one word and one sentence. Used by the modules of this kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from kjpstate.said import Text, say


@dataclass(frozen=True)
class Verdict:
    """`reason` says what was seen, also when it passed."""

    result: Literal["passed", "failed", "manual", "unknown"]
    reason: Text


def all_of(findings: Iterable[tuple[bool | None, Text]]) -> Verdict:
    """(well, sentence) of each part -> passed with all sentences, or failed with those that are not
    well.

    A part whose `well` is None can't be known: the verdict too, unless another part is not well.
    """
    parts = list(findings)
    for result in (False, None):
        said = [sentence for well, sentence in parts if well is result]
        if said:
            return Verdict("unknown" if result is None else "failed", _joined(said))
    return Verdict("passed", _joined([sentence for _, sentence in parts]))


def _joined(parts: Sequence[Text]) -> Text:
    return parts[0] if len(parts) == 1 else say("check.parts", parts=parts)
