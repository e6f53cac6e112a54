"""A section `deploy` as the document gives it, for one target, and what is looked at for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kjpstate.formats.digests import digest_of
from kjpstate.formats.tree import stamp_name
from kjpstate.model import ReadFile, Reading, ReadStat, ReadState, ReadTree, join

_BAILEYS = ("@whiskeysockets/baileys", "baileys")
"""The names of the library that talks to WhatsApp."""


@dataclass(frozen=True)
class Pair:
    """One file next to both folders."""

    name: str
    """Relative to the folder around each."""
    source: ReadFile
    target: ReadFile


@dataclass(frozen=True)
class Spec:
    """One folder that travels from a host to another."""

    host: str
    """The target's."""
    document: str
    from_host: str
    from_directory: str
    """Absolute, with a final `/`, as `to_directory`."""
    to_directory: str
    built: str = ""
    """The directory of the build that fills `from_directory`: only what it wrote travels. "":
    every file does."""
    with_files: tuple[str, ...] = ()
    """Files next to `from_directory` that travel along, relative to the folder around it."""
    install: tuple[str, ...] = ()
    """The command that fills node_modules there; () for none."""

    @cached_property
    def source(self) -> ReadTree:
        """The folder that is deployed."""
        return ReadTree(self.from_host, self.from_directory)

    @cached_property
    def target(self) -> ReadTree:
        """The folder it is deployed to."""
        return ReadTree(self.host, self.to_directory)

    @cached_property
    def parent(self) -> str:
        """The folder around the target."""
        return around(self.to_directory)

    @cached_property
    def parent_stat(self) -> ReadStat:
        """The look at that folder."""
        return ReadStat(self.host, self.parent)

    @cached_property
    def target_stat(self) -> ReadStat:
        """The look at the target's own path: a link to a folder reads as that folder."""
        return ReadStat(self.host, self.to_directory.rstrip("/"))

    @cached_property
    def modules(self) -> str:
        """The folder that an install fills."""
        return join(self.parent, "node_modules/")

    @cached_property
    def tree_stamp(self) -> ReadState:
        """The note of what the last deploy put there."""
        return ReadState(self.host, self.document, stamp_name("tree", self.to_directory))

    @cached_property
    def install_stamp(self) -> ReadState:
        """The note of what the last `install` was run for."""
        return ReadState(self.host, self.document, stamp_name("install", self.parent))

    @cached_property
    def build_stamp(self) -> ReadState | None:
        """The note of what the build wrote that fills the source; None when no build does."""
        if not self.built:
            return None
        return ReadState(self.from_host, self.document, stamp_name("build", self.built))

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The files of `with`."""
        return tuple(self._pair(name, name) for name in self.with_files)

    @cached_property
    def pair_folders(self) -> tuple[ReadStat, ...]:
        """The looks at the target folders of `with` that are not the target's own parent."""
        return tuple(
            ReadStat(self.host, around(pair.target.path)) for pair in self.pairs if "/" in pair.name
        )

    @cached_property
    def baileys(self) -> tuple[Pair, ...]:
        """The package.json of Baileys where the code is built and where it runs."""
        return tuple(self._pair(name, f"node_modules/{name}/package.json") for name in _BAILEYS)

    def _pair(self, name: str, path: str) -> Pair:
        there, here = join(around(self.from_directory), path), join(self.parent, path)
        return Pair(name, ReadFile(self.from_host, there), ReadFile(self.host, here))

    def readings(self) -> Iterator[Reading]:
        """Everything a deploy looks at."""
        yield self.source
        yield self.target
        yield self.tree_stamp
        yield self.parent_stat
        yield self.target_stat
        for pair in self.baileys:
            yield from (pair.source, pair.target)
        if self.build_stamp is not None:
            yield self.build_stamp
        for pair in self.pairs:
            yield from (pair.source, pair.target)
        yield from self.pair_folders
        if self.install:
            yield self.install_stamp


def around(path: str) -> str:
    """The folder around a folder or a file, with a final `/`."""
    return path.rstrip("/").rpartition("/")[0] + "/"


def install_digest(spec: Spec, files: dict[str, str | None]) -> str:
    """What an `install` stands for: its command and the files it was run with."""
    return digest_of({"install": list(spec.install), "with": files})
