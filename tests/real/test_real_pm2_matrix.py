"""Every key of the ecosystem schema, one by one, and every state to start from, on PM2 5, 6 and 7.

Each change is planned with the mechanism that applies it, applied, and the second plan is empty. The whole
under the mark `full`; without it a seeded slice on the newest PM2.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kjpstate.document.schema import bundled_schema
from tests.support.pm2_box import VERSIONS, Pm2Box, apply, install, plan, scene, wait_for

pytestmark = pytest.mark.real

LIVES = (
    "setInterval(() => {}, 1000); if (process.send) process.send('ready');"
    "process.on('message', (text) => { if (text === 'shutdown') process.exit(0) })"
)
RELOAD, REPLACE, FILE = ["keep", "reload"], ["keep", "delete", "start"], []
"""What PM2 is told; FILE: the file changes, and nothing that runs."""

MATRIX = {
    "max_restarts": (5, RELOAD),
    "min_uptime": ("2s", RELOAD),
    "restart_delay": (200, RELOAD),
    "exp_backoff_restart_delay": (1000, RELOAD),
    "kill_timeout": (1700, RELOAD),
    "listen_timeout": (3100, RELOAD),
    "max_memory_restart": ("310M", RELOAD),
    "stop_exit_codes": ([0, 2], RELOAD),
    "log_date_format": ("YYYY-MM", RELOAD),
    "namespace": ("two", RELOAD),
    "args": ("b 'c d'", RELOAD),
    "node_args": (["--no-warnings"], RELOAD),
    "interpreter": ("NODE", RELOAD),
    "env": ({"A": "1", "B": 2}, RELOAD),
    "time": (True, RELOAD),
    "autorestart": (False, RELOAD),
    "script": ("dist/other.js", REPLACE),
    "cwd": ("BOT/src", REPLACE),
    "error_file": ("logs/b-e.log", REPLACE),
    "out_file": ("logs/b-o.log", REPLACE),
    "log_file": ("logs/b.log", REPLACE),
    "pid_file": ("logs/b.pid", REPLACE),
    "log_type": ("json", REPLACE),
    "disable_logs": (True, REPLACE),
    "watch": (["src"], REPLACE),
    "ignore_watch": (["logs"], REPLACE),
    "watch_delay": (500, REPLACE),
    "watch_options": ({"followSymlinks": False}, REPLACE),
    "treekill": (False, REPLACE),
    "vizion": (False, REPLACE),
    "pmx": (False, REPLACE),
    "automation": (False, REPLACE),
    "windowsHide": (False, REPLACE),
    "kill_retry_time": (150, REPLACE),
    "cron_restart": ("0 3 1 1 *", REPLACE),
    "wait_ready": (True, REPLACE),
    "shutdown_with_message": (True, REPLACE),
    "source_map_support": (True, REPLACE),
    "disable_source_map_support": (True, REPLACE),
    "increment_var": ("COUNT", REPLACE),
    "instance_var": ("NUMBER", REPLACE),
    "port": (3456, REPLACE),
    "uid": ("UID", REPLACE),
    "gid": ("GID", REPLACE),
    "exec_mode": ("cluster", REPLACE),
    "instances": (2, REPLACE),
    "filter_env": (["TOKEN"], FILE),
    "append_env_to_name": (True, FILE),
    "autostart": (True, FILE),  # what PM2 has by itself
    "merge_logs": (True, FILE),  # likewise
}
CAN_NOT = {"name"}
"""The name is the app: another one is another app."""
BESIDE = {"time": {"log_date_format": None}, "cwd": {"script": "BOT/dist/other.js"}}
"""What must change along: `time` is a log_date_format; a relative script moves with its cwd."""
NAME = f"matrix-{os.getpid()}"
"""Its own, so that other PM2s of this machine are no second bot."""
SEED = 20260301
SLICE = sorted(random.Random(SEED).sample(sorted(MATRIX), 6), key=list(MATRIX).index)


@pytest.fixture
def boxes(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    made: list[Pm2Box] = []

    def box(version: str) -> Pm2Box:
        made.append(Pm2Box(tmp_path, install(tmp_path_factory.getbasetemp() / "pm2", version)))
        for name in ("index", "other"):
            made[-1].script(LIVES, f"dist/{name}.js")
        (made[-1].bot / "src").mkdir()
        return made[-1]

    yield box
    for item in made:
        item.stop()


def value_on(box: Pm2Box, value: object) -> object:
    words = {"NODE": shutil.which("node"), "UID": os.getuid(), "GID": os.getgid()}
    if isinstance(value, str):
        return words.get(value, value.replace("BOT", str(box.bot)))
    return value


def told(box: Pm2Box) -> list[str]:
    """The verbs that PM2 was given; the copy of its list, made to go back, is `keep`."""
    return ["keep" if line.startswith("-c") else line.split(maxsplit=1)[0] for line in box.ran]


def in_sync(box: Pm2Box, bare) -> bool:
    _, planned = plan(box, bare)
    return not planned.changes


def test_the_matrix_has_every_key_of_the_schema():
    properties = _app_schema(bundled_schema())["properties"]
    assert set(MATRIX) == set(properties) - CAN_NOT


def _app_schema(schema):
    text = json.loads((Path(__file__).parents[2] / "schemas/pm2.schema.json").read_text())
    found = [node for node in _nodes(text) if "script" in node.get("properties", {})]
    assert schema and len(found) == 1
    return found[0]


def _nodes(node):
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _nodes(value)


def keys_one_by_one(box: Pm2Box, keys: list[str]) -> None:
    """Each key on top of those before it; at last all are taken away again."""
    app: dict = {"name": NAME}
    assert apply(box, scene(box, app, save=False)).exit_code == 0
    for key in keys:
        value, mechanism = MATRIX[key]
        change = {key: value, **BESIDE.get(key, {})}
        app = {**app, **{name: value_on(box, item) for name, item in change.items()}}
        bare = scene(box, app, save=False)
        report = apply(box, bare)
        assert report.exit_code == 0, (key, [step.reason for step in report.steps])
        assert told(box) == mechanism, key
        assert in_sync(box, bare), key
    bare = scene(box, {"name": NAME}, save=False)
    assert apply(box, bare).exit_code == 0
    assert in_sync(box, bare)


def test_a_slice_of_the_keys(boxes):
    keys_one_by_one(boxes(VERSIONS[-1]), SLICE)


@pytest.mark.full
@pytest.mark.parametrize("first", range(0, len(MATRIX), 10))
@pytest.mark.parametrize("version", VERSIONS)
def test_every_key(boxes, version, first):
    keys_one_by_one(boxes(version), list(MATRIX)[first : first + 10])


# ---- from every start


def running(box: Pm2Box) -> None:
    box.cli("start", "dist/index.js", "--name", NAME)


def crash_looping(box: Pm2Box) -> None:
    box.script("setTimeout(() => process.exit(1), 200)")
    box.cli("start", "dist/index.js", "--name", NAME, "--max-restarts", "1000")
    wait_for(lambda: box.jlist()[0]["pm2_env"]["restart_time"] > 1)


def waiting_restart(box: Pm2Box) -> None:
    box.script("process.exit(1)")
    box.cli("start", "dist/index.js", "--name", NAME, "--exp-backoff-restart-delay", "14000")
    wait_for(lambda: box.jlist()[0]["pm2_env"]["status"] == "waiting restart")


def given_up(box: Pm2Box) -> None:
    box.script("process.exit(1)")
    box.cli("start", "dist/index.js", "--name", NAME, "--restart-delay", "10", "--max-restarts", "2")
    wait_for(lambda: box.jlist()[0]["pid"] == 0 and box.jlist()[0]["pm2_env"]["created_at"] is None)


def stopped(box: Pm2Box) -> None:
    running(box)
    box.cli("stop", NAME)


def not_in_the_list(box: Pm2Box) -> None:
    running(box)
    box.cli("delete", NAME)


def no_daemon(box: Pm2Box) -> None:
    assert box.daemon() is None


STARTS = {
    "running": (running, REPLACE),
    "crash-looping": (crash_looping, REPLACE),
    "waiting-restart": (waiting_restart, REPLACE),
    "given-up": (given_up, REPLACE),
    "stopped": (stopped, REPLACE),
    "not-in-the-list": (not_in_the_list, ["start"]),
    "no-daemon": (no_daemon, ["start"]),
}
ALWAYS = {("7", "crash-looping"), ("7", "waiting-restart")}
ONE_BOT = {"exec_mode": "fork", "instances": 1, "autorestart": True, "time": False}
"""Beside all other keys of the matrix: one bot that stays up."""


@pytest.mark.parametrize(
    ("version", "start"),
    [
        pytest.param(version, start, marks=() if (version, start) in ALWAYS else pytest.mark.full)
        for version in VERSIONS
        for start in STARTS
    ],
)
def test_from_every_start(boxes, version, start):
    box = boxes(version)
    prepare, mechanism = STARTS[start]
    prepare(box)
    every = {key: value_on(box, value) for key, (value, _) in MATRIX.items()}
    bare = scene(box, {**every, "name": NAME, "script": f"{box.bot}/dist/other.js", **ONE_BOT})
    report = apply(box, bare)
    assert report.exit_code == 0, [step.reason for step in report.steps]
    assert told(box) == [*mechanism, "save"]
    assert in_sync(box, bare)
    (listed,) = box.jlist()
    assert listed["pm2_env"]["status"] == "online" and Path(f"/proc/{listed['pid']}").exists()
