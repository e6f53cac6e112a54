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
            reason = f"{what} also runs {view.app.written_script} here"
            yield Advice("script-runs-twice", reason, cure, "/app/script", "breaks")
    own = seen.daemon
    if own and own.version and seen.pm2_version and own.version != seen.pm2_version:
        reason = f"the daemon is {own.version}, the pm2 command {seen.pm2_version}"
        yield Advice("pm2-versions-differ", reason, "pm2 update, at a quiet hour", "", "note")


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
        reason = (
            f"{other.unit} brings back the PM2 of {other.home} after a reboot, not that "
            f"of {seen.home}"
        )
    elif not units:
        reason = "no startup unit brings PM2 back after a reboot"
    elif not any(unit.enabled for unit in units):
        reason = f"{units[0].unit} is there, but not enabled"
    else:
        reason = f"{units[0].unit} starts {units[0].exec}, which is not there any more"
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
        reason = f"PM2's saved list does not name {view.name}: a reboot forgets it"
        yield Advice(
            "pm2-not-at-boot", reason, "write save: true in the section pm2", "/save", "note"
        )


def _unseen(view: View, seen: Seen) -> Iterator[Advice]:
    """While our own PM2 has no such app: daemons that do not tell us theirs. That is not "nothing
    runs"."""
    for other in seen.others if not view.entries else ():
        if other.apps is None:
            reason = (
                f"the PM2 of {other.user} in {other.home or 'an unknown home'} runs here, too; "
            )
            reason += f"{seen.user.name or 'this user'} can't see whether it has {view.name}"
            cure = f"log in as {other.user} and look: pm2 ls"
            yield Advice("pm2-other-daemon", reason, cure, "/ecosystem", "note")


def _dump(view: View, seen: Seen) -> Iterator[Advice]:
    mode = int(seen.dump.mode or "0", 8)
    if mode & 0o044 and any(True for _ in secrets_in(view.env)):
        path = f"{seen.home}/dump.pm2"
        reason = (
            f"{path} holds the app's environment and others may read it (mode {seen.dump.mode})"
        )
        yield Advice("secrets-readable", reason, f"chmod 600 {path}", "/app/env", "breaks")


def _variables(view: View, seen: Seen) -> Iterator[Advice]:
    known = {*environment(seen), *view.env, *_SETTINGS, *view.app.keys, view.name}
    extra = {name for app in view.entries for name in app.env_names} - known
    lost = sorted(name for name in extra if not (_SHELL.fullmatch(name) or _PM2.fullmatch(name)))
    if lost:
        shown = ", ".join(lost[:6]) + (f" and {len(lost) - 6} more" if len(lost) > 6 else "")
        reason = f"the running app has {shown}; a delete and start will not give it those"
        yield Advice("env-not-kept", reason, "name under env what it needs", "/app/env", "note")
