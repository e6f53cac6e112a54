"""A resource as it is and as it should be, and the difference of the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from kjpstate.model.paths import overlap
from kjpstate.model.settings import Resource
from kjpstate.model.telling import Refuse, Told


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
    """A plain JSON value: what is compared of a resource."""

    values: Mapping[str, Any]
    """Compared key by key, only keys that the desired state names; None where a thing is missing;
    leaves may be Secret or UNKNOWN. `plan` adds `problems`: the refusals, none desired."""
    present: bool = True
    """Whether the managed thing exists (desired) or is there (actual): gives `+` and `-`."""
    ticks: tuple[str, ...] = ()
    """Top-level keys that move by themselves (a process's status): compared, not fingerprinted."""


@dataclass(frozen=True)
class Difference:
    """One path with its two values, Secrets veiled; `desired` may be UNKNOWN."""

    path: tuple[str | int, ...]
    actual: Any
    desired: Any


@dataclass(frozen=True)
class Drift:
    """A resource whose actual state differs. The states are unveiled: never for a screen."""

    resource: Resource
    desired: State
    actual: State
    differences: tuple[Difference, ...]
    before: Any = None
    after: Any = None
    """`before` and `after`: the compared keys of both states, Secrets veiled, for a screen."""
    told: Told = field(default_factory=Told)
    refusals: tuple[Refuse, ...] = ()
    """What would have to guess or destroy, so that nothing is done."""
    view: Any = field(default=None, repr=False, compare=False)
    """What the kind saw (`Kind.see`); its `actions` are made of it."""

    def differs(self, key: str) -> bool:
        """Whether the top-level key `key` differs."""
        return any(difference.path[:1] == (key,) for difference in self.differences)


Upstream: TypeAlias = Mapping[tuple[str, str], "bytes | str | Unknown | None"]
"""(host, path) an earlier resource of this plan will write -> the bytes of a WriteFile (None:
removed), a digest for a stamp alone, or UNKNOWN for what a SyncTree or a Run writes."""


def touching(upstream: Upstream, host: str, path: str) -> Sequence[tuple[str, str]]:
    """The keys of `upstream` on `host` that contain `path` or lie in it."""
    return [key for key in upstream if key[0] == host and overlap(key[1], path)]
