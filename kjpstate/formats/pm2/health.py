"""Is the app alive, is its code fresh, is it well after a start: judged from what the probe saw.

PM2's own word is not enough: `online` means spawned, and an app it has given up is `waiting
restart` for ever (not `errored`) once a delay is configured. Called by pm2_process, the app checks,
`status`, `kjpstate pm2` and, as the judge `pm2-online`, by `apply`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

from kjpstate.formats.pm2 import policy
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.pm2.lives import lives
from kjpstate.formats.pm2.probe import App, BootClock, Seen, parse
from kjpstate.model import Answer, Clock
from kjpstate.said import Said, Text, say

KILL_TIMEOUT = 1600
"""Milliseconds PM2 lets a process end by itself; a restart it did on purpose takes no longer."""
CONNECTS_WITHIN = 150
"""Seconds in which a bot is connected, or tries again: beyond the longest wait between two tries of
one."""
_SETTLED = 5000
"""Milliseconds below which an app that died again and again is not out of its loop, slow as a box
may be."""
_ROW, _SHORT = 3, 600
"""So many lives in a row, each shorter than so many seconds, are a crash loop, slow as it may be.
"""
STEADY = 3600
"""Seconds since the last restart by a crash after which the count of them is said to stand still.
"""
_SAME_CLOCK = 5


State = Literal[
    "unknown",  # PM2 could not be looked at
    "alive",
    "starting",  # PM2 says launching, stopping and the like
    "ended",  # stopped, and the document lets it end
    "stopped",
    "waiting",  # between a crash and the next start
    "looping",  # online for a moment, or for some minutes, again and again
    "stuck",  # waiting, but PM2 can't start it any more
    "given-up",
    "gone",  # a zombie of the list: PM2 says online, and there is no such process
    "idle",  # online, and without any connection though it should have one
    "not-listed",
    "list-lost",  # the daemon was started anew and has forgotten it
    "orphaned",  # it runs, and no PM2 looks after it
    "no-daemon",
]
"""What may be the matter with an app, and what PM2 itself calls by four words only."""


@dataclass(frozen=True)
class Health:
    """`reason`: why it is not alive, as a clause that follows the app's name and a colon; of a live
    app since when it runs, and after how many restarts."""

    state: State
    reason: Text

    @property
    def alive(self) -> bool:
        """Whether all is well."""
        return self.state in ("alive", "ended")

    @property
    def sick(self) -> Text:
        """Why it is not alive; "" when it is."""
        return "" if self.alive else self.reason


@dataclass(frozen=True)
class Judged:
    """What was found of one thing: a code for decisions, a clause for screens, "" where all is
    well."""

    code: str
    reason: Text = ""

    @property
    def well(self) -> bool:
        """As it should be."""
        return not self.reason


def health(
    seen: Seen | Text,
    name: str,
    *,
    min_uptime: int = 1000,
    may_end: bool = False,
    connected: bool = False,
) -> Health:
    """Dead or alive, and why. `seen`: what `probe.parse` made of the answer. `min_uptime`:
    milliseconds.

    `may_end`: the document lets it end by itself (autorestart: false), so `stopped` is no fault.
    `connected`: the document says that it holds a connection to the outside.
    """
    if not isinstance(seen, Seen):
        return Health("unknown", seen)
    if not seen.alive:
        return _without_daemon(seen, name)
    entries = seen.named(name)
    if not entries:
        return _not_listed(seen, name)
    rules = _Rules(seen.clock, min_uptime, may_end, connected)
    found = [_entry(app, rules) for app in entries]
    return next((item for item in found if not item.alive), found[0])


def health_of(app: Declared, seen: Seen | Text) -> Health:
    """Dead or alive by all that the document says of the app."""
    return health(
        seen,
        app.name,
        min_uptime=policy.min_uptime(app.keys),
        may_end=app.may_end,
        connected=app.connected,
    )


def _without_daemon(seen: Seen, name: str) -> Health:
    if seen.runners:
        pid = seen.runners[0].pid
        return Health("orphaned", say("pm2.orphaned", pid=pid))
    saved = any(app.name == name for app in seen.dump.apps)
    return Health("no-daemon", say("pm2.no-daemon-but-saved") if saved else say("pm2.no-daemon"))


def _not_listed(seen: Seen, name: str) -> Health:
    saved = any(app.name == name for app in seen.dump.apps)
    if saved and not seen.apps:
        return Health("list-lost", say("pm2.list-lost"))
    return Health("not-listed", say("pm2.not-listed-but-saved") if saved else say("pm2.not-listed"))


@dataclass(frozen=True)
class _Rules:
    clock: BootClock
    min_uptime: int
    may_end: bool
    connected: bool


def _entry(app: App, rules: _Rules) -> Health:
    if app.status == "stopped":
        if rules.may_end:
            return Health("ended", say("pm2.ended"))
        return Health("stopped", say("pm2.stopped"))
    if app.status == "errored":
        return Health("given-up", say("pm2.errored"))
    if app.status == "waiting restart":
        return _waiting(app)
    if app.status != "online":
        return Health("starting", _status(app))
    if app.start is None:
        return Health("gone", say("pm2.gone", pid=app.pid))
    up = uptime_of(app, rules.clock)
    soon = max(rules.min_uptime, _SETTLED)
    quick = [life for life in _lives(app)[-2:] if life * 1000 < soon]
    # its counters can't tell crashes from a restart on purpose in the first seconds; its log can
    if (crashed(app) or len(quick) == 2) and app.restart_time >= 2 and up * 1000 < soon:
        return Health("looping", say("pm2.keeps-dying"))
    row = _in_a_row(app, up)
    if row:
        lasted = [say("pm2.lasted", seconds=seconds) for seconds in row]
        return Health("looping", say("pm2.short-lives", count=len(row), lasted=lasted))
    if rules.connected and app.connections == 0 and up > CONNECTS_WITHIN:
        return Health("idle", say("pm2.idle", up=float(up)))
    if app.restart_time:
        restarted = say("pm2.online-restarted", up=float(up), count=app.restart_time)
        return Health("alive", restarted)
    return Health("alive", say("pm2.online", up=float(up)))


def _status(app: App) -> Text:
    """PM2's own word."""
    return app.status or say("pm2.no-status")


def _waiting(app: App) -> Health:
    if app.pid == 0 or app.created_at is None:
        return Health("given-up", say("pm2.waits-for-ever"))
    lost = next((log.path for log in app.logs if not log.folder), "")
    if lost:
        return Health("stuck", say("pm2.stuck", log=lost))
    return Health("waiting", say("pm2.waits"))


def _in_a_row(app: App, up: Decimal) -> tuple[int, ...]:
    """The last lives, in seconds, when all were short and this one is not yet clearly longer; else
    none."""
    row = _lives(app)[-_ROW:]
    return row if len(row) == _ROW and max(row) < _SHORT and up < 2 * max(row) else ()


def _lives(app: App) -> tuple[int, ...]:
    """Those after which PM2 itself started it again: no more than it counts. One that it does not
    restart (autorestart: false), and that somebody or cron_restart starts anew each time, has none.
    """
    return lives(app.events)[-app.restart_time :] if app.restart_time > 0 else ()


def rising(seen: Seen, name: str) -> Text:
    """Why its restarts by crashes do not stand still, as a clause after its name; "" when they do.

    They do after STEADY seconds without one, or when none came since it was last started on
    purpose. Restarts on purpose are none of these; one by PM2 for its memory, or for a file that
    changed, is.
    """
    entries = seen.named(name) if seen.alive else ()
    if not entries:
        return say("pm2.rises-not-running")
    for app in entries:
        up = uptime_of(app, seen.clock)
        if app.status != "stopped" and up < STEADY and (crashed(app) or _lives(app)):
            if app.start is None:
                return say("pm2.rises-ended", restarts=app.restart_time)
            return say("pm2.rises", up=float(up), restarts=app.restart_time)
    return ""


def crashed(app: App) -> bool:
    """Whether PM2 restarted it by itself since somebody last started it on purpose.

    `created_at` is moved by every deliberate start and by no crash. After `pm2 resurrect` it is old
    while the counter is 0.
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
    """When the process started, in seconds on the clock of /proc/uptime; None when there is no
    process.

    In some containers /proc/uptime counts from the container's start and ticks from the machine's:
    the probe's own start, which is now, tells how far the two are apart.
    """
    if app.start is None:
        return None
    started = _decimal(app.start) / clock.ticks
    if clock.own_start is None:
        return started
    apart = _decimal(clock.own_start) / clock.ticks - _decimal(clock.uptime)
    return started - apart if abs(apart) > _SAME_CLOCK else started


FRESH: Final = Judged("fresh")


def freshness(seen: Seen, name: str, stamped: Clock | None) -> Judged:
    """Whether the running code is that of its files, and why it may be older.

    `stamped`: when the files were last put there. Fresh: another boot since then, or started
    strictly later.
    """
    if stamped is None:
        return Judged("no-stamp", say("pm2.code-no-stamp"))
    if stamped.boot_id != seen.clock.boot_id:
        return FRESH
    starts = [started_at(app, seen.clock) for app in seen.named(name)]
    if not starts or any(start is None for start in starts):
        return Judged("not-running", say("pm2.not-running"))
    oldest = min(start for start in starts if start is not None)
    is_older = oldest <= _decimal(stamped.uptime)
    return Judged("older", say("pm2.code-older")) if is_older else FRESH


def judge_online(answer: Answer, args: Mapping[str, Any]) -> Text | None:
    """None when every instance of args["name"] is online, newly started and past its min_uptime:
    one process that lived so long is proof that PM2's count of restarts stood still meanwhile.

    args: name; instances; min_uptime_ms; not_pids: the pids of before. Else the reason it is not
    well yet.
    """
    seen = parse(answer)
    if not isinstance(seen, Seen):
        return seen
    name, wanted = args["name"], int(args.get("instances", 1))
    entries = seen.named(name)
    if len(entries) < wanted:
        if not seen.alive:
            return say("pm2.no-daemon")
        return say("pm2.too-few", app=name, count=len(entries), wanted=wanted)
    old: Sequence[int] = args.get("not_pids", ())
    enough = Decimal(int(args.get("min_uptime_ms", 1000))) / 1000
    for app in entries:
        reason = _not_up(app, seen.clock, enough, old)
        if reason is not None:
            return reason
    return None


def _not_up(app: App, clock: BootClock, enough: Decimal, old: Sequence[int]) -> Said | None:
    told = {"app": app.name, "restarts": app.restart_time}
    if app.status != "online" or app.start is None:
        if app.restart_time:
            return say("pm2.not-up-restarted", status=_status(app), **told)
        return say("pm2.not-up", app=app.name, status=_status(app))
    if app.pid in old:
        return say("pm2.still-old", app=app.name, pid=app.pid)
    up = uptime_of(app, clock)
    if up <= enough:
        return say("pm2.not-long-up", up=float(up), enough=float(enough), **told)
    return None


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(0)
