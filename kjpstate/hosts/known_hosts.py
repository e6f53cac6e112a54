"""Which key a host must show: our own known_hosts file beside the user's, or the document's pin.

Called by `link` and, for the verb `trust`, by `cli`. Nothing here ever accepts a key by itself.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kjpstate.errors import RefusedError, UsageError
from kjpstate.host import HostSpec

if TYPE_CHECKING:
    import asyncssh


@dataclass(frozen=True)
class Target:
    """One place to connect to: the host itself, or a jump before it."""

    address: str
    port: int
    user: str


def own_file(state_folder: Path) -> Path:
    """The controller's own known_hosts."""
    return state_folder / "known_hosts"


def pattern(target: Target) -> str:
    """How a known_hosts file names the place."""
    return target.address if target.port == 22 else f"[{target.address}]:{target.port}"


def known(state_folder: Path) -> asyncssh.SSHKnownHosts:
    """All that is known: ours and the user's, read once for each state of the files."""
    return _read(_files(state_folder))


def revoked(state_folder: Path, host: str, address: str, port: int | None) -> list[asyncssh.SSHKey]:
    """The keys that either file marks as revoked for this place: no pin and no other line makes them good.

    asyncssh forgets them when it falls back from `[host]:port` to the name alone.
    """
    marked = _read_revoked(_files(state_folder))
    return [*marked.match(host, address, port)[0], *marked.match(host, address, None)[0]]


def _files(state_folder: Path) -> tuple[tuple[str, int], ...]:
    files = (own_file(state_folder), Path.home() / ".ssh" / "known_hosts")
    return tuple((str(path), path.stat().st_mtime_ns) for path in files if path.is_file())


@functools.lru_cache(maxsize=8)
def _read(files: tuple[tuple[str, int], ...]) -> asyncssh.SSHKnownHosts:
    import asyncssh

    try:
        return asyncssh.read_known_hosts([path for path, _ in files])
    except ValueError as error:
        raise UsageError(f"{' or '.join(path for path, _ in files)} can't be read: {error}") from None


@functools.lru_cache(maxsize=8)
def _read_revoked(files: tuple[tuple[str, int], ...]) -> asyncssh.SSHKnownHosts:
    import asyncssh

    lines = [line for path, _ in files for line in Path(path).read_text("utf-8", "replace").splitlines()]
    marked = [line.split(None, 1)[1] for line in lines if line.startswith(("@revoked ", "@revoked\t"))]
    return asyncssh.import_known_hosts("".join(f"{line}\n" for line in marked))


def known_keys(state_folder: Path, target: Target, peer: str) -> list[asyncssh.SSHKey]:
    """The keys that the place may show, by what is known."""
    port = None if target.port == 22 else target.port
    keys, *_ = known(state_folder).match(target.address, peer, port)
    return list(keys)


def fingerprint(key: asyncssh.SSHKey) -> str:
    """`SHA256:…`, as ssh-keygen -lf prints it."""
    return str(key.get_fingerprint("sha256"))


def pinned_keys(pin: str) -> list[asyncssh.SSHKey]:
    """The key that the document writes out in full; none for a fingerprint."""
    if not pin or pin.startswith("SHA256:"):
        return []
    import asyncssh

    try:
        return [asyncssh.import_public_key(pin)]
    except asyncssh.KeyImportError as error:
        raise UsageError(f"host_key: neither SHA256:… nor a public key ({error})") from None


def refusal(
    spec: HostSpec,
    target: Target,
    shown: asyncssh.SSHKey | None,
    expected: Sequence[str],
    is_revoked: bool = False,
) -> RefusedError:
    """The hard stop for a key that nobody knows, or that is not the one we know."""
    place = f"{spec.name} ({pattern(target)})"
    said = f"{shown.get_algorithm()} {fingerprint(shown)}" if shown else "a key of another type"
    if shown is None and is_revoked:
        return RefusedError(
            f"{place} shows a host key that a known_hosts file marks as revoked; nothing was sent to it",
            f"give the box new host keys, then: kjpstate trust {spec.name}",
            "host-key-revoked",
        )
    if not expected:
        return RefusedError(
            f"{place} shows the host key {said}, which nobody has confirmed yet; nothing was sent to it",
            f"kjpstate trust {spec.name}   shows it again, asks, remembers it",
            "host-key-unknown",
        )
    return RefusedError(
        f"{place} shows the host key {said}, but we know {' or '.join(expected)}; nothing was sent",
        f"if the box was set up anew: kjpstate trust {spec.name}   else somebody may stand between",
        "host-key-changed",
    )
