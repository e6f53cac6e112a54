"""One app three times: where the columns differ, what stands in them, what must not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kjpstate.formats.pm2 import ecosystem
from kjpstate.formats.pm2.columns import SET, Row, columns
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.pm2.probe import App, Dump, Seen
from kjpstate.model import File
from kjpstate.said import say
from kjpstate.secret import Secret

APP = {
    "name": "bot",
    "script": "dist/index.js",
    "cwd": "/bot",
    "max_restarts": 15,
    "env": {"KEY": "one"},
}
DECLARED = Declared("stb", "d", "/bot/ecosystem.config.js", APP)
FIELDS = {
    "pm_exec_path": "/bot/dist/index.js",
    "pm_cwd": "/bot",
    "max_restarts": 15,
    "exec_interpreter": "node",
    "pm_out_log_path": "/root/.pm2/logs/bot-out.log",
    "merge_logs": True,
}
RUNS = App("bot", 0, 5, "9", "online", fields=FIELDS, env={"KEY": "one"}, env_names=("KEY", "PATH"))
SEEN = Seen(socket="alive", home="/root/.pm2", apps=(RUNS,), dump=Dump("ok", "0600", (RUNS,)))


def file_of(app=APP) -> File:
    return File(DECLARED.ecosystem, ecosystem.render("d", [app]), 0o600)


def differing(seen=SEEN, file=None, app=DECLARED) -> dict[str, Row]:
    found = columns(app, seen, file_of() if file is None else file)
    return {row.name: row for row in found.rows if row.differs}


def acting(**fields) -> Seen:
    return replace(SEEN, apps=(replace(RUNS, fields={**FIELDS, **fields}),))


def test_all_three_alike():
    found = columns(DECLARED, SEEN, file_of())
    assert (found.running, found.file, found.saved) == ("", "", "")
    assert [row.name for row in found.rows] == [
        "status",
        "script",
        "cwd",
        "max_restarts",
        "env.KEY",
    ]
    assert not any(row.differs for row in found.rows)


@pytest.mark.parametrize(
    ("seen", "row"),
    [
        (acting(max_restarts=3), Row("max_restarts", 3, 15, 15, True)),
        (acting(pm_cwd="/other"), Row("cwd", "/other", "/bot", "/bot", True)),
        # what a reload leaves in look-alike fields is not looked at; what acts is
        (acting(cwd="/other", script="x.js"), None),
        (acting(watch=["src"]), Row("watch", ["src"], None, False, True)),
        (acting(pm_out_log_path="/root/.pm2/logs/bot-out-3.log"), None),
        (
            acting(pm_out_log_path="/elsewhere.log"),
            Row("out_file", "/elsewhere.log", None, "/root/.pm2/logs/bot-out.log", True),
        ),
        (replace(SEEN, dump=Dump("ok", "", (replace(RUNS, status="stopped"),))), "status"),
        (replace(SEEN, apps=(replace(RUNS, status="errored"),)), None),
    ],
)
def test_one_that_differs(seen, row):
    found = differing(seen)
    if row is None:
        assert found == {}
    else:
        assert list(found) == [row if isinstance(row, str) else row.name]
        if isinstance(row, Row):
            shown = found[row.name]
            assert (shown.running, shown.file) == (row.running, row.file)


def test_a_variable_is_a_secret_wherever_it_stands():
    changed = replace(SEEN, apps=(replace(RUNS, env={"KEY": "two"}),))
    (row,) = differing(changed).values()
    assert row == Row("env.KEY", Secret("two"), Secret("one"), Secret("one"), True)
    assert "two" not in repr(row) and "one" not in repr(row)


def test_a_variable_whose_value_nobody_asked_for_is_there():
    more = {**APP, "env": {"KEY": "one", "PATH": "/bin"}}
    found = columns(DECLARED, SEEN, file_of(more))
    (row,) = [row for row in found.rows if row.name == "env.PATH"]
    assert (row.running, row.saved, row.differs) == (SET, SET, False)


@pytest.mark.parametrize(
    ("seen", "file", "empty"),
    [
        (replace(SEEN, socket="missing", apps=()), file_of(), (say("pm2.no-daemon"), "", "")),
        (replace(SEEN, apps=()), file_of(), (say("pm2.not-listed"), "", "")),
        (
            SEEN,
            File("x", b"module.exports = { apps: [] }", 0o644),
            ("", say("pm2.file-not-ours"), ""),
        ),
        (SEEN, file_of({"name": "other", "script": "x"}), ("", say("pm2.file-without-it"), "")),
        (replace(SEEN, dump=Dump("ok")), file_of(), ("", "", say("pm2.not-saved"))),
        (
            replace(SEEN, dump=Dump("broken")),
            file_of(),
            ("", "", say("pm2.dump-state", state="broken")),
        ),
    ],
)
def test_an_empty_column_says_why(seen, file, empty):
    found = columns(DECLARED, seen, file)
    assert (found.running, found.file, found.saved) == empty


def test_no_file_at_all():
    found = columns(DECLARED, SEEN, None)
    assert found.file == say("pm2.no-file")
    assert {row.name: row.running for row in found.rows}["max_restarts"] == 15
    assert not any(row.differs for row in found.rows)
    other = replace(
        SEEN, dump=Dump("ok", "", (replace(RUNS, fields={**FIELDS, "max_restarts": 4}),))
    )
    rows = {row.name for row in columns(DECLARED, other, None).rows if row.differs}
    assert rows == {"max_restarts"}
