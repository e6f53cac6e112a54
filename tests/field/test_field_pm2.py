"""What PM2 is told, and which bot is taken for which: on PM2 5, 6, 7; PM2's list and the kernel
judge."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pm2_box import VERSIONS, install
from tests.support.trial import Done, Trial

pytestmark = [pytest.mark.root, pytest.mark.real]

LIVES = (
    "setInterval(() => {}, 1000); "
    "require('fs').writeFileSync(`${__filename}.${process.pid}`, 'up')\n"
)
"""It tells by a file beside it that it runs: PM2 retitles what it forks, and cuts the title."""
WA, PANEL, WEB = f"wa-{os.getpid()}", f"panel-{os.getpid()}", f"web-{os.getpid()}.js"
"""Names of their own: another PM2 of this machine that has such an app is refused."""
HEAD = "kjpstate: 1\nname: t\nhosts: {box: {local: %s}}\n"


class Pm2:
    """The PM2 of a trial, as a person uses it beside kjpstate: its own home, its own daemon."""

    def __init__(self, trial: Trial, tools: Path) -> None:
        self.trial, self.home = trial, trial.folder.parent / "pm2"
        self.home.mkdir()
        (self.home / "touch").write_text("1")
        self.command = (tools / "node_modules/pm2/bin/pm2").resolve()
        trial.env |= {
            "PM2_HOME": str(self.home),
            "PATH": f"{tools}/node_modules/.bin:{os.environ['PATH']}",
            "PM2_DISABLE_VERSION_CHECK": "1",
        }

    def types(self, line: str) -> None:
        done = self.trial.sh(f"cd {self.trial.folder}; {line}")
        assert done.code == 0, done.said

    def runs(self) -> dict[str, int]:
        """{name: pid} of PM2's list."""
        done = self.trial.run((*self.trial.inside, str(self.command), "jlist", "-s"))
        assert done.code == 0, done.said
        return {app["name"]: app["pid"] for app in json.loads(done.out)}

    def saved(self) -> set[str]:
        return {app["name"] for app in json.loads((self.home / "dump.pm2").read_text())}

    def stop(self) -> None:
        self.trial.run((*self.trial.inside, str(self.command), "kill"))


@pytest.fixture(params=VERSIONS)
def pm2(
    trial: Trial, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pm2]:
    pm2 = Pm2(trial, install(tmp_path_factory.getbasetemp() / "pm2-tools", request.param))
    for name in ("bot.js", WEB):
        trial.write(name, LIVES)
    yield pm2
    pm2.stop()


one_pm2 = pytest.mark.parametrize("pm2", VERSIONS[-1:], indirect=True)


def document(trial: Trial, *apps: str, folder: str = ".") -> None:
    """The document with these apps, each with the folder as its cwd."""
    cwd = json.dumps(str(trial.folder / folder))
    items = ", ".join(f"{{cwd: {cwd}, {app}}}" for app in apps)
    trial.write(
        "kjpstate.yaml",
        HEAD % json.dumps(str(trial.folder))
        + f"pm2: {{host: box, ecosystem: ecosystem.config.js, save: true, apps: [{items}]}}\n",
    )


def applied(trial: Trial) -> Done:
    done = trial.kjpstate("apply", "--yes", timeout=180)
    assert done.code == 0, done.said
    return done


def processes(trial: Trial, script: str) -> list[int]:
    """The processes that run this file of the trial, as they told, and the kernel agrees."""
    told = [
        int(path.suffix[1:])
        for path in (trial.folder / script).parent.glob(f"{Path(script).name}.*")
    ]
    return [pid for pid in told if Path(f"/proc/{pid}").exists()]


# ---- acts on what was looked at


def test_another_app_in_a_namespace_of_that_name_stays(trial: Trial, pm2: Pm2) -> None:
    pm2.types(f"pm2 start {WEB} --name {PANEL} --namespace {WA}; pm2 save")
    panel = pm2.runs()[PANEL]
    document(trial, f"name: {WA}, script: bot.js")
    applied(trial)
    document(trial, f"name: {WA}, script: bot.js, error_file: e.log")
    applied(trial)
    assert pm2.runs().get(PANEL) == panel
    assert pm2.saved() == {PANEL, WA}


def test_two_apps_of_one_namespace_are_changed_one_by_one(trial: Trial, pm2: Pm2) -> None:
    apps = [
        f"name: {WA}, script: bot.js, namespace: {WA}",
        f"name: {PANEL}, script: {WEB}, namespace: {WA}",
    ]
    document(trial, *apps)
    applied(trial)
    before = pm2.runs()
    document(trial, f"{apps[0]}, error_file: e.log", apps[1])
    applied(trial)
    after = pm2.runs()
    assert after.get(PANEL) == before[PANEL] and after[WA] != before[WA]
    assert pm2.saved() == {PANEL, WA}


def test_a_rollback_does_not_reach_a_namespace(trial: Trial, pm2: Pm2) -> None:
    pm2.types(f"pm2 start {WEB} --name {PANEL} --namespace {WA}; pm2 save")
    panel = pm2.runs()[PANEL]
    document(trial, f"name: {WA}, script: bot.js")
    applied(trial)
    done = trial.kjpstate("rollback", "--yes", timeout=180)
    assert done.code == 0, done.said
    assert pm2.runs() == {PANEL: panel}


def test_an_app_called_like_a_script_is_reloaded_alone(trial: Trial, pm2: Pm2) -> None:
    pm2.types(f"pm2 start {WEB} --name {PANEL}; pm2 save")
    panel = pm2.runs()[PANEL]
    document(trial, f"name: {WEB}, script: bot.js")
    applied(trial)
    document(trial, f"name: {WEB}, script: bot.js, kill_timeout: 1700")
    applied(trial)
    assert pm2.runs().get(PANEL) == panel
    assert pm2.saved() == {PANEL, WEB}


@one_pm2
def test_a_line_to_type_names_one_app(trial: Trial, pm2: Pm2) -> None:
    pm2.types(f"pm2 start {WEB} --name {PANEL} --namespace other; pm2 start bot.js --name other")
    document(trial, f"name: {WA}, script: bot.js")
    done = trial.kjpstate("plan")
    assert done.code == 8 and "pm2 delete other" not in done.said, done.said
    assert "pm2 delete 1" in done.said, done.said


# ---- one bot


def test_a_bot_of_npm_is_known_under_its_old_name(trial: Trial, pm2: Pm2) -> None:
    trial.write("package.json", '{"scripts": {"start": "node bot.js"}}')
    document(trial, f"name: {WA}, script: npm, args: start")
    applied(trial)
    document(trial, f"name: {WA}-bot, script: npm, args: start")
    assert f"it was called {WA}" in applied(trial).said
    assert set(pm2.runs()) == {f"{WA}-bot"} and pm2.saved() == {f"{WA}-bot"}
    assert len(processes(trial, "bot.js")) == 1


@one_pm2
def test_another_bot_of_npm_in_this_folder_is_one_too_many(trial: Trial, pm2: Pm2) -> None:
    scripts = {"start": "node bot.js", "web": f"node {WEB}"}
    trial.write("package.json", json.dumps({"scripts": scripts}))
    pm2.types(f"pm2 start npm --name {PANEL} -- run web; pm2 start npm --name other -- start")
    document(trial, f"name: {WA}, script: npm, args: start")
    done = trial.kjpstate("plan")
    assert done.code == 8 and "other (number 1 in PM2's list)" in done.said, done.said
    assert PANEL not in done.said, done.said


@one_pm2
def test_a_bot_of_npm_that_a_person_started_is_one_too_many(trial: Trial, pm2: Pm2) -> None:
    trial.write("package.json", '{"scripts": {"start": "node bot.js"}}')
    document(trial, f"name: {WA}, script: npm, args: start")
    with subprocess.Popen(
        ["npm", "start"], cwd=trial.folder, stdout=subprocess.DEVNULL, start_new_session=True
    ) as bot:
        try:
            deadline = time.monotonic() + 30
            while not processes(trial, "bot.js") and time.monotonic() < deadline:
                time.sleep(0.2)
            done = trial.kjpstate("plan")
            assert done.code == 8 and f"kill {bot.pid}" in done.said, done.said
        finally:
            os.killpg(bot.pid, signal.SIGKILL)


@one_pm2
def test_a_bot_in_a_folder_behind_a_link_is_not_doubled(trial: Trial, pm2: Pm2) -> None:
    trial.write("releases/1/bot.js", LIVES)
    (trial.folder / "current").symlink_to("releases/1")
    with subprocess.Popen(
        ["node", "bot.js"], cwd=trial.folder / "current", stdout=subprocess.DEVNULL
    ) as bot:
        try:
            time.sleep(1)
            for folder in ("releases/1", "current"):
                document(trial, f"name: {WA}, script: bot.js", folder=folder)
                done = trial.kjpstate("apply", "--yes", timeout=180)
                assert done.code == 8, done.said
                assert "already runs" in done.said and f"kill {bot.pid}" in done.said, done.said
            assert processes(trial, "releases/1/bot.js") == [bot.pid]
        finally:
            bot.send_signal(signal.SIGKILL)


@one_pm2
def test_two_sessions_of_one_script_are_none_too_many(trial: Trial, pm2: Pm2) -> None:
    pm2.types("pm2 start bot.js --name b -- one; pm2 start bot.js --name w -- two; pm2 save")
    document(trial, "name: b, script: bot.js, args: one", "name: w, script: bot.js, args: two")
    done = trial.kjpstate("plan")
    assert "also runs" not in done.said and "pm2 delete" not in done.said, done.said


@one_pm2
def test_sessions_of_one_script_are_renamed_at_once(trial: Trial, pm2: Pm2) -> None:
    document(trial, *(f"name: {WA}-{at}, script: bot.js, args: '{at}'" for at in (1, 2)))
    applied(trial)
    document(trial, *(f"name: {PANEL}-{at}, script: bot.js, args: '{at}'" for at in (1, 2)))
    applied(trial)
    assert set(pm2.runs()) == pm2.saved() == {f"{PANEL}-1", f"{PANEL}-2"}
    assert len(processes(trial, "bot.js")) == 2


def test_a_name_with_a_blank_is_an_error_of_the_document(trial: Trial) -> None:
    document(trial, "name: My Bot, script: bot.js")
    done = trial.kjpstate("validate")
    assert done.code == 65 and "kjpstate.yaml:4" in done.said and "blank" in done.said, done.said
