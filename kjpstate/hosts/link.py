"""A live connection that runs commands; what they mean is not its business.

Called by `ssh` and `session`; made by `connecting`. Every error of asyncssh becomes one sentence.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol

from kjpstate.errors import Unreachable
from kjpstate.host import Cost, Ssh
from kjpstate.hosts.programs import COMMAND_CAP, OPENSSH_CAP
from kjpstate.said import say

if TYPE_CHECKING:
    import asyncssh

LOGIN_TIMEOUT = 30.0
"""Seconds for a login, an exec to begin, a command to end after its input did."""
_CHUNK = 256 * 1024


class Pipe(Protocol):
    """One running command: bytes in, bytes out."""

    async def write(self, data: bytes) -> None: ...
    async def read(self) -> bytes:
        """Some bytes; nothing at the end of the output or of the link."""

    async def finish(self) -> tuple[int | None, bytes]:
        """Close its input, wait for it: exit status (None: never known) and
        what it said on stderr."""


class Link(Protocol):
    """A way to run commands on one host."""

    async def start(self, command: str) -> Pipe: ...
    async def close(self) -> None: ...
    @property
    def alive(self) -> bool: ...
    @property
    def cost(self) -> Cost: ...
    @property
    def identity(self) -> str: ...
    @property
    def longest(self) -> int:
        """Bytes that a command line may have there."""


class SshPipe:
    """A Pipe over one channel; both ways in bytes."""

    def __init__(self, host: str, process: asyncssh.SSHClientProcess[bytes], link: SshLink) -> None:
        self._host, self._process, self._link = host, process, link

    async def write(self, data: bytes) -> None:
        """Raises Unreachable when the link is gone."""
        import asyncssh

        self._link.sent += len(data)
        try:
            self._process.stdin.write(data)
            await self._process.stdin.drain()
        except (OSError, asyncssh.Error) as error:
            raise Unreachable(
                self._host, say("link.lost-by", host=self._host, reason=said(error))
            ) from None

    async def read(self) -> bytes:
        """Some bytes; nothing at the end, whether the command's or the link's."""
        import asyncssh

        try:
            data: bytes = await self._process.stdout.read(_CHUNK)
        except (OSError, asyncssh.Error):
            return b""
        self._link.received += len(data)
        return data

    async def finish(self) -> tuple[int | None, bytes]:
        """Exit status and stderr; waits no longer than a login may take."""
        import asyncssh

        with contextlib.suppress(OSError, asyncssh.Error, TimeoutError):
            self._process.stdin.write_eof()
        try:
            async with asyncio.timeout(LOGIN_TIMEOUT):
                errors = await self._process.stderr.read()
                await self._process.wait_closed()
        except (OSError, asyncssh.Error, TimeoutError):
            return None, b""
        return self._process.exit_status, errors


class SshLink:
    """A Link over one connection, and those of its jumps."""

    def __init__(self, spec: Ssh, chain: list[asyncssh.SSHClientConnection]) -> None:
        self._spec, self._chain = spec, chain
        self._execs = 0
        self.sent = self.received = 0

    @property
    def alive(self) -> bool:
        """True if the connection still stands, as far as we know."""
        return not self._chain[-1].is_closed()

    @property
    def cost(self) -> Cost:
        """Connections, execs and payload bytes so far."""
        return Cost(len(self._chain), self._execs, self.sent, self.received)

    @property
    def identity(self) -> str:
        """The fingerprint of the key that the host proved to have."""
        key = self._chain[-1].get_server_host_key()
        return key.get_fingerprint() if key is not None else ""

    @property
    def longest(self) -> int:
        """Bytes that a command line may have: only of OpenSSH we know that it takes more than the
        least."""
        banner = str(self._chain[-1].get_extra_info("server_version", ""))
        return (
            OPENSSH_CAP
            if banner.startswith(("SSH-2.0-OpenSSH", "SSH-1.99-OpenSSH"))
            else COMMAND_CAP
        )

    async def start(self, command: str) -> SshPipe:
        """Run `command`; raises Unreachable."""
        import asyncssh

        self._execs += 1
        self.sent += len(command)
        try:
            async with asyncio.timeout(LOGIN_TIMEOUT):
                process = await self._chain[-1].create_process(command, encoding=None)
        except TimeoutError:
            raise Unreachable(self._spec.name, say("link.dead", host=self._spec.name)) from None
        except (OSError, asyncssh.Error) as error:
            raise Unreachable(
                self._spec.name,
                say("link.refused-command", host=self._spec.name, reason=said(error)),
            ) from None
        return SshPipe(self._spec.name, process, self)

    async def close(self) -> None:
        """Let go of all connections; never raises."""
        import asyncssh

        for connection in reversed(self._chain):
            connection.close()
            with contextlib.suppress(OSError, asyncssh.Error, TimeoutError):
                async with asyncio.timeout(2):
                    await connection.wait_closed()


def said(error: BaseException) -> str:
    """The text of an error, in one line and never empty."""
    text = getattr(error, "reason", "") or str(error) or type(error).__name__
    return " ".join(text.split())


async def chunks(pipe: Pipe) -> AsyncIterator[bytes]:
    """All that a command prints, as it comes."""
    while data := await pipe.read():
        yield data
