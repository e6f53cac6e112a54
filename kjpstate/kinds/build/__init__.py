"""Kind `build`: the source is type-checked and built when its inputs, its commands or its outputs
differ.

A build is judged by digests only, never by times: the `build` stamp says what the last one was made
from and which files it wrote.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kjpstate.formats.digests import digest_of
from kjpstate.formats.tree import below, stamped_files
from kjpstate.formats.written import argv, lasting, relative
from kjpstate.kinds.build.spec import Spec
from kjpstate.kinds.build.view import View, looked
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
    Stamp,
    State,
    Told,
    Unknown,
    Upstream,
    Written,
)
from kjpstate.section import Made, Page

KIND, ORDER, UNIT, SECTION = "build", 30, "source", "build"


def resources(page: Page, earlier: Sequence[Made]) -> Iterator[Made]:
    """One build of each section on each of its hosts."""
    for section in page.sections(SECTION):
        value = section.value
        spec = Spec(
            host=section.host.name,
            document=section.document,
            directory=section.path("/directory", value["directory"], folder=True),
            inputs=tuple(relative(text) for text in value["inputs"]),
            outputs=tuple(relative(text) for text in value["outputs"]),
            run=argv(value["run"]),
            check=argv(value["check"]) if "check" in value else (),
            timeout=lasting(value.get("timeout", "10m")),
        )
        yield Made(
            KIND,
            section,
            spec,
            tail=spec.directory.rstrip("/").rpartition("/")[2],
            identity=spec.directory,
            lines=section.lines(),
            home=spec.directory,
            fills=tuple(spec.path(path) for path in spec.outputs),
        )


def reads(spec: Spec) -> Iterable[Reading]:
    """The inputs and outputs with digests, our stamps, and whether npm's own files are there."""
    return spec.readings()


def see(spec: Spec, answers: Answers, upstream: Upstream) -> View:
    """The inputs and outputs, what the last build left in its stamps, the inputs as planned."""
    return looked(spec, answers, upstream)


def actual(view: View) -> State:
    """`sources`: digest of the inputs as they stand; `built_from`: of those the last build read;
    `outputs`: what the files that it wrote are now; `stamped`: digest of what each folder's `tree`
    stamp says."""
    values = {
        "sources": digest_of(view.sources),
        "built_from": _digest(view.built_from),
        "commands": view.commands,
        "outputs": {path: view.now.get(path) for path in view.written or {}},
        "stamped": {
            folder: _digest(stamped_files(stamp)) for folder, stamp in view.tree_stamps.items()
        },
    }
    return State(values, present=bool(view.now))


def desired(view: View) -> State:
    """The same keys for a build made from the inputs as planned; its outputs are UNKNOWN until it
    has run."""
    planned, outputs = view.planned, view.outputs
    sources = planned if isinstance(planned, Unknown) else digest_of(planned)
    values: dict[str, Any] = {
        "sources": sources,
        "built_from": sources,
        "commands": view.spec.commands,
        "outputs": UNKNOWN if outputs is None else outputs,
        "stamped": {
            folder: UNKNOWN if outputs is None else digest_of(below(outputs, folder))
            for folder in view.spec.folders
        },
    }
    return State(values)


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """The outputs: what the run writes."""
    return ((spec.host, spec.path(path)) for path in spec.outputs)


def refusals(view: View) -> Iterator[Refuse]:
    """One refusal that names all that is missing."""
    if view.problems:
        yield Refuse(
            "input-missing",
            "the build can't start: " + "; ".join(view.problems),
            cure="put them there, or correct `inputs` and `directory` in the section build",
            pointer="/inputs",
        )


def actions(view: View, drift: Drift) -> Iterator[Action]:
    """Check, run, stamp; or just the `tree` stamps when nothing else is missing."""
    if all(difference.path[0] == "stamped" for difference in drift.differences):
        for difference in drift.differences:
            yield _stamp_standing(view, str(difference.path[1]))
    else:
        yield from _build(view)


def advice(view: View) -> Iterator[Advice]:
    """Tell when npm has installed nothing here at all."""
    spec = view.spec
    if view.lacks_modules:
        yield Advice(
            "modules-missing",
            f"{spec.path('node_modules')} is not on {spec.host}: the check and the build will fail",
            f"npm ci, in {spec.directory}",
            "/run",
            "breaks",
        )


def told(view: View, drift: Drift | None) -> Told:
    """Why it is built, and by which commands."""
    commands = (shlex.join(argv) for argv in (view.spec.check, view.spec.run) if argv)
    return Told(f"{_cause(view)}: {', then '.join(commands)}")


def after_failure(view: View, failed: Action) -> Run | None:
    """The type-check, to be run once more on the restored source, when it is what failed: errors
    that it tells again were there before."""
    check = _type_check(view.spec)
    return check if failed == check else None


def _build(view: View) -> Iterator[Action]:
    spec = view.spec
    for folder in spec.folders:
        yield Stamp(spec.host, spec.document, spec.tree_stamp(folder).name, None)
    if spec.check:
        yield _type_check(spec)
    yield Run(
        spec.host,
        spec.run,
        f"builds {', '.join(spec.outputs)}",
        cwd=spec.directory,
        writes=tuple(path for _, path in writes(spec)),
        timeout=spec.timeout,
        outputs=spec.product,
        shown=True,
    )
    fill = (
        ("inputs", spec.source),
        ("outputs", Written(spec.product, tuple(view.written or {}))),
    )
    name = spec.build_stamp.name
    yield Stamp(spec.host, spec.document, name, {"commands": spec.commands}, fill)
    for folder in spec.folders:
        yield _stamp_built(view, folder)


def _type_check(spec: Spec) -> Run:
    return Run(
        spec.host,
        spec.check,
        "type-check must pass before the build",
        cwd=spec.directory,
        timeout=spec.timeout,
        shown=True,
    )


def _stamp_built(view: View, folder: str) -> Stamp:
    spec = view.spec
    path = spec.path(folder)
    written = Written(ReadTree(spec.host, path), tuple(below(view.written or {}, folder)))
    return Stamp(
        spec.host,
        spec.document,
        spec.tree_stamp(folder).name,
        {},
        (("files", written), ("clock", ReadClock(spec.host))),
        keep=view.unmoved_stamp(folder),
        path=path,
    )


def _stamp_standing(view: View, folder: str) -> Stamp:
    """The stamp of a folder that is as built already: its ticks start now."""
    spec = view.spec
    return Stamp(
        spec.host,
        spec.document,
        spec.tree_stamp(folder).name,
        {"files": below(view.written or {}, folder)},
        (("clock", ReadClock(spec.host)),),
        path=spec.path(folder),
    )


def _cause(view: View) -> str:
    if view.built_from is None:
        return "never built here"
    if isinstance(view.planned, Unknown) or view.planned != view.sources:
        return "source will change"
    if view.planned != view.built_from:
        return "source changed"
    if not view.fresh:
        return "the commands changed"
    if not view.written:
        return "the last build wrote nothing into its outputs"
    other = [path for path, value in view.written.items() if view.now.get(path) != value]
    if other:
        more = ", …" if len(other) > 3 else ""
        return f"outputs differ ({', '.join(other[:3])}{more})"
    return "built, and noted again"


def _digest(files: Mapping[str, str] | None) -> str | None:
    return None if files is None else digest_of(files)
