"""A real PM2 in a folder of its own: a host body on real files and commands, for tests of the PM2
kinds.

Every box has its own HOME and PM2_HOME and stops its own daemon. Tools: the folder
`$KJPSTATE_TOOLS`, or npm installs PM2 once for the test session.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

from kjpstate.formats.pm2.declared import Declared
from kjpstate.host import Cost
from kjpstate.hosts.programs import script
from kjpstate.kinds import pm2_ecosystem, pm2_process
from kjpstate.kinds.pm2_process import scripts
from kjpstate.model import (
    Backup,
    Clock,
    File,
    MakeDirectory,
    Outcome,
    Probe,
    ReadClock,
    ReadFile,
    ReadStat,
    ReadState,
    Resource,
    Restore,
    Run,
    RunInfo,
    Stamp,
    Stat,
    Where,
    WriteFile,
)
from kjpstate.plan import Scene, build
from tests.support.npm import installed

KINDS = {"pm2_ecosystem": pm2_ecosystem, "pm2_process": pm2_process}
INFO = RunInfo("0a1b2c", "20260301T000000Z", "bot", "tests")
KEY = b"k" * 32


VERSIONS = ("5", "6", "7")
"""The PM2s that kjpstate knows; the last is the one most tests use."""


def install(folder: Path, version: str = VERSIONS[-1]) -> Path:
    """The folder with node_modules/pm2 of that major version in it."""
    return installed(folder, f"pm2-{version}", f"pm2@{version}")


class Pm2Box:
    """One host `stb` below `root`: `root/bot` is the bot's folder. The port's
    face, on real files."""

    def __init__(self, root: Path, tools: Path, *, sh: str = "sh") -> None:
        self.name, self.cost, self.sh = "stb", Cost(), sh.split()
        self.bot, self.home = root / "bot", root / "home"
        self.pm2_home = self.home / ".pm2"
        (self.bot / "dist").mkdir(parents=True)
        self.home.mkdir()
        self.pm2 = (tools / "node_modules/pm2/bin/pm2").resolve()
        self.env = {
            "HOME": str(self.home),
            "PATH": f"{tools}/node_modules/.bin:/usr/local/bin:/usr/bin:/bin",
            "PM2_DISABLE_VERSION_CHECK": "1",
        }
        self.state: dict[tuple[str, str], bytes] = {}
        self.ran: list[str] = []
        self.fail_on: str = ""
        self.app = "bot"

    # ---- what tests do to it

    def script(self, text: str, name: str = "dist/index.js") -> None:
        """Write a program of the bot."""
        (self.bot / name).write_text(text)

    def cli(self, *words: str, **env: str) -> str:
        """A pm2 command typed by somebody else, at a shell with `env`."""
        (self.pm2_home).mkdir(parents=True, exist_ok=True)
        (self.pm2_home / "touch").write_text("1")
        done = subprocess.run(
            [str(self.pm2), *words],
            cwd=self.bot,
            env={**self.env, "SSH_TTY": "/dev/pts/0", **env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr

    def jlist(self) -> list[dict]:
        """PM2's own list, by its socket (its command takes long); only while its daemon runs."""
        parts = (b'j:{"type":"call","method":"getMonitorData","args":[{}]}', b"s:tests")
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(20)
            link.connect(str(self.pm2_home / "rpc.sock"))
            link.sendall(
                bytes([0x12]) + b"".join(struct.pack(">I", len(part)) + part for part in parts)
            )
            answer = link.makefile("rb")
            answer.read(1)
            (size,) = struct.unpack(">I", answer.read(4))
            return json.loads(answer.read(size)[2:])["args"][0]

    def daemon(self) -> int | None:
        """The daemon's pid, if it runs."""
        try:
            pid = int((self.pm2_home / "pm2.pid").read_text())
            return pid if b"God Daemon" in Path(f"/proc/{pid}/cmdline").read_bytes() else None
        except (OSError, ValueError):
            return None

    def stop(self) -> None:
        """Leave nothing running."""
        if self.daemon():
            self.cli("kill")
        pid = self.daemon()
        if pid:
            os.kill(pid, signal.SIGKILL)

    # ---- the port

    async def look(self, readings):
        return {reading: self._read(reading) for reading in readings}

    async def begin(self, run, readings):
        return await self.look(readings)

    async def act(self, actions, readings=(), sources=None):
        outcomes = []
        for action in actions:
            outcomes.append(await asyncio.to_thread(self._do, action))
            if not outcomes[-1].ok:
                break
        return outcomes, await self.look(readings)

    recovered = ()

    async def end(self, *, finished=True):
        return None

    async def close(self):
        return None

    def _read(self, reading):
        match reading:
            case Probe(name="pm2", args=args):
                return self.probe(*args)
            case ReadFile(path=path):
                file = Path(path)
                return (
                    File(path, file.read_bytes(), file.stat().st_mode & 0o777)
                    if file.is_file()
                    else None
                )
            case ReadStat(path=path):
                return _stat(path)
            case ReadState(document=document, name=name):
                return self.state.get((document, name))
            case ReadClock():
                boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
                return Clock(boot, Path("/proc/uptime").read_text().split()[0])
        raise AssertionError(reading)

    def probe(self, *args: str) -> bytes:
        """What the probe prints here."""
        done = subprocess.run(
            [*self.sh, "-c", script("probe_pm2"), "probe", *args],
            env=self.env,
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert not done.stderr, done.stderr
        return done.stdout

    def _do(self, action):
        match action:
            case WriteFile(path=path, after=after, mode=mode):
                file = Path(path)
                kept = Path(f"{path}.backup") if file.exists() else None
                if kept is not None:
                    kept.write_bytes(file.read_bytes())
                if after is None:
                    file.unlink(missing_ok=True)
                    return Outcome(action, "done")
                if not file.exists():
                    file.touch(mode=mode)
                file.write_bytes(after)
                return Outcome(action, "done", backup=str(kept or ""))
            case MakeDirectory(path=path):
                Path(path).mkdir(parents=True, exist_ok=True)
                return Outcome(action, "done")
            case Stamp(document=document, name=name, values=values):
                if values is None:
                    self.state.pop((document, name), None)
                else:
                    self.state[document, name] = json.dumps(values).encode()
                return Outcome(action, "done")
            case Backup(path=path):
                file, copy = Path(path), Path(f"{path}.backup")
                if not file.exists():
                    return Outcome(action, "done")
                copy.write_bytes(file.read_bytes())
                return Outcome(action, "done", backup=str(copy))
            case Restore(path=path, backup=backup):
                if backup is None:
                    Path(path).unlink(missing_ok=True)
                else:
                    Path(path).write_bytes(Path(backup).read_bytes())
                return Outcome(action, "done")
            case Run():
                return self._run(action)
        raise AssertionError(action)

    def _run(self, action: Run) -> Outcome:
        assert action.clean_env is not None
        self.ran.append(_verb(action.argv))
        if self.fail_on == self.ran[-1]:
            return Outcome(action, "failed", exit_code=1, output=b"planted failure")
        done = subprocess.run(
            action.argv,
            cwd=action.cwd or "/",
            env={**action.clean_env, "PM2_DISABLE_VERSION_CHECK": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=action.timeout,
            check=False,
        )
        status = "done" if done.returncode in action.allowed_exits else "failed"
        return Outcome(action, status, exit_code=done.returncode, output=done.stdout[-2000:])


_VERBS = {
    scripts.BACK: "back",
    scripts.KEEP: "keep",
    scripts.HIDE: "chmod",
    scripts.DELETE: "delete",
    scripts.AWAY: "away",
}


def _verb(argv: tuple[str, ...]) -> str:
    """What PM2 is told; the copy of its list, made to go back, is `keep`; its
    list hidden, `chmod`."""
    return _VERBS[argv[2]] if argv[0] == "sh" else argv[2]


def _stat(path: str) -> Stat | None:
    try:
        seen = Path(path).stat()
    except OSError:
        return None
    kind = "directory" if Path(path).is_dir() else "file"
    return Stat(path, kind, seen.st_mode & 0o777, seen.st_size, changed=str(seen.st_mtime_ns))


def scene(
    box: Pm2Box, app: dict, *, save: bool = True, tree: str = "", file: str = "ecosystem.config.js"
) -> Scene:
    """The two resources of a document with one app, not looked at yet."""
    app = {"name": "bot", "script": "dist/index.js", "cwd": str(box.bot), **app}
    app = {key: value for key, value in app.items() if value is not None}
    path = f"{box.bot}/{file}"
    where = Where("bot.yaml", 1, 1)
    declared = Declared("stb", "bot", path, app, tree)
    files = pm2_ecosystem.Spec("stb", "bot", path, (declared,))
    process = pm2_process.Spec(declared, save)
    return Scene(
        "bot",
        (
            Resource("pm2_ecosystem", "pm2_ecosystem", "stb", files, where),
            Resource("pm2_process.bot", "pm2_process", "stb", process, where),
        ),
        {},
        KEY,
        KINDS,
        may_change={"stb": (f"{box.bot}/",)},
    )


def looked(box: Pm2Box, bare: Scene) -> Scene:
    """The scene with all its answers."""
    from dataclasses import replace

    readings = [
        item for resource in bare.resources for item in KINDS[resource.kind].reads(resource.spec)
    ]
    return replace(bare, answers=asyncio.run(box.look(readings)))


def plan(box: Pm2Box, bare: Scene):
    """(scene, plan) as the box is now."""
    found = looked(box, bare)
    return found, build(found)


def apply(box: Pm2Box, bare: Scene):
    """Plan and apply; the report. `box.ran` starts empty."""
    from kjpstate.apply import run

    found, planned = plan(box, bare)
    box.ran.clear()
    return asyncio.run(run(planned, found, {"stb": box}, INFO, lambda event: None))


def wait_for(what, seconds: float = 20.0) -> None:
    """Until `what()` is true."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
