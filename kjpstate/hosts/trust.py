"""For the verb `trust`: which keys a host shows, and remembering them once a person said yes.

Called by `cli`. Nothing here logs in, and nothing here decides.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kjpstate.errors import Unreachable, UsageError
from kjpstate.host import HostSpec
from kjpstate.hosts import known_hosts
from kjpstate.hosts.connecting import dial, imported, login, shown_key, targets
from kjpstate.hosts.known_hosts import own_file

if TYPE_CHECKING:
    import asyncssh


_TYPES = (("ssh-ed25519",), ("ecdsa-sha2-nistp256",), ("rsa-sha2-256", "rsa-sha2-512"))


async def scan(spec: HostSpec, state_folder: Path) -> list[tuple[str, str]]:
    """The keys the host shows: (SHA256:… fingerprint, its line for known_hosts). Raises Unreachable.

    Behind a jump the host is reached through it, whose own key must be known already.
    """
    await imported()
    *jumps, target = targets(spec)
    chain: list[asyncssh.SSHClientConnection] = []
    found: dict[str, str] = {}
    try:
        for place in jumps:
            sock = await dial(spec, place) if not chain else None
            chain.append(await login(spec, place, state_folder, sock, chain))
        for algorithms in ((), *_TYPES):
            key = await shown_key(spec, target, chain, algorithms)
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


def remember(spec: HostSpec, lines: Sequence[str], state_folder: Path) -> Path:
    """Write `lines` (as `scan` gave them) in the place of all that our own file knew of that host."""
    if not lines:
        raise UsageError(f"{spec.name}: no host key to remember")
    name = lines[0].split(" ", 1)[0]
    path = own_file(state_folder)
    state_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    old = path.read_text("utf-8").splitlines() if path.exists() else []
    kept = [line for line in old if line.split(" ", 1)[0] != name]
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(
        os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as stream:
        stream.write("".join(f"{line}\n" for line in (*kept, *lines)))
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    return path
