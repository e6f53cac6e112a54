"""Real cron runs the scheduled line: on the box itself, with no laptop to ask, and from outside
over SSH."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

import pytest

from tests.support.machine import Machine
from tests.support.machine.tools import wait_until
from tests.support.machine.world import World

pytestmark = pytest.mark.machine

# One document in two places: a host's dns belongs to one of a name.
DOCUMENT = """\
kjpstate: 1
name: watched
hosts: {{stb: {{ssh: {{address: 192.168.100.104, user: root, identity: /root/outside, host_key: "{key}"}}}}}}
dns: {{host: stb, servers: [8.8.8.8, 1.1.1.1]}}
notify:
  channels: [{{name: file, command: [/root/tell, /root/{name}.told]}}]
"""
TELL = '#!/bin/sh\ncat >>"$1"\n'
EDIT = "sed -i s/8.8.8.8/9.9.9.9/ /etc/systemd/resolved.conf && systemctl restart systemd-resolved"


@pytest.fixture
def owner(tmp_path: Path, box: Machine) -> World:
    """kjpstate, two documents and an SSH key on the box."""
    world = World(tmp_path, box, "bot-kjp.yaml", quick=True)
    world.install()
    key = " ".join(box.known_host.split()[1:])
    for name in ("here", "outside"):
        box.must(f"cat >/root/{name}.yaml", text=DOCUMENT.format(name=name, key=key))
    box.must("cat >/root/tell && chmod 755 /root/tell", text=TELL)
    box.must("cat >/root/outside && chmod 600 /root/outside", text=box.key.read_text())
    return world


def test_cron_finds_a_planted_drift_on_the_box_itself_and_from_outside(owner: World, box: Machine):
    kjpstate = "python3 -m kjpstate"
    applied = box.must(f"{kjpstate} apply /root/here.yaml --here stb --yes", timeout=120)
    assert "Looked again: in sync." in applied
    for name, more in (("here", "--here stb"), ("outside", "")):
        written = box.exec(
            f"{kjpstate} schedule /root/{name}.yaml --with cron --every 1m {more} --yes",
            timeout=120,
        )
        assert written.code == 0, written
        assert "It works there: exit code 0, in sync." in written.err
    assert box.must("crontab -l").count("/usr/bin/python3 -m kjpstate drift /root/") == 2
    assert box.exec("cat /root/here.told /root/outside.told").out == ""
    box.must(EDIT)
    for name in ("here", "outside"):
        assert wait_until(
            lambda name=name: "drift: dns" in box.exec(f"cat /root/{name}.told").out, 130, every=2
        ), name
    time.sleep(1)
    assert box.must("cat /root/here.told").count("drift: dns") == 1
    for name in ("here", "outside"):
        box.must(f"{kjpstate} schedule /root/{name}.yaml --with cron --remove --yes")
    assert "kjpstate" not in box.exec("crontab -l").out


ODD = '/root/my bots 100% $HOME ${PATH} it\'s "é" \\n'
"""Each sign of it means something to cron, a shell or systemd."""


def test_systemd_and_cron_find_a_document_whose_path_has_odd_signs(owner: World, box: Machine):
    kjpstate, path = "python3 -m kjpstate", shlex.quote(f"{ODD}/kjpstate.yaml")
    box.must(f"mkdir {shlex.quote(ODD)} && cp /root/here.yaml {path}")
    box.must(f"{kjpstate} apply {path} --here stb --yes", timeout=120)
    written = box.exec(f"{kjpstate} schedule {path} --with timer --here stb --yes", timeout=120)
    assert (written.code, "exit code 0, in sync." in written.err) == (0, True), written
    unit = (
        box.must("cd /etc/systemd/system && echo kjpstate-*.timer").strip().removesuffix(".timer")
    )
    assert (
        box.must(f"systemctl is-enabled {unit}.timer; systemctl is-active {unit}.timer")
        == "enabled\nactive\n"
    )
    box.must(EDIT)
    box.must(f"systemctl start {unit}.service", timeout=120)
    ended = box.must(f"systemctl show -p ExecMainStatus -p Result {unit}.service")
    assert set(ended.split()) == {"Result=success", "ExecMainStatus=2"}
    assert "~ dns  stb  " in box.must(f"journalctl -o cat -u {unit}.service")
    box.must(f"{kjpstate} schedule {path} --with timer --remove --yes")
    assert "kjpstate" not in box.must("ls /etc/systemd/system")
    box.must(f"{kjpstate} schedule {path} --with cron --every 1m --here stb --yes", timeout=120)
    noted = f"{kjpstate} history {path} --local --verb drift"
    before = box.must(noted)
    assert wait_until(lambda: box.must(noted) != before, 130, every=5), "cron has not run it"
    box.must(f"{kjpstate} schedule {path} --with cron --remove --yes")
    assert "kjpstate" not in box.exec("crontab -l").out
