"""What one apply knows while it runs. Made by `apply.run`, used by all modules of this package."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from kjpstate.host import Host
from kjpstate.model import (
    Answer,
    Answers,
    Change,
    Event,
    Outcome,
    Plan,
    Reading,
    ReadTree,
    RunInfo,
    Step,
    Tree,
)
from kjpstate.plan import Scene
from kjpstate.undo.record import Record

Tell: TypeAlias = Callable[[Event], None]


class Stopped(Exception):
    """A change can't go on; `reason` is a sentence, `unknown`: whether its last action may have happened."""

    def __init__(self, reason: str, unknown: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unknown = unknown


@dataclass
class Work:
    """What one apply knows while it runs; `done` are the outcomes by unit, in order; `records`: host -> what
    this run notes there of what it does."""

    info: RunInfo
    plan: Plan
    scene: Scene
    hosts: Mapping[str, Host]
    tell: Tell
    answers: dict[Reading, Answer]
    planned: Answers
    steps: list[Step] = field(default_factory=list)
    done: dict[Sequence[str], list[Outcome]] = field(default_factory=dict)
    blocked: dict[Sequence[str], str] = field(default_factory=dict)
    outputs: dict[ReadTree, Tree | None] = field(default_factory=dict)
    codes: list[int] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    fill: dict[Reading, Answer] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    stopping: bool = False


def unit_of(change: Change, plan: Plan) -> Sequence[str]:
    return next(unit for unit in plan.units if change.resource.address in unit)
