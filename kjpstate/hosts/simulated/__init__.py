"""A machine in a folder: real files; modelled systemd-resolved, PM2, npm and clock. For `demo` and
tests.

Built on the body for this machine, so that the protocol of writes is the real one. Tests cut the
link after any single effect: `operations` counts them, `cut_after` says which is the last that
happens.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from kjpstate import errors
from kjpstate.host import Cost, Eye
from kjpstate.hosts.commands import Step
from kjpstate.hosts.heard import Heard, Lines
from kjpstate.hosts.local import LocalHost
from kjpstate.hosts.simulated import pm2, resolver, tools
from kjpstate.hosts.simulated.box import Box, said
from kjpstate.hosts.simulated.seed import seed_demo
from kjpstate.model import (
    Action,
    Answers,
    Completed,
    Holder,
    Outcome,
    Probe,
    Reading,
    Recovered,
    Run,
    RunInfo,
)
from kjpstate.process import NotStarted
from kjpstate.said import say

__all__ = ["SimulatedHost", "seed_demo"]

_EFFECT, _LOOK, _COMMAND = 0.02, 15.0, 0.5
"""Seconds that pass with an effect on files, a look at PM2 (so that nobody has to wait), a command.
"""

_COMMANDS = {
    "systemctl": resolver.systemctl,
    "npx": tools.npx,
    "npm": tools.npm,
    "date": tools.date,
}


class SimulatedHost:
    """The host `name` below `folder`; its `/` is `folder/name`. See the port, `kjpstate.host.Host`.

    `cut_after`: the link is lost right after that many operations really happened, and stays lost
    until `reconnect`. `broken`: {text: so many more times} a command whose line holds it does
    nothing and exits 1.
    """

    def __init__(self, name: str, folder: Path, *, may_change: tuple[str, ...] = ()) -> None:
        self.name = name
        self.box = Box(name, folder)
        self.operations = 0
        self.cut_after: int | None = None
        self.reachable = True
        self.broken: dict[str, int] = {}
        self.ran: list[str] = []
        self.within: float | None = None
        self._body = LocalHost(
            name,
            folder="/",
            state_dir=self.box.own / "state",
            lock_dir=self.box.own / "lock",
            may_change=may_change,
            translate=self.box.real,
            prober=self._probe,
            runner=self._run,
            clock=self.box.clock,
            on_operation=self._happened,
        )

    # ---- what tests and the demo do to it

    def real(self, path: str) -> Path:
        """The place of a path of this host on the disk."""
        return self.box.real(path)

    def reconnect(self) -> None:
        """The link is back; nothing will cut it any more."""
        self.reachable, self.cut_after = True, None

    def reboot(self) -> None:
        """Another boot: another boot id, and what is set to start at boot starts."""
        self.box.state |= {"boots": self.box.state["boots"] + 1, "uptime": 20.0}
        resolver.boot(self.box)
        pm2.boot(self.box)
        self.box.save()

    def type(self, *argv: str) -> Completed:
        """A command typed by somebody else at this machine, from its `/`."""
        return self._command(Run(self.name, argv, "typed", str(self.box.root), clean_env={}))

    # ---- the port

    @property
    def heard(self) -> Heard | None:
        """The listener that is told what a command prints."""
        return self._body.heard

    @heard.setter
    def heard(self, listener: Heard | None) -> None:
        self._body.heard = listener

    @property
    def identity(self) -> str:
        """Its name and folder."""
        return f"{self.name} in {self.box.root.parent}"

    @property
    def cost(self) -> Cost:
        """Nothing: there is no link."""
        return self._body.cost

    async def look(self, readings: Sequence[Reading]) -> Answers:
        """All answers, as on any host; raises Unreachable after a cut."""
        self._must_be_reachable()
        return await self._body.look(readings)

    async def open(self, path: str) -> AsyncIterator[bytes]:
        """The bytes of one file as chunks; raises Failed, Unreachable."""
        self._must_be_reachable()
        async for chunk in self._body.open(path):
            yield chunk

    async def close(self) -> None:
        """Closes as on this machine."""
        await self._body.close()

    async def begin(self, run: RunInfo, readings: Sequence[Reading]) -> Answers:
        """Take the lock and answer; raises Locked, Unreachable."""
        self._must_be_reachable()
        return await self._body.begin(run, readings)

    async def act(
        self,
        actions: Sequence[Action],
        readings: Sequence[Reading] = (),
        sources: Mapping[str, Eye] | None = None,
    ) -> tuple[Sequence[Outcome], Answers]:
        """Do the actions; a cut ends the session, and with it the lock, as over a real link."""
        self._must_be_reachable()
        try:
            return await self._body.act(actions, readings, sources)
        except errors.Unreachable:
            await self._body.end(finished=False)
            raise

    async def end(self, *, finished: bool = True) -> None:
        """Release the lock."""
        await self._body.end(finished=finished)

    async def holder(self) -> Holder | None:
        """The owner of the lock."""
        self._must_be_reachable()
        return await self._body.holder()

    async def unlock(self, owner: Holder, *, force: bool = False) -> bool:
        """Break that very lock."""
        self._must_be_reachable()
        return await self._body.unlock(owner, force=force)

    @property
    def recovered(self) -> tuple[Recovered, ...]:
        """The actions that the last `begin` settled."""
        return self._body.recovered

    def _must_be_reachable(self) -> None:
        if not self.reachable:
            raise errors.Unreachable(
                self.name, say("link.unreachable", host=self.name), say("link.unreachable.cure")
            )

    # ---- what the body asks for

    def _happened(self, operation: str) -> None:
        self.box.tick(_EFFECT)
        self.operations += 1
        if self.cut_after is not None and self.operations >= self.cut_after:
            self.reachable = False
            raise errors.Unreachable(
                self.name, say("link.lost-in-box", host=self.name), say("link.lost-in-box.cure")
            )

    async def _probe(self, reading: Probe) -> bytes | None:
        match reading.name:
            case "resolved":
                return resolver.probe(self.box)
            case "pm2":
                self.box.tick(_LOOK)
                return pm2.probe(self.box, reading.args)
            case "names":
                return resolver.names(self.box, reading.args)
            case "cpu":
                return pm2.cpu(self.box, reading.args)
            case "count":
                return pm2.count(self.box, reading.args)
            case "tail":
                return pm2.tail(self.box, reading.args[1])
        return None

    async def _run(
        self, command: Run, heard: Heard | None = None, step: Step | None = None
    ) -> Completed:
        done = self._command(command)
        lines = Lines(heard)
        lines.feed(done.stdout)
        lines.end()
        return done

    def _command(self, command: Run) -> Completed:
        """One command of this machine; raises NotStarted for one it has not."""
        self.box.tick(_COMMAND)
        line = " ".join(command.argv)
        self.ran.append(line)
        for text, times in self.broken.items():
            if text in line and times > 0:
                self.broken[text] = times - 1
                return said(1, "it is broken")
        argv = command.argv
        if pm2.PM2 in argv or argv[0] == "pm2":
            return self._pm2(argv, command)
        if argv[0] == "node" and argv[1:2] == ("--check",):
            there = self.box.real(argv[2]).is_file()
            return said(0) if there else said(1, f"Cannot find module {argv[2]}")
        if argv[:2] == ("sh", "-c") and "chmod 600" in argv[2]:
            return self._hide(argv[4])
        if argv[0] not in _COMMANDS:
            raise NotStarted(say("hosts.no-command", command=argv[0]))
        return _COMMANDS[argv[0]](self.box, argv, Path(command.cwd))

    def _hide(self, path: str) -> Completed:
        """PM2's list, and the one before it, for its owner only."""
        for file in (self.box.real(path), self.box.real(f"{path}.bak")):
            if file.is_file():
                file.chmod(0o600)
        return said(0)

    def _pm2(self, argv: tuple[str, ...], command: Run) -> Completed:
        """`[node] pm2 WORDS`, and the few lines of shell that the kind wraps around it."""
        words = argv[argv.index(pm2.PM2 if pm2.PM2 in argv else "pm2") + 1 :]
        env = command.clean_env or {}
        if argv[:2] != ("sh", "-c"):
            return pm2.command(self.box, words, env)
        script = argv[2]
        if "resurrect" in script:
            return pm2.back(self.box, words[0], words[1])
        if "PM2_DUMP_FILE_PATH" in script:
            return pm2.keep(self.box, words[0])
        if "deleteProcessId" in script:
            done = pm2.delete(self.box, words[0])
            return said(0) if done.exit_code == pm2.NOBODY and "|| [" in script else done
        return pm2.command(self.box, ("save",), env)
