"""`status` over the simulated machines, and where nothing is known yet."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path

import pytest

from kjpstate import reconcile
from kjpstate.history import FILE
from kjpstate.hosts.simulated import SimulatedHost, seed_demo
from tests.support.commands import Desk
from tests.support.demo_world import SMALL


@pytest.fixture(name="boxes")
def boxes_fixture(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The demo's two machines; `desk.folder` holds them."""
    seed_demo(desk.folder)
    desk.write(SMALL)

    def simulated(document, *, state_folder):
        allowed = reconcile.may_change(document)
        return {
            name: SimulatedHost(name, desk.folder, may_change=allowed.get(name, ()))
            for name in document.hosts
        }

    monkeypatch.setattr(reconcile, "open_hosts", simulated)
    return desk


def rows(shown) -> list[str]:
    """The lines without their padding."""
    return [" ".join(row.split()) for row in shown.out.splitlines()]


def test_before_anything_was_done(boxes: Desk):
    shown = boxes.kjpstate("status")
    assert (shown.code, shown.err) == (0, "")
    said = rows(shown)
    assert len(said) == 5
    assert said[0].startswith("bot bot-kjp on stb is alive: ")
    assert said[4] == "next kjpstate plan"
    assert said[1] == "last apply none that is remembered here or on the hosts"
    assert said[2] == "last check none that is remembered here"
    assert said[3] == "unfinished nothing"


def test_after_an_apply_and_a_check(boxes: Desk):
    assert boxes.kjpstate("apply", "--yes").code == 0
    assert boxes.kjpstate("drift").code == 0
    shown = boxes.kjpstate("status")
    assert shown.code == 0, shown.out
    said = rows(shown)
    assert said[0].startswith("bot bot-kjp on stb is alive: online for ")
    assert "applied (run " in said[1] and said[2].endswith(": in sync")
    assert said[4] == "next nothing to do"
    value = boxes.kjpstate("status", "--json").json
    assert value["bots"][0]["alive"] is True and value["exit_code"] == 0
    assert boxes.kjpstate("status", "--here", "stb").code == 0


def test_a_look_at_one_address_is_not_the_last_check(boxes: Desk):
    boxes.kjpstate("apply", "--yes")
    SimulatedHost("stb", boxes.folder).type("pm2", "stop", "bot-kjp")
    assert boxes.kjpstate("drift").code == 2
    assert boxes.kjpstate("drift", "--only", "dns").code == 0
    assert rows(boxes.kjpstate("status"))[2].endswith(": 1 drift")


def test_a_checker_that_runs_no_more(boxes: Desk, monkeypatch):
    boxes.kjpstate("apply", "--yes")
    boxes.kjpstate("drift")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 7300)
    shown = boxes.kjpstate("status")
    assert shown.code == 2
    assert rows(shown)[2].startswith("last check STALE: the checker itself has not run since ")
    assert boxes.kjpstate("status", "--max-age", "1d").code == 0
    assert boxes.kjpstate("status", "--max-age", "long").code == 64


@pytest.mark.parametrize("how", ["a folder", "damaged", "newer"])
def test_a_history_that_can_not_be_read_is_no_checker_that_runs(
    boxes: Desk, own_home: Path, how: str
):
    boxes.kjpstate("apply", "--yes")
    boxes.kjpstate("drift")
    (file,) = own_home.rglob(FILE)
    if how == "newer":
        with contextlib.closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA user_version = 99")
    else:
        file.unlink()
        file.mkdir() if how == "a folder" else file.write_bytes(b"no database" * 999)
    shown = boxes.kjpstate("status")
    assert (shown.code, "history.db" in shown.err) == (2, True)
    assert rows(shown)[2].startswith(
        "last check STALE: whether the checker itself runs is not known"
    )
    if how == "damaged":  # it is set aside: the next check begins a new one
        assert boxes.kjpstate("drift").code == 0 and boxes.kjpstate("status").code == 0
    assert boxes.kjpstate("status", "--json").json["stale"] is (how != "damaged")


def test_a_dead_bot_and_a_cut_run(boxes: Desk):
    boxes.kjpstate("apply", "--yes")
    stb = SimulatedHost("stb", boxes.folder)
    stb.type("pm2", "stop", "bot-kjp")
    shown = boxes.kjpstate("status")
    assert shown.code == 2
    assert "bot-kjp on stb is DEAD: stopped" in rows(shown)[0]


def test_a_bot_that_dies_every_two_minutes_is_seen_by_all_that_look(boxes: Desk):
    boxes.kjpstate("apply", "--yes")
    stb = SimulatedHost("stb", boxes.folder)
    (bot,) = stb.box.state["pm2"]["apps"]
    ends, begins = "exited with code [1] via signal [SIGINT]", "starting in -fork mode-"
    bot["events"] = [
        f"2026-03-01T21:{minute:02d}:0{second}: PM2 log: App [bot-kjp:{bot['pm_id']}] {what}"
        for minute in (0, 2, 4, 6)
        for second, what in ((1, ends), (2, begins))
    ]
    bot["restart_time"] = 4
    stb.box.save()
    why = "crash-looping: its last 3 lives ended after 119 s, 119 s and 119 s"
    assert f"bot-kjp on stb is DEAD: {why}" in " ".join(boxes.kjpstate("status").out.split())
    drift = boxes.kjpstate("drift")
    assert drift.code == 2 and drift.out.startswith(
        f"! DEAD bot-kjp  stb  {why}; delete and start; down a few seconds"
    )
    verify = boxes.kjpstate("verify")
    said = " ".join(verify.out.split())
    assert (
        verify.code == 6
        and f"bot-kjp is not alive: {why}" in said
        and "and not on purpose; PM2 counts 4" in said
    )
    assert boxes.kjpstate("apply", "--yes").code == 0
    assert boxes.kjpstate("drift").code == 0


def test_another_persons_apply_is_the_last_one(boxes: Desk, tmp_path, monkeypatch):
    boxes.kjpstate("apply", "--yes")
    monkeypatch.setenv("KJPSTATE_STATE", str(tmp_path / "sisters"))
    assert "applied (run " in rows(boxes.kjpstate("status"))[1]
