"""What an ecosystem app says that will not do what its writer hopes: from the document alone, no
host needed.

Called by pm2_ecosystem. Pointers are relative to the app.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kjpstate.formats.pm2.keys import KEYS, dropped
from kjpstate.formats.pm2.policy import START, Policy, policy
from kjpstate.formats.times import about
from kjpstate.model import Advice

_OUTAGE = 600_000
"""Milliseconds a home's modem and its provider may well be gone."""


def lint(app: Mapping[str, Any]) -> Iterator[Advice]:
    """All advice for one app."""
    yield from _restarts(app)
    yield from _dropped(app)
    yield from _instances(app)
    yield from _environment(app)
    yield from _logs(app)


def _restarts(app: Mapping[str, Any]) -> Iterator[Advice]:
    rules = policy(app)
    if rules.backoff and rules.restart_delay:
        yield Advice(
            "restart-delay-ignored",
            "exp_backoff_restart_delay overrides it: the first retry comes after "
            f"{rules.backoff} ms, "
            f"not {rules.restart_delay} ms",
            "drop restart_delay",
            "/restart_delay",
        )
    if app.get("autorestart") is False:
        return
    if rules.can_give_up and rules.until_given_up < _OUTAGE:
        yield _gives_up(app, rules)
    elif "max_restarts" in app and not dropped("max_restarts", app["max_restarts"]):
        yield Advice(
            "max-restarts-inert",
            f"crashes count only in the first {_span(rules.window)} after a start, and the "
            "delays before the "
            f"last of {rules.max_restarts} take {_span(rules.until_given_up)}: it is restarted "
            "for ever",
            "drop max_restarts",
            "/max_restarts",
        )


def _gives_up(app: Mapping[str, Any], rules: Policy) -> Advice:
    others = ("max_restarts", "min_uptime", *(() if rules.backoff else ("restart_delay",)))
    drop = [key for key in others if key in app]
    cure = "write exp_backoff_restart_delay: 1000"
    pointers = [
        key for key in ("max_restarts", "min_uptime", "exp_backoff_restart_delay") if key in app
    ]
    life = f"{rules.longest_life / 1000:.1f}".removesuffix(".0")
    return Advice(
        "pm2-gives-up",
        f"{rules.max_restarts} crashes under {life} s each: PM2 stops for good after about "
        f"{_span(rules.until_given_up + START * rules.max_restarts)}",
        f"{cure}; drop {' and '.join(drop)}" if drop else cure,
        f"/{pointers[0]}" if pointers else "",
        "breaks",
    )


def _span(milliseconds: int) -> str:
    return about(milliseconds / 1000)


def _dropped(app: Mapping[str, Any]) -> Iterator[Advice]:
    for key, value in app.items():
        if key in KEYS and value is not None and dropped(key, value):
            yield Advice(
                "zero-dropped",
                f"PM2 throws {_plain(value)} away for {key} and does what it does without it",
                f"drop {key}",
                f"/{key}",
            )


def _plain(value: Any) -> str:
    if value is False:
        return "false"
    return str(value) or "an empty text"


def _instances(app: Mapping[str, Any]) -> Iterator[Advice]:
    if "instances" not in app or str(app.get("exec_mode", "")).startswith("fork"):
        return
    many = app["instances"] not in (1, "1")
    yield Advice(
        "instances-cluster",
        "`instances` makes PM2 run it in cluster mode"
        + (": several bots on one WhatsApp session log each other out" if many else ""),
        "drop instances, or add exec_mode: fork",
        "/instances",
        "breaks" if many else "useless",
    )


def _environment(app: Mapping[str, Any]) -> Iterator[Advice]:
    for name in app.get("env") or {}:
        if name in KEYS or name in ("name", "env"):
            yield Advice(
                "env-overrides-setting",
                f"PM2 takes the environment's {name} for its own setting {name}",
                f"name it otherwise, or write {name} outside env",
                f"/env/{name}",
                "breaks",
            )
    for key in app:
        if key.startswith("env_"):
            yield Advice(
                "env-block-unused",
                f"{key} acts only with `--env {key.removeprefix('env_')}`, which kjpstate "
                "never says to PM2",
                "move its names into env",
                f"/{key}",
            )


def _logs(app: Mapping[str, Any]) -> Iterator[Advice]:
    stamp = app.get("log_date_format")
    if stamp or app.get("time") is True:
        zone = (
            "" if isinstance(stamp, str) and "Z" in stamp else " and its stamps name no time zone"
        )
        yield Advice(
            "log-date-format",
            f"with it PM2 loses what the app writes without a final line end{zone}",
            "drop it; let the app stamp its own lines",
            "/log_date_format" if stamp else "/time",
            "note",
        )
    if app.get("watch") is True and "ignore_watch" not in app and _logs_inside(app):
        yield Advice(
            "watches-own-logs",
            "it watches the folder its own logs grow in: each line restarts it",
            "drop watch, or add the log folder to ignore_watch",
            "/watch",
            "breaks",
        )


def _logs_inside(app: Mapping[str, Any]) -> bool:
    folder = str(app.get("cwd") or "").rstrip("/") + "/"
    return any(_inside(path, folder) for path in _log_paths(app))


def _log_paths(app: Mapping[str, Any]) -> Iterable[str]:
    return (
        app[key] for key in ("error_file", "out_file", "log_file") if isinstance(app.get(key), str)
    )


def _inside(path: str, folder: str) -> bool:
    return not path.startswith(("/", "~")) or path.startswith(folder)
