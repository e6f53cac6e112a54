"""Kind `pm2_process`: one app runs under PM2 as the document says: alive, its settings, its code,
saved.

Compared with what really acts (the process, its environment, PM2's effective fields), never with
the file, and cured by the least that applies it: `pm2 save`, a reload, a start, or delete and
start. Called through the face in `kjpstate.kinds`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.pm2.health import FRESH
from kjpstate.kinds.pm2_process import spec as specs
from kjpstate.kinds.pm2_process import telling
from kjpstate.kinds.pm2_process.advice import advised
from kjpstate.kinds.pm2_process.commands import rewound, steps
from kjpstate.kinds.pm2_process.refusals import refused
from kjpstate.kinds.pm2_process.spec import Spec
from kjpstate.kinds.pm2_process.view import View, looked, readings
from kjpstate.model import (
    UNKNOWN,
    Action,
    Advice,
    Answers,
    Drift,
    Reading,
    Refuse,
    State,
    Told,
    Upstream,
)
from kjpstate.section import Made, Page

__all__ = ["Spec", "rewound"]

KIND, ORDER, UNIT, SECTION = "pm2_process", 60, "running", "pm2"
_TICKS = ("alive", "code")


def resources(page: Page, earlier: Sequence[Made]) -> Iterable[Made]:
    """The apps of the ecosystem files that stand in `earlier`."""
    return specs.made(earlier)


def reads(spec: Spec) -> Iterable[Reading]:
    """PM2 itself through the probe; the ecosystem file, the script, and our stamps."""
    return readings(spec)


def see(spec: Spec, answers: Answers, upstream: Upstream) -> View:
    """The app as it was found, beside what the document wants of it."""
    return looked(spec, answers, upstream)


def actual(view: View) -> State:
    """`alive`: true, or a code of health.State. `settings`: effective value by the document's key.

    `env`: values as Secrets. `left`: what still acts though it left the document. `code`: "fresh"
    or another code. `saved`: true or a code.
    """
    values: dict[str, Any] = {
        "alive": view.health.alive or view.health.state,
        "settings": {key: view.found.get(key) for key in view.wanted},
        "env": dict(view.env_found),
        "left": list(view.left),
    }
    if view.code is not None:
        values["code"] = view.code.code
    if view.saved is not None:
        values["saved"] = view.saved.well or view.saved.code
    return State(values, present=bool(view.entries), ticks=_TICKS)


def desired(view: View) -> State:
    """The same keys as they should be; `code` UNKNOWN while something of this plan has yet to write
    it."""
    values: dict[str, Any] = {
        "alive": True,
        "settings": dict(view.wanted),
        "env": dict(view.env),
        "left": [],
    }
    if view.code is not None:
        values["code"] = UNKNOWN if view.code_owed else FRESH.code
    if view.saved is not None:
        values["saved"] = True
    return State(values, ticks=_TICKS)


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """Nothing itself: PM2 writes its own home, which the plan names."""
    return ()


def refusals(view: View) -> Iterator[Refuse]:
    """Where acting on PM2 would mean guessing, or running a second bot."""
    return refused(view)


def actions(view: View, drift: Drift) -> Iterator[Action | Refuse]:
    """The least mechanism that cures all differences at once."""
    return steps(view)


def advice(view: View) -> Iterator[Advice]:
    """What the host itself would spoil: a reboot, a second bot, lost variables, open secrets."""
    return advised(view)


def told(view: View, drift: Drift | None) -> Told:
    """The mechanism and why, the settings that change, and the app's health."""
    return telling.told(view)


def questions(spec: Spec) -> Iterator[Declared]:
    """The app, which checks, a watch and screens may look at."""
    yield spec.app
