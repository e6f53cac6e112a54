"""Where acting on PM2 would mean guessing, or running a second bot. Called by the kind's face only."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from kjpstate.formats.pm2 import ecosystem, noted, probe
from kjpstate.formats.pm2.probe import App, Seen
from kjpstate.kinds.pm2_process.views import View, mechanism, script_owed, script_stat
from kjpstate.model import Answers, File, ReadFile, Refuse, Spec, Stat, Upstream


def problems(seen: View, answers: Answers, upstream: Upstream, code_owed: bool) -> Iterator[Refuse]:
    """Each refusal, the gravest first."""
    if re.fullmatch(r"all|\d+|/.*/|-.*", seen.name):
        yield Refuse(
            "pm2-name", f"PM2 does not read {seen.name!r} as the name of one app", pointer="/app/name"
        )
    if seen.seen is None or seen.why:
        yield Refuse("pm2-unreadable", seen.why or "PM2 could not be looked at", cure="on the host: node -v")
        return
    yield from _machine(seen.seen)
    yield from _daemon(seen.seen, seen.spec)
    yield from _script(seen, answers, upstream)
    yield from _twice(seen, answers, upstream)
    if seen.saved and mechanism(seen, code_owed) != "none":
        yield from _forgotten(seen.seen, seen.name)


def _machine(seen: Seen) -> Iterator[Refuse]:
    if not seen.proc:
        yield Refuse("pm2-not-linux", "this host has no /proc, so nobody can say what PM2 really runs")
        return
    missing = "node" if not seen.node else "pm2" if not seen.pm2 else ""
    if missing:
        who = seen.user.name or "this user"
        install = "install node, then: npm install -g pm2" if missing == "node" else "npm install -g pm2"
        yield Refuse("pm2-missing", f"{missing} was not found for {who}", cure=install)


def _daemon(seen: Seen, spec: Spec) -> Iterator[Refuse]:
    own = seen.daemon
    if seen.socket == "denied" or (own is not None and own.uid != seen.user.uid):
        owner = own.user if own else "another user"
        reason = f"the PM2 of {seen.home} belongs to {owner}, not to {seen.user.name or seen.user.uid}"
        yield Refuse("pm2-other-daemon", reason, cure=f"log in as {owner}, or set PM2_HOME for this login")
    elif seen.more:
        reason = f"{seen.more + 1} PM2 daemons share {seen.home}"
        yield Refuse("pm2-two-daemons", reason, cure="stop them, then: pm2 resurrect")
    elif own is not None and not seen.alive:
        reason = f"PM2's daemon {own.pid} runs, but its socket in {seen.home} is {seen.socket}"
        yield Refuse("pm2-silent", reason, cure=f"kill {own.pid}, then: pm2 resurrect")
    for other in seen.others:
        for app in other.apps or ():
            if _same_bot(app, spec) or (not seen.alive and app.get("name") == spec["app"]["name"]):
                reason = f"the PM2 of {other.user} in {other.home} has {app.get('name')}"
                place = f"PM2 daemon {other.pid}: {app.get('script')}"
                cure = f"log in as {other.user} with PM2_HOME={other.home}, or delete it there"
                yield Refuse("pm2-other-daemon", reason, (place,), cure)


def _same_bot(app: Mapping[str, Any], spec: Spec) -> bool:
    return app.get("script") == probe.script_path(spec) and app.get("cwd") == probe.base_folder(spec)


def _script(seen: View, answers: Answers, upstream: Upstream) -> Iterator[Refuse]:
    reading, script = script_stat(seen.spec), str(seen.spec["app"]["script"])
    if script_owed(seen.spec, upstream) or reading not in answers:
        return
    found = answers[reading]
    by_path = "/" not in script and "." not in script
    if (found is None and not by_path) or (isinstance(found, Stat) and found.type == "directory"):
        what = "is not there" if found is None else "is a folder"
        yield Refuse(
            "script-missing", f"{reading.path} {what}", cure="deploy it first", pointer="/app/script"
        )


def _twice(seen: View, answers: Answers, upstream: Upstream) -> Iterator[Refuse]:
    """The same script in the same folder, outside the app of this name, while ours is about to start."""
    if seen.entries:
        return
    gone = renames(seen, answers, upstream)
    found = list(others(seen, answers, upstream, gone))
    if found:
        cures = [cure for _, cure in found]
        reason = f"{probe.script_path(seen.spec)} already runs: {found[0][0]}"
        yield Refuse("script-runs-twice", reason, tuple(place for place, _ in found), "; ".join(cures))


def renames(seen: View, answers: Answers, upstream: Upstream) -> tuple[str, ...]:
    """The old names of our own app that still stand in PM2's list, and no more in the document."""
    if seen.seen is None or not seen.seen.alive or seen.entries:
        return ()
    meant, before = _document_apps(seen.spec, answers, upstream), noted.names_before(seen.spec, answers)
    listed = {app.name for app in seen.seen.apps if _runs(app, seen.spec)}
    return tuple(name for name in before if name in listed and name not in meant)


def _runs(app: App, spec: Spec) -> bool:
    found = (app.fields.get("pm_exec_path"), app.fields.get("pm_cwd"))
    return found == (probe.script_path(spec), probe.base_folder(spec))


def others(
    seen: View, answers: Answers, upstream: Upstream, gone: Collection[str] = ()
) -> Iterator[tuple[str, str]]:
    """(what, cure) of each process that runs our script in our folder but is not of our app.

    Apps that the document itself runs from the same script are meant to; those of `gone` will be deleted.
    """
    if seen.seen is None:
        return
    meant = _document_apps(seen.spec, answers, upstream)
    folder = probe.base_folder(seen.spec)
    listed = seen.seen.apps if seen.seen.alive else ()
    for app in listed:
        if _runs(app, seen.spec) and app.name not in (*meant, *gone) and app.start is not None:
            yield f"{app.name} (number {app.pm_id} in PM2's list)", f"pm2 delete {app.name}"
    known = {app.pid for app in listed} | {runner.pid for runner in seen.seen.runners}
    daemons = {daemon.pid for daemon in (seen.seen.daemon, *seen.seen.others) if daemon}
    for runner in seen.seen.runners:
        ours = runner.pid in {app.pid for app in listed} or runner.ppid in known | daemons
        if not ours and runner.cwd in ("", folder):
            yield f"process {runner.pid}, which no PM2 started", f"kill {runner.pid}"


def _document_apps(spec: Spec, answers: Answers, upstream: Upstream) -> set[str]:
    planned = upstream.get((spec["host"], spec["ecosystem"]))
    file = answers.get(ReadFile(spec["host"], spec["ecosystem"]))
    content = planned if isinstance(planned, bytes) else file.content if isinstance(file, File) else b""
    ours = ecosystem.parse(content)
    return {spec["app"]["name"], *(ours.apps if ours else ())}


def _forgotten(seen: Seen, name: str) -> Iterator[Refuse]:
    """`pm2 save` writes the running list: what only the saved one has would be lost."""
    running = {app.name for app in seen.apps} if seen.alive else set()
    lost = sorted({app.name for app in seen.dump.apps} - running - {name})
    if lost:
        reason = f"`pm2 save` would forget {', '.join(lost)}: in the saved list, but not running"
        yield Refuse(
            "pm2-list-incomplete", reason, (f"{seen.home}/dump.pm2",), "pm2 resurrect, then plan again"
        )
