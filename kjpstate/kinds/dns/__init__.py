"""Kind `dns`: which servers systemd-resolved asks, judged by what it really has.

Two truths are compared: what the daemon runs with, and what its files would give it at the next
start. Only the main file is edited (or, with `drop_in`, only a drop-in of our own), only the keys
that the document names, and the daemon is told once. Called through the face in `kjpstate.kinds`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from kjpstate.formats.resolved import reading
from kjpstate.formats.resolved_conf import (
    DOMAINS,
    DROP_IN,
    FALLBACK,
    SERVERS,
    Settings,
    Wanted,
    assigned,
)
from kjpstate.kinds.dns.advice import advised
from kjpstate.kinds.dns.refusals import refused
from kjpstate.kinds.dns.spec import Spec
from kjpstate.kinds.dns.view import View, claimed, looked
from kjpstate.model import (
    NOTHING,
    Action,
    Advice,
    Answers,
    Drift,
    MakeDirectory,
    Moves,
    Note,
    ReadFile,
    Reading,
    Refuse,
    Row,
    Run,
    Stamp,
    State,
    Told,
    Upstream,
    WriteFile,
)
from kjpstate.section import Made, Page

KIND, ORDER, UNIT, SECTION = "dns", 10, "dns", "dns"

_SERVICE = "systemd-resolved"
_NAMED = ("servers", "fallback", "exclusive")
_FOLDER = DROP_IN.rpartition("/")[0] + "/"


def resources(page: Page, earlier: Sequence[Made]) -> Iterator[Made]:
    """The servers of each host; a host has one such section."""
    for section in page.sections(SECTION):
        value = section.value
        spec = Spec(
            section.host.name,
            section.document,
            tuple(value["servers"]),
            tuple(value["fallback"]) if "fallback" in value else None,
            value.get("exclusive"),
            value.get("drop_in", False),
            value.get("takes_over", ""),
        )
        asked = tuple(questions(spec))
        yield Made(KIND, section, spec, identity=KIND, lines=section.lines(), questions=asked)


def reads(spec: Spec) -> Iterable[Reading]:
    """The main file, our own drop-in, the probe for all the rest, and whose dns it is."""
    yield ReadFile(spec.host, spec.file)
    yield ReadFile(spec.host, DROP_IN)
    yield reading(spec.host)
    yield claimed(spec.host)


def see(spec: Spec, answers: Answers, upstream: Upstream) -> View:
    """The files, the daemon, and the document's values in resolved's own spelling."""
    return looked(spec, answers)


def actual(view: View) -> State:
    """`servers`, `fallback`, `exclusive`: what the daemon has, None while it can't be asked.
    `file`: the same three as the files would give them, drop-ins included. `drop_in`: what our own
    drop-in assigns. `document`: whose dns it is."""
    values = {
        **_running(view),
        "file": _by_files(view, view.before),
        "drop_in": _assigned(view.standing),
        "document": view.owner,
    }
    return State(values, present=view.file is not None)


def desired(view: View) -> State:
    """The named keys, both running and by the files."""
    wanted = _as_wanted(view)
    values = {
        **wanted,
        "file": wanted,
        "drop_in": _assigned(view.own_after),
        "document": view.spec.document,
    }
    return State(values)


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """The main file, or our own drop-in instead; one that is no longer asked for is removed."""
    if not spec.drop_in:
        yield spec.host, spec.file
    yield spec.host, DROP_IN


def refusals(view: View) -> Iterator[Refuse]:
    """All that stands in the way, the most telling first."""
    return refused(view)


def actions(view: View, drift: Drift) -> Iterator[Action | Refuse]:
    """The files if they would give other values; then the daemon, once, if it has other ones."""
    spec = view.spec
    if view.claim != spec.document:
        note = claimed(spec.host)
        yield Stamp(note.host, note.document, note.name, {"document": spec.document})
    if view.after is not None and view.after != view.content:
        yield WriteFile(spec.host, spec.file, before=view.content, after=view.after)
    if view.own_after != view.standing:
        if not any(file.path.startswith(_FOLDER) for file in view.seen.files):
            yield MakeDirectory(spec.host, _FOLDER)
        yield WriteFile(spec.host, DROP_IN, before=view.standing, after=view.own_after)
    if any(drift.differs(key) for key in _NAMED):
        yield from _renew(view)


def advice(view: View) -> Iterator[Advice]:
    """All that is legal and will not keep the bot's names resolving."""
    return advised(view)


def told(view: View, drift: Drift | None) -> Told:
    """The file it is about, and a row for each key that moves."""
    if drift is None:
        return Told()
    return Told(_headline(view), tuple(_rows(view)), mismatch="effective-mismatch")


def questions(spec: Spec) -> Iterator[Wanted]:
    """The servers, which a check may ask for."""
    yield Wanted(spec.servers, spec.fallback, spec.exclusive)


def _renew(view: View) -> Iterator[Run]:
    """One restart. Every start counts against systemd's limit of five in ten seconds, also those of
    others: they are forgotten first, or this one might be the sixth and leave the host without
    names."""
    host, unit, again = view.spec.host, view.seen.unit, ("systemctl", "restart", _SERVICE)
    forget = ("systemctl", "reset-failed", _SERVICE)
    if unit.running and view.seen.reloads:
        why = f"has {_SERVICE} read its files once"
        yield _with_journal(
            Run(host, ("systemctl", "reload-or-restart", _SERVICE), why, undo=(again,))
        )
        return
    failed = (
        f"forgets that {_SERVICE} failed"
        if unit.active == "failed"
        else "forgets its earlier starts"
    )
    yield Run(host, forget, failed, timeout=30)
    why = f"restarts {_SERVICE} once" if unit.running else f"starts {_SERVICE}"
    yield _with_journal(Run(host, again, why, undo=(forget, again)))


def _with_journal(run: Run) -> Run:
    """With the end of the daemon's journal, should it not come up again."""
    tail = ("journalctl", "-u", _SERVICE, "-n", "8", "--no-pager", "-o", "cat")
    return replace(run, timeout=60, on_failure=tail, rule="restart-failed")


# ---- the two states


def _running(view: View) -> dict[str, Any]:
    running = view.seen.running
    if running is None:
        return dict.fromkeys(_NAMED)
    fallback = running.fallback
    if fallback is None:  # this daemon does not tell: what it was given is the best there is
        fallback = view.before.values(FALLBACK)
    return {
        "servers": list(running.servers),
        "fallback": None if fallback is None else list(fallback),
        "exclusive": running.exclusive,
    }


def _by_files(view: View, found: Settings) -> dict[str, Any]:
    """A fallback that no file names is the one built into the daemon, as far as
    that can be seen."""
    servers, fallback = found.values(SERVERS), found.values(FALLBACK)
    if fallback is None and view.seen.running is not None and not view.seen.running.fallback:
        fallback = view.seen.running.fallback
    return {
        "servers": list(servers or ()),
        "fallback": None if fallback is None else list(fallback),
        "exclusive": found.exclusive,
    }


def _assigned(own: bytes | None) -> list[str] | None:
    return None if own is None else list(assigned(own))


def _as_wanted(view: View) -> dict[str, Any]:
    wanted = view.wanted
    values = {
        "servers": None if wanted.servers is None else list(wanted.servers),
        "fallback": None if wanted.fallback is None else list(wanted.fallback),
        "exclusive": wanted.exclusive,
    }
    return {key: value for key, value in values.items() if value is not None}


# ---- what a screen says


def _headline(view: View) -> str:
    path: str = view.spec.file
    if view.spec.drop_in:
        path, old, new = DROP_IN, view.standing, view.own_after
    else:
        old, new = view.content, view.after
    if new != old or view.own_after != view.standing:
        return f"{path}   new" if old is None and new is not None else path
    if view.owner != view.spec.document:
        return f"{path}   as it should be"
    if view.seen.running is None:
        return f"{path}   as it should be, but {_SERVICE} does not run"
    return f"{path}   as it should be, but {_SERVICE} has not read it"


def _rows(view: View) -> Iterator[Row]:
    """Whom it is taken from; a row for each key that differs: by the files, else in the daemon."""
    running, before, after = view.seen.running, view.before, view.result
    if view.owner != view.spec.document:
        yield Note(f"takes it over from the document {view.owner}")
    if view.standing is not None and view.own_after is None:
        yield Note(f"removes our {DROP_IN}, which the document no longer asks for")
    has = {
        SERVERS: running.servers if running else (),
        FALLBACK: (running.fallback or ()) if running else (),
        DOMAINS: running.domains if running else (),
    }
    named: dict[str, Any] = {SERVERS: view.wanted.servers, FALLBACK: view.wanted.fallback}
    named[DOMAINS] = view.wanted.exclusive
    for key, old in has.items():
        if named[key] is None:
            continue
        new, written = after.values(key) or (), before.values(key) or ()
        if new != written:
            yield Moves(key, _words(written), _words(new))
        elif new != old and running is not None:
            yield Moves(key, _words(old), _words(new), "in the daemon")


def _words(values: Iterable[str]) -> str:
    return " ".join(values) or NOTHING
