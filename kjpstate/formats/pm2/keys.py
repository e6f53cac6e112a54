"""The keys of an ecosystem app: PM2's effective field of each, how its value is normalised, what
applies it.

Called by `settings`, and by the lint for what PM2 throws away.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from kjpstate.formats.logs import NOWHERE
from kjpstate.formats.pm2.argv import words
from kjpstate.formats.pm2.declared import Declared, normal
from kjpstate.formats.pm2.probe import Places
from kjpstate.model import join

Mechanism = Literal["reload", "replace"]
"""reload: the running app takes the new value; replace: only delete and start does."""


@dataclass(frozen=True)
class Context:
    """What normalising and comparing need beside the value."""

    app: Declared
    home: str
    """PM2's home on the host."""
    user_home: str
    cpus: int
    places: Places = field(default_factory=Places)


Normalise = Callable[[Any, Context], Any]


def _same(value: Any, _: Context) -> Any:
    return value


def number(value: Any, _: Context | None = None) -> Any:
    """`15` and `"15"` are the same to PM2."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"\d+", value) else value


def milliseconds(value: Any, _: Context | None = None) -> Any:
    """`"10s"` -> 10000; also m and h; a bare number is milliseconds."""
    match = re.fullmatch(r"(\d+)([hms]?)", str(value))
    if not match:
        return value
    return int(match[1]) * {"": 1, "s": 1000, "m": 60_000, "h": 3_600_000}[match[2]]


def size(value: Any, _: Context | None = None) -> Any:
    """`"300M"` -> bytes; also K and G."""
    match = re.fullmatch(r"(\d+)([KMG]?)", str(value))
    return int(match[1]) * 1024 ** " KMG".index(match[2] or " ") if match else value


def as_list(value: Any, _: Context) -> Any:
    """One item or several are the same to PM2."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _exec_mode(value: Any, _: Context) -> Any:
    return f"{value}_mode" if value in ("fork", "cluster") else value


def _instances(value: Any, context: Context) -> Any:
    count = number(0 if value == "max" else value)
    if not isinstance(count, int):
        return value
    return count if count > 0 else max(1, context.cpus + count)


def _path(value: Any, context: Context) -> Any:
    path = str(value)
    if path in NOWHERE:
        return "/dev/null"
    if path.startswith("~"):
        path = context.user_home + path[1:]
    return normal(join(context.app.folder, path))


def _log_file(value: Any, context: Context) -> Any:
    return (
        f"{context.home}/logs/{context.app.file_name}.log"
        if value is True
        else _path(value, context)
    )


def text(value: Any, _: Context) -> Any:
    """Verbatim."""
    return str(value)


@dataclass(frozen=True)
class Key:
    """One key of an ecosystem app. `default`: what PM2 has when the document does not name it."""

    field: str
    by: Mechanism = "replace"
    normalise: Normalise = _same
    default: Any = None


KEYS: dict[str, Key] = {
    "script": Key("pm_exec_path", normalise=lambda _, context: context.app.script),
    "cwd": Key("pm_cwd", normalise=lambda _, context: context.app.folder),
    "interpreter": Key("exec_interpreter", "reload", default="node"),
    "node_args": Key("node_args", "reload", words, []),
    "args": Key("args", "reload", words, []),
    "exec_mode": Key("exec_mode", normalise=_exec_mode, default="fork_mode"),
    "instances": Key("instances", normalise=_instances, default=1),
    "namespace": Key("namespace", "reload", default="default"),
    "max_restarts": Key("max_restarts", "reload", number),
    "min_uptime": Key("min_uptime", "reload", milliseconds),
    "restart_delay": Key("restart_delay", "reload", number),
    "exp_backoff_restart_delay": Key("exp_backoff_restart_delay", "reload", number),
    "kill_timeout": Key("kill_timeout", "reload", number),
    "kill_retry_time": Key("kill_retry_time", normalise=number, default=100),
    "listen_timeout": Key("listen_timeout", "reload", number),
    "max_memory_restart": Key("max_memory_restart", "reload", size),
    "autorestart": Key("autorestart", "reload", default=True),
    "stop_exit_codes": Key("stop_exit_codes", "reload", as_list),
    "log_date_format": Key("log_date_format", "reload"),
    "error_file": Key("pm_err_log_path", normalise=_path),
    "out_file": Key("pm_out_log_path", normalise=_path),
    "log_file": Key("pm_log_path", normalise=_log_file),
    "pid_file": Key("pm_pid_path", normalise=_path),
    "merge_logs": Key("merge_logs", default=True),
    "log_type": Key("log_type"),
    "disable_logs": Key("disable_logs"),
    "watch": Key("watch", default=False),
    "ignore_watch": Key("ignore_watch"),
    "watch_delay": Key("watch_delay", normalise=number),
    "watch_options": Key("watch_options"),
    "autostart": Key("autostart", default=True),
    "treekill": Key("treekill", default=True),
    "vizion": Key("vizion", default=True),
    "pmx": Key("pmx", default=True),
    "automation": Key("automation", default=True),
    "windowsHide": Key("windowsHide", default=True),
    "cron_restart": Key("cron_restart", normalise=text),
    "wait_ready": Key("wait_ready"),
    "shutdown_with_message": Key("shutdown_with_message"),
    "source_map_support": Key("source_map_support"),
    "disable_source_map_support": Key("disable_source_map_support"),
    "instance_var": Key("instance_var", default="NODE_APP_INSTANCE"),
    "increment_var": Key("increment_var"),
    "port": Key("port", normalise=number),
    "uid": Key("uid", normalise=number),
    "gid": Key("gid", normalise=number),
}


FIELDS = ("name", *dict.fromkeys(key.field for key in KEYS.values()))
"""What the probe tells of each app: its name, and the fields of the table."""


def dropped(key: str, value: Any) -> bool:
    """Whether PM2 throws the value away unseen: 0, false or "" of a key with an underscore."""
    return "_" in key and not value and not isinstance(value, (list, dict))


PLAIN: tuple[Normalise, ...] = (words, as_list, text, number)
"""The normalisers that PM2's own value needs as well; all others turn the document's words into
PM2's."""
