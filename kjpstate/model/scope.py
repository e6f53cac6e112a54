"""What a run is about: the addresses and hosts that its command line names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kjpstate.model.paths import named


@dataclass(frozen=True)
class Scope:
    """Everything, unless a field says less."""

    only: tuple[str, ...] = ()
    """Addresses."""
    limit: tuple[str, ...] = ()
    """Hosts."""
    exclude: tuple[str, ...] = ()
    """Hosts at which nobody looks; `*` and `?` stand for any signs."""
    here: str | None = None
    """The host in whose place this machine is; no other one is looked at."""

    @property
    def words(self) -> list[str]:
        """The options that say it, as typed."""
        words = [word for name in self.only for word in ("--only", name)]
        words += [word for name in self.limit for word in ("--limit", name)]
        words += [word for name in self.exclude for word in ("--exclude", name)]
        return words + (["--here", self.here] if self.here is not None else [])

    @property
    def narrows_hosts(self) -> bool:
        """Some hosts may be left out."""
        return bool(self.limit or self.exclude)

    def asks_for(self, address: str) -> bool:
        """--only itself names the address."""
        return any(named(address, name) for name in self.only)

    def has(self, host: str) -> bool:
        """--limit names the host, or none at all."""
        return not self.limit or any(named(host, name) for name in self.limit)

    def leaves_out(self, host: str) -> bool:
        """--exclude names the host."""
        return any(meant(host, name) for name in self.exclude)

    def among(self, hosts: Iterable[str]) -> tuple[str, ...]:
        """Those of the hosts that this scope has."""
        return tuple(host for host in hosts if self.has(host))


EVERYTHING = Scope()


def meant(host: str, pattern: str) -> bool:
    """The pattern of --exclude means the host."""
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return named(host, pattern) or re.fullmatch(wild, host) is not None
