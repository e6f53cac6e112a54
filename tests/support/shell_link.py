"""A Link of hosts/link.py to this machine through one named shell: our scripts without any SSH."""

from __future__ import annotations

import asyncio
import os

from kjpstate.host import Cost


class ShellPipe:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
            await self.process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            pass  # as over SSH, the end of the output tells

    async def read(self) -> bytes:
        assert self.process.stdout is not None
        return await self.process.stdout.read(65536)

    async def finish(self) -> tuple[int | None, bytes]:
        assert self.process.stdin is not None and self.process.stderr is not None
        self.process.stdin.close()
        errors, _ = await asyncio.gather(self.process.stderr.read(), self.process.stdout.read())
        return await self.process.wait(), errors


class ShellLink:
    """`shell`: words that start it, for `-c`; they also take the place of /bin/sh in the command.
    `longest`: bytes of a command line; no longer one may come."""

    alive = True
    identity = "a shell of this machine"

    def __init__(
        self, shell: str, environ: dict[str, str] | None = None, longest: int = 64 * 1024
    ) -> None:
        self.shell, self.environ, self.longest = shell, environ, longest
        self.execs = 0
        self.pipes: list[ShellPipe] = []

    @property
    def cost(self) -> Cost:
        return Cost(0, self.execs)

    async def start(self, command: str) -> ShellPipe:
        assert len(command) <= self.longest
        self.execs += 1
        process = await asyncio.create_subprocess_exec(
            *self.shell.split(),
            "-c",
            command.replace("/bin/sh", self.shell, 1),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **(self.environ or {})},
            start_new_session=True,
        )
        self.pipes.append(ShellPipe(process))
        return self.pipes[-1]

    async def close(self) -> None:
        return None
