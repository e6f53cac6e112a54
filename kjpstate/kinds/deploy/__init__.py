"""Kind `deploy`: a folder of one host stands on another, file by file as it was built.

Only what the build wrote travels; of the target, only what an earlier deploy put there is removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kjpstate.formats.digests import digest_of
from kjpstate.kinds.deploy.advice import advised
from kjpstate.kinds.deploy.refusals import refused
from kjpstate.kinds.deploy.section import deployed
from kjpstate.kinds.deploy.spec import Spec, around, install_digest
from kjpstate.kinds.deploy.summary import headline
from kjpstate.kinds.deploy.view import View, looked
from kjpstate.model import (
    UNKNOWN,
    Action,
    Advice,
    Answers,
    Drift,
    File,
    MakeDirectory,
    ReadClock,
    Reading,
    Refuse,
    Run,
    Stamp,
    State,
    SyncTree,
    Told,
    Unknown,
    Upstream,
    WriteFile,
)
from kjpstate.section import Made, Page

KIND, ORDER, UNIT, SECTION = "deploy", 50, "running", "deploy"

_RENEW = (("npm", "ci"), ("npm", "clean-install"))
"""They remove node_modules whole before they write; any other may write into a file that stands."""
_INSTALL_TIMEOUT = 1800.0  # seconds: npm on a set-top box is slow


def resources(page: Page, earlier: Sequence[Made]) -> Iterator[Made]:
    """One deploy of each section on each target host."""
    for source, target in page.between(SECTION):
        yield deployed(source, target, earlier)


def reads(spec: Spec) -> Iterable[Reading]:
    """Both folders with digests, the files beside them, and our stamps."""
    return spec.readings()


def see(spec: Spec, answers: Answers, upstream: Upstream) -> View:
    """Both folders, the files beside them, and what the last build and deploy noted."""
    return looked(spec, answers, upstream)


def actual(view: View) -> State:
    """`files`: digest of each file that is or was deployed; `stamped`: digest of what the last
    deploy says it put there; `with`: the files beside; `installed`: what the last install was run
    for."""
    names = sorted({*view.wanted, *view.stale})
    values: dict[str, Any] = {
        "files": {path: view.here.get(path) for path in names},
        "stamped": _stamped(view),
    }
    if view.spec.pairs:
        values["with"] = view.with_here
    if view.spec.install:
        values["installed"] = view.installed
    return State(values, present=view.target is not None)


def desired(view: View) -> State:
    """The same keys as they should be; UNKNOWN while a build or a patch of this plan has yet to
    write them.

    When the source's host can't be seen from here, only the files of the last deploy are compared.
    """
    owed = view.owed
    values: dict[str, Any] = {
        "files": UNKNOWN if owed else {**view.wanted, **dict.fromkeys(view.stale)},
        "stamped": UNKNOWN if owed else digest_of(dict(view.wanted)),
    }
    if view.alone:
        values["stamped"] = _stamped(view)
    if view.spec.pairs:
        values["with"] = view.with_wanted
    if view.spec.install and not view.alone:
        values["installed"] = _installed(view)
    return State(values)


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """The target, the files beside it, and what an install fills."""
    yield spec.host, spec.to_directory
    for pair in spec.pairs:
        yield spec.host, pair.target.path
    if spec.install:
        yield spec.host, spec.modules


def refusals(view: View) -> Iterator[Refuse]:
    """What would make it a guess, or empty or bury what is there."""
    return refused(view)


def actions(view: View, drift: Drift) -> Iterator[Action | Refuse]:
    """Files beside, install, then the switch of the folder; its stamp goes first and comes back
    last."""
    spec = view.spec
    if view.alone:
        reason = f"{spec.from_host} can't be seen from here ({view.unseen})"
        yield Refuse(
            "needs-other-host", reason, cure="kjpstate apply from a machine that reaches both hosts"
        )
        return
    if all(difference.path[0] == "stamped" for difference in drift.differences):
        yield _stamp(view)
        return
    yield Stamp(spec.host, spec.document, spec.tree_stamp.name, None)
    yield from _files_beside(view, drift)
    if drift.differs("installed"):
        yield from _install(view)
    if drift.differs("files"):
        yield _sync(view)
    yield _stamp(view)


def advice(view: View) -> Iterator[Advice]:
    """Files that are left out, and another Baileys where the code runs."""
    return advised(view)


def told(view: View, drift: Drift | None) -> Told:
    """The target, and how many of its files change."""
    return Told(headline(view), names_owed=view.owed and not view.unread)


def _stamped(view: View) -> str | None:
    return None if view.earlier is None else digest_of(view.earlier)


def _installed(view: View) -> str | Unknown:
    files = view.with_wanted
    known = {name: value for name, value in files.items() if not isinstance(value, Unknown)}
    return install_digest(view.spec, known) if len(known) == len(files) else UNKNOWN


def _files_beside(view: View, drift: Drift) -> Iterator[Action]:
    spec = view.spec
    if view.answers.get(spec.parent_stat) is None:
        yield MakeDirectory(spec.host, spec.parent)
    changed = {
        difference.path[1] for difference in drift.differences if difference.path[0] == "with"
    }
    for pair in spec.pairs:
        if pair.name not in changed:
            continue
        theirs, mine = view.theirs(pair), view.mine(pair)
        if "/" in pair.name and mine is None:
            yield MakeDirectory(spec.host, around(pair.target.path))
        planned = view.planned[pair.name]
        source = theirs if isinstance(theirs, File) else File(pair.target.path, b"", 0o644)
        # What is not known yet is computed again when it is.
        after = planned if isinstance(planned, bytes) else source.content
        before = mine.content if isinstance(mine, File) else None
        yield WriteFile(spec.host, pair.target.path, before, after, source.mode)


def _install(view: View) -> Iterator[Action]:
    spec = view.spec
    first = view.installed is None
    why = "not known to have run here" if first else "a file of `with` changes"
    yield Run(
        spec.host,
        spec.install,
        why,
        cwd=spec.parent,
        writes=(spec.modules,),
        timeout=_INSTALL_TIMEOUT,
        shown=True,
        renews=spec.install[:2] in _RENEW,
    )
    installed = _installed(view)
    # What is not known yet is computed again when it is.
    values = {"installed": None if isinstance(installed, Unknown) else installed}
    yield Stamp(spec.host, spec.document, spec.install_stamp.name, values)


def _sync(view: View) -> SyncTree:
    spec = view.spec
    return SyncTree(
        spec.from_host,
        spec.from_directory,
        spec.host,
        spec.to_directory,
        manifest=None if view.owed else view.manifest,
        remove=view.stale,
    )


def _stamp(view: View) -> Stamp:
    spec = view.spec
    clock = ("clock", ReadClock(spec.host))
    # What is not known yet is computed again when it is.
    put = {name: value for name, value in view.with_wanted.items() if isinstance(value, str)}
    values: dict[str, Any] = {"with": put} if put else {}
    if not view.owed:
        values["files"] = dict(view.wanted)
    return Stamp(
        spec.host,
        spec.document,
        spec.tree_stamp.name,
        values,
        (("files", spec.target), clock) if view.owed else (clock,),
        path=spec.to_directory,
    )
