"""What a deploy looks at on both hosts, and what the answers mean. Called by the kind's face only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kjpstate.formats.tree import (
    below,
    digest,
    digests,
    read_stamp,
    stamp_name,
    stamped_files,
)
from kjpstate.model import (
    UNKNOWN,
    Answer,
    Answers,
    File,
    ReadFile,
    Reading,
    ReadStat,
    ReadState,
    ReadTree,
    Spec,
    Tree,
    TreeFile,
    Unknown,
    Unreadable,
    Upstream,
    join,
    touching,
)

_NOT_LOOKED_AT = Unreadable("not looked at")


def source(spec: Spec) -> ReadTree:
    """The folder that is deployed."""
    return ReadTree(spec["from_host"], spec["from_directory"])


def target(spec: Spec) -> ReadTree:
    """The folder it is deployed to."""
    return ReadTree(spec["host"], spec["to_directory"])


def parent(folder: str) -> str:
    """The folder around `folder`, with a final `/`."""
    return folder.rstrip("/").rpartition("/")[0] + "/"


def parent_stat(spec: Spec) -> ReadStat:
    """Whether the folder around the target is there."""
    return ReadStat(spec["host"], parent(spec["to_directory"]))


def tree_stamp(spec: Spec) -> ReadState:
    """What the last deploy put there."""
    return ReadState(spec["host"], spec["document"], stamp_name("tree", spec["to_directory"]))


def install_stamp(spec: Spec) -> ReadState:
    """What the last `install` was run for."""
    return ReadState(spec["host"], spec["document"], stamp_name("install", parent(spec["to_directory"])))


def build_stamp(spec: Spec) -> ReadState | None:
    """What the build of this document that fills the source wrote; None when no build does."""
    if not spec.get("built"):
        return None
    return ReadState(spec["from_host"], spec["document"], stamp_name("build", spec["built"]))


def beside(spec: Spec) -> Iterator[tuple[str, ReadFile, ReadFile]]:
    """(name, there, here) of each file of `with`."""
    for name in spec.get("with", ()):
        there = join(parent(spec["from_directory"]), name)
        here = join(parent(spec["to_directory"]), name)
        yield name, ReadFile(spec["from_host"], there), ReadFile(spec["host"], here)


_BAILEYS = ("@whiskeysockets/baileys", "baileys")


def baileys(spec: Spec) -> Iterator[tuple[str, ReadFile, ReadFile]]:
    """(name, where it is built against, where it is run with) of the library that talks to WhatsApp."""
    for name in _BAILEYS:
        file = f"node_modules/{name}/package.json"
        here = join(parent(spec["from_directory"]), file)
        there = join(parent(spec["to_directory"]), file)
        yield name, ReadFile(spec["from_host"], here), ReadFile(spec["host"], there)


def all_readings(spec: Spec) -> Iterator[Reading]:
    """Everything a deploy looks at."""
    yield source(spec)
    yield target(spec)
    yield tree_stamp(spec)
    yield parent_stat(spec)
    for _, here, there in baileys(spec):
        yield from (here, there)
    built = build_stamp(spec)
    if built is not None:
        yield built
    for _, there, here in beside(spec):
        yield there
        yield here
    if spec.get("install"):
        yield install_stamp(spec)


@dataclass(frozen=True)
class Seen:
    """A deploy as it stands.

    `manifest`: the files to be there; None when the source's host can't be seen (`unseen` says why).
    `earlier`: what the last deploy put there, {relative: sha256}, None when there was none; `put`: the same
    of files beside. `stale`: of `earlier`, what no longer belongs there and still is as we put it. `kept`:
    what is there and is not ours.
    """

    manifest: Mapping[str, TreeFile] | None
    here: Mapping[str, str]
    present: bool
    parent_present: bool = True
    earlier: Mapping[str, str] | None = None
    put: Mapping[str, str] = field(default_factory=dict)
    stale: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    unseen: str = ""
    installed: str | None = None
    beside: Mapping[str, tuple[Answer, Answer]] = field(default_factory=dict)

    @property
    def beside_here(self) -> dict[str, str | None]:
        """The digest of each file of `with` as it stands."""
        contents = {name: here for name, (_, here) in self.beside.items()}
        return {
            name: file_digest(here.content if isinstance(here, File) else None)
            for name, here in contents.items()
        }

    @property
    def wanted(self) -> dict[str, str]:
        """The manifest's digests; those of the last deploy when the source can't be seen."""
        if self.manifest is None:
            return dict(self.earlier or {})
        return {path: file.digest for path, file in self.manifest.items()}


def see(spec: Spec, answers: Answers) -> Seen:
    """What the answers say."""
    there, here = answers.get(source(spec), _NOT_LOOKED_AT), answers.get(target(spec))
    files = digests(here) if isinstance(here, Tree) else {}
    stamp = read_stamp(answers.get(tree_stamp(spec)))
    earlier = stamped_files(stamp)
    manifest = None if isinstance(there, Unreadable) else _manifest(spec, answers, there)
    stale = tuple(
        path
        for path, value in (earlier or {}).items()
        if manifest is not None and path not in manifest and files.get(path) == value
    )
    ours = {*(manifest or {}), *(earlier or {} if manifest is None else stale)}
    others = here.others if isinstance(here, Tree) else ()
    return Seen(
        manifest=manifest,
        here=files,
        present=here is not None,
        parent_present=answers.get(parent_stat(spec)) is not None,
        earlier=earlier,
        put=stamped_files(stamp, "with") or {},
        stale=stale,
        kept=tuple(sorted(path for path in (*files, *others) if path not in ours)),
        unseen=there.why if isinstance(there, Unreadable) else "",
        installed=_installed(spec, answers),
        beside={
            name: (answers.get(there, _NOT_LOOKED_AT), answers.get(here))
            for name, there, here in beside(spec)
        },
    )


def owed(spec: Spec, upstream: Upstream) -> bool:
    """Whether something earlier in the plan writes the source or the target; a stamp alone does not."""
    return _written(upstream, spec["from_host"], spec["from_directory"]) or _written(
        upstream, spec["host"], spec["to_directory"]
    )


def planned_beside(spec: Spec, seen: Seen, upstream: Upstream) -> dict[str, bytes | Unknown | None]:
    """The bytes each file of `with` should have: those there, what the plan will write laid over them."""
    planned: dict[str, bytes | Unknown | None] = {}
    for name, there, _ in beside(spec):
        theirs = seen.beside[name][0]
        planned[name] = theirs.content if isinstance(theirs, File) else None
        for key in touching(upstream, there.host, there.path):
            content = upstream[key]
            if not isinstance(content, str):
                planned[name] = content if key[1] == there.path else UNKNOWN
    return planned


def file_digest(content: bytes | None) -> str | None:
    """sha256 of a file's bytes; None when it is not there."""
    return None if content is None else hashlib.sha256(content).hexdigest()


def install_digest(spec: Spec, files: Mapping[str, str | None]) -> str:
    """What an `install` stands for: its command and the files it was run with."""
    return digest({"install": list(spec["install"]), "with": dict(files)})


def problems(spec: Spec, seen: Seen, answers: Answers, upstream: Upstream) -> Iterator[tuple[str, str]]:
    """(rule id, reason) of what would make this deploy a guess or empty its target."""
    here = answers.get(target(spec))
    if isinstance(here, Unreadable):
        yield "target-unreadable", f"{spec['to_directory']} on {spec['host']}: {here.why}"
    for name, (_, mine) in seen.beside.items():
        if isinstance(mine, Unreadable):
            yield "target-unreadable", f"{name} beside {spec['to_directory']} on {spec['host']}: {mine.why}"
    if seen.manifest is None:
        return
    if not seen.manifest and not owed(spec, upstream):
        yield "source-missing", f"{spec['from_directory']} on {spec['from_host']} has no file to deploy"
    for name, content in planned_beside(spec, seen, upstream).items():
        theirs = seen.beside[name][0]
        if isinstance(theirs, Unreadable):
            yield "source-missing", f"{name} beside {spec['from_directory']}: {theirs.why}"
        elif content is None:
            yield "source-missing", f"{name} is not beside {spec['from_directory']} on {spec['from_host']}"


def _manifest(spec: Spec, answers: Answers, tree: Answer) -> dict[str, TreeFile]:
    """The files to deploy: of a folder that our build fills, only what the build wrote."""
    files = tree.files if isinstance(tree, Tree) else {}
    stamp = build_stamp(spec)
    if stamp is None:
        return {path: files[path] for path in sorted(files)}
    outputs = stamped_files(read_stamp(answers.get(stamp)), "outputs") or {}
    folder = spec["from_directory"].removeprefix(spec["built"])
    written = below(outputs, folder)
    return {path: files[path] for path in sorted(files) if path in written}


def _installed(spec: Spec, answers: Answers) -> str | None:
    stamp = read_stamp(answers.get(install_stamp(spec))) or {}
    value = stamp.get("installed")
    return value if isinstance(value, str) else None


def _written(upstream: Upstream, host: str, path: str) -> bool:
    return any(not isinstance(upstream[key], str) for key in touching(upstream, host, path))
