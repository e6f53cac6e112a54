"""What the probe `pm2` prints, and back: `parse` for the kinds and checks, `render` for the
simulated box.

The probe (hosts/remote/probe_pm2.sh NAME SCRIPT ENV_NAME...) prints one JSON object; `Seen` has its
shape, key by key, and only `format` (1) stands above it. A key may be missing: its default stands
here. Times: `start` and `own_start` are ticks since boot as text, `uptime` is the raw first word of
/proc/uptime; `now`, `pm_uptime`, `created_at` and all delays are milliseconds, `memory` and sizes
bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar, cast

from kjpstate.formats.pm2.declared import Declared
from kjpstate.model import Answer, Probe, Unreadable
from kjpstate.said import Text, say
from kjpstate.secret import secrets_in

FORMAT = 1
FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""Where PM2, started by us, looks for programs, behind the folder of its node."""


@dataclass(frozen=True)
class User:
    """Whose eyes the probe has."""

    uid: int = 0
    name: str = ""
    home: str = ""


@dataclass(frozen=True)
class BootClock:
    """`ticks`: per second. `own_start`: the probe's own start, to see whether
    both clocks are one."""

    boot_id: str = ""
    uptime: str = "0"
    ticks: int = 100
    own_start: str | None = None
    now: int = 0


@dataclass(frozen=True)
class Daemon:
    """A PM2 daemon. `unit`: the systemd unit or scope it runs in. Of another's daemon only: how its
    `socket` answered, and its `apps` {name, pm_exec_path, pm_cwd, args} with our app's name or a
    script called like ours, None if it did not say."""

    pid: int = 0
    uid: int = 0
    user: str = ""
    version: str = ""
    home: str = ""
    unit: str = ""
    socket: str = ""
    apps: tuple[Mapping[str, Any], ...] | None = None


@dataclass(frozen=True)
class LogFile:
    """`size` None: no such file; `folder`: whether its folder is there."""

    path: str = ""
    folder: bool = True
    size: int | None = None


@dataclass(frozen=True)
class App:
    """One entry of PM2's list. Of other apps `fields` has only pm_exec_path, pm_cwd, namespace and
    args.

    `pid` 0: none. `start` None: no such process (any more). `connections`: TCP connections to other
    machines, open or being opened; None when that can't be seen. `fields`: PM2's own keys and
    values, whitelisted; absent where PM2 has none. `env`: the process's (else PM2's) values of the
    asked names. `env_names`: all. `used`: ticks of CPU of its process and all below it so far,
    `rss` their memory; None, 0: not known. `events`: of the daemon's log the last lines about its
    starts and ends.
    """

    name: str = ""
    pm_id: int = 0
    pid: int = 0
    start: str | None = None
    status: str = ""
    pm_uptime: int = 0
    created_at: int | None = None
    restart_time: int = 0
    unstable_restarts: int = 0
    prev_restart_delay: int = 0
    exit_code: int | None = None
    unique_id: str = ""
    node_version: str = ""
    memory: int = 0
    connections: int | None = None
    used: int | None = None
    rss: int = 0
    fields: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    env_names: tuple[str, ...] = ()
    logs: tuple[LogFile, ...] = ()
    events: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dump:
    """dump.pm2, what `pm2 resurrect` brings back. `state`: ok, missing, empty,
    broken, unreadable."""

    state: str = "missing"
    mode: str = ""
    apps: tuple[App, ...] = ()


@dataclass(frozen=True)
class Runner:
    """A process that runs the app's script, or its program of PATH with its arguments, whoever
    started it. `above`: the processes above its parent. `cwd`: without links; "": not to be seen.
    """

    pid: int = 0
    ppid: int = 0
    uid: int = 0
    cwd: str = ""
    above: tuple[int, ...] = ()


@dataclass(frozen=True)
class Startup:
    """What would start PM2 at boot: a systemd unit, or a script in /etc/init.d."""

    unit: str = ""
    enabled: bool = False
    user: str = ""
    home: str = ""
    exec: str = ""
    exec_exists: bool = True


@dataclass(frozen=True)
class Places:
    """Where paths lead. `links`: {path: the same without links} of the paths of the document and of
    PM2 that have any. `program`: the app's script where it stands in its folder, else where PATH
    has it, else ""."""

    links: Mapping[str, str] = field(default_factory=dict)
    program: str = ""


@dataclass(frozen=True)
class Seen:
    """Everything the probe saw. `proc`: whether the host has /proc. `home`: PM2's home for this
    user.

    `node`, `pm2`: absolute paths, "" when there is none. `daemon`: the one of `home`; `more`: how
    many others share it. `socket`: how `home`'s socket answered; only "alive" makes `apps` the
    truth. `error`: it broke.
    """

    proc: bool = True
    node: str = ""
    pm2: str = ""
    pm2_version: str = ""
    user: User = User()
    home: str = ""
    clock: BootClock = BootClock()
    cpus: int = 1
    daemon: Daemon | None = None
    more: int = 0
    socket: str = "missing"
    apps: tuple[App, ...] = ()
    others: tuple[Daemon, ...] = ()
    dump: Dump = Dump()
    runners: tuple[Runner, ...] = ()
    systemd: bool = False
    startup: tuple[Startup, ...] = ()
    places: Places = Places()
    error: str = ""

    @property
    def alive(self) -> bool:
        """Whether a daemon of this user and home answers."""
        return self.socket == "alive"

    def named(self, name: str) -> tuple[App, ...]:
        """The list's entries of that name, one for each instance."""
        return tuple(app for app in self.apps if app.name == name)


def reading(app: Declared) -> Probe:
    """The reading for one app.

    Environment names: those the document gives a value. Before them `cwd=PATH`; `node=PATH` and
    `pm2=PATH`, where the document says where they are; for a script that may be found on PATH
    `path=FOLDERS`, and `args=DIGEST` unless a secret is among its arguments.
    """
    places = [f"{word}={path}" for word, path in (("node", app.node), ("pm2", app.command)) if path]
    return Probe(
        app.host,
        "pm2",
        (
            app.name,
            app.script,
            f"cwd={app.folder}",
            *places,
            *_program(app),
            *sorted(app.keys.get("env") or {}),
        ),
    )


def _program(app: Declared) -> Iterator[str]:
    if "/" in app.written_script:
        return
    yield f"path={':'.join(FOLDERS)}"
    if not any(True for _ in secrets_in(app.keys.get("args"))):
        yield f"args={hashlib.sha256(' '.join(app.arguments).encode()).hexdigest()}"


def parse(answer: Answer) -> Seen | Text:
    """What the probe saw, or why that can't be known."""
    if isinstance(answer, Unreadable):
        return say("pm2-unreadable", why=answer.why)
    if not isinstance(answer, bytes):
        return say("pm2-unreadable.not-posix")
    try:
        value = json.loads(answer)
    except ValueError:
        return say("pm2-unreadable.cut-short")
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        return say("pm2-unreadable.not-our-format")
    return _seen(value)


def render(seen: Seen) -> bytes:
    """The very bytes the probe would print."""
    return json.dumps({"format": FORMAT, **asdict(seen)}, ensure_ascii=False).encode() + b"\n"


_T = TypeVar("_T")


def _seen(value: Mapping[str, Any]) -> Seen:
    dump = _mapping(value.get("dump"))
    return _fill(
        Seen,
        value,
        user=_fill(User, _mapping(value.get("user"))),
        clock=_fill(BootClock, _mapping(value.get("clock"))),
        daemon=_daemon(value["daemon"]) if value.get("daemon") else None,
        apps=_each(value.get("apps"), _app),
        others=_each(value.get("others"), _daemon),
        dump=_fill(Dump, dump, apps=_each(dump.get("apps"), _app)),
        runners=_each(value.get("runners"), _runner),
        startup=_each(value.get("startup"), lambda item: _fill(Startup, item)),
        places=_places(_mapping(value.get("places"))),
    )


def _app(value: Mapping[str, Any]) -> App:
    return _fill(
        App,
        value,
        name=str(value.get("name", "")),
        fields=_mapping(value.get("fields")),
        env=_mapping(value.get("env")),
        env_names=tuple(value.get("env_names") or ()),
        logs=_each(value.get("logs"), lambda item: _fill(LogFile, item)),
        events=tuple(str(line) for line in value.get("events") or ()),
    )


def _runner(value: Mapping[str, Any]) -> Runner:
    return _fill(Runner, value, above=tuple(value.get("above") or ()))


def _places(value: Mapping[str, Any]) -> Places:
    links = {
        link: to
        for link, to in _mapping(value.get("links")).items()
        if isinstance(to, str) and link
    }
    return Places(links, str(value.get("program") or ""))


def _daemon(value: Mapping[str, Any]) -> Daemon:
    apps = value.get("apps")
    return _fill(Daemon, value, apps=None if apps is None else tuple(apps))


def _fill(shape: type[_T], value: Mapping[str, Any], **made: Any) -> _T:
    """`shape` from `value`: unknown keys dropped, missing and null ones left at their default."""
    known = {item.name for item in fields(cast(Any, shape))}
    given = {key: item for key, item in value.items() if key in known and item is not None}
    return shape(**{**given, **made})


def _each(value: Any, make: Any) -> tuple[Any, ...]:
    return tuple(make(item) for item in value or () if isinstance(item, Mapping))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
