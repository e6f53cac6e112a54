"""How one value and one difference look in a row of a screen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kjpstate.model import UNKNOWN, Difference
from kjpstate.render.masks import Mask
from kjpstate.secret import HIDDEN, Secret

LONGEST = 60
"""Characters of a value in a row; --json has all of it."""

_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{64}")


def show(value: Any, mask: Mask) -> str:
    """A value in one row: `(none)`, `8.8.8.8 1.1.1.1`, `true`; long ones are cut, after they are
    masked."""
    text = mask(_show(value)).replace("\n", "\\n")
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def counted(number: int, word: str) -> str:
    """`1 host`, `2 hosts`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def telling(differences: Sequence[Difference], mask: Mask) -> Iterator[tuple[str, str, str]]:
    """(key, actual, desired) of the differences that tell a person something: no digests, no
    `problems`."""
    for difference in differences:
        opaque = _opaque(difference.actual) and _opaque(difference.desired)
        if difference.path[:1] != ("problems",) and not opaque:
            key = ".".join(map(str, difference.path))
            yield key, show(difference.actual, mask), show(difference.desired, mask)


def _show(value: Any) -> str:
    if value is None:
        return "(none)"
    if value is UNKNOWN:
        return repr(UNKNOWN)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Secret):
        return HIDDEN
    if isinstance(value, str):
        return f"{value[:12]}…" if _DIGEST.fullmatch(value) else value or '""'
    if isinstance(value, (list, tuple)) and value and not any(_crowded(item) for item in value):
        return " ".join(_show(item) for item in value)
    if isinstance(value, (list, tuple, Mapping)):
        return json.dumps(value, ensure_ascii=False, default=_show) if value else "(none)"
    return str(value)


def _crowded(item: Any) -> bool:
    return isinstance(item, (list, tuple, Mapping)) or (
        isinstance(item, str) and (not item or " " in item)
    )


def _opaque(value: Any) -> bool:
    """Whether nobody can read anything out of it: a digest, nothing, a mapping of such."""
    if isinstance(value, Mapping):
        return all(_opaque(item) for item in value.values())
    return (
        value is None
        or value is UNKNOWN
        or (isinstance(value, str) and bool(_DIGEST.fullmatch(value)))
    )
