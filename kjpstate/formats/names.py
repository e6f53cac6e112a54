"""Name resolution as the probe `names` saw it: by the app's own way, and at each server by itself.

Called by the kind check; `render` is for the simulated box. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from kjpstate.model import Answer, Probe, Unreadable


@dataclass(frozen=True)
class Lookup:
    """One question. `path` app: as getaddrinfo and node ask; server: one server asked directly. `subject`:
    the name, or the server's `endpoint`. `code`: exit status of `tool`. `address`: "" when none
    came back."""

    path: Literal["app", "server"]
    tool: str
    subject: str
    code: int
    address: str

    @property
    def ok(self) -> bool:
        """An exit status alone lies (dig's is 0 for a name that does not exist): an address must be there."""
        return self.code == 0 and bool(self.address)


def reading(host: str, names: Sequence[str], servers: Iterable[str] = ()) -> Probe:
    """The reading for these names, and for the first of them at each server (in resolved.conf's spelling)."""
    return Probe(host, "names", (str(len(names)), *names, *map(endpoint, servers)))


def endpoint(server: str) -> str:
    """`ADDRESS` or `ADDRESS|PORT` of a server in resolved.conf's spelling: `[::1]:53%eth0#name`."""
    address = server.partition("#")[0].partition("%")[0]
    port = ""
    if address.startswith("["):
        address, _, port = address[1:].partition("]")
    elif address.count(":") == 1:
        address, _, port = address.partition(":")
    port = port.lstrip(":")
    return f"{address}|{port}" if port else address


def parse(answer: Answer) -> tuple[Lookup, ...] | str:
    """The questions and what came back, or a sentence why that can't be known."""
    if isinstance(answer, Unreadable):
        return f"names could not be asked for: {answer.why}"
    if not isinstance(answer, bytes):
        return "names can be asked for only on a POSIX host"
    return tuple(
        found for line in answer.decode(errors="replace").splitlines() if (found := _lookup(line)) is not None
    )


def render(lookups: Iterable[Lookup]) -> bytes:
    """The very bytes the probe would print."""
    lines = (
        "\t".join((item.path, item.tool, item.subject, str(item.code), item.address)) for item in lookups
    )
    return "".join(f"{line}\n" for line in lines).encode()


def _lookup(line: str) -> Lookup | None:
    parts = line.split("\t")
    if len(parts) != 5 or parts[0] not in ("app", "server") or not parts[3].isdecimal():
        return None
    path: Literal["app", "server"] = "app" if parts[0] == "app" else "server"
    return Lookup(path, parts[1], parts[2], int(parts[3]), parts[4])
