"""The booted machine: an overlay over the image, systemd by systemd-nspawn, ssh by a proxy on
127.0.0.1."""

from __future__ import annotations

import atexit
import contextlib
import os
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

from tests.support.machine import image, network
from tests.support.machine.tools import (
    Completed,
    MachineFailed,
    attempt,
    cache_folder,
    only_one,
    run,
    wait_until,
)

BOT = "/root/bot-kjp"
MARK = "kjpt"
BOOT_SECONDS = 60
NOT_FILES = ("/proc", "/sys", "/dev", "/run", "/tmp")
STAMP = "%T@-%m %i /%P\\n"


class Machine:
    """A Debian with the bot. `start` first, `stop` at the end, whatever happened between.

    `port`: of its sshd on 127.0.0.1. `key`: a private key file that root's login takes.
    `known_host`: a line for known_hosts. `reset`: as it was at first. `restart`: the same files,
    another boot.
    """

    def __init__(self, layers: tuple[Path, ...] | None = None) -> None:
        self.layers = layers if layers is not None else (installed(), image.root())
        self.mark = f"{MARK}-{os.getpid()}"
        self.folder = cache_folder() / f"run-{os.getpid()}"
        self.network = network.Network(f"{self.mark}-", self.folder / "dns")
        self.root, self.layer = self.folder / "root", self.folder / "layer"
        self.console = self.folder / "console.log"
        self.nspawn: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def key(self) -> Path:
        return image.key()

    @property
    def known_host(self) -> str:
        kind, public, *_ = (image.root() / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()
        return f"[127.0.0.1]:{self.port} {kind} {public}\n"

    def start(self) -> None:
        """Clean up after runs that were killed, then namespaces, servers, proxy, and the first
        boot."""
        sweep()
        atexit.register(self.stop)
        self.root.mkdir(parents=True)
        self.layer.mkdir()
        self.network.up()
        self.port = self.network.proxy(network.BOX, 22)
        self.reset()

    def reset(self) -> None:
        """Power off, forget all that was written, boot; all DNS servers answer again."""
        self.power_off()
        self.network.all_ok()
        attempt(["umount", self.root])
        attempt(["umount", self.layer])
        run(["mount", "-t", "tmpfs", "-o", "size=2g,mode=755", "kjpt", self.layer])
        for name in ("upper", "work"):
            (self.layer / name).mkdir()
        below = ":".join(map(str, self.layers))
        parts = f"lowerdir={below},upperdir={self.layer / 'upper'},workdir={self.layer / 'work'}"
        run(["mount", "-t", "overlay", "-o", parts, "kjpt", self.root])
        self.boot()

    def restart(self) -> None:
        """As after a power cut: nothing is shut down, what was written stays."""
        self.power_off()
        self.boot()

    def boot(self) -> None:
        """Until sshd lets us in and PM2's list is back."""
        argv = [
            "systemd-nspawn", "--boot", "--quiet", "--register=no", "--keep-unit", f"--machine={self.mark}",
            f"--directory={self.root}", f"--network-namespace-path={self.network.path('box')}",
            "--capability=CAP_NET_ADMIN", "--console=pipe", "--resolv-conf=off", "--timezone=off",
            "--link-journal=no",
        ]  # fmt: skip
        # A cgroup of its own: two machines at once would take each other's for theirs.
        joins = "; ".join(
            f"echo $$ > {shlex.quote(str(group / 'cgroup.procs'))}" for group in self._groups()
        )
        words = ["sh", "-c", f'{joins}; exec "$@"', "sh", *argv]
        for group in self._groups():
            group.mkdir(exist_ok=True)
        with self.console.open("wb") as console:
            self.nspawn = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT
            )
        if not wait_until(self._greets, BOOT_SECONDS):
            raise MachineFailed(
                f"no boot in {BOOT_SECONDS} s; the console's end:\n{self._console_end()}"
            )
        waited = self.exec("systemctl is-system-running --wait")
        if waited.out.strip() != "running":
            failed = self.exec("systemctl --failed --no-legend; systemctl list-jobs").out
            raise MachineFailed(
                f"the machine is {waited.out.strip()}:\n{failed}{self._console_end()}"
            )

    def _groups(self) -> list[Path]:
        return [top / self.mark for top in cgroup_tops()]

    def _greets(self) -> bool:
        if self.nspawn and self.nspawn.poll() is not None:
            raise MachineFailed(
                f"systemd-nspawn ended ({self.nspawn.returncode}):\n{self._console_end()}"
            )
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), 2) as link,
        ):
            link.settimeout(2)
            return link.recv(4) == b"SSH-"
        return False

    def _console_end(self) -> str:
        return self.console.read_text(errors="replace")[-3000:]

    def power_off(self) -> None:
        """At once, as by pulling the plug."""
        network.kill_all_in(f"{self.mark}-box")
        if self.nspawn:
            self.nspawn.wait(10)
            self.nspawn = None
        for group in self._groups():
            _remove_group(group)

    def shut_down(self) -> None:
        """As an owner would do it: every service stops by itself."""
        self.exec("systemctl poweroff")
        if self.nspawn:
            self.nspawn.wait(60)
        self.power_off()

    def exec(self, command: str, *, text: str = "", timeout: float = 60) -> Completed:
        """A command line of root's shell in the box, by ssh."""
        return attempt([*self.ssh(), command], text=text, timeout=timeout)

    def must(self, command: str, *, text: str = "", timeout: float = 60) -> str:
        """The same, and it must succeed; its standard output."""
        done = self.exec(command, text=text, timeout=timeout)
        if done.code:
            raise MachineFailed(
                f"in the box: {command}: exit {done.code}\n{done.out[-2000:]}{done.err[-2000:]}"
            )
        return done.out

    def ssh(self) -> list[str]:
        known = self.folder / "known_hosts"
        known.write_text(self.known_host)
        options = [
            f"UserKnownHostsFile={known}",
            "StrictHostKeyChecking=yes",
            "BatchMode=yes",
            "ConnectTimeout=10",
        ]
        words = [word for option in options for word in ("-o", option)]
        return [
            "ssh",
            "-F",
            "none",
            "-i",
            str(self.key),
            "-p",
            str(self.port),
            *words,
            "root@127.0.0.1",
        ]

    def dns(self, mode: str, *addresses: str) -> None:
        """How these DNS servers behave from now on; without addresses: the
        provider's on the modem."""
        for address in addresses or (network.MODEM,):
            self.network.mode(address, mode)

    def bot_is_connected(self, seconds: float = 30) -> bool:
        """Whether the bot logged in at WhatsApp, since the last reset and
        within so many seconds."""
        return wait_until(lambda: self.network.logins() > 0, seconds)

    def asked(self, address: str) -> list[str]:
        """The names a DNS server was asked for since the last reset."""
        return self.network.asked(address)

    def files(self, *but: str) -> dict[str, str]:
        """{path: "time-mode inode"} of every file of the box but these: a
        rewritten file differs."""
        # From outside, where its root is mounted: what is mounted in it is no part of it.
        pruned = [
            word for path in (*NOT_FILES, *but) for word in ("-path", f"{self.root}{path}", "-o")
        ][:-1]
        seen = run(
            [
                "find",
                self.root,
                "-xdev",
                "(",
                *pruned,
                ")",
                "-prune",
                "-o",
                "-type",
                "f",
                "-printf",
                STAMP,
            ]
        )
        lines = (line.split(" ", 2) for line in seen.splitlines())
        return {path: f"{changed} {inode}" for changed, inode, path in lines}

    def stop(self) -> None:
        """Everything away: processes, mounts, namespaces, folders. May be called twice."""
        atexit.unregister(self.stop)
        self.power_off()
        self.network.down()
        _clear(self.folder)


def installed() -> Path:
    """What the owner did on the image: the bot under PM2, started by hand, and `pm2 startup` for a
    boot."""
    return image.cached(f"pm2-{image.root().name}", _install)


def _install(layer: Path) -> None:
    machine = Machine(layers=(image.root(),))
    try:
        machine.start()
        machine.must(f"cd {BOT} && pm2 start dist/index.js --name bot-kjp")
        machine.must("pm2 save && pm2 startup systemd -u root --hp /root")
        if not machine.bot_is_connected():
            raise MachineFailed(machine.must("pm2 jlist; cat /root/.pm2/logs/*"))
        machine.shut_down()
        run(["cp", "-a", machine.layer / "upper", layer])
    finally:
        machine.stop()


def _clear(folder: Path) -> None:
    for mount in ("root", "layer"):
        attempt(["umount", folder / mount])
    if any(os.path.ismount(folder / mount) for mount in ("root", "layer")):
        raise MachineFailed(f"{folder}: still mounted")
    shutil.rmtree(folder, ignore_errors=True)


def cgroup_tops() -> list[Path]:
    """Where systemd in the box will put its groups: of cgroup v1, v2, or both."""
    cgroups = Path("/sys/fs/cgroup")
    tops = (cgroups / "systemd", cgroups / "unified", cgroups)
    return [top for top in tops if (top / "cgroup.procs").exists()]


def _remove_group(group: Path) -> None:
    """A cgroup with all below it; systemd in the box made many."""
    for folder, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            Path(folder).rmdir()


def sweep() -> None:
    """Take away what killed tests left: it bears our mark and the number of a
    process that is gone."""
    with only_one(cache_folder() / "sweep.lock"):
        for folder in cache_folder().glob("run-*"):
            number = folder.name.removeprefix("run-")
            if not Path("/proc", number).exists():
                network.remove_namespaces(f"{MARK}-{number}-")
                for top in cgroup_tops():
                    _remove_group(top / f"{MARK}-{number}")
                _clear(folder)
