"""What a deploy looks at on both hosts, and what the answers mean. Called by
the kind's face only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeGuard

from kjpstate.formats.digests import digest_of, sha256_or_none
from kjpstate.formats.tree import (
    below,
    digests,
    layable,
    read_stamp,
    stamp_name,
    stamped_files,
)
from kjpstate.model import (
    UNKNOWN,
    Answer,
    Answers,
    File,
    NotAsked,
    ReadFile,
    Reading,
    ReadStat,
    ReadState,
    ReadTree,
    Spec,
    Stat,
    Tree,
    TreeFile,
    Unknown,
    Unreadable,
    Upstream,
    join,
    touching,
)

_NOT_ASKED = NotAsked("not looked at")


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


def target_stat(spec: Spec) -> ReadStat:
    """What stands at the target's own path: a link to a folder reads as that folder."""
    return ReadStat(spec["host"], spec["to_directory"].rstrip("/"))


def above_beside(spec: Spec) -> Iterator[ReadStat]:
    """What the folders of the files of `with` are, where they lie in folders of their own."""
    for name, _, here in beside(spec):
        if "/" in name:
            yield ReadStat(here.host, parent(here.path))


def tree_stamp(spec: Spec) -> ReadState:
    """What the last deploy put there."""
    return ReadState(spec["host"], spec["document"], stamp_name("tree", spec["to_directory"]))


def install_stamp(spec: Spec) -> ReadState:
    """What the last `install` was run for."""
    return ReadState(
        spec["host"], spec["document"], stamp_name("install", parent(spec["to_directory"]))
    )


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
    """(name, where it is built against, where it is run with) of the library that talks to
    WhatsApp."""
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
    yield target_stat(spec)
    for _, here, there in baileys(spec):
        yield from (here, there)
    built = build_stamp(spec)
    if built is not None:
        yield built
    for _, there, here in beside(spec):
        yield there
        yield here
    yield from above_beside(spec)
    if spec.get("install"):
        yield install_stamp(spec)


@dataclass(frozen=True)
class Seen:
    """A deploy as it stands.

    `manifest`: the files to be there; None when the source's host can't be seen (`unseen` says
    why), or was asked and could not read them (`unread`). `earlier`: what the last deploy put
    there, {relative: sha256}, None when there was none; `put`: the same of files beside. `stale`:
    of `earlier`, what no longer belongs there and still is as we put it. `kept`: what is there and
    is not ours.
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
    unread: str = ""
    installed: str | None = None
    beside: Mapping[str, tuple[Answer, Answer]] = field(default_factory=dict)

    @property
    def beside_here(self) -> dict[str, str | None]:
        """The digest of each file of `with` as it stands."""
        contents = {name: here for name, (_, here) in self.beside.items()}
        return {
            name: sha256_or_none(here.content if isinstance(here, File) else None)
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
    there, here = answers.get(source(spec), _NOT_ASKED), answers.get(target(spec))
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
        unseen=there.why if isinstance(there, NotAsked) else "",
        unread=there.why if _unread(there) else "",
        installed=_installed(spec, answers),
        beside={
            name: (answers.get(there, _NOT_ASKED), answers.get(here))
            for name, there, here in beside(spec)
        },
    )


def owed(spec: Spec, upstream: Upstream) -> bool:
    """Whether something earlier in the plan writes the source or the target; a stamp alone does
    not."""
    return _written(upstream, spec["from_host"], spec["from_directory"]) or _written(
        upstream, spec["host"], spec["to_directory"]
    )


def planned_beside(spec: Spec, seen: Seen, upstream: Upstream) -> dict[str, bytes | Unknown | None]:
    """The bytes each file of `with` should have: those there, what the plan will write laid over
    them."""
    planned: dict[str, bytes | Unknown | None] = {}
    for name, there, _ in beside(spec):
        theirs = seen.beside[name][0]
        planned[name] = theirs.content if isinstance(theirs, File) else None
        for key in touching(upstream, there.host, there.path):
            content = upstream[key]
            if not isinstance(content, str):
                planned[name] = content if key[1] == there.path else UNKNOWN
    return planned


def install_digest(spec: Spec, files: Mapping[str, str | None]) -> str:
    """What an `install` stands for: its command and the files it was run with."""
    return digest_of({"install": list(spec["install"]), "with": dict(files)})


def problems(
    spec: Spec, seen: Seen, answers: Answers, upstream: Upstream
) -> Iterator[tuple[str, str]]:
    """(rule id, reason) of what would make this deploy a guess or empty its target."""
    here, itself = answers.get(target(spec)), answers.get(target_stat(spec))
    if isinstance(itself, Stat) and itself.type == "symlink":
        yield "target-unreadable", f"{itself.path} on {spec['host']} is a symbolic link"
    elif isinstance(here, Unreadable):
        yield "target-unreadable", f"{spec['to_directory']} on {spec['host']}: {here.why}"
    for name, (_, mine) in seen.beside.items():
        if isinstance(mine, Unreadable):
            yield (
                "target-unreadable",
                f"{name} beside {spec['to_directory']} on {spec['host']}: {mine.why}",
            )
    stamp = build_stamp(spec)
    noted = answers.get(stamp) if stamp is not None else None
    if _unread(noted):
        yield (
            "source-unreadable",
            f"what the build of {spec['built']} on {spec['from_host']} noted: {noted.why}",
        )
    if seen.unread:
        yield "source-unreadable", f"{spec['from_directory']} on {spec['from_host']}: {seen.unread}"
    for name, (theirs, _) in seen.beside.items():
        if _unread(theirs):
            there = join(parent(spec["from_directory"]), name)
            yield "source-unreadable", f"{there} on {spec['from_host']}: {theirs.why}"
    yield from _in_the_way(spec, seen, answers)
    if seen.manifest is None:
        return
    odd = [name for name in sorted({*seen.manifest, *seen.stale}) if not layable(name)]
    if odd:
        yield (
            "odd-name",
            f"in {spec['from_directory']} on {spec['from_host']}: {few(map(repr, odd))}",
        )
    if not seen.manifest and not owed(spec, upstream):
        yield (
            "source-missing",
            f"{spec['from_directory']} on {spec['from_host']} has no file to deploy",
        )
    for name, content in planned_beside(spec, seen, upstream).items():
        if content is None and not isinstance(seen.beside[name][0], Unreadable):
            yield (
                "source-missing",
                f"{name} is not beside {spec['from_directory']} on {spec['from_host']}",
            )


def _in_the_way(spec: Spec, seen: Seen, answers: Answers) -> Iterator[tuple[str, str]]:
    """What is a file where a folder must be, or a folder where a file must be, and not ours to take
    away."""
    here = answers.get(target(spec))
    for reading in (parent_stat(spec), *above_beside(spec)):
        found = answers.get(reading)
        if isinstance(found, Stat) and found.type in ("file", "other"):
            yield (
                "in-the-way",
                f"{reading.path.rstrip('/')} on {spec['host']} is a file, and a folder must be "
                "there",
            )
    if not isinstance(here, Tree):
        return
    stay = {*here.files, *here.others}.difference(seen.stale)
    files = {above for name in seen.manifest or () for above in _above(name) if above in stay}
    if files:
        named = few(join(spec["to_directory"], name) for name in sorted(files))
        yield "in-the-way", f"{named} on {spec['host']} is a file, and a folder must be there"
    folders = sorted({*here.folders}.intersection(seen.manifest or ()))
    folders = [name for name in folders if _stays(name, here, seen)]
    if folders:
        named = few(join(spec["to_directory"], name) for name in folders)
        yield "in-the-way", f"{named} on {spec['host']} is a folder, and a file must be there"


def _above(name: str) -> Iterator[str]:
    """The folders above a relative path, the nearest first."""
    while name := name.rpartition("/")[0]:
        yield name


def _stays(folder: str, here: Tree, seen: Seen) -> bool:
    """Whether a folder has anything but what this deploy takes away, folders that are empty
    included."""
    inside = folder + "/"
    leaving = {above for name in seen.stale for above in _above(name)}
    others = {*here.files, *here.others}.difference(seen.stale)
    return folder not in leaving or any(
        name.startswith(inside)
        for name in (*others, *(one for one in here.folders if one not in leaving))
    )


def few(names: Iterable[str]) -> str:
    """The first three of some names, each as one word of one row whatever signs it has."""
    first = [name if name.isprintable() else repr(name) for name in islice(names, 4)]
    return ", ".join(first[:3]) + (", …" if len(first) > 3 else "")


def _unread(answer: Answer) -> TypeGuard[Unreadable]:
    """Whether it was asked for, and not answered."""
    return isinstance(answer, Unreadable) and not isinstance(answer, NotAsked)


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
