"""The real systemd-resolved without a machine: in private namespaces, started by hand again and
again.

`Resolver` runs this module as a program inside `unshare -m -n -p`: an overlay over the bare Debian
of image.py, a D-Bus of its own, three links (eth0, eth1, wg0) to a second network namespace with
DNS servers that do as they are told. Nothing of it is seen outside, all of it ends with its first
process, and since no systemd starts the daemon there is no limit on starts. Requests and answers
are JSON, a line each.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.machine import image
from tests.support.machine.name_server import answer
from tests.support.machine.tools import MachineFailed, run

REPOSITORY = Path(__file__).resolve().parents[3]
PROBE = REPOSITORY / "kjpstate/hosts/remote/probe_resolved.sh"
LINKS = ("eth0", "eth1", "wg0")
SERVERS = tuple(f"10.9.0.{number}" for number in range(1, 13))
ADDRESS = "203.0.113.60"


class Resolver:
    """One such daemon; `stop` at the end. Several may run at once."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kjpt-resolved-"))
        program = [
            sys.executable,
            "-m",
            "tests.support.machine.resolver",
            str(image.bare()),
            str(self.folder),
        ]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "-m", "-n", "-p", "--fork", "--kill-child", *program],
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def start(self, files: Mapping[str, bytes | None]) -> bytes:
        """With just these files under /etc, /run and /usr (None: a link to /dev/null) and no
        settings of links; what the probe `resolved` prints then."""
        hexed = {
            path: None if content is None else content.hex() for path, content in files.items()
        }
        return bytes.fromhex(self._ask({"do": "start", "files": hexed}))

    def links(self, links: Sequence[Mapping[str, Any]]) -> bytes:
        """As DHCP or NetworkManager would set them: name, servers, domains, default_route (None:
        not said), state (up, down, bare: without an address); the other links have nothing. The
        probe again."""
        return bytes.fromhex(self._ask({"do": "links", "links": list(links)}))

    def ask(
        self, name: str, modes: Mapping[str, str], seconds: float
    ) -> tuple[int | None, set[str]]:
        """The reply code of the stub (None: none in time) for one A question of a name that was not
        asked before, and the servers that were asked, with servers that behave like `modes` says
        (else: ok)."""
        code, asked = self._ask(
            {"do": "ask", "name": name, "modes": dict(modes), "seconds": seconds}
        )
        return code, set(asked)

    def _ask(self, request: Mapping[str, Any]) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            told = (self.folder / "log").read_text(errors="replace")[-3000:]
            raise MachineFailed(f"the resolver in its namespaces ended:\n{told}")
        return json.loads(line)

    def stop(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)


# ---- what runs inside of the namespaces

SYSTEMCTL = """#!/bin/sh
case "$*" in
  --version) exec /usr/bin/systemctl --version ;;
  'show systemd-resolved.service'*)
    printf '%s\\n' LoadState=loaded ActiveState=active SubState=running UnitFileState=enabled ;;
  '-q is-active systemd-resolved') ;;
  *) exit 3 ;;
esac
"""
TREES = ("etc", "run", "usr/local/lib", "usr/lib")


class Cell:
    """The inside: mounts, links and servers once; the daemon anew for each `start`."""

    def __init__(self, lower: Path, folder: Path) -> None:
        self.root = folder / "root"
        self.modes: dict[str, str] = {}
        self.log: list[tuple[str, str]] = []
        self.daemon: subprocess.Popen[bytes] | None = None
        self._mount(lower, folder)
        self._network()
        self._serve()
        (self.root / "usr/local/bin/systemctl").write_text(SYSTEMCTL)
        (self.root / "usr/local/bin/systemctl").chmod(0o755)
        shutil.copy(PROBE, self.root / "probe.sh")
        resolv = self.root / "etc/resolv.conf"
        resolv.unlink(missing_ok=True)
        resolv.symlink_to("../run/systemd/resolve/stub-resolv.conf")
        self.inside("dbus-daemon", "--system", "--fork", "--nopidfile")

    def inside(self, *argv: str) -> str:
        return run(["chroot", self.root, *argv])

    def _mount(self, lower: Path, folder: Path) -> None:
        layer = folder / "layer"
        for path in (self.root, layer):
            path.mkdir()
        run(["mount", "-t", "tmpfs", "kjpt", layer])
        for name in ("upper", "work"):
            (layer / name).mkdir()
        parts = f"lowerdir={lower},upperdir={layer / 'upper'},workdir={layer / 'work'}"
        run(["mount", "-t", "overlay", "-o", parts, "kjpt", self.root])
        run(["mount", "-t", "proc", "proc", self.root / "proc"])
        run(["mount", "-t", "sysfs", "sysfs", self.root / "sys"])
        run(["mount", "--bind", "/dev", self.root / "dev"])
        run(["mount", "-t", "tmpfs", "kjpt", self.root / "run"])
        run(["mount", "-t", "tmpfs", "kjpt", "/run"])
        for name in ("dbus", "systemd/system", "systemd/resolve"):
            (self.root / "run" / name).mkdir(parents=True)
        self.inside("chown", "systemd-resolve:systemd-resolve", "/run/systemd/resolve")

    def _network(self) -> None:
        run(["ip", "netns", "add", "inet"])
        lines = ["link set lo up"]
        beyond = ["link set lo up", *(f"address add {address}/32 dev lo" for address in SERVERS)]
        for place, name in enumerate(LINKS):
            lines.append(f"link add {name} type veth peer name up{place} netns inet")
            beyond += [f"address add 10.1.{place}.1/24 dev up{place}", f"link set up{place} up"]
        run(
            [
                "sysctl",
                "-qw",
                "net.ipv6.conf.all.disable_ipv6=1",
                "net.ipv6.conf.default.disable_ipv6=1",
            ]
        )
        run(["ip", "-batch", "-"], text="\n".join(lines) + "\n")
        run(["ip", "-n", "inet", "-batch", "-"], text="\n".join(beyond) + "\n")

    def _serve(self) -> None:
        """The servers' sockets live in the other namespace; they answer from a thread of this
        process."""
        libc = ctypes.CDLL(None, use_errno=True)
        with Path("/proc/self/ns/net").open() as here, Path("/run/netns/inet").open() as there:
            if libc.setns(there.fileno(), 0):
                raise MachineFailed("no way into the servers' namespace")
            selector = selectors.DefaultSelector()
            for address in SERVERS:
                server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                server.bind((address, 53))
                selector.register(server, selectors.EVENT_READ, address)
            if libc.setns(here.fileno(), 0):
                raise MachineFailed("no way back")
        threading.Thread(target=self._answer, args=(selector,), daemon=True).start()

    def _answer(self, selector: selectors.BaseSelector) -> None:
        while True:
            for key, _ in selector.select():
                server = key.fileobj
                assert isinstance(server, socket.socket)
                query, client = server.recvfrom(4096)
                name, reply = answer(
                    query,
                    self.modes.get(key.data, "ok"),
                    {"com": ADDRESS, "lan": ADDRESS, "local": ADDRESS},
                )
                self.log.append((key.data, name))
                if reply:
                    server.sendto(reply, client)

    # ---- requests

    def start(self, files: Mapping[str, str | None]) -> str:
        self._kill()
        for tree in TREES:
            folder = self.root / tree / "systemd"
            (folder / "resolved.conf").unlink(missing_ok=True)
            shutil.rmtree(folder / "resolved.conf.d", ignore_errors=True)
        shutil.rmtree(self.root / "run/systemd/resolve/netif", ignore_errors=True)
        for path, content in files.items():
            file = self.root / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                file.symlink_to("/dev/null")
            else:
                file.write_bytes(bytes.fromhex(content))
        self._launch()
        return self.probe()

    def _kill(self) -> None:
        if self.daemon is not None:
            self.daemon.send_signal(signal.SIGKILL)
            self.daemon.wait()

    def _launch(self) -> None:
        """Returns when its name is on the bus."""
        told = self.root / "run/notify"
        told.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(told))
            told.chmod(0o777)
            notify.settimeout(20)
            environ = {
                "PATH": os.environ["PATH"],
                "NOTIFY_SOCKET": "/run/notify",
                "SYSTEMD_LOG_LEVEL": "notice",
            }
            argv = ["chroot", str(self.root), "/lib/systemd/systemd-resolved"]
            self.daemon = subprocess.Popen(argv, env=environ, stdout=sys.stderr)
            while b"READY=1" not in notify.recv(4096):
                pass

    def probe(self) -> str:
        done = run(
            ["chroot", self.root, "env", "PATH=/usr/local/bin:/usr/bin:/bin", "sh", "/probe.sh"]
        )
        return done.encode(errors="surrogateescape").hex()

    def links(self, links: Sequence[Mapping[str, Any]]) -> str:
        wanted = {link["name"]: link for link in links}
        lines = []
        for place, name in enumerate(LINKS):
            lines += [f"link set {name} down", f"address flush dev {name}"]
            state = wanted.get(name, {}).get("state", "down")
            if state == "up":
                lines.append(f"address add 10.1.{place}.2/24 dev {name}")
            if state != "down":
                lines.append(f"link set {name} up")
            if state == "up":
                lines.append(
                    f"route add 10.9.0.0/24 dev {name} src 10.1.{place}.2 metric {place + 1}"
                )
        run(["ip", "-batch", "-"], text="\n".join(lines) + "\n")
        for name, link in wanted.items():
            for verb, words in (("dns", link["servers"]), ("domain", link["domains"])):
                if words:
                    self.inside("resolvectl", verb, name, *words)
            if link["default_route"] is not None:
                self.inside(
                    "resolvectl", "default-route", name, "yes" if link["default_route"] else "no"
                )
        return self.probe()

    def ask(
        self, name: str, modes: Mapping[str, str], seconds: float
    ) -> tuple[int | None, list[str]]:
        self.modes = dict(modes)
        query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
        query += (
            b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
            + b"\0\0\1\0\1"
        )
        code = None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stub:
            stub.settimeout(seconds)
            stub.sendto(query, ("127.0.0.53", 53))
            with contextlib.suppress(TimeoutError):
                code = stub.recv(4096)[3] & 15
        time.sleep(0.02)
        return code, sorted({server for server, asked in list(self.log) if asked == name})


def main(lower: Path, folder: Path) -> None:
    cell = Cell(lower, folder)
    for line in sys.stdin:
        request = json.loads(line)
        answered = getattr(cell, request.pop("do"))(**request)
        print(json.dumps(answered), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
