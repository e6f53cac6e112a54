"""DNS on the real machine: the owner's addresses, with every way a modem or a public server can
fail.

By default two of the four ways; all of them with KJPSTATE_FULL=1.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.machine import Machine
from tests.support.machine.world import BOX, World

pytestmark = pytest.mark.machine

RESOLVED = "/etc/systemd/resolved.conf"
FOLDER = "/etc/systemd/resolved.conf.d"
OURS = f"{FOLDER}/zz-kjpstate.conf"
UNIT = "systemd-resolved"
WAYS = ["SERVFAIL", "NXDOMAIN", "REFUSED", "silent"][:: 1 if os.environ.get("KJPSTATE_FULL") else 3]
RULES = {
    "SERVFAIL": "server-servfail",
    "NXDOMAIN": "server-nxdomain",
    "REFUSED": "server-refused",
    "silent": "server-timeout",
}
COUNTED = "ways a modem or a public DNS server fails, on a real Debian"
Counted = Callable[[str, int], None]
DOCUMENT = """\
kjpstate: 1
name: dns-only
hosts:
  stb: {box}
dns:
  host: stb
  servers: [8.8.8.8, 1.1.1.1]
  {more}
checks:
  - {{name: AC4, dns: {{host: stb, effective: true}}}}
  - {{name: AC5, dns: {{host: stb, resolves: [web.whatsapp.com], each_server: true}}}}
"""


class Dns(World):
    """A document of its section dns alone; `document_with` writes it anew."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        self.folder, self.machine = folder, machine
        self.document = folder / "kjpstate.yaml"
        self.pc = folder / "pc"
        self.pc.mkdir()
        self.document_with()

    def document_with(self, more: str = "fallback: [8.8.4.4, 1.0.0.1]") -> None:
        text = DOCUMENT.format(box=BOX, more=more).replace(BOX, self._ssh())
        self.document.write_text(textwrap.dedent(text), encoding="utf-8")

    def servers(self) -> str:
        return self.machine.must("resolvectl dns").splitlines()[0]


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory, machine: Machine) -> Dns:
    machine.reset()
    world = Dns(tmp_path_factory.mktemp("dns"), machine)
    world.must(2, "plan", "--detailed-exitcode")
    world.must(0, "apply", "--yes")
    assert world.servers() == "Global: 8.8.8.8 1.1.1.1"
    return world


@pytest.fixture
def steady(applied: Dns) -> Iterator[Dns]:
    """In sync, and left so; all servers answer again afterwards."""
    yield applied
    applied.machine.network.all_ok()


@pytest.fixture
def world(steady: Dns) -> Iterator[Dns]:
    """The same for a test that leaves the section dns otherwise."""
    yield steady
    steady.machine.must(f"rm -rf {FOLDER}; systemctl reset-failed {UNIT}")
    steady.document_with()
    steady.must(0, "apply", "--yes")


@pytest.mark.parametrize("way", WAYS)
def test_with_a_modem_that_fails_drift_is_found_and_healed_and_names_resolve(
    steady: Dns, way: str, counted: Counted
) -> None:
    box = steady.machine
    box.must(f"sed -i /^DNS=/d {RESOLVED}; systemctl reset-failed {UNIT}; systemctl restart {UNIT}")
    box.dns(way)
    assert "dns" in steady.must(2, "drift")
    assert "2 passed, 0 failed" in steady.must(0, "apply", "--yes")
    assert steady.servers() == "Global: 8.8.8.8 1.1.1.1"
    counted(COUNTED, 1)


@pytest.mark.parametrize("way", WAYS)
def test_a_public_server_that_fails_is_named_and_is_no_drift(
    steady: Dns, way: str, counted: Counted
) -> None:
    steady.machine.dns(way, "8.8.8.8")
    assert steady.must(0, "drift") == ""
    said = " ".join(steady.must(6, "verify").split())
    assert "1 passed, 1 failed" in said and f"[{RULES[way]}]" in said and "8.8.8.8" in said
    counted(COUNTED, 1)


def test_a_line_that_is_down_is_not_known_rather_than_failed(steady: Dns) -> None:
    box = steady.machine
    box.must("ip route add blackhole 8.8.8.8; ip route add blackhole 1.1.1.1")
    try:
        assert steady.must(0, "drift") == ""
        said = " ".join(steady.must(3, "verify", "--check", "AC5").split())
        assert "wan-down" in said and "1 not known" in said
    finally:
        box.must("ip route del blackhole 8.8.8.8; ip route del blackhole 1.1.1.1")


def test_a_drop_in_of_somebody_else_is_refused_and_beaten_by_ours(world: Dns) -> None:
    box = world.machine
    main = box.must(f"cat {RESOLVED}")
    box.must(f"mkdir -p {FOLDER}; printf '[Resolve]\\nDNS=9.9.9.9\\n' >{FOLDER}/90-vpn.conf")
    refused = world.kjpstate("plan")
    assert refused.code == 8 and f"{FOLDER}/90-vpn.conf:2: DNS=9.9.9.9" in refused.out + refused.err
    world.document_with("drop_in: true")
    world.must(0, "apply", "--yes")
    assert world.must(0, "drift") == "" and "In sync." in world.must(0, "plan")
    assert world.servers() == "Global: 8.8.8.8 1.1.1.1"
    assert box.must(f"cat {RESOLVED}") == main
    box.must(f"rm {FOLDER}/90-vpn.conf")
    world.document_with()
    world.must(0, "apply", "--yes")
    assert box.exec(f"test -e {OURS}").code == 1
    assert world.must(0, "drift") == ""


def test_a_restart_is_never_the_one_too_many(steady: Dns) -> None:
    box = steady.machine
    box.must(f"sed -i /^DNS=/d {RESOLVED}")
    box.must(
        f"systemctl reset-failed {UNIT}; for i in 1 2 3 4 5; do systemctl restart {UNIT}; done"
    )
    steady.must(0, "apply", "--yes")
    assert box.must(f"systemctl is-active {UNIT}") == "active\n"


def test_a_restart_that_fails_says_why_and_is_put_back(world: Dns) -> None:
    box = world.machine
    box.must(f"sed -i /^DNS=/d {RESOLVED}; systemctl restart {UNIT}")
    before = box.must(f"cat {RESOLVED}")
    # It comes up only while the file is as it was: the undo's restart must succeed.
    box.must(f"mkdir -p /run/systemd/system/{UNIT}.service.d")
    check = "/bin/sh -c '! grep -q ^DNS=8 /etc/systemd/resolved.conf || { echo no way; exit 1; }'"
    box.must(
        f"cat >/run/systemd/system/{UNIT}.service.d/t.conf; systemctl daemon-reload",
        text=f"[Service]\nRestart=no\nExecStartPre={check}\n",
    )
    try:
        done = world.kjpstate("apply", "--yes")
        said = done.out + done.err
        assert done.code == 7 and "restart-failed" in said and "no way" in said, said
        assert box.must(f"cat {RESOLVED}") == before
        assert box.must(f"systemctl is-active {UNIT}") == "active\n"
    finally:
        box.must(f"rm -r /run/systemd/system/{UNIT}.service.d; systemctl daemon-reload")
