"""Is the app alive, is its code fresh, is it well after a start: judged from what the probe saw.

PM2's own word is not enough: `online` means spawned, and an app it has given up is `waiting restart` for ever
(not `errored`) once a delay is configured. Called by pm2_process, the app checks and, as the judge
`pm2-online`, by `apply`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from kjpstate.formats.pm2.probe import App, BootClock, Seen, parse
from kjpstate.model import Answer, Clock

KILL_TIMEOUT = 1600
"""Milliseconds PM2 lets a process end by itself; a restart it did on purpose takes no longer."""
_SAME_CLOCK = 5


def not_alive(seen: Seen, name: str, *, min_uptime: int = 1000, may_end: bool = False) -> str:
    """Why the app is not alive, as a sentence; "" when it is. `min_uptime`: milliseconds.

    `may_end`: the document lets it end by itself (autorestart: false), so `stopped` is no fault.
    """
    if not seen.alive:
        return "no PM2 daemon"
    entries = seen.named(name)
    if not entries:
        return "not in PM2's list"
    reasons = (_not_well(app, seen.clock, min_uptime, may_end) for app in entries)
    return next((reason for reason in reasons if reason), "")


def _not_well(app: App, clock: BootClock, min_uptime: int, may_end: bool) -> str:
    if app.status == "stopped":
        return "" if may_end else "stopped"
    if app.status == "errored":
        return "given up (errored)"
    if app.status == "waiting restart":
        if app.pid == 0 or app.created_at is None:
            return "given up: waiting restart with no pid, and nothing will restart it"
        return "crash-looping: waiting restart"
    if app.status != "online":
        return app.status or "no status"
    if app.start is None:
        return f"online in PM2's list, but process {app.pid} is gone"
    if crashed(app) and app.restart_time >= 2 and uptime_of(app, clock) * 1000 < max(min_uptime, 1000):
        return "crash-looping: it keeps dying soon after its start"
    return ""


def crashed(app: App) -> bool:
    """Whether PM2 restarted it by itself since somebody last started it on purpose.

    `created_at` is moved by every deliberate start and by no crash. After `pm2 resurrect` it is old while
    the counter is 0.
    """
    if app.created_at is None or app.restart_time == 0:
        return False
    patience = int(app.fields.get("kill_timeout") or KILL_TIMEOUT) + 1000
    return app.pm_uptime - app.created_at > patience


def uptime_of(app: App, clock: BootClock) -> Decimal:
    """Seconds since the process started, by the kernel's clocks; 0 when there is no process."""
    started = started_at(app, clock)
    return Decimal(0) if started is None else _decimal(clock.uptime) - started


def started_at(app: App, clock: BootClock) -> Decimal | None:
    """When the process started, in seconds on the clock of /proc/uptime; None when there is no process.

    In some containers /proc/uptime counts from the container's start and ticks from the machine's: the
    probe's own start, which is now, tells how far the two are apart.
    """
    if app.start is None:
        return None
    started = _decimal(app.start) / clock.ticks
    if clock.own_start is None:
        return started
    apart = _decimal(clock.own_start) / clock.ticks - _decimal(clock.uptime)
    return started - apart if abs(apart) > _SAME_CLOCK else started


def not_fresh(seen: Seen, name: str, stamped: Clock | None) -> str:
    """Why the running code may be older than its files, as a sentence; "" when it is not.

    `stamped`: when the files were last put there. Fresh: another boot since then, or started strictly later.
    """
    if stamped is None:
        return "not known: its files were never put there by kjpstate"
    if stamped.boot_id != seen.clock.boot_id:
        return ""
    starts = [started_at(app, seen.clock) for app in seen.named(name)]
    if not starts or any(start is None for start in starts):
        return "not running"
    oldest = min(start for start in starts if start is not None)
    return "" if oldest > _decimal(stamped.uptime) else "started before its files changed"


def judge_online(answer: Answer, args: Mapping[str, Any]) -> str | None:
    """None when every instance of args["name"] is online, newly started and past its min_uptime.

    args: name; instances; min_uptime_ms; not_pids: the pids of before. Else the reason it is not well yet.
    """
    seen = parse(answer)
    if isinstance(seen, str):
        return seen
    name, wanted = args["name"], int(args.get("instances", 1))
    entries = seen.named(name)
    if len(entries) < wanted:
        return f"{name}: {len(entries)} of {wanted} in PM2's list" if seen.alive else "no PM2 daemon"
    old: Sequence[int] = args.get("not_pids", ())
    enough = Decimal(int(args.get("min_uptime_ms", 1000))) / 1000
    for app in entries:
        reason = _not_up(app, seen.clock, enough, old)
        if reason:
            return f"{name}: {reason}"
    return None


def _not_up(app: App, clock: BootClock, enough: Decimal, old: Sequence[int]) -> str:
    if app.status != "online" or app.start is None:
        restarts = f" after {app.restart_time} restarts" if app.restart_time else ""
        return f"{app.status or 'no status'}{restarts}"
    if app.pid in old:
        return f"still the old process {app.pid}"
    up = uptime_of(app, clock)
    if up <= enough:
        return f"online for {up:.1f} s of {enough:.0f} s, {app.restart_time} restarts"
    return ""


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(0)
