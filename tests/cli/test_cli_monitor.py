"""`monitor`, and what follows an `apply`: over the simulated machines, with a clock of the tests'
own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import threading
from pathlib import Path

import pytest

from kjpstate import errors, monitor, reconcile
from tests.support.commands import Desk, Terminal
from tests.support.demo_world import SMALL
from tests.support.watched import LIMITS, Watched, watched
from tests.support.words import said

CONF = "/etc/systemd/resolved.conf"


@pytest.fixture(name="bot")
def bot_fixture(tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """A bot that is well; the process stands in the document's folder."""
    bot = watched(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reconcile, "open_hosts", lambda *_, **__: dict(bot.world.hosts))
    return bot


@pytest.fixture(name="type_")
def type_fixture(bot: Watched, tmp_path: Path, capsys):
    """Run one command line."""
    desk = Desk(tmp_path, capsys)

    def run(*argv: str):
        bot.clock.began = bot.clock.at
        return desk.kjpstate(*argv)

    return run


def lines_of(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_the_verdict_is_the_result_and_each_look_is_progress(bot: Watched, type_):
    shown = type_("monitor", "--for", "2m")
    assert shown.code == 0
    assert shown.out.startswith(
        "Watched:\n  ok         bot-kjp on stb  5 looks: CPU 2.0% on average, 2.0% at most"
    )
    assert shown.out.endswith("\nMonitor: 1 passed, 0 failed, in 2:00.\n")
    assert shown.err.startswith(
        "Watching bot-kjp on stb for 2:00, a look every 30 s. Ctrl-C ends it.\nLimits: CPU 30%"
    )
    assert shown.err.splitlines()[-1] == (
        "   2:00  alive  CPU 2.0%  memory 80 MB  crashes 0  ENOTFOUND 0  web.whatsapp.com ok"
    )


def test_a_limit_that_is_passed_is_6_with_its_moment(bot: Watched, type_):
    bot.at(50, bot.crashes)
    shown = type_("monitor", "--every", "10s")
    assert shown.code == 6
    assert "FAILED     bot-kjp on stb" in shown.out
    assert "             0:50  restarts by crashes: 1; the limit is 0\n" in shown.out
    assert shown.out.endswith("Monitor: 0 passed, 1 failed, in 0:50 of 30:00.\n")
    assert "! crashes 1" in shown.err


def test_json_is_a_line_a_look_and_the_verdict(bot: Watched, type_):
    bot.at(40, bot.lost)
    bot.at(62, bot.back)
    shown = type_("monitor", "--for", "2m", "--json")
    assert (shown.code, shown.err) == (0, "")
    *seen, verdict = lines_of(shown.out)
    assert [item["type"] for item in seen] == ["sample"] * 2 + ["hole"] * 2 + ["sample"] * 3
    assert seen[2]["end"] is None
    assert seen[3]["start"] == 60
    assert seen[1] == {
        "format_version": "1.0",
        "kjpstate_version": seen[1]["kjpstate_version"],
        "type": "sample",
        "at": 30.0,
        "host": "stb",
        "app": "bot-kjp",
        "alive": True,
        "reason": "",
        "cpu_percent": pytest.approx(2.0, abs=0.2),
        "memory_bytes": 84_000_000,
        "crash_restarts": 0,
        "planned_restarts": 0,
        "log": {"ENOTFOUND": 0},
        "resolves": {"web.whatsapp.com": True},
        "notes": [],
    }
    assert (verdict["type"], verdict["result"], verdict["exit_code"]) == ("verdict", "passed", 0)
    assert verdict["limits"]["log"] == {"ENOTFOUND": 3}
    assert len(verdict["holes"]) == 1


def test_a_box_that_is_away_is_3(bot: Watched, type_):
    bot.lost()
    shown = type_("monitor")
    assert shown.code == 3
    assert "stb can't be reached" in shown.err
    bot.back()
    bot.at(100, bot.lost)
    shown = type_("monitor", "--json")
    assert shown.code == 3
    assert lines_of(shown.out)[-1]["result"] == "unknown"


def test_the_plot_is_drawn_and_first_tried(bot: Watched, type_, tmp_path: Path):
    shown = type_("monitor", "--for", "1m", "--plot", "no/such/folder/x.html")
    assert shown.code == 1
    assert "the plot no" in shown.err and "Watching" not in shown.err
    assert type_("monitor", "--for", "1m", "--plot", "watch.html").code == 0
    page = (tmp_path / "watch.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count('id="line"') >= 4


def test_what_can_not_be_drawn_is_told_before_the_first_look(bot: Watched, type_, monkeypatch):
    shown = type_("monitor", "--for", "1m", "--plot", "watch.jpg")
    assert shown.code == 64
    assert ".svg, .png, .pdf, .html" in shown.err and "Watching" not in shown.err
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    shown = type_("monitor", "--for", "1m", "--plot", "watch.svg")
    assert shown.code == 64
    assert "pipx inject kjpstate matplotlib" in shown.err and "Watching" not in shown.err
    assert not Path("watch.svg").exists()


def test_a_watch_is_a_run_of_the_history(bot: Watched, type_):
    bot.at(50, bot.crashes)
    type_("monitor")
    newest = type_("history", "--json").json["runs"][0]
    assert (newest["verb"], newest["exit_code"]) == ("monitor", 6)


def test_wrong_use(bot: Watched, type_):
    assert type_("monitor", "--every", "500ms").code == 64
    assert type_("monitor", "--for", "soon").code == 64
    assert type_("monitor", "--limit", "pc").code == 64
    assert type_("apply", "--yes", "--plot", "x.html").code == 64


def test_ctrl_c_gives_the_verdict_so_far(bot: Watched, type_, monkeypatch):
    real = monitor.pause

    async def interrupted(seconds: float) -> None:
        if bot.clock.at - bot.clock.began >= 90:
            task = asyncio.current_task()
            assert task is not None
            main = next(
                item
                for item in asyncio.all_tasks()
                if item is not task and item.get_name() == "kjpstate monitor"
            )
            main.cancel()
            await asyncio.sleep(0)
        await real(seconds)

    monkeypatch.setattr(monitor, "pause", interrupted)
    shown = type_("monitor")
    assert shown.code == 130
    assert "not known  bot-kjp on stb  4 looks" in shown.out
    assert "the watch was interrupted; nothing was wrong until then" in shown.out


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_real_signal_ends_it_in_the_same_way(bot: Watched, type_, monkeypatch, number: str):
    monkeypatch.setattr(monitor, "now", __import__("time").monotonic)
    monkeypatch.setattr(monitor, "pause", asyncio.sleep)
    which = getattr(signal, number)
    timer = threading.Timer(1.5, os.kill, (os.getpid(), which))
    usual = signal.default_int_handler if which == signal.SIGINT else signal.SIG_DFL
    before = signal.signal(which, usual)  # behind nohup or `&` it is ignored, and rightly
    timer.start()
    try:
        shown = type_("monitor", "--json")
    finally:
        timer.cancel()
        signal.signal(which, before)
    assert shown.code == 130
    last = lines_of(shown.out)[-1]
    assert (last["ended"], last["exit_code"]) == ("interrupted", 130)


def test_on_a_terminal_it_is_a_table_that_is_drawn_anew(bot: Watched, type_, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    bot.at(50, bot.crashes)
    shown = type_("monitor", "--no-color")
    assert shown.code == 6
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert "crashes" in drawn and "of 30:00, Ctrl-C ends it" in drawn
    assert "! 1" in drawn
    monkeypatch.setenv("TERM", "dumb")
    dumb = Terminal()
    monkeypatch.setattr(sys, "stderr", dumb)
    type_("monitor", "--for", "1m")
    assert "\x1b" not in dumb.getvalue()


# ---- after an apply


@pytest.fixture(name="drifted")
def drifted_fixture(bot: Watched) -> Watched:
    """Another server in the document than on the box: an apply has something to do."""
    bot.world.write(SMALL.replace("1.1.1.1]", "9.9.9.9]") + LIMITS)
    bot.clock.box = bot.world.stb.box.tick
    return bot


def conf(bot: Watched) -> str:
    return bot.world.stb.real(CONF).read_text("utf-8")


def test_an_apply_is_watched_after_its_checks(drifted: Watched, type_):
    shown = type_("apply", "--yes", "--monitor", "2m", "--rollback-on-fail")
    assert shown.code == 0, shown.out + shown.err
    assert shown.out.index("Apply: ") < shown.out.index(said("soak.title"))
    assert shown.out.endswith("Monitor: 1 passed, 0 failed, in 2:00.\n")
    assert "9.9.9.9" in conf(drifted)


def test_what_fails_in_the_watch_is_rolled_back_with_7(drifted: Watched, type_):
    drifted.at(60, drifted.crashes)
    shown = type_("apply", "--yes", "--monitor", "10m", "--rollback-on-fail")
    assert shown.code == 7, shown.out + shown.err
    assert "9.9.9.9" not in conf(drifted)
    assert "1.1.1.1" in conf(drifted)
    assert "was rolled back in" in shown.out
    verbs = [(run["verb"], run["exit_code"]) for run in type_("history", "--json").json["runs"]]
    assert sorted(verbs[:2]) == [("apply", 7), ("rollback", 0)]


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left"), errors.Failed("no plot"), ZeroDivisionError()]
)
def test_a_picture_that_can_t_be_drawn_stands_in_no_rollback_s_way(
    drifted: Watched, type_, monkeypatch, error
):
    def drawn(*_: object) -> bytes:
        raise error

    monkeypatch.setattr("kjpstate.render.plots.drawn", drawn)
    drifted.at(60, drifted.crashes)
    plot = drifted.world.folder / "plot.html"
    shown = type_("apply", "--yes", "--monitor", "10m", "--rollback-on-fail", "--plot", str(plot))
    assert shown.code == 7, shown.out + shown.err
    assert "9.9.9.9" not in conf(drifted)
    assert "was rolled back in" in shown.out
    assert shown.err.splitlines()[-1], "and it is told at the end"


def test_without_the_flag_it_is_6_and_stays(drifted: Watched, type_):
    drifted.at(60, drifted.crashes)
    shown = type_("apply", "--yes", "--monitor", "10m")
    assert shown.code == 6
    assert "9.9.9.9" in conf(drifted)


def test_a_failed_check_alone_is_rolled_back_too(drifted: Watched, type_):
    failing = "checks:\n  - {name: never, file: {host: stb, path: /no/such/file}}\n"
    drifted.world.write(
        SMALL.replace("1.1.1.1]", "9.9.9.9]").replace("checks:\n", failing) + LIMITS
    )
    shown = type_("apply", "--yes", "--rollback-on-fail", "--monitor", "10m", "--json")
    assert shown.code == 7
    assert "9.9.9.9" not in conf(drifted)
    value = shown.json
    assert (value["exit_code"], value["monitor"], value["rollback"]["exit_code"]) == (7, None, 0)
    # Nothing was changed by this run: nothing to roll back.
    drifted.world.write(SMALL.replace("checks:\n", failing) + LIMITS)
    again = type_("apply", "--yes", "--rollback-on-fail")
    assert again.code == 6
    assert said("cli.nothing-to-undo") in again.err


def test_a_box_that_is_lost_is_not_rolled_back(drifted: Watched, type_):
    drifted.at(60, drifted.lost)
    shown = type_("apply", "--yes", "--monitor", "10m", "--rollback-on-fail")
    assert shown.code == 3
    assert "9.9.9.9" in conf(drifted)


def test_a_rollback_that_can_t_be_done_is_1_and_says_what_stands(drifted: Watched, type_):
    def both() -> None:
        drifted.crashes()
        drifted.world.stb.real(CONF).write_text(
            "[Resolve]\nDNS=9.9.9.9\n# by somebody else\n", "utf-8"
        )

    drifted.at(60, both)
    shown = type_("apply", "--yes", "--monitor", "10m", "--rollback-on-fail")
    assert shown.code == 1
    assert "by somebody else" in conf(drifted)
    assert "was not rolled back" in shown.out
