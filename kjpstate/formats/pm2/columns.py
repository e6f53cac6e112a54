"""One app three times: as it runs, as the ecosystem file says, as a reboot would bring it back.
Pure.

Called by `kjpstate pm2`. Environment values are Secrets: who shows a row shows a keyed digest of
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kjpstate.formats.pm2 import ecosystem, settings
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.pm2.keys import KEYS, PLAIN, Context
from kjpstate.formats.pm2.probe import App, Seen
from kjpstate.model import Answer, File
from kjpstate.said import Said, Text, say
from kjpstate.secret import Secret

SET = "(set)"
"""A variable that is there, with a value that nobody asked for."""


@dataclass(frozen=True)
class Row:
    """One setting. None: not there, and PM2 has no value by itself. `differs`: they do not all say
    the same, as far as they say anything at all."""

    name: str
    running: Any
    file: Any
    saved: Any
    differs: bool


@dataclass(frozen=True)
class Columns:
    """`running`, `file`, `saved`: why the column is empty; "" when it is not."""

    running: Text
    file: Text
    saved: Text
    rows: tuple[Row, ...]


def columns(app: Declared, seen: Seen, file: Answer) -> Columns:
    """The three truths of one app. `file`: the ecosystem file's answer."""
    running = seen.named(app.name) if seen.alive else ()
    saved = tuple(entry for entry in seen.dump.apps if entry.name == app.name)
    said, why_not = _said(app, file)
    context = settings.context(replace(app, keys=said) if said else app, seen)
    rows = (
        *_status(running, saved),
        *_settings(said, running, saved, context),
        *_variables(app, said, running, saved),
    )
    return Columns(
        "" if running else _not_running(seen), why_not, "" if saved else _not_saved(seen), rows
    )


def _not_running(seen: Seen) -> Said:
    return say("pm2.not-listed") if seen.alive else say("pm2.no-daemon")


def _not_saved(seen: Seen) -> Said:
    if seen.dump.state == "ok":
        return say("pm2.not-saved")
    return say("pm2.dump-state", state=seen.dump.state)


def _said(app: Declared, file: Answer) -> tuple[Mapping[str, Any] | None, Text]:
    """The app as our file says; else why that is not known."""
    if file is None:
        return None, say("pm2.no-file")
    if not isinstance(file, File):
        return None, say("pm2.file-unread")
    ours = ecosystem.parse(file.content)
    if ours is None:
        return None, say("pm2.file-not-ours")
    found = ours.apps.get(app.name)
    if found is None or "script" not in found:
        return None, say("pm2.file-without-it")
    return found, ""


def _status(running: tuple[App, ...], saved: tuple[App, ...]) -> Iterator[Row]:
    """A reboot leaves stopped what is saved as stopped, and starts everything else."""
    cells = [apps[0].status if apps else None for apps in (running, saved)]
    halts = [cell == "stopped" for cell in cells if cell is not None]
    if halts:
        yield Row("status", cells[0], None, cells[1], len(set(halts)) > 1)


def _settings(
    said: Mapping[str, Any] | None,
    running: tuple[App, ...],
    saved: tuple[App, ...],
    context: Context,
) -> Iterator[Row]:
    """What the file says, in its order; then what acts or is saved beside it."""
    wanted = settings.desired(context) if said else {}
    acting = settings.actual(running, wanted, context) if running else {}
    kept = settings.actual(saved, wanted, context) if saved else {}
    for name, value in wanted.items():
        cells = [cell for cell, there in ((acting, running), (kept, saved)) if there]
        differs = any(cell[name] != value for cell in cells)
        yield Row(name, acting.get(name), value, kept.get(name), differs)
    beside = {
        name: None
        for apps in (running, saved)
        for app in apps
        for name in _beside(app, wanted, context)
    }
    for name in beside:
        there = [_raw(name, apps, context) for apps in (running, saved) if apps]
        differs = said is not None or any(value != there[0] for value in there)
        yield Row(name, _raw(name, running, context), None, _raw(name, saved, context), differs)


def _beside(app: App, wanted: Mapping[str, Any], context: Context) -> Iterator[str]:
    if not wanted:
        yield "script"
    yield from settings.left_over(app, KEYS, (), wanted, context)


def _raw(name: str, apps: tuple[App, ...], context: Context) -> Any:
    """The effective value, with no other to compare it with."""
    key = KEYS[name]
    value = next((app.fields[key.field] for app in apps if key.field in app.fields), None)
    return key.normalise(value, context) if value is not None and key.normalise in PLAIN else value


def _variables(
    app: Declared, said: Mapping[str, Any] | None, running: tuple[App, ...], saved: tuple[App, ...]
) -> Iterator[Row]:
    """The variables that the document or the file names."""
    file = settings.environment(said) if said else {}
    for name in dict.fromkeys((*file, *settings.environment(app.keys))):
        value = None if name not in file else _secret(file[name])
        cells = [_variable(name, apps) for apps in (running, saved)]
        known = [
            cell
            for cell, there in zip(cells, (running, saved), strict=True)
            if there and cell != SET
        ]
        known += [value] if said else []
        yield Row(f"env.{name}", cells[0], value, cells[1], any(cell != known[0] for cell in known))


def _variable(name: str, apps: tuple[App, ...]) -> Any:
    """Its value as a Secret; where the instances disagree the first that
    differs from the others."""
    for app in apps:
        if name in app.env:
            return Secret(app.env[name])
    return SET if any(name in app.env_names for app in apps) else None


def _secret(value: str | Secret) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)
