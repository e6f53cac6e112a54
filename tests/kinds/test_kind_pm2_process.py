"""Kind pm2_process in tables, on answers that a real PM2 7 gave: differences, mechanism, refusals,
advice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kjpstate.apply import describe
from kjpstate.formats.pm2 import ecosystem, noted, probe
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.pm2.probe import App, Daemon, Runner, Seen, Startup
from kjpstate.formats.tree import stamp_name
from kjpstate.kinds import pm2_process
from kjpstate.kinds.pm2_process import Spec, scripts
from kjpstate.kinds.pm2_process.refusals import by_number
from kjpstate.kinds.pm2_process.view import script_stat, tree_stamp
from kjpstate.model import (
    UNKNOWN,
    Await,
    Clock,
    File,
    ReadFile,
    Refuse,
    Run,
    Stamp,
    Stat,
    Unreadable,
)
from kjpstate.said import say
from kjpstate.secret import Secret
from tests.support.one_kind import (
    advised,
    assess,
    difference,
    fingerprint,
    headline,
    rows,
    stamp,
    steps,
)
from tests.support.owner import APP
from tests.support.words import codes, said, values

CASES = Path(__file__).parents[1] / "cases/pm2"
BOOT = "11111111-2222-3333-4444-555555555555"
ECOSYSTEM = "/root/bot-kjp/ecosystem.config.js"
EFFECTIVE = (
    "script",
    "cwd",
    "max_restarts",
    "min_uptime",
    "exp_backoff_restart_delay",
    "restart_delay",
    "log_date_format",
    "error_file",
    "out_file",
)
"""The keys of APP that say something else than PM2 does by itself."""


def spec(*, save: bool = True, tree: str = "", **app):
    keys = {key: value for key, value in {**APP, **app}.items() if value is not None}
    return Spec(Declared("stb", "bot-kjp", ECOSYSTEM, keys, tree), save)


def recorded(name: str) -> Seen:
    seen = probe.parse((CASES / f"{name}.json").read_bytes())
    assert isinstance(seen, Seen)
    return seen


def answers(
    whole, seen: Seen | str, *, clock: Clock | None = None, keys=None, file: bytes | None = None
):
    """All answers for a spec; `clock`: of the tree stamp; `keys`: of the keys stamp."""
    seen = recorded(seen) if isinstance(seen, str) else seen
    app = whole.app
    script = script_stat(app)
    found = {
        probe.reading(app): probe.render(seen),
        script: Stat(script.path, "file", 0o644, 1),
        ReadFile("stb", ECOSYSTEM): None if file is None else File(ECOSYSTEM, file, 0o644),
        noted.keys_stamp(app): None if keys is None else stamp(keys),
    }
    if app.tree:
        ticks = {"boot_id": clock.boot_id, "uptime": clock.uptime} if clock else None
        found[tree_stamp(app)] = stamp({"files": {}, "clock": ticks}) if ticks else None
    return found


def verbs(whole, found, upstream=None) -> list[str]:
    """What would be done, in words; a refusal is `!rule`."""
    said = []
    for step in steps(pm2_process, whole, found, upstream):
        match step:
            case Refuse(rule=rule):
                said.append(f"!{rule}")
            case Run(argv=("sh", "-c", script, *_)):
                said.append(
                    "keep" if "save" in script else "delete" if "delete" in script else "chmod"
                )
            case Run(argv=argv):
                said.append(argv[2])
            case Await():
                said.append("await")
            case Stamp(name=name):
                said.append(name.split("-")[0])
    return said


def differing(whole, found, upstream=None) -> list[str]:
    return [
        ".".join(map(str, item.path)) for item in difference(pm2_process, whole, found, upstream)
    ]


def changed(seen: Seen, **parts) -> Seen:
    """The recorded answer with its first app otherwise."""
    return replace(seen, apps=(replace(seen.apps[0], **parts), *seen.apps[1:]))


def with_fields(seen: Seen, *, saved: bool = False, **fields) -> Seen:
    app = seen.apps[0]
    merged = {key: value for key, value in {**app.fields, **fields}.items() if value is not None}
    seen = changed(seen, fields=merged)
    if saved:
        dump = replace(seen.dump.apps[0], fields=merged)
        seen = replace(seen, dump=replace(seen.dump, apps=(dump,)))
    return seen


REPLACE = ["keep", "delete", "log", "start", "await"]
RELOAD = ["keep", "log", "reload", "await"]
START = ["log", "start", "await"]
STAMPS = ["pm2_process", "pm2_names"]
END = ["save", *STAMPS]


@pytest.mark.parametrize(
    ("case", "done", "head"),
    [
        ("in_sync", [], ["pm2.as-it-should-be"]),
        ("no_daemon", [*START, *END], ["pm2.starts", "pm2.no-daemon"]),
        ("daemon_killed_cleanly", [*START, *STAMPS], ["pm2.starts", "pm2.no-daemon-but-saved"]),
        ("by_hand", [*REPLACE, *END], ["pm2.replaces-for-logs"]),
        ("given_up", [*REPLACE, *END], ["pm2.replaces", "pm2.waits-for-ever"]),
        ("stopped", [*REPLACE, *STAMPS], ["pm2.replaces", "pm2.stopped"]),
        ("other_name", ["!script-runs-twice"], ["pm2.starts", "pm2.not-listed"]),
        ("orphan", ["!script-runs-twice"], ["pm2.starts", "pm2.orphaned"]),
        ("other_home", ["!pm2-other-daemon"], ["pm2.starts", "pm2.no-daemon"]),
    ],
)
def test_what_a_real_pm2_answered(case, done, head):
    whole = spec()
    assert verbs(whole, answers(whole, case)) == done
    assert codes(headline(pm2_process, whole, answers(whole, case))) == head


@pytest.mark.parametrize(
    ("document", "done", "paths"),
    [
        ({"max_restarts": 16}, [*RELOAD, *END], ["settings.max_restarts", "saved"]),
        ({"env": {"NODE_ENV": "test"}}, [*RELOAD, *END], ["env.NODE_ENV", "saved"]),
        ({"env": {"NODE_ENV": "production", "B": "1"}}, [*RELOAD, *END], ["env.B", "saved"]),
        ({"out_file": "/x/o.log"}, [*REPLACE, *END], ["settings.out_file", "saved"]),
        ({"max_restarts": 16, "cwd": "/root"}, [*REPLACE, *END], None),
        ({"instances": 2}, [*REPLACE, *END], ["settings.instances", "saved"]),
        ({"exec_mode": "cluster"}, [*REPLACE, *END], ["settings.exec_mode", "saved"]),
        ({"restart_delay": None}, [], []),
        ({"kill_timeout": 0}, [], []),
        ({"autorestart": False}, [*RELOAD[:-1], *END], ["settings.autorestart", "saved"]),
    ],
)
def test_the_least_that_applies_a_change(document, done, paths):
    whole = spec(**document)
    assert verbs(whole, answers(whole, "in_sync")) == done
    if paths is not None:
        assert differing(whole, answers(whole, "in_sync")) == paths


def test_without_save_the_saved_list_is_not_looked_at():
    whole = spec(save=False)
    seen = replace(recorded("in_sync"), dump=probe.Dump("missing"))
    assert differing(whole, answers(whole, seen)) == []
    assert verbs(whole, answers(whole, "by_hand")) == [*REPLACE, *STAMPS]


@pytest.mark.parametrize(
    ("dump", "code", "reason"),
    [
        (probe.Dump("missing"), "dump-missing", say("pm2.dump-state", state="missing")),
        (probe.Dump("broken"), "dump-broken", say("pm2.dump-state", state="broken")),
        (probe.Dump("ok"), "not-saved", say("pm2.dump-lacks", app="bot-kjp")),
        (
            probe.Dump("ok", apps=(App("bot-kjp", status="stopped"),)),
            "saved-stopped",
            say("pm2.dump-stopped"),
        ),
        (
            probe.Dump("ok", apps=(App("bot-kjp", fields={"watch": False}),)),
            "saved-otherwise",
            say("pm2.dump-otherwise", names=[*EFFECTIVE, "env.NODE_ENV"]),
        ),
    ],
)
def test_a_saved_list_that_would_bring_something_else_back_is_saved_again(dump, code, reason):
    whole, seen = spec(), replace(recorded("in_sync"), dump=dump)
    assert verbs(whole, answers(whole, seen)) == ["save"]
    (found,) = difference(pm2_process, whole, answers(whole, seen))
    assert (found.path, found.actual) == (("saved",), code)
    assert headline(pm2_process, whole, answers(whole, seen)) == say("pm2.saves", why=reason)


# ---- keys and variables that left the document


@pytest.mark.parametrize("evidence", ["stamp", "file"])
def test_what_left_the_document_needs_delete_and_start(evidence):
    whole = spec(restart_delay=None, env=None)
    keys = (
        {"keys": ["restart_delay", "script"], "env": ["NODE_ENV"]} if evidence == "stamp" else None
    )
    file = ecosystem.render("bot-kjp", [APP]) if evidence == "file" else None
    found = answers(whole, "in_sync", keys=keys, file=file)
    paths = differing(whole, found)
    assert paths == ["left", "saved"]
    assert assess(pm2_process, whole, found).actual.values["left"] == [
        "restart_delay",
        "env.NODE_ENV",
    ]
    assert verbs(whole, found) == [*REPLACE, *END]


def test_what_somebody_else_set_stays():
    whole = spec(restart_delay=None)
    foreign = b"module.exports = {apps: [{name: 'bot-kjp', restart_delay: 3000}]}"
    assert differing(whole, answers(whole, "in_sync", file=foreign)) == []


@pytest.mark.parametrize("keys", [{"keys": "all"}, {"keys": [1]}, {}, {"env": {"A": 1}}])
def test_a_damaged_stamp_is_no_evidence(keys):
    whole = spec()
    assert differing(whole, answers(whole, "in_sync", keys=keys)) == []


def test_the_stamp_remembers_what_was_set():
    whole = spec()
    (*_, last, names) = steps(pm2_process, whole, answers(whole, "no_daemon"))
    assert isinstance(names, Stamp) and names.values == {"names": ["bot-kjp"]}
    assert isinstance(last, Stamp) and last.name == stamp_name("pm2_process", "bot-kjp")
    assert last.values["env"] == ["NODE_ENV"] and "max_restarts" in last.values["keys"]


# ---- code

TREE = "/root/bot-kjp/dist/"


def started(seen: Seen) -> float:
    return int(seen.apps[0].start or 0) / seen.clock.ticks


@pytest.mark.parametrize(
    ("offset", "boot", "done"),
    [(-1, BOOT, []), (0, BOOT, RELOAD), (1, BOOT, RELOAD), (1, "another", [])],
)
def test_code_older_than_its_files_is_reloaded(offset, boot, done):
    whole, seen = spec(tree=TREE), recorded("in_sync")
    clock = Clock(boot, f"{started(seen) + offset:.2f}")
    expected = [*done, *STAMPS] if done else []
    assert verbs(whole, answers(whole, seen, clock=clock)) == expected


def test_code_without_a_stamp_is_owed_once():
    whole = spec(tree=TREE)
    assert differing(whole, answers(whole, "in_sync")) == ["code"]


def test_code_that_this_plan_will_write_is_unknown():
    whole, seen = spec(tree=TREE), recorded("in_sync")
    found = answers(whole, seen, clock=Clock("another", "1.00"))
    for path in (TREE, f"{TREE}index.js", "/root/bot-kjp/"):
        (item,) = difference(pm2_process, whole, found, {("stb", path): UNKNOWN})
        assert item.path == ("code",) and item.desired is UNKNOWN
        assert verbs(whole, found, {("stb", path): UNKNOWN}) == [*RELOAD, *STAMPS]
    assert differing(whole, found, {("pc", TREE): UNKNOWN, ("stb", "/root/other/"): UNKNOWN}) == []
    told = headline(pm2_process, whole, found, {("stb", TREE): UNKNOWN})
    assert told == say("pm2.reloads", why=[say("pm2.new-code")])


def test_an_app_that_ended_by_itself_does_not_run_old_code():
    whole = spec(tree=TREE, autorestart=False)
    seen = with_fields(recorded("stopped"), saved=True, autorestart=False)
    assert differing(whole, answers(whole, seen)) == []


# ---- refusals


def refused(whole, seen, **more) -> Refuse:
    (found,) = steps(pm2_process, whole, answers(whole, seen, **more))
    assert isinstance(found, Refuse), found
    return found


IN_SYNC = recorded("in_sync")
DAEMON = IN_SYNC.daemon or Daemon()


@pytest.mark.parametrize(
    ("seen", "rule", "reason"),
    [
        (replace(IN_SYNC, proc=False), "pm2-not-linux", say("pm2-not-linux")),
        (Seen(node=""), "pm2-missing", say("pm2-missing.node", user=say("pm2.this-user"))),
        (replace(IN_SYNC, pm2=""), "pm2-missing", say("pm2-missing", user="root")),
        (
            replace(IN_SYNC, socket="denied"),
            "pm2-other-daemon",
            say("pm2-other-daemon", home="/root/.pm2", owner="root", user="root"),
        ),
        (
            replace(IN_SYNC, daemon=replace(DAEMON, uid=1000, user="pi")),
            "pm2-other-daemon",
            say("pm2-other-daemon", home="/root/.pm2", owner="pi", user="root"),
        ),
        (
            replace(IN_SYNC, more=1),
            "pm2-two-daemons",
            say("pm2-two-daemons", count=2, home="/root/.pm2"),
        ),
        (
            replace(IN_SYNC, socket="silent", apps=()),
            "pm2-silent",
            say("pm2-silent", pid=DAEMON.pid, home="/root/.pm2", socket="silent"),
        ),
        (replace(IN_SYNC, error="TypeError: x"), "pm2-unreadable", "TypeError: x"),
    ],
)
def test_where_acting_would_be_guessing(seen, rule, reason):
    found = refused(spec(), seen)
    assert found.rule == rule and found.reason == reason


def test_a_probe_that_did_not_answer_is_refused():
    whole = spec()
    found = {**answers(whole, "in_sync"), probe.reading(whole.app): Unreadable("timed out")}
    (step,) = steps(pm2_process, whole, found)
    assert isinstance(step, Refuse) and step.rule == "pm2-unreadable"
    assert step.reason == say("pm2-unreadable", why="timed out")


@pytest.mark.parametrize("name", ["all", "0", "12", "/bot/", "-f", "My Bot", "a,b"])
def test_names_that_pm2_reads_otherwise(name):
    assert refused(spec(name=name), "in_sync").rule == "pm2-name"


def test_a_script_that_is_not_there():
    whole = spec()
    found = {**answers(whole, "in_sync"), script_stat(whole.app): None}
    (step,) = steps(pm2_process, whole, found)
    assert isinstance(step, Refuse) and step.rule == "script-missing"
    owed = {("stb", "/root/bot-kjp/dist/"): UNKNOWN}
    assert not any(isinstance(item, Refuse) for item in steps(pm2_process, whole, found, owed))


def test_a_program_on_the_path_needs_no_file():
    whole = spec(script="npm", args="start")
    found = {**answers(whole, "no_daemon"), script_stat(whole.app): None}
    assert verbs(whole, found) == [*START, *END]


def test_a_save_that_would_forget_others_is_refused_only_when_it_is_due():
    dump = IN_SYNC.dump
    more = replace(IN_SYNC, dump=replace(dump, apps=(*dump.apps, App("fintrack", fields={}))))
    whole = spec(max_restarts=16)
    assert differing(spec(), answers(spec(), more)) == []
    found = refused(whole, more)
    assert found.rule == "pm2-list-incomplete"
    assert found.reason == say("pm2-list-incomplete", apps=["fintrack"])
    alive = replace(more, apps=(*more.apps, App("fintrack", 1, 99, "5", "online")))
    assert verbs(whole, answers(whole, alive)) == [*RELOAD, *END]


@pytest.mark.parametrize("known_by", ["stamp", "file"])
def test_a_new_name_does_not_leave_the_old_bot_running(known_by):
    """`old-bot` runs the script; we started it, and the document calls it otherwise now."""
    whole, seen = spec(), recorded("other_name")
    (old,) = {app.name for app in seen.apps}
    found = answers(whole, seen)
    if known_by == "stamp":
        found[noted.name_stamp(whole.app)] = stamp({"names": [old]})
    else:
        before = ecosystem.render("bot-kjp", [{**APP, "name": old}])
        found[ReadFile("stb", ECOSYSTEM)] = File(ECOSYSTEM, before, 0o644)
    new = {("stb", ECOSYSTEM): ecosystem.render("bot-kjp", [APP])}
    assert verbs(whole, found, new) == ["keep", "delete", "log", "start", "await", *END]
    assert headline(pm2_process, whole, found, new) == say("pm2.renames", names=[old])
    deletes = next(
        step
        for step in steps(pm2_process, whole, found, new)
        if isinstance(step, Run) and step.undo
    )
    assert (
        deletes.argv[-1] == old
        and deletes.argv[2] == scripts.DELETE
        and deletes.replaces
        and deletes.undo[0][2] == scripts.BACK
        and describe(deletes) == say("pm2.delete-renamed", app=old)
    )
    assert verbs(replace(whole, beside=(old,)), found, new) == [*START, *END]


def test_a_delete_is_told_in_words_and_not_as_its_script():
    told = [describe(step) for step in steps(pm2_process, spec(), answers(spec(), "by_hand"))]
    assert say("pm2.delete", app=APP["name"]) in told


OLD_UNDO = (
    'n=0; while "$1" "$2" delete "$3" >/dev/null 2>&1 && [ $n -lt 9 ]; do n=$((n + 1)); done; '
)


@pytest.mark.parametrize(
    ("noted_script", "today", "code"),
    [
        (OLD_UNDO + ":", scripts.AWAY, "pm2.taken-out"),
        (OLD_UNDO + 'PM2_DUMP_FILE_PATH=$4 "$1" "$2" resurrect', scripts.BACK, "pm2.as-it-was"),
        (scripts.AWAY, scripts.AWAY, "pm2.taken-out"),
        (scripts.BACK, scripts.BACK, "pm2.as-it-was"),
    ],
)
def test_an_undo_that_an_older_version_noted_is_done_as_today(noted_script, today, code):
    rest = ("sh", "/n/node", "/m/pm2", "wa", "/h/dump.pm2.kjpstate-wa")
    found = pm2_process.rewound(("sh", "-c", noted_script, *rest), {"PM2_HOME": "/h"}, "0a1b2c")
    assert found is not None
    keep, undo, redo, why = found
    assert why == say(code, app="wa")
    assert undo == ("sh", "-c", today, *rest) and keep[2] == scripts.KEEP
    assert redo == ("sh", "-c", scripts.BACK, *rest[:4], "/h/dump.pm2.kjpstate-wa.0a1b2c")


@pytest.mark.parametrize(
    "argv", [("systemctl", "restart", "x"), ("sh", "-c", "echo delete", *"abcd"), ("sh",)]
)
def test_another_undo_is_none_of_pm2s(argv):
    assert pm2_process.rewound(argv, {}, "0a1b2c") is None


def test_a_name_that_is_not_ours_is_not_deleted():
    whole, found = spec(), answers(spec(), "other_name")
    old = recorded("other_name").apps[0].name
    theirs = ecosystem.render("another", [{**APP, "name": old}])
    found[ReadFile("stb", ECOSYSTEM)] = File(ECOSYSTEM, theirs, 0o644)
    new = {("stb", ECOSYSTEM): ecosystem.render("bot-kjp", [APP])}
    assert verbs(whole, found, new) == ["!script-runs-twice"]


def test_apps_of_the_same_document_may_share_a_script():
    seen = recorded("other_name")
    whole = replace(spec(), beside=("old-name",))
    assert verbs(whole, answers(whole, seen))[0] != "!script-runs-twice"
    listed = replace(IN_SYNC, startup=(UNIT,), apps=(*IN_SYNC.apps, replace(seen.apps[0], pm_id=7)))
    assert rules(whole, listed) == []
    assert rules(spec(), listed) == ["script-runs-twice"]


def test_the_same_script_in_another_folder_is_another_bot():
    seen = recorded("other_name")
    moved = replace(seen.apps[0], fields={**seen.apps[0].fields, "pm_cwd": "/root/second"})
    whole = spec()
    runners = tuple(replace(runner, cwd="/root/second") for runner in seen.runners)
    assert verbs(whole, answers(whole, replace(seen, apps=(moved,), runners=runners)))[0] == "log"


def listed_npm(name: str, *args: str, pm_id: int = 0) -> App:
    fields = {"pm_exec_path": "/usr/bin/npm", "pm_cwd": "/root/bot-kjp", "args": list(args)}
    return App(name, pm_id, 700 + pm_id, "5", "online", fields=fields)


@pytest.mark.parametrize(
    ("runs", "before", "done"),
    [
        (["old start"], ["old"], ["keep", "delete", *START]),
        (
            ["old run start"],
            ["old"],
            ["keep", "delete", *START],
        ),  # another argument, but ours by its name
        (["old start"], [], ["!script-runs-twice"]),
        (["web run web"], [], START),
        (["old start", "web run web"], ["old", "web"], ["keep", "delete", *START]),
    ],
)
def test_a_program_of_path_is_known_again(runs, before, done):
    """`npm start`; PM2's list has /usr/bin/npm, and the same folder."""
    whole = spec(script="npm", args="start", save=False)
    apps = [listed_npm(*line.split(), pm_id=at) for at, line in enumerate(runs)]
    found = answers(whole, replace(IN_SYNC, apps=tuple(apps), runners=()))
    found[noted.name_stamp(whole.app)] = stamp({"names": before})
    assert verbs(whole, found)[: len(done)] == done
    deletes = [step.argv[-1] for step in steps(pm2_process, whole, found) if isinstance(step, Run)][
        1:-1
    ]
    assert deletes == ([before[0]] if "delete" in done else [])


def test_of_several_sessions_the_one_with_these_arguments_was_it():
    """session-1 and -2 are renamed at once: each new one takes its own old one
    away, and no other."""
    fields = {"pm_exec_path": "/root/bot-kjp/dist/index.js", "pm_cwd": "/root/bot-kjp"}
    apps = tuple(
        App(f"session-{at}", at, 700 + at, "5", "online", fields={**fields, "args": [str(at)]})
        for at in (1, 2)
    )
    for at in (1, 2):
        whole = replace(spec(name=f"wa-{at}", args=str(at), save=False), beside=(f"wa-{3 - at}",))
        found = answers(whole, replace(IN_SYNC, apps=apps, runners=()))
        found[noted.name_stamp(whole.app)] = stamp({"names": ["session-1", "session-2"]})
        done = steps(pm2_process, whole, found)
        assert [step.argv[-1] for step in done if isinstance(step, Run)][1:-1] == [f"session-{at}"]


def test_what_another_app_of_pm2_started_is_a_second_bot():
    """`pm2 start npm -- start` runs it as a grandchild, of which the list says nothing."""
    whole, npm = spec(), listed_npm("shop", "start", pm_id=3)
    for runner in (
        Runner(99, npm.pid, 0, "/root/bot-kjp"),
        Runner(99, 98, 0, "/root/bot-kjp", (npm.pid, 1)),
    ):
        found = refused(whole, replace(IN_SYNC, apps=(npm,), runners=(runner,)))
        assert found.rule == "script-runs-twice" and found.cure == "pm2 delete 3"
        what = say("script-runs-twice.app", app="shop", number=3)
        script = "/root/bot-kjp/dist/index.js"
        assert found.reason == say("script-runs-twice", script=script, what=what)


def test_a_folder_behind_a_link_is_that_folder():
    places = probe.Places({"/root/bot-kjp": "/mnt/disk/bot"})
    by_hand = Runner(99, 1, 0, "/mnt/disk/bot")
    app = replace(
        recorded("other_name").apps[0],
        fields={"pm_exec_path": "/mnt/disk/bot/dist/index.js", "pm_cwd": "/mnt/disk/bot"},
    )
    for more in ({"runners": (by_hand,)}, {"apps": (app,)}):
        seen = replace(IN_SYNC, places=places, **{"apps": (), "runners": (), **more})
        assert refused(spec(), seen).rule == "script-runs-twice"
    there = Daemon(9, 0, "pi", "6.0.14", "/home/pi/.pm2", "", "alive", (app.fields,))
    seen = replace(IN_SYNC, places=places, apps=(), runners=(), others=(there,))
    assert refused(spec(), seen).rule == "pm2-other-daemon"


def test_an_app_adopted_behind_a_link_is_in_sync():
    def moved(value):
        return value.replace("/root/bot-kjp", "/mnt/disk/bot") if isinstance(value, str) else value

    fields = {key: moved(value) for key, value in IN_SYNC.apps[0].fields.items()}
    seen = with_fields(IN_SYNC, saved=True, **fields)
    assert differing(spec(), answers(spec(), seen)) != []
    seen = replace(seen, places=probe.Places({"/root/bot-kjp": "/mnt/disk/bot"}))
    assert differing(spec(), answers(spec(), seen)) == []


@pytest.mark.parametrize(
    ("others", "line"),
    [
        ([], "pm2 delete 3"),
        ([App("wa", 4, fields={"namespace": "shop"})], "pm2 delete 3"),
        ([App("3", 4)], "pm2 delete '/^a\\.b$/'"),
        ([App("wa", 4, fields={"namespace": "3"})], "pm2 delete '/^a\\.b$/'"),
    ],
)
def test_the_line_that_deletes_one_app_and_no_other(others, line):
    app = App("a.b", 3)
    assert by_number(app, [app, *others]) == line


def test_children_of_the_bot_are_no_second_bot():
    app = IN_SYNC.apps[0]
    child = Runner(99, app.pid, 0, "/root/bot-kjp")
    grandchild = Runner(100, 99, 0, "/root/bot-kjp")
    whole = spec()
    seen = replace(
        IN_SYNC, runners=(Runner(app.pid, DAEMON.pid, 0, "/root/bot-kjp"), child, grandchild)
    )
    assert not [
        item for item in advised(pm2_process, whole, answers(whole, seen)) if "twice" in item.rule
    ]


# ---- what is never shown, and what the commands are given


def test_no_value_of_an_environment_is_shown():
    whole = spec(env={"KEY": Secret("hunter2"), "NODE_ENV": "production"})
    seen = changed(IN_SYNC, env={"KEY": "hunter1", "NODE_ENV": "production"})
    found = answers(whole, seen)
    (item, _) = difference(pm2_process, whole, found)
    assert item.path == ("env", "KEY") and "hunter" not in repr(item)
    assert "hunter" not in str(headline(pm2_process, whole, found))
    changes = said("pm2.variables-change", names=["env.KEY"], count=1)
    assert rows(pm2_process, whole, found) == [changes]
    actions = steps(pm2_process, whole, found)
    assert "hunter" not in repr(actions) and verbs(whole, found) == [
        *RELOAD,
        "save",
        "chmod",
        *STAMPS,
    ]


def test_every_command_has_whole_paths_and_a_clean_environment():
    whole = spec()
    for action in steps(pm2_process, whole, answers(whole, "by_hand")):
        if isinstance(action, Run):
            assert "/usr/bin/node" in action.argv
            assert set(action.clean_env or ()) == {
                "HOME",
                "USER",
                "LOGNAME",
                "PATH",
                "LANG",
                "PM2_HOME",
            }
            assert action.timeout <= 120


def test_a_delete_knows_the_way_back_and_the_save_names_what_it_writes():
    whole = spec()
    runs = [
        step
        for step in steps(pm2_process, whole, answers(whole, "by_hand"))
        if isinstance(step, Run)
    ]
    keep, delete, start, save = runs
    assert (
        keep.writes == ()
        and delete.replaces
        and not start.undo
        and save.writes == ("/root/.pm2/dump.pm2",)
    )
    ((*_, name, kept),) = delete.undo
    assert name == "bot-kjp" and kept == keep.argv[-1] == "/root/.pm2/dump.pm2.kjpstate-bot-kjp"


def test_the_wait_knows_the_old_process():
    whole = spec(max_restarts=16)
    (wait,) = (
        step
        for step in steps(pm2_process, whole, answers(whole, "in_sync"))
        if isinstance(step, Await)
    )
    args = dict(wait.args)
    assert args["not_pids"] == (IN_SYNC.apps[0].pid,) and args["min_uptime_ms"] == 10_000
    assert wait.timeout > 10 and wait.reading == probe.reading(whole.app)


def test_what_ticks_is_not_fingerprinted():
    whole = spec(tree=TREE)
    one = fingerprint(pm2_process, whole, answers(whole, IN_SYNC, clock=Clock(BOOT, "1.00")))
    later = changed(IN_SYNC, pid=4711, start="99999999", restart_time=9, status="stopping")
    assert fingerprint(pm2_process, whole, answers(whole, later, clock=Clock(BOOT, "2.00"))) == one
    other = with_fields(IN_SYNC, max_restarts=3)
    assert fingerprint(pm2_process, whole, answers(whole, other, clock=Clock(BOOT, "1.00"))) != one


# ---- advice


def rules(whole, seen) -> list[str]:
    return [item.rule for item in advised(pm2_process, whole, answers(whole, seen))]


UNIT = Startup("pm2-root.service", True, "root", "/root/.pm2", "/usr/bin/pm2", True)


@pytest.mark.parametrize(
    ("units", "reason"),
    [
        ((), say("pm2-not-at-boot")),
        ((replace(UNIT, enabled=False),), say("pm2-not-at-boot.not-enabled", unit=UNIT.unit)),
        (
            (replace(UNIT, exec_exists=False),),
            say("pm2-not-at-boot.gone", unit=UNIT.unit, program="/usr/bin/pm2"),
        ),
        (
            (replace(UNIT, home="/home/pi/.pm2"),),
            say(
                "pm2-not-at-boot.other-home",
                unit=UNIT.unit,
                other="/home/pi/.pm2",
                home="/root/.pm2",
            ),
        ),
        ((UNIT,), None),
    ],
)
def test_whether_a_reboot_brings_pm2_back(units, reason):
    whole = spec()
    found = advised(pm2_process, whole, answers(whole, replace(IN_SYNC, startup=units)))
    assert [item.rule for item in found] == (["pm2-not-at-boot"] if reason else [])
    assert all(item.reason == reason and item.severity == "note" for item in found)
    assert all(item.cure == "pm2 startup systemd -u root --hp /root" for item in found)
    assert rules(spec(save=False), replace(IN_SYNC, startup=units)) == []


def test_an_app_that_a_reboot_forgets_is_told_even_when_nobody_asked_for_a_save():
    whole = spec(save=False)
    seen = replace(IN_SYNC, dump=replace(IN_SYNC.dump, apps=()))
    (found,) = advised(pm2_process, whole, answers(whole, seen))
    assert found.rule == "pm2-not-at-boot"
    assert found.reason == say("pm2-not-at-boot.forgets", app="bot-kjp")
    assert found.cure == say("pm2-not-at-boot.forgets.cure")


def test_the_startup_command_of_somebody_who_is_not_root():
    pi = replace(IN_SYNC.user, uid=1000, name="pi", home="/home/pi")
    seen = replace(
        IN_SYNC, startup=(), user=pi, home="/srv/pm2", node="/opt/n/bin/node", pm2="/opt/n/bin/pm2"
    )
    found = advised(pm2_process, spec(), answers(spec(), seen))[0]
    assert found.cure == (
        "sudo env PATH=$PATH:/opt/n/bin PM2_HOME=/srv/pm2 /opt/n/bin/pm2 startup systemd -u pi "
        "--hp /home/pi"
    )


def test_variables_that_a_start_would_lose_are_named():
    whole, seen = spec(), replace(recorded("by_hand"), startup=(UNIT,))
    (found,) = advised(pm2_process, whole, answers(whole, seen))
    (names,) = values(found.reason, "names")
    assert found.rule == "env-not-kept" and "GEMINI_KEY" in names and "SSH_TTY" not in names
    assert rules(spec(env={"GEMINI_KEY": "x"}), seen) == []


def test_a_saved_list_with_secrets_that_others_may_read():
    whole = spec(env={"KEY": Secret("x"), "NODE_ENV": "production"})
    seen = replace(IN_SYNC, startup=(UNIT,), dump=replace(IN_SYNC.dump, mode="0644"))
    assert rules(whole, seen) == ["secrets-readable"]
    assert rules(spec(), seen) == []


def test_a_second_bot_and_an_old_daemon():
    orphan = Runner(77, 1, 0, "/root/bot-kjp")
    seen = replace(
        IN_SYNC, startup=(UNIT,), runners=(orphan,), daemon=replace(DAEMON, version="5.4.3")
    )
    assert rules(spec(), seen) == ["script-runs-twice", "pm2-versions-differ"]


def test_a_daemon_whose_list_nobody_shows_us_is_named():
    other = Daemon(9, 1000, "pi", "6.0.14", "/home/pi/.pm2", socket="denied")
    nothing = replace(recorded("no_daemon"), startup=(UNIT,), others=(other,))
    (found,) = advised(pm2_process, spec(), answers(spec(), nothing))
    told = {"owner": "pi", "home": "/home/pi/.pm2", "user": "root", "app": "bot-kjp"}
    assert found.rule == "pm2-other-daemon"
    assert found.reason == say("pm2-other-daemon.unseen", **told)
    assert rules(spec(), replace(IN_SYNC, startup=(UNIT,), others=(other,))) == []


def test_no_advice_without_answers():
    assert advised(pm2_process, spec(), {}) == []


def test_the_kind_writes_nothing_itself():
    assert list(pm2_process.writes(spec())) == []
