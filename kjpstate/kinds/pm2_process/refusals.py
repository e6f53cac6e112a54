"""Where acting on PM2 would mean guessing, or running a second bot. Called by
the kind's face only."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator

from kjpstate.formats.pm2 import noted, probe
from kjpstate.formats.pm2.probe import App, Runner, Seen, base_folder
from kjpstate.formats.pm2.same import (
    may_come_from_path,
    same_arguments,
    same_bot,
    same_path,
    same_place,
)
from kjpstate.kinds.pm2_process.views import View, mechanism, script_owed, script_stat
from kjpstate.model import Answers, Refuse, Spec, Stat, Upstream


def problems(seen: View, answers: Answers, upstream: Upstream, code_owed: bool) -> Iterator[Refuse]:
    """Each refusal, the gravest first."""
    if re.fullmatch(r"all|\d+|/.*/|-.*|.*[ ,].*", seen.name):
        yield Refuse(
            "pm2-name",
            f"PM2 does not read {seen.name!r} as the name of one app",
            pointer="/app/name",
        )
    if seen.seen is None or seen.why:
        yield Refuse(
            "pm2-unreadable", seen.why or "PM2 could not be looked at", cure="on the host: node -v"
        )
        return
    yield from _machine(seen.seen)
    yield from _daemon(seen.seen, seen.spec)
    yield from _script(seen, answers, upstream)
    yield from _twice(seen, answers, upstream)
    if seen.saved is not None and not seen.saved.well and mechanism(seen, code_owed) != "none":
        yield from _forgotten(seen.seen, seen.name)


def _machine(seen: Seen) -> Iterator[Refuse]:
    if not seen.proc:
        yield Refuse(
            "pm2-not-linux", "this host has no /proc, so nobody can say what PM2 really runs"
        )
        return
    missing = "node" if not seen.node else "pm2" if not seen.pm2 else ""
    if missing:
        who = seen.user.name or "this user"
        install = (
            "install node, then: npm install -g pm2" if missing == "node" else "npm install -g pm2"
        )
        yield Refuse("pm2-missing", f"{missing} was not found for {who}", cure=install)


def _daemon(seen: Seen, spec: Spec) -> Iterator[Refuse]:
    own = seen.daemon
    if seen.socket == "denied" or (own is not None and own.uid != seen.user.uid):
        owner = own.user if own else "another user"
        reason = (
            f"the PM2 of {seen.home} belongs to {owner}, not to {seen.user.name or seen.user.uid}"
        )
        yield Refuse(
            "pm2-other-daemon", reason, cure=f"log in as {owner}, or set PM2_HOME for this login"
        )
    elif seen.more:
        reason = f"{seen.more + 1} PM2 daemons share {seen.home}"
        yield Refuse("pm2-two-daemons", reason, cure="stop them, then: pm2 resurrect")
    elif own is not None and not seen.alive:
        reason = f"PM2's daemon {own.pid} runs, but its socket in {seen.home} is {seen.socket}"
        yield Refuse("pm2-silent", reason, cure=f"kill {own.pid}, then: pm2 resurrect")
    for other in seen.others:
        for app in other.apps or ():
            if same_bot(app, spec, seen.places) or (
                not seen.alive and app.get("name") == spec["app"]["name"]
            ):
                reason = f"the PM2 of {other.user} in {other.home} has {app.get('name')}"
                place = f"PM2 daemon {other.pid}: {app.get('pm_exec_path')}"
                cure = f"log in as {other.user} with PM2_HOME={other.home}, or delete it there"
                yield Refuse("pm2-other-daemon", reason, (place,), cure)


def _script(seen: View, answers: Answers, upstream: Upstream) -> Iterator[Refuse]:
    reading = script_stat(seen.spec)
    if script_owed(seen.spec, upstream) or reading not in answers:
        return
    found = answers[reading]
    by_path = seen.seen is not None and may_come_from_path(seen.spec, seen.seen.places)
    if (found is None and not by_path) or (isinstance(found, Stat) and found.type == "directory"):
        what = "is not there" if found is None else "is a folder"
        yield Refuse(
            "script-missing",
            f"{reading.path} {what}",
            cure="deploy it first",
            pointer="/app/script",
        )


def _twice(seen: View, answers: Answers, upstream: Upstream) -> Iterator[Refuse]:
    """The same script in the same folder, outside the app of this name, while ours is about to
    start."""
    if seen.entries:
        return
    found = list(others(seen, {app.name for app in _ours(seen, answers)}))
    if found:
        cures = [cure for _, cure in found]
        reason = f"{probe.script_path(seen.spec)} already runs: {found[0][0]}"
        yield Refuse(
            "script-runs-twice", reason, tuple(place for place, _ in found), "; ".join(cures)
        )


def renames(seen: View, answers: Answers) -> tuple[str, ...]:
    """The old names of our own app that still stand in PM2's list, and no more in the document. Of
    several sessions of one script it is the one with its arguments, where there is one."""
    ours = _ours(seen, answers)
    alike = [app for app in ours if same_arguments(app.fields, seen.spec)]
    return tuple(dict.fromkeys(app.name for app in alike or ours))


def _ours(seen: View, answers: Answers) -> list[App]:
    """What this document once started from this script, and names no more; while ours is about to
    start."""
    if seen.seen is None or not seen.seen.alive or seen.entries:
        return []
    named = set(noted.names_before(seen.spec, answers)) - _document_apps(seen.spec)
    places = seen.seen.places
    return [
        app
        for app in seen.seen.apps
        if app.name in named and same_place(app.fields, seen.spec, places)
    ]


def others(seen: View, ours: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """(what, cure) of each process that runs our script in our folder but is not of our app.

    Apps that the document itself runs from the same script are meant to. `ours`: names of what it
    ran; of these the one with our arguments is deleted, and the others are other sessions.
    """
    if seen.seen is None:
        return
    places, allowed = seen.seen.places, {*_document_apps(seen.spec), *ours}
    listed = seen.seen.apps if seen.seen.alive else ()
    strangers = [
        app for app in listed if app.start is not None and same_bot(app.fields, seen.spec, places)
    ]
    alone = []
    for runner in seen.seen.runners:
        owner = _owner(runner, listed)
        if runner.cwd and not same_path(runner.cwd, base_folder(seen.spec), places):
            continue
        if owner is not None:
            strangers.append(owner)
        elif not _started_by_pm2(runner, seen.seen):
            alone.append(runner)
    for app in {app.pm_id: app for app in strangers if app.name not in allowed}.values():
        yield f"{app.name} (number {app.pm_id} in PM2's list)", by_number(app, listed)
    for runner in alone:
        yield f"process {runner.pid}, which no PM2 started", f"kill {runner.pid}"


def _started_by_pm2(runner: Runner, seen: Seen) -> bool:
    """Whether a daemon has just started it, or another that runs our script has
    and is told itself."""
    daemons = {daemon.pid for daemon in (seen.daemon, *seen.others) if daemon}
    runners = {other.pid for other in seen.runners}
    return runner.ppid in daemons or not runners.isdisjoint(_above(runner))


def _owner(runner: Runner, listed: Collection[App]) -> App | None:
    """The app of PM2's list whose process this is, or that started it."""
    return next(
        (app for app in listed if app.pid and app.pid in (runner.pid, *_above(runner))), None
    )


def _above(runner: Runner) -> tuple[int, ...]:
    return runner.ppid, *runner.above


def by_number(app: App, listed: Collection[App]) -> str:
    """The line that deletes this app alone. PM2 takes a number, too, for a name and a namespace
    first."""
    number = str(app.pm_id)
    if any(number in (other.name, other.fields.get("namespace")) for other in listed):
        return f"pm2 delete {shlex.quote(f'/^{re.escape(app.name)}$/')}"
    return f"pm2 delete {number}"


def _document_apps(spec: Spec) -> set[str]:
    return {spec["app"]["name"], *spec.get("beside", ())}


def _forgotten(seen: Seen, name: str) -> Iterator[Refuse]:
    """`pm2 save` writes the running list: what only the saved one has would be lost."""
    running = {app.name for app in seen.apps} if seen.alive else set()
    lost = sorted({app.name for app in seen.dump.apps} - running - {name})
    if lost:
        reason = f"`pm2 save` would forget {', '.join(lost)}: in the saved list, but not running"
        yield Refuse(
            "pm2-list-incomplete",
            reason,
            (f"{seen.home}/dump.pm2",),
            "pm2 resurrect, then plan again",
        )
