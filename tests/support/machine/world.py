"""An owner before the box: a folder with the document, the bot's project on the PC, and the command
line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.machine import image
from tests.support.machine.box import Machine
from tests.support.machine.tools import Completed, run

TOP = Path(__file__).resolve().parents[3]
STATES = TOP / "states"
PC = '"D:/BOT/BOT INPUT DATA KJP DI WA OTOMATIS"'
BOX = "{ssh: root@192.168.100.104}"
# What lives by itself in a box with a bot: logs, PM2's own files, WhatsApp's keys.
LIVELY = ("/root/.pm2", "/var/log", "/root/bot-kjp/logs", "/root/bot-kjp/auth_info_baileys")


class World:
    """`folder`: of the document. `pc`: the bot's project. `kjpstate`: the command, as its owner
    types it."""

    def __init__(self, folder: Path, machine: Machine, state: str, quick: bool = False) -> None:
        """`state`: a file of states/, with this machine's addresses; `quick`: with short waits."""
        self.folder, self.machine = folder, machine
        self.pc = folder / "KJP DI WA OTOMATIS"
        run(["cp", "-a", image.bot(), self.pc])
        text = (STATES / state).read_text(encoding="utf-8")
        text = text.replace(PC, f'"{self.pc}"').replace(BOX, self._ssh())
        if quick:
            text = text.replace("min_uptime: 10s", "min_uptime: 2s").replace("over: 5s", "over: 1s")
        self.document = folder / "kjpstate.yaml"
        self.document.write_text(text, encoding="utf-8")

    def _ssh(self) -> str:
        key = " ".join(self.machine.known_host.split()[1:])
        way = f"address: 127.0.0.1, port: {self.machine.port}, user: root"
        return f'{{ssh: {{{way}, identity: "{self.machine.key}", host_key: "{key}"}}}}'

    def kjpstate(self, *words: str, module: str = "kjpstate") -> Completed:
        """Run it in the document's folder; `module`: another program of the
        tests that ends in it."""
        environ = {
            **os.environ,
            "HOME": str(self.folder / "home"),
            "COLUMNS": "100",
            "PYTHONPATH": str(TOP),
        }
        for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
            environ.pop(name, None)
        # The PC is this machine, as in every other world: each has its own lock.
        locks = self.folder / "locks"
        locks.mkdir(exist_ok=True)
        locks.chmod(0o755)
        alone = 'mkdir -p /run/kjpstate && mount --bind "$0" /run/kjpstate && exec "$@"'
        argv = [
            "unshare",
            "--mount",
            "sh",
            "-c",
            alone,
            str(locks),
            sys.executable,
            "-m",
            module,
            *words,
        ]
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        return Completed(done.returncode, done.stdout, done.stderr)

    def must(self, code: int, *words: str) -> str:
        """Run it, and it must end with this exit code; its standard output."""
        done = self.kjpstate(*words)
        told = (
            f"kjpstate {' '.join(words)}: exit {done.code}, expected {code}\n{done.out}\n{done.err}"
        )
        assert done.code == code, told
        return done.out

    def install(self) -> None:
        """kjpstate itself onto the box, as it stands here; its Python and libraries are in the
        image."""
        root = STATES.parent
        packed = subprocess.run(
            ["tar", "-C", root, "--exclude=__pycache__", "-c", "kjpstate", "schemas"],
            capture_output=True,
            check=True,
        )
        argv = [*self.machine.ssh(), "tar -x -C /usr/local/lib/kjpstate"]
        subprocess.run(argv, input=packed.stdout, check=True, timeout=60)

    def files(self) -> dict[str, str]:
        """A stamp of every file of the box and of the PC, but of those that live by themselves."""
        stamps = {f"stb:{path}": stamp for path, stamp in self.machine.files(*LIVELY).items()}
        for path in self.pc.rglob("*"):
            if path.is_file() and "node_modules" not in path.relative_to(self.pc).parts:
                status = path.lstat()
                stamp = f"{status.st_mtime_ns}-{status.st_mode:o} {status.st_ino}"
                stamps[f"pc:{path.relative_to(self.pc)}"] = stamp
        return stamps

    def changed_by(self, act: Callable[[], object]) -> set[str]:
        """The files that came, went or were written anew while it acted."""
        before = self.files()
        act()
        return differing(before, self.files())


def differing(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """The files that came, went or were written anew."""
    return {path for path in before | after if before.get(path) != after.get(path)}
