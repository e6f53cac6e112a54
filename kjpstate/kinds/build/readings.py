"""What a build looks at, and what the answers mean. Called by the kind's face only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kjpstate.formats.digests import digest_of, sha256
from kjpstate.formats.tree import (
    below,
    covered,
    digests,
    ours,
    read_stamp,
    stamp_name,
    stamped_clock,
    stamped_files,
)
from kjpstate.model import (
    UNKNOWN,
    Answers,
    Reading,
    ReadStat,
    ReadState,
    ReadTree,
    Spec,
    Stat,
    Tree,
    Unknown,
    Unreadable,
    Upstream,
    join,
    touching,
)

_PACKAGE_TOOLS = ("npm", "npx", "pnpm", "yarn")


def inputs(spec: Spec) -> ReadTree:
    """The tree of the inputs."""
    return _tree_of(spec, "inputs")


def outputs(spec: Spec) -> ReadTree:
    """The tree of the outputs."""
    return _tree_of(spec, "outputs")


def _tree_of(spec: Spec, key: str) -> ReadTree:
    paths = tuple("./" if path == "." else path for path in spec[key])
    return ReadTree(spec["host"], spec["directory"], paths)


def folders(spec: Spec) -> tuple[str, ...]:
    """The outputs that are folders, relative to the directory: each has a `tree` stamp."""
    return tuple(path for path in outputs(spec).paths if path.endswith("/"))


def plain_outputs(spec: Spec) -> Iterator[ReadStat]:
    """Whether the outputs that are written as files are files."""
    yield from (stat(spec, path) for path in outputs(spec).paths if not path.endswith("/"))


def build_stamp(spec: Spec) -> ReadState:
    """What the last build was made from, and what it wrote."""
    return ReadState(spec["host"], spec["document"], stamp_name("build", spec["directory"]))


def tree_stamp(spec: Spec, folder: str) -> ReadState:
    """What the folder held when it was last written by us, and when that was."""
    path = join(spec["directory"], folder)
    return ReadState(spec["host"], spec["document"], stamp_name("tree", path))


def stat(spec: Spec, name: str) -> ReadStat:
    """Whether `name` is there in the directory."""
    return ReadStat(spec["host"], join(spec["directory"], name))


def uses_npm(spec: Spec) -> bool:
    """Whether a command here needs a package.json and its installed modules."""
    return any(spec[key][0] in _PACKAGE_TOOLS for key in ("check", "run") if spec.get(key))


def all_readings(spec: Spec) -> Iterator[Reading]:
    """Everything a build looks at."""
    yield inputs(spec)
    yield outputs(spec)
    yield build_stamp(spec)
    yield from (tree_stamp(spec, folder) for folder in folders(spec))
    yield from plain_outputs(spec)
    if uses_npm(spec):
        yield stat(spec, "package.json")
        yield stat(spec, "node_modules")


def commands(spec: Spec) -> str:
    """Digest of both commands: another command is another build."""
    return digest_of({"check": list(spec.get("check") or ()), "run": list(spec["run"])})


@dataclass(frozen=True)
class Seen:
    """A build as it stands. `sources`, `built_from`, `written`, `now`: {relative path: sha256}; the
    second and third are what the last build left in its stamp, None when there was none."""

    sources: Mapping[str, str]
    now: Mapping[str, str]
    built_from: Mapping[str, str] | None = None
    written: Mapping[str, str] | None = None
    commands: str | None = None
    tree_stamps: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)


def see(spec: Spec, answers: Answers) -> Seen:
    """What the answers say; an output that lies inside an input folder is no input."""
    stamp = read_stamp(answers.get(build_stamp(spec))) or {}
    built_from = stamped_files(stamp, "inputs")
    command = stamp.get("commands")
    return Seen(
        sources=_without_outputs(digests(_tree(answers, inputs(spec))), spec),
        now=digests(_tree(answers, outputs(spec))),
        built_from=None if built_from is None else _without_outputs(built_from, spec),
        written=stamped_files(stamp, "outputs"),
        commands=command if isinstance(command, str) else None,
        tree_stamps={
            folder: read_stamp(answers.get(tree_stamp(spec, folder))) for folder in folders(spec)
        },
    )


def planned_sources(spec: Spec, seen: Seen, upstream: Upstream) -> Mapping[str, str] | Unknown:
    """The inputs with the bytes that earlier resources will write laid over them."""
    files = dict(seen.sources)
    root = spec["directory"]
    for key in touching(upstream, spec["host"], root):
        content = upstream[key]
        relative = key[1].removeprefix(root) if key[1].startswith(root) else "./"
        if isinstance(content, str):  # a stamp alone: the files stay as they are
            continue
        if isinstance(content, Unknown):
            if any(_meet(relative, entry) for entry in inputs(spec).paths):
                return UNKNOWN
        elif covered(relative, inputs(spec).paths) and not (
            covered(relative, outputs(spec).paths) or ours(relative)
        ):
            files.pop(relative, None)
            if content is not None:
                files[relative] = sha256(content)
    return files


def unmoved_stamp(seen: Seen, folder: str) -> Mapping[str, Any] | None:
    """The folder's `tree` stamp, if all that it speaks of still is as it says."""
    stamp = seen.tree_stamps.get(folder)
    files = stamped_files(stamp)
    now = below(seen.now, folder)
    if not files or stamped_clock(stamp) is None:
        return None
    return stamp if all(now.get(path) == value for path, value in files.items()) else None


def problems(spec: Spec, answers: Answers, upstream: Upstream) -> Iterator[str]:
    """What would make a build a guess: inputs that are not there and that nothing earlier will
    write."""
    directory, host = spec["directory"], spec["host"]
    for tree in (inputs(spec), outputs(spec)):
        answer = answers.get(tree)
        if isinstance(answer, Unreadable):
            yield f"{directory} on {host} can't be read: {answer.why}"
            return
    found = answers.get(inputs(spec))
    if not isinstance(found, Tree):
        yield f"{directory} is not on {host}"
        return
    for entry in inputs(spec).paths:
        there = any(covered(path, (entry,)) for path in found.files)
        if not there and not touching(upstream, host, join(directory, entry)):
            folder = "" if entry.endswith("/") else ", at least not as a file; a folder ends in /"
            yield f"{join(directory, entry)} is not on {host}{folder}"
    for reading in plain_outputs(spec):
        answer = answers.get(reading)
        if isinstance(answer, Stat) and answer.type == "directory":
            yield f"{reading.path} on {host} is a folder; write it with a final /"
    package = stat(spec, "package.json")
    if uses_npm(spec) and "package.json" not in spec["inputs"] and answers.get(package) is None:
        yield f"{package.path} is not on {host}"


def _tree(answers: Answers, reading: ReadTree) -> Tree | None:
    answer = answers.get(reading)
    return answer if isinstance(answer, Tree) else None


def _without_outputs(files: Mapping[str, str], spec: Spec) -> dict[str, str]:
    return {path: value for path, value in files.items() if not covered(path, outputs(spec).paths)}


def _meet(one: str, other: str) -> bool:
    """Whether two relative paths contain each other; `./` is the whole directory."""
    left, right = (path.removeprefix("./").rstrip("/") + "/" for path in (one, other))
    return "/" in (left, right) or left.startswith(right) or right.startswith(left)
