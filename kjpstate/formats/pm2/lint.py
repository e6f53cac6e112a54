"""What an ecosystem app says that will not do what its writer hopes: from the document alone, no
host needed.

Called by pm2_ecosystem. Pointers are relative to the app.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kjpstate.formats.pm2.keys import KEYS, dropped
from kjpstate.formats.pm2.policy import START, Policy, policy
from kjpstate.model import Advice
from kjpstate.said import Said, say

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
            say("restart-delay-ignored", backoff=rules.backoff, delay=rules.restart_delay),
            say("pm2.drop-key", key="restart_delay"),
            "/restart_delay",
        )
    if app.get("autorestart") is False:
        return
    if rules.can_give_up and rules.until_given_up < _OUTAGE:
        yield _gives_up(app, rules)
    elif "max_restarts" in app and not dropped("max_restarts", app["max_restarts"]):
        yield Advice(
            "max-restarts-inert",
            say(
                "max-restarts-inert",
                window=rules.window / 1000,
                starts=rules.max_restarts,
                waits=rules.until_given_up / 1000,
            ),
            say("pm2.drop-key", key="max_restarts"),
            "/max_restarts",
        )


def _gives_up(app: Mapping[str, Any], rules: Policy) -> Advice:
    others = ("max_restarts", "min_uptime", *(() if rules.backoff else ("restart_delay",)))
    drop = [key for key in others if key in app]
    pointers = [
        key for key in ("max_restarts", "min_uptime", "exp_backoff_restart_delay") if key in app
    ]
    life = f"{rules.longest_life / 1000:.1f}".removesuffix(".0")
    return Advice(
        "pm2-gives-up",
        say(
            "pm2-gives-up",
            crashes=rules.max_restarts,
            life=life,
            after=(rules.until_given_up + START * rules.max_restarts) / 1000,
        ),
        say("pm2-gives-up.cure-drop", keys=drop) if drop else say("pm2-gives-up.cure"),
        f"/{pointers[0]}" if pointers else "",
        "breaks",
    )


def _dropped(app: Mapping[str, Any]) -> Iterator[Advice]:
    for key, value in app.items():
        if key in KEYS and value is not None and dropped(key, value):
            yield Advice(
                "zero-dropped",
                _thrown_away(key, value),
                say("pm2.drop-key", key=key),
                f"/{key}",
            )


def _thrown_away(key: str, value: Any) -> Said:
    if value == "":
        return say("zero-dropped.empty", key=key)
    return say("zero-dropped", key=key, value="false" if value is False else str(value))


def _instances(app: Mapping[str, Any]) -> Iterator[Advice]:
    if "instances" not in app or str(app.get("exec_mode", "")).startswith("fork"):
        return
    many = app["instances"] not in (1, "1")
    yield Advice(
        "instances-cluster",
        say("instances-cluster.many") if many else say("instances-cluster"),
        say("instances-cluster.cure"),
        "/instances",
        "breaks" if many else "useless",
    )


def _environment(app: Mapping[str, Any]) -> Iterator[Advice]:
    for name in app.get("env") or {}:
        if name in KEYS or name in ("name", "env"):
            yield Advice(
                "env-overrides-setting",
                say("env-overrides-setting", name=name),
                say("env-overrides-setting.cure", name=name),
                f"/env/{name}",
                "breaks",
            )
    for key in app:
        if key.startswith("env_"):
            yield Advice(
                "env-block-unused",
                say("env-block-unused", key=key, name=key.removeprefix("env_")),
                say("env-block-unused.cure"),
                f"/{key}",
            )


def _logs(app: Mapping[str, Any]) -> Iterator[Advice]:
    stamp = app.get("log_date_format")
    if stamp or app.get("time") is True:
        zoned = isinstance(stamp, str) and "Z" in stamp
        yield Advice(
            "log-date-format",
            say("log-date-format") if zoned else say("log-date-format.no-zone"),
            say("log-date-format.cure"),
            "/log_date_format" if stamp else "/time",
            "note",
        )
    if app.get("watch") is True and "ignore_watch" not in app and _logs_inside(app):
        yield Advice(
            "watches-own-logs",
            say("watches-own-logs"),
            say("watches-own-logs.cure"),
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
