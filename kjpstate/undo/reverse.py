"""A run taken back, as a kind of the straight line: what is should be what was. Pure.

Not a section of a document: `rollback` makes one such resource of the record of each host. Called
through `Scene.kinds` by `plan` and `apply`, so that a rollback is planned, locked, read again,
backed up, verified and, when it fails, put back by the very protocol of an apply.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kjpstate.formats.tree import digests, listing_digest, stamp_name, stamped_files
from kjpstate.host import allowed
from kjpstate.kinds import KINDS, parts
from kjpstate.model import (
    GUARD,
    Action,
    Advice,
    Answers,
    Await,
    Backup,
    Drift,
    File,
    Note,
    Probe,
    ReadClock,
    Reading,
    ReadState,
    Refuse,
    Restore,
    Run,
    Stamp,
    State,
    SyncTree,
    Told,
    Tree,
    Upstream,
    WriteFile,
)
from kjpstate.said import Text, say
from kjpstate.section import Made, Page
from kjpstate.undo import items as paths
from kjpstate.undo import record as records
from kjpstate.undo.items import Item, Spec
from kjpstate.undo.record import Record

KIND, ORDER, UNIT, SECTION = "rollback", 0, "rollback", ""
STAMPS_COUNT = True
"""What it puts back may be a stamp alone; that is noted, too."""
_DONE = "rolled back"
_PATIENCE = 60.0
"""Seconds for an app to come up again."""
_CURES = {
    "changed-since": "changed-since.cure",
    "backup-damaged": "backup-damaged.cure",
    "rolled-back-later": "rolled-back-later.cure",
}


@dataclass(frozen=True)
class View:
    """One host's part of the run, and what stands there now."""

    spec: Spec
    answers: Answers


def resources(page: Page, earlier: Sequence[Made]) -> Iterable[Made]:
    """None: `rollback` makes them of the records of a run."""
    return ()


def reads(spec: Spec) -> Iterable[Reading]:
    """The record, each path and its backup, and the stamps that go back with them."""
    record = spec.record
    yield ReadState(spec.host, spec.document, records.name_of(record.id))
    for item in spec.items:
        yield item.here
        if item.original is not None:
            yield item.original
    for name in _stamps(record):
        yield ReadState(spec.host, spec.document, name)


def see(spec: Spec, answers: Answers, upstream: Upstream) -> View:
    """What stands on the host now."""
    return View(spec, answers)


def actual(view: View) -> State:
    """`files`, `folders`: digests as they are. `run`: whether it stands."""
    return State(
        {
            "files": {item.path: paths.now(item, view.answers) for item in _files(view.spec)},
            "folders": {item.path: paths.now(item, view.answers) for item in _folders(view.spec)},
            "run": _stands(view.spec, view.answers),
        }
    )


def desired(view: View) -> State:
    """The same keys as they were before the run."""
    return State(
        {
            "files": {item.path: paths.then(item, view.answers) for item in _files(view.spec)},
            "folders": {item.path: paths.then(item, view.answers) for item in _folders(view.spec)},
            "run": _DONE,
        }
    )


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """Every path of the record."""
    return ((item.host, item.path) for item in spec.items)


def refusals(view: View) -> Iterator[Refuse]:
    """What forbids it: the first with its cure, the sentences of all others as its places."""
    problems = list(_problems(view.spec, view.answers))
    for rule, reason in problems[:1]:
        places = tuple(other for _, other in problems[1:])
        yield Refuse(rule, reason, places, say(_CURES[rule]))


def actions(view: View, drift: Drift) -> Iterator[Action | Refuse]:
    """Files and folders in reverse, their stamps, then each undo once; last the record says so."""
    spec, answers = view.spec, view.answers
    host, document, record = spec.host, spec.document, spec.record
    due = [item for item in reversed(spec.items) if _due(item, answers)]
    trees = [stamp_name("tree", item.path) for item in due if item.sort == "folder"]
    yield from (Stamp(host, document, name, None) for name in trees)
    for item in due:
        yield from _put_back(item, answers, spec)
    yield from _old_stamps(spec, lambda name: name.startswith("tree-"))
    yield from _undone(spec)
    yield from _up_again(spec)
    yield from _old_stamps(spec, lambda name: not name.startswith("tree-"))
    values = {**record.values(), "rolled_back": spec.by}
    yield Stamp(host, document, records.name_of(record.id), values)


def advice(view: View) -> Iterable[Advice]:
    """None."""
    return ()


def told(view: View, drift: Drift | None) -> Told:
    """Whose run it was, and what becomes of each path."""
    record = view.spec.record
    whys = tuple(dict.fromkeys(run.why for run in _undone(view.spec) if run.why))
    return Told(
        say("rollback.run", run=record.id, started=record.started, who=record.who),
        tuple(map(Note, _notes(view.spec, view.answers))),
        covers=whys,
    )


def _files(spec: Spec) -> list[Item]:
    return [item for item in spec.items if item.sort != "folder"]


def _folders(spec: Spec) -> list[Item]:
    return [item for item in spec.items if item.sort == "folder"]


def _due(item: Item, answers: Answers) -> bool:
    return paths.now(item, answers) != paths.then(item, answers)


def _stands(spec: Spec, answers: Answers) -> str | None:
    found = records.read(
        answers.get(ReadState(spec.host, spec.document, records.name_of(spec.record.id)))
    )
    if found is None:
        return None
    return _DONE if found.rolled_back else "applied"


def _problems(spec: Spec, answers: Answers) -> Iterator[tuple[str, Text]]:
    if _stands(spec, answers) == _DONE:
        return
    if spec.later:
        yield "rolled-back-later", spec.later
    for item in spec.items:
        yield from paths.trouble(item, answers, force=spec.force)


# ---- putting back


def _put_back(item: Item, answers: Answers, spec: Spec) -> Iterator[Action]:
    if item.sort == "file":
        here, there = answers.get(item.here), answers.get(item.original) if item.original else None
        before = here.content if isinstance(here, File) else None
        after = there.content if isinstance(there, File) else None
        mode = there.mode if isinstance(there, File) else item.mode
        yield WriteFile(item.host, item.path, before, after, mode)
    elif item.sort == "folder" and _by_files(item, answers, spec):
        files = paths.originals(item, answers)
        source = (item.backup or item.path).rstrip("/") + "/"
        yield SyncTree(item.host, source, item.host, item.path, files, paths.removed(item, answers))
    else:
        yield Backup(item.host, item.path)
        yield _restore(item, answers, spec)


def _restore(item: Item, answers: Answers, spec: Spec) -> Restore:
    """Only while there stands what was just looked at."""
    here, before = answers.get(item.here), item.backup or None
    if item.sort == "written":
        return Restore(item.host, item.path, before, paths.now(item, answers) or "-")
    if item.put is None:
        standing = listing_digest(digests(here)) if isinstance(here, Tree) else "-"
        return Restore(item.host, item.path, before, "" if _shared(item, spec) else standing)
    files = here.files if isinstance(here, Tree) else {}
    ours = {name: file.digest for name, file in files.items() if name in item.put}
    return Restore(item.host, item.path, before, files=ours)


def _shared(item: Item, spec: Spec) -> bool:
    """Whether another path of the run lies in this folder, or it in that one: then it moves on the
    way."""
    mine = item.path.rstrip("/") + "/"
    others = (other.path.rstrip("/") + "/" for other in spec.items if other.path != item.path)
    return any(other.startswith(mine) or mine.startswith(other) for other in others)


def _by_files(item: Item, answers: Answers, spec: Spec) -> bool:
    """Whether only what is ours goes back, since others write into that folder too."""
    if item.put is None or not allowed(item.path, spec.may_change):
        return False
    here = answers.get(item.here)
    foreign = isinstance(here, Tree) and (here.others or set(here.files) - set(item.put))
    return bool(item.backup) or bool(foreign)


def _stamps(record: Record) -> dict[str, Mapping[str, Any] | None]:
    """Name -> its values before the run."""
    found: dict[str, Mapping[str, Any] | None] = {}
    for step in record.steps:
        if not _guards(step):
            for name, values in step["stamps"].items():
                found.setdefault(name, values)
    return found


def _guards(step: Mapping[str, Any]) -> bool:
    """Whether the step only pinned what must not move: a pin stays."""
    kind = KINDS.get(step["kind"])
    return kind is not None and kind.UNIT == GUARD


def _old_stamps(spec: Spec, wanted: Any) -> Iterator[Stamp]:
    """As they were; but a tree's clock starts now, so that what runs from it is owed or started
    later."""
    host = spec.host
    for name, values in _stamps(spec.record).items():
        if not wanted(name):
            continue
        files = stamped_files(values)
        if name.startswith("tree-") and values is not None and files is not None:
            fill = (("clock", ReadClock(host)),)
            yield Stamp(host, spec.document, name, {"files": files}, fill)
        else:
            yield Stamp(host, spec.document, name, values)


# ---- what a restoring of files does not put back


def _undone(spec: Spec) -> Iterator[Run]:
    """Each undo of the record once, the last step's first; with each what would
    take it back again."""
    seen: set[tuple[str, ...]] = set()
    record: Record = spec.record
    for step in reversed(record.steps):
        for command in reversed(step["commands"]):
            words = tuple(tuple(argv) for argv in command["undo"])
            due = tuple(argv for argv in words if argv not in seen)
            seen |= set(due)
            for argv in due:
                yield from _commands(argv, words if argv == due[-1] else (), command, spec)


def _commands(
    argv: tuple[str, ...], redo: tuple[tuple[str, ...], ...], command: Mapping[str, Any], spec: Spec
) -> Iterator[Run]:
    """One undo, and behind the last of them what takes it back again: plain commands are simply run
    again."""
    host, env, cwd = spec.host, command["env"], command["cwd"]
    why = " ".join(argv)
    for rewound in parts("rewound"):
        again = rewound(argv, env or {}, spec.by)
        if again is not None:
            keep, argv, back, why = again
            redo = (back,)
            yield Run(host, keep, "", cwd, timeout=command["timeout"], clean_env=env)
            break
    yield Run(host, argv, why, cwd, undo=redo, timeout=command["timeout"], clean_env=env)


def _up_again(spec: Spec) -> Iterator[Await]:
    """An app that lived before the run must live again: only then is the rollback done."""
    record: Record = spec.record
    for step in record.steps:
        for wait in (
            step.get("waits", ()) if any(command["undo"] for command in step["commands"]) else ()
        ):
            reading = Probe(spec.host, wait["probe"], tuple(wait["args"]))
            args = (
                ("name", wait["app"]),
                ("instances", 1),
                ("min_uptime_ms", 1000),
                ("not_pids", ()),
            )
            yield Await(
                spec.host,
                reading,
                "pm2-online",
                args,
                _PATIENCE,
                say("rollback.online-again", app=wait["app"]),
            )


# ---- what a screen says


def _notes(spec: Spec, answers: Answers) -> Iterator[Text]:
    due = [item for item in spec.items if _due(item, answers)]
    for item in due:
        yield _said(item, answers, spec)
    yield from dict.fromkeys(run.why for run in _undone(spec) if run.why)
    if not due and not any(True for _ in _undone(spec)):
        yield say("rollback.all-as-before")


def _said(item: Item, answers: Answers, spec: Spec) -> Text:
    """What becomes of one path."""
    forced = (
        spec.force
        and item.sort == "file"
        and paths.now(item, answers) not in (item.before, item.after)
    )
    if item.sort == "folder" and _by_files(item, answers, spec):
        back, gone = paths.originals(item, answers), paths.removed(item, answers)
        return say("rollback.by-files", path=item.path, back=len(back), gone=len(gone))
    if item.lost:
        return say("rollback.not-known", path=item.path)
    if not item.backup:
        code = "rollback.removed-over" if forced else "rollback.removed"
        return say(code, path=item.path)
    code = "rollback.restored-over" if forced else "rollback.restored"
    return say(code, path=item.path, backup=item.backup.rpartition("/")[2])
