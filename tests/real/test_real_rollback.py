"""A rollback on a real PM2: the app comes back with its old settings, variables and code, or goes
again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kjpstate import document, reconcile, rollback
from kjpstate.hosts.local import LocalHost
from kjpstate.model import Report, RunInfo
from tests.support.pm2_box import Pm2Box, install

pytestmark = pytest.mark.real

KEY = b"k" * 32
LIVES = "setInterval(() => {}, 1000)"
DOCUMENT = """
kjpstate: 1
name: real
hosts: {stb: {local: bot}}
pm2:
  host: stb
  ecosystem: ecosystem.config.js
  save: true
  apps:
    - {name: bot, script: dist/index.js, cwd: ., SETTINGS}
"""


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("pm2-tools"))


@pytest.fixture
def box(tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pm2Box]:
    made = Pm2Box(tmp_path, tools)
    made.script(LIVES)
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PM2_HOME", raising=False)
    yield made
    made.stop()


class Machine:
    """The document over this machine, with PM2 in a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.runs = folder, 0

    def _opened(self, settings: str) -> tuple[Any, dict[str, LocalHost]]:
        file = self.folder / "kjpstate.yaml"
        file.write_text(DOCUMENT.replace("SETTINGS", settings))
        loaded = document.load(str(file), environ={})
        places = {"state_dir": self.folder / "state", "lock_dir": self.folder / "locks"}
        allowed = reconcile.may_change(loaded)
        folder = f"{(self.folder / 'bot').as_posix()}/"
        return loaded, {"stb": LocalHost("stb", folder=folder, may_change=allowed["stb"], **places)}

    def _info(self) -> RunInfo:
        self.runs += 1
        return RunInfo(f"{self.runs:06x}", f"20260301T0000{self.runs:02d}Z", "real", "tests")

    def apply(self, settings: str) -> Report:
        loaded, hosts = self._opened(settings)

        async def go() -> Report:
            plan = await reconcile.plan(loaded, hosts, key=KEY)
            quiet = {"key": KEY, "progress": lambda event: None}
            return await reconcile.apply(loaded, hosts, plan, run=self._info(), **quiet)

        return asyncio.run(go())

    def roll_back(self, settings: str) -> Report:
        loaded, hosts = self._opened(settings)
        quiet = {"key": KEY, "progress": lambda event: None}
        return asyncio.run(rollback.run(loaded, hosts, "", info=self._info(), **quiet))


def seen(box: Pm2Box) -> list[tuple[str, str, int | None, str | None]]:
    """Name, status, a setting and a variable of what runs."""
    return [
        (
            app["name"],
            app["pm2_env"]["status"],
            app["pm2_env"].get("kill_timeout"),
            app["pm2_env"]["env"].get("COLOUR")
            if "env" in app["pm2_env"]
            else app["pm2_env"].get("COLOUR"),
        )
        for app in box.jlist()
    ]


def test_a_started_app_goes_again_and_comes_back_with_the_next(box: Pm2Box, tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert machine.apply("kill_timeout: 2000").exit_code == 0
    assert [(name, status) for name, status, *_ in seen(box)] == [("bot", "online")]
    report = machine.roll_back("kill_timeout: 2000")
    assert report.exit_code == 0, report.steps
    assert seen(box) == []
    assert not (box.bot / "ecosystem.config.js").exists()
    report = machine.roll_back("kill_timeout: 2000")
    assert report.exit_code == 0, report.steps
    assert [(name, status, kill) for name, status, kill, _ in seen(box)] == [
        ("bot", "online", 2000)
    ]
    assert (box.bot / "ecosystem.config.js").exists()


def test_old_settings_and_variables_come_back_and_other_apps_are_left_alone(
    box: Pm2Box, tmp_path: Path
) -> None:
    machine = Machine(tmp_path)
    old, new = (
        "kill_timeout: 2000, env: {COLOUR: red}",
        "kill_timeout: 3000, env: {COLOUR: blue}, cron_restart: '0 3 * * *'",
    )
    assert machine.apply(old).exit_code == 0
    box.script(LIVES, "dist/other.js")
    box.cli("start", "dist/other.js", "--name", "other")
    before = {app["name"]: app["pid"] for app in box.jlist()}
    was = seen(box)
    assert machine.apply(new).exit_code == 0
    assert seen(box) != was
    report = machine.roll_back(new)
    assert report.exit_code == 0, report.steps
    assert sorted(seen(box)) == sorted(was)
    after = {app["name"]: app["pid"] for app in box.jlist()}
    assert after["other"] == before["other"], "another app was touched"
    saved = json.loads((box.pm2_home / "dump.pm2").read_text())
    assert [app["kill_timeout"] for app in saved if app["name"] == "bot"] == [2000]
    loaded, hosts = machine._opened(old)
    plan = asyncio.run(reconcile.plan(loaded, hosts, key=KEY))
    assert {change.resource.address for change in plan.changes} <= set(), plan.changes
