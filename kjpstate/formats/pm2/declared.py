"""One app as a document declares it, and what follows from that alone. Pure.

The kinds of PM2 make it; the readings, checks, watches and screens of an app are made of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kjpstate.formats.logs import NOWHERE
from kjpstate.formats.pm2.argv import arguments
from kjpstate.model import join


@dataclass(frozen=True)
class Declared:
    """One app of one host."""

    host: str
    """The host's name in the document."""
    document: str
    """The document's name."""
    ecosystem: str
    """The absolute path of the ecosystem file."""
    keys: Mapping[str, Any]
    """PM2's own keys with the values of the document; `cwd` absolute."""
    tree: str = ""
    """The folder that this document fills and that contains the script; "" when there is none."""
    connected: bool = False
    """Whether it must hold a connection to the outside."""
    node: str = ""
    """The absolute path of node, where a login does not find it by itself."""
    command: str = ""
    """The absolute path of PM2's program, likewise."""

    @property
    def name(self) -> str:
        """Its name in PM2."""
        return str(self.keys["name"])

    @property
    def written_script(self) -> str:
        """The script as the document writes it."""
        return str(self.keys["script"])

    @property
    def may_end(self) -> bool:
        """Whether the document lets it end by itself."""
        return self.keys.get("autorestart") is False

    @cached_property
    def file_name(self) -> str:
        """Its name as PM2 puts it into file names."""
        return re.sub(r"[^a-zA-Z0-9.-]", "-", self.name)

    @cached_property
    def folder(self) -> str:
        """Its relative paths start here: at its `cwd`, else at the ecosystem file's folder."""
        folder = self.ecosystem.rpartition("/")[0] or "/"
        return normal(join(folder, str(self.keys.get("cwd") or folder)))

    @cached_property
    def script(self) -> str:
        """The absolute path of its script."""
        return normal(join(self.folder, self.written_script))

    @cached_property
    def arguments(self) -> list[str]:
        """Its arguments one by one."""
        return arguments(self.keys)

    @cached_property
    def logs(self) -> tuple[tuple[str, str], ...]:
        """(out or error, path) of each file it logs into; `~pm2/` in a path is PM2's home."""
        found: dict[str, str] = {}
        for stream, key in (("out", "out_file"), ("error", "error_file")):
            path = str(self.keys.get(key, f"~pm2/logs/{self.file_name}-{stream}.log"))
            if path in NOWHERE:
                continue
            if not path.startswith("~"):
                path = normal(path if path.startswith("/") else f"{self.folder}/{path}")
            found.setdefault(path, stream)  # both may go into one file
        return tuple((stream, path) for path, stream in found.items())


def normal(path: str) -> str:
    """As node's path.resolve: no final `/`, no `.`, `..` or double slash."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)
