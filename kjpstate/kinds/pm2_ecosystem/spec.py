"""An ecosystem file as the document wants it, and how the section `pm2` says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kjpstate.formats.pm2 import ecosystem
from kjpstate.formats.pm2.declared import Declared
from kjpstate.model import ReadFile, ReadStat
from kjpstate.secret import secrets_in
from kjpstate.section import Made, Page, Section


@dataclass(frozen=True)
class Spec:
    """One resource of this kind."""

    host: str
    """The host's name in the document."""
    document: str
    """The document's name."""
    path: str
    """The absolute path of the file."""
    apps: tuple[Declared, ...]
    """What stands in it, in the document's order."""

    @property
    def file(self) -> ReadFile:
        """The reading of the file."""
        return ReadFile(self.host, self.path)

    @cached_property
    def folders(self) -> tuple[ReadStat, ...]:
        """The readings of all folders that the apps' logs go to, by path."""
        found = (
            folder for app in self.apps for folder in ecosystem.log_folders(self.path, app.keys)
        )
        return tuple(ReadStat(self.host, folder) for folder in sorted(set(found)))

    @cached_property
    def packages(self) -> tuple[ReadFile, ...]:
        """Each package.json by which node may load the file, the nearest first."""
        if not self.path.endswith(".js"):
            return ()
        folder, found = self.path, []
        while folder:
            folder = folder.rpartition("/")[0]
            found.append(ReadFile(self.host, f"{folder}/package.json"))
        return tuple(found)

    @cached_property
    def is_secret(self) -> bool:
        """Whether a secret stands in the file."""
        return any(True for app in self.apps for _ in secrets_in(app.keys))


def made(key: str, page: Page) -> Iterator[Made]:
    """One file a section; its apps are parts of it."""
    for section in page.sections(key):
        path = section.path("/ecosystem", section.value["ecosystem"])
        apps = tuple(_apps(section, path))
        spec = Spec(section.host.name, section.document, path, apps)
        lines = section.lines()
        yield Made("pm2_ecosystem", section, spec, identity=path, lines=lines, parts=apps)


def _apps(section: Section, ecosystem: str) -> Iterator[Declared]:
    value = section.value
    node, command = (
        section.path(f"/{key}", value[key]) if key in value else "" for key in ("node", "command")
    )
    for at, keys in enumerate(value["apps"]):
        folder = section.path(f"/apps/{at}/cwd", keys["cwd"], folder=True)
        yield Declared(
            section.host.name,
            section.document,
            ecosystem,
            {**keys, "cwd": folder.rstrip("/") or "/"},
            connected=bool(value.get("connected")),
            node=node,
            command=command,
        )
