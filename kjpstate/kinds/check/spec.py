"""What a check asks, one class a type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.resolved_conf import Wanted


@dataclass(frozen=True, kw_only=True)
class Check:
    """What every check has."""

    starting: ClassVar[bool] = False
    """Whether a bot fails it while it starts: not connected yet, busy loading."""

    name: str
    """Its name; of a fleet's check with the member's address in brackets."""
    document: str
    host: str = ""
    """"" for the one that a person makes."""

    @property
    def foremost(self) -> bool:
        """Whether other checks fail because this one does."""
        return False


@dataclass(frozen=True, kw_only=True)
class FileCheck(Check):
    """A file is there, and holds these texts."""

    path: str
    contains: tuple[str, ...] = ()
    """Each of these is in the file."""
    absent: tuple[str, ...] = ()
    """None of these is in the file."""


@dataclass(frozen=True, kw_only=True)
class CommandCheck(Check):
    """A command ends with 0."""

    run: tuple[str, ...]
    cwd: str = ""
    """The folder in which it runs; "" for the login's own."""


@dataclass(frozen=True, kw_only=True)
class ManualCheck(Check):
    """Something that only a person can see."""

    text: str
    """What the person is asked to do."""


@dataclass(frozen=True, kw_only=True)
class DnsCheck(Check):
    """Names resolve, by the servers of the document."""

    servers: Wanted | None = None
    """What the document says of the host's servers; None where it does not."""
    effective: bool = False
    """Whether the running service must have those servers."""
    resolves: tuple[str, ...] = ()
    """Names that must resolve the way an app asks."""
    each_server: bool = False
    """Whether each of those servers must answer by itself."""


@dataclass(frozen=True, kw_only=True)
class _OfAnApp(Check):
    app: Declared


@dataclass(frozen=True, kw_only=True)
class AppCheck(_OfAnApp):
    """An app runs as the document says."""

    alive: bool = False
    steady: bool = False
    """Whether no crash may have restarted it of late."""
    settings: bool = False
    """Whether it must run with the settings of the document."""
    started_after_deploy: bool = False
    """Whether it must have started after its files were put there."""

    @property
    def foremost(self) -> bool:
        """Whether other checks fail because this one does."""
        return self.alive


@dataclass(frozen=True, kw_only=True)
class LogCheck(_OfAnApp):
    """An app logged these texts and not those."""

    starting: ClassVar[bool] = True

    present: tuple[str, ...] = ()
    """Each of these was logged."""
    absent: tuple[str, ...] = ()
    """None of these was logged."""
    since: str = "apply"
    """From when lines count: `apply`, a time until now (`30m`), or a moment of the host's time."""


@dataclass(frozen=True, kw_only=True)
class CpuCheck(_OfAnApp):
    """An app uses less than so much CPU."""

    starting: ClassVar[bool] = True

    below: float
    """Per cent of one core."""
    over: float = 5.0
    """The seconds over which it is measured."""
