"""Hints on the cause of a drift, from what a host has kept: tables, and anything else without a
crash."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kjpstate.formats.causes import hint, parse
from kjpstate.said import Said, say

# 2026-11-25 13:01:00 UTC, on a host seven hours ahead.
NOW, CHANGED = 1795611660 + 3 * 3600, 1795611660
CONF = "/etc/systemd/resolved.conf"
DIST = "/root/bot-kjp/dist/"
OPEN = "root     pts/0        192.168.100.20   Wed Nov 25 12:58:01 2026   still logged in"
SHUT = (
    "kjp      tty1                          Wed Nov 25 12:50:00 2026 - Wed Nov 25 13:10:00 "
    "2026  (00:20)"
)
BEFORE = (
    "root     pts/1        192.168.100.21   Wed Nov 25 02:00:00 2026 - Wed Nov 25 "
    "02:10:00 2026  (00:10)"
)
CRASH = (
    "root     pts/1        192.168.100.22   Wed Nov 25 12:00:00 2026 - crash               "
    "     (00:10)"
)
BOOT = "reboot   system boot  6.1.0-18-amd64   Wed Nov 25 01:00:00 2026   still running"
UPGRADE = "2026-11-25 19:58:58 upgrade systemd:amd64 252.1-1 252.2-1"
INSTALL = "2026-11-25 19:59:58 install jq:amd64 <none> 1.6"
LONG_AGO = "2026-11-25 09:00:00 upgrade nano:amd64 1 2"
EXIT = "2026-11-25T20:01:12: PM2 log: App [bot-kjp:0] exited with code [1] via signal [SIGINT]"
OTHER = "2026-11-25T20:02:12: PM2 log: App [bot-kjp-2:1] starting in -fork mode-"


def seen(*rows: tuple[str, ...], now: int = NOW) -> bytes:
    """What the probe prints."""
    lines = [("now", str(now), "+0700"), *rows]
    return "".join("\t".join(line) + "\n" for line in lines).encode()


FILE = ("file", str(CHANGED), CONF)


def changed(name: str = "resolved.conf", day: int = 25, ago: int = 3 * 3600) -> Said:
    return say("causes.changed", name=name, when=f"2026-11-{day} 20:01", span=float(ago))


def person(user: str, origin: str) -> Said:
    return say("causes.people", names=[say("causes.person", user=user, origin=origin)], more=-1)


UPGRADED = "upgrade systemd 252.1-1 -> 252.2-1"
AWAY = say("causes.went", name="resolved.conf", when="2026-11-25 20:01", span=3 * 3600.0)

TABLE: dict[str, tuple[list[tuple[str, ...]], list[Said]]] = {
    "a file": ([FILE], [changed()]),
    "somebody is in": ([FILE, ("login", OPEN)], [changed(), person("root", "192.168.100.20")]),
    "somebody was in": ([FILE, ("login", SHUT)], [changed(), person("kjp", "tty1")]),
    "nobody was in": (
        [FILE, ("login", BEFORE), ("login", BOOT)],
        [changed(), say("causes.nobody")],
    ),
    "not known": ([FILE, ("login", CRASH), ("login", BOOT)], [changed()]),
    "logins begin later": (
        [("file", str(CHANGED - 86400), CONF), ("login", OPEN)],
        [changed(day=24, ago=27 * 3600)],
    ),
    "a package": (
        [FILE, ("dpkg", UPGRADE)],
        [changed(), say("causes.packages", packages=[UPGRADED], more=-1)],
    ),
    "packages": (
        [FILE, ("dpkg", LONG_AGO), ("dpkg", UPGRADE), ("dpkg", INSTALL), ("dpkg", INSTALL)],
        [
            changed(),
            say("causes.packages-and-more", packages=[UPGRADED, "install jq 1.6"], more=1),
        ],
    ),
    "a file that went away": ([("gone", str(CHANGED), CONF)], [AWAY]),
    "a clock that was ahead": ([("file", str(NOW + 9999), CONF)], []),
    "another file": ([("file", str(CHANGED), "/etc/other")], []),
    "nothing": ([], []),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_is_said_of_a_file(name: str):
    rows, said = TABLE[name]
    traces = parse(seen(*rows))
    assert traces is not None
    assert hint(traces, [CONF]) == (say("causes.list", parts=said) if said else "")


def test_of_a_folder_its_newest_file():
    traces = parse(
        seen(("file", str(CHANGED), f"{DIST}/a.js"), ("file", str(CHANGED - 60), f"{DIST}b.js"))
    )
    assert traces is not None
    assert hint(traces, [DIST]) == say("causes.list", parts=[changed("a.js")])


def test_of_an_app_what_pm2_did_with_it_last():
    traces = parse(seen(("pm2", EXIT.replace("SIGINT", "SIGTERM")), ("pm2", EXIT), ("pm2", OTHER)))
    assert traces is not None
    line = "App [bot-kjp:0] exited with code [1] via signal [SIGINT]"
    said = say("causes.pm2-log", when="2026-11-25 20:01:12", line=line)
    assert hint(traces, [], "bot-kjp") == said
    assert hint(traces, [], "other") == ""


@pytest.mark.parametrize("answer", [None, b"", b"now\tx\t+0000\n", b"\xff\xfe", b"now\t5\n"])
def test_no_traces(answer):
    assert parse(answer) is None


WORDS = st.sampled_from(["now", "file", "gone", "login", "dpkg", "pm2", "", "x"])
TEXTS = st.one_of(
    st.text(max_size=30), st.sampled_from([OPEN, SHUT, UPGRADE, EXIT, CONF, "9" * 30, "+0700"])
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(WORDS, TEXTS, TEXTS), max_size=12))
def test_whatever_a_host_prints_is_no_crash(rows):
    traces = parse(seen(*rows))
    if traces is not None:
        assert "\n" not in str(hint(traces, [CONF, DIST], "bot-kjp")) or any(
            "\r" in "".join(row) for row in rows
        )
