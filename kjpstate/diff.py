"""(desired, actual) -> Differences: the only door to deepdiff, with its defaults walled off.

Only keys that the desired value names are compared; a list is one value, its order counts. Called
by `plan` (and by `apply` for the second reading) with values whose Secrets are already veiled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kjpstate.model import UNKNOWN, Difference

_UNKNOWN_MARK = "\ue000known after apply"


def compare(desired: Any, actual: Any) -> tuple[Difference, ...]:
    """The differences in the order of the desired keys; an UNKNOWN differs from everything."""
    marked = _mark(desired)
    scoped = _scope(marked, actual)
    if marked == scoped and not _mixed(marked, scoped):
        return ()
    paths = _changed_paths(marked, scoped)
    return tuple(
        Difference(path, _at(scoped, path), _unmark(_at(marked, path)))
        for path in sorted(paths, key=lambda path: _rank(marked, path))
    )


def _mark(value: Any) -> Any:
    """A plain copy: tuples as lists, UNKNOWN as a text that no host can have."""
    if value is UNKNOWN:
        return _UNKNOWN_MARK
    if isinstance(value, Mapping):
        return {key: _mark(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mark(item) for item in value]
    return value


def _unmark(value: Any) -> Any:
    if value == _UNKNOWN_MARK:
        return UNKNOWN
    if isinstance(value, dict):
        return {key: _unmark(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unmark(item) for item in value]
    return value


def _scope(desired: Any, actual: Any) -> Any:
    """`actual` with just the keys that `desired` names; a missing one is None."""
    if isinstance(desired, dict) and isinstance(actual, Mapping):
        return {key: _scope(item, actual.get(key)) for key, item in desired.items()}
    if isinstance(actual, Mapping):
        return {key: _mark(item) for key, item in actual.items()}
    if isinstance(actual, (list, tuple)):
        return [_mark(item) for item in actual]
    return actual


def _mixed(one: Any, other: Any) -> bool:
    """Whether Python's `==` was too kind: 1 == True == 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return any(_mixed(item, other[key]) for key, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return any(_mixed(left, right) for left, right in zip(one, other, strict=True))
    return type(one) is not type(other)


def _changed_paths(desired: Any, actual: Any) -> set[tuple[str | int, ...]]:
    from deepdiff import DeepDiff

    tree = DeepDiff(
        _solid(actual),
        _solid(desired),
        view="tree",
        threshold_to_diff_deeper=0,
        ignore_private_variables=False,
        ignore_order=False,
    )
    return {tuple(level.path(output_format="list")) for levels in tree.values() for level in levels}


def _solid(value: Any) -> Any:
    """Each list as one text: it is replaced whole, and deepdiff takes 1 and 1.0
    in one for equal."""
    if isinstance(value, dict):
        return {key: _solid(item) for key, item in value.items()}
    return "\ue001" + json.dumps(value) if isinstance(value, list) else value


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _rank(desired: Any, path: tuple[str | int, ...]) -> tuple[int, ...]:
    rank = []
    for key in path:
        keys = list(desired) if isinstance(desired, dict) else []
        rank.append(keys.index(key) if key in keys else len(keys))
        desired = desired.get(key) if isinstance(desired, dict) else None
    return tuple(rank)
