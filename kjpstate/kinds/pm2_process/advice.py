"""Advice on one app that needs its host: a reboot, a second bot, lost variables, open secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kjpstate.formats.pm2.keys import KEYS
from kjpstate.formats.pm2.probe import Seen
from kjpstate.formats.pm2.same import same_path
from kjpstate.kinds.pm2_process.commands import environment
from kjpstate.kinds.pm2_process.refusals import others
from kjpstate.kinds.pm2_process.view import View
from kjpstate.model import Advice
from kjpstate.said import say
from kjpstate.secret import secrets_in

_SHELL = re.compile(
    r"SSH_.*|XDG_.*|LC_.*|LS_COLORS|LANGUAGE|SHLVL|SHELL|PWD|OLDPWD|TERM.*|COLORTERM|MAIL|EDITOR|PAGER|_|HIST.*|"
    r"NVM_.*|npm_.*|DBUS_.*|SUDO_.*|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_.*|MANAGERPID|LESS.*|DISPLAY"
)
"""Variables of shells and sessions: nobody misses them."""
_PM2 = re.compile(
    r"PM2_.*|NODE_APP_INSTANCE|NODE_CHANNEL_.*|pm_.*|axm_.*|km_link|unique_id|vizion_running|env|env_.*|status|"
    r"version|node_version|created_at|restart_time|unstable_restarts|prev_restart_delay|exit_code|versioning|"
    r"name|username|command"
)
"""What PM2 itself puts beside its settings into a process's environment."""
_FEW = 6
"""Names of variables that are told one by one."""
_SETTINGS = {*KEYS, *(key.field for key in KEYS.values())}


def advised(view: View) -> Iterator[Advice]:
    """All of it; nothing where PM2 could not be looked at."""
    seen = view.seen
    if seen is None or view.why:
        return
    yield from _boot(view, seen)
    yield from _dump(view, seen)
    yield from _unseen(view, seen)
    yield from _variables(view, seen)
    if view.entries:
        for what, cure in others(view):
            reason = say("script-runs-twice.also", what=what, script=view.app.written_script)
            yield Advice("script-runs-twice", reason, cure, "/app/script", "breaks")
    own = seen.daemon
    if own and own.version and seen.pm2_version and own.version != seen.pm2_version:
        reason = say("pm2-versions-differ", daemon=own.version, command=seen.pm2_version)
        yield Advice("pm2-versions-differ", reason, say("pm2-versions-differ.cure"), "", "note")


def _boot(view: View, seen: Seen) -> Iterator[Advice]:
    if not view.spec.save:
        yield from _forgets(view, seen)
        return
    units = [
        unit
        for unit in seen.startup
        if not unit.home or same_path(unit.home, seen.home, seen.places)
    ]
    if any(unit.enabled and unit.exec_exists for unit in units):
        return
    if not units and seen.startup:
        other = seen.startup[0]
        told = {"unit": other.unit, "other": other.home, "home": seen.home}
        reason = say("pm2-not-at-boot.other-home", **told)
    elif not units:
        reason = say("pm2-not-at-boot")
    elif not any(unit.enabled for unit in units):
        reason = say("pm2-not-at-boot.not-enabled", unit=units[0].unit)
    else:
        reason = say("pm2-not-at-boot.gone", unit=units[0].unit, program=units[0].exec)
    yield Advice("pm2-not-at-boot", reason, _startup(seen), "/save", "note")


def _startup(seen: Seen) -> str:
    """The line that PM2 itself prints; root's writes and enables the unit at once."""
    folder = seen.node.rpartition("/")[0]
    line = f"pm2 startup systemd -u {seen.user.name or seen.user.uid} --hp {seen.user.home}"
    home = "" if seen.home == f"{seen.user.home}/.pm2" else f"PM2_HOME={seen.home} "
    if seen.user.uid == 0:
        return f"{home}{line}"
    return f"sudo env PATH=$PATH:{folder} {home}{line.replace('pm2', seen.pm2 or 'pm2', 1)}"


def _forgets(view: View, seen: Seen) -> Iterator[Advice]:
    """Nobody asked for the app to be saved, and it is not: said once it runs."""
    if view.entries and not any(app.name == view.name for app in seen.dump.apps):
        reason = say("pm2-not-at-boot.forgets", app=view.name)
        cure = say("pm2-not-at-boot.forgets.cure")
        yield Advice("pm2-not-at-boot", reason, cure, "/save", "note")


def _unseen(view: View, seen: Seen) -> Iterator[Advice]:
    """While our own PM2 has no such app: daemons that do not tell us theirs. That is not "nothing
    runs"."""
    for other in seen.others if not view.entries else ():
        if other.apps is None:
            reason = say(
                "pm2-other-daemon.unseen",
                owner=other.user,
                home=other.home or say("pm2.unknown-home"),
                user=seen.user.name or say("pm2.this-user"),
                app=view.name,
            )
            cure = say("pm2-other-daemon.unseen.cure", owner=other.user)
            yield Advice("pm2-other-daemon", reason, cure, "/ecosystem", "note")


def _dump(view: View, seen: Seen) -> Iterator[Advice]:
    mode = int(seen.dump.mode or "0", 8)
    if mode & 0o044 and any(True for _ in secrets_in(view.env)):
        path = f"{seen.home}/dump.pm2"
        reason = say("secrets-readable.list", path=path, mode=seen.dump.mode)
        cure = say("secrets-readable.cure", path=path)
        yield Advice("secrets-readable", reason, cure, "/app/env", "breaks")


def _variables(view: View, seen: Seen) -> Iterator[Advice]:
    known = {*environment(seen), *view.env, *_SETTINGS, *view.app.keys, view.name}
    extra = {name for app in view.entries for name in app.env_names} - known
    lost = sorted(name for name in extra if not (_SHELL.fullmatch(name) or _PM2.fullmatch(name)))
    if lost:
        reason = say("env-not-kept", names=lost)
        if len(lost) > _FEW:
            reason = say("env-not-kept.many", names=lost[:_FEW], more=len(lost) - _FEW)
        yield Advice("env-not-kept", reason, say("env-not-kept.cure"), "/app/env", "note")
