"""Three network namespaces: the box, its modem, and a small internet; none joined to the host's.

box 192.168.100.104 - modem 192.168.100.1 (with the provider's DNS) - inet (8.8.8.8, 8.8.4.4,
1.1.1.1, 1.0.0.1, and a stand-in for web.whatsapp.com). box.py makes one Network for each Machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.machine import image
from tests.support.machine.tools import MachineFailed, run, wait_until

HERE = Path(__file__).resolve().parent
BOX, MODEM, WHATSAPP = "192.168.100.104", "192.168.100.1", "203.0.113.60"
PUBLIC = ("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1")
NAMES = {"whatsapp.com": WHATSAPP, "whatsapp.net": WHATSAPP, "example.com": "203.0.113.61"}
MODES = ("ok", "SERVFAIL", "REFUSED", "NXDOMAIN", "silent")

# NS, then a command of `ip`; "=" is the prefix of the namespaces.
SETUP = """
box    link add eth0 type veth peer name lan netns =modem
modem  link add wan type veth peer name isp netns =inet
box    link set lo up
modem  link set lo up
inet   link set lo up
modem  address add 192.168.100.1/24 dev lan
modem  address add 198.51.100.2/24 dev wan
inet   address add 198.51.100.1/24 dev isp
modem  link set lan up
modem  link set wan up
inet   link set isp up
modem  route add default via 198.51.100.1
inet   route add 192.168.100.0/24 via 198.51.100.2
"""


class Network:
    """Made by `up`, gone after `down`. `folder`: for the modes and logs of the DNS servers."""

    def __init__(self, prefix: str, folder: Path) -> None:
        self.prefix, self.folder = prefix, folder
        self.helpers: list[subprocess.Popen[bytes]] = []

    def path(self, name: str) -> str:
        """Of the namespace `box`, `modem` or `inet`."""
        return f"/run/netns/{self.prefix}{name}"

    def up(self) -> None:
        for name in ("box", "modem", "inet"):
            run(["ip", "netns", "add", self.prefix + name])
        for line in SETUP.strip().splitlines():
            name, *words = line.replace("=", self.prefix).split()
            run(["ip", "-n", self.prefix + name, *words])
        for address in (*PUBLIC, *sorted(set(NAMES.values()))):
            run(["ip", "-n", f"{self.prefix}inet", "address", "add", f"{address}/32", "dev", "lo"])
        run(
            ["ip", "netns", "exec", f"{self.prefix}modem", "sysctl", "-qw", "net.ipv4.ip_forward=1"]
        )
        self._start_name_servers()
        self._start_whatsapp()

    def _start_whatsapp(self) -> None:
        for name in ("tls.key", "tls.pem"):
            shutil.copy2(image.whatsapp() / name, self.folder)
        self.helper("inet", ["node", HERE / "whatsapp.js", image.bot(), self.folder, WHATSAPP])
        self._await_server("inet", WHATSAPP, 443)

    def _start_name_servers(self) -> None:
        self.folder.mkdir(parents=True)
        (self.folder / "names.json").write_text(json.dumps(NAMES))
        self.all_ok()
        self.helper("modem", [sys.executable, HERE / "name_server.py", self.folder, MODEM])
        self.helper("inet", [sys.executable, HERE / "name_server.py", self.folder, *PUBLIC])
        for name, address in [("modem", MODEM), *(("inet", address) for address in PUBLIC)]:
            self._await_server(name, address, 53)

    def _await_server(self, name: str, address: str, port: int) -> None:
        argv = ["nsenter", f"--net={self.path(name)}", "ss", "-Hltn", "src", f"{address}:{port}"]
        if not wait_until(lambda: bool(run(argv).strip()), 20):
            raise MachineFailed(f"the server {address}:{port} of the machine does not come up")

    def helper(self, name: str, argv: list[str | Path], **popen) -> subprocess.Popen[bytes]:
        """A program inside a namespace that ends when its standard input does, at the latest with
        us."""
        words = ["nsenter", f"--net={self.path(name)}", *map(str, argv)]
        helper = subprocess.Popen(words, stdin=subprocess.PIPE, **popen)
        self.helpers.append(helper)
        return helper

    def proxy(self, address: str, port: int) -> int:
        """The port on 127.0.0.1 that leads to this address as the box sees it."""
        argv = [sys.executable, HERE / "proxy.py", self.path("box"), address, str(port)]
        helper = subprocess.Popen(
            list(map(str, argv)), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.helpers.append(helper)
        assert helper.stdout is not None
        return int(helper.stdout.readline())

    def mode(self, address: str, mode: str) -> None:
        """How a DNS server behaves from now on; see MODES."""
        if mode not in MODES or address not in (MODEM, *PUBLIC):
            raise MachineFailed(f"no DNS server {address} that could be {mode}")
        (self.folder / f"{address}.mode").write_text(mode)

    def all_ok(self) -> None:
        """WhatsApp and every DNS server answer; their logs are empty."""
        self.whatsapp("ok")
        (self.folder / "whatsapp.log").write_text("")
        for address in (MODEM, *PUBLIC):
            self.mode(address, "ok")
            (self.folder / f"{address}.log").write_text("")

    def asked(self, address: str) -> list[str]:
        """The names a DNS server was asked for since `all_ok`."""
        return (self.folder / f"{address}.log").read_text().split()

    def whatsapp(self, mode: str) -> None:
        """`down`: connections are cut, and new ones too; `ok`: every login succeeds."""
        (self.folder / "whatsapp.mode").write_text(mode)

    def logins(self) -> int:
        """How often a bot logged in at WhatsApp since `all_ok`."""
        return len((self.folder / "whatsapp.log").read_text().split())

    def down(self) -> None:
        for helper in self.helpers:
            for stream in (helper.stdin, helper.stdout):
                if stream:
                    stream.close()
            helper.kill()
            helper.wait()
        remove_namespaces(self.prefix)


def remove_namespaces(prefix: str) -> None:
    """All namespaces of a machine, and what still runs in them."""
    for name in _namespaces():
        if name.startswith(prefix):
            kill_all_in(name)
            run(["ip", "netns", "delete", name])


def kill_all_in(namespace: str) -> None:
    """Returns when no process is left in it."""

    def empty() -> bool:
        numbers = run(["ip", "netns", "pids", namespace]).split()
        for number in numbers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(number), signal.SIGKILL)
        return not numbers

    if namespace in _namespaces() and not wait_until(empty, 10):
        raise MachineFailed(f"processes that can't be killed in {namespace}")


def _namespaces() -> list[str]:
    return [line.split()[0] for line in run(["ip", "netns", "list"]).splitlines()]
