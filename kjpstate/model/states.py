"""A resource as it is and as it should be, and the difference of the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from kjpstate.model.paths import overlap
from kjpstate.model.settings import Resource


class Unknown:
    """The type of UNKNOWN: a value known only after an earlier resource is
    done. Equal to nothing."""

    def __repr__(self) -> str:
        return "(known after apply)"

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return 0


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class State:
    """A plain JSON value, and what rides beside it uncompared.

    `values`: compared key by key, only keys that the desired state names; None where a thing is
    missing; leaves may be Secret or UNKNOWN. The key `problems` (desired: []) carries what would be
    refused. `present`: whether the managed thing exists (desired) / is there (actual): gives `+`
    and `-`. `ticks`: top-level keys that move by themselves (a process's status): compared, not
    fingerprinted. `beside`: evidence and bytes for `actions`. Known to renderers: `headline` (str,
    after the address), `notes` (list of str, one indented line each), `sick` (str, why an app is
    not alive). Known to `apply`: `mismatch`, the rule to tell when this was not reached though
    every action was done.
    """

    values: Mapping[str, Any]
    beside: Mapping[str, Any] = field(default_factory=dict)
    present: bool = True
    ticks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """One path with its two values, Secrets veiled; `desired` may be UNKNOWN."""

    path: tuple[str | int, ...]
    actual: Any
    desired: Any


@dataclass(frozen=True)
class Drift:
    """A resource whose actual state differs. The states are unveiled: for `actions`, not for a
    screen.

    `before` and `after`: the compared keys of both as a screen may show them, Secrets veiled.
    """

    resource: Resource
    desired: State
    actual: State
    differences: tuple[Difference, ...]
    before: Any = None
    after: Any = None

    def differs(self, key: str) -> bool:
        """Whether the top-level key `key` differs."""
        return any(difference.path[:1] == (key,) for difference in self.differences)


Upstream: TypeAlias = Mapping[tuple[str, str], "bytes | str | Unknown | None"]
"""(host, path) an earlier resource of this plan will write -> the bytes of a WriteFile (None:
removed), a digest for a stamp alone, or UNKNOWN for what a SyncTree or a Run writes."""


def touching(upstream: Upstream, host: str, path: str) -> Sequence[tuple[str, str]]:
    """The keys of `upstream` on `host` that contain `path` or lie in it."""
    return [key for key in upstream if key[0] == host and overlap(key[1], path)]
