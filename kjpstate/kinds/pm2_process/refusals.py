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
from kjpstate.said import Said, say


def refused(view: View) -> Iterator[Refuse]:
    """Each, the gravest first."""
    if re.fullmatch(r"all|\d+|/.*/|-.*|.*[ ,].*", view.name):
        yield Refuse("pm2-name", say("pm2-name", name=view.name), pointer="/app/name")
    if view.seen is None or view.why:
        reason = view.why or say("pm2-unreadable.unseen")
        yield Refuse("pm2-unreadable", reason, cure=say("pm2-unreadable.cure"))
        return
    yield from _machine(view.seen)
    yield from _daemon(view.seen, view.app)
    yield from _script(view)
    yield from _twice(view)
    if view.saved is not None and not view.saved.well and view.mechanism != "none":
        yield from _forgotten(view.seen, view.name)


def _machine(seen: Seen) -> Iterator[Refuse]:
    if not seen.proc:
        yield Refuse("pm2-not-linux", say("pm2-not-linux"))
        return
    user = seen.user.name or say("pm2.this-user")
    if not seen.node:
        reason, cure = say("pm2-missing.node", user=user), say("pm2-missing.node.cure")
        yield Refuse("pm2-missing", reason, cure=cure)
    elif not seen.pm2:
        yield Refuse("pm2-missing", say("pm2-missing", user=user), cure=say("pm2-missing.cure"))


def _daemon(seen: Seen, app: Declared) -> Iterator[Refuse]:
    own = seen.daemon
    if seen.socket == "denied" or (own is not None and own.uid != seen.user.uid):
        owner = own.user if own else say("pm2.another-user")
        user = seen.user.name or seen.user.uid
        reason = say("pm2-other-daemon", home=seen.home, owner=owner, user=user)
        yield Refuse("pm2-other-daemon", reason, cure=say("pm2-other-daemon.cure", owner=owner))
    elif seen.more:
        reason = say("pm2-two-daemons", count=seen.more + 1, home=seen.home)
        yield Refuse("pm2-two-daemons", reason, cure=say("pm2-two-daemons.cure"))
    elif own is not None and not seen.alive:
        reason = say("pm2-silent", pid=own.pid, home=seen.home, socket=seen.socket)
        yield Refuse("pm2-silent", reason, cure=say("pm2-silent.cure", pid=own.pid))
    for other in seen.others:
        for entry in other.apps or ():
            if same_bot(entry, app, seen.places) or (
                not seen.alive and entry.get("name") == app.name
            ):
                told = {"user": other.user, "home": other.home}
                reason = say("pm2-other-daemon.has", app=entry.get("name"), **told)
                script = entry.get("pm_exec_path")
                place = say("pm2-other-daemon.has.place", pid=other.pid, script=script)
                cure = say("pm2-other-daemon.has.cure", **told)
                yield Refuse("pm2-other-daemon", reason, (place,), cure)


def _script(view: View) -> Iterator[Refuse]:
    path, cure = view.app.script, say("script-missing.cure")
    if view.script == "missing":
        reason = say("script-missing", path=path)
        yield Refuse("script-missing", reason, cure=cure, pointer="/app/script")
    elif view.script == "folder":
        reason = say("script-missing.folder", path=path)
        yield Refuse("script-missing", reason, cure=cure, pointer="/app/script")


def _twice(view: View) -> Iterator[Refuse]:
    """The same script in the same folder, outside the app of this name, while ours is about to
    start."""
    if view.entries:
        return
    found = list(others(view, {entry.name for entry in view.ours}))
    if found:
        places, cures = zip(*found, strict=True)
        reason = say("script-runs-twice", script=view.app.script, what=places[0])
        yield Refuse("script-runs-twice", reason, places, "; ".join(cures))


def others(view: View, ours: Collection[str] = ()) -> Iterator[tuple[Said, str]]:
    """(what, its end as a command) of each process that runs our script in our folder but is not of
    our app.

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
        listed_as = say("script-runs-twice.app", app=entry.name, number=entry.pm_id)
        yield listed_as, by_number(entry, listed)
    for runner in alone:
        yield say("script-runs-twice.process", pid=runner.pid), f"kill {runner.pid}"


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
        reason, cure = say("pm2-list-incomplete", apps=lost), say("pm2-list-incomplete.cure")
        yield Refuse("pm2-list-incomplete", reason, (f"{seen.home}/dump.pm2",), cure)
