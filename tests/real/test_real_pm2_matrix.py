"""Every key of the ecosystem schema, one by one, and every state to start from, on PM2 5, 6 and 7.

Each change is planned with the mechanism that applies it, applied, and the second plan is empty.
The whole under the mark `full`; without it a seeded slice on the newest PM2. Several boxes run
beside each other.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
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
SEED = 20260301
SLICE = sorted(random.Random(SEED).sample(sorted(MATRIX), 4), key=list(MATRIX).index)
AT_ONCE = 4
"""Boxes beside each other: they mostly wait for an app to be up for its `min_uptime`."""
_numbers = itertools.count()


@contextmanager
def box_of(folder: Path, tools: Path) -> Iterator[Pm2Box]:
    """A box of its own, with an app's name of its own: other PM2s of this machine are no second
    bot."""
    number = next(_numbers)
    box = Pm2Box(folder / f"box-{number}", tools)
    box.app = f"matrix-{os.getpid()}-{number}"
    for name in ("index", "other"):
        box.script(LIVES, f"dist/{name}.js")
    (box.bot / "src").mkdir()
    try:
        yield box
    finally:
        daemon = box.daemon()
        box.stop()
        assert not (daemon and box.daemon()), "a PM2 daemon was left"


def value_on(box: Pm2Box, value: object) -> object:
    words = {"NODE": shutil.which("node"), "UID": os.getuid(), "GID": os.getgid()}
    if isinstance(value, str):
        return words.get(value, value.replace("BOT", str(box.bot)))
    return value


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


def one_by_one(box: Pm2Box, keys: Sequence[str]) -> int:
    """Each key on top of those before it; at last all are taken away again. How
    many were changed."""
    app: dict = {"name": box.app}
    assert apply(box, scene(box, app, save=False)).exit_code == 0
    for key in keys:
        value, mechanism = MATRIX[key]
        change = {key: value, **BESIDE.get(key, {})}
        app = {**app, **{name: value_on(box, item) for name, item in change.items()}}
        changes(box, scene(box, app, save=False), mechanism, key)
    bare = scene(box, {"name": box.app}, save=False)
    assert apply(box, bare).exit_code == 0
    assert in_sync(box, bare)
    return len(keys)


def changes(box: Pm2Box, bare, mechanism: list[str], what: str) -> None:
    """Applied with that mechanism; then nothing is left to plan."""
    report = apply(box, bare)
    assert report.exit_code == 0, (what, [step.reason for step in report.steps])
    assert box.ran == mechanism, what
    assert in_sync(box, bare), what


# ---- from every start


@dataclass(frozen=True)
class Start:
    """`settings`: with which the app is started by hand; then it does `dies`, as nobody's shell is
    in a clean environment. `then`: a pm2 command. `there`: whether it is so by now. `mechanism`:
    what PM2 must be told, whatever key changes."""

    there: Callable[[dict | None], bool]
    settings: Mapping[str, int | str] = field(default_factory=dict)
    dies: str = ""
    then: str = ""
    mechanism: tuple[str, ...] = tuple(REPLACE)


def _is(status: str) -> Callable[[dict | None], bool]:
    return lambda seen: seen is not None and seen["pm2_env"]["status"] == status


def _given_up(seen: dict | None) -> bool:
    return seen is not None and seen["pid"] == 0 and seen["pm2_env"]["created_at"] is None


STARTS = {
    "running": Start(_is("online")),
    "crash-looping": Start(
        lambda seen: seen is not None and seen["pm2_env"]["restart_time"] > 1,
        {"max_restarts": 1000},
        "setTimeout(() => process.exit(1), 300)",
    ),
    "waiting-restart": Start(_is("waiting restart"), {"restart_delay": 600_000}, "process.exit(1)"),
    "given-up": Start(
        _given_up, {"restart_delay": 10, "max_restarts": 2, "min_uptime": "60s"}, "process.exit(1)"
    ),
    "stopped": Start(_is("stopped"), then="stop"),
    "not-in-the-list": Start(lambda seen: seen is None, then="delete", mechanism=("start",)),
    "no-daemon": Start(lambda seen: True, mechanism=("start",)),
}
ONE_BOT = {"exec_mode": "fork", "instances": 1, "autorestart": True, "time": False}
"""Beside all other keys of the matrix: one bot that stays up."""


def all_keys_from(box: Pm2Box, start: str) -> int:
    """All keys at once, and saved."""
    put(box, start, box.app, "index")
    every = {key: value_on(box, value) for key, (value, _) in MATRIX.items()}
    bare = scene(box, {**every, "name": box.app, "script": f"{box.bot}/dist/other.js", **ONE_BOT})
    changes(box, bare, [*STARTS[start].mechanism, "save"], start)
    (listed,) = box.jlist()
    assert listed["pm2_env"]["status"] == "online" and Path(f"/proc/{listed['pid']}").exists()
    return 1


def each_key_from(box: Pm2Box, start: str, keys: Sequence[str]) -> int:
    """One key, from one start, an app each."""
    for key in keys:
        name = f"{box.app}-{key}"
        put(box, start, name, key)
        change = {"script": f"dist/{key}.js", key: MATRIX[key][0], **BESIDE.get(key, {})}
        app = {item: value_on(box, value) for item, value in change.items()}
        bare = scene(box, {**app, "name": name}, save=False, file=f"{key}.config.js")
        ends = (start, key) == ("stopped", "autorestart")  # it may end, so it is not dead
        changes(box, bare, RELOAD if ends else list(STARTS[start].mechanism), f"{key} from {start}")
        box.cli("delete", name)
    return len(keys)


def put(box: Pm2Box, start: str, name: str, script: str) -> None:
    """The app, started by hand with no settings but its start's own, and what becomes of it."""
    how = STARTS[start]
    lives = f"if (process.env.BY_HAND) {{ {how.dies} }} else {{ {LIVES} }}" if how.dies else LIVES
    box.script(lives, f"dist/{script}.js")
    if start == "no-daemon":
        box.stop()
        return
    app = {"name": name, "script": f"dist/{script}.js", "env": {"BY_HAND": "1"}, **how.settings}
    (box.bot / "by-hand.config.js").write_text(f"module.exports = {json.dumps({'apps': [app]})};")
    box.cli("start", "by-hand.config.js")
    if how.then:
        box.cli(how.then, name)
    wait_for(lambda: how.there(next((item for item in box.jlist() if item["name"] == name), None)))


# ---- the jobs, several boxes at once


Job = tuple[str, Callable[[Pm2Box], int]]
"""(the PM2, what is done on a box of its own; it returns how many cases it was)."""


def run_all(jobs: Sequence[Job], tmp_path: Path, tools: Path) -> int:
    """All of them; how many cases held. The first that did not is raised, after the others have
    ended."""
    installed = {version: install(tools, version) for version in {version for version, _ in jobs}}

    def one(job: Job) -> int:
        with box_of(tmp_path, installed[job[0]]) as box:
            return job[1](box)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = [pool.submit(one, job) for job in jobs]
    return sum(done.result() for done in running)


def test_a_slice_of_the_keys_and_of_the_starts(tmp_path, tmp_path_factory, counted):
    newest = VERSIONS[-1]
    jobs: list[Job] = [
        (newest, lambda box: one_by_one(box, SLICE)),
        (newest, lambda box: all_keys_from(box, "crash-looping")),
        (newest, lambda box: all_keys_from(box, "waiting-restart")),
    ]
    counted(
        "PM2 keys and starts, a slice",
        run_all(jobs, tmp_path, tmp_path_factory.getbasetemp() / "pm2"),
    )


@pytest.mark.full
def test_every_key_one_by_one(tmp_path, tmp_path_factory, counted):
    parts = [list(MATRIX)[first::5] for first in range(5)]
    jobs: list[Job] = [
        (version, partial(one_by_one, keys=keys))
        for version in reversed(VERSIONS)
        for keys in parts
    ]
    done = run_all(jobs, tmp_path, tmp_path_factory.getbasetemp() / "pm2")
    assert done == len(MATRIX) * len(VERSIONS)
    counted("PM2 keys changed one by one on a running app, PM2 5, 6 and 7", done)


@pytest.mark.full
def test_all_keys_at_once_from_every_start(tmp_path, tmp_path_factory, counted):
    jobs: list[Job] = [
        (version, partial(all_keys_from, start=start))
        for version in reversed(VERSIONS)
        for start in STARTS
    ]
    done = run_all(jobs, tmp_path, tmp_path_factory.getbasetemp() / "pm2")
    counted("starts from which all PM2 keys were set at once, PM2 5, 6 and 7", done)


@pytest.mark.full
def test_every_key_from_every_bad_start(tmp_path, tmp_path_factory, counted):
    """Every pair of key and start on one of the three PM2s, every pair of key and PM2, of start and
    PM2."""
    bad = [start for start in STARTS if start != "running"]
    jobs: list[Job] = []
    for place, version in enumerate(reversed(VERSIONS)):
        for row, start in enumerate(bad):
            jobs.append(
                (
                    version,
                    partial(each_key_from, start=start, keys=list(MATRIX)[(place + row) % 3 :: 3]),
                )
            )
    done = run_all(jobs, tmp_path, tmp_path_factory.getbasetemp() / "pm2")
    assert done == len(MATRIX) * len(bad)
    counted("PM2 keys changed each from every bad start, shared by PM2 5, 6 and 7", done)
