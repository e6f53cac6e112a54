"""A section `build` as the document gives it, for one host, and what is looked at for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kjpstate.formats.digests import digest_of
from kjpstate.formats.tree import stamp_name
from kjpstate.model import Reading, ReadStat, ReadState, ReadTree, join

_PACKAGE_TOOLS = ("npm", "npx", "pnpm", "yarn")


@dataclass(frozen=True)
class Spec:
    """One directory that is checked and built."""

    host: str
    document: str
    directory: str
    """Absolute, with a final `/`; the commands run in it."""
    inputs: tuple[str, ...]
    """The paths that the build reads, relative to the directory; a folder ends in `/`."""
    outputs: tuple[str, ...]
    """The paths that it writes, in the same form."""
    run: tuple[str, ...]
    """The command that builds."""
    check: tuple[str, ...] = ()
    """The command that must pass before and that writes nothing; () for none."""
    timeout: float = 600.0
    """Seconds that each command may take."""

    @cached_property
    def source(self) -> ReadTree:
        """The tree of the inputs."""
        return ReadTree(self.host, self.directory, self.inputs)

    @cached_property
    def product(self) -> ReadTree:
        """The tree of the outputs."""
        return ReadTree(self.host, self.directory, self.outputs)

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """The outputs that are folders: each has a `tree` stamp."""
        return tuple(path for path in self.outputs if path.endswith("/"))

    @cached_property
    def plain_outputs(self) -> tuple[ReadStat, ...]:
        """The outputs that the document writes as files."""
        return tuple(self.stat(path) for path in self.outputs if not path.endswith("/"))

    @cached_property
    def uses_npm(self) -> bool:
        """Whether a command needs a package.json and its installed modules."""
        return any(argv[0] in _PACKAGE_TOOLS for argv in (self.check, self.run) if argv)

    @cached_property
    def commands(self) -> str:
        """Digest of both commands: another command is another build."""
        return digest_of({"check": list(self.check), "run": list(self.run)})

    @cached_property
    def build_stamp(self) -> ReadState:
        """The note of what the last build was made from and what it wrote."""
        return ReadState(self.host, self.document, stamp_name("build", self.directory))

    def tree_stamp(self, folder: str) -> ReadState:
        """The note of what `folder` held when we last wrote it, and when that was."""
        return ReadState(self.host, self.document, stamp_name("tree", self.path(folder)))

    def path(self, name: str) -> str:
        """`name` of the directory as an absolute path."""
        return join(self.directory, name)

    def stat(self, name: str) -> ReadStat:
        """The look at one path of the directory."""
        return ReadStat(self.host, self.path(name))

    def readings(self) -> Iterator[Reading]:
        """Everything a build looks at."""
        yield self.source
        yield self.product
        yield self.build_stamp
        yield from (self.tree_stamp(folder) for folder in self.folders)
        yield from self.plain_outputs
        if self.uses_npm:
            yield self.stat("package.json")
            yield self.stat("node_modules")
