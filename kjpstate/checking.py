"""One look for cron: what drifted, what may have caused it, and who is at work; nothing that only
seemed so.

Called by `cli.drift`. A host that an apply is at work on is left out and named: what is read there
is neither the old nor the new. A drift is believed when a second look finds it too; that look
brings the hints along.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kjpstate import plan as planning
from kjpstate import reconcile
from kjpstate.formats import causes
from kjpstate.formats.pm2.declared import Declared
from kjpstate.host import Eye
from kjpstate.kinds import KINDS, questions
from kjpstate.model import (
    EVERYTHING,
    Answer,
    Change,
    Holder,
    Plan,
    Probe,
    Reading,
    ReadLock,
    Resource,
    Scope,
)
from kjpstate.reconcile import Document
from kjpstate.said import Text

_MOST_PATHS = 40


@dataclass(frozen=True)
class Check:
    """`busy`: host -> who is at work there; what reads from there is not in the plan. `hints`:
    address -> a clause about the cause. `distrusted`: of the plan's unreachable hosts those whose
    key nobody confirmed."""

    plan: Plan
    busy: Mapping[str, Holder] = field(default_factory=dict)
    hints: Mapping[str, Text] = field(default_factory=dict)
    distrusted: frozenset[str] = frozenset()


async def check(
    document: Document,
    hosts: Mapping[str, Eye],
    *,
    key: bytes,
    scope: Scope = EVERYTHING,
    within: float | None = None,
    advised: bool = True,
) -> Check:
    """Look once; when something differs, once more. `within`: seconds for all of it. `advised`:
    whether the plan is to have advice."""
    deadline = None if within is None else time.monotonic() + within
    _allow(hosts, deadline)
    look = functools.partial(_look, document, hosts, key=key, scope=scope, advised=advised)
    first, _ = await look(())
    if not first.plan.changes:
        return first
    _allow(hosts, deadline)
    probes = [_probe(host, changes) for host, changes in _by_host(first.plan).items()]
    second, answers = await look(probes)
    lost = set(second.plan.unreachable) - set(first.plan.unreachable)
    if lost:
        # What was seen before the link went is worth more than nothing.
        unseen = reconcile.doubtful(reconcile.in_scope(document, scope), lost)
        unseen -= {change.resource.address for change in second.plan.changes}
        kept = [change for change in first.plan.changes if change.resource.address in unseen]
        changes = (*kept, *second.plan.changes)
        second = replace(second, plan=replace(second.plan, changes=changes))
    return replace(second, hints=dict(_hints(second.plan, probes, answers)))


def _allow(hosts: Mapping[str, Eye], deadline: float | None) -> None:
    """What is left of the time, for each host: they are looked at at once."""
    for host in hosts.values():
        host.within = None if deadline is None else max(1.0, deadline - time.monotonic())


async def _look(
    document: Document,
    hosts: Mapping[str, Eye],
    more: Sequence[Reading],
    *,
    key: bytes,
    scope: Scope,
    advised: bool,
) -> tuple[Check, Mapping[Reading, Answer]]:
    distrusted: set[str] = set()
    scene = await reconcile.scene(
        document,
        hosts,
        key=key,
        scope=scope,
        more=more,
        locks=True,
        distrusted=distrusted,
    )
    busy = {
        reading.host: answer
        for reading, answer in scene.answers.items()
        if isinstance(reading, ReadLock) and isinstance(answer, Holder) and answer.life != "dead"
    }
    plan = planning.build(replace(scene, advised=advised))
    if busy:
        plan = _without(plan, busy, {item.address: item for item in scene.resources})
    return Check(plan, busy, distrusted=frozenset(distrusted)), scene.answers


def _without(plan: Plan, busy: Mapping[str, object], resources: Mapping[str, Resource]) -> Plan:
    """The plan without what reads from a host that is being worked on: neither
    drift nor in sync."""
    return replace(
        plan,
        changes=_calm(plan, busy),
        in_sync=tuple(name for name in plan.in_sync if not _reads_from(resources[name], busy)),
        accepted=tuple(item for item in plan.accepted if not _reads_from(item[0].resource, busy)),
        unfinished={host: run for host, run in plan.unfinished.items() if host not in busy},
    )


def _calm(plan: Plan, busy: Mapping[str, object]) -> tuple[Change, ...]:
    """The changes that read nothing from a host that is being worked on, and wait for none that
    does."""
    moving = {
        change.resource.address for change in plan.changes if _reads_from(change.resource, busy)
    }
    return tuple(
        change
        for change in plan.changes
        if change.resource.address not in moving and not moving & {*change.after, change.held}
    )


def _reads_from(resource: Resource, hosts: Mapping[str, object]) -> bool:
    return any(reading.host in hosts for reading in KINDS[resource.kind].reads(resource.spec))


def _by_host(plan: Plan) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in plan.changes:
        found.setdefault(change.resource.host, []).append(change)
    return found


def _probe(host: str, changes: Sequence[Change]) -> Probe:
    paths = dict.fromkeys(path for change in changes for path in _paths(change))
    return Probe(host, "hints", tuple(paths)[:_MOST_PATHS])


def _paths(change: Change) -> Iterator[str]:
    """The files whose times tell something: those the resource writes."""
    resource = change.resource
    for host, path in KINDS[resource.kind].writes(resource.spec):
        if host == resource.host and not path.endswith("node_modules/"):
            yield path


def _hints(
    plan: Plan, probes: Sequence[Probe], answers: Mapping[Reading, Answer]
) -> Iterator[tuple[str, Text]]:
    traces = {probe.host: causes.parse(answers.get(probe)) for probe in probes}
    for change in plan.changes:
        found = traces.get(change.resource.host)
        app = _app(change.resource)
        if found is not None and (said := causes.hint(found, tuple(_paths(change)), app)):
            yield change.resource.address, said


def _app(resource: Resource) -> str:
    """The name of the app that it is; "" for another thing."""
    return next((app.name for _, app in questions([resource], Declared)), "")
