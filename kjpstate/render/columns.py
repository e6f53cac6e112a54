"""An app's three columns, and the PM2 around it."""

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
from kjpstate.said import Said, Text, say
from kjpstate.secret import Secret

_CELL = 24


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
    style = "good" if health.alive else "refuse"
    told = say("columns.not-alive", why=health.reason)
    if health.alive:
        told = say("columns.alive", why=health.reason)
    yield Line(f"{page.name}   {page.host}   {told}", style, hang=4)
    yield BLANK
    yield from _table(page, mask)
    yield BLANK
    file = say("columns.file", path=page.ecosystem)
    if columns.file:
        file = say("columns.file-but", path=page.ecosystem, why=columns.file)
    yield Line(file, hang=6)
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
        "pm2": list(map(str, _around(page.seen))),
    }


def _table(page: Page, mask: Mask) -> Iterator[Line]:
    columns = page.columns
    width = min(max((len(row.name) for row in columns.rows), default=4), 26)
    titles = (say("columns.runs"), say("columns.file-says"), say("columns.after-reboot"))
    yield Line(_row("", "", tuple(map(str, titles)), width), "strong", whole=True)
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
    same = say("columns.all-the-same")
    if differing:
        same = say("columns.differ", count=differing, rows=len(columns.rows))
    yield Line(same)


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


def _around(seen: Seen) -> Iterator[Said]:
    yield _own(seen)
    yield say("columns.node", node=seen.node) if seen.node else say("columns.no-node")
    yield from map(_other, seen.others)
    yield _list(seen)
    yield from (_at_boot(unit, seen) for unit in seen.startup)
    if not seen.startup:
        yield say("columns.nothing-at-boot")


def _own(seen: Seen) -> Said:
    own = seen.daemon
    if own is None:
        if not seen.pm2_version:
            return say("columns.no-daemon-no-pm2", home=seen.home)
        return say("columns.no-daemon", home=seen.home, version=seen.pm2_version, pm2=seen.pm2)
    told = {"pid": own.pid, "home": seen.home, "runs": own.version}
    told |= {"version": seen.pm2_version, "pm2": seen.pm2}
    return (
        say("columns.daemon-in", unit=own.unit, **told)
        if own.unit
        else say("columns.daemon", **told)
    )


def _list(seen: Seen) -> Said:
    """PM2's saved list, from which a reboot starts the apps."""
    names = list(dict.fromkeys(app.name for app in seen.dump.apps))
    told = {"home": seen.home, "state": seen.dump.state}
    if seen.dump.mode and names:
        return say("columns.list-of-mode-with", mode=seen.dump.mode, names=names, **told)
    if seen.dump.mode:
        return say("columns.list-of-mode", mode=seen.dump.mode, **told)
    return say("columns.list-with", names=names, **told) if names else say("columns.list", **told)


def _other(daemon: Daemon) -> Said:
    home: Text = daemon.home or say("columns.unknown-home")
    told = {"version": daemon.version, "user": daemon.user, "home": home}
    if daemon.apps is None:
        return say("columns.other-unseen", **told)
    apps = [str(app.get("name")) for app in daemon.apps]
    return say("columns.other-with", apps=apps, **told) if apps else say("columns.other", **told)


def _at_boot(unit: Startup, seen: Seen) -> Said:
    parts = [say("columns.enabled") if unit.enabled else say("columns.not-enabled")]
    if unit.home:
        own = unit.home == seen.home
        home = say("columns.brings-back", home=unit.home)
        parts.append(home if own else say("columns.brings-back-another", home=unit.home))
    if not unit.exec_exists:
        parts.append(say("columns.program-gone", program=unit.exec))
    return say("columns.at-boot", unit=unit.unit, parts=parts)
