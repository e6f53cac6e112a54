"""Name resolution as the probe `names` saw it: by the app's own way, and at each server by itself.

Called by the kind check; `render` is for the simulated box. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from kjpstate.model import Answer, Probe, Unreadable
from kjpstate.said import Text, say

Path: TypeAlias = Literal["app", "server", "wan"]
_PATHS: dict[str, Path] = {"app": "app", "server": "server", "wan": "wan"}

_RULES = {
    "TIMEOUT": "server-timeout",
    "CLOSED": "server-closed",
    "REFUSED": "server-refused",
    "SERVFAIL": "server-servfail",
    "NXDOMAIN": "server-nxdomain",
    "EMPTY": "server-empty",
}


@dataclass(frozen=True)
class Lookup:
    """One question. `path` app: as getaddrinfo and node ask; server: one server asked directly;
    wan: whether that server's machine can be connected to at all, asked only when all were silent.
    `subject`: the name, or the server's `endpoint`. `code`: exit status of `tool`. `address`: ""
    when none came back. `said`: of a failure NXDOMAIN, SERVFAIL, REFUSED, CLOSED, TIMEOUT, EMPTY,
    EAI_AGAIN, or "" for anything else."""

    path: Path
    tool: str
    subject: str
    code: int
    address: str = ""
    said: str = ""

    @property
    def ok(self) -> bool:
        """An exit status alone lies (dig's is 0 for a name that does not exist): an address must be
        there."""
        return self.code == 0 and (bool(self.address) or self.path == "wan")

    @property
    def failure(self) -> Text:
        """The failure of a server that is not ok, and the rule that explains it in brackets."""
        said = self.said or ("EMPTY" if self.code == 0 else "")
        if said not in _RULES:
            return say("names.no-answer", tool=self.tool, code=self.code)
        return say(_RULES[said])


def wan_down(lookups: Iterable[Lookup]) -> bool:
    """True if every server was silent and none of their machines could be reached: then nothing can
    be said about any of them."""
    lookups = list(lookups)
    servers = [item for item in lookups if item.path == "server"]
    beyond = [item for item in lookups if item.path == "wan"]
    silent = bool(servers) and all(item.said == "TIMEOUT" for item in servers)
    return silent and bool(beyond) and not any(item.ok for item in beyond)


def reading(host: str, names: Sequence[str], servers: Iterable[str] = ()) -> Probe:
    """The reading for these names, and for the first of them at each server (in resolved.conf's
    spelling)."""
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


def parse(answer: Answer) -> tuple[Lookup, ...] | Text:
    """The questions and what came back, or a sentence why that can't be known."""
    if isinstance(answer, Unreadable):
        return say("names.not-asked", why=answer.why)
    if not isinstance(answer, bytes):
        return say("names.no-posix")
    return tuple(
        found
        for line in answer.decode(errors="replace").splitlines()
        if (found := _lookup(line)) is not None
    )


def render(lookups: Iterable[Lookup]) -> bytes:
    """The very bytes the probe would print."""
    lines = (
        "\t".join((item.path, item.tool, item.subject, str(item.code), item.address, item.said))
        for item in lookups
    )
    return "".join(f"{line}\n" for line in lines).encode()


def _lookup(line: str) -> Lookup | None:
    parts = line.split("\t")
    if len(parts) != 6 or parts[0] not in _PATHS or not parts[3].isdecimal():
        return None
    return Lookup(_PATHS[parts[0]], parts[1], parts[2], int(parts[3]), parts[4], parts[5])
