"""Each key of an ecosystem app: which field of PM2 tells its effect, how to compare, what applies a change.

PM2 keeps look-alikes: after a reload `script`, `cwd`, `error_file` show the new text while `pm_exec_path`,
`pm_cwd`, `pm_err_log_path` say what really runs. Only the latter are read here. Called by pm2_process and
the app checks.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kjpstate.formats.pm2.probe import App, Seen, base_folder, normal, script_path
from kjpstate.model import Spec, join
from kjpstate.secret import Secret

Mechanism = Literal["reload", "replace"]
"""reload: the running app takes the new value; replace: only delete and start does."""


@dataclass(frozen=True)
class Context:
    """What normalising needs beside the value: the spec, and the host's PM2 home and processors."""

    spec: Spec
    home: str
    user_home: str
    cpus: int

    @property
    def name(self) -> str:
        """The app's name as PM2 puts it into file names."""
        return re.sub(r"[^a-zA-Z0-9.-]", "-", self.spec["app"]["name"])


Normalise = Callable[[Any, Context], Any]


def context(spec: Spec, seen: Seen | None) -> Context:
    """The context of one app on the host the probe saw."""
    if seen is None:
        return Context(spec, "", "", 1)
    return Context(spec, seen.home, seen.user.home, seen.cpus)


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


def _words(value: Any, _: Context) -> Any:
    if isinstance(value, str):
        try:
            return shlex.split(value)
        except ValueError:
            return value.split()
    return [str(word) for word in value] if isinstance(value, (list, tuple)) else value


def _list(value: Any, _: Context) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _exec_mode(value: Any, _: Context) -> Any:
    return f"{value}_mode" if value in ("fork", "cluster") else value


def _instances(value: Any, context: Context) -> Any:
    count = number(0 if value == "max" else value)
    if not isinstance(count, int):
        return value
    return count if count > 0 else max(1, context.cpus + count)


def _path(value: Any, context: Context) -> Any:
    text = str(value)
    if text in ("NULL", "/dev/null"):
        return "/dev/null"
    if text.startswith("~"):
        text = context.user_home + text[1:]
    return normal(join(base_folder(context.spec), text))


def _log_file(value: Any, context: Context) -> Any:
    return f"{context.home}/logs/{context.name}.log" if value is True else _path(value, context)


def _text(value: Any, _: Context) -> Any:
    return str(value)


@dataclass(frozen=True)
class Key:
    """One key of an ecosystem app. `default`: what PM2 has when the document does not name it."""

    field: str
    by: Mechanism = "replace"
    normalise: Normalise = _same
    default: Any = None


KEYS: dict[str, Key] = {
    "script": Key("pm_exec_path", normalise=lambda _, context: script_path(context.spec)),
    "cwd": Key("pm_cwd", normalise=lambda _, context: base_folder(context.spec)),
    "interpreter": Key("exec_interpreter", "reload", default="node"),
    "node_args": Key("node_args", "reload", _words, []),
    "args": Key("args", "reload", _words, []),
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
    "stop_exit_codes": Key("stop_exit_codes", "reload", _list),
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
    "cron_restart": Key("cron_restart", normalise=_text),
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
_SUFFIXED = ("error_file", "out_file", "log_file", "pid_file")


def dropped(key: str, value: Any) -> bool:
    """Whether PM2 throws the value away unseen: 0, false or "" of a key with an underscore."""
    return "_" in key and not value and not isinstance(value, (list, dict))


def desired(context: Context) -> dict[str, Any]:
    """{key: effective value} of every key of the document that PM2 will heed and that can be seen."""
    app: Mapping[str, Any] = context.spec["app"]
    wanted = {}
    for name, value in app.items():
        if name == "time" and value is True:
            wanted["log_date_format"] = "YYYY-MM-DDTHH:mm:ss"
        if name in KEYS and not dropped(name, value) and not _unseen(name, value):
            wanted[name] = KEYS[name].normalise(value, context)
    return wanted


def _unseen(name: str, value: Any) -> bool:
    """Names that PM2 resolves in a way we can't follow: a user's name, an interpreter's version."""
    if name in ("uid", "gid"):
        return not isinstance(number(value), int)
    return name == "interpreter" and "@" in str(value)


def actual(entries: Iterable[App], wanted: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """{key: effective value} of the running (or saved) entries for the keys of `wanted`; None: PM2 has none.

    Where the instances disagree the one that differs from `wanted` is told.
    """
    apps = tuple(entries)
    found: dict[str, Any] = {}
    for name, value in wanted.items():
        if name == "instances":
            found[name] = len(apps)
            continue
        seen = [_effective(name, app, value, context) for app in apps]
        found[name] = next((item for item in seen if item != value), seen[0] if seen else None)
    return found


def _effective(name: str, app: App, wanted: Any, context: Context) -> Any:
    key = KEYS[name]
    value = app.fields.get(key.field)
    if value is None:
        return key.default if key.default in ([], wanted) else None
    if name in _SUFFIXED:
        return wanted if _numbered(wanted, value) else value
    if name == "script" and value != wanted:
        return wanted if _found_on_path(context.spec["app"]["script"], value) else value
    if key.normalise in (_words, _list, _text, number):
        return key.normalise(value, context)
    return value


def _numbered(path: str, seen: Any) -> bool:
    """Whether PM2 made `seen` of `path`: as said, or with the app's number before the ending. The saved list
    has no numbers to compare with."""
    folder, _, name = path.rpartition("/")
    stem, dot, ending = name.rpartition(".")
    shape = rf"{re.escape(stem)}(-\d+)?{re.escape(dot + ending)}" if dot else rf"{re.escape(name)}(-\d+)?"
    return re.fullmatch(re.escape(f"{folder}/") + shape, str(seen)) is not None


def _found_on_path(script: str, running: str) -> bool:
    """`script: npm` is looked up on the PATH when no such file stands in the folder."""
    return "/" not in script and "." not in script and running.rpartition("/")[2] == script


def environment(app: Mapping[str, Any]) -> dict[str, str | Secret]:
    """{name: value} that the process will see; numbers and flags as PM2 writes them."""
    return {name: _env_text(value) for name, value in (app.get("env") or {}).items()}


def _env_text(value: Any) -> str | Secret:
    if isinstance(value, (str, Secret)):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def left_over(
    app: App, keys: Iterable[str], names: Iterable[str], wanted: Mapping[str, Any], context: Context
) -> Iterator[str]:
    """Keys and `env.NAME`s we once set that left the document, yet still act in the running app."""
    for name in sorted(set(keys) - set(wanted)):
        key = KEYS.get(name)
        if key is None or name in ("script", "instances"):
            continue
        value = app.fields.get(key.field)
        if value is not None and not _is_default(name, value, context):
            yield name
    still = set(app.env_names) - set(context.spec["app"].get("env") or {})
    yield from (f"env.{name}" for name in sorted(still.intersection(names)))


def _is_default(name: str, value: Any, context: Context) -> bool:
    """Whether PM2 has the value by itself for a key that nobody names."""
    if name == "cwd":
        return bool(value == base_folder(context.spec))
    if name in ("error_file", "out_file"):
        stream = "error" if name == "error_file" else "out"
        return _numbered(f"{context.home}/logs/{context.name}-{stream}.log", value)
    if name == "pid_file":
        return _numbered(f"{context.home}/pids/{context.name}.pid", value)
    return bool(value == KEYS[name].default)


def mechanism(keys: Iterable[str]) -> Mechanism:
    """What applies changes of these keys to a running app: the least that applies all."""
    return "replace" if any(KEYS[key].by == "replace" for key in keys) else "reload"
