"""The kinds: one module each, no class, the same names in the same order (see `Kind`).

A kind does no I/O and knows no other kind. Adding one is a folder here, its part of the schema, its
words, its tests, and its name in KINDS; CONTRIBUTING has the recipe, and a test follows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from kjpstate.kinds import build, check, deploy, dns, patch, pm2_ecosystem, pm2_process, unchanged
from kjpstate.model import (
    Action,
    Advice,
    Answers,
    Drift,
    Reading,
    Refuse,
    Resource,
    State,
    Told,
    Upstream,
)
from kjpstate.section import Made, Page

_T = TypeVar("_T")


class Kind(Protocol):
    """What every module here has, in this order."""

    KIND: str
    ORDER: int
    """Its place in the order of work."""
    UNIT: str
    """Kinds of one unit are restored together on their host. A refusal of GUARD holds all that is
    on it."""

    SECTION: str
    """The key of the document that makes such resources; "" where none does."""

    def resources(self, page: Page, earlier: Sequence[Made]) -> Iterable[Made]:
        """The section of the document as specs. `earlier`: what kinds with a smaller ORDER made."""

    def reads(self, spec: Any) -> Iterable[Reading]:
        """What to look at; pure data."""

    def see(self, spec: Any, answers: Answers, upstream: Upstream) -> Any:
        """What was seen, typed, made once a plan; all below is drawn from it.

        An answer may be missing where nobody looked (`validate`).
        """

    def actual(self, view: Any) -> State:
        """What is, as codes and values; a missing thing is None at its key."""

    def desired(self, view: Any) -> State:
        """What should be, normalised so that comparing is equality."""

    def writes(self, spec: Any) -> Iterable[tuple[str, str]]:
        """(host, path) this resource may write; static, refused or not."""

    def refusals(self, view: Any) -> Iterable[Refuse]:
        """What would have to guess or destroy, the first to be told first; drift by itself."""

    def actions(self, view: Any, drift: Drift) -> Iterator[Action | Refuse]:
        """The least that cures this drift, in order; a Refuse where only this drift has no cure."""

    def advice(self, view: Any) -> Iterable[Advice]:
        """Legal, but it will not do what the writer hopes."""

    def told(self, view: Any, drift: Drift | None) -> Told:
        """What a screen is told; without a drift only what is left beside counts."""


KINDS: Mapping[str, Kind] = {
    module.KIND: module
    for module in (unchanged, dns, patch, build, pm2_ecosystem, deploy, pm2_process, check)
}


def parts(name: str) -> Iterator[Any]:
    """The optional part `name` of each kind that has it."""
    return (getattr(kind, name) for kind in KINDS.values() if hasattr(kind, name))


def questions(resources: Iterable[Resource], about: type[_T]) -> Iterator[tuple[Resource, _T]]:
    """All of the type `about` that can be asked how it is, each with its resource.

    The kinds tell it with their optional part `questions(spec)`, as values of `formats`.
    """
    for item in resources:
        kind = KINDS[item.kind]
        for found in kind.questions(item.spec) if hasattr(kind, "questions") else ():
            if isinstance(found, about):
                yield item, found
