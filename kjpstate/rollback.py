"""A run taken back by the straight line: its records become resources whose desired state is what
was before.

Called by `cli.rollback` and by an apply that rolls back when its checks fail. Nothing is remembered
on the controller: all that is needed stands on the hosts the run changed, so another controller, or
the box itself, can do it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kjpstate import apply as applying
from kjpstate import errors, reconcile
from kjpstate import plan as planning
from kjpstate.formats.tree import read_stamp, stamp_name, stamped_files
from kjpstate.host import Eye, Host
from kjpstate.kinds import KINDS, Kind
from kjpstate.model import (
    EVERYTHING,
    Answer,
    Event,
    Plan,
    Reading,
    ReadState,
    Report,
    Resource,
    RunInfo,
    Scope,
    Where,
)
from kjpstate.plan import Scene
from kjpstate.said import Text, say
from kjpstate.undo import ledger, record, reverse
from kjpstate.undo.items import Spec
from kjpstate.undo.record import Record

_LATEST = 20
"""Records that are read when no run is named."""


@dataclass(frozen=True)
class Rollback:
    """What taking back `run` means: `plan` to show, `scene` to do it by. `untouched`: host -> why
    it is out of reach, of those that this run did not change."""

    run: str
    plan: Plan
    scene: Scene
    untouched: Mapping[str, Text] = field(default_factory=dict)


async def run(
    document: reconcile.Document,
    hosts: Mapping[str, Host],
    id: str,
    *,
    key: bytes,
    info: RunInfo,
    progress: Callable[[Event], None],
    force: bool = False,
    scope: Scope = EVERYTHING,
) -> Report:
    """Plan and act in one, without asking: the run `id` (empty: the last) is taken back as the run
    `info`."""
    found = await plan(document, hosts, id, key=key, by=info.id, force=force, scope=scope)
    return await act(document, found, hosts, info=info, progress=progress)


async def plan(
    document: reconcile.Document,
    hosts: Mapping[str, Eye],
    id: str = "",
    *,
    key: bytes,
    by: str,
    force: bool = False,
    scope: Scope = EVERYTHING,
) -> Rollback:
    """Look at every host and say what taking back the run `id` (empty: the last that stands) would
    do.

    `by`: the id of the run that will do it. Raises UsageError when no such run is noted anywhere.
    """
    chosen = scope.among(hosts)
    notes, unreachable = await _noted(document, hosts, chosen, id)
    run_id = id or _last(notes)
    if not any(run_id in records for _, records in notes.values()):
        raise _unknown(id, unreachable)
    specs = [
        spec
        for name, (answers, records) in notes.items()
        if run_id in records and (spec := _spec(document, name, answers, records, run_id))
    ]
    allowed = reconcile.may_change(document)
    resources = tuple(
        Resource(
            f"{reverse.KIND}.{spec.host}",
            reverse.KIND,
            spec.host,
            replace(spec, by=by, force=force, may_change=allowed.get(spec.host, ())),
            Where("", 0, 0),
        )
        for spec in await _with_puts(document, hosts, specs)
    )
    kinds: Mapping[str, Kind] = {**KINDS, reverse.KIND: reverse}
    bare = Scene(document.name, resources, {}, key, kinds, allowed, secrets=document.secrets)
    answers, lost = await reconcile.look(hosts, applying.readings_by_host(bare))
    untouched = _untouched(run_id, notes, unreachable)
    if not id:  # a later run may stand on a host that was not seen: of a fleet that is told
        untouched = {host: why for host, why in untouched.items() if document.hosts[host].member_of}
    part = {host: why for host, why in unreachable.items() if host not in untouched}
    scene = replace(bare, answers=answers, unreachable={**part, **lost})
    return Rollback(run_id, planning.build(scene), scene, untouched)


async def act(
    document: reconcile.Document,
    found: Rollback,
    hosts: Mapping[str, Host],
    *,
    info: RunInfo,
    progress: Callable[[Event], None],
    lock_timeout: float = 0.0,
) -> Report:
    """Do it. Raises StalePlan, Locked, Unreachable before the first write; a failure is put back
    (exit 7).

    `lock_timeout`: seconds to wait for a host that another run has locked.
    """
    reconcile.refuse_unreachable(document, found.plan)
    refused = [change for change in found.plan.changes if change.refusal is not None]
    if refused:
        return Report(info, found.plan, (), exit_code=errors.REFUSED)
    seen = tuple(item for item in found.scene.resources if item.host not in found.plan.unreachable)
    info = replace(info, why=f"{record.TAKES_BACK}{found.run}")
    scene, patience = replace(found.scene, resources=seen), applying.Patience(lock_timeout)
    return await applying.run(found.plan, scene, hosts, info, progress, patience=patience)


async def _noted(
    document: reconcile.Document, hosts: Mapping[str, Eye], chosen: Sequence[str], id: str
) -> tuple[dict[str, tuple[dict[Reading, Answer], dict[str, Record]]], dict[str, Text]]:
    """Host -> (answers, the records of its runs in their order), in two looks; and the hosts out of
    reach."""
    first: Mapping[str, list[Reading]] = {
        name: [
            ReadState(name, document.name, record.INDEX),
            ReadState(name, document.name, ledger.LEDGER),
        ]
        for name in chosen
    }
    answers, unreachable = await reconcile.look(hosts, first)
    runs = {
        name: _wanted(record.listed(answers[ReadState(name, document.name, record.INDEX)]), id)
        for name in chosen
        if name not in unreachable
    }
    second: Mapping[str, list[Reading]] = {
        name: [ReadState(name, document.name, record.name_of(run)) for run in ids]
        for name, ids in runs.items()
        if ids
    }
    more, lost = await reconcile.look(hosts, second)
    answers.update(more)
    found = {
        name: (answers, _records(document, name, ids, answers))
        for name, ids in runs.items()
        if name not in lost
    }
    return found, {**unreachable, **lost}


def _wanted(runs: Sequence[str], id: str) -> Sequence[str]:
    """The runs to read: the one that is named and all after it, else the latest."""
    if not id:
        return runs[-_LATEST:]
    return runs[runs.index(id) :] if id in runs else ()


def _records(
    document: reconcile.Document, host: str, ids: Sequence[str], answers: Mapping[Reading, Answer]
) -> dict[str, Record]:
    found = (
        (run, record.read(answers[ReadState(host, document.name, record.name_of(run))]))
        for run in ids
    )
    return {run: item for run, item in found if item is not None}


def _last(notes: Mapping[str, tuple[Any, Mapping[str, Record]]]) -> str:
    """The latest run, by its controller's time, that was not rolled back."""
    standing = [
        (item.started, position, run)
        for _, records in notes.values()
        for position, (run, item) in enumerate(records.items())
        if not item.rolled_back
    ]
    return max(standing)[2] if standing else ""


def _untouched(
    run: str,
    notes: Mapping[str, tuple[Any, Mapping[str, Record]]],
    unreachable: Mapping[str, Text],
) -> dict[str, Text]:
    """The hosts out of reach that `run` did not change, as its records on the others say."""
    told = [records[run].hosts for _, records in notes.values() if run in records]
    if any(hosts is None for hosts in told):
        return {}
    changed = {host for hosts in told for host in hosts or ()}
    return {host: why for host, why in unreachable.items() if host not in changed}


def _unknown(id: str, unreachable: Mapping[str, Text]) -> errors.KjpstateError:
    if unreachable:
        host, why = next(iter(unreachable.items()))
        return errors.Unreachable(host, why, say("rollback.unread.cure"))
    if id:
        return errors.UsageError(
            say("rollback.no-such-run", run=id), say("rollback.no-such-run.cure")
        )
    return errors.UsageError(say("rollback.no-run"))


def _spec(
    document: reconcile.Document,
    host: str,
    answers: Mapping[Reading, Answer],
    records: Mapping[str, Record],
    id: str,
) -> Spec:
    """What `undo.reverse` is given of one host, but for `puts` and what the caller chose."""
    rows = ledger.parse(host, answers[ReadState(host, document.name, ledger.LEDGER)])
    ids = list(records)
    after = ids[ids.index(id) + 1 :]
    later = [
        item
        for item in (records[run] for run in after)
        if not item.rolled_back and item.takes_back not in (id, *after)
        # a later run and its rollback leave nothing behind, and a rollback that was cut is gone on
        # with
    ]
    return Spec(
        host,
        document.name,
        records[id],
        ledger.of_run(rows, id),
        next(_in_the_way(records[id], later), ""),
    )


def _in_the_way(first: Record, later: Sequence[Record]) -> Iterator[Text]:
    """Why a later run must be rolled back first: it touched the same again."""
    mine = set(_touched(first))
    for other in reversed(later):
        both = [what for what in _touched(other) if what in mine]
        if both:
            yield say("rolled-back-later", run=other.id, what=both[0])


def _touched(found: Record) -> Iterator[str]:
    """The paths and the apps of a record."""
    for step in found.steps:
        yield from (item["path"] for item in (*step["files"], *step["folders"]))
        yield from step["written"]
        if any(command["undo"] for command in step["commands"]):
            yield step["address"]


async def _with_puts(
    document: reconcile.Document, hosts: Mapping[str, Eye], specs: Sequence[Spec]
) -> list[Spec]:
    """Each spec with what kjpstate put into each folder: as noted, else as the folder's stamp says
    now."""
    wanted: dict[str, list[Reading]] = {}
    for spec in specs:
        for path in _folders(spec.record):
            reading = ReadState(spec.host, document.name, stamp_name("tree", path))
            wanted.setdefault(spec.host, []).append(reading)
    answers, _ = await reconcile.look(hosts, wanted)
    found = []
    for spec in specs:
        puts = dict(_folders(spec.record))
        for path, put in puts.items():
            stamp = answers.get(ReadState(spec.host, document.name, stamp_name("tree", path)))
            puts[path] = put if put is not None else stamped_files(read_stamp(stamp))
        found.append(replace(spec, puts=puts))
    return found


def _folders(found: Record) -> dict[str, Any]:
    """Folder -> {relative: sha256} as the run put them there, None where a command wrote it."""
    puts: dict[str, Any] = {}
    for step in found.steps:
        puts.update({path: None for path in step["written"] if path not in puts})
        puts.update({item["path"]: item["put"] for item in step["folders"]})
    return puts
