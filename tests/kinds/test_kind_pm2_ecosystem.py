"""Kind pm2_ecosystem in tables: (spec, file, folders) -> differences, actions, refusals, advice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kjpstate.formats.pm2 import ecosystem, noted
from kjpstate.formats.pm2.declared import Declared
from kjpstate.kinds import pm2_ecosystem
from kjpstate.kinds.pm2_ecosystem import Spec
from kjpstate.model import (
    File,
    MakeDirectory,
    ReadFile,
    ReadStat,
    Refuse,
    Stamp,
    Stat,
    Unreadable,
    WriteFile,
)
from kjpstate.said import say
from kjpstate.secret import Secret
from tests.support.one_kind import (
    advised,
    assess,
    difference,
    fingerprint,
    headline,
    stamp,
    steps,
)

PATH = "/root/bot-kjp/ecosystem.config.js"
LOGS = "/root/bot-kjp/logs"
APP = {
    "name": "bot-kjp",
    "script": "dist/index.js",
    "cwd": "/root/bot-kjp",
    "max_restarts": 15,
    "env": {"NODE_ENV": "production"},
    "out_file": "/root/bot-kjp/logs/out.log",
    "error_file": "/root/bot-kjp/logs/error.log",
}


def spec(path: str = PATH, **app):
    keys = {key: value for key, value in {**APP, **app}.items() if value is not None}
    return Spec("stb", "bot-kjp", path, (Declared("stb", "bot-kjp", path, keys),))


def answers(
    content: bytes | None = None, *, logs: str = "directory", mode: int = 0o644, package: str = ""
):
    found = {
        ReadFile("stb", PATH): None if content is None else File(PATH, content, mode),
        ReadStat("stb", LOGS): Stat(LOGS, logs, 0o755, 0) if logs else None,
    }
    if package:
        where = "/root/bot-kjp/package.json"
        found[ReadFile("stb", where)] = File(where, package.encode(), 0o644)
    return found


def ours(document: str = "bot-kjp", **app) -> bytes:
    return ecosystem.render(document, [one.keys for one in spec(**app).apps])


def differing(spec_, answers_) -> list[str]:
    return [".".join(map(str, item.path)) for item in difference(pm2_ecosystem, spec_, answers_)]


def test_a_new_file_is_written_whole():
    found = steps(pm2_ecosystem, spec(), answers())
    assert found == [WriteFile("stb", PATH, None, ours(), 0o644)]
    told = say("ecosystem.new", path=PATH, count=6)
    assert headline(pm2_ecosystem, spec(), answers()) == told


def test_our_own_file_is_in_sync_however_it_is_laid_out():
    assert differing(spec(), answers(ours())) == []
    spaced = ours().replace(b"\n  ", b"\r\n\t ")
    assert differing(spec(), answers(spaced)) == []


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        ({"max_restarts": 16}, {}, ["apps.bot-kjp.max_restarts"]),
        ({"env": {"NODE_ENV": "x"}}, {}, ["apps.bot-kjp.env.NODE_ENV"]),
        ({"watch": False}, {}, ["left"]),
        ({"env": {"NODE_ENV": "production", "B": "1"}}, {}, ["left"]),
        ({"max_restarts": None}, {}, ["apps.bot-kjp.max_restarts"]),
        ({"max_restarts": True}, {"max_restarts": 1}, ["apps.bot-kjp.max_restarts"]),
        ({"document": "other"}, {}, ["document"]),
    ],
)
def test_what_differs_is_named(old, new, paths):
    before = ours(**old)
    assert differing(spec(**new), answers(before)) == paths
    *noted_first, write = steps(pm2_ecosystem, spec(**new), answers(before))
    assert write == WriteFile("stb", PATH, before, ours(**new), 0o644)
    assert len(noted_first) == (paths == ["left"])


def test_a_foreign_file_is_replaced_whole_and_said_so():
    foreign = b"module.exports = {apps: [{name: 'x', script: require('fs').readFileSync('y')}]}"
    assert steps(pm2_ecosystem, spec(), answers(foreign)) == [
        WriteFile("stb", PATH, foreign, ours(), 0o644)
    ]
    told = say("ecosystem.not-ours", path=PATH, count=6)
    assert headline(pm2_ecosystem, spec(), answers(foreign)) == told


def test_an_app_that_left_the_document_leaves_the_file():
    two = ecosystem.render("bot-kjp", [APP, {"name": "old"}])
    (found,) = difference(pm2_ecosystem, spec(), answers(two))
    assert (found.path, found.actual) == (("left",), ["old"])


def test_what_only_the_old_file_tells_is_noted_before_it_is_rewritten():
    """The notes of the last start are missing, as after a run that was cut before it wrote them."""
    whole = spec()
    (app,) = whole.apps
    old = ecosystem.render(
        "bot-kjp", [{**APP, "watch": False, "env": {"OLD": "1"}}, {**APP, "name": "was"}]
    )
    keys, names, write = steps(pm2_ecosystem, whole, answers(old))
    assert isinstance(keys, Stamp) and isinstance(names, Stamp) and isinstance(write, WriteFile)
    assert keys.name == noted.keys_stamp(app).name and names.name == noted.name_stamp(app).name
    assert keys.values == {"keys": sorted({*APP, "watch"}), "env": ["OLD"]}
    assert names.values == {"names": ["bot-kjp", "was"]}
    stamps = {
        noted.keys_stamp(app): stamp({"keys": [*keys.values["keys"], "more"], "env": ["OLD"]}),
        noted.name_stamp(app): stamp(names.values),
    }
    assert steps(pm2_ecosystem, whole, {**answers(old), **stamps}) == [write]
    assert steps(pm2_ecosystem, whole, {**answers(), **stamps}) == [replace(write, before=None)]


def test_a_missing_log_folder_is_drift_by_itself():
    assert differing(spec(), answers(ours(), logs="")) == [f"folders.{LOGS}"]
    assert steps(pm2_ecosystem, spec(), answers(ours(), logs="")) == [
        MakeDirectory("stb", f"{LOGS}/")
    ]


def test_the_second_reading_is_empty_after_the_actions():
    found = steps(pm2_ecosystem, spec(), answers(None, logs=""))
    content = next(item.after for item in found if isinstance(item, WriteFile))
    assert differing(spec(), answers(content)) == []


@pytest.mark.parametrize(
    ("whole", "seen", "rule"),
    [
        (spec(), answers(package='{"type": "module"}'), "ecosystem-esm"),
        (
            spec(),
            {**answers(), ReadFile("stb", PATH): Unreadable("no permission")},
            "ecosystem-unreadable",
        ),
        (
            spec(),
            {**answers(), ReadFile("stb", PATH): File(PATH, b"", 0o644, symlink="/etc/x")},
            "ecosystem-unreadable",
        ),
        (spec(), answers(logs="file"), "log-folder-taken"),
    ],
)
def test_refusals_say_the_cure(whole, seen, rule):
    (found,) = steps(pm2_ecosystem, whole, seen)
    assert isinstance(found, Refuse) and found.rule == rule and found.cure and found.reason


def test_a_name_that_pm2_would_not_take():
    whole = spec(path="/root/bot-kjp/pm2.json")
    seen = {
        ReadFile("stb", whole.path): None,
        ReadStat("stb", LOGS): Stat(LOGS, "directory", 0o755, 0),
    }
    (found,) = steps(pm2_ecosystem, whole, seen)
    assert isinstance(found, Refuse) and found.rule == "ecosystem-name"


@pytest.mark.parametrize("package", ['{"type": "commonjs"}', "{}", "not json", '["module"]'])
def test_other_packages_do_not_matter(package):
    assert [type(item) for item in steps(pm2_ecosystem, spec(), answers(package=package))] == [
        WriteFile
    ]


def test_the_nearest_package_decides():
    above = ReadFile("stb", "/root/package.json")
    module = File("/root/package.json", b'{"type": "module"}', 0o644)
    assert isinstance(steps(pm2_ecosystem, spec(), {**answers(), above: module})[0], Refuse)
    near = {**answers(package="{}"), above: module}
    assert isinstance(steps(pm2_ecosystem, spec(), near)[0], WriteFile)


def test_a_secret_is_compared_and_never_told():
    whole = spec(env={"KEY": Secret("hunter2")})
    before = ours(env={"KEY": "hunter1"})
    (found,) = difference(pm2_ecosystem, whole, answers(before))
    assert found.path == ("apps", "bot-kjp", "env", "KEY")
    assert "hunter" not in repr(found)
    assert differing(whole, answers(ours(env={"KEY": "hunter2"}))) == []
    assert steps(pm2_ecosystem, whole, answers())[0].mode == 0o600
    assert "hunter1" not in repr(assess(pm2_ecosystem, whole, answers(before)).actual)


def test_advice_points_into_the_section():
    found = advised(pm2_ecosystem, spec(min_uptime="10s"), {})
    assert [(item.rule, item.pointer) for item in found] == [
        ("pm2-gives-up", "/apps/0/max_restarts")
    ]
    secret = spec(env={"KEY": Secret("x")}, exp_backoff_restart_delay=1000, max_restarts=None)
    assert [item.rule for item in advised(pm2_ecosystem, secret, answers(b"", mode=0o644))] == [
        "secrets-readable"
    ]
    assert advised(pm2_ecosystem, secret, answers(b"", mode=0o600)) == []


def test_writes_are_the_file_and_the_folders_themselves():
    assert list(pm2_ecosystem.writes(spec())) == [("stb", PATH), ("stb", LOGS)]


def test_a_changed_file_moves_the_fingerprint():
    before, after = (
        fingerprint(pm2_ecosystem, spec(), answers()),
        fingerprint(pm2_ecosystem, spec(), answers(b"x")),
    )
    assert fingerprint(pm2_ecosystem, spec(), answers(ours())) not in (before, after)
