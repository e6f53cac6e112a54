"""Getting into a host: dialing, host keys always checked, keys of ours, jumps; every error one
sentence.

Called by `ssh` and `trust`. The TCP connection is begun before asyncssh is imported, which takes
longer.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import errno
import importlib
import os
import socket
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kjpstate.errors import Distrusted, Unreachable
from kjpstate.formats import known_hosts as lines
from kjpstate.host import Ssh
from kjpstate.hosts import known_hosts
from kjpstate.hosts.known_hosts import Target
from kjpstate.hosts.link import LOGIN_TIMEOUT, SshLink, said
from kjpstate.said import say

if TYPE_CHECKING:
    import asyncssh

CONNECT_TIMEOUT = 15.0
_KEEPALIVE = 15.0


async def connect(spec: Ssh, state_folder: Path) -> SshLink:
    """A live connection. Raises Unreachable, or Distrusted for a host key that is not the known
    one."""
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


def targets(spec: Ssh) -> list[Target]:
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


async def dial(spec: Ssh, target: Target) -> socket.socket:
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
            raise OSError(errno.EHOSTUNREACH, say("link.no-address"))
    except socket.gaierror:
        raise Unreachable(
            spec.name,
            say("link.unresolved", host=spec.name, name=target.address),
            say("link.unresolved.cure"),
        ) from None
    except TimeoutError:
        raise Unreachable(
            spec.name,
            say("link.no-answer", host=spec.name, place=place, seconds=round(CONNECT_TIMEOUT)),
            say("link.off.cure"),
        ) from None
    except ConnectionRefusedError:
        raise Unreachable(
            spec.name,
            say("link.nothing-listens", host=spec.name, place=place),
            say("link.nothing-listens.cure"),
        ) from None
    except OSError as error:
        raise Unreachable(
            spec.name,
            say(
                "link.no-way",
                host=spec.name,
                place=place,
                reason=(error.strerror or str(error)).lower(),
            ),
            say("link.off.cure"),
        ) from None


async def login(
    spec: Ssh,
    target: Target,
    state_folder: Path,
    sock: socket.socket | None,
    chain: list[asyncssh.SSHClientConnection],
) -> asyncssh.SSHClientConnection:
    """Log in at one place: over `sock`, or through the last of `chain`. Raises Unreachable,
    Distrusted.

    A host has a key of each of several types; the one we know is asked for first, and of a pin any
    of them may be meant. Nothing is sent before one was shown that we know.
    """
    import asyncssh

    keys = _Keys(spec, target, state_folder)
    for number, types in enumerate(keys.offers()):
        try:
            if not chain and sock is None:
                sock = await dial(spec, target)
            way, sock = {"tunnel": chain[-1]} if chain else {"sock": sock}, None
            connection = await _logged_in(keys, types, way)
        except asyncssh.HostKeyNotVerifiable as error:
            keys.refused(str(error))
        except Unreachable:
            if keys.known or not number:
                raise  # else it has no key of this type
        else:
            keys.note(connection)
            return connection
    raise keys.refusal()


async def _logged_in(
    keys: _Keys, types: Sequence[str], way: Mapping[str, Any]
) -> asyncssh.SSHClientConnection:
    """One connection that takes a key of `types`. Raises HostKeyNotVerifiable, Unreachable."""
    import asyncssh

    spec, target = keys.spec, keys.target
    place = f"{spec.name} ({known_hosts.pattern(target)})"
    try:
        async with asyncio.timeout(LOGIN_TIMEOUT):
            connection, _ = await asyncssh.create_connection(
                keys.client,
                target.address,
                target.port,
                server_host_key_algs=list(types),
                **way,
                **_options(keys),
            )
            return connection
    except asyncssh.HostKeyNotVerifiable:
        raise
    except asyncssh.PermissionDenied:
        raise _denied(spec, target) from None
    except asyncssh.KeyImportError as error:
        names = " or ".join(spec.identity) or say("link.some-key")
        raise Unreachable(
            spec.name,
            say("link.no-private-key", host=spec.name, files=names, reason=said(error)),
            say("link.no-private-key.cure"),
        ) from None
    except TimeoutError:
        raise Unreachable(
            spec.name,
            say("link.no-login", place=place, seconds=round(LOGIN_TIMEOUT)),
            say("link.no-login.cure"),
        ) from None
    except (OSError, asyncssh.Error) as error:
        raise Unreachable(
            spec.name,
            say("link.cut", place=place, reason=said(error)),
            say("link.cut.cure"),
        ) from None


async def shown_key(
    spec: Ssh,
    target: Target,
    chain: list[asyncssh.SSHClientConnection],
    types: Sequence[str],
    *,
    must_answer: bool,
) -> bytes:
    """The host's key of one of `types`, without logging in; nothing when it has none. Raises
    Unreachable."""
    import asyncssh

    sock = None if chain else await dial(spec, target)
    way: dict[str, Any] = {"sock": sock} if sock is not None else {"tunnel": chain[-1]}
    way |= {"server_host_key_algs": list(types)}
    try:
        async with asyncio.timeout(LOGIN_TIMEOUT):
            key = await asyncssh.get_server_host_key(
                target.address, target.port, config=None, **way
            )
            return key.public_data if key is not None else b""
    except (OSError, asyncssh.Error) as error:
        if not must_answer:
            return b""  # a server without such a key may say so, or just hang up
        raise Unreachable(spec.name, say("link.cut", place=spec.name, reason=said(error))) from None
    finally:
        if sock is not None:
            sock.close()


_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
_AS_CERTIFICATE = tuple(f"{one}-cert-v01@openssh.com" for one in _TYPES)


def types_in_order(known: Collection[str] = ()) -> list[str]:
    """The algorithms a host may sign with: those of the `known` types of keys first, then in
    OpenSSH's order."""
    from asyncssh.public_key import get_default_public_key_algs, get_public_key_algs

    defaults = [name.decode() for name in get_default_public_key_algs()]
    found = [*_TYPES, *(name for name in defaults if name not in _TYPES)]
    found += [
        name.decode() for name in get_public_key_algs() if name.decode() in set(known) - set(found)
    ]
    return sorted(found, key=lambda name: type_of_key(name) not in known)


def type_of_key(signature: str) -> str:
    """RSA's keys sign in several ways; all others have one name."""
    return "ssh-rsa" if signature.startswith(("rsa-", "ssh-rsa")) else signature


def types_of(keys: Iterable[bytes]) -> set[str]:
    """The types of these keys."""
    return {lines.kind_of(key).decode("latin-1") for key in keys}


def each_type(met: Callable[[], Collection[str]]) -> Iterator[list[str]]:
    """The types to ask for so that a host shows one key of each type in turn, except those `met` by
    then."""
    for kind in dict.fromkeys(map(type_of_key, _TYPES)):
        if kind not in met():
            yield [name for name in types_in_order() if type_of_key(name) == kind]


def _options(keys: _Keys) -> dict[str, Any]:
    spec, target = keys.spec, keys.target
    missing = [path for path in spec.identity if not Path(path).expanduser().is_file()]
    if missing:
        raise Unreachable(
            spec.name,
            say("link.no-key-file", host=spec.name, file=missing[0]),
            say("link.no-key-file.cure"),
        )
    own = (
        {"client_keys": [str(Path(path).expanduser()) for path in spec.identity]}
        if spec.identity
        else {}
    )
    return {
        "config": None,
        "known_hosts": keys.listed,
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
    """The keys that one place may show, and those it did show. `known`: it showed a key that we
    know."""

    def __init__(self, spec: Ssh, target: Target, state_folder: Path) -> None:
        self.spec, self.target, self._folder = spec, target, state_folder
        self._pin = spec.host_key if target == targets(spec)[-1] else ""
        self._whole = known_hosts.pinned_key(self._pin)
        self._lines = known_hosts.known(state_folder, target)
        self._takes_certificates = False
        self._shown: dict[bytes, None] = {}
        self._verdict = ""
        self.known = False

    def offers(self) -> Iterator[list[str]]:
        """Yields the types of keys to accept, a connection each, as long as nothing known was
        shown."""
        trusted = [key for key in lines.keys(self._lines) if self._judged(key) == lines.TRUSTED]
        expected = [self._whole] if self._whole else [] if self._pin else trusted
        types = types_of(expected)
        if self._pin and not self._whole:
            types = {known_hosts.pinned_type(self._pin, self._folder)}
        self._takes_certificates = not self._pin and any(
            line.marker for step in self._lines for line in step
        )
        if self._takes_certificates:
            yield [*_AS_CERTIFICATE, *types_in_order(types)]
            self._takes_certificates = False
            if self._verdict:
                return
        yield types_in_order(types)
        for others in each_type(lambda: types_of(self._shown)) if self._pin else ():
            if self._verdict != lines.IS_REVOKED:
                yield others

    def listed(
        self, host: str, address: str, port: int | None
    ) -> tuple[list[asyncssh.SSHKey], ...]:
        """For asyncssh: no key is known to it, so that it asks `client` of each; but of a
        certificate it is never told more than whose it is, so it must know what is revoked."""
        import asyncssh

        revoked = lines.revoked_with(self._lines) if self._takes_certificates else []
        found: list[asyncssh.SSHKey] = []
        for key in revoked:
            text = f"{lines.kind_of(key).decode('latin-1')} {base64.b64encode(key).decode()}"
            with contextlib.suppress(asyncssh.KeyImportError):
                found.append(asyncssh.import_public_key(text))
        return [], [], found

    def client(self) -> Any:
        """For asyncssh: who is asked about each key, and about who signed a certificate."""
        import asyncssh

        keys = self

        class Client(asyncssh.SSHClient):
            def validate_host_public_key(
                self, host: str, addr: str, port: int, key: asyncssh.SSHKey
            ) -> bool:
                return keys.take(key.public_data)

            def validate_host_ca_key(
                self, host: str, addr: str, port: int, key: asyncssh.SSHKey
            ) -> bool:
                return key.public_data in lines.marked(keys._lines, lines.AUTHORITY)

        return Client()

    def take(self, key: bytes) -> bool:
        """Notes a shown key; True if it is known."""
        self._shown[key] = None
        if self._verdict != lines.IS_REVOKED:
            self._verdict = self._judged(key)
        self.known = self._verdict == lines.TRUSTED
        return self.known

    def _judged(self, key: bytes) -> str:
        if not self._pin:
            return lines.verdict(key, self._lines)
        if key != self._whole and lines.fingerprint(key) != self._pin:
            return lines.CHANGED
        is_revoked = key in lines.marked(self._lines, lines.REVOKED)
        return lines.IS_REVOKED if is_revoked else lines.TRUSTED

    def refused(self, why: str) -> None:
        """A certificate that does not hold says nothing yet of the key in it; a
        revoked one does."""
        if not self._verdict and "revoked" in why:
            self._verdict = lines.IS_REVOKED

    def note(self, connection: asyncssh.SSHClientConnection) -> None:
        """Notes the type of the key that a pinned fingerprint means, where it was not the first to
        be shown."""
        key = connection.get_server_host_key()
        if key is not None and len(self._shown) > 1 and self._pin and not self._whole:
            known_hosts.note_type(self._pin, type_of_key(key.get_algorithm()), self._folder)

    def refusal(self) -> Distrusted:
        expected = [lines.fingerprint(key) for key in lines.keys(self._lines)]
        if self._pin:
            expected = [lines.fingerprint(self._whole) if self._whole else self._pin]
        return known_hosts.refusal(
            self.spec,
            self.target,
            list(self._shown),
            expected,
            verdict=self._verdict or lines.UNKNOWN,
            is_pinned=bool(self._pin),
        )


def _denied(spec: Ssh, target: Target) -> Unreachable:
    """The error for a refused login: which keys were tried, and what to do about it."""
    names = spec.identity or [
        f"~/.ssh/{path.name}"
        for path in sorted((Path.home() / ".ssh").glob("id_*"))
        if path.suffix != ".pub" and path.is_file()
    ]
    agent = say("link.agents-keys") if os.environ.get("SSH_AUTH_SOCK") or os.name != "posix" else ""
    tried = ", ".join(word for word in (agent, *names) if word) or say("link.no-key")
    user = target.user or say("link.this-user")
    first = names[0] if names else "~/.ssh/id_ed25519"
    port = f" -p {target.port}" if target.port != 22 else ""
    bring = f"ssh-copy-id -i {first}{port} {user}@{target.address}"
    place = f"{spec.name} ({known_hosts.pattern(target)})"
    return Unreachable(
        spec.name,
        say("login-refused", place=place, user=user, tried=tried),
        say("login-refused.cure" if names else "login-refused.no-key.cure", bring=bring, key=first),
        "login-refused",
    )
