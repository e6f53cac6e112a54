"""An app's three columns, and the PM2 around it. Called by `kjpstate pm2`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kjpstate.formats.pm2.columns import SET, Columns, Row
from kjpstate.formats.pm2.health import Health
from kjpstate.formats.pm2.probe import Daemon, Seen, Startup
from kjpstate.render.lines import BLANK, Line
from kjpstate.render.masks import Mask
from kjpstate.render.values import show
from kjpstate.secret import Secret

_CELL = 24
_TITLES = ("runs", "file says", "after a reboot")


@dataclass(frozen=True)
class Page:
    """One app. `key`: of the keyed digests that stand for environment values."""

    name: str
    host: str
    ecosystem: str
    health: Health
    seen: Seen
    columns: Columns
    key: bytes


def columns_lines(page: Page, mask: Mask) -> Iterator[Line]:
    """The screen: dead or alive, the table, PM2 and its neighbours, what happens at boot."""
    health, columns = page.health, page.columns
    word = "alive" if health.alive else "NOT ALIVE"
    style = "good" if health.alive else "refuse"
    yield Line(f"{page.name}   {page.host}   {word}: {health.reason}", style, hang=4)
    yield BLANK
    yield from _table(page, mask)
    yield BLANK
    yield Line(f"file: {page.ecosystem}{_but(columns.file)}", hang=6)
    yield from (Line(text, hang=6) for text in _around(page.seen))


def columns_json(page: Page) -> Mapping[str, Any]:
    """The same as a value; environment values as keyed digests."""
    return {
        "app": page.name,
        "host": page.host,
        "health": {
            "state": page.health.state,
            "alive": page.health.alive,
            "reason": page.health.reason,
        },
        "empty": {
            "running": page.columns.running,
            "file": page.columns.file,
            "saved": page.columns.saved,
        },
        "settings": [
            {
                "name": row.name,
                "running": _veiled(row.running, page.key),
                "file": _veiled(row.file, page.key),
                "saved": _veiled(row.saved, page.key),
                "differs": row.differs,
            }
            for row in page.columns.rows
        ],
        "pm2": list(_around(page.seen)),
    }


def _table(page: Page, mask: Mask) -> Iterator[Line]:
    columns = page.columns
    width = min(max((len(row.name) for row in columns.rows), default=4), 26)
    yield Line(_row("", "", _TITLES, width), "strong", whole=True)
    empty = tuple(
        f"({why})" if why else "" for why in (columns.running, columns.file, columns.saved)
    )
    if any(empty):
        yield Line(_row("", "", empty, width), "faint", whole=True)
    there = tuple(not why for why in empty)
    for row in columns.rows:
        cells = tuple(
            _cell(value, page.key, mask) if here else ""
            for value, here in zip((row.running, row.file, row.saved), there, strict=True)
        )
        yield Line(
            _row("!" if row.differs else "", row.name, cells, width), _style(row), whole=True
        )
    differing = sum(row.differs for row in columns.rows)
    yield Line(
        f"{differing} of {len(columns.rows)} differ (!)." if differing else "They all say the same."
    )


def _style(row: Row) -> str:
    return "change" if row.differs else ""


def _row(mark: str, name: str, cells: tuple[str, ...], width: int) -> str:
    short = (cell if len(cell) <= _CELL else f"{cell[: _CELL - 1]}…" for cell in cells)
    return f"{mark:>1} {name:<{width}}  {'  '.join(f'{cell:<{_CELL}}' for cell in short)}".rstrip()


def _cell(value: Any, key: bytes, mask: Mask) -> str:
    if isinstance(value, Secret):
        return value.digest(key)
    text = "-" if value is None else value if value == SET else show(value, mask)
    return text if len(text) <= _CELL or "/" not in text else f"…{text[-_CELL + 1 :]}"


def _veiled(value: Any, key: bytes) -> Any:
    return value.digest(key) if isinstance(value, Secret) else value


def _but(why: str) -> str:
    return f" ({why})" if why else ""


def _around(seen: Seen) -> Iterator[str]:
    own = seen.daemon
    if own is None:
        version = seen.pm2_version or "not found"
        yield f"PM2: no daemon of {seen.home}; pm2 {version} {seen.pm2}".rstrip()
    else:
        unit = f", in {own.unit}" if own.unit else ""
        yield (
            f"PM2: daemon {own.pid} of {seen.home}, {own.version}{unit}; pm2 "
            f"{seen.pm2_version} {seen.pm2}"
        )
    yield f"node: {seen.node or 'not found'}"
    yield from (f"also here: {_other(daemon)}" for daemon in seen.others)
    mode = f", mode {seen.dump.mode}" if seen.dump.mode else ""
    names = ", ".join(dict.fromkeys(app.name for app in seen.dump.apps))
    yield (
        f"saved list: {seen.home}/dump.pm2 is "
        f"{seen.dump.state}{mode}{f', with {names}' if names else ''}"
    )
    yield from (f"at boot: {_unit(unit, seen)}" for unit in seen.startup)
    if not seen.startup:
        yield "at boot: nothing starts PM2"


def _other(daemon: Daemon) -> str:
    named = f"the PM2 {daemon.version} of {daemon.user} in {daemon.home or 'an unknown home'}"
    if daemon.apps is None:
        return f"{named}; its list can't be seen"
    apps = ", ".join(str(app.get("name")) for app in daemon.apps)
    return f"{named}{f', which has {apps}' if apps else ''}"


def _unit(unit: Startup, seen: Seen) -> str:
    parts = [unit.unit, "enabled" if unit.enabled else "not enabled"]
    if unit.home:
        other = "" if unit.home == seen.home else ", which is another home"
        parts.append(f"brings back {unit.home}{other}")
    if not unit.exec_exists:
        parts.append(f"its {unit.exec} is gone")
    return ", ".join(parts)
