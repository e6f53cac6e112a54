"""The kinds: one module each, no class, the same names in the same order (see `Kind`).

A kind does no I/O. Adding one is a module, a schema, its section in `document`, tests, and a line
in KINDS.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from kjpstate.kinds import build, check, deploy, dns, patch, pm2_ecosystem, pm2_process, unchanged
from kjpstate.model import (
    Action,
    Advice,
    Answers,
    Drift,
    Reading,
    Refuse,
    Spec,
    State,
    Upstream,
)


class Kind(Protocol):
    """What every module here has, in this order."""

    KIND: str
    ORDER: int
    """Its place in the order of work."""
    UNIT: str
    """Kinds of one unit are restored together on their host. A refusal of GUARD holds all that is
    on it."""

    def reads(self, spec: Spec) -> Iterable[Reading]:
        """What to look at; pure data."""

    def actual(self, spec: Spec, answers: Answers) -> State:
        """What is; a missing thing is None at its key."""

    def desired(self, spec: Spec, answers: Answers, upstream: Upstream) -> State:
        """What should be, normalised so that comparing is equality."""

    def writes(self, spec: Spec) -> Iterable[tuple[str, str]]:
        """(host, path) this resource may write; static, whether refused or not."""

    def actions(self, spec: Spec, drift: Drift) -> Iterator[Action | Refuse]:
        """The least that cures this drift, in order; or a Refuse."""

    def advice(self, spec: Spec, answers: Answers) -> Iterator[Advice]:
        """Legal, but it will not do what the writer hopes."""


KINDS: Mapping[str, Kind] = {
    module.KIND: module
    for module in (unchanged, dns, patch, build, pm2_ecosystem, deploy, pm2_process, check)
}
