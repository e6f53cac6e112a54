"""What the document settles: a resource and its place, what is accepted, who is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Spec: TypeAlias = Mapping[str, Any]
"""The declared fields of one resource as the document validated them; may hold Secrets."""


GUARD: Final = "guard"
"""The unit of what must not have moved: a refusal of it holds everything on its host."""
CHECKS: Final = "checks"
"""The unit of what is only looked at and judged: it is no part of a plan."""


@dataclass(frozen=True)
class Where:
    """A place in a document; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Resource:
    """One managed thing. `lines` maps a JSON pointer inside the section to its place."""

    address: str
    kind: str
    host: str
    spec: Any
    """The kind's own frozen dataclass; see `Kind.resources`."""
    where: Where
    lines: Mapping[str, Where] = field(default_factory=dict)

    def line(self, pointer: str) -> Where:
        """The place of `pointer` (`/apps/0/max_restarts`), or of its nearest
        parent that has one."""
        while pointer:
            if pointer in self.lines:
                return self.lines[pointer]
            pointer = pointer.rpartition("/")[0]
        return self.where


@dataclass(frozen=True)
class Acceptance:
    """A difference (of `address`) or an advice (of `rule`) that the owner lives with, and why.

    One of the two is "". `until`: its last day as YYYY-MM-DD; "" for ever.
    """

    address: str
    rule: str
    why: str
    until: str
    where: Where


@dataclass(frozen=True)
class Channel:
    """Where notices go as JSON: to the standard input of `command` (argv), or to the URL `webhook`.

    URL, headers and the command's variables may be Secrets.
    """

    name: str
    command: tuple[str, ...] = ()
    webhook: Any = ""
    headers: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Notify:
    """Who is told by `drift`. `quiet`: (first, last) minutes of the local day when only a dead bot
    is told.

    `unreachable_after`: looks in a row. `heartbeat`: a URL that is fetched after each look, "" for
    none.
    """

    channels: tuple[Channel, ...] = ()
    quiet: tuple[int, int] | None = None
    unreachable_after: int = 3
    heartbeat: Any = ""
