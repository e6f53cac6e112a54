"""What one apply knows while it runs. Made by `apply.run`, used by all modules of this package."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from kjpstate.host import Host
from kjpstate.model import (
    Action,
    Answer,
    Answers,
    Change,
    Event,
    Outcome,
    Plan,
    Reading,
    ReadTree,
    Recovered,
    RunInfo,
    Step,
    Tree,
)
from kjpstate.plan import Scene
from kjpstate.said import Text
from kjpstate.undo.record import Record

Tell: TypeAlias = Callable[[Event], None]


class Stopped(Exception):
    """A change can't go on. `unknown`: whether its last action may have happened."""

    def __init__(self, reason: Text, unknown: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unknown = unknown


@dataclass(frozen=True)
class Patience:
    """Seconds: `lock` for a lock that another run holds, `wait` for a host that
    is lost on the way."""

    lock: float = 0.0
    wait: float = 0.0


@dataclass
class Work:
    """What one apply knows while it runs; `done` are the outcomes by unit, in order; `records`:
    host -> what this run notes there of what it does; `lost`: the hosts whose link went and did not
    come back; `regained`: those that did; `sent`: the message that is not answered yet."""

    info: RunInfo
    plan: Plan
    scene: Scene
    hosts: Mapping[str, Host]
    tell: Tell
    patience: Patience
    answers: dict[Reading, Answer] = field(default_factory=dict)
    planned: Answers = field(default_factory=dict)
    recovered: list[Recovered] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    regained: set[str] = field(default_factory=set)
    sent: tuple[Action, ...] = ()
    steps: list[Step] = field(default_factory=list)
    done: dict[Sequence[str], list[Outcome]] = field(default_factory=dict)
    blocked: dict[Sequence[str], str] = field(default_factory=dict)
    outputs: dict[ReadTree, Tree | None] = field(default_factory=dict)
    codes: list[int] = field(default_factory=list)
    commands: list[tuple[str, Text]] = field(default_factory=list)
    fill: dict[Reading, Answer] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    stopping: bool = False


def unit_of(change: Change, plan: Plan) -> Sequence[str]:
    return next(unit for unit in plan.units if change.resource.address in unit)
