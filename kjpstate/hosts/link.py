"""A connection over SSH, and the one door to asyncssh: host keys always checked, every error one sentence.

Called by `ssh` (and `known_hosts` beside it). A Link runs commands; what they mean is not its business.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kjpstate.errors import RefusedError, Unreachable
from kjpstate.host import Cost, HostSpec
from kjpstate.hosts import known_hosts
from kjpstate.hosts.known_hosts import Target

if TYPE_CHECKING:
    import asyncssh

CONNECT_TIMEOUT = 15.0
LOGIN_TIMEOUT = 30.0
_KEEPALIVE = 15.0
_CHUNK = 256 * 1024


class Pipe(Protocol):
    """One running command: bytes in, bytes out."""

    async def write(self, data: bytes) -> None: ...
    async def read(self) -> bytes:
        """Some bytes; nothing at the end of the output or of the link."""

    async def finish(self) -> tuple[int | None, bytes]:
        """Close its input, wait for it: exit status (None: never known) and what it said on stderr."""


class Link(Protocol):
    """A way to run commands on one host."""

    async def start(self, command: str) -> Pipe: ...
    async def close(self) -> None: ...
    @property
    def alive(self) -> bool: ...
    @property
    def cost(self) -> Cost: ...


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
            raise Unreachable(self._host, f"the link to {self._host} was lost: {said(error)}") from None

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

    def __init__(self, spec: HostSpec, chain: list[asyncssh.SSHClientConnection]) -> None:
        self._spec, self._chain = spec, chain
        self._execs = 0
        self.sent = self.received = 0

    @property
    def alive(self) -> bool:
        """Whether the connection still stands, as far as we know."""
        return not self._chain[-1].is_closed()

    @property
    def cost(self) -> Cost:
        """Connections, execs and payload bytes so far."""
        return Cost(len(self._chain), self._execs, self.sent, self.received)

    async def start(self, command: str) -> SshPipe:
        """Run `command`; raises Unreachable."""
        import asyncssh

        self._execs += 1
        self.sent += len(command)
        try:
            async with asyncio.timeout(LOGIN_TIMEOUT):
                process = await self._chain[-1].create_process(command, encoding=None)
        except TimeoutError:
            raise Unreachable(self._spec.name, f"{self._spec.name} does not answer any more") from None
        except (OSError, asyncssh.Error) as error:
            raise Unreachable(
                self._spec.name, f"{self._spec.name} would not run a command: {said(error)}"
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
    """What an error says, in one line and never empty."""
    text = getattr(error, "reason", "") or str(error) or type(error).__name__
    return " ".join(text.split())


# ---- connecting


async def connect(spec: HostSpec, state_folder: Path) -> SshLink:
    """A live connection. Raises Unreachable, or RefusedError for a host key that is not the known one."""
    *jumps, target = targets(spec)
    first = jumps[0] if jumps else target
    dialing = asyncio.ensure_future(_dial(spec, first))
    try:
        await _imported()
        sock = await dialing
    finally:
        dialing.cancel()
    chain: list[asyncssh.SSHClientConnection] = []
    try:
        for place in (*jumps, target):
            chain.append(await _login(spec, place, state_folder, sock if not chain else None, chain))
    except BaseException:
        for connection in reversed(chain):
            connection.abort()
        sock.close()
        raise
    return SshLink(spec, chain)


def targets(spec: HostSpec) -> list[Target]:
    """The jumps in their order, then the host itself."""
    jumps = [_target(word.strip()) for word in spec.jump.split(",") if word.strip()]
    return [*jumps, Target(spec.address, spec.port, spec.user)]


def _target(text: str) -> Target:
    user, _, place = text.rpartition("@")
    address, _, port = place.rpartition(":")
    if address and port.isdigit() and (address.endswith("]") or ":" not in address):
        return Target(address.strip("[]"), int(port), user)
    return Target(place.strip("[]"), 22, user)


async def _imported() -> None:
    """asyncssh, imported beside the dialing: it takes longer than most handshakes of TCP."""
    if "asyncssh" not in sys.modules:
        await asyncio.to_thread(importlib.import_module, "asyncssh")


async def _dial(spec: HostSpec, target: Target) -> socket.socket:
    """A connected TCP socket; each address of the name is tried in its order."""
    loop = asyncio.get_running_loop()
    place = f"{target.address} port {target.port}"
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            found = await loop.getaddrinfo(target.address, target.port, type=socket.SOCK_STREAM)
            for index, (family, kind, protocol, _, address) in enumerate(found):
                sock = socket.socket(family, kind, protocol)
                sock.setblocking(False)
                try:
                    await loop.sock_connect(sock, address)
                    return sock
                except BaseException as error:
                    sock.close()
                    if not isinstance(error, OSError) or index == len(found) - 1:
                        raise
            raise OSError(errno.EHOSTUNREACH, "no address")
    except socket.gaierror:
        raise Unreachable(
            spec.name,
            f"{spec.name}: the name {target.address} can't be resolved",
            "write the address in the document, or look whether this machine's own DNS works",
        ) from None
    except TimeoutError:
        raise Unreachable(
            spec.name,
            f"{spec.name}: {place} did not answer within {CONNECT_TIMEOUT:.0f} s",
            "is the box on, and in this network?",
        ) from None
    except ConnectionRefusedError:
        raise Unreachable(
            spec.name,
            f"{spec.name}: nothing listens at {place} (connection refused)",
            "does sshd run there, and is this its port?",
        ) from None
    except OSError as error:
        raise Unreachable(
            spec.name,
            f"{spec.name}: no way to {place}: {(error.strerror or str(error)).lower()}",
            "is the box on, and in this network?",
        ) from None


async def _login(
    spec: HostSpec,
    target: Target,
    state_folder: Path,
    sock: socket.socket | None,
    chain: list[asyncssh.SSHClientConnection],
) -> asyncssh.SSHClientConnection:
    import asyncssh

    place = f"{spec.name} ({known_hosts.pattern(target)})"
    keys = _Keys(spec, target, state_folder)
    try:
        async with asyncio.timeout(LOGIN_TIMEOUT):
            connection, _ = await asyncssh.create_connection(
                keys.client,
                target.address,
                target.port,
                sock=sock,
                tunnel=chain[-1] if chain else (),
                **_options(spec, target, keys),
            )
            return connection
    except asyncssh.HostKeyNotVerifiable:
        raise keys.refusal() from None
    except asyncssh.KeyExchangeFailed as error:
        if keys.expected():
            raise keys.refusal() from None
        raise Unreachable(
            spec.name, f"{place}: no way to encrypt that both sides know: {said(error)}"
        ) from None
    except asyncssh.PermissionDenied:
        raise _denied(spec, target) from None
    except TimeoutError:
        raise Unreachable(
            spec.name,
            f"{place} took the connection but no login within {LOGIN_TIMEOUT:.0f} s",
            "is that port sshd's?",
        ) from None
    except (OSError, asyncssh.Error) as error:
        raise Unreachable(spec.name, f"{place}: the connection broke off: {said(error)}") from None


def _options(spec: HostSpec, target: Target, keys: _Keys) -> dict[str, Any]:
    missing = [path for path in spec.identity if not Path(path).expanduser().is_file()]
    if missing:
        raise Unreachable(
            spec.name, f"{spec.name}: the key file {missing[0]} does not exist", "mend `identity`"
        )
    own = {"client_keys": [str(Path(path).expanduser()) for path in spec.identity]} if spec.identity else {}
    return {
        "config": None,
        "known_hosts": keys.trusted,
        "preferred_auth": "publickey",
        "ignore_encrypted": True,
        "gss_host": None,
        "keepalive_interval": _KEEPALIVE,
        "keepalive_count_max": 3,
        "login_timeout": LOGIN_TIMEOUT,
        **({"username": target.user} if target.user else {}),
        **own,
    }


class _Keys:
    """What one place may show, and what it did show."""

    def __init__(self, spec: HostSpec, target: Target, state_folder: Path) -> None:
        self._spec, self._target, self._folder = spec, target, state_folder
        self._pin = spec.host_key if target == targets(spec)[-1] else ""
        self._shown: asyncssh.SSHKey | None = None
        self._peer = ""

    def trusted(self, host: str, address: str, port: int | None) -> tuple[Any, ...]:
        """For asyncssh: the keys it may take without asking."""
        self._peer = address
        if self._pin:
            return known_hosts.pinned_keys(self._pin), [], []
        return tuple(known_hosts.known(self._folder).match(host, address, port))

    def client(self) -> Any:
        """For asyncssh: who is asked about any other key."""
        import asyncssh

        keys = self

        class Client(asyncssh.SSHClient):
            def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
                keys._shown = key
                return keys._pin.startswith("SHA256:") and known_hosts.fingerprint(key) == keys._pin

        return Client()

    def expected(self) -> list[str]:
        """Fingerprints of the keys that would have been right."""
        if self._pin.startswith("SHA256:"):
            return [self._pin]
        keys = known_hosts.pinned_keys(self._pin)
        keys = keys or known_hosts.known_keys(self._folder, self._target, self._peer)
        return [known_hosts.fingerprint(key) for key in keys]

    def refusal(self) -> RefusedError:
        return known_hosts.refusal(self._spec, self._target, self._shown, self.expected())


def _denied(spec: HostSpec, target: Target) -> Unreachable:
    """Which keys were tried, and what to do about it."""
    names = spec.identity or [
        f"~/.ssh/{path.name}"
        for path in sorted((Path.home() / ".ssh").glob("id_*"))
        if path.suffix != ".pub" and path.is_file()
    ]
    agent = "the agent's keys" if os.environ.get("SSH_AUTH_SOCK") or os.name != "posix" else ""
    tried = ", ".join(word for word in (agent, *names) if word) or "no key at all: there is none"
    user = target.user or "this user"
    first = names[0] if names else "~/.ssh/id_ed25519"
    return Unreachable(
        spec.name,
        f"{spec.name} ({known_hosts.pattern(target)}) let {user} in with none of our keys; tried: {tried}",
        f"ssh-copy-id -i {first} {user}@{target.address}   or, if that key has a passphrase: ssh-add {first}",
    )


# ---- for the verb `trust`


async def scan(spec: HostSpec, state_folder: Path) -> list[tuple[str, str]]:
    """The keys the host shows: (SHA256:… fingerprint, its line for known_hosts). Raises Unreachable.

    Behind a jump the host is reached through it, whose own key must be known already.
    """
    await _imported()
    *jumps, target = targets(spec)
    chain: list[asyncssh.SSHClientConnection] = []
    found: dict[str, str] = {}
    try:
        for place in jumps:
            sock = await _dial(spec, place) if not chain else None
            chain.append(await _login(spec, place, state_folder, sock, chain))
        for algorithm in ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-256"):
            key = await _shown_key(spec, target, algorithm, chain)
            if key is None:
                continue
            words = key.export_public_key("openssh").decode().split()[:2]
            found[known_hosts.fingerprint(key)] = f"{known_hosts.pattern(target)} {' '.join(words)}"
    finally:
        for connection in reversed(chain):
            connection.abort()
    if not found:
        raise Unreachable(spec.name, f"{spec.name}: something answers there, but it shows no host key")
    return list(found.items())


async def _shown_key(
    spec: HostSpec, target: Target, algorithm: str, chain: list[asyncssh.SSHClientConnection]
) -> asyncssh.SSHKey | None:
    """The host's key of one type, without logging in; None when it has none."""
    import asyncssh

    sock = None if chain else await _dial(spec, target)
    way: dict[str, Any] = {"sock": sock} if sock is not None else {"tunnel": chain[-1]}
    try:
        async with asyncio.timeout(LOGIN_TIMEOUT):
            return await asyncssh.get_server_host_key(
                target.address, target.port, server_host_key_algs=[algorithm], config=None, **way
            )
    except (asyncssh.KeyExchangeFailed, asyncssh.ConnectionLost, ConnectionResetError):
        return None  # a host without a key of this type hangs up, with or without a word
    except (OSError, asyncssh.Error) as error:
        raise Unreachable(spec.name, f"{spec.name}: the connection broke off: {said(error)}") from None
    finally:
        if sock is not None:
            sock.close()


async def chunks(pipe: Pipe) -> AsyncIterator[bytes]:
    """All that a command prints, as it comes."""
    while data := await pipe.read():
        yield data
