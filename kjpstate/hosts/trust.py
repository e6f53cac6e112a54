"""For the verb `trust`: which keys a host shows, and remembering them once a person said yes.

Called by `cli`. Nothing here logs in, and nothing here decides.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kjpstate.errors import Unreachable, UsageError
from kjpstate.formats import known_hosts as lines
from kjpstate.host import Ssh
from kjpstate.hosts import known_hosts
from kjpstate.hosts.connecting import (
    dial,
    each_type,
    imported,
    login,
    shown_key,
    targets,
    types_in_order,
    types_of,
)
from kjpstate.said import say

if TYPE_CHECKING:
    import asyncssh


async def scan(spec: Ssh, state_folder: Path) -> list[tuple[str, str]]:
    """The keys the host shows: (SHA256:… fingerprint, its line for known_hosts). Raises
    Unreachable.

    Behind a jump the host is reached through it, whose own key must be known already.
    """
    await imported()
    *jumps, target = targets(spec)
    chain: list[asyncssh.SSHClientConnection] = []
    found: dict[bytes, None] = {}
    try:
        for place in jumps:
            sock = await dial(spec, place) if not chain else None
            chain.append(await login(spec, place, state_folder, sock, chain))
        first = await shown_key(spec, target, chain, types_in_order(), must_answer=True)
        found[first] = None
        for types in each_type(lambda: types_of(found)):
            found[await shown_key(spec, target, chain, types, must_answer=False)] = None
    finally:
        for connection in reversed(chain):
            connection.abort()
    found.pop(b"", None)
    if not found:
        raise Unreachable(spec.name, say("trust.shows-none", host=spec.name))
    return [(lines.fingerprint(key), _line(target, key)) for key in found]


def _line(target: known_hosts.Target, key: bytes) -> str:
    kind = lines.kind_of(key).decode("latin-1")
    return f"{known_hosts.pattern(target)} {kind} {base64.b64encode(key).decode()}"


def revoked(spec: Ssh, line: str, state_folder: Path) -> bool:
    """True if a known_hosts file revokes the key of `line` for this host."""
    marked = lines.marked(known_hosts.known(state_folder, targets(spec)[-1]), lines.REVOKED)
    return line.split()[2] in [base64.b64encode(key).decode() for key in marked]


def remember(spec: Ssh, shown: Sequence[str], state_folder: Path) -> Path:
    """Write what `scan` gave in the place of all that our own file knew of that host. Raises
    Failed."""
    if not shown:
        raise UsageError(say("trust.none-to-remember", host=spec.name))
    return known_hosts.remember(targets(spec)[-1], [line.encode() for line in shown], state_folder)
