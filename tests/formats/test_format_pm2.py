"""PM2's knowledge in tables: the probe both ways, units, keys, the restart policy, health, our
file."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kjpstate.formats import JUDGES
from kjpstate.formats.pm2 import ecosystem, health, keys, policy, probe, settings
from kjpstate.formats.pm2.declared import Declared, normal
from kjpstate.formats.pm2.lint import lint
from kjpstate.formats.pm2.lives import lives
from kjpstate.formats.pm2.probe import (
    App,
    BootClock,
    Daemon,
    Dump,
    LogFile,
    Runner,
    Seen,
    Startup,
    User,
)
from kjpstate.hosts.programs import script
from kjpstate.model import Clock, Unreadable
from kjpstate.said import Said, Text, say
from kjpstate.secret import Secret
from tests.support.owner import APP as OWNER
from tests.support.words import values

CASES = Path(__file__).parents[1] / "cases/pm2"


def recorded(name: str) -> Seen:
    seen = probe.parse((CASES / f"{name}.json").read_bytes())
    assert isinstance(seen, Seen)
    return seen


# ---- the probe


@pytest.mark.parametrize("name", sorted(path.stem for path in CASES.glob("*.json")))
def test_recorded_answers_survive_both_ways(name):
    seen = recorded(name)
    assert probe.parse(probe.render(seen)) == seen


def test_a_made_up_box_survives_both_ways():
    seen = Seen(
        node="/usr/bin/node",
        pm2="/usr/lib/node_modules/pm2/bin/pm2",
        user=User(0, "root", "/root"),
        home="/root/.pm2",
        clock=BootClock("b", "12.34", 100, "1200", 5),
        daemon=Daemon(7, 0, "root", "6.0.14", "/root/.pm2", "pm2-root.service"),
        socket="alive",
        apps=(App("bot", 0, 9, "800", "online", env={"A": "1"}, env_names=("A",)),),
        others=(Daemon(8, 1000, "pi", "5.4.3", "/home/pi/.pm2", socket="denied", apps=None),),
        dump=Dump("ok", "0644", (App("bot"),)),
        runners=(Runner(9, 7, 0, "/root"),),
        startup=(Startup("pm2-root.service", True, "root", "/root/.pm2", "/usr/bin/pm2"),),
    )
    assert probe.parse(probe.render(seen)) == seen


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, say("pm2-unreadable.not-posix")),
        (Unreadable("no sh"), say("pm2-unreadable", why="no sh")),
        (b"", say("pm2-unreadable.cut-short")),
        (b'{"format": 1', say("pm2-unreadable.cut-short")),
        (b"[]", say("pm2-unreadable.not-our-format")),
        (b'{"format": 9}', say("pm2-unreadable.not-our-format")),
    ],
)
def test_an_answer_that_can_not_be_used_says_why(answer, reason):
    assert probe.parse(answer) == reason


def test_environment_values_are_not_in_a_repr():
    seen = recorded("in_sync")
    assert seen.apps[0].env == {"NODE_ENV": "production"} and "production" not in repr(seen)


@pytest.mark.parametrize(
    ("path", "resolved"),
    [("/a/../b/", "/b"), ("/a//b/./c", "/a/b/c"), ("/..", "/"), ("/", "/"), ("/a", "/a")],
)
def test_paths_resolve_as_node_does(path, resolved):
    assert normal(path) == resolved


# ---- units and keys


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10s", 10_000),
        ("2m", 120_000),
        ("1h", 3_600_000),
        ("5000", 5000),
        (5000, 5000),
        ("soon", "soon"),
    ],
)
def test_milliseconds(text, value):
    assert keys.milliseconds(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("300M", 314_572_800), ("1G", 2**30), ("2K", 2048), ("7", 7), (7, 7), ("a", "a")],
)
def test_sizes(text, value):
    assert keys.size(text) == value


def spec(**app):
    return declared(**OWNER | app)


def declared(**keys):
    return Declared("stb", "bot-kjp", "/root/bot-kjp/ecosystem.config.js", keys)


def seen_with(**fields) -> tuple[App, ...]:
    return (App("bot-kjp", 3, 9, "1", "online", fields=fields),)


@pytest.mark.parametrize(
    ("key", "value", "fields", "same"),
    [
        ("script", "dist/index.js", {"pm_exec_path": "/root/bot-kjp/dist/index.js"}, True),
        (
            "script",
            "dist/index.js",
            {"pm_exec_path": "/root/dist/index.js", "script": "dist/index.js"},
            False,
        ),
        ("script", "npm", {"pm_exec_path": "/usr/bin/npm"}, True),
        ("script", "npm.js", {"pm_exec_path": "/usr/bin/npm.js"}, False),
        ("cwd", "/root/x/../bot-kjp/", {"pm_cwd": "/root/bot-kjp"}, True),
        ("cwd", "/root/bot-kjp", {"pm_cwd": "/root", "cwd": "/root/bot-kjp"}, False),
        ("error_file", "logs/e.log", {"pm_err_log_path": "/root/bot-kjp/logs/e.log"}, True),
        ("error_file", "logs/e.log", {"pm_err_log_path": "/root/bot-kjp/logs/e-3.log"}, True),
        ("error_file", "logs/e", {"pm_err_log_path": "/root/bot-kjp/logs/e-3"}, True),
        ("error_file", "logs/e.log", {"pm_err_log_path": "/root/.pm2/logs/e.log"}, False),
        ("out_file", "NULL", {"pm_out_log_path": "/dev/null"}, True),
        ("out_file", "~/o.log", {"pm_out_log_path": "/root/o.log"}, True),
        ("log_file", True, {"pm_log_path": "/root/.pm2/logs/bot-kjp.log"}, True),
        ("min_uptime", "10s", {"min_uptime": 10000}, True),
        ("min_uptime", "10s", {"min_uptime": 1000}, False),
        ("max_restarts", 15, {}, False),
        ("max_restarts", "15", {"max_restarts": 15}, True),
        ("max_memory_restart", "300M", {"max_memory_restart": 314572800}, True),
        ("args", "a 'b c'", {"args": ["a", "b c"]}, True),
        ("args", ["a"], {}, False),
        ("node_args", [], {}, True),
        ("exec_mode", "fork", {"exec_mode": "fork_mode"}, True),
        ("exec_mode", "cluster", {"exec_mode": "fork_mode"}, False),
        ("instances", 1, {}, True),
        ("instances", 2, {"instances": 2}, False),
        ("instances", "max", {"instances": 0}, False),
        ("stop_exit_codes", [0], {"stop_exit_codes": 0}, True),
        ("stop_exit_codes", [0, 2], {"stop_exit_codes": 0}, False),
        ("cron_restart", "0 3 * * *", {"cron_restart": "0 3 * * *"}, True),
        ("watch", False, {"watch": False}, True),
        ("watch", False, {}, True),
        ("autorestart", False, {"autorestart": True}, False),
        ("time", True, {"log_date_format": "YYYY-MM-DDTHH:mm:ss"}, True),
        ("namespace", "default", {}, True),
    ],
)
def test_each_key_is_compared_with_what_acts(key, value, fields, same):
    keys_ = {name: OWNER[name] for name in ("name", "script", "cwd")}
    whole = declared(**keys_ | {key: value})
    context = settings.context(whole, replace(recorded("in_sync"), cpus=4))
    wanted = settings.desired(context)
    name = "log_date_format" if key == "time" else key
    found = settings.actual(seen_with(**fields), wanted, context)
    assert (found[name] == wanted[name]) is same, (found[name], wanted[name])


def test_instances_that_disagree_show_the_one_that_differs():
    context = settings.context(spec(), None)
    entries = (*seen_with(max_restarts=15), *seen_with(max_restarts=16))
    assert settings.actual(entries, {"max_restarts": 15}, context) == {"max_restarts": 16}


@pytest.mark.parametrize(
    ("key", "value", "gone"),
    [
        ("restart_delay", 0, True),
        ("merge_logs", False, True),
        ("log_date_format", "", True),
        ("watch", False, False),
        ("autorestart", False, False),
        ("stop_exit_codes", [], False),
        ("max_restarts", 1, False),
    ],
)
def test_values_that_pm2_throws_away(key, value, gone):
    assert keys.dropped(key, value) is gone
    assert (key in settings.desired(settings.context(spec(**{key: value}), None))) is not gone


def test_a_users_name_and_an_interpreters_version_are_not_compared():
    wanted = settings.desired(settings.context(spec(uid="bot", gid=5, interpreter="node@18"), None))
    assert "uid" not in wanted and "interpreter" not in wanted and wanted["gid"] == 5


def test_environment_values_as_the_process_sees_them():
    app = {"env": {"A": 1, "B": True, "C": None, "D": "x", "E": Secret("s")}}
    assert settings.environment(app) == {
        "A": "1",
        "B": "true",
        "C": "null",
        "D": "x",
        "E": Secret("s"),
    }


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({"max_memory_restart": 5}, ["max_memory_restart"]),
        ({"namespace": "default"}, []),
        ({"namespace": "mine"}, ["namespace"]),
        ({"pm_err_log_path": "/root/.pm2/logs/bot-kjp-error-3.log"}, []),
        ({"pm_err_log_path": "/root/.pm2/logs/bot-kjp-error.log"}, []),
        ({"pm_err_log_path": "/root/bot-kjp/e.log"}, ["error_file"]),
        ({"merge_logs": True, "watch": False}, []),
        ({"watch": True}, ["watch"]),
        ({"pm_cwd": "/root/bot-kjp"}, []),
        ({"pm_pid_path": "/root/.pm2/pids/bot-kjp-3.pid"}, []),
    ],
)
def test_what_is_left_of_keys_that_went(fields, left):
    whole = declared(name="bot-kjp", script="dist/index.js")
    context = settings.context(whole, recorded("in_sync"))
    (app,) = seen_with(**fields)
    assert list(settings.left_over(app, keys.KEYS, (), {}, context)) == left


def test_what_is_left_of_variables():
    context = settings.context(spec(env={"A": "1"}), None)
    app = App("bot-kjp", env_names=("A", "B", "PATH"))
    assert list(settings.left_over(app, (), ("A", "B", "C"), {}, context)) == ["env.B"]


@pytest.mark.parametrize(
    ("changed", "way"),
    [
        (("max_restarts", "args"), "reload"),
        (("max_restarts", "cwd"), "replace"),
        (("watch",), "replace"),
        ((), "reload"),
    ],
)
def test_the_least_mechanism(changed, way):
    assert settings.mechanism(changed) == way


# ---- the restart policy: the numbers were measured on PM2 5, 6 and 7


@pytest.mark.parametrize(
    ("app", "gives_up", "until", "life"),
    [
        (OWNER, True, 53571, 6428),
        ({"max_restarts": 15, "min_uptime": "10s", "restart_delay": 3000}, True, 42000, 7200),
        ({"exp_backoff_restart_delay": 100}, False, 68571, None),
        ({"max_restarts": 15, "exp_backoff_restart_delay": 100}, False, 53571, None),
        ({"exp_backoff_restart_delay": 1000}, False, 152169, None),
        ({"restart_delay": 3000}, False, 45000, None),
        ({}, True, 0, 1000),
        ({"max_restarts": 0, "restart_delay": 0, "exp_backoff_restart_delay": 0}, True, 0, 1000),
        ({"max_restarts": 15, "min_uptime": "10s"}, True, 0, 10000),
    ],
)
def test_when_pm2_gives_up(app, gives_up, until, life):
    rules = policy.policy(app)
    assert (rules.can_give_up, rules.until_given_up) == (gives_up, until)
    if life is not None:
        assert rules.longest_life == life


@given(st.integers(1, 50), st.integers(0, 5000), st.integers(0, 20000), st.integers(100, 60000))
def test_the_policy_agrees_with_a_simulation(count, backoff, delay, least):
    """Crashes at once, step by step as PM2 does it, against the formula."""
    rules = policy.Policy(count, least, delay, backoff)
    now, unstable, previous = 0, 0, 0
    for _ in range(count + 2):
        if now < least * count:
            unstable += 1
        if unstable >= count:
            break
        previous = min(15000, previous * 3 // 2) if previous else backoff
        now += previous if backoff else delay
    assert rules.can_give_up == (unstable >= count)


@pytest.mark.parametrize(
    ("app", "rules"),
    [
        (OWNER, ["restart-delay-ignored", "pm2-gives-up", "log-date-format"]),
        ({"exp_backoff_restart_delay": 1000}, []),
        ({}, ["pm2-gives-up"]),
        ({"autorestart": False}, []),
        ({"exp_backoff_restart_delay": 1000, "max_restarts": 15}, ["max-restarts-inert"]),
        ({"exp_backoff_restart_delay": 1000, "kill_timeout": 0}, ["zero-dropped"]),
        ({"exp_backoff_restart_delay": 1000, "instances": 1}, ["instances-cluster"]),
        ({"exp_backoff_restart_delay": 1000, "instances": 2, "exec_mode": "fork"}, []),
        (
            {"exp_backoff_restart_delay": 1000, "env": {"max_restarts": "2"}},
            ["env-overrides-setting"],
        ),
        ({"exp_backoff_restart_delay": 1000, "env_production": {}}, ["env-block-unused"]),
        ({"exp_backoff_restart_delay": 1000, "time": True}, ["log-date-format"]),
        (
            {
                "exp_backoff_restart_delay": 1000,
                "cwd": "/b",
                "watch": True,
                "out_file": "/b/logs/o",
            },
            ["watches-own-logs"],
        ),
        ({"exp_backoff_restart_delay": 1000, "cwd": "/b", "watch": True, "out_file": "/var/o"}, []),
    ],
)
def test_advice_from_the_document_alone(app, rules):
    assert [item.rule for item in lint(app)] == rules


def test_the_owners_advice_says_the_numbers():
    delay, gives_up, _ = lint(OWNER)
    assert gives_up.reason == say(
        "pm2-gives-up", crashes=15, life="6.4", after=gives_up.reason.values["after"]
    )
    assert 30 < gives_up.reason.values["after"] < 90
    assert gives_up.cure == say("pm2-gives-up.cure-drop", keys=["max_restarts", "min_uptime"])
    assert gives_up.severity == "breaks" and gives_up.pointer == "/max_restarts"
    assert delay.reason == say("restart-delay-ignored", backoff=100, delay=3000)


# ---- health

BOOT = BootClock("boot", "1000.00", 100, "100000")


def alive(**app) -> Text:
    entry = App("bot", 0, 5, "90000", "online", pm_uptime=10_000, created_at=10_000)
    seen = Seen(socket="alive", clock=BOOT, apps=(replace(entry, **app),))
    return health.health(seen, "bot", min_uptime=10_000).sick


@pytest.mark.parametrize(
    ("app", "reason"),
    [
        ({}, ""),
        (
            {"status": "waiting restart", "pid": 0, "created_at": None, "start": None},
            say("pm2.waits-for-ever"),
        ),
        ({"status": "waiting restart", "start": None}, say("pm2.waits")),
        ({"status": "errored", "pid": 0, "start": None}, say("pm2.errored")),
        ({"status": "stopped", "pid": 0, "start": None}, say("pm2.stopped")),
        ({"status": "launching"}, "launching"),
        ({"status": ""}, say("pm2.no-status")),
        ({"start": None}, say("pm2.gone", pid=5)),
        ({"start": "99950", "restart_time": 3, "pm_uptime": 99_000}, say("pm2.keeps-dying")),
        ({"start": "99950", "restart_time": 1, "pm_uptime": 99_000}, ""),
        ({"start": "99950", "restart_time": 3, "pm_uptime": 10_100}, ""),
        ({"start": "90000", "restart_time": 300, "pm_uptime": 99_000}, ""),
        ({"start": "99950", "restart_time": 0, "pm_uptime": 99_000, "created_at": 1}, ""),
        ({"name": "other"}, say("pm2.not-listed")),
    ],
)
def test_health(app, reason):
    sick = alive(**app)
    assert sick == reason
    assert bool(sick) is bool(reason)


ORPHAN = Runner(77, 1, 0, "/root/bot-kjp")
SAVED = Dump("ok", "0600", (App("bot"),))
ENTRY = App("bot", 0, 5, "90000", "online", pm_uptime=10_000, created_at=10_000)
LOST_LOGS = (LogFile("/root/bot-kjp/logs/out.log", folder=False),)


@pytest.mark.parametrize(
    ("seen", "state", "reason"),
    [
        (say("pm2-unreadable", why="no sh"), "unknown", say("pm2-unreadable", why="no sh")),
        (Seen(), "no-daemon", say("pm2.no-daemon")),
        (Seen(dump=SAVED), "no-daemon", say("pm2.no-daemon-but-saved")),
        (Seen(socket="refused", runners=(ORPHAN,)), "orphaned", say("pm2.orphaned", pid=77)),
        (Seen(socket="alive", dump=SAVED), "list-lost", say("pm2.list-lost")),
        (
            Seen(socket="alive", apps=(App("x"),), dump=SAVED),
            "not-listed",
            say("pm2.not-listed-but-saved"),
        ),
        (Seen(socket="alive"), "not-listed", say("pm2.not-listed")),
        ({}, "alive", say("pm2.online", up=100.0)),
        ({"restart_time": 2}, "alive", say("pm2.online-restarted", up=100.0, count=2)),
        (
            {"start": "1000", "restart_time": 1},
            "alive",
            say("pm2.online-restarted", up=990.0, count=1),
        ),
        (
            {"status": "waiting restart", "start": None, "logs": LOST_LOGS},
            "stuck",
            say("pm2.stuck", log="/root/bot-kjp/logs/out.log"),
        ),
        ({"status": "waiting restart", "start": None}, "waiting", say("pm2.waits")),
        (
            {"status": "waiting restart", "pid": 0, "start": None},
            "given-up",
            say("pm2.waits-for-ever"),
        ),
        (
            {"status": "waiting restart", "created_at": None, "start": None},
            "given-up",
            say("pm2.waits-for-ever"),
        ),
        ({"status": "errored", "pid": 0, "start": None}, "given-up", say("pm2.errored")),
        ({"status": "stopped", "pid": 0, "start": None}, "stopped", say("pm2.stopped")),
        ({"status": "stopping"}, "starting", "stopping"),
        ({"start": None}, "gone", say("pm2.gone", pid=5)),
        (
            {"start": "99950", "restart_time": 3, "pm_uptime": 99_000},
            "looping",
            say("pm2.keeps-dying"),
        ),
        (
            {"start": "99600", "restart_time": 39, "pm_uptime": 99_000},
            "looping",
            say("pm2.keeps-dying"),
        ),
        ({"start": "1000", "connections": 0}, "idle", say("pm2.idle", up=990.0)),
        ({"start": "1000", "connections": None}, "alive", say("pm2.online", up=990.0)),
        ({"start": "1000", "connections": 1}, "alive", say("pm2.online", up=990.0)),
        ({"start": "90000", "connections": 0}, "alive", say("pm2.online", up=100.0)),
    ],
)
def test_dead_or_alive_and_why(seen, state, reason):
    """All that PM2 calls online, waiting restart and stopped, told apart."""
    if isinstance(seen, dict):
        seen = Seen(socket="alive", clock=BOOT, apps=(replace(ENTRY, **seen),))
    found = health.health(seen, "bot", connected=True)
    assert (found.state, found.alive) == (state, state == "alive")
    assert found.reason == reason
    if isinstance(seen, Seen) and state == "idle":
        assert health.health(seen, "bot").state == "alive"  # it never said that it is connected


def log(*events: str) -> tuple[str, ...]:
    """Lines as PM2 5, 6 and 7 write them: `MM:SS word`; `start` and `end` of the app, `stop` by
    somebody."""
    words = {
        "start": "App [bot:0] starting in -fork mode-",
        "end": "App [bot:0] exited with code [1] via signal [SIGINT]",
        "stop": "Stopping app:bot id:0",
        "memory": "[PM2][WORKER] Process 0 restarted because it exceeds --max-memory-restart value (x)",
        "watch": "Change detected on path src/a for app bot - restarting",
        "daemon": "--- New PM2 Daemon started ----",
    }
    return tuple(
        f"2026-03-01T21:{at}: PM2 log: {words[word]}"
        for at, word in (item.split() for item in events)
    )


SLOW = (
    "00:00 start",
    "02:00 end",
    "02:00 start",
    "04:01 end",
    "04:02 start",
    "06:02 end",
    "06:02 start",
)


@pytest.mark.parametrize(
    ("events", "row"),
    [
        ((), ()),
        (SLOW, (120, 121, 120)),
        ((*SLOW, "06:30 stop", "06:31 end", "06:32 start"), ()),
        ((*SLOW, "06:30 stop", "06:31 end", "06:32 start", "06:40 end"), (8,)),
        ((*SLOW[:2], "02:10 stop", "03:00 start", "03:05 end"), (5,)),  # stopped while it waited
        ((*SLOW, "07:02 memory", "07:02 stop", "07:03 end", "07:03 start"), (120, 121, 120, 61)),
        ((*SLOW, "07:02 watch", "07:02 stop", "07:03 end", "07:03 start"), (120, 121, 120, 61)),
        ((*SLOW, "06:40 daemon", "06:40 start"), ()),
        ((*SLOW[1:],), (121, 120)),  # the log begins within a life
        ((*SLOW, "01:00 end"), ()),  # the clock was set back
    ],
)
def test_lives_by_the_daemons_log(events, row):
    assert lives(log(*events)) == row


def test_lines_without_a_time_that_can_be_read_tell_nothing():
    assert lives(line.partition(": ")[2] for line in log(*SLOW)) == ()
    assert lives(line.replace("2026-03-01", "2026-99-99") for line in log(*SLOW)) == ()
    assert lives(line.replace(": PM2", ".123+01:00: PM2") for line in log(*SLOW)) == (120, 121, 120)


@pytest.mark.parametrize(
    ("events", "up", "state"),
    [
        (SLOW, 40, "looping"),
        (SLOW, 241, "looping"),
        (SLOW, 242, "alive"),  # twice as long as the longest of the three
        (SLOW[2:], 40, "alive"),  # two are no row
        ((*SLOW[:1], "59:00 end", *SLOW[6:]), 40, "alive"),  # one crash after an hour
        (
            ("00:00 start", "30:00 end", "30:00 start", *("30:01 end", "30:01 start") * 2),
            40,
            "alive",
        ),
        (
            ("00:00 start", "30:00 end", "30:00 start", *("30:01 end", "30:01 start") * 3),
            1,
            "looping",
        ),
        ((*SLOW, "06:30 stop", "06:31 end", "06:32 start"), 9, "alive"),
        (
            ("00:00 start", "00:00 end", "00:00 start", "00:01 end", "00:01 start"),
            0,
            "looping",
        ),  # just begun
        (("00:00 start", "00:00 end", "00:00 start", "00:01 end", "00:01 start"), 6, "alive"),
        (("00:00 start", "00:00 end", "00:00 start"), 0, "alive"),
        (
            ("00:00 start", "10:00 end", "10:00 start", "20:00 end", "20:00 start", "30:00 end"),
            9,
            "alive",
        ),
    ],
)
def test_a_slow_crash_loop_is_seen_at_one_look(events, up, state):
    app = replace(ENTRY, start=str(100_000 - up * 100), restart_time=9, events=log(*events))
    found = health.health(Seen(socket="alive", clock=BOOT, apps=(app,)), "bot", min_uptime=1000)
    assert found.state == state
    if state == "looping" and up > 1:
        assert isinstance(found.reason, Said)
        assert found.reason.code == "pm2.short-lives" and found.reason.values["count"] == 3
        assert [life // 10 for life in values(found.reason, "seconds")] == [12, 12, 12]


def test_lives_after_which_somebody_started_it_again_are_no_crash_loop():
    """autorestart: false: PM2 says `exited`, then `starting`, and counts no restart."""
    for counted, state in ((0, "alive"), (2, "alive"), (3, "looping")):
        app = replace(ENTRY, start=str(100_000 - 4000), restart_time=counted, events=log(*SLOW))
        seen = Seen(socket="alive", clock=BOOT, apps=(app,))
        assert health.health(seen, "bot", may_end=True).state == state
        assert bool(health.rising(seen, "bot")) is (counted > 0)


CRASHED = {"restart_time": 4, "pm_uptime": 99_000}


@pytest.mark.parametrize(
    ("app", "reason"),
    [
        ({}, ""),
        ({"restart_time": 4}, ""),  # reloads: the start on purpose moved along
        (CRASHED, say("pm2.rises", up=100.0, restarts=4)),
        ({**CRASHED, "created_at": 1, "restart_time": 0}, ""),  # after pm2 resurrect
        ({"restart_time": 1, "events": log(*SLOW)}, say("pm2.rises", up=100.0, restarts=1)),
        (
            {**CRASHED, "start": None, "status": "waiting restart"},
            say("pm2.rises-ended", restarts=4),
        ),
        (
            {"status": "stopped", "start": None, "events": log(*SLOW[:2])},
            "",
        ),  # nothing restarted it
        ({"name": "other"}, say("pm2.rises-not-running")),
    ],
)
def test_restarts_by_crashes_stand_still_or_not(app, reason):
    seen = Seen(socket="alive", clock=BOOT, apps=(replace(ENTRY, **app),))
    found = health.rising(seen, "bot")
    assert found == reason and bool(found) is bool(reason)
    later = replace(seen, clock=replace(BOOT, uptime="4500.00", own_start="450000"))
    runs = seen.apps[0].start is not None and seen.apps[0].name == "bot"
    assert health.rising(later, "bot") == ("" if runs else found)
    nobody = replace(seen, socket="refused")
    assert health.rising(nobody, "bot") == say("pm2.rises-not-running")


@given(
    now=st.integers(0, 2**45),
    pm_uptime=st.integers(0, 2**45),
    created_at=st.integers(0, 2**45),
    start=st.integers(0, 100_000),
    stamped=st.integers(0, 1000),
)
def test_a_clock_that_jumps_makes_no_code_fresh_or_old(now, pm_uptime, created_at, start, stamped):
    """Only the boot and its ticks decide, whatever the box takes the time for."""
    app = replace(ENTRY, start=str(start), pm_uptime=pm_uptime, created_at=created_at)
    seen = Seen(socket="alive", clock=replace(BOOT, now=now), apps=(app,))
    fresh = health.freshness(seen, "bot", Clock("boot", f"{stamped}.00")).well
    assert fresh is (Decimal(start) / 100 > stamped)
    assert health.health(seen, "bot").state in ("alive", "looping")
    assert health.health(replace(seen, apps=(replace(app, restart_time=0),)), "bot").alive


def test_an_app_that_may_end_may_be_stopped():
    seen = Seen(socket="alive", apps=(App("bot", status="stopped"),))
    assert health.health(seen, "bot", may_end=True).sick == ""
    nobody = replace(seen, socket="refused")
    assert health.health(nobody, "bot", may_end=True).sick == say("pm2.no-daemon")


@pytest.mark.parametrize(
    ("start", "stamped", "fresh"),
    [
        ("90001", Clock("boot", "900.00"), True),
        ("90000", Clock("boot", "900.00"), False),
        ("89999", Clock("boot", "900.00"), False),
        ("1", Clock("other boot", "900.00"), True),
        ("90001", None, False),
        (None, Clock("boot", "900.00"), False),
        ("90000", Clock("boot", "9999999999.99"), False),
    ],
)
def test_code_is_fresh_when_started_strictly_later_or_after_a_reboot(start, stamped, fresh):
    seen = Seen(socket="alive", clock=BOOT, apps=(App("bot", pid=5, start=start, status="online"),))
    assert health.freshness(seen, "bot", stamped).well is fresh


def test_one_old_instance_makes_the_code_old():
    apps = (App("bot", pid=5, start="95000"), App("bot", pid=6, start="80000"))
    seen = Seen(socket="alive", clock=BOOT, apps=apps)
    assert health.freshness(seen, "bot", Clock("boot", "900.00")).reason == say("pm2.code-older")


def test_ticks_of_a_container_count_from_its_own_start():
    """/proc/uptime says 100 s where the machine's ticks say 1000 s: the probe's own start tells."""
    clock = BootClock("boot", "100.00", 100, "100000")
    app = App("bot", pid=5, start="95000", status="online")
    assert health.uptime_of(app, clock) == 50
    seen = Seen(socket="alive", clock=clock, apps=(app,))
    assert health.freshness(seen, "bot", Clock("boot", "40.00")).reason == ""
    assert health.freshness(seen, "bot", Clock("boot", "60.00")).reason != ""


@pytest.mark.parametrize(
    ("app", "reason"),
    [
        ({}, None),
        ({"pid": 4}, say("pm2.still-old", app="bot", pid=4)),
        ({"start": "99500"}, say("pm2.not-long-up", app="bot", up=5.0, enough=10.0, restarts=0)),
        ({"status": "stopped"}, say("pm2.not-up", app="bot", status="stopped")),
        (
            {"status": "waiting restart", "restart_time": 2},
            say("pm2.not-up-restarted", app="bot", status="waiting restart", restarts=2),
        ),
        ({"name": "other"}, say("pm2.too-few", app="bot", count=0, wanted=1)),
    ],
)
def test_the_judge_of_a_start(app, reason):
    entry = replace(App("bot", 0, 5, "90000", "online"), **app)
    answer = probe.render(Seen(socket="alive", clock=BOOT, apps=(entry,)))
    args = {"name": "bot", "instances": 1, "min_uptime_ms": 10_000, "not_pids": (4,)}
    assert JUDGES["pm2-online"](answer, args) == reason


def test_the_judge_without_a_daemon():
    args = {"name": "bot", "instances": 1, "min_uptime_ms": 1000}
    assert JUDGES["pm2-online"](probe.render(Seen()), args) == say("pm2.no-daemon")
    assert JUDGES["pm2-online"](b"", args) == say("pm2-unreadable.cut-short")


# ---- our file


def test_our_file_reads_back_and_is_plain_javascript():
    content = ecosystem.render("bot-kjp", [OWNER])
    ours = ecosystem.parse(content)
    assert ours is not None and ours.document == "bot-kjp" and ours.apps == {"bot-kjp": OWNER}
    assert content.startswith(b"// Managed by kjpstate, document bot-kjp.")
    assert ecosystem.parse(content.replace(b"\n", b"\r\n")) == ours


@given(st.text(), st.text(max_size=5))
def test_any_text_survives_the_file(text, name):
    apps = [{"name": name, "env": {"A": text}}]
    ours = ecosystem.parse(ecosystem.render("d", apps))
    assert ours is not None and ours.apps[name]["env"] == {"A": text}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"module.exports = {apps: []}",
        b"module.exports = {};\n",
        ecosystem.render("d", [{"name": "a"}]) + b"require('fs');\n",
        b"x" + ecosystem.render("d", [{"name": "a"}]),
        ecosystem.render("d", [{"name": "a"}]).replace(b'"a"', b"process.exit()"),
        ecosystem.render("d", [{"name": "a"}]).replace(b'"apps"', b'"app"'),
        b"// Managed by kjpstate, document d. Change\nmodule.exports = " + b'{"a":' * 5000 + b"};",
    ],
)
def test_a_file_that_is_not_ours_is_opaque(content):
    assert ecosystem.parse(content) is None


def test_secrets_are_opened_for_the_bytes_alone():
    content = ecosystem.render("d", [{"name": "a", "env": {"KEY": Secret("hunter2")}}])
    assert (
        json.loads(content.split(b"module.exports = ")[1].rstrip(b";\n"))["apps"][0]["env"]["KEY"]
        == "hunter2"
    )


@pytest.mark.parametrize(
    ("app", "folders"),
    [
        (OWNER, ["/root/bot-kjp/logs", "/root/bot-kjp/logs"]),
        ({"cwd": "/b", "out_file": "logs/o.log"}, ["/b/logs"]),
        ({"out_file": "logs/o.log"}, ["/root/bot-kjp/logs"]),
        ({"out_file": "NULL", "error_file": "/dev/null", "log_file": True}, []),
        ({"out_file": "~/x/o.log"}, []),
        ({}, []),
    ],
)
def test_log_folders(app, folders):
    assert list(ecosystem.log_folders("/root/bot-kjp/ecosystem.config.js", app)) == folders


def test_the_probe_tells_the_field_of_every_key():
    """A key whose field is not told never converges."""
    sent = re.search(r'FIELDS = "(.*?)"', script("probe_pm2"))
    assert sent is not None
    assert {key.field for key in keys.KEYS.values()} <= set(sent[1].split())
