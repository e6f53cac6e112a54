"""Kind `dns`: which servers systemd-resolved asks, judged by what it really has.

Two truths are compared: what the daemon runs with, and what its files would give it at the next
start. Only the main file is edited (or, with `drop_in`, only a drop-in of our own), only the keys
that the document names, and the daemon is told once. Called through the face in `kjpstate.kinds`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from kjpstate.formats.resolved import reading
from kjpstate.formats.resolved_conf import DOMAINS, DROP_IN, FALLBACK, SERVERS, Settings, assigned
from kjpstate.kinds.dns import hints
from kjpstate.kinds.dns.sight import Sight, claimed, problems, see
from kjpstate.model import (
    Action,
    Advice,
    Answers,
    Drift,
    MakeDirectory,
    ReadFile,
    Reading,
    Refuse,
    Run,
    Spec,
    Stamp,
    State,
    Upstream,
    WriteFile,
)

KIND, ORDER, UNIT = "dns", 10, "dns"

_UNIT = "systemd-resolved"
_NAMED = ("servers", "fallback", "exclusive")
_FOLDER = DROP_IN.rpartition("/")[0] + "/"
_LABEL = 13


def reads(spec: Spec) -> Iterable[Reading]:
    """The main file, our own drop-in, the probe for all the rest, and whose dns it is."""
    yield ReadFile(spec["host"], spec["file"])
    yield ReadFile(spec["host"], DROP_IN)
    yield reading(spec["host"])
    yield claimed(spec["host"])


def actual(spec: Spec, answers: Answers) -> State:
    """`servers`, `fallback`, `exclusive`: what the daemon has, None while it can't be asked.
    `file`: the same three as the files would give them, drop-ins included. `drop_in`: what our own
    drop-in assigns. `document`: whose dns it is."""
    sight = see(spec, answers)
    values = {
        **_running(sight),
        "file": _by_files(sight, sight.before),
        "drop_in": _assigned(sight.standing),
        "document": sight.owner,
        "problems": [f"{refusal.rule}: {refusal.reason}" for refusal in problems(sight)],
    }
    return State(values, present=sight.file is not None)


def desired(spec: Spec, answers: Answers, upstream: Upstream) -> State:
    """The named keys, both running and by the files."""
    sight = see(spec, answers)
    wanted = _as_wanted(sight)
    values = {
        **wanted,
        "file": wanted,
        "drop_in": _assigned(sight.own_after),
        "document": spec["document"],
        "problems": [],
    }
    beside = {
        "sight": sight,
        "refusals": tuple(problems(sight)),
        "mismatch": "effective-mismatch",
        "headline": _headline(sight),
        "notes": list(_notes(sight)),
    }
    return State(values, beside)


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """The main file, or our own drop-in instead; one that is no longer asked for is removed."""
    if not spec.get("drop_in"):
        yield spec["host"], spec["file"]
    yield spec["host"], DROP_IN


def actions(spec: Spec, drift: Drift) -> Iterator[Action | Refuse]:
    """The files if they would give other values; then the daemon, once, if it has other ones."""
    sight: Sight = drift.desired.beside["sight"]
    refusals = drift.desired.beside["refusals"]
    if refusals:
        yield refusals[0]
        return
    if sight.claim != spec["document"]:
        note = claimed(spec["host"])
        yield Stamp(note.host, note.document, note.name, {"document": spec["document"]})
    if sight.after is not None and sight.after != sight.content:
        yield WriteFile(spec["host"], spec["file"], before=sight.content, after=sight.after)
    if sight.own_after != sight.standing:
        if not any(file.path.startswith(_FOLDER) for file in sight.seen.files):
            yield MakeDirectory(spec["host"], _FOLDER)
        yield WriteFile(spec["host"], DROP_IN, before=sight.standing, after=sight.own_after)
    if any(drift.differs(key) for key in _NAMED):
        yield from _renew(spec["host"], sight)


def advice(spec: Spec, answers: Answers) -> Iterator[Advice]:
    """What is legal and will not keep the bot's names resolving."""
    yield from hints.from_document(spec)
    if answers.get(reading(spec["host"])) is not None:
        yield from hints.from_host(see(spec, answers))


def _renew(host: str, sight: Sight) -> Iterator[Run]:
    """One restart. Every start counts against systemd's limit of five in ten seconds, also those of
    others: they are forgotten first, or this one might be the sixth and leave the host without
    names."""
    unit, again = sight.seen.unit, ("systemctl", "restart", _UNIT)
    forget = ("systemctl", "reset-failed", _UNIT)
    if unit.running and sight.seen.reloads:
        why = f"has {_UNIT} read its files once"
        yield _told(Run(host, ("systemctl", "reload-or-restart", _UNIT), why, undo=(again,)))
        return
    failed = (
        f"forgets that {_UNIT} failed" if unit.active == "failed" else "forgets its earlier starts"
    )
    yield Run(host, forget, failed, timeout=30)
    why = f"restarts {_UNIT} once" if unit.running else f"starts {_UNIT}"
    yield _told(Run(host, again, why, undo=(forget, again)))


def _told(run: Run) -> Run:
    """With the end of the daemon's journal, should it not come up again."""
    tail = ("journalctl", "-u", _UNIT, "-n", "8", "--no-pager", "-o", "cat")
    return replace(run, timeout=60, on_failure=tail, rule="restart-failed")


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
    """A fallback that no file names is the one built into the daemon, as far as
    that can be seen."""
    servers, fallback = found.values(SERVERS), found.values(FALLBACK)
    if fallback is None and sight.seen.running is not None and not sight.seen.running.fallback:
        fallback = sight.seen.running.fallback
    return {
        "servers": list(servers or ()),
        "fallback": None if fallback is None else list(fallback),
        "exclusive": found.exclusive,
    }


def _assigned(own: bytes | None) -> list[str] | None:
    return None if own is None else list(assigned(own))


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
    if sight.by_drop_in:
        path, old, new = DROP_IN, sight.standing, sight.own_after
    else:
        old, new = sight.content, sight.after
    if new != old or sight.own_after != sight.standing:
        return f"{path}   new" if old is None and new is not None else path
    if sight.owner != sight.spec["document"]:
        return f"{path}   as it should be"
    if sight.seen.running is None:
        return f"{path}   as it should be, but {_UNIT} does not run"
    return f"{path}   as it should be, but {_UNIT} has not read it"


def _notes(sight: Sight) -> Iterator[str]:
    """Whom it is taken from; one line for each key that differs: by the files,
    else in the daemon."""
    running, before, after = sight.seen.running, sight.before, sight.result
    if sight.owner != sight.spec["document"]:
        yield f"takes it over from the document {sight.owner}"
    if sight.standing is not None and sight.own_after is None:
        yield f"removes our {DROP_IN}, which the document no longer asks for"
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
