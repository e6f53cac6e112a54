"""Getting into a host: dialing, host keys always checked, keys of ours, jumps; every error one sentence.

Called by `ssh` and `trust`. The TCP connection is begun before asyncssh is imported, which takes longer.
"""

from __future__ import annotations

import asyncio
import errno
import importlib
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kjpstate.errors import RefusedError, Unreachable
from kjpstate.host import HostSpec
from kjpstate.hosts import known_hosts
from kjpstate.hosts.known_hosts import Target
from kjpstate.hosts.link import LOGIN_TIMEOUT, SshLink, said

if TYPE_CHECKING:
    import asyncssh

CONNECT_TIMEOUT = 15.0
NONE_OF_OURS = "with none of our keys"
"""What is said of a box that is on and does not let us in; `cli.schedule` looks for it."""
_KEEPALIVE = 15.0


async def connect(spec: HostSpec, state_folder: Path) -> SshLink:
    """A live connection. Raises Unreachable, or RefusedError for a host key that is not the known one."""
    *jumps, target = targets(spec)
    first = jumps[0] if jumps else target
    dialing = asyncio.ensure_future(dial(spec, first))
    try:
        await imported()
        sock = await dialing
    finally:
        dialing.cancel()
    chain: list[asyncssh.SSHClientConnection] = []
    try:
        for place in (*jumps, target):
            chain.append(await login(spec, place, state_folder, sock if not chain else None, chain))
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


async def imported() -> None:
    """asyncssh, imported beside the dialing: it takes longer than most handshakes of TCP."""
    if "asyncssh" not in sys.modules:
        await asyncio.to_thread(importlib.import_module, "asyncssh")


async def dial(spec: HostSpec, target: Target) -> socket.socket:
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


async def login(
    spec: HostSpec,
    target: Target,
    state_folder: Path,
    sock: socket.socket | None,
    chain: list[asyncssh.SSHClientConnection],
) -> asyncssh.SSHClientConnection:
    """Log in at one place: over `sock`, or through the last of `chain`. Raises Unreachable, RefusedError."""
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
    except asyncssh.HostKeyNotVerifiable as error:
        raise keys.refusal(is_revoked="revoked" in str(error)) from None
    except asyncssh.PermissionDenied:
        raise _denied(spec, target) from None
    except asyncssh.KeyImportError as error:
        names = " or ".join(spec.identity) or "a key in ~/.ssh"
        raise Unreachable(
            spec.name,
            f"{spec.name}: {names} is no private key: {said(error)}",
            "name the file without .pub; of a PuTTY key, what PuTTYgen exports as an OpenSSH key",
        ) from None
    except TimeoutError:
        raise Unreachable(
            spec.name,
            f"{place} took the connection but no login within {LOGIN_TIMEOUT:.0f} s",
            "is that port sshd's?",
        ) from None
    except (OSError, asyncssh.Error) as error:
        if await keys.of_another_type(chain):
            raise keys.refusal() from None
        raise Unreachable(
            spec.name, f"{place}: the connection broke off: {said(error)}", "try again; is that port sshd's?"
        ) from None


async def shown_key(
    spec: HostSpec,
    target: Target,
    chain: list[asyncssh.SSHClientConnection],
    algorithms: Sequence[str] = (),
) -> asyncssh.SSHKey | None:
    """The host's key, without logging in; of these types only, None when it has none. Raises Unreachable."""
    import asyncssh

    sock = None if chain else await dial(spec, target)
    way: dict[str, Any] = {"sock": sock} if sock is not None else {"tunnel": chain[-1]}
    way |= {"server_host_key_algs": list(algorithms)} if algorithms else {}
    try:
        async with asyncio.timeout(LOGIN_TIMEOUT):
            return await asyncssh.get_server_host_key(target.address, target.port, config=None, **way)
    except (OSError, asyncssh.Error) as error:
        if algorithms:
            return None  # a server without such a key may say so, or just hang up
        raise Unreachable(spec.name, f"{spec.name}: the connection broke off: {said(error)}") from None
    finally:
        if sock is not None:
            sock.close()


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
        revoked = known_hosts.revoked(self._folder, host, address, port)
        if self._pin:
            return known_hosts.pinned_keys(self._pin), [], revoked
        keys, authorities, _, *others = known_hosts.known(self._folder).match(host, address, port)
        return keys, authorities, revoked, *others

    def client(self) -> Any:
        """For asyncssh: who is asked about any other key."""
        import asyncssh

        keys = self

        class Client(asyncssh.SSHClient):
            def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
                keys._shown = key
                return keys._pin.startswith("SHA256:") and known_hosts.fingerprint(key) == keys._pin

        return Client()

    async def of_another_type(self, chain: list[asyncssh.SSHClientConnection]) -> bool:
        """After a handshake that failed: whether it failed since the host has none of the keys we know."""
        if self._shown is not None:
            return False
        try:
            self._shown = await shown_key(self._spec, self._target, chain)
        except Unreachable:
            return False
        return self._shown is not None and known_hosts.fingerprint(self._shown) not in self.expected()

    def expected(self) -> list[str]:
        """Fingerprints of the keys that would have been right."""
        if self._pin.startswith("SHA256:"):
            return [self._pin]
        keys = known_hosts.pinned_keys(self._pin)
        keys = keys or known_hosts.known_keys(self._folder, self._target, self._peer)
        return list(dict.fromkeys(known_hosts.fingerprint(key) for key in keys))

    def refusal(self, is_revoked: bool = False) -> RefusedError:
        return known_hosts.refusal(self._spec, self._target, self._shown, self.expected(), is_revoked)


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
    make = "" if names else "ssh-keygen -t ed25519   then "
    port = f" -p {target.port}" if target.port != 22 else ""
    bring = f"{make}ssh-copy-id -i {first}{port} {user}@{target.address}"
    return Unreachable(
        spec.name,
        f"{spec.name} ({known_hosts.pattern(target)}) let {user} in {NONE_OF_OURS}; tried: {tried}",
        f"{bring}   or, if that key has a passphrase: ssh-add {first}",
    )
