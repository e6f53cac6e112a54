"""Kind `build`: the source is type-checked and built when its inputs, its commands or its outputs
differ.

A build is judged by digests only, never by times: the `build` stamp says what the last one was made
from and which files it wrote. Called through the face in `kjpstate.kinds`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kjpstate.formats.digests import digest_of
from kjpstate.formats.tree import below, stamp_name, stamped_files
from kjpstate.kinds.build import readings
from kjpstate.kinds.build.readings import Seen
from kjpstate.model import (
    UNKNOWN,
    Action,
    Advice,
    Answers,
    Drift,
    ReadClock,
    Reading,
    ReadTree,
    Refuse,
    Run,
    Spec,
    Stamp,
    State,
    Unknown,
    Upstream,
    Written,
    join,
)

KIND, ORDER, UNIT = "build", 30, "source"


def reads(spec: Spec) -> Iterable[Reading]:
    """The inputs and outputs with digests, our stamps, and whether npm's own files are there."""
    return readings.all_readings(spec)


def actual(spec: Spec, answers: Answers) -> State:
    """`sources`: digest of the inputs as they stand; `built_from`: of those the last build read;
    `outputs`: what the files that it wrote are now; `stamped`: digest of what each folder's `tree`
    stamp says."""
    seen = readings.see(spec, answers)
    values = {
        "sources": digest_of(seen.sources),
        "built_from": None if seen.built_from is None else digest_of(seen.built_from),
        "commands": seen.commands,
        "outputs": {path: seen.now.get(path) for path in seen.written or {}},
        "stamped": {
            folder: _digest(stamped_files(stamp)) for folder, stamp in seen.tree_stamps.items()
        },
        "problems": list(readings.problems(spec, answers, {})),
    }
    return State(values, present=bool(seen.now))


def desired(spec: Spec, answers: Answers, upstream: Upstream) -> State:
    """The same keys for a build made from the inputs as planned; its outputs are UNKNOWN until it
    has run."""
    seen = readings.see(spec, answers)
    planned = readings.planned_sources(spec, seen, upstream)
    sources = planned if isinstance(planned, Unknown) else digest_of(planned)
    fresh = _digest(seen.built_from) == sources and seen.commands == readings.commands(spec)
    as_it_stands = fresh and planned == seen.sources
    written = seen.written if as_it_stands and seen.written else None
    values: dict[str, Any] = {
        "sources": sources,
        "built_from": sources,
        "commands": readings.commands(spec),
        "outputs": UNKNOWN if written is None else written,
        "stamped": {
            folder: UNKNOWN if written is None else digest_of(below(written, folder))
            for folder in readings.folders(spec)
        },
        "problems": [],
    }
    beside = {
        "seen": seen,
        "problems": tuple(readings.problems(spec, answers, upstream)),
        "headline": f"{_cause(seen, planned, fresh)}: {_command_line(spec)}",
    }
    return State(values, beside)


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """The outputs: what the run writes."""
    return ((spec["host"], join(spec["directory"], path)) for path in readings.outputs(spec).paths)


def actions(spec: Spec, drift: Drift) -> Iterator[Action | Refuse]:
    """Check, run, stamp; or just the `tree` stamps when nothing else is missing."""
    seen, problems = drift.desired.beside["seen"], drift.desired.beside["problems"]
    if problems:
        yield Refuse(
            "input-missing",
            "the build can't start: " + "; ".join(problems),
            cure="put them there, or correct `inputs` and `directory` in the section build",
            pointer="/inputs",
        )
    elif all(difference.path[0] == "stamped" for difference in drift.differences):
        for difference in drift.differences:
            yield _stamp_standing(spec, seen, str(difference.path[1]))
    else:
        yield from _build(spec, seen)


def advice(spec: Spec, answers: Answers) -> Iterator[Advice]:
    """Whether npm has installed anything here at all."""
    modules = readings.stat(spec, "node_modules")
    if readings.uses_npm(spec) and modules in answers and answers[modules] is None:
        yield Advice(
            "modules-missing",
            f"{modules.path} is not on {spec['host']}: the check and the build will fail",
            f"npm ci, in {spec['directory']}",
            "/run",
            "breaks",
        )


def _build(spec: Spec, seen: Seen) -> Iterator[Action]:
    host, directory, timeout = spec["host"], spec["directory"], spec["timeout"]
    for folder in readings.folders(spec):
        yield Stamp(host, spec["document"], readings.tree_stamp(spec, folder).name, None)
    if spec.get("check"):
        yield Run(
            host,
            spec["check"],
            "type-check must pass before the build",
            cwd=directory,
            timeout=timeout,
            shown=True,
        )
    yield Run(
        host,
        spec["run"],
        f"builds {', '.join(spec['outputs'])}",
        cwd=directory,
        writes=tuple(path for _, path in writes(spec)),
        timeout=timeout,
        outputs=readings.outputs(spec),
        shown=True,
    )
    before = seen.written or {}
    fill = (
        ("inputs", readings.inputs(spec)),
        ("outputs", Written(readings.outputs(spec), tuple(before))),
    )
    name = stamp_name("build", directory)
    yield Stamp(host, spec["document"], name, {"commands": readings.commands(spec)}, fill)
    for folder in readings.folders(spec):
        yield _stamp_built(spec, seen, folder)


def _stamp_built(spec: Spec, seen: Seen, folder: str) -> Stamp:
    path = join(spec["directory"], folder)
    written = Written(ReadTree(spec["host"], path), tuple(below(seen.written or {}, folder)))
    return Stamp(
        spec["host"],
        spec["document"],
        stamp_name("tree", path),
        {},
        (("files", written), ("clock", ReadClock(spec["host"]))),
        keep=readings.unmoved_stamp(seen, folder),
        path=path,
    )


def _stamp_standing(spec: Spec, seen: Seen, folder: str) -> Stamp:
    """The stamp of a folder that is as built already: its ticks start now."""
    path = join(spec["directory"], folder)
    return Stamp(
        spec["host"],
        spec["document"],
        stamp_name("tree", path),
        {"files": below(seen.written or {}, folder)},
        (("clock", ReadClock(spec["host"])),),
        path=path,
    )


def _cause(seen: Seen, planned: Mapping[str, str] | Unknown, fresh: bool) -> str:
    if seen.built_from is None:
        return "never built here"
    if isinstance(planned, Unknown) or planned != seen.sources:
        return "source will change"
    if planned != seen.built_from:
        return "source changed"
    if not fresh:
        return "the commands changed"
    if not seen.written:
        return "the last build wrote nothing into its outputs"
    other = [path for path, value in (seen.written or {}).items() if seen.now.get(path) != value]
    if other:
        return f"outputs differ ({', '.join(other[:3])}{', …' if len(other) > 3 else ''})"
    return "built, and noted again"


def _command_line(spec: Spec) -> str:
    return ", then ".join(shlex.join(spec[key]) for key in ("check", "run") if spec.get(key))


def _digest(files: Mapping[str, str] | None) -> str | None:
    return None if files is None else digest_of(files)
