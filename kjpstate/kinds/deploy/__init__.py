"""Kind `deploy`: a folder of one host stands on another, file by file as it was built.

Only what the build wrote travels; of the target, only what an earlier deploy put there is removed.
Called through the face in `kjpstate.kinds`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kjpstate.formats.digests import digest_of, sha256_or_none
from kjpstate.kinds.deploy import readings
from kjpstate.kinds.deploy.readings import Seen
from kjpstate.model import (
    UNKNOWN,
    Action,
    Advice,
    Answer,
    Answers,
    Drift,
    File,
    MakeDirectory,
    ReadClock,
    Reading,
    Refuse,
    Run,
    Spec,
    Stamp,
    State,
    SyncTree,
    Tree,
    Unknown,
    Upstream,
    WriteFile,
    join,
)

KIND, ORDER, UNIT = "deploy", 50, "running"

_RENEW = (("npm", "ci"), ("npm", "clean-install"))
"""They remove node_modules whole before they write; any other may write into a file that stands."""
_INSTALL_TIMEOUT = 1800.0  # seconds: npm on a set-top box is slow


def reads(spec: Spec) -> Iterable[Reading]:
    """Both folders with digests, the files beside them, and our stamps."""
    return readings.all_readings(spec)


def actual(spec: Spec, answers: Answers) -> State:
    """`files`: digest of each file that is or was deployed; `stamped`: digest of what the last
    deploy says it put there; `with`: the files beside; `installed`: what the last install was run
    for."""
    seen = readings.see(spec, answers)
    names = sorted({*seen.wanted, *seen.stale})
    values: dict[str, Any] = {
        "files": {path: seen.here.get(path) for path in names},
        "stamped": None if seen.earlier is None else digest_of(seen.earlier),
        "problems": [reason for _, reason in readings.problems(spec, seen, answers, {})],
    }
    if seen.beside:
        values["with"] = seen.beside_here
    if spec.get("install"):
        values["installed"] = seen.installed
    return State(values, present=seen.present)


def desired(spec: Spec, answers: Answers, upstream: Upstream) -> State:
    """The same keys as they should be; UNKNOWN while a build or a patch of this plan has yet to
    write them.

    When the source's host can't be seen from here, only the files of the last deploy are compared.
    """
    seen = readings.see(spec, answers)
    owed = readings.owed(spec, upstream)
    alone = seen.manifest is None and not owed
    planned = readings.planned_beside(spec, seen, upstream)
    files = {**seen.beside_here, **_known(seen)} if alone else _digests(planned)
    others = [name for name, value in files.items() if value != seen.beside_here[name]]
    beside = {
        "seen": seen,
        "problems": tuple(readings.problems(spec, seen, answers, upstream)),
        "owed": owed,
        "planned": planned,
        "with": files,
        "headline": _headline(spec, seen, owed, others),
    }
    values: dict[str, Any] = {
        "files": UNKNOWN if owed else {**seen.wanted, **dict.fromkeys(seen.stale)},
        "stamped": UNKNOWN if owed else digest_of(seen.wanted),
        "problems": [],
    }
    if alone:
        values["stamped"] = None if seen.earlier is None else digest_of(seen.earlier)
    if seen.beside:
        values["with"] = files
    if spec.get("install") and not alone:
        known = not any(isinstance(value, Unknown) for value in files.values())
        values["installed"] = readings.install_digest(spec, files) if known else UNKNOWN
    return State(values, beside)


def _known(seen: Seen) -> dict[str, str]:
    """What the last deploy says it put beside, of what the document still names."""
    return {name: value for name, value in seen.put.items() if name in seen.beside}


def _digests(planned: Mapping[str, bytes | Unknown | None]) -> dict[str, Any]:
    return {
        name: content if isinstance(content, Unknown) else sha256_or_none(content)
        for name, content in planned.items()
    }


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """The target, the files beside it, and what an install fills."""
    yield spec["host"], spec["to_directory"]
    for _, _, here in readings.beside(spec):
        yield here.host, here.path
    if spec.get("install"):
        yield spec["host"], _modules(spec)


def actions(spec: Spec, drift: Drift) -> Iterator[Action | Refuse]:
    """Files beside, install, then the switch of the folder; its stamp goes first and comes back
    last."""
    seen: Seen = drift.desired.beside["seen"]
    for rule, reason in drift.desired.beside["problems"]:
        yield Refuse(rule, reason, cure=_CURES[rule], pointer=_POINTERS.get(rule, "/from"))
        return
    if seen.manifest is None and not drift.desired.beside["owed"]:
        reason = f"{spec['from_host']} can't be seen from here ({seen.unseen})"
        yield Refuse(
            "needs-other-host", reason, cure="kjpstate apply from a machine that reaches both hosts"
        )
        return
    if all(difference.path[0] == "stamped" for difference in drift.differences):
        yield _stamp(spec, seen, drift)
        return
    yield Stamp(spec["host"], spec["document"], readings.tree_stamp(spec).name, None)
    yield from _beside_actions(spec, seen, drift)
    if drift.differs("installed"):
        yield from _install(spec, drift)
    if drift.differs("files"):
        yield _sync(spec, seen, drift)
    yield _stamp(spec, seen, drift)


def advice(spec: Spec, answers: Answers) -> Iterator[Advice]:
    """Code built against one Baileys and run with another: it type-checks here and breaks there.
    What of the source is no regular file, and so stays where it is."""
    source = answers.get(readings.source(spec))
    if isinstance(source, Tree) and source.others:
        reason = (
            f"in {spec['from_directory']} on {spec['from_host']}: {readings.few(source.others)}"
        )
        cure = "put the file itself in the place of a link, where it is needed there"
        yield Advice("links-left-out", reason, cure, "/from", "note")
    for name, here, there in readings.baileys(spec):
        built, runs = (_version(answers.get(reading)) for reading in (here, there))
        if built and runs and built != runs:
            reason = (
                f"{name} is {built} on {here.host}, where it is built, and {runs} on {there.host}"
            )
            yield Advice("baileys-differs", reason, _baileys_cure(spec, name, built), "/to")


def _version(answer: Answer) -> str:
    """The version that a package.json says; "" when there is none to be read."""
    if not isinstance(answer, File):
        return ""
    try:
        value = json.loads(answer.content)
    except (ValueError, RecursionError):
        return ""
    return str(value.get("version") or "") if isinstance(value, dict) else ""


def _baileys_cure(spec: Spec, name: str, version: str) -> str:
    if spec.get("install"):
        return f"{' '.join(spec['install'])}   there, with the package-lock.json of here"
    return (
        f"npm install {name}@{version} there; or deploy.with package-lock.json, install npm "
        "ci --omit=dev"
    )


_CURES = {
    "in-the-way": "move it away if it is not needed there, or have the source name its "
    "own another way",
    "odd-name": "rename it, or take it out of the folder",
    "source-missing": "build first, or correct `from` and `with` in the section deploy",
    "source-unreadable": "let the user that kjpstate runs as there read it, or take it out of "
    "the folder",
    "target-unreadable": "look at it on the host; name the real folder in `deploy.to`",
}
_POINTERS = {"in-the-way": "/to", "target-unreadable": "/to"}


def _beside_actions(spec: Spec, seen: Seen, drift: Drift) -> Iterator[Action]:
    if not seen.parent_present:
        yield MakeDirectory(spec["host"], readings.parent(spec["to_directory"]))
    changed = {
        difference.path[1] for difference in drift.differences if difference.path[0] == "with"
    }
    for name, _, here in readings.beside(spec):
        if name not in changed:
            continue
        theirs, mine = seen.beside[name]
        if "/" in name and mine is None:
            yield MakeDirectory(here.host, readings.parent(here.path))
        planned = drift.desired.beside["planned"][name]
        source = theirs if isinstance(theirs, File) else File(here.path, b"", 0o644)
        after = (
            planned if isinstance(planned, bytes) else source.content
        )  # the latter is computed again
        before = mine.content if isinstance(mine, File) else None
        yield WriteFile(here.host, here.path, before, after, source.mode)


def _install(spec: Spec, drift: Drift) -> Iterator[Action]:
    folder = readings.parent(spec["to_directory"])
    why = (
        "not known to have run here"
        if drift.actual.values["installed"] is None
        else "a file of `with` changes"
    )
    argv = tuple(spec["install"])
    yield Run(
        spec["host"],
        argv,
        why,
        cwd=folder,
        writes=(_modules(spec),),
        timeout=_INSTALL_TIMEOUT,
        shown=True,
        renews=argv[:2] in _RENEW,
    )
    installed = drift.desired.values["installed"]
    values = {
        "installed": None if isinstance(installed, Unknown) else installed
    }  # computed again when known
    yield Stamp(spec["host"], spec["document"], readings.install_stamp(spec).name, values)


def _sync(spec: Spec, seen: Seen, drift: Drift) -> SyncTree:
    owed = drift.desired.beside["owed"]
    return SyncTree(
        spec["from_host"],
        spec["from_directory"],
        spec["host"],
        spec["to_directory"],
        manifest=None if owed else seen.manifest,
        remove=seen.stale,
    )


def _stamp(spec: Spec, seen: Seen, drift: Drift) -> Stamp:
    clock, owed = ("clock", ReadClock(spec["host"])), drift.desired.beside["owed"]
    # What is not known yet is computed again when it is.
    put = {
        name: value
        for name, value in drift.desired.beside["with"].items()
        if isinstance(value, str)
    }
    return Stamp(
        spec["host"],
        spec["document"],
        readings.tree_stamp(spec).name,
        ({"with": put} if put else {}) | ({} if owed else {"files": seen.wanted}),
        (("files", readings.target(spec)), clock) if owed else (clock,),
        path=spec["to_directory"],
    )


def _modules(spec: Spec) -> str:
    return join(readings.parent(spec["to_directory"]), "node_modules/")


def _headline(spec: Spec, seen: Seen, owed: bool, others: Sequence[str]) -> str:
    if seen.unread:
        return f"{spec['to_directory']}   {spec['from_directory']} can't be read"
    said = "known after build" if owed and spec.get("built") else "known when its source is written"
    if not owed:
        said = _counted(spec, seen, others)
    if (
        seen.kept and seen.manifest
    ):  # before the first build nothing tells the owner's files from its own
        said += f", {_files(len(seen.kept))} of yours kept: {readings.few(seen.kept)}"
    return f"{spec['to_directory']}   {said}"


def _counted(spec: Spec, seen: Seen, others: Sequence[str]) -> str:
    """`3 files change, 1 new, 2 removed, package.json changes`, or what else is not as it should
    be.

    `others`: files beside the folder.
    """
    new = sum(path not in seen.here for path in seen.wanted)
    changed = sum(
        path in seen.here and seen.here[path] != value for path, value in seen.wanted.items()
    )
    if seen.manifest is None:
        told = [*([_files(new + changed)] if new + changed or not others else []), *others]
        return f"{', '.join(told)} not as deployed; {spec['from_host']} can't be seen from here"
    said = [f"{_files(changed)} change{'s' if changed == 1 else ''}"] if changed else []
    said += [f"{_files(new)} new"] if new and not changed else [f"{new} new"] if new else []
    said += [f"{len(seen.stale)} removed"] if seen.stale else []
    said += [f"{', '.join(others)} change{'s' if len(others) == 1 else ''}"] if others else []
    return ", ".join(said) or "every file is there already"


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"
