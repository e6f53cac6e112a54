"""Schedules: a cron table kept byte for byte, units that systemd reads, a task that is XML."""

from __future__ import annotations

import configparser
import shlex
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from kjpstate.formats.schedules import (
    Job,
    cron_found,
    cron_lines,
    cron_with,
    cron_without,
    fits,
    job_name,
    task_xml,
    timer_units,
)

DOCUMENT = "/home/me/my bots/100% $HOME/kjpstate.yaml"
ARGV = ("/opt/py/bin/python3", "-m", "kjpstate", "drift", DOCUMENT)
JOB = Job(job_name("bot-kjp", DOCUMENT), DOCUMENT, ARGV, 600, 300)


def test_a_cron_line_gives_the_words_back():
    mark, line = cron_lines(replace(JOB, environ={"KJPSTATE_STATE": "/var/my state"})).splitlines()
    assert mark == f"# kjpstate schedule {JOB.name}: {DOCUMENT}"
    when, _, command = line.partition("  ")
    assert len(when.split()) == 5
    # cron makes % of \\% and hands the rest to a shell
    assert shlex.split(command.replace(r"\%", "%")) == ["KJPSTATE_STATE=/var/my state", *ARGV]


@pytest.mark.parametrize(
    ("every", "when"),
    [
        (60, "* * * * *"),
        (600, "W-59/10 * * * *"),
        (3600, "W * * * *"),
        (6 * 3600, "W */6 * * *"),
        (86400, "W 6 * * *"),
    ],
)
def test_when(every: int, when: str):
    job = replace(JOB, every=every)
    assert (
        cron_lines(job)
        .splitlines()[1]
        .startswith(f"{when.replace('W', str(job.offset // 60))}  /opt")
    )
    assert job.offset < min(every, 3600)


@pytest.mark.parametrize("every", [60, 600, 7200, 86400])
def test_periods_that_come_evenly(every: int):
    assert fits(every)


@pytest.mark.parametrize("every", [0, 30, 420, 5400, 18000, 172800])
def test_periods_that_do_not(every: int):
    assert not fits(every)


@pytest.mark.parametrize("table", ["", "MAILTO=me\n0 5 * * * backup\n", "0 5 * * * backup"])
def test_the_rest_of_the_table_is_kept(table: str):
    once = cron_with(table, JOB)
    assert once.startswith(table)
    assert cron_found(once, JOB) == cron_lines(JOB)
    assert cron_with(once, JOB) == once
    hourly = cron_with(once + "# mine\n", replace(JOB, every=3600))
    assert hourly.count("kjpstate drift") == 1
    assert hourly.endswith("# mine\n")
    ended = table if not table or table.endswith("\n") else f"{table}\n"
    assert cron_without(once, JOB) == ended
    other = replace(JOB, name=job_name("other", "/o.yaml"))
    assert cron_without(once, other) == once


def test_what_stands_under_our_comment_and_is_not_ours_stays():
    mine = "0 5 * * * backup\n"
    mark = cron_lines(JOB).splitlines(keepends=True)[0]
    assert cron_without(f"{mark}{mine}", JOB) == mine
    assert cron_with(f"{mark}{mine}", JOB) == cron_lines(JOB) + mine


def test_variables_are_only_systemds_in_a_command():
    text = timer_units(replace(JOB, environ={"KJPSTATE_STATE": "/a b/$HOME %d"}))[
        f"{JOB.name}.service"
    ]
    assert 'Environment="KJPSTATE_STATE=/a b/$HOME %%d"\n' in text
    assert "$$HOME" in text


def test_units_are_what_systemd_wants():
    units = {name: configparser.RawConfigParser() for name in timer_units(JOB)}
    for name, text in timer_units(JOB).items():
        units[name].optionxform = str
        units[name].read_string(text)
    service, timer = units[f"{JOB.name}.service"], units[f"{JOB.name}.timer"]
    assert service["Service"]["SuccessExitStatus"] == "2 3"
    assert service["Service"]["Type"] == "oneshot"
    assert service["Service"]["ExecStart"].endswith(
        'drift "/home/me/my bots/100%% $$HOME/kjpstate.yaml"'
    )
    assert timer["Timer"]["Persistent"] == "true"
    assert timer["Timer"]["OnCalendar"] == "*-*-* *:0/10:00"
    assert int(timer["Timer"]["RandomizedDelaySec"]) == 150


def test_a_task_is_xml_with_the_words_in_it():
    document = "D:\\BOT & CO\\kjpstate.yaml"
    job = replace(
        JOB, document=document, argv=("C:\\Py\\python.exe", "-m", "kjpstate", "drift", document)
    )
    root = ElementTree.fromstring(task_xml(job, "-m kjpstate drift " + document).split("?>", 1)[1])
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    exec_ = root.find(f"{space}Actions/{space}Exec")
    assert [child.text for child in exec_] == [
        job.argv[0],
        f"-m kjpstate drift {document}",
        "D:\\BOT & CO",
    ]
    assert root.findtext(f"{space}Settings/{space}MultipleInstancesPolicy") == "IgnoreNew"
    assert root.findtext(f".//{space}Interval") == "PT10M"


def test_two_documents_of_one_name_are_two_jobs():
    assert job_name("bot", "/a") != job_name("bot", "/b")
    assert job_name("b o/t", "/a").startswith("kjpstate-b-o-t-")
