"""The simulated box behaves, where kjpstate looks, as the real things do; its link can be cut
anywhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kjpstate import errors
from kjpstate.formats import logs, names, proc
from kjpstate.formats.pm2 import ecosystem, health
from kjpstate.formats.pm2 import probe as pm2_probe
from kjpstate.formats.resolved import Seen as Resolved
from kjpstate.formats.resolved import parse as parse_resolved
from kjpstate.formats.resolved import reading as resolved_reading
from kjpstate.hosts.simulated import SimulatedHost, pm2, seed_demo
from kjpstate.kinds.pm2_process import scripts
from kjpstate.model import (
    Clock,
    File,
    MakeDirectory,
    Probe,
    ReadClock,
    ReadFile,
    ReadTree,
    Run,
    RunInfo,
    Stamp,
    Tree,
    WriteFile,
)
from kjpstate.said import say

RUN = RunInfo("0a1b2c", "20260301T000000Z", "bot-kjp", "tests")
CONF = "/etc/systemd/resolved.conf"
ECOSYSTEM = "/root/bot-kjp/ecosystem.config.js"
APP = {"name": "bot-kjp", "script": "dist/index.js", "cwd": "/root/bot-kjp"}
LOOK = Probe("stb", "pm2", ("bot-kjp", "/root/bot-kjp/dist/index.js", "NODE_ENV"))


@pytest.fixture
def stb(tmp_path: Path) -> SimulatedHost:
    seed_demo(tmp_path)
    return SimulatedHost("stb", tmp_path, may_change=("/etc/", "/root/bot-kjp/"))


@pytest.fixture
def pc(stb: SimulatedHost, tmp_path: Path) -> SimulatedHost:
    return SimulatedHost("pc", tmp_path, may_change=("/",))


def look(host: SimulatedHost, reading):
    return asyncio.run(host.look([reading]))[reading]


def resolved(host: SimulatedHost) -> Resolved:
    seen = parse_resolved(look(host, resolved_reading(host.name)))
    assert isinstance(seen, Resolved), seen
    return seen


def listed(host: SimulatedHost) -> pm2_probe.Seen:
    seen = pm2_probe.parse(look(host, LOOK))
    assert isinstance(seen, pm2_probe.Seen), seen
    return seen


def act(host: SimulatedHost, *actions):
    async def session():
        await host.begin(RUN, ())
        try:
            return (await host.act(actions))[0]
        finally:
            await host.end()

    return asyncio.run(session())


def write_ecosystem(host: SimulatedHost, **more: object) -> None:
    host.real(ECOSYSTEM).write_bytes(ecosystem.render("bot-kjp", [{**APP, **more}]))


def pm2_does(host: SimulatedHost, *words: str) -> int | None:
    return host.type(pm2.NODE, pm2.PM2, *words).exit_code


# ---- files, clock and lock


def test_paths_are_real_files_below_the_box(stb: SimulatedHost, tmp_path: Path) -> None:
    file = look(stb, ReadFile("stb", CONF))
    assert (
        isinstance(file, File)
        and file.content == (tmp_path / "stb/etc/systemd/resolved.conf").read_bytes()
    )
    (outcome,) = act(stb, WriteFile("stb", CONF, file.content, b"[Resolve]\n"))
    assert outcome.status == "done" and stb.real(CONF).read_bytes() == b"[Resolve]\n"
    assert stb.real(outcome.backup).read_bytes() == file.content


def test_a_path_of_the_computer_is_itself(pc: SimulatedHost, tmp_path: Path) -> None:
    root = (tmp_path / "pc").as_posix()
    tree = look(pc, ReadTree("pc", f"{root}/", ("src/",)))
    assert isinstance(tree, Tree) and sorted(tree.files) == [
        "src/index.ts",
        "src/pesan.ts",
        "src/wa.ts",
    ]


def test_time_passes_with_every_effect_and_a_boot_has_another_id(stb: SimulatedHost) -> None:
    clock = look(stb, ReadClock("stb"))
    assert isinstance(clock, Clock)
    act(stb, MakeDirectory("stb", "/root/bot-kjp/logs/"))
    later = look(stb, ReadClock("stb"))
    assert later.boot_id == clock.boot_id and float(later.uptime) > float(clock.uptime)
    stb.reboot()
    assert look(stb, ReadClock("stb")).boot_id != clock.boot_id


def test_all_is_remembered_by_the_folder(stb: SimulatedHost, tmp_path: Path) -> None:
    stb.real(CONF).write_text("[Resolve]\nDNS=9.9.9.9\n")
    stb.type("systemctl", "restart", "systemd-resolved")
    again = SimulatedHost("stb", tmp_path)
    assert resolved(again).running == resolved(stb).running


def test_a_cut_happens_after_the_effect_and_ends_the_session(stb: SimulatedHost) -> None:
    stb.cut_after = 3  # the lock, what is about to be done, the stamp

    async def session():
        await stb.begin(RUN, ())
        await stb.act([Stamp("stb", "bot-kjp", "one", {}), Stamp("stb", "bot-kjp", "two", {})])

    with pytest.raises(errors.Unreachable):
        asyncio.run(session())
    with pytest.raises(errors.Unreachable):
        asyncio.run(stb.look([ReadClock("stb")]))
    stb.reconnect()
    state = stb.box.own / "state/bot-kjp"
    assert (state / "one").exists() and not (state / "two").exists()
    act(stb)  # the lock is free


def test_a_broken_command_and_a_missing_one(stb: SimulatedHost) -> None:
    stb.broken["restart"] = 1
    (outcome,) = act(stb, Run("stb", ("systemctl", "restart", "systemd-resolved"), "why"))
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    (outcome,) = act(stb, Run("stb", ("systemctl", "restart", "systemd-resolved"), "why"))
    assert outcome.status == "done"
    (outcome,) = act(stb, Run("stb", ("cowsay",), "why"))
    assert outcome.status == "failed" and outcome.reason == say(
        "hosts.no-command", command="cowsay"
    )


# ---- systemd-resolved


def test_the_resolver_reads_its_files_at_a_start_and_never_else(stb: SimulatedHost) -> None:
    stb.real(CONF).write_text("[Resolve]\nDNS=9.9.9.9 10.0.0.1%tun7 x\nDomains=~.\n")
    folder = stb.real("/run/systemd/resolved.conf.d")
    folder.mkdir(parents=True)
    (folder / "a.conf").write_text("[Resolve]\nDNS=1.1.1.1\nFallbackDNS=1.0.0.1\n")
    before = resolved(stb).running
    assert before is not None and before.servers == ()
    assert stb.type("systemctl", "restart", "systemd-resolved").exit_code == 0
    after = resolved(stb).running
    assert after is not None and after.servers == ("9.9.9.9", "1.1.1.1")
    assert after.fallback == ("1.0.0.1",) and after.exclusive
    assert [link.name for link in resolved(stb).links] == ["eth0"]


def test_the_start_limit(stb: SimulatedHost) -> None:
    codes = [stb.type("systemctl", "restart", "systemd-resolved").exit_code for _ in range(6)]
    assert codes == [0, 0, 0, 0, 0, 1]
    assert resolved(stb).unit.active == "failed" and resolved(stb).running is None
    stb.type("systemctl", "reset-failed", "systemd-resolved")
    assert stb.type("systemctl", "restart", "systemd-resolved").exit_code == 0


def test_stop_and_a_machine_without_it(stb: SimulatedHost, pc: SimulatedHost) -> None:
    stb.type("systemctl", "stop", "systemd-resolved")
    assert resolved(stb).unit.active == "inactive"
    stb.reboot()
    assert resolved(stb).unit.running
    assert resolved(pc).unit.load == "not-found"
    assert pc.type("systemctl", "restart", "systemd-resolved").exit_code == 5


def test_names_resolve_while_a_server_that_is_asked_answers(stb: SimulatedHost) -> None:
    reading = names.reading("stb", ["web.whatsapp.com"], ["8.8.8.8"])
    found = names.parse(look(stb, reading))
    assert isinstance(found, tuple) and all(item.ok for item in found)
    stb.box.state["silent"] = ["192.168.100.1", "8.8.8.8"]
    found = names.parse(look(stb, reading))
    assert isinstance(found, tuple) and not any(item.ok for item in found if item.path != "wan")


# ---- PM2


def test_what_was_started_by_hand(stb: SimulatedHost) -> None:
    (app,) = listed(stb).named("bot-kjp")
    assert app.status == "online" and app.restart_time == 33 and "SSH_TTY" in app.env_names
    assert app.fields["pm_out_log_path"] == "/root/.pm2/logs/bot-kjp-out.log"
    assert health.health(listed(stb), "bot-kjp").sick == ""


def test_a_reload_takes_some_keys_and_never_log_paths(stb: SimulatedHost) -> None:
    (old,) = listed(stb).named("bot-kjp")
    write_ecosystem(
        stb, max_restarts=7, out_file="/root/bot-kjp/logs/o.log", env={"NODE_ENV": "production"}
    )
    assert pm2_does(stb, "reload", ECOSYSTEM, "--only", "bot-kjp", "--update-env") == 0
    (new,) = listed(stb).named("bot-kjp")
    assert new.pid != old.pid and new.restart_time == 34 and new.fields["max_restarts"] == 7
    assert new.fields["pm_out_log_path"] == old.fields["pm_out_log_path"]
    assert new.env == {"NODE_ENV": "production"} and "SSH_TTY" in new.env_names


def test_delete_and_start_take_everything(stb: SimulatedHost) -> None:
    write_ecosystem(stb, min_uptime="10s", out_file="/root/bot-kjp/logs/o.log", restart_delay=0)
    assert pm2_does(stb, "delete", "bot-kjp") == 0
    assert health.health(listed(stb), "bot-kjp").sick == say("pm2.not-listed")
    assert pm2_does(stb, "start", ECOSYSTEM, "--only", "bot-kjp") == 0
    (app,) = listed(stb).named("bot-kjp")
    assert app.fields["min_uptime"] == 10000 and "restart_delay" not in app.fields
    assert app.restart_time == 0 and "SSH_TTY" not in app.env_names
    assert pm2.CONNECTED in stb.real("/root/bot-kjp/logs/o.log").read_text("utf-8")
    assert pm2_does(stb, "delete", "nobody") == 1


@pytest.mark.parametrize(
    ("word", "left"),
    [
        ("bot-kjp", ["wa"]),
        ("shop", ["bot-kjp"]),  # no name, but a namespace
        ("0", ["wa"]),
        ("1", ["bot-kjp"]),
        ("all", []),
        ("/root/bot-kjp/dist/index.js", ["wa"]),
    ],
)
def test_what_a_word_means_to_pm2(stb: SimulatedHost, word: str, left: list[str]) -> None:
    app = stb.box.state["pm2"]["apps"][0]
    more = {**app["fields"], "namespace": "shop", "pm_exec_path": "/root/web.js"}
    stb.box.state["pm2"]["apps"].append({**app, "name": "wa", "pm_id": 1, "fields": more})
    assert pm2_does(stb, "delete", word) == 0
    assert [app["name"] for app in stb.box.state["pm2"]["apps"]] == left


def test_the_daemon_is_told_what_bears_exactly_the_name(stb: SimulatedHost) -> None:
    state = stb.box.state["pm2"]
    state["apps"].append(
        {**state["apps"][0], "name": "panel", "pm_id": 1, "fields": {"namespace": "bot-kjp"}}
    )
    away = ("sh", "-c", scripts.AWAY, "sh", pm2.NODE, pm2.PM2, "bot-kjp")
    for _ in range(2):
        assert act(stb, Run("stb", away, ""))[0].ok
        assert [app["name"] for app in state["apps"]] == ["panel"]
    state["pid"] = 0
    delete = ("sh", "-c", scripts.DELETE, *away[3:])
    assert [act(stb, Run("stb", words, ""))[0].exit_code for words in (delete, away)] == [3, 0]
    assert state["pid"] == 0


def test_a_stuck_app_is_not_reloaded_and_nobody_says_so(stb: SimulatedHost) -> None:
    stb.real("/root/bot-kjp/dist/index.js").write_text(pm2.CRASHES)
    write_ecosystem(stb)
    assert pm2_does(stb, "reload", ECOSYSTEM, "--only", "bot-kjp") == 0
    (stuck,) = listed(stb).named("bot-kjp")
    assert stuck.status == "waiting restart" and health.health(listed(stb), "bot-kjp").sick
    assert pm2_does(stb, "reload", ECOSYSTEM, "--only", "bot-kjp") == 0
    assert listed(stb).named("bot-kjp")[0].pid == stuck.pid
    assert pm2_does(stb, "start", ECOSYSTEM, "--only", "bot-kjp") == 1


def test_a_foreign_or_missing_file_starts_nothing(stb: SimulatedHost) -> None:
    assert pm2_does(stb, "start", ECOSYSTEM) == 1
    stb.real(ECOSYSTEM).write_text("module.exports = {apps: []}")
    assert pm2_does(stb, "start", ECOSYSTEM) == 1
    assert len(listed(stb).apps) == 1


def test_only_what_was_saved_comes_back_after_a_boot(stb: SimulatedHost) -> None:
    assert listed(stb).dump.state == "missing"
    stb.reboot()
    assert listed(stb).apps == ()
    write_ecosystem(stb, max_restarts=7)
    pm2_does(stb, "start", ECOSYSTEM)
    pm2_does(stb, "save")
    assert listed(stb).dump.state == "ok" and listed(stb).dump.apps[0].fields["max_restarts"] == 7
    stb.reboot()
    (app,) = listed(stb).named("bot-kjp")
    assert app.status == "online" and app.fields["max_restarts"] == 7


def test_a_start_is_later_than_a_stamp_before_it(stb: SimulatedHost) -> None:
    stamped = look(stb, ReadClock("stb"))
    assert not health.freshness(listed(stb), "bot-kjp", stamped).well
    write_ecosystem(stb)
    pm2_does(stb, "reload", ECOSYSTEM)
    assert health.freshness(listed(stb), "bot-kjp", stamped).well


def test_logs_and_cpu(stb: SimulatedHost) -> None:
    tail = logs.parse(look(stb, logs.reading("stb", "~pm2/logs/bot-kjp-out.log")))
    assert isinstance(tail, logs.Tail) and pm2.CONNECTED in tail.since(0)[0]
    gone = logs.parse(look(stb, logs.reading("stb", "/root/none.log")))
    assert isinstance(gone, logs.Tail) and gone.size == 0
    load = proc.parse(look(stb, proc.reading("stb", "bot-kjp", 5)))
    assert isinstance(load, proc.Load) and list(load.percent.values()) == [2.0]
    assert not isinstance(proc.parse(look(stb, proc.reading("stb", "nobody", 5))), proc.Load)


# ---- the build


def test_a_build_makes_js_of_ts_and_does_so_even_with_wrong_types(pc: SimulatedHost) -> None:
    root = pc.box.root
    assert pc.type("npx", "--no-install", "tsc", "--noEmit").exit_code == 0
    (root / "src/new.ts").write_text('export const tries: number = "ten";\n')
    checked = pc.type("npx", "--no-install", "tsc", "--noEmit")
    assert checked.exit_code == 2 and b"src/new.ts(1,19): error TS2322" in checked.stdout
    assert not (root / "dist/new.js").exists()
    assert pc.type("npm", "run", "build").exit_code == 2
    assert (root / "dist/new.js").exists()
    assert pc.type("npm", "ci").exit_code == 0
    assert pc.type("npm", "run", "nothing").exit_code == 1
    assert pc.type("npx", "eslint").exit_code == 127
