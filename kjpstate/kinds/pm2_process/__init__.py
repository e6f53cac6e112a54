"""Kind `pm2_process`: one app runs under PM2 as the document says: alive, its settings, its code,
saved.

Compared with what really acts (the process, its environment, PM2's effective fields), never with
the file, and cured by the least that applies it: `pm2 save`, a reload, a start, or delete and
start. Called through the face in `kjpstate.kinds`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from kjpstate.formats.pm2.health import FRESH
from kjpstate.kinds.pm2_process import hints
from kjpstate.kinds.pm2_process.commands import steps
from kjpstate.kinds.pm2_process.refusals import problems, renames
from kjpstate.kinds.pm2_process.views import View, mechanism, owed, readings, view
from kjpstate.model import (
    UNKNOWN,
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

KIND, ORDER, UNIT = "pm2_process", 60, "running"
_TICKS = ("alive", "code")


def reads(spec: Spec) -> Iterable[Reading]:
    """PM2 itself through the probe; the ecosystem file, the script, and our stamps."""
    return readings(spec)


def actual(spec: Spec, answers: Answers) -> State:
    """`alive`: true, or a code of health.State. `settings`: effective value by the document's key.

    `env`: values as Secrets. `left`: what still acts though it left the document. `code`: "fresh"
    or another code. `saved`: true or a code.
    """
    seen = view(spec, answers)
    values: dict[str, Any] = {
        "alive": seen.health.alive or seen.health.state,
        "settings": {key: seen.found.get(key) for key in seen.wanted},
        "env": dict(seen.env_found),
        "left": list(seen.left),
        "problems": [f"{item.rule}: {item.reason}" for item in problems(seen, answers, {}, False)],
    }
    if seen.code is not None:
        values["code"] = seen.code.code
    if seen.saved is not None:
        values["saved"] = seen.saved.well or seen.saved.code
    return State(values, {"sick": seen.health.sick}, present=bool(seen.entries), ticks=_TICKS)


def desired(spec: Spec, answers: Answers, upstream: Upstream) -> State:
    """The same keys as they should be; `code` UNKNOWN while something of this plan has yet to write
    it."""
    seen = view(spec, answers)
    seen = replace(seen, renamed=renames(seen, answers))
    code_owed = owed(spec, upstream)
    values: dict[str, Any] = {
        "alive": True,
        "settings": dict(seen.wanted),
        "env": dict(seen.env),
        "left": [],
        "problems": [],
    }
    if seen.code is not None:
        values["code"] = UNKNOWN if code_owed else FRESH.code
    if seen.saved is not None:
        values["saved"] = True
    how = mechanism(seen, code_owed)
    beside = {
        "view": seen,
        "mechanism": how,
        "problems": tuple(problems(seen, answers, upstream, code_owed)),
        "headline": hints.headline(seen, how, code_owed),
        "notes": hints.notes(seen, how),
    }
    return State(values, beside, ticks=_TICKS)


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """Nothing itself: PM2 writes its own home, which the plan names."""
    return ()


def actions(spec: Spec, drift: Drift) -> Iterator[Action | Refuse]:
    """The least mechanism that cures all differences at once."""
    refusals = drift.desired.beside["problems"]
    if refusals:
        yield refusals[0]
        return
    seen: View = drift.desired.beside["view"]
    yield from steps(seen, drift.desired.beside["mechanism"])


def advice(spec: Spec, answers: Answers) -> Iterator[Advice]:
    """What the host itself would spoil: a reboot, a second bot, lost variables,
    readable secrets."""
    seen = view(spec, answers)
    if seen.seen is not None and not seen.why:
        yield from hints.advice(seen, seen.seen)
