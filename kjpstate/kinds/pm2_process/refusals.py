"""Refusals: where acting on PM2 would mean guessing, or running a second bot."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator

from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.pm2.probe import App, Runner, Seen
from kjpstate.formats.pm2.same import same_bot, same_path
from kjpstate.kinds.pm2_process.view import View
from kjpstate.model import Refuse


def refused(view: View) -> Iterator[Refuse]:
    """Each, the gravest first."""
    if re.fullmatch(r"all|\d+|/.*/|-.*|.*[ ,].*", view.name):
        yield Refuse(
            "pm2-name",
            f"PM2 does not read {view.name!r} as the name of one app",
            pointer="/app/name",
        )
    if view.seen is None or view.why:
        yield Refuse(
            "pm2-unreadable", view.why or "PM2 could not be looked at", cure="on the host: node -v"
        )
        return
    yield from _machine(view.seen)
    yield from _daemon(view.seen, view.app)
    yield from _script(view)
    yield from _twice(view)
    if view.saved is not None and not view.saved.well and view.mechanism != "none":
        yield from _forgotten(view.seen, view.name)


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


def _daemon(seen: Seen, app: Declared) -> Iterator[Refuse]:
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
        for entry in other.apps or ():
            if same_bot(entry, app, seen.places) or (
                not seen.alive and entry.get("name") == app.name
            ):
                reason = f"the PM2 of {other.user} in {other.home} has {entry.get('name')}"
                place = f"PM2 daemon {other.pid}: {entry.get('pm_exec_path')}"
                cure = f"log in as {other.user} with PM2_HOME={other.home}, or delete it there"
                yield Refuse("pm2-other-daemon", reason, (place,), cure)


def _script(view: View) -> Iterator[Refuse]:
    if view.script in ("missing", "folder"):
        what = "is not there" if view.script == "missing" else "is a folder"
        yield Refuse(
            "script-missing",
            f"{view.app.script} {what}",
            cure="deploy it first",
            pointer="/app/script",
        )


def _twice(view: View) -> Iterator[Refuse]:
    """The same script in the same folder, outside the app of this name, while ours is about to
    start."""
    if view.entries:
        return
    found = list(others(view, {entry.name for entry in view.ours}))
    if found:
        cures = [cure for _, cure in found]
        reason = f"{view.app.script} already runs: {found[0][0]}"
        yield Refuse(
            "script-runs-twice", reason, tuple(place for place, _ in found), "; ".join(cures)
        )


def others(view: View, ours: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """(what, cure) of each process that runs our script in our folder but is not of our app.

    Apps that the document itself runs from the same script are meant to. `ours`: names of what it
    ran; of these the one with our arguments is deleted, and the others are other sessions.
    """
    seen, app = view.seen, view.app
    if seen is None:
        return
    places, allowed = seen.places, {*view.spec.names, *ours}
    listed = seen.apps if seen.alive else ()
    strangers = [
        entry for entry in listed if entry.start is not None and same_bot(entry.fields, app, places)
    ]
    alone = []
    for runner in seen.runners:
        owner = _owner(runner, listed)
        if runner.cwd and not same_path(runner.cwd, app.folder, places):
            continue
        if owner is not None:
            strangers.append(owner)
        elif not _started_by_pm2(runner, seen):
            alone.append(runner)
    for entry in {entry.pm_id: entry for entry in strangers if entry.name not in allowed}.values():
        yield f"{entry.name} (number {entry.pm_id} in PM2's list)", by_number(entry, listed)
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
