"""From look to look: crashes told from restarts on purpose, CPU from ticks, logs from marks,
reboots."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kjpstate.formats import counts, names
from kjpstate.formats import course as courses
from kjpstate.formats.pm2 import probe
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.pm2.probe import App, BootClock, Daemon, LogFile, Seen
from kjpstate.formats.soak import Sample, Subject
from kjpstate.model import Unreadable
from kjpstate.said import Said, say

OUT = "/srv/logs/out.log"
DECLARED = Declared(
    "stb",
    "d",
    "/srv/ecosystem.config.js",
    {"name": "bot", "script": "dist/index.js", "out_file": OUT, "error_file": "NULL"},
)
BOT = Subject(DECLARED, ("web.whatsapp.com",), ("ENOTFOUND", "Timed Out"))
APP = App(
    name="bot",
    pm_id=0,
    pid=100,
    start="5000",
    status="online",
    pm_uptime=1_000_000,
    created_at=1_000_000,
    unique_id="a1",
    used=1000,
    rss=90 << 20,
    logs=(LogFile(OUT),),
)
NOW = Seen(
    node="/usr/bin/node",
    clock=BootClock("boot-1", "1000.00", 100, "100000", 2_000_000),
    daemon=Daemon(pid=7),
    socket="alive",
    apps=(APP,),
)


def seen(uptime: str, boot: str = "boot-1", daemon: int = 7, **changes) -> Seen:
    """PM2 at another moment, its one app changed."""
    moment = replace(NOW.clock, uptime=uptime, boot_id=boot)
    return replace(NOW, clock=moment, daemon=Daemon(pid=daemon), apps=(replace(APP, **changes),))


def step(
    course: courses.Course,
    at: float,
    pm2: Seen,
    count: counts.Count | None = None,
    well: bool = True,
):
    """One look, all of it answered."""
    count = count or counts.Count(counts.Mark(10, "5", "77"), (0, 0))
    answers = {}
    for reading in courses.readings(course):
        if reading.name == "pm2":
            answers[reading] = probe.render(pm2)
        elif reading.name == "count":
            answers[reading] = counts.render(count)
        else:
            answers[reading] = names.render(
                [
                    names.Lookup(
                        "app", "getent", BOT.names[0], 0 if well else 2, "1.2.3.4" if well else ""
                    )
                ]
            )
    found = courses.step(course, at, answers)
    assert isinstance(found, tuple), found
    return found


def second(before: Seen, after: Seen) -> Sample:
    """The sample of the second look."""
    course, _ = step(courses.begin(BOT), 0, before)
    return step(course, 30, after)[1]


CRASHED = {"pm_uptime": 1_060_000}  # started long after `created_at`, which no crash moves
RESTARTS = {
    "nothing": ({}, {}, (0, 0)),
    "one crash": ({}, {"restart_time": 1, "pid": 101, **CRASHED}, (1, 0)),
    "three more crashes": ({"restart_time": 4}, {"restart_time": 7, "pid": 101, **CRASHED}, (3, 0)),
    "a reload": ({}, {"restart_time": 1, "created_at": 1_050_000, "pm_uptime": 1_050_100}, (0, 1)),
    "two reloads": (
        {},
        {"restart_time": 2, "created_at": 1_050_000, "pm_uptime": 1_050_100},
        (0, 1),
    ),
    "a reload, then two crashes": (
        {},
        {"restart_time": 3, "created_at": 1_020_000, "pm_uptime": 1_060_000},
        (2, 1),
    ),
    "stop and start": ({"restart_time": 5}, {"restart_time": 0, "created_at": 1_050_000}, (0, 1)),
    "delete and start": (
        {"restart_time": 5},
        {"pm_id": 1, "unique_id": "b2", "created_at": 1_050_000, "pm_uptime": 1_050_000},
        (0, 1),
    ),
    "delete and start, then a crash": (
        {},
        {
            "pm_id": 1,
            "unique_id": "b2",
            "restart_time": 1,
            "created_at": 1_020_000,
            "pm_uptime": 1_060_000,
        },
        (1, 1),
    ),
    "given up": (
        {"restart_time": 2},
        {"restart_time": 15, "created_at": None, "pid": 0, "start": None, "status": "errored"},
        (13, 0),
    ),
    "started again after it was given up": (
        {"restart_time": 15, "created_at": None, "pid": 0, "start": None, "status": "errored"},
        {"restart_time": 0, "created_at": 1_050_000},
        (0, 1),
    ),
}


@pytest.mark.parametrize("name", RESTARTS)
def test_crashes_are_told_from_restarts_on_purpose(name: str):
    before, after, expected = RESTARTS[name]
    sample = second(seen("1000", **before), seen("1030", **after))
    assert (sample.crashes, sample.planned) == expected


def test_a_look_in_the_middle_of_a_restart_waits_for_the_counters():
    course, _ = step(courses.begin(BOT), 0, seen("1000"))
    moved = {"created_at": 1_050_000, "pm_uptime": 1_050_100}
    for status, more in (
        ("stopping", {}),
        ("stopped", {"pid": 0, "start": None, **moved}),
        ("launching", {"pid": 0, "start": None, "restart_time": 1, **moved}),
        ("online", {"pid": 101, "start": None, "restart_time": 1, **moved}),
    ):
        course, sample = step(course, 1, seen("1001", status=status, **more))
        assert (sample.crashes, sample.planned) == (0, 0), status
    course, sample = step(course, 2, seen("1002", pid=101, start="100150", restart_time=1, **moved))
    assert (sample.crashes, sample.planned) == (0, 1)


def test_a_baseline_in_the_middle_of_a_restart_is_none():
    course, _ = step(courses.begin(BOT), 0, seen("1000", status="launching", pid=0, start=None))
    _, sample = step(course, 1, seen("1001", restart_time=1, **CRASHED))
    assert (sample.crashes, sample.planned) == (0, 0)


def test_crashes_add_up_over_the_looks():
    course, first = step(courses.begin(BOT), 0, seen("1000", restart_time=40, **CRASHED))
    assert first.crashes == 0  # those before the baseline are not ours
    for number in (41, 42, 44):
        course, sample = step(
            course, number, seen(str(1000 + number), restart_time=number, **CRASHED)
        )
    assert sample.crashes == 4


@pytest.mark.parametrize(
    ("after", "note"),
    [
        (
            seen("12.00", boot="boot-2", daemon=9, unique_id="c3", pid=55, start="900", used=30),
            say("watch.box-restarted"),
        ),
        (
            seen("1030", daemon=9, unique_id="c3", pid=55, start="102000", used=30),
            say("watch.daemon-restarted"),
        ),
    ],
)
def test_a_reboot_and_a_new_daemon_are_told_and_are_no_crash(after: Seen, note: Said):
    sample = second(seen("1000"), after)
    assert sample.notes == (note,)
    assert (sample.crashes, sample.planned) == (0, 0)


CPU = {
    "idle": ({"used": 1030}, "1030", 1.0),
    "spinning": ({"used": 4000}, "1030", 100.0),
    "a new process: all its ticks": (
        {"pid": 101, "start": "102000", "used": 300, "restart_time": 1},
        "1030",
        10.0,
    ),
    "children went away": ({"used": 900}, "1030", 0.0),
    "no time went by": ({"used": 1200}, "1000", None),
    "ticks not known": ({"used": None}, "1030", None),
}


@pytest.mark.parametrize("name", CPU)
def test_cpu_is_the_growth_of_ticks_between_two_looks(name: str):
    after, uptime, expected = CPU[name]
    sample = second(seen("1000"), seen(uptime, **after))
    assert sample.cpu == (None if expected is None else pytest.approx(expected))


def test_after_another_boot_cpu_counts_from_it():
    sample = second(seen("1000"), seen("20", boot="boot-2", pid=9, start="100", used=200))
    assert sample.cpu == pytest.approx(10.0)


def test_of_several_instances_the_busiest_counts_and_all_memory():
    both = replace(NOW, apps=(APP, replace(APP, pm_id=1, pid=200)))
    busy = replace(both.clock, uptime="1010.00")
    later = replace(
        both, clock=busy, apps=(replace(APP, used=1020), replace(APP, pm_id=1, pid=200, used=1500))
    )
    sample = second(both, later)
    assert sample.cpu == pytest.approx(50.0)
    assert sample.memory == 180 << 20


def test_lines_add_up_and_the_mark_moves():
    course, _ = step(courses.begin(BOT), 0, NOW)
    assert course.marks == {OUT: counts.Mark(10, "5", "77")}
    mark = counts.Mark(90, "5", "78")
    course, sample = step(course, 30, NOW, counts.Count(mark, (2, 1)))
    assert sample.logs == {"ENOTFOUND": 2, "Timed Out": 1}
    assert course.marks == {OUT: mark}
    _, sample = step(course, 60, NOW, counts.Count(counts.Mark(5, "6", "1"), (4, 0), "lost"))
    assert sample.logs == {"ENOTFOUND": 6, "Timed Out": 1}
    assert sample.notes == (say("logs.rotated-lost", path=OUT),)


def test_a_log_that_pm2_has_elsewhere_is_asked_for_its_end_at_once():
    there = "/root/.pm2/logs/bot-out.log"
    course, _ = step(courses.begin(BOT), 0, seen("1000", logs=(LogFile(there),)))
    assert courses.unmarked(course) == (there,)
    (reading,) = courses.logs(course, courses.unmarked(course))
    course = courses.marked(
        course, {reading: counts.render(counts.Count(counts.Mark(500, "9", "3")))}
    )
    assert courses.unmarked(course) == ()
    assert [item.args[:2] for item in courses.readings(course) if item.name == "count"] == [
        (there, "500")
    ]


@pytest.mark.parametrize("paths", [(), (OUT,)])
def test_lines_of_an_app_that_keeps_no_logs_are_not_known(paths: tuple[str, ...]):
    keys = {**DECLARED.keys, "out_file": "NULL"} if not paths else DECLARED.keys
    subject = replace(BOT, declared=replace(DECLARED, keys=keys))
    assert subject.paths == paths
    course = courses.begin(subject)
    course, sample = step(course, 0, seen("1000", logs=(LogFile("/dev/null"),)))
    assert sample.logs == {"ENOTFOUND": None, "Timed Out": None}
    _, sample = step(course, 30, seen("1030"))  # now it keeps one
    assert sample.logs == {"ENOTFOUND": 0, "Timed Out": 0}


def test_a_log_that_can_t_be_read_is_not_counted_any_more():
    course, _ = step(courses.begin(BOT), 0, NOW)
    answers = dict.fromkeys(courses.readings(course))
    for reading in answers:
        if reading.name == "pm2":
            answers[reading] = probe.render(NOW)
        if reading.name == "count":
            answers[reading] = b"unreadable\n"
    found = courses.step(course, 30, answers)
    assert isinstance(found, tuple)
    assert found[1].logs == {"ENOTFOUND": None, "Timed Out": None}
    assert found[1].names == {"web.whatsapp.com": None}


@pytest.mark.parametrize("well", [True, False])
def test_a_name_resolves_only_if_it_does_in_every_way(well: bool):
    assert step(courses.begin(BOT), 0, NOW, well=well)[1].names == {"web.whatsapp.com": well}


@pytest.mark.parametrize("answer", [None, b"{", Unreadable("permission denied")])
def test_a_look_that_told_nothing_of_pm2_is_no_sample(answer):
    course = courses.begin(BOT)
    reason = courses.step(course, 0, dict.fromkeys(courses.readings(course), answer))
    assert isinstance(reason, Said) and reason.code.startswith("pm2-unreadable")


def test_a_bot_without_a_connection_has_given_up_after_a_while_and_only_where_it_is_asked():
    subject = replace(BOT, declared=replace(DECLARED, connected=True))
    looks = [(1000, 0), (1140, 0), (1151, 0), (1160, 1), (1200, 0), (1349, 0)]
    for chosen, told in (
        (subject, ["", "", say("watch.idle", seconds=151.0), "", "", ""]),
        (BOT, [""] * 6),
    ):
        course, said = courses.begin(chosen), []
        for uptime, connections in looks:
            course, sample = step(course, uptime, seen(str(uptime), connections=connections))
            said.append(sample.sick)
        assert said == told


def test_a_dead_app_is_a_sample_that_says_so():
    sample = second(NOW, replace(NOW, apps=()))
    assert (sample.sick, sample.cpu, sample.memory) == (say("pm2.not-listed"), None, None)
