"""A modelled PM2, in the points that the kinds and checks look at.

Its daemon is a value in the box; dump.pm2 and the logs are real files. Kept from the real one: a
reload leaves `script`, `cwd` and log paths as they are and never removes a key; it does nothing for
an app that waits for a restart; a start makes log folders; exit codes say little.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from kjpstate.formats import counts, logs, proc
from kjpstate.formats.pm2 import ecosystem, keys, settings
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.pm2.probe import (
    App,
    BootClock,
    Daemon,
    Dump,
    LogFile,
    Runner,
    Seen,
    Startup,
    User,
    render,
)
from kjpstate.hosts.simulated.box import TICKS, Box, said
from kjpstate.model import Completed
from kjpstate.secret import opened

HOME = "/root/.pm2"
NODE, PM2 = "/usr/bin/node", "/usr/lib/node_modules/pm2/bin/pm2"
VERSION = "6.0.14"
CRASHES = "// simulated: exits at once"
"""A script with this text does not stay up."""
NOBODY = 3
"""Exit code of what asks the daemon itself where none is there."""
CONNECTED = "✅ WhatsApp Terhubung! Siap menerima pesan."

_DUMP = f"{HOME}/dump.pm2"
DEFAULTS: dict[str, Any] = {
    key.field: key.default for key in keys.KEYS.values() if key.default is not None
}


def fresh() -> dict[str, Any]:
    """A daemon that runs nothing, and a unit that starts it at boot."""
    return {"pid": 812, "apps": [], "next_id": 0, "startup": True}


# ---- looking


def probe(box: Box, args: tuple[str, ...]) -> bytes:
    """The output of the probe `pm2`; args: name, script, names of variables."""
    own = box.state["pm2"]
    clock = box.clock()
    boot = BootClock(clock.boot_id, clock.uptime, TICKS, str(box.ticks), box.now)
    user = User(0, "root", "/root")
    if own is None:
        return render(Seen(node=NODE, user=user, home=HOME, clock=boot))
    name, script, wanted = args[0], args[1], tuple(word for word in args[2:] if "=" not in word)
    daemon = None
    if own["pid"]:
        daemon = Daemon(own["pid"], 0, "root", VERSION, HOME, "pm2-root.service", "alive")
    startup = Startup("pm2-root.service", True, "root", HOME, PM2, True)
    apps = own["apps"] if own["pid"] else []
    return render(
        Seen(
            node=NODE,
            pm2=PM2,
            pm2_version=VERSION,
            user=user,
            home=HOME,
            clock=boot,
            cpus=4,
            daemon=daemon,
            socket="alive" if own["pid"] else "missing",
            apps=tuple(_shown(box, app, name, wanted) for app in apps),
            dump=_dump(box, name, wanted),
            runners=tuple(
                Runner(app["pid"], own["pid"], 0)
                for app in apps
                if app["pid"] and app["fields"]["pm_exec_path"] == script
            ),
            systemd=True,
            startup=(startup,) if own["startup"] else (),
        )
    )


def _shown(box: Box, app: Mapping[str, Any], name: str, wanted: tuple[str, ...]) -> App:
    """An entry as the probe tells it: of others just the script, of the environment just what was
    asked."""
    if app["name"] != name:
        known = ("pm_exec_path", "pm_cwd", "namespace", "args")
        fields = {key: value for key, value in app["fields"].items() if key in known}
        return App(**{**app, "fields": fields, "env": {}})
    paths = dict.fromkeys((app["fields"]["pm_err_log_path"], app["fields"]["pm_out_log_path"]))
    return App(
        **{
            **app,
            "env": {key: value for key, value in app["env"].items() if key in wanted},
            "env_names": tuple(app["env"]),
            "used": round(box.state.get("burnt", 0.0)) + (app["used"] or 0) if app["pid"] else None,
            "rss": app["memory"] if app["pid"] else 0,
            "logs": tuple(_log(box, path) for path in paths),
        }
    )


def _log(box: Box, path: str) -> LogFile:
    real = box.real(path)
    return LogFile(path, real.parent.is_dir(), real.stat().st_size if real.is_file() else None)


def _dump(box: Box, name: str, wanted: tuple[str, ...]) -> Dump:
    real = box.real(_DUMP)
    if not real.is_file():
        return Dump()
    mode = f"{real.stat().st_mode & 0o777:04o}" if os.name == "posix" else "0600"
    text = real.read_text("utf-8")
    if not text.strip():
        return Dump("empty", mode)
    try:
        return Dump("ok", mode, tuple(_shown(box, app, name, wanted) for app in json.loads(text)))
    except (ValueError, TypeError, KeyError):
        return Dump("broken", mode)


def cpu(box: Box, args: tuple[str, ...]) -> bytes:
    """The output of the probe `cpu`: a bot that waits for messages. args: seconds, name."""
    seconds = float(args[0])
    found = [app for app in _running(box) if app["name"] == args[1]]
    if not found:
        return f"ticks {TICKS}\n".encode()
    first = proc.Sample(box.clock().uptime, 4200, found[0]["start"])
    box.tick(seconds)
    second = proc.Sample(box.clock().uptime, 4200 + int(seconds * 2), found[0]["start"])
    return proc.render(found[0]["pid"], first, second, TICKS)


def tail(box: Box, path: str) -> bytes:
    """The output of the probe `tail` for one log."""
    real = box.real(path.replace("~pm2", HOME, 1).replace("~", "/root", 1))
    return logs.render(real.read_bytes() if real.is_file() else None)


def count(box: Box, args: tuple[str, ...]) -> bytes:
    """The output of the probe `count`. args: path, offset, inode, sum (-: none), texts."""
    path, offset, inode, _, *texts = args
    real = box.real(path.replace("~pm2", HOME, 1).replace("~", "/root", 1))
    if not real.is_file():
        return b"missing\n"
    content, now = real.read_bytes(), str(real.stat().st_ino)
    whole = content[: content.rfind(b"\n") + 1]
    mark = counts.Mark(len(whole), now, "1")
    if offset == "-":
        return counts.render(counts.Count(mark))
    gone = int(offset) > 0 and (now != inode or len(content) < int(offset))
    lines = whole[0 if gone else int(offset) :].splitlines()
    found = tuple(sum(text.encode() in line for line in lines) for text in texts)
    return counts.render(counts.Count(mark, found, "lost" if gone else ""))


def _running(box: Box) -> list[dict[str, Any]]:
    own = box.state["pm2"]
    return [app for app in own["apps"] if app["pid"]] if own and own["pid"] else []


# ---- acting


def command(box: Box, words: tuple[str, ...], env: Mapping[str, str]) -> Completed:
    """One `pm2` command, the words behind the program; like the real one, each
    brings a daemon up."""
    own = box.state["pm2"]
    if own is None:
        return said(127, "pm2: not found")
    own["pid"] = own["pid"] or box.new_pid()
    match words:
        case ("start" | "reload" | "restart" | "startOrReload" as verb, file, *options):
            names = [options[at + 1] for at, word in enumerate(options) if word == "--only"]
            done = _begin(box, file, names[0] if names else "", verb == "start", env)
        case ("delete" | "stop" as verb, word, *_):
            done = _end(own, verb, _meant(own, word), word)
        case ("save", *_):
            done = _save(box, own)
        case ("resurrect",):
            done = _resurrect(box, own)
        case ("jlist", *_):
            done = said(
                0, json.dumps([{"name": app["name"], "pm_id": app["pm_id"]} for app in own["apps"]])
            )
        case ("ping" | "list" | "ls", *_):
            done = said(0, "pong")
        case ("kill",):
            own |= {"pid": 0, "apps": []}
            done = said(0)
        case _:
            done = said(1, f"pm2: unknown command {' '.join(words)}")
    box.save()
    return done


def keep(box: Box, path: str) -> Completed:
    """`pm2 save --force` with PM2_DUMP_FILE_PATH at another file."""
    own = box.state["pm2"]
    _write(box, path, own["apps"])
    return said(0)


def delete(box: Box, name: str) -> Completed:
    """The daemon is told the numbers of what bears exactly this name; it is not brought up for
    that."""
    own = box.state["pm2"]
    if not own["pid"]:
        return said(NOBODY, f"the PM2 of {HOME} does not answer")
    _end(own, "delete", [app for app in own["apps"] if app["name"] == name], name)
    box.save()
    return said(0)


def back(box: Box, name: str, path: str) -> Completed:
    """Deletes the app of that name, then does `pm2 resurrect` from the list that was kept at
    `path`."""
    own = box.state["pm2"]
    delete(box, name)
    own["pid"] = own["pid"] or box.new_pid()
    done = _resurrect(box, own, path)
    box.save()
    return done


def boot(box: Box) -> None:
    """Starts PM2 as a machine's start does: the saved list comes back, if a unit starts PM2 at
    all."""
    own = box.state["pm2"]
    if own is not None:
        own |= {"pid": 0, "apps": []}
        if own["startup"]:
            own["pid"] = box.new_pid()
            _resurrect(box, own)


def _begin(box: Box, file: str, only: str, strict: bool, env: Mapping[str, str]) -> Completed:
    """Starts, reloads or restarts an ecosystem file; `strict`: a stuck app is an error."""
    own, real = box.state["pm2"], box.real(file)
    if not real.is_file():
        return said(1, f"[PM2][ERROR] File {file} not found")
    ours = ecosystem.parse(real.read_bytes())
    if ours is None:
        return said(1, f"[PM2][ERROR] File {file} malformated")
    for name, config in ours.apps.items():
        if only not in ("", name):
            continue
        listed = [app for app in own["apps"] if app["name"] == name]
        if any(app["status"] == "waiting restart" and app["pid"] for app in listed):
            return said(1 if strict else 0, f"Process {listed[0]['pm_id']} not found")
        for app in listed:
            _reload(box, app, file, config)
        if not listed and not box.real(_fields(file, config)["pm_exec_path"]).is_file():
            return said(1, f"[PM2][ERROR] Script not found: {config['script']}")
        if not listed:
            _start(box, own, file, config, env)
    return said(0)


def _start(
    box: Box, own: dict[str, Any], file: str, config: Mapping[str, Any], env: Mapping[str, str]
) -> None:
    fields = _fields(file, config)
    for _ in range(int(fields["instances"])):
        app = asdict(App(name=config["name"], pm_id=own["next_id"], fields=fields))
        own["next_id"] += 1
        app["env"] = {**env, **_environment(config)}
        app["unique_id"] = f"{box.new_pid():08x}"
        own["apps"].append(app)
        for key in ("pm_err_log_path", "pm_out_log_path"):
            box.real(fields[key]).parent.mkdir(parents=True, exist_ok=True)
        spawn(box, app)


def _reload(box: Box, app: dict[str, Any], file: str, config: Mapping[str, Any]) -> None:
    """Keys that a running app takes, and variables that were added or changed; nothing is ever
    removed."""
    fields = _fields(file, config)
    for key in config:
        known = keys.KEYS.get(key)
        if known is not None and known.by == "reload" and not keys.dropped(key, config[key]):
            app["fields"][known.field] = fields[known.field]
    app["env"] |= _environment(config)
    app["restart_time"] += 1
    spawn(box, app)


def spawn(box: Box, app: dict[str, Any]) -> None:
    """A new process for an entry of the list, started on purpose; what it says goes to its real
    log."""
    box.tick(0.2)
    app |= {"status": "online", "pid": box.new_pid(), "start": str(box.ticks), "memory": 84_000_000}
    app["used"] = -round(box.state.get("burnt", 0.0))
    app |= {"pm_uptime": box.now, "created_at": box.now, "node_version": "20.20.2", "events": ()}
    script, out = (
        box.real(app["fields"]["pm_exec_path"]),
        box.real(app["fields"]["pm_out_log_path"]),
    )
    if not script.is_file() or CRASHES in script.read_text("utf-8", "replace"):
        app |= {"status": "waiting restart", "start": None, "unstable_restarts": 1, "exit_code": 1}
    elif out.parent.is_dir():
        with out.open("a", encoding="utf-8", newline="\n") as log:
            log.write(f"{_dated(box, app['fields'])}{CONNECTED}\n")


def _dated(box: Box, fields: Mapping[str, Any]) -> str:
    """The date that PM2 writes before a line, where the app has a log_date_format."""
    words = str(fields.get("log_date_format") or "")
    for word, there in (
        ("YYYY", "%Y"),
        ("MM", "%m"),
        ("DD", "%d"),
        ("HH", "%H"),
        ("mm", "%M"),
        ("ss", "%S"),
    ):
        words = words.replace(word, there)
    return f"{datetime.fromtimestamp(box.now / 1000, UTC).strftime(words)}: " if words else ""


def _meant(own: Mapping[str, Any], word: str) -> list[dict[str, Any]]:
    """The apps that a word of PM2's command line means: of that name or script, else of that
    namespace, else of that number."""
    apps: list[dict[str, Any]] = own["apps"]
    ways = (
        [app for app in apps if word in ("all", app["name"], app["fields"]["pm_exec_path"])],
        [app for app in apps if app["fields"].get("namespace") == word],
        [app for app in apps if str(app["pm_id"]) == word],
    )
    return next((found for found in ways if found), [])


def _end(own: dict[str, Any], verb: str, listed: Sequence[dict[str, Any]], word: str) -> Completed:
    if not listed:
        return said(1, f"[PM2][ERROR] Process or Namespace {word} not found")
    if verb == "delete":
        gone = {app["pm_id"] for app in listed}
        own["apps"] = [app for app in own["apps"] if app["pm_id"] not in gone]
    for app in listed:
        app |= {"status": "stopped", "pid": 0, "start": None}
    return said(0)


def _save(box: Box, own: dict[str, Any]) -> Completed:
    if own["apps"] or not box.real(_DUMP).exists():
        _write(box, _DUMP, own["apps"])
    return said(0)


def _write(box: Box, path: str, apps: list[dict[str, Any]]) -> None:
    real = box.real(path)
    real.parent.mkdir(parents=True, exist_ok=True)
    if not real.exists():
        real.touch(mode=0o600)
    real.write_text(json.dumps(apps, indent=2), "utf-8")


def _resurrect(box: Box, own: dict[str, Any], path: str = _DUMP) -> Completed:
    real = box.real(path)
    try:
        saved = json.loads(real.read_text("utf-8"))
    except (OSError, ValueError):
        return said(1, f"[PM2][ERROR] No processes saved; DUMP file {path} does not exist")
    there = {app["name"] for app in own["apps"]}
    for app in saved:
        if app["name"] in there:
            continue
        app |= {"pm_id": own["next_id"], "restart_time": 0}
        own["next_id"] += 1
        created = app["created_at"]
        own["apps"].append(app)
        if app["status"] != "stopped":
            spawn(box, app)
            app["created_at"] = created
    return said(0)


def _fields(file: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """PM2's own fields for an app of an ecosystem file."""
    app = Declared("", "", file, config)
    context = keys.Context(app, HOME, "/root", 4)
    wanted = settings.desired(context)
    fields = {
        **DEFAULTS,
        "name": config["name"],
        "pm_exec_path": app.script,
        "pm_cwd": app.folder,
        "pm_err_log_path": f"{HOME}/logs/{app.file_name}-error.log",
        "pm_out_log_path": f"{HOME}/logs/{app.file_name}-out.log",
        "pm_pid_path": f"{HOME}/pids/{app.file_name}-0.pid",
    }
    return fields | {keys.KEYS[key].field: value for key, value in wanted.items()}


def _environment(config: Mapping[str, Any]) -> dict[str, str]:
    return dict(_texts(opened(settings.environment(config))))


def _texts(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        yield name, str(value)
