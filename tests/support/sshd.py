"""A private OpenSSH server on loopback, and a TCP proxy before it that counts turns, delays, and
cuts.

For tests marked `real`. Everything is in the folder given: keys, configuration, log; the port is
free.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from kjpstate.host import Ssh
from kjpstate.model import Where


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_key(path: Path, passphrase: str = "", kind: str = "ed25519") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", str(path)], check=True)
    return path


@dataclass
class Sshd:
    """A running server. `known`: its line for a known_hosts file, for the port it is asked by."""

    folder: Path
    port: int
    process: subprocess.Popen

    @property
    def client_key(self) -> Path:
        return self.folder / "client"

    def known(self, port: int | None = None) -> str:
        words = (self.folder / "host.pub").read_text().split()[:2]
        return f"[127.0.0.1]:{port or self.port} {' '.join(words)}"

    def spec(self, port: int | None = None, **changes) -> Ssh:
        words = {"address": "127.0.0.1", "port": port or self.port, "user": getpass.getuser()}
        words |= {"identity": (str(self.client_key),)}
        return Ssh("box", Where("doc.yaml", 1, 1), **{**words, **changes})

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def start_sshd(
    folder: Path, *lines: str, inside: tuple[str, ...] = (), more: tuple[str, ...] = ()
) -> Sshd:
    """Start one; `lines` stand first in its configuration. `inside`: words that lead into a
    namespace. `more`: types of keys beside ed25519's, each in the file `host_TYPE`."""
    folder.mkdir(parents=True, exist_ok=True)
    make_key(folder / "host")
    keys = [folder / "host", *(make_key(folder / f"host_{kind}", kind=kind) for kind in more)]
    make_key(folder / "client")
    shutil.copy(folder / "client.pub", folder / "authorized")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    port = free_port()
    settings = [
        *lines,
        "ListenAddress 127.0.0.1",
        f"Port {port}",
        *(f"HostKey {key}" for key in keys),
        f"AuthorizedKeysFile {folder / 'authorized'}",
        f"PidFile {folder / 'pid'}",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
        "UseDNS no",
        "Subsystem sftp internal-sftp",
        "MaxStartups 100",
    ]
    (folder / "config").write_text("\n".join(settings) + "\n")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *inside,
                shutil.which("sshd") or "/usr/sbin/sshd",
                "-D",
                "-e",
                "-f",
                str(folder / "config"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return Sshd(folder, port, process)
        time.sleep(0.02)
    process.kill()
    raise AssertionError((folder / "log").read_text())


def fingerprint_of(server: Sshd, folder: Path) -> str:
    """The server's key as ssh-keygen prints it."""
    keygen = shutil.which("ssh-keygen")
    assert keygen is not None
    key = folder / "host.pub"
    key.write_text(server.known().split(" ", 1)[1] + "\n", "utf-8")
    return subprocess.run(
        [keygen, "-lf", str(key)], capture_output=True, text=True, check=True
    ).stdout.split()[1]


class Proxy:
    """Between a client and `target`. `turns`: how often the client spoke after the server did.

    `delay`: seconds each way. `cut_after`: the connection is reset after so many bytes of the
    client. `freeze`: nothing is passed on any more, and nobody is told.
    """

    def __init__(self, target: int) -> None:
        self.target, self.port = target, 0
        self.turns = self.sent = self.connections = 0
        self.delay, self.cut_after, self.freeze = 0.0, None, False
        self._last = ""
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task] = set()

    def reset(self) -> None:
        self.turns = self.sent = self.connections = 0
        self._last = ""

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
        ways = [
            asyncio.ensure_future(self._pass(reader, there_writer, "client")),
            asyncio.ensure_future(self._pass(there_reader, writer, "server")),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            pass  # the test is over; asyncio would complain about a callback that was cancelled
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, there_writer):
                end.transport.abort()
            self._tasks.discard(task)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, who: str
    ) -> None:
        try:
            while data := await reader.read(65536):
                if who == "client" and self._last == "server":
                    self.turns += 1
                self._last = who
                if self.delay:
                    await asyncio.sleep(self.delay)
                while self.freeze:
                    await asyncio.sleep(0.05)
                if who == "client":
                    self.sent += len(data)
                    if self.cut_after is not None and self.sent >= self.cut_after:
                        return
                writer.write(data)
                await writer.drain()
        except (ConnectionError, OSError):
            return
