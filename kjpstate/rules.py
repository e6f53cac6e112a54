"""One table of rule ids and texts: for advice, refusals and errors, and for `kjpstate explain`.

A text is one paragraph, plain words, no markup; ready to be translated. Kept in the order of the ids.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """`title`: one line. `text`: what happens and why. `cure`: what to write or type."""

    title: str
    text: str
    cure: str


RULES: dict[str, Rule] = {}
