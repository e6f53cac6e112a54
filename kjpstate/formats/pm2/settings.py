"""The settings of an app as the document wants them and as they act: values that can be compared.

PM2 keeps look-alikes: after a reload `script`, `cwd`, `error_file` show the new text while
`pm_exec_path`, `pm_cwd`, `pm_err_log_path` say what really runs. Only the latter are read here.
Called by pm2_process and the app checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.pm2.keys import KEYS, PLAIN, Context, Mechanism, dropped, number
from kjpstate.formats.pm2.probe import App, Seen
from kjpstate.formats.pm2.same import real, same_path, same_script
from kjpstate.secret import Secret

_SUFFIXED = ("error_file", "out_file", "log_file", "pid_file")


def context(app: Declared, seen: Seen | None) -> Context:
    """The context of one app on the host the probe saw."""
    if seen is None:
        return Context(app, "", "", 1)
    return Context(app, seen.home, seen.user.home, seen.cpus, seen.places)


def desired(context: Context) -> dict[str, Any]:
    """{key: effective value} of every key of the document that PM2 will heed
    and that can be seen."""
    wanted = {}
    for name, value in context.app.keys.items():
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
    """{key: effective value} of the running (or saved) entries for the keys of `wanted`; None: PM2
    has none.

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
        return wanted if _numbered(wanted, value, context) else value
    if name == "script":
        same = same_script(value, app.fields.get("pm_cwd"), context.app, context.places)
        return wanted if same else value
    if name == "cwd":
        return wanted if same_path(wanted, value, context.places) else value
    if key.normalise in PLAIN:
        return key.normalise(value, context)
    return value


def _numbered(path: str, seen: Any, context: Context) -> bool:
    """Whether PM2 made `seen` of `path`: as said, or with the app's number before the ending. The
    saved list has no numbers to compare with."""
    folder, _, name = real(path, context.places).rpartition("/")
    stem, dot, ending = name.rpartition(".")
    shape = (
        rf"{re.escape(stem)}(-\d+)?{re.escape(dot + ending)}"
        if dot
        else rf"{re.escape(name)}(-\d+)?"
    )
    return re.fullmatch(re.escape(f"{folder}/") + shape, real(seen, context.places)) is not None


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
    still = set(app.env_names) - set(context.app.keys.get("env") or {})
    yield from (f"env.{name}" for name in sorted(still.intersection(names)))


def _is_default(name: str, value: Any, context: Context) -> bool:
    """Whether PM2 has the value by itself for a key that nobody names."""
    if name == "cwd":
        return same_path(value, context.app.folder, context.places)
    if name in ("error_file", "out_file"):
        stream = "error" if name == "error_file" else "out"
        return _numbered(
            f"{context.home}/logs/{context.app.file_name}-{stream}.log", value, context
        )
    if name == "pid_file":
        return _numbered(f"{context.home}/pids/{context.app.file_name}.pid", value, context)
    return bool(value == KEYS[name].default)


def mechanism(keys: Iterable[str]) -> Mechanism:
    """What applies changes of these keys to a running app: the least that applies all."""
    return "replace" if any(KEYS[key].by == "replace" for key in keys) else "reload"
