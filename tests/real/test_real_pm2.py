"""The PM2 kinds on a real PM2: looked at, planned, applied, read again. Each test has its own
daemon."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from kjpstate.formats.pm2 import health, probe
from kjpstate.formats.pm2.columns import columns
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.tree import stamp_name
from kjpstate.hosts.programs import script
from kjpstate.kinds.pm2_process import commands, scripts
from kjpstate.model import UNKNOWN, ReadFile
from kjpstate.plan import assess
from kjpstate.secret import Secret
from tests.support.pm2_box import Pm2Box, apply, install, looked, plan, scene, wait_for

pytestmark = pytest.mark.real

LIVES = "setInterval(() => {}, 1000)"
CRASHES = "process.exit(1)"
SHELLS = ("dash", "busybox sh", "bash")


@pytest.fixture(scope="session")
def tools(tmp_path_factory):
    return install(tmp_path_factory.mktemp("pm2-tools"))


@pytest.fixture
def box(tmp_path, tools):
    box = Pm2Box(tmp_path, tools)
    box.script(LIVES)
    yield box
    box.stop()


def looks(box: Pm2Box, bare) -> dict[str, list[str]]:
    """{address: differing paths} of what a plan would change."""
    _, planned = plan(box, bare)
    return {
        change.resource.address: [
            ".".join(map(str, item.path)) for item in change.drift.differences
        ]
        for change in planned.changes
    }


def refusal(box: Pm2Box, bare) -> str:
    _, planned = plan(box, bare)
    change = planned.changes[-1]
    assert change.refusal is not None, change
    return change.refusal.rule


def applied(box: Pm2Box, bare) -> list[str]:
    """Apply, prove that the second plan is empty, return the verbs PM2 was given."""
    report = apply(box, bare)
    assert report.exit_code == 0, [step.reason for step in report.steps]
    assert looks(box, bare) == {}
    return list(box.ran)


@pytest.mark.parametrize("sh", SHELLS)
def test_the_probe_leaves_no_daemon_and_no_folder_behind(tmp_path, tools, sh):
    box = Pm2Box(tmp_path, tools, sh=sh)
    seen = probe.parse(box.probe("bot", f"{box.bot}/dist/index.js", "NODE_ENV"))
    assert not isinstance(seen, str)
    assert (seen.socket, seen.apps, seen.daemon) == ("missing", (), None)
    assert seen.pm2.endswith("pm2/bin/pm2") and seen.pm2_version.split(".")[0].isdigit()
    assert not box.pm2_home.exists() and box.daemon() is None


@pytest.mark.parametrize("sh", SHELLS)
def test_the_probe_sees_what_pm2_says_and_nothing_secret(tmp_path, tools, sh):
    box = Pm2Box(tmp_path, tools, sh=sh)
    try:
        box.script(LIVES)
        box.cli("start", "dist/index.js", "--name", "bot", API_KEY="hunter2", NODE_ENV="production")
        raw = box.probe("bot", f"{box.bot}/dist/index.js", "NODE_ENV")
        seen = probe.parse(raw)
        assert not isinstance(seen, str)
        (app,) = seen.apps
        (listed,) = box.jlist()
        assert (app.pid, app.pm_id, app.status) == (listed["pid"], 0, "online")
        assert app.fields["pm_out_log_path"] == listed["pm2_env"]["pm_out_log_path"]
        assert app.env == {"NODE_ENV": "production"} and "API_KEY" in app.env_names
        assert b"hunter2" not in raw
        assert seen.daemon is not None and seen.daemon.pid == box.daemon()
        assert probe.parse(probe.render(seen)) == seen
        ticks = Decimal(app.start or 0) / seen.clock.ticks
        assert 0 < ticks <= Decimal(seen.clock.uptime)
    finally:
        box.stop()


def test_the_probe_finds_node_and_pm2_without_a_path(box):
    box.cli("start", "dist/index.js", "--name", "bot")
    box.env["PATH"] = "/usr/bin:/bin" if not Path("/usr/bin/pm2").exists() else "/bin"
    seen = probe.parse(box.probe("bot", f"{box.bot}/dist/index.js"))
    assert not isinstance(seen, str)
    assert seen.pm2 == str(box.pm2.resolve()) and seen.node


@pytest.mark.parametrize("sh", SHELLS)
def test_the_probe_finds_node_and_pm2_of_nvm_and_those_the_document_names(tmp_path, tools, sh):
    box = Pm2Box(tmp_path, tools, sh=sh)
    node, beside = Path(shutil.which("node") or ""), box.home / ".nvm/versions/node/v20.1.0/bin"
    beside.mkdir(parents=True)
    (beside / "node").symlink_to(node)
    (beside / "pm2").symlink_to(box.pm2)
    bare = tmp_path / "bare"
    bare.mkdir()
    for tool in ("sed", "readlink", "getconf"):
        (bare / tool).symlink_to(shutil.which(tool) or "")
    box.env["PATH"] = str(bare)
    box.sh[0] = shutil.which(box.sh[0]) or ""
    said = box.probe("bot", "/x.js", f"node={beside}/node", f"pm2={beside}/pm2")
    for answer in (box.probe("bot", "/x.js"), said):
        seen = probe.parse(answer)
        assert not isinstance(seen, str)
        assert seen.node and seen.pm2 == str(box.pm2)
    lost = probe.parse(box.probe("bot", "/x.js", "node=/not/there", "NODE_ENV"))
    assert not isinstance(lost, str) and lost.node == ""
    lost = probe.parse(box.probe("bot", "/x.js", f"node={node}", "pm2=/not/there"))
    assert not isinstance(lost, str) and (lost.node, lost.pm2) == (str(node.resolve()), "")
    assert not box.pm2_home.exists()


@pytest.mark.parametrize("sh", SHELLS)
def test_the_probe_sees_through_links_and_finds_programs(tmp_path, tools, sh):
    box = Pm2Box(tmp_path, tools, sh=sh)
    box.script(LIVES)
    link = tmp_path / "current"
    link.symlink_to(box.bot)
    with subprocess.Popen(["node", "dist/index.js"], cwd=link) as by_hand:
        try:
            time.sleep(0.5)
            seen = probe.parse(box.probe("bot", f"{link}/dist/index.js", f"cwd={link}"))
        finally:
            by_hand.kill()
    assert not isinstance(seen, str) and [runner.pid for runner in seen.runners] == [by_hand.pid]
    assert seen.runners[0].cwd == str(box.bot) and seen.places.links[str(link)] == str(box.bot)
    (box.bot / "package.json").write_text('{"scripts": {"start": "node dist/index.js"}}')
    keys = {"name": "bot", "script": "npm", "cwd": str(link), "args": "start"}
    app = Declared("stb", "bot", f"{link}/ecosystem.config.js", keys)
    with subprocess.Popen(
        ["npm", "start"], cwd=link, stdout=subprocess.DEVNULL, start_new_session=True
    ) as npm:
        try:
            wait_for(lambda: b"npm start" in Path(f"/proc/{npm.pid}/cmdline").read_bytes())
            seen = probe.parse(box.probe(*probe.reading(app).args))
            other = probe.reading(replace(app, keys={**keys, "args": "run web"}))
            none = probe.parse(box.probe(*other.args))
        finally:
            os.killpg(npm.pid, signal.SIGKILL)
    assert not isinstance(seen, str) and [runner.pid for runner in seen.runners] == [npm.pid]
    assert Path(seen.places.program).name == "npm"
    assert not isinstance(none, str) and none.runners == ()


class Daemon(threading.Thread):
    """A daemon's socket that lists `wa` (number 7) and `panel`, and forgets a deleted one `after`
    deletes."""

    def __init__(self, home: Path, after: int) -> None:
        super().__init__(daemon=True)
        self.after, self.deleted = after, []
        self.listens = socket.socket(socket.AF_UNIX)
        self.listens.bind(str(home / "rpc.sock"))
        self.listens.listen()

    def run(self) -> None:
        with self.listens, self.listens.accept()[0] as link, link.makefile("rb") as said:
            while said.read(1):
                call, number = (said.read(struct.unpack(">I", said.read(4))[0]) for _ in range(2))
                asked = json.loads(call[2:])
                if asked["method"] == "deleteProcessId":
                    self.deleted += asked["args"]
                there = ["wa"] * (len(self.deleted) < self.after) + ["panel"]
                items = [{"name": name, "pm_id": {"wa": 7}.get(name, 1)} for name in there]
                answer = [b"j:" + json.dumps({"args": [items]}).encode(), number]
                frame = bytes([0x12]) + b"".join(
                    struct.pack(">I", len(part)) + part for part in answer
                )
                for at in range(0, len(frame), 9):  # as a slow link brings it
                    link.sendall(frame[at : at + 9])


@pytest.mark.parametrize(
    ("after", "code", "words"),
    [
        (0, 0, ""),
        (1, 0, ""),
        (12, 0, ""),
        (
            10_000,
            1,
            "wa was deleted 20 times and is in the list of PM2 again: something starts it anew",
        ),
    ],
)
@pytest.mark.parametrize("sh", SHELLS)
def test_a_delete_goes_on_until_there_is_none_and_says_where_that_is_in_vain(
    tmp_path, sh, after, code, words
):
    daemon = Daemon(tmp_path, after)
    daemon.start()
    done = deleted(sh, scripts.DELETE, tmp_path)
    assert (done.returncode, done.stderr.strip()) == (code, words)
    assert daemon.deleted == [7] * min(after, 20)


def deleted(sh: str, script: str, home: Path) -> subprocess.CompletedProcess[str]:
    node = shutil.which("node") or ""
    words = [*sh.split(), "-c", script, "sh", node, "/no/pm2", "wa"]
    env = {"PM2_HOME": str(home), "PATH": "/usr/bin:/bin"}
    return subprocess.run(words, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("sh", SHELLS)
def test_a_delete_without_a_daemon_starts_none(tmp_path, sh):
    done = deleted(sh, scripts.DELETE, tmp_path)
    assert done.returncode == 3 and "does not answer (ENOENT)" in done.stderr
    assert deleted(sh, scripts.AWAY, tmp_path).returncode == 0
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "rpc.sock"))
    assert deleted(sh, scripts.DELETE, tmp_path).returncode == 3
    assert deleted(sh, scripts.AWAY, tmp_path).returncode == 0
    assert sorted(item.name for item in tmp_path.iterdir()) == ["rpc.sock"]


def test_three_columns_on_a_real_pm2(box):
    bare = scene(box, {"max_restarts": 5, "env": {"A": "1"}})
    applied(box, bare)
    app, key = bare.resources[1].spec.app, ReadFile("stb", f"{box.bot}/ecosystem.config.js")

    def differing() -> dict[str, tuple]:
        found = looked(box, bare).answers
        seen = probe.parse(found[probe.reading(app)])
        assert not isinstance(seen, str)
        three = columns(app, seen, found[key])
        return {row.name: (row.running, row.file, row.saved) for row in three.rows if row.differs}

    assert differing() == {}
    file = Path(key.path)
    file.write_text(file.read_text().replace('"max_restarts": 5', '"max_restarts": 6'))
    box.cli("restart", "bot", "--update-env", A="2")
    assert differing() == {
        "max_restarts": (5, 6, 5),
        "env.A": (Secret("2"), Secret("1"), Secret("1")),
    }
    box.cli("stop", "bot")
    box.cli("save")
    box.cli("restart", "bot")
    assert differing()["status"] == ("online", None, "stopped")


@pytest.mark.parametrize(("address", "state"), [("127.0.0.1", "idle"), ("own", "alive")])
def test_a_bot_without_a_connection_is_told_from_one_with(box, address, state, monkeypatch):
    """One to this very machine does not count; one to its outer address stands
    for another machine."""
    monkeypatch.setattr(health, "CONNECTS_WITHIN", -1)
    outer = subprocess.run(
        ["hostname", "-I"], capture_output=True, text=True, check=True
    ).stdout.split()
    address = next(item for item in outer if ":" not in item) if address == "own" else address
    with socket.create_server((address, 0)) as server:
        port = server.getsockname()[1]
        box.script(f"require('net').connect({port}, '{address}')")
        bare = scene(box, {})
        applied(box, bare)
        wait_for(lambda: box.jlist()[0]["pm2_env"]["status"] == "online")
        time.sleep(0.5)
        seen = probe.parse(box.probe("bot", f"{box.bot}/dist/index.js"))
        assert health.health(seen, "bot", connected=True).state == state
        assert health.health(seen, "bot").state == "alive"


def test_nothing_runs_yet(box):
    bare = scene(box, {"env": {"NODE_ENV": "production"}, "out_file": f"{box.bot}/logs/out.log"})
    assert applied(box, bare) == ["start", "save"]
    (listed,) = box.jlist()
    assert listed["pm2_env"]["pm_out_log_path"] == f"{box.bot}/logs/out.log"
    environ = Path(f"/proc/{listed['pid']}/environ").read_bytes()
    assert b"SSH_" not in environ and b"NODE_ENV=production" in environ


def test_a_bot_started_by_hand_is_adopted(box):
    box.cli("start", "dist/index.js", "--name", "bot", GEMINI_KEY="hunter2")
    old = box.jlist()[0]["pid"]
    bare = scene(box, {"error_file": f"{box.bot}/logs/e.log", "exp_backoff_restart_delay": 1000})
    found, planned = plan(box, bare)
    assert [change.symbol for change in planned.changes] == ["+", "-/+"]
    assert "log paths" in str(planned.changes[1].drift.told.headline)
    assert any(
        item.advice.rule == "env-not-kept" and "GEMINI_KEY" in str(item.advice.reason)
        for item in planned.advice
    )
    assert "hunter2" not in repr(found.answers) + repr(planned)
    assert applied(box, bare) == ["keep", "delete", "start", "save"]
    (listed,) = box.jlist()
    assert listed["pid"] != old and listed["pm2_env"]["pm_err_log_path"] == f"{box.bot}/logs/e.log"


RELOADED = {
    "max_restarts": (5, 6),
    "min_uptime": ("2s", 1500),
    "restart_delay": (100, 200),
    "exp_backoff_restart_delay": (100, 1000),
    "kill_timeout": (1600, 1700),
    "listen_timeout": (3000, 3100),
    "max_memory_restart": ("300M", "310M"),
    "autorestart": (True, False),
    "stop_exit_codes": ([0], [0, 2]),
    "log_date_format": ("YYYY", "YYYY-MM"),
    "namespace": ("one", "two"),
    "args": (["a"], "b 'c d'"),
    "node_args": ("--trace-warnings", ["--no-warnings"]),
}
REPLACED = {
    "exec_mode": ("fork", "cluster"),
    "script": ("dist/index.js", "dist/other.js"),
    "error_file": ("logs/a.log", "logs/b.log"),
    "out_file": ("logs/a.log", "logs/b.log"),
    "log_file": ("logs/a.log", "logs/b.log"),
    "pid_file": ("logs/a.pid", "logs/b.pid"),
    "watch": (False, ["src"]),
    "instances": (1, 2),
}


@pytest.mark.full
def test_what_a_reload_applies(box):
    """Key after key, each by a reload alone; taken away together they need more than that."""
    app = {key: before for key, (before, _) in RELOADED.items()}
    assert applied(box, scene(box, app, save=False)) == ["start"]
    for key, (_, after) in RELOADED.items():
        app[key] = after
        assert looks(box, scene(box, app, save=False))["pm2_process.bot"] == [f"settings.{key}"]
        assert applied(box, scene(box, app, save=False)) == ["keep", "reload"], key
    assert applied(box, scene(box, {})) == ["keep", "delete", "start", "save"]


@pytest.mark.full
def test_what_a_reload_does_not_apply(box):
    box.script(LIVES, "dist/other.js")
    (box.bot / "src").mkdir()
    app = {key: before for key, (before, _) in REPLACED.items()}
    assert applied(box, scene(box, app, save=False)) == ["start"]
    for key, (_, after) in REPLACED.items():
        app[key] = after
        assert looks(box, scene(box, app, save=False))["pm2_process.bot"] == [f"settings.{key}"]
        assert applied(box, scene(box, app, save=False)) == ["keep", "delete", "start"], key
    assert len(box.jlist()) == 2
    left = {key: value for key, value in app.items() if key in ("script", "instances", "exec_mode")}
    assert applied(box, scene(box, left)) == ["keep", "delete", "start", "save"]


def test_variables_added_changed_and_taken_away(box):
    assert applied(box, scene(box, {"env": {"A": "1"}})) == ["start", "save"]
    assert applied(box, scene(box, {"env": {"A": "2", "B": 3}})) == ["keep", "reload", "save"]
    assert applied(box, scene(box, {"env": {"B": 3}})) == ["keep", "delete", "start", "save"]
    assert b"\0A=" not in Path(f"/proc/{box.jlist()[0]['pid']}/environ").read_bytes()


def test_a_key_taken_away_is_owed_after_an_interruption(box):
    """The file was written, the process not yet: only the stamp remembers what was set."""
    applied(box, scene(box, {"max_memory_restart": "300M"}))
    less = scene(box, {})
    first = replace(less, resources=less.resources[:1])
    assert apply(box, first).exit_code == 0
    assert looks(box, less) == {"pm2_process.bot": ["left", "saved"]}
    assert applied(box, less) == ["keep", "delete", "start", "save"]


def test_a_new_version_that_crashes_brings_the_old_bot_back(box, monkeypatch):
    box.cli("start", "dist/index.js", "--name", "bot", "--", "--flag", GEMINI_KEY="hunter2")
    box.cli("save")
    saved = (box.pm2_home / "dump.pm2").read_bytes()
    box.script(CRASHES, "dist/bad.js")
    bare = scene(box, {"script": "dist/bad.js"})
    monkeypatch.setattr(commands, "_MARGIN", 2.0)
    report = apply(box, bare)
    assert report.exit_code == 7, report
    assert [step.result for step in report.steps] == ["restored", "restored"]
    assert not (box.bot / "ecosystem.config.js").exists()
    (listed,) = box.jlist()
    assert listed["pm2_env"]["pm_exec_path"] == f"{box.bot}/dist/index.js"
    assert listed["pm2_env"]["args"] == ["--flag"] and listed["pm2_env"]["status"] == "online"
    assert b"GEMINI_KEY=hunter2" in Path(f"/proc/{listed['pid']}/environ").read_bytes()
    assert (box.pm2_home / "dump.pm2").read_bytes() == saved


@pytest.mark.parametrize("failing", ["reload", "start", "save"])
def test_a_command_that_fails_leaves_the_old_state(box, failing):
    old = scene(box, {"max_restarts": 5})
    applied(box, old)
    box.fail_on = failing
    new = scene(
        box, {"max_restarts": 6} if failing != "start" else {"out_file": f"{box.bot}/new.log"}
    )
    report = apply(box, new)
    box.fail_on = ""
    assert report.exit_code == 7, [step.reason for step in report.steps]
    assert looks(box, old) == {}


def test_an_app_that_pm2_gave_up_is_started_anew(box):
    box.script(CRASHES)
    box.cli(
        "start", "dist/index.js", "--name", "bot", "--restart-delay", "10", "--max-restarts", "2"
    )
    wait_for(
        lambda: (
            box.jlist()[0]["pm2_env"]["status"] == "waiting restart" and box.jlist()[0]["pid"] == 0
        )
    )
    box.script(LIVES)
    bare = scene(box, {})
    found = looked(box, bare)
    drift = assess(bare.resources[1], found, {}).drift
    assert drift is not None and drift.actual.values["alive"] == "given-up"
    assert applied(box, bare)[:3] == ["keep", "delete", "start"]


def test_a_crash_loop_is_not_alive(box):
    box.script("setTimeout(() => process.exit(1), 300)")
    box.cli("start", "dist/index.js", "--name", "bot", "--exp-backoff-restart-delay", "4000")
    wait_for(lambda: box.jlist()[0]["pm2_env"]["status"] == "waiting restart")
    _, planned = plan(box, scene(box, {}))
    assert "crash-looping" in str(planned.changes[-1].drift.told.headline)


def test_a_stopped_app_is_started(box):
    bare = scene(box, {})
    applied(box, bare)
    box.cli("stop", "bot")
    assert looks(box, bare) == {"pm2_process.bot": ["alive"]}
    assert applied(box, bare) == ["keep", "delete", "start"]


def test_a_lost_save_is_saved_again_and_nothing_else(box):
    bare = scene(box, {})
    applied(box, bare)
    pid = box.jlist()[0]["pid"]
    (box.pm2_home / "dump.pm2").unlink()
    assert applied(box, bare) == ["save"]
    assert box.jlist()[0]["pid"] == pid


def test_code_is_judged_by_the_stamp(box):
    bare = scene(box, {}, tree=f"{box.bot}/dist/")
    key = ("bot", stamp_name("tree", f"{box.bot}/dist/"))
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()

    def put() -> None:
        clock = {"boot_id": boot, "uptime": Path("/proc/uptime").read_text().split()[0]}
        box.state[key] = json.dumps({"files": {}, "clock": clock}).encode()

    put()
    assert applied(box, bare) == ["start", "save"]
    put()
    assert looks(box, bare) == {"pm2_process.bot": ["code"]}
    assert applied(box, bare) == ["keep", "reload"]
    found = looked(box, bare)
    owed = assess(bare.resources[1], found, {("stb", f"{box.bot}/dist/"): UNKNOWN}).drift
    assert owed is not None and owed.desired.values["code"] is UNKNOWN


def test_a_bot_that_outlived_its_daemon_is_not_doubled(box):
    bare = scene(box, {"pmx": False})
    applied(box, bare)
    pid = box.jlist()[0]["pid"]
    daemon = box.daemon()
    assert daemon
    os.kill(daemon, signal.SIGKILL)
    wait_for(lambda: box.daemon() is None)
    try:
        assert refusal(box, bare) == "script-runs-twice"
        assert box.daemon() is None
    finally:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{pid}/cmdline").exists())
    assert applied(box, bare) == ["start"]


def test_another_name_for_the_same_script_is_refused(box):
    box.cli("start", "dist/index.js", "--name", "old-bot")
    assert refusal(box, scene(box, {})) == "script-runs-twice"


def test_a_new_name_takes_the_old_bot_away(box):
    applied(box, scene(box, {}))
    pid = box.jlist()[0]["pid"]
    assert applied(box, scene(box, {"name": "new-bot"})) == ["keep", "delete", "start", "save"]
    (listed,) = box.jlist()
    assert listed["name"] == "new-bot" and not Path(f"/proc/{pid}").exists()
    # cut after the file was written: the file says nothing of the old name any more, the stamp does
    third = scene(box, {"name": "third-bot"})
    assert apply(box, replace(third, resources=third.resources[:1])).exit_code == 0
    assert applied(box, third) == ["keep", "delete", "start", "save"]
    assert [item["name"] for item in box.jlist()] == ["third-bot"]


def test_a_save_that_would_forget_another_app_is_refused(box):
    box.script(LIVES, "dist/other.js")
    box.cli("start", "dist/other.js", "--name", "other")
    box.cli("save")
    box.cli("delete", "other")
    assert refusal(box, scene(box, {})) == "pm2-list-incomplete"


def test_the_same_app_under_another_home_is_named(box):
    box.cli("start", "dist/index.js", "--name", "bot")
    home = box.home / "second"
    home.mkdir()
    box.env["HOME"] = str(home)
    try:
        assert refusal(box, scene(box, {})) == "pm2-other-daemon"
        assert not (home / ".pm2").exists()
    finally:
        box.env["HOME"] = str(box.home)


def test_another_users_daemon_is_named_and_not_taken_for_none(box):
    box.cli("start", "dist/index.js", "--name", "bot")
    nobody = 65534 if os.geteuid() == 0 else None
    if nobody is None:
        (box.pm2_home / "rpc.sock").chmod(0)
    done = subprocess.run(
        ["sh", "-s", "bot", f"{box.bot}/dist/index.js"],
        input=script("probe_pm2").encode(),
        env={
            "PATH": f"{Path(shutil.which('node') or '').parent}:/usr/bin:/bin",
            "HOME": "/nonexistent",
        },
        cwd="/",
        user=nobody,
        capture_output=True,
        timeout=60,
        check=True,
    )
    seen = probe.parse(done.stdout)
    assert not isinstance(seen, str)
    assert (seen.daemon, seen.socket, seen.apps) == (None, "missing", ())
    (other,) = [item for item in seen.others if item.pid == box.daemon()]
    assert (other.uid, other.apps) == (os.geteuid(), None)
    assert other.socket == ("denied" if other.home else "unseen")  # the kernel cuts a long title


def test_the_cjs_name_runs_beside_an_esm_package(box):
    (box.bot / "package.json").write_text('{"type": "module"}')
    _, planned = plan(box, scene(box, {}))
    assert (
        planned.changes[0].refusal is not None
        and planned.changes[0].refusal.rule == "ecosystem-esm"
    )
    assert applied(box, scene(box, {}, file="ecosystem.config.cjs")) == ["start", "save"]


def test_a_secret_is_in_the_process_and_in_no_argument(box):
    secret = {"env": {"API_KEY": Secret("hunter2", "env:API_KEY")}}
    _, planned = plan(box, scene(box, secret))
    assert "hunter2" not in repr(planned.changes[1].actions)
    assert applied(box, scene(box, secret)) == ["start", "save", "chmod"]
    assert (box.bot / "ecosystem.config.js").stat().st_mode & 0o777 == 0o600
    assert (box.pm2_home / "dump.pm2").stat().st_mode & 0o777 == 0o600
    assert applied(box, scene(box, {"env": {"API_KEY": Secret("hunter3")}})) == [
        "keep",
        "reload",
        "save",
        "chmod",
    ]
    before = box.pm2_home / "dump.pm2.bak"
    assert "hunter2" in before.read_text() and before.stat().st_mode & 0o777 == 0o600
    assert b"API_KEY=hunter3" in Path(f"/proc/{box.jlist()[0]['pid']}/environ").read_bytes()


def test_a_one_shot_app_may_end(box):
    box.script("process.exit(0)")
    bare = scene(box, {"autorestart": False}, tree=f"{box.bot}/dist/")
    report = apply(box, bare)
    assert report.exit_code == 0, [step.reason for step in report.steps]
    wait_for(lambda: box.jlist()[0]["pm2_env"]["status"] == "stopped")
    assert looks(box, bare) == {}


def test_the_variables_of_a_cluster_are_seen_as_its_workers_have_them(box):
    app = {"exec_mode": "cluster", "instances": 2, "env": {"A": "1", "B": 2}}
    assert applied(box, scene(box, app)) == ["start", "save"]
    assert applied(box, scene(box, {**app, "env": {"A": "1", "B": 3}})) == [
        "keep",
        "reload",
        "save",
    ]


def test_what_a_daemon_has_just_forked_is_no_second_daemon(box, tmp_path):
    """Until it becomes the app it bears the daemon's title: at each look at a crash loop it may be
    there."""
    title = f"PM2 v7.0.4: God Daemon ({box.pm2_home})"
    forks = tmp_path / "forks.py"
    forks.write_text(
        "import subprocess, sys\n"
        "subprocess.Popen([sys.stdin.readline().strip(), '60'], executable='/bin/sleep')\n"
        "print('forked', flush=True)\nsys.stdin.read()\n"
    )
    box.pm2_home.mkdir(parents=True)
    daemon = subprocess.Popen(
        [title, str(forks)],
        executable=sys.executable,
        text=True,
        **dict.fromkeys(("stdin", "stdout"), subprocess.PIPE),
    )
    try:
        daemon.stdin.write(f"{title}\n")
        daemon.stdin.flush()
        assert daemon.stdout.readline() == "forked\n"
        seen = probe.parse(box.probe("bot", f"{box.bot}/dist/index.js"))
        assert (seen.daemon.pid, seen.more) == (daemon.pid, 0)
        assert [other for other in seen.others if other.home == str(box.pm2_home)] == []
    finally:
        for pid in Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        daemon.kill()
        daemon.communicate()
