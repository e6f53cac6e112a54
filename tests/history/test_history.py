"""The file of past runs: what goes in comes out, equal checks are counted, it stays small, and it
is ours."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kjpstate import history
from kjpstate.history import FILE, Item, Past, Wanted
from kjpstate.history.runs import Limits
from kjpstate.history.schema import APPLICATION, MIGRATIONS, VERSION, migrate
from kjpstate.said import Said, say

START = datetime(2026, 3, 1, tzinfo=UTC)
DRIFT = Item("stb", "dns", "drift", "servers", "servers (none) -> 8.8.8.8")


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests cut no power."""
    monkeypatch.setattr("kjpstate.history.store._SYNC", "OFF")


def at(minutes: float) -> str:
    """A time so many minutes after the first."""
    return (START + timedelta(minutes=minutes)).strftime("%Y%m%dT%H%M%SZ")


def past(number: int, minutes: float = 0, **changes) -> Past:
    """A check that found nothing."""
    made = Past(
        id=f"{number:06x}",
        verb="drift",
        document="bot-kjp",
        path="/home/kjp/kjpstate.yaml",
        digest="d" * 64,
        who="kjp@laptop",
        started=at(minutes),
        seconds=1.5,
        exit_code=0,
        hosts=("pc", "stb"),
    )
    return replace(made, **changes)


def all_of(folder: Path, **wanted) -> tuple[Past, ...]:
    """The runs, and no trouble."""
    found = history.runs(folder, Wanted(**wanted))
    assert found.trouble == ""
    return found.value


def test_what_goes_in_comes_out(tmp_path: Path):
    run = past(
        1,
        verb="apply",
        exit_code=7,
        said="stopped",
        scope="--only dns",
        items=(DRIFT, Item("", "AC1", "failed", "check", "no such text")),
        backups=(("stb", "/etc/systemd/resolved.conf", "/etc/systemd/resolved.conf.backup.x"),),
    )
    assert history.note(tmp_path, run) == ""
    assert all_of(tmp_path) == (replace(run, last=run.started),)
    assert history.run(tmp_path, "0000").value == all_of(tmp_path)
    assert history.run(tmp_path, "f").value == ()
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_without_a_file_nothing_is_found_and_none_is_made(tmp_path: Path):
    assert all_of(tmp_path) == ()
    assert history.run(tmp_path, "aa").value == ()
    assert list(tmp_path.iterdir()) == []


def test_equal_checks_are_one_row_with_a_count(tmp_path: Path):
    for number in range(1000):
        assert history.note(tmp_path, past(number, number * 10, seconds=number)) == ""
    (run,) = all_of(tmp_path)
    assert (run.id, run.times, run.started, run.last, run.seconds) == (
        "000000",
        1000,
        at(0),
        at(9990),
        999,
    )


def test_a_finding_in_other_words_is_the_same_and_has_the_newest_words(tmp_path: Path):
    dead = Item("stb", "pm2_process.bot", "drift", "alive", "dead for 10 s")
    history.note(tmp_path, past(1, exit_code=2, items=(dead,)))
    history.note(
        tmp_path, past(2, 10, exit_code=2, items=(replace(dead, reason="dead for 610 s"),))
    )
    (run,) = all_of(tmp_path)
    assert (run.times, run.items[0].reason) == (2, "dead for 610 s")


@pytest.mark.parametrize(
    ("minutes", "changes"),
    [
        (10, {"exit_code": 2, "items": (DRIFT,)}),
        (10, {"digest": "e" * 64}),
        (10, {"who": "sister@laptop"}),
        (10, {"scope": "--limit stb"}),
        (10, {"path": "/other.yaml"}),
        (60 * 27, {}),
        (-10, {}),
        (10, {"verb": "apply"}),
        (10, {"verb": "plan"}),
    ],
    ids=[
        "drift",
        "document",
        "person",
        "scope",
        "path",
        "a gap",
        "a clock set back",
        "apply",
        "plan",
    ],
)
def test_anything_new_is_a_row_of_its_own(tmp_path: Path, minutes: float, changes: dict):
    history.note(tmp_path, past(1))
    history.note(tmp_path, past(2, minutes, **changes))
    assert [run.times for run in all_of(tmp_path)] == [1, 1]


def test_other_checks_between_do_not_end_a_row_and_an_apply_does(tmp_path: Path):
    for number in range(4):
        history.note(tmp_path, past(number, number * 10))
        history.note(tmp_path, past(number + 100, number * 10 + 1, verb="verify"))
    assert [(run.verb, run.times) for run in all_of(tmp_path)] == [("verify", 4), ("drift", 4)]
    history.note(tmp_path, past(200, 50, verb="apply"))
    history.note(tmp_path, past(201, 60))
    assert [run.verb for run in all_of(tmp_path)] == ["drift", "apply", "verify", "drift"]


def test_what_is_asked_for(tmp_path: Path):
    history.note(tmp_path, past(1))
    history.note(tmp_path, past(2, 10, verb="apply", exit_code=7))
    history.note(tmp_path, past(3, 20, document="other", hosts=("box[10.0.0.1]",)))

    def ids(**wanted) -> list[str]:
        return [run.id for run in all_of(tmp_path, **wanted)]

    assert ids() == ["000003", "000002", "000001"]
    assert ids(most=1) == ["000003"]
    assert ids(document="bot-kjp") == ["000002", "000001"]
    history.note(tmp_path, past(4, 30, document="", exit_code=65, path="/broken.yaml"))
    assert ids(document="bot-kjp", path="/broken.yaml") == ["000004", "000002", "000001"]
    assert ids(path="/broken.yaml", failed=True, most=1) == ["000004"]
    assert ids(verbs=("apply", "rollback")) == ["000002"]
    assert ids(failed=True) == ["000004", "000002"]
    assert ids(since=at(25)) == ["000004"]
    assert ids(host="box") == ids(host="box[10.0.0.1]") == ["000003"]
    assert ids(host="stb", most=1, verbs=("apply",)) == ["000002"]


def test_what_is_too_much_or_too_old_goes_and_the_newest_always_stay(tmp_path: Path):
    limits = Limits(looks=40, acts=5, looks_for=timedelta(days=30), always=20)
    for number in range(160):
        history.note(
            tmp_path, past(number, number * 1440, verb="plan" if number % 4 else "apply"), limits
        )
    found = all_of(tmp_path)
    looks = [run for run in found if run.verb == "plan"]
    assert len([run for run in found if run.verb == "apply"]) <= 5 + 16
    assert 20 <= len(looks) <= 40
    # A clock that jumps far ahead takes no more than what is beyond the newest few.
    for number in range(200, 232):
        history.note(tmp_path, past(number, 10_000_000, verb="plan"), limits)
    assert len([run for run in all_of(tmp_path) if run.verb == "plan"]) >= 20


def test_a_run_with_thousands_of_results_is_bounded(tmp_path: Path):
    items = tuple(Item("stb", f"patch.{number}", "drift", "", "x" * 5000) for number in range(3000))
    history.note(tmp_path, past(1, items=items))
    (run,) = all_of(tmp_path)
    assert len(run.items) == 500
    assert len(run.items[0].reason) == 600
    assert (tmp_path / FILE).stat().st_size < 1_000_000


def version(folder: Path, number: int) -> None:
    """A file as a kjpstate with tables of that version left it, with one run in it."""
    with sqlite3.connect(folder / FILE) as connection:
        for statements in MIGRATIONS[:number]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute(
            "INSERT INTO runs VALUES (1, '00000a', 'apply', 'bot-kjp', '/k.yaml', 'd', "
            "'kjp@pc', ?, 1.0, 0,"
            " '', '', 'stb', 'p', 1, ?)",
            (at(0), at(0)),
        )
        connection.execute("INSERT INTO items VALUES (1, 'stb', 'dns', 'applied', '', '')")
    connection.close()


@pytest.mark.parametrize("number", range(1, VERSION + 1))
def test_a_file_of_every_older_version_is_brought_on(tmp_path: Path, number: int):
    version(tmp_path, number)
    (run,) = all_of(tmp_path)
    assert (run.id, run.hosts, run.items[0].address) == ("00000a", ("stb",), "dns")
    backups = (("stb", "/a", "/a.backup"),)
    assert history.note(tmp_path, past(2, 10, verb="apply", backups=backups)) == ""
    assert all_of(tmp_path)[0].backups == backups
    with sqlite3.connect(tmp_path / FILE) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    connection.close()


def damaged_by(folder: Path, how: str) -> None:
    """A file that can't be what it should."""
    file = folder / FILE
    match how:
        case "not a database":
            file.write_bytes(b"this was a database once" * 500)
        case "empty pages":
            for number in range(50):
                history.note(folder, past(number, verb="plan", items=(DRIFT,) * 20))
            with file.open("r+b") as stream:
                stream.seek(4096)
                stream.write(b"\xff" * 4096 * 8)
        case "a table is missing":
            history.note(folder, past(1))
            with sqlite3.connect(file) as connection:
                connection.execute("DROP TABLE items")
            connection.close()
        case "an index's name":
            history.note(folder, past(1))
            file.write_bytes(
                file.read_bytes().replace(b"CREATE INDEX items_of", b"CREATE INDEX \xddtems_of")
            )
        case "a value of another type":
            history.note(folder, past(1))
            with sqlite3.connect(file) as connection:
                connection.execute("UPDATE runs SET last = x'00ff', hosts = x'80'")
            connection.close()
        case "another program's":
            with sqlite3.connect(file) as connection:
                connection.execute("CREATE TABLE theirs (a)")
            connection.close()


@pytest.mark.parametrize(
    "how",
    ["not a database", "empty pages", "a table is missing", "an index's name", "another program's"],
)
def test_a_damaged_or_foreign_file_is_set_aside_and_a_new_one_begins(tmp_path: Path, how: str):
    damaged_by(tmp_path, how)
    before = (tmp_path / FILE).read_bytes()
    found = history.note(tmp_path, past(2, 10, items=(DRIFT,)))
    (kept,) = tmp_path.glob("history.damaged-*.db")
    assert isinstance(found, Said) and found.code == "history.set-aside"
    assert found.values["name"] == kept.name
    assert found.values["fault"].values["file"] == str(tmp_path / FILE)
    assert kept.read_bytes() == before
    assert [run.id for run in all_of(tmp_path)] == ["000002"]


@pytest.mark.parametrize("how", ["not a database", "an index's name", "a value of another type"])
def test_damage_is_found_by_a_reader_too(tmp_path: Path, how: str):
    damaged_by(tmp_path, how)
    found = history.runs(tmp_path, Wanted())
    assert found.value == ()
    assert isinstance(found.trouble, Said) and found.trouble.code == "history.set-aside"
    assert history.runs(tmp_path, Wanted()).trouble == ""


def test_a_text_with_a_turned_bit_hides_no_other_run(tmp_path: Path):
    history.note(tmp_path, past(1))
    history.note(tmp_path, past(2, 10, verb="plan", said="first said"))
    file = tmp_path / FILE
    file.write_bytes(file.read_bytes().replace(b"first said", b"first\xa0said"))
    found = history.runs(tmp_path, Wanted())
    assert [run.id for run in found.value] == ["000002", "000001"] and found.trouble == ""
    assert found.value[0].said == "first\ufffdsaid"
    assert history.note(tmp_path, past(3, 20, verb="plan")) == ""


@pytest.mark.parametrize("part", range(3))
def test_no_damage_is_a_crash(tmp_path: Path, part: int):
    for number in range(30):
        history.note(tmp_path, past(number, number, verb="plan", said="said", items=(DRIFT,)))
    file, random = tmp_path / FILE, Random(part)
    whole = file.read_bytes()
    for number in range(60):
        pages = bytearray(whole)
        at = random.randrange(len(pages) // 512) * 512
        match number % 3:
            case 0:
                del pages[at:]
            case 1:
                pages[at : at + 512] = random.choice([bytes(512), random.randbytes(512)])
            case 2:
                for _ in range(random.choice([1, 8, 64])):
                    pages[random.randrange(len(pages))] = random.randrange(256)
        file.write_bytes(pages)
        history.note(tmp_path, past(100, 100))
        history.runs(tmp_path, Wanted())
        history.run(tmp_path, "0")
        assert history.note(tmp_path, past(101, 101, verb="plan")) == ""


def test_only_the_newest_damaged_files_are_kept(tmp_path: Path):
    for number in range(9):
        (tmp_path / f"history.damaged-2026010{number}T000000Z.db").write_bytes(b"x")
    damaged_by(tmp_path, "not a database")
    history.note(tmp_path, past(1))
    assert len(list(tmp_path.glob("history.damaged-*"))) == 5


def test_a_full_disk_is_told_as_that():
    class Full(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if sql.startswith("CREATE"):
                super().execute("ROLLBACK")  # as SQLite does by itself when a disk is full
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(sql, *values)

    full = sqlite3.connect(":memory:", isolation_level=None, factory=Full)
    with closing(full), pytest.raises(sqlite3.OperationalError, match="disk is full"):
        migrate(full)


def test_a_newer_kjpstates_file_is_left_alone(tmp_path: Path):
    version(tmp_path, VERSION)
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = (tmp_path / FILE).read_bytes()
    newer = say("history.newer", file=str(tmp_path / FILE), tables=99, ours=VERSION)
    assert history.note(tmp_path, past(1)) == say("history.not-noted", why=newer)
    assert history.runs(tmp_path, Wanted()).value == ()
    assert (tmp_path / FILE).read_bytes() == before


def test_a_file_that_another_process_holds_is_waited_for_and_then_told(tmp_path: Path, monkeypatch):
    history.note(tmp_path, past(1))
    monkeypatch.setattr("kjpstate.history.store._PATIENCE", 0.2)
    holding = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    holding.execute("BEGIN IMMEDIATE")
    held = say("history.held", file=str(tmp_path / FILE), seconds=0.2)
    assert history.note(tmp_path, past(2, 10)) == say("history.not-noted", why=held)
    assert [run.id for run in all_of(tmp_path)] == ["000001"]
    holding.execute("ROLLBACK")
    holding.close()
    assert history.note(tmp_path, past(2, 10)) == ""


WRITER = """
import sys
from pathlib import Path
from kjpstate import history
from tests.history.test_history import past
folder, who = Path(sys.argv[1]), sys.argv[2]
for number in range(25):
    said = history.note(folder, past(int(who) * 1000 + number, number, verb="plan", who=who))
    assert said == "", said
"""


def test_several_processes_write_at_once(tmp_path: Path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(who)], stderr=subprocess.PIPE
        )
        for who in range(1, 4)
    ]
    for writer in writers:
        _, said = writer.communicate(timeout=60)
        assert writer.returncode == 0, said.decode()
    found = all_of(tmp_path)
    assert len(found) == len({run.id for run in found}) == 75


READER = """
import os, sqlite3, sys
from pathlib import Path
from kjpstate import history
from tests.history.test_history import past
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
folder = Path(sys.argv[1])
print(history.note(folder, past(2, 10)).code)
print([run.id for run in history.runs(folder, history.Wanted()).value])
"""


@pytest.mark.parametrize("number", range(1, VERSION + 1))
def test_where_it_may_not_be_written_it_is_read_as_it_is(number: int):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        version(folder, number)
        (folder / FILE).chmod(0o444)
        folder.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", READER, name], capture_output=True, text=True, check=True
        )
        folder.chmod(0o755)
    noted, read = done.stdout.splitlines()
    assert noted == "history.not-noted"
    assert read == "['00000a']"
