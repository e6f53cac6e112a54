"""Values on their way into a saved plan: secrets become holes, old values are left out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from kjpstate.model import UNKNOWN, Change, WriteFile
from kjpstate.said import Text, over
from kjpstate.secret import Secret, sealed

HOLE, UNKNOWN_MARK = "secret", "unknown"
NOT_KEPT = "(not kept)"
"""What stands in the place of an old value: a saved plan has only its digest."""
_SHORT = 4

Mask = Callable[[str], str]


def with_holes(value: Any, key: bytes, mask: Mask) -> Any:
    """A plain JSON value; in the place of each Secret its reference and a keyed digest of what it
    was."""
    if isinstance(value, Secret):
        return {HOLE: mask(value.reference), "digest": sealed(value.open(), key)}
    if isinstance(value, Mapping):
        return {str(name): with_holes(item, key, mask) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_holes(item, key, mask) for item in value]
    if is_dataclass(value):
        named = {item.name: getattr(value, item.name) for item in fields(value)}
        return with_holes(named, key, mask)
    return mask(value) if isinstance(value, str) else value


def changed_holes(before: Any, now: Any) -> Iterator[str]:
    """The references whose value is not what it was when the plan was saved."""
    if isinstance(before, dict) and isinstance(now, dict):
        if HOLE in before and before.get(HOLE) == now.get(HOLE):
            if before != now:
                yield str(before[HOLE])
            return
        for name in before:
            yield from changed_holes(before[name], now.get(name))
    elif isinstance(before, list) and isinstance(now, list):
        for one, other in zip(before, now, strict=False):
            yield from changed_holes(one, other)


def desired(value: Any, mask: Mask) -> Any:
    """A desired value, which the document says; UNKNOWN as its mark."""
    if value is UNKNOWN:
        return {UNKNOWN_MARK: True}
    if isinstance(value, Mapping):
        return {str(name): desired(item, mask) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [desired(item, mask) for item in value]
    return mask(value) if isinstance(value, str) else value


def opened_marks(value: Any) -> Any:
    """The other way round: marks to UNKNOWN."""
    if isinstance(value, dict):
        if value == {UNKNOWN_MARK: True}:
            return UNKNOWN
        return {name: opened_marks(item) for name, item in value.items()}
    return [opened_marks(item) for item in value] if isinstance(value, list) else value


def actual(value: Any) -> Any:
    """The shape of an actual value: what is missing is still missing, all else is not kept."""
    if isinstance(value, Mapping):
        return {str(name): actual(item) for name, item in value.items()}
    return None if value is None else NOT_KEPT


def without_old(text: Text, change: Change) -> Text:
    """A text of a screen without the values and the lines that are there now and will be
    replaced."""
    old = sorted(_old(change), key=lambda text: (-len(text), text))
    return over(text, lambda part: _replaced(part, old))


def _replaced(text: str, pieces: Iterable[str]) -> str:
    for piece in pieces:
        text = text.replace(piece, NOT_KEPT)
    return text


def _old(change: Change) -> set[str]:
    drift = change.drift
    ticks = {*drift.actual.ticks, *drift.desired.ticks}
    values = {name: value for name, value in (drift.before or {}).items() if name not in ticks}
    wanted = set(_leaves(drift.after))
    found = {text for text in _leaves(values) if text not in wanted}
    for action in change.actions:
        if isinstance(action, WriteFile) and action.before is not None:
            new = {line.strip() for line in _lines(action.after or b"")}
            found |= {line.strip() for line in _lines(action.before)} - new
    return {text for text in found if len(text) >= _SHORT}


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").splitlines()
