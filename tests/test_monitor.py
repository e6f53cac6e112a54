"""The watch over a simulated box: half an hour in no time; lost links, reboots, a laptop that
sleeps."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from kjpstate import errors, monitor
from kjpstate.formats.soak import Hole, Sample
from kjpstate.said import Said, Text, say
from tests.support.watched import LIMITS, OUT, Watched, watched


@pytest.fixture(name="bot")
def bot_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """A bot that is well."""
    return watched(tmp_path, monkeypatch)


def findings(soak) -> list[tuple[float | None, Text]]:
    return [(finding.at, finding.what) for verdict in soak.verdicts for finding in verdict.findings]


def test_half_an_hour_without_trouble_passes(bot: Watched):
    soak = bot.watch()
    assert (soak.result, soak.ended, soak.holes) == ("passed", "whole", ())
    assert [sample.at for sample in soak.samples] == [30.0 * number for number in range(61)]
    assert soak.samples[0].cpu is None
    assert 1.5 < soak.samples[-1].cpu < 2.5
    assert soak.samples[-1].names == {"web.whatsapp.com": True}
    assert bot.seen == list(soak.samples)


def test_one_look_is_one_exec(bot: Watched, monkeypatch):
    looked = []
    look = bot.world.stb.look

    async def counted(readings):
        looked.append(len(readings))
        return await look(readings)

    monkeypatch.setattr(bot.world.stb, "look", counted)
    bot.watch(length=120)
    assert looked == [4] * 5  # PM2, two logs, names


def typed(*words: str):
    return lambda bot: bot.world.stb.type("pm2", *words)


def dead(why: Said) -> Said:
    return say("watch.not-alive", app="bot-kjp", why=why)


TROUBLES = {
    "spins": (Watched.spins, say("watch.cpu", cpu=33.0, limit=30.0), 180),
    "crashes": (Watched.crashes, say("watch.crashes", crashes=1, limit=0), 180),
    "names": (
        Watched.no_names,
        say("watch.unresolved", names=["web.whatsapp.com"], looks=3, limit=2),
        240,
    ),
    "log": (
        lambda bot: bot.logs(*["ENOTFOUND"] * 4),
        say("watch.log", text="ENOTFOUND", times=4, limit=3),
        180,
    ),
    "stopped": (typed("stop", "bot-kjp"), dead(say("pm2.stopped")), 210),
    "deleted": (
        typed("delete", "bot-kjp"),
        dead(say("pm2.list-lost")),
        210,
    ),
    "no daemon": (typed("kill"), dead(say("pm2.no-daemon-but-saved")), 210),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_each_trouble_is_found_with_its_moment_and_ends_the_watch(bot: Watched, name: str):
    act, what, when = TROUBLES[name]
    bot.at(170, lambda: act(bot))
    soak = bot.watch()
    assert (soak.result, soak.ended) == ("failed", "early")
    assert (when, what) in findings(soak)
    assert soak.seconds == when


def test_keep_going_watches_on_to_the_end(bot: Watched):
    bot.at(100, bot.crashes)
    bot.at(200, lambda: bot.logs(*["ENOTFOUND"] * 9))
    soak = bot.watch(keep_going=True)
    assert (soak.result, soak.ended, len(soak.samples)) == ("failed", "whole", 61)
    assert findings(soak) == [
        (120, say("watch.crashes", crashes=1, limit=0)),
        (210, say("watch.log", text="ENOTFOUND", times=9, limit=3)),
    ]


def test_restarts_on_purpose_do_not_count(bot: Watched):
    bot.at(100, lambda: bot.world.stb.type("pm2", "reload", "/root/bot-kjp/ecosystem.config.js"))
    soak = bot.watch(length=300)
    assert soak.result == "passed"
    assert (soak.samples[-1].crashes, soak.samples[-1].planned) == (0, 1)
    assert [sample.notes for sample in soak.samples if sample.notes] == [(say("watch.planned"),)]


def test_what_was_before_the_baseline_is_not_ours(bot: Watched):
    bot.crashes(7)
    bot.logs(*["ENOTFOUND"] * 50)
    assert bot.watch(length=120).result == "passed"


def test_a_lost_link_is_a_hole_and_what_happened_in_it_still_counts(bot: Watched):
    bot.at(400, bot.lost)
    bot.at(460, lambda: bot.logs(*["ENOTFOUND"] * 3))
    bot.at(500, bot.back)
    soak = bot.watch()
    assert soak.result == "passed"
    (hole,) = soak.holes
    assert (hole.host, hole.start, hole.why) == ("stb", 420, say("link.unreachable", host="stb"))
    assert hole.end is not None and 500 <= hole.end <= 540
    assert [type(seen) for seen in bot.seen].count(Hole) == 2
    assert soak.samples[-1].logs["ENOTFOUND"] == 3


def test_it_dials_again_with_growing_pauses(bot: Watched, monkeypatch):
    dialled = []
    look = bot.world.stb.look

    async def noted(readings):
        dialled.append(bot.clock.at - bot.clock.began)
        return await look(readings)

    monkeypatch.setattr(bot.world.stb, "look", noted)
    bot.at(50, bot.lost)
    bot.watch(length=200)
    assert dialled[:9] == [0, 30, 60, 61, 63, 67, 75, 90, 120]


def test_a_box_that_stays_away_is_not_known(bot: Watched):
    bot.at(400, bot.lost)
    soak = bot.watch()
    assert (soak.result, soak.ended) == ("unknown", "whole")
    assert (420, say("watch.lost-at-the-end", why=say("link.unreachable", host="stb"))) in findings(
        soak
    )
    assert 1800 <= soak.seconds <= 1830


def test_a_box_that_is_back_a_moment_after_the_end_is_still_seen(bot: Watched):
    bot.at(1790, bot.lost)
    bot.at(1806, bot.back)
    soak = bot.watch()
    assert soak.result == "passed"
    assert 1800 < soak.samples[-1].at < 1830


def test_a_box_that_never_answers_is_an_error_at_once_unless_one_is_patient(bot: Watched):
    bot.lost()
    with pytest.raises(errors.Unreachable):
        bot.watch()
    bot.at(100, bot.back)
    soak = bot.watch(patient=True)
    assert soak.holes[0].start == 0
    assert soak.result == "passed"
    assert soak.samples[0].cpu is None


def test_a_laptop_that_sleeps_marks_the_gap(bot: Watched):
    def sleeps() -> None:
        bot.clock.at += 300
        bot.world.stb.box.tick(300)

    bot.at(600, sleeps)
    soak = bot.watch()
    assert soak.holes == (Hole("stb", 600.0, 900.0, "this computer slept, or was stopped"),)
    assert soak.result == "passed"
    assert len(soak.samples) == 61 - 10


def test_a_night_of_sleep_is_no_pass(bot: Watched):
    bot.at(600, lambda: setattr(bot.clock, "at", bot.clock.at + 28_800))
    soak = bot.watch()
    assert soak.result == "unknown"
    assert findings(soak) == [(None, say("watch.lost", dark=28_800.0, length=29_400.0))]


def test_a_reboot_in_between_is_told_and_is_no_crash(bot: Watched):
    bot.at(100, bot.lost)
    bot.at(110, bot.world.stb.reboot)
    bot.at(130, bot.back)
    soak = bot.watch(length=600)
    assert [note for sample in soak.samples for note in sample.notes] == [
        say("watch.box-restarted")
    ]
    assert soak.samples[-1].crashes == 0
    assert soak.result == "passed"


def test_a_new_daemon_is_told(bot: Watched):
    def anew() -> None:
        bot.world.stb.type("pm2", "kill")
        bot.world.stb.type("pm2", "resurrect")

    bot.at(100, anew)
    soak = bot.watch(length=300)
    assert [note for sample in soak.samples for note in sample.notes] == [
        say("watch.daemon-restarted")
    ]
    assert soak.result == "passed"


def test_a_log_that_is_rotated_goes_on_counting(bot: Watched):
    bot.at(100, lambda: bot.logs("ENOTFOUND", "ENOTFOUND"))

    def rotates() -> None:
        log = bot.world.stb.real(OUT)
        log.rename(f"{log}.1")
        bot.logs("ENOTFOUND")

    bot.at(200, rotates)
    soak = bot.watch(length=300)
    assert soak.samples[-1].logs["ENOTFOUND"] == 3
    assert any(
        note.code.startswith("logs.rotated") for sample in soak.samples for note in sample.notes
    )


def test_the_defaults_are_half_an_hour_and_twice_a_minute(tmp_path: Path, monkeypatch):
    document = watched(tmp_path, monkeypatch, "").world.document
    assert monitor.pace(document, None, None) == monitor.Pace(1800, 30)
    assert monitor.limits(document).cpu is None
    # what the checks must not find in the log is counted also without limits
    assert monitor.subjects(document, document.hosts)[0].texts == ("ENOTFOUND",)


def test_the_document_s_own_times_and_limits(tmp_path: Path, monkeypatch):
    text = LIMITS.replace("limits", "for: 10m, every: 5s, limits")
    document = watched(tmp_path, monkeypatch, text).world.document
    assert monitor.pace(document, None, None) == monitor.Pace(600, 5)
    assert monitor.pace(document, 60, 1) == monitor.Pace(60, 1)
    assert monitor.limits(document).memory == 200 << 20


def test_a_length_that_is_no_multiple_ends_with_a_look(bot: Watched):
    assert [sample.at for sample in bot.watch(length=100).samples] == [0, 30, 60, 90, 100]
    assert [sample.at for sample in bot.watch(length=10).samples] == [0, 10]


def test_a_document_without_apps_has_nothing_to_watch(bot: Watched):
    with pytest.raises(errors.UsageError) as caught:
        monitor.subjects(bot.world.document, ["pc"])
    assert caught.value.message == say("watch.nothing-to-watch")


def test_one_app_of_two_hosts_that_fails_ends_both(bot: Watched):
    record = monitor.Record("d", (), monitor.limits(bot.world.document), monitor.Pace(600, 30))
    subject = monitor.subjects(bot.world.document, ["stb"])[0]
    record.subjects = (subject,)
    bot.at(100, bot.crashes)
    bot.clock.began = bot.clock.at
    ended = asyncio.run(monitor.watch(record, bot.world.hosts, bot.seen.append))
    assert ended == "early"
    assert all(isinstance(seen, Sample) for seen in bot.seen)


def test_the_real_clock_goes_on():
    first = monitor.now()
    time.sleep(0.01)
    assert 0 < monitor.now() - first < 5
