"""Every body of the port under one face: for the contract tests.

A Bench has a folder on the host (`root`, the document's word for it) and makes hosts that may
change it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kjpstate.host import Host, Ssh
from kjpstate.hosts.local import LocalHost
from kjpstate.hosts.programs import COMMAND_CAP
from kjpstate.hosts.simulated import SimulatedHost
from kjpstate.hosts.ssh import ShellHost
from kjpstate.model import RunInfo, Where

SHELLS = {"dash": "dash", "bash": "bash --posix", "busybox": "busybox sh"}


@dataclass
class Bench:
    """`make(may_change)` gives a new host on the same folder; `real` says where a path of it is."""

    body: str
    root: str
    real: Callable[[str], Path]
    make: Callable[[tuple[str, ...]], Host]
    state: Path
    locks: Path

    def path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def put(self, name: str, content: bytes | str, mode: int = 0o644) -> str:
        path = self.real(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return self.path(name)

    def get(self, name: str) -> bytes | None:
        path = self.real(self.path(name))
        return path.read_bytes() if path.exists() else None

    def names(self, name: str = "") -> list[str]:
        """All below a folder, relative, ours included."""
        top = self.real(self.path(name).rstrip("/"))
        return sorted(path.relative_to(top).as_posix() for path in top.rglob("*"))

    def host(self, *may_change: str) -> Host:
        return self.make(may_change or (self.root + "/",))


def run_info(run_id: str = "abc123", **changes) -> RunInfo:
    words = {
        "id": run_id,
        "started": "20261123T200000Z",
        "document": "doc",
        "who": "me@laptop",
        "why": "apply",
    }
    return RunInfo(**{**words, **changes})


def local_bench(folder: Path) -> Bench:
    def make(may_change):
        return local_host(folder, may_change)

    return _bench("local", folder, make)


def local_host(folder: Path, may_change) -> LocalHost:
    return LocalHost(
        "box", state_dir=folder / "state", lock_dir=folder / "locks", may_change=may_change
    )


def simulated_bench(folder: Path) -> Bench:
    def make(may_change):
        return SimulatedHost("box", folder, may_change=may_change)

    host = SimulatedHost("box", folder)
    host.real("/work").mkdir(parents=True)
    return Bench(
        "simulated", "/work", host.real, make, host.box.own / "state", host.box.own / "lock"
    )


def busybox() -> str:
    return shutil.which("busybox") or "busybox"


def shell_bench(folder: Path, shell: str) -> Bench:
    from tests.support.shell_link import ShellLink

    environ = {}
    if shell == "busybox":
        applets = folder / "applets"
        applets.mkdir()
        subprocess.run([busybox(), "--install", "-s", str(applets)], check=True)
        environ = {"PATH": str(applets)}
    words = SHELLS[shell].replace("busybox", busybox())

    async def connect(spec, state_folder):
        return ShellLink(words, environ, longest=COMMAND_CAP)

    def make(may_change):
        return _ssh_host(folder, may_change, Ssh("box", Where("doc.yaml", 1, 1)), connect=connect)

    return _bench(shell, folder, make)


def ssh_bench(folder: Path, server) -> Bench:
    (folder / "controller").mkdir()
    (folder / "controller" / "known_hosts").write_text(server.known() + "\n")
    return _bench("ssh", folder, lambda may_change: _ssh_host(folder, may_change, server.spec()))


def _ssh_host(folder: Path, may_change, spec, **ways) -> ShellHost:
    places = {"state": str(folder / "state"), "locks": str(folder / "locks")}
    return ShellHost(
        spec, may_change=may_change, state_folder=folder / "controller", **places, **ways
    )


def _bench(body: str, folder: Path, make) -> Bench:
    root = folder / "work"
    root.mkdir()
    return Bench(body, str(root), Path, make, folder / "state", folder / "locks")
