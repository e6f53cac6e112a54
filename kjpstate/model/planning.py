"""What a plan holds, and what an apply made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from kjpstate.model.acting import Action, Outcome, Recovered, RunInfo, Unfinished
from kjpstate.model.settings import Acceptance, Resource, Where
from kjpstate.model.states import Drift
from kjpstate.model.telling import Advice, Refuse
from kjpstate.said import Text


@dataclass(frozen=True)
class Step:
    """What became of one change; shrunk: nothing was needed any more."""

    address: str
    result: Literal["applied", "shrunk", "failed", "restored", "held", "refused", "not tried"]
    reason: Text = ""
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True)
class CheckResult:
    """One acceptance check. manual: a human must look; unknown: the host was not reached."""

    name: str
    result: Literal["passed", "failed", "manual", "unknown"]
    reason: Text = ""
    host: str = ""


Symbol: TypeAlias = Literal["+", "~", "-", "-/+", "!"]


@dataclass(frozen=True)
class Change:
    """What the plan does about one resource: `actions`, or `refusal`, or `held` (the address that
    blocks it).

    `after`: addresses whose result this one waits for; its actions are then the most that may be
    needed. `lapsed`: an acceptance of this difference whose last day is over.
    """

    resource: Resource
    drift: Drift
    actions: tuple[Action, ...]
    symbol: Symbol
    refusal: Refuse | None = None
    held: str = ""
    after: tuple[str, ...] = ()
    lapsed: Acceptance | None = None

    @property
    def life(self) -> str:
        """Of an app's change: "alive", "unknown", or the code of what is the matter. All else
        lives."""
        alive = self.drift.actual.values.get("alive", True) if self.drift.differs("alive") else True
        return "alive" if alive is True else str(alive)

    @property
    def refused(self) -> bool:
        """Whether it would mean guessing or destroying; what only another host can cure is mere
        drift."""
        return self.refusal is not None and not self.beyond

    @property
    def beyond(self) -> bool:
        """Whether only a machine that sees more hosts can cure it."""
        return self.refusal is not None and self.refusal.rule == "needs-other-host"


@dataclass(frozen=True)
class AdviceAt:
    """Advice with its place in the document and the resource it is about."""

    advice: Advice
    address: str
    where: Where


@dataclass(frozen=True)
class Plan:
    """All changes in their order. `units`: groups of addresses restored together. `fingerprints`:
    address -> {fact: keyed digest}, for the compared keys and the bytes to be replaced.
    `unreachable`: host -> why. `unfinished`: host -> the run that ended there before its time;
    apply settles it first, so what was read may not stand. `accepted`: drifts that are left as they
    are, each with the acceptance that says so. `elsewhere`: address -> host of what can't be seen
    from here and was not looked at."""

    document: str
    changes: tuple[Change, ...]
    in_sync: tuple[str, ...] = ()
    units: tuple[tuple[str, ...], ...] = ()
    fingerprints: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    advice: tuple[AdviceAt, ...] = ()
    unreachable: Mapping[str, Text] = field(default_factory=dict)
    unfinished: Mapping[str, Unfinished] = field(default_factory=dict)
    unmanaged: tuple[Text, ...] = ()
    accepted: tuple[tuple[Drift, Acceptance], ...] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()

    @property
    def empty(self) -> bool:
        """Nothing to do and nothing in doubt."""
        return not self.changes


@dataclass(frozen=True)
class Event:
    """One line of progress. `address` is empty where it belongs to the resource
    that started last."""

    kind: Literal["start", "action", "output", "wait", "done", "failed", "recovered"]
    address: str
    text: Text


@dataclass(frozen=True)
class Report:
    """What an apply did, in the plan's order; `plan` is what was shown. `commands`: (host, what a
    human must type there) where putting back failed, too. `recovered`: what was settled of earlier
    runs."""

    run: RunInfo
    plan: Plan
    steps: tuple[Step, ...]
    checks: tuple[CheckResult, ...] = ()
    backups: tuple[tuple[str, str, str], ...] = ()
    exit_code: int = 0
    commands: tuple[tuple[str, Text], ...] = ()
    recovered: tuple[Recovered, ...] = ()
