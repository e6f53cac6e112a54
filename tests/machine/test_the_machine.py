"""The machine itself: before it may judge kjpstate it has to be what it says it is."""

from __future__ import annotations

import time

import pytest

from tests.support.machine import BOT, Machine
from tests.support.machine.outage import ALL_DNS, measure

pytestmark = pytest.mark.machine

QUERY = (
    "resolvectl flush-caches; timeout 4 resolvectl query --cache=no --legend=no web.whatsapp.com"
)
PUBLIC = ("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1")


def test_it_boots_whole_and_is_pristine_again_in_seconds(box: Machine):
    box.must("touch /root/mine; rm /etc/systemd/resolved.conf")
    before = time.monotonic()
    box.reset()
    assert time.monotonic() - before < 15
    assert box.exec("test -e /root/mine").code == 1
    assert box.must("cat /etc/debian_version").startswith("12.")
    assert "[Resolve]" in box.must("cat /etc/systemd/resolved.conf")
    assert (
        box.must("systemctl is-active systemd-resolved ssh cron pm2-root").split() == ["active"] * 4
    )


def test_a_restart_is_another_boot_of_the_same_files(box: Machine):
    boot = box.must("touch /root/mine; cat /proc/sys/kernel/random/boot_id")
    box.restart()
    assert box.must("ls /root/mine; cat /proc/sys/kernel/random/boot_id") != f"/root/mine\n{boot}"


def test_names_come_from_the_modem_and_from_nowhere_else(box: Machine):
    assert "203.0.113.60" in box.must(QUERY)
    assert "web.whatsapp.com" in box.asked("192.168.100.1")
    assert [box.asked(server) for server in PUBLIC] == [[], [], [], []]


@pytest.mark.parametrize(
    ("mode", "code", "says"),
    [
        ("NXDOMAIN", 1, "not found"),
        ("SERVFAIL", 1, "SERVFAIL"),
        ("REFUSED", 1, "REFUSED"),
        ("silent", 124, ""),
    ],
)
def test_a_modem_that_fails_is_seen_on_the_box(box: Machine, mode: str, code: int, says: str):
    box.dns("ok")
    box.must(QUERY)
    box.dns(mode)
    failed = box.exec(QUERY)
    box.dns("ok")
    assert failed.code == code
    assert says in failed.err


def test_each_public_server_is_there_and_fails_by_itself(box: Machine):
    box.dns("REFUSED", "8.8.8.8")
    for server in PUBLIC:
        answer = box.must(f"dig +time=2 +tries=1 @{server} web.whatsapp.com")
        assert ("status: REFUSED" in answer) == (server == "8.8.8.8")
        assert ("203.0.113.60" in answer) == (server != "8.8.8.8")
    assert box.must("dig +tcp +short @1.1.1.1 web.whatsapp.com") == "203.0.113.60\n"


def test_nothing_beyond_its_own_small_internet_can_be_reached(machine: Machine):
    addresses = machine.must("ip -br address")
    assert addresses.split() == [
        "lo",
        "UNKNOWN",
        "127.0.0.1/8",
        "::1/128",
        "eth0@if2",
        "UP",
        "192.168.100.104/24",
    ]
    assert (
        machine.exec("ping -c1 -W1 9.9.9.9 || timeout 3 bash -c '</dev/tcp/9.9.9.9/53'").code != 0
    )


def test_the_bot_is_up_as_its_owner_left_it_and_talks_to_whatsapp(box: Machine):
    assert box.bot_is_connected()
    assert "bot-kjp" in box.must("pm2 ls --mini-list || pm2 ls")
    assert "WhatsApp Terhubung" in box.must("cat /root/.pm2/logs/bot-kjp-out.log")
    assert box.exec(f"test -e {BOT}/ecosystem.config.js").code == 1


def test_the_incident_happens_here_too_without_dns_the_bot_tries_again_without_a_pause(
    box: Machine,
):
    assert box.bot_is_connected()
    pid = box.must("cat /root/.pm2/pids/bot-kjp-0.pid").strip()
    found = measure(box, ALL_DNS, 5)
    assert found.attempts > 50, found
    assert box.must("cat /root/.pm2/logs/bot-kjp-out.log").count("ENOTFOUND") > 50
    # PM2 sees nothing of it: the loop is inside of one process that never ends.
    assert box.must("cat /root/.pm2/pids/bot-kjp-0.pid").strip() == pid
    assert box.must("pm2 jlist").count('"status":"online"') == 1


def test_a_write_shows_in_the_stamps_of_all_files(box: Machine):
    assert box.bot_is_connected()
    but = ("/root/.pm2", "/var/log", f"{BOT}/auth_info_baileys")
    before = box.files(*but)
    assert len(before) > 5000
    box.must("cp -p /etc/hostname /tmp/h; cat /tmp/h > /etc/hostname; touch /root/new")
    after = box.files(*but)
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    assert changed == {"/etc/hostname", "/root/new"}
