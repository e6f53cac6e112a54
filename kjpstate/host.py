"""The port: two eyes and two hands. `hosts/` has its bodies; `reconcile` and `apply` are its only
callers.

`plan`, `drift` and `verify` are given an Eye, which has no hands at all.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from kjpstate.model import Action, Answers, Holder, Outcome, Reading, Recovered, RunInfo, Where

_OURS = re.compile(
    r"(?P<kept>.+)\.backup\.\d{8}T\d{6}Z-[0-9a-f]{6}"
    r"|\.(?P<hidden>.+)\.kjpstate-[a-z]+\.[0-9a-f]{6}"
    r"|(?P<beside>.+)\.kjpstate-[a-z]+\.[0-9a-f]{6}",
    re.ASCII | re.DOTALL,
)


@dataclass(frozen=True)
class Ssh:
    """A host over SSH, as the document says how it is reached."""

    name: str
    """The host's word in the document, `stb[10.0.0.1]` for one of a fleet."""
    where: Where
    address: str = ""
    port: int = 22
    user: str = ""
    host_key: str = ""
    """A pinned `SHA256:…` or a whole public key; "" where known_hosts decides."""
    identity: tuple[str, ...] = ()
    """Key files."""
    jump: str = ""
    """[user@]address[:port]"""
    become: str = ""
    member_of: str = ""
    """The fleet's word in the document; "" for a host that stands for itself."""


@dataclass(frozen=True)
class Local:
    """This machine, as the document says it."""

    name: str
    where: Where
    folder: str = ""
    """The absolute folder (final `/`) from which relative paths start; "" for the user's home."""
    stands_for: Ssh | None = None
    """The host over SSH that this machine is (`--here`)."""
    member_of: str = ""


HostSpec: TypeAlias = Local | Ssh
"""How a host is reached. Made by `document`, used by `hosts/`."""


@dataclass(frozen=True)
class Cost:
    """The cost of looking so far: for `plan -v`. Bytes both ways together."""

    connections: int = 0
    execs: int = 0
    sent: int = 0
    received: int = 0


class Eye(Protocol):
    """A host that can only be looked at.

    `within`: seconds after which a look is given up, also on the host itself; None: as long as it
    takes.
    """

    name: str
    within: float | None

    async def look(self, readings: Sequence[Reading]) -> Answers:
        """Answer all readings in one exec; raises Unreachable, never for one bad reading."""

    def open(self, path: str) -> AsyncIterator[bytes]:
        """The bytes of one file as chunks; raises Failed when it can't be read."""

    async def close(self) -> None:
        """Let go of the connection; never raises."""

    @property
    def identity(self) -> str:
        """The id that tells this machine from any other: the host key it proved, or its own. Known
        after a look."""

    @property
    def cost(self) -> Cost:
        """The cost of looking at this host so far."""


class Host(Eye, Protocol):
    """A host that can be changed, between `begin` and `end`.

    `heard` is told each line that a Run with `shown` prints, while it runs; None: nobody listens.
    Before an action is done it stands in the run's journal on the host (`formats.journal`).
    """

    heard: Callable[[str], None] | None

    @property
    def recovered(self) -> Sequence[Recovered]:
        """The runs that ended before their time, as the last `begin` settled them."""

    async def begin(self, run: RunInfo, readings: Sequence[Reading]) -> Answers:
        """Take the host's lock for `run`, settle what a lost run left half done (`recovered`), then
        answer `readings` under the lock. Raises Locked, Unreachable."""

    async def act(
        self,
        actions: Sequence[Action],
        readings: Sequence[Reading] = (),
        sources: Mapping[str, Eye] | None = None,
    ) -> tuple[Sequence[Outcome], Answers]:
        """Do `actions` in order as one message, stopping after the first that is not ok; then
        answer `readings`. `sources`: host name -> eye, from which a SyncTree takes its files. A
        write outside `may_change` is an Outcome `refused`. Raises Unreachable when the link is
        lost: outcome unknown. Await never gets here (`apply` samples it), nor does a Stamp with
        `fill`."""

    async def end(self, *, finished: bool = True) -> None:
        """Release the lock; never raises. Not `finished`: the run is given up before its end, and
        the next one is to be told so."""

    async def holder(self) -> Holder | None:
        """The owner of the lock; None when nobody holds it. Raises Unreachable."""

    async def unlock(self, owner: Holder, *, force: bool = False) -> bool:
        """Break the very lock that `owner` is, when it is dead or `force` is said; False when it is
        not dead, or another's by now. Raises Unreachable."""


def allowed(path: str, may_change: Sequence[str]) -> bool:
    """True if `path` is one of `may_change`, lies in a folder of it (final `/`), or is itself a
    backup or temporary file of ours beside an allowed path. A path with `..` never is."""
    bare = path.rstrip("/")
    beside = ".." not in path.split("/") and _original_of(bare) in {
        item.rstrip("/") for item in may_change
    }
    return beside or may_hold(path, may_change)


def may_hold(path: str, may_change: Sequence[str]) -> bool:
    """True if a document's own content may be laid at `path`: as `allowed`, but at no name of ours
    beside, where an original may stand."""
    return ".." not in path.split("/") and any(_covers(pattern, path) for pattern in may_change)


def _covers(pattern: str, path: str) -> bool:
    within = pattern.endswith("/") and (path + "/").startswith(pattern)
    return within or pattern.rstrip("/") == path.rstrip("/")


def _original_of(path: str) -> str | None:
    """The path for which a name of ours stands; None for any other name, however it begins."""
    folder, slash, name = path.rpartition("/")
    found = _OURS.fullmatch(name)
    return (
        f"{folder}{slash}{found['kept'] or found['hidden'] or found['beside']}" if found else None
    )
