"""A build as it stands: the answers of its host as digests, and the inputs as they will be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kjpstate.formats.tree import (
    below,
    covered,
    digests,
    ours,
    read_stamp,
    stamped_clock,
    stamped_files,
)
from kjpstate.kinds.build.spec import Spec
from kjpstate.model import (
    UNKNOWN,
    Answers,
    ReadTree,
    Stat,
    Tree,
    Unknown,
    Unreadable,
    Upstream,
    touching,
)


@dataclass(frozen=True)
class View:
    """One build as it was seen."""

    spec: Spec
    sources: Mapping[str, str]
    """The inputs as they stand: {relative path: sha256}, as in all that follow."""
    planned: Mapping[str, str] | Unknown
    """The inputs once all that comes earlier in the plan is written."""
    built_from: Mapping[str, str] | None
    """The inputs of the last build; None when there was none."""
    commands: str | None
    """Digest of its commands."""
    written: Mapping[str, str] | None
    """The files that it wrote into the outputs."""
    now: Mapping[str, str]
    """The outputs as they stand."""
    tree_stamps: Mapping[str, Mapping[str, Any] | None]
    """Folder -> its `tree` stamp."""
    problems: tuple[str, ...]
    """What would make a build a guess."""
    lacks_modules: bool
    """Whether npm is needed and has installed nothing here."""

    @property
    def fresh(self) -> bool:
        """Whether the last build is one of the planned inputs by these commands."""
        return self.planned == self.built_from and self.commands == self.spec.commands

    @property
    def outputs(self) -> Mapping[str, str] | None:
        """The outputs as they should be; None while a build has yet to write them."""
        stands = self.fresh and self.planned == self.sources
        return self.written if stands and self.written else None

    def unmoved_stamp(self, folder: str) -> Mapping[str, Any] | None:
        """The folder's `tree` stamp, if all that it speaks of still is as it says."""
        stamp = self.tree_stamps.get(folder)
        files = stamped_files(stamp)
        now = below(self.now, folder)
        if not files or stamped_clock(stamp) is None:
            return None
        return stamp if all(now.get(path) == value for path, value in files.items()) else None


def looked(spec: Spec, answers: Answers, upstream: Upstream) -> View:
    """Read the answers; an output that lies inside an input folder is no input."""
    stamp = read_stamp(answers.get(spec.build_stamp)) or {}
    sources = _without_outputs(_digests(answers, spec.source), spec)
    built_from = stamped_files(stamp, "inputs")
    commands = stamp.get("commands")
    modules = spec.stat("node_modules")
    return View(
        spec=spec,
        sources=sources,
        planned=_planned(spec, sources, upstream),
        built_from=None if built_from is None else _without_outputs(built_from, spec),
        commands=commands if isinstance(commands, str) else None,
        written=stamped_files(stamp, "outputs"),
        now=_digests(answers, spec.product),
        tree_stamps={
            folder: read_stamp(answers.get(spec.tree_stamp(folder))) for folder in spec.folders
        },
        problems=tuple(_problems(spec, answers, upstream)),
        lacks_modules=spec.uses_npm and modules in answers and answers[modules] is None,
    )


def _digests(answers: Answers, reading: ReadTree) -> dict[str, str]:
    answer = answers.get(reading)
    return digests(answer if isinstance(answer, Tree) else None)


def _without_outputs(files: Mapping[str, str], spec: Spec) -> dict[str, str]:
    return {path: value for path, value in files.items() if not covered(path, spec.outputs)}


def _planned(
    spec: Spec, sources: Mapping[str, str], upstream: Upstream
) -> Mapping[str, str] | Unknown:
    """Lay the bytes that earlier resources will write over the inputs."""
    files = dict(sources)
    root = spec.directory
    for key in touching(upstream, spec.host, root):
        content = upstream[key]
        relative = key[1].removeprefix(root) if key[1].startswith(root) else "./"
        if isinstance(content, str):  # a stamp alone: the files stay as they are
            continue
        if isinstance(content, Unknown):
            if any(_meet(relative, entry) for entry in spec.inputs):
                return UNKNOWN
        elif covered(relative, spec.inputs) and not (
            covered(relative, spec.outputs) or ours(relative)
        ):
            files.pop(relative, None)
            if content is not None:
                files[relative] = hashlib.sha256(content).hexdigest()
    return files


def _meet(one: str, other: str) -> bool:
    """Whether two relative paths contain each other; `./` is the whole directory."""
    left, right = (path.removeprefix("./").rstrip("/") + "/" for path in (one, other))
    return "/" in (left, right) or left.startswith(right) or right.startswith(left)


def _problems(spec: Spec, answers: Answers, upstream: Upstream) -> Iterator[str]:
    """Name inputs that are not there and that nothing earlier will write, and outputs that are
    not what the document says."""
    for tree in (spec.source, spec.product):
        answer = answers.get(tree)
        if isinstance(answer, Unreadable):
            yield f"{spec.directory} on {spec.host} can't be read: {answer.why}"
            return
    found = answers.get(spec.source)
    if not isinstance(found, Tree):
        yield f"{spec.directory} is not on {spec.host}"
        return
    for entry in spec.inputs:
        there = any(covered(path, (entry,)) for path in found.files)
        path = spec.path(entry)
        if not there and not touching(upstream, spec.host, path):
            folder = "" if entry.endswith("/") else ", at least not as a file; a folder ends in /"
            yield f"{path} is not on {spec.host}{folder}"
    for reading in spec.plain_outputs:
        answer = answers.get(reading)
        if isinstance(answer, Stat) and answer.type == "directory":
            yield f"{reading.path} on {spec.host} is a folder; write it with a final /"
    package = spec.stat("package.json")
    if spec.uses_npm and "package.json" not in spec.inputs and answers.get(package) is None:
        yield f"{package.path} is not on {spec.host}"
