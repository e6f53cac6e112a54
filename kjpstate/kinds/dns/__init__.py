"""Kind `dns`: which servers systemd-resolved asks, judged by what it really has.

Two truths are compared: what the daemon runs with, and what its files would give it at the next start. Only
the main file is edited, only the keys that the document names, and the daemon is told once. Called through
the face in `kjpstate.kinds`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kjpstate.formats.resolved import ALL_TREES, reading
from kjpstate.formats.resolved_conf import DOMAINS, FALLBACK, SERVERS, Settings
from kjpstate.kinds.dns import hints
from kjpstate.kinds.dns.sight import Sight, problems, see
from kjpstate.model import (
    Action,
    Advice,
    Answers,
    Drift,
    ReadFile,
    Reading,
    Refuse,
    Run,
    Spec,
    State,
    Upstream,
    WriteFile,
)

KIND = "dns"

_UNIT = "systemd-resolved"
_NAMED = ("servers", "fallback", "exclusive")
_LABEL = 13


def reads(spec: Spec) -> Iterable[Reading]:
    """The main file, and the probe for all the rest."""
    yield ReadFile(spec["host"], spec["file"])
    yield reading(spec["host"])


def actual(spec: Spec, answers: Answers) -> State:
    """`servers`, `fallback`, `exclusive`: what the daemon has, None while it can't be asked. `file`: the same
    three as the files would give them, drop-ins included."""
    sight = see(spec, answers)
    values = {
        **_running(sight),
        "file": _by_files(sight, sight.before),
        "problems": [f"{refusal.rule}: {refusal.reason}" for refusal in problems(sight)],
    }
    return State(values, present=sight.file is not None)


def desired(spec: Spec, answers: Answers, upstream: Upstream) -> State:
    """The named keys, both running and by the files."""
    sight = see(spec, answers)
    wanted = _as_wanted(sight)
    values = {**wanted, "file": wanted, "problems": []}
    beside = {
        "sight": sight,
        "refusals": tuple(problems(sight)),
        "headline": _headline(sight),
        "notes": list(_notes(sight)),
    }
    return State(values, beside)


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """The main file and nothing else."""
    yield spec["host"], spec["file"]


def actions(spec: Spec, drift: Drift) -> Iterator[Action | Refuse]:
    """The file if it would give other values; then the daemon, once, if it has other ones."""
    sight: Sight = drift.desired.beside["sight"]
    refusals = drift.desired.beside["refusals"]
    if refusals:
        yield refusals[0]
        return
    if sight.after is not None and sight.after != sight.content:
        yield WriteFile(spec["host"], spec["file"], before=sight.content, after=sight.after)
    if any(drift.differs(key) for key in _NAMED):
        yield from _renew(spec["host"], sight)


def advice(spec: Spec, answers: Answers) -> Iterator[Advice]:
    """What is legal and will not keep the bot's names resolving."""
    yield from hints.from_document(spec)
    if answers.get(reading(spec["host"])) is not None:
        yield from hints.from_host(see(spec, answers))


def _renew(host: str, sight: Sight) -> Iterator[Run]:
    """One restart, for every start counts against systemd's limit of five in ten seconds."""
    unit, again = sight.seen.unit, ("systemctl", "restart", _UNIT)
    forget = ("systemctl", "reset-failed", _UNIT)
    verb, why = "restart", f"restarts {_UNIT} once"
    if not unit.running:
        why = f"starts {_UNIT}"
    elif sight.seen.version >= ALL_TREES:
        verb, why = "reload-or-restart", f"has {_UNIT} read its files once"
    if unit.active == "failed":
        yield Run(host, forget, f"forgets that {_UNIT} failed", timeout=30)
    yield Run(host, ("systemctl", verb, _UNIT), why, undo=(forget, again), timeout=60)


# ---- the two states


def _running(sight: Sight) -> dict[str, Any]:
    running = sight.seen.running
    if running is None:
        return dict.fromkeys(_NAMED)
    fallback = running.fallback
    if fallback is None:  # this daemon does not tell: what it was given is the best there is
        fallback = sight.before.values(FALLBACK)
    return {
        "servers": list(running.servers),
        "fallback": None if fallback is None else list(fallback),
        "exclusive": running.exclusive,
    }


def _by_files(sight: Sight, found: Settings) -> dict[str, Any]:
    """A fallback that no file names is the one built into the daemon, as far as that can be seen."""
    servers, fallback = found.values(SERVERS), found.values(FALLBACK)
    if fallback is None and sight.seen.running is not None and not sight.seen.running.fallback:
        fallback = sight.seen.running.fallback
    return {
        "servers": list(servers or ()),
        "fallback": None if fallback is None else list(fallback),
        "exclusive": found.exclusive,
    }


def _as_wanted(sight: Sight) -> dict[str, Any]:
    wanted = sight.wanted
    values = {
        "servers": None if wanted.servers is None else list(wanted.servers),
        "fallback": None if wanted.fallback is None else list(wanted.fallback),
        "exclusive": wanted.exclusive,
    }
    return {key: value for key, value in values.items() if value is not None}


# ---- what a screen says


def _headline(sight: Sight) -> str:
    path: str = sight.spec["file"]
    if sight.after != sight.content:
        return f"{path}   new" if sight.content is None else path
    if sight.seen.running is None:
        return f"{path}   as it should be, but {_UNIT} does not run"
    return f"{path}   as it should be, but {_UNIT} has not read it"


def _notes(sight: Sight) -> Iterator[str]:
    """One line for each of resolved.conf's keys that differs: by the files, else in the daemon."""
    running, before, after = sight.seen.running, sight.before, sight.result
    has = {
        SERVERS: running.servers if running else (),
        FALLBACK: (running.fallback or ()) if running else (),
        DOMAINS: running.domains if running else (),
    }
    wanted = {SERVERS: sight.wanted.servers, FALLBACK: sight.wanted.fallback}
    for key, old in has.items():
        new, written = after.values(key) or (), before.values(key) or ()
        named = sight.wanted.exclusive is not None if key == DOMAINS else wanted[key] is not None
        if not named:
            continue
        if new != written:
            yield f"{key:<{_LABEL}}{_words(written)} -> {_words(new)}"
        elif new != old and running is not None:
            yield f"{key:<{_LABEL}}{_words(old)} -> {_words(new)}   in the daemon"


def _words(values: Iterable[str]) -> str:
    return " ".join(values) or "(none)"
