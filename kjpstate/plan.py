"""Answers -> Plan: drift by drift in the order of work, with owed steps, units and fingerprints.
Pure.

Called by `reconcile`, once to show a plan and once more under the locks, when the fingerprints must
agree; `assess` alone is also the second reading of `apply`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from kjpstate import acceptance, diff
from kjpstate.formats.digests import digest_of, sha256_or_none
from kjpstate.host import allowed, may_hold
from kjpstate.kinds import Kind
from kjpstate.model import (
    GUARD,
    UNKNOWN,
    Acceptance,
    Action,
    AdviceAt,
    Answers,
    Change,
    Drift,
    MakeDirectory,
    Plan,
    ReadClock,
    ReadFile,
    ReadGlob,
    Reading,
    ReadStat,
    ReadTree,
    Refuse,
    Resource,
    Run,
    Stamp,
    State,
    Symbol,
    SyncTree,
    Told,
    Unfinished,
    Unknown,
    Upstream,
    Where,
    WriteFile,
    join,
    overlap,
)
from kjpstate.said import Said, Text, plain, say
from kjpstate.secret import sealed, secrets_in, veil

Path: TypeAlias = tuple[str, str]
"""(host, absolute path)."""

_SEVERITY = ("breaks", "useless", "note")
_BYTES = "bytes:"
"""The name of a fact that is the digest of a file's old bytes; its path follows."""
_FEW = 3
"""Facts of one resource that a sentence names."""


@dataclass(frozen=True)
class Scene:
    """Everything a plan is made of. `may_change`: host -> allowed paths. `kinds`: kind -> its
    module.

    `accepted`: what the document accepts; `today` (YYYY-MM-DD) says what of it is over. `advised`:
    whether somebody wants advice.
    """

    document: str
    resources: Sequence[Resource]
    answers: Answers
    key: bytes
    kinds: Mapping[str, Kind]
    may_change: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unreachable: Mapping[str, Text] = field(default_factory=dict)
    unfinished: Mapping[str, Unfinished] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    accepted: tuple[Acceptance, ...] = ()
    today: str = ""
    advised: bool = True


@dataclass(frozen=True)
class Assessment:
    """One resource as it stands: its two states and the drift between them, if there is one."""

    desired: State
    actual: State
    drift: Drift | None
    facts: Mapping[str, str]
    """What was compared: fact -> keyed digest."""
    told: Told
    view: Any


def assess(resource: Resource, scene: Scene, upstream: Upstream) -> Assessment:
    """Compare one resource with the answers; `upstream` is what will be written before its turn."""
    kind = scene.kinds[resource.kind]
    view = kind.see(resource.spec, scene.answers, upstream)
    refusals = tuple(kind.refusals(view))
    actual, desired = _states(kind, view, refusals)
    after, before = veil(desired.values, actual.values, scene.key)
    before = {name: before.get(name) for name in after}
    differences = diff.compare(after, before)
    drift = None
    if differences:
        drift = Drift(
            resource, desired, actual, differences, before, after, refusals=refusals, view=view
        )
    told = kind.told(view, drift)
    still = {
        name: value for name, value in before.items() if name not in {*actual.ticks, *desired.ticks}
    }
    return Assessment(
        desired,
        actual,
        drift and replace(drift, told=told),
        dict(_facts(still, scene.key)),
        told,
        view,
    )


def _states(kind: Kind, view: Any, refusals: Iterable[Refuse]) -> tuple[State, State]:
    """The two states of a kind, and in both the key `problems`: its refusals, none desired."""
    actual, desired = kind.actual(view), kind.desired(view)
    problems = [{"rule": item.rule, "why": plain(item.reason)} for item in refusals]
    return (
        replace(actual, values={**actual.values, "problems": problems}),
        replace(desired, values={**desired.values, "problems": []}),
    )


def _facts(values: Mapping[str, Any], key: bytes) -> Iterator[tuple[str, str]]:
    """(name, keyed digest) of each compared value; those of a mapping one by
    one, to name the one."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from ((f"{name}.{inner}", sealed(item, key)) for inner, item in value.items())
        else:
            yield name, sealed(value, key)


def build(scene: Scene) -> Plan:
    """The plan for all resources of the scene, in their order."""
    upstream: dict[Path, bytes | str | Unknown | None] = {}
    changes: list[Change] = []
    accepted: list[tuple[Drift, Acceptance]] = []
    assessed: dict[str, Assessment] = {}
    for resource in scene.resources:
        if resource.host in scene.unreachable:
            continue
        assessed[resource.address] = found = assess(resource, scene, upstream)
        if found.drift is None:
            continue
        by = acceptance.of_drift(found.drift, scene.accepted)
        if by is not None and acceptance.in_force(by, scene.today):
            accepted.append((found.drift, by))
        else:
            change = change_for(found.drift, scene)
            change = replace(change, after=_owed_to(change, changes, scene), lapsed=by)
            changes.append(change)
            upstream.update(upstream_of(change.actions))
    seen = [resource for resource in scene.resources if resource.address in assessed]
    grouped = units(seen, scene.kinds)
    return Plan(
        document=scene.document,
        changes=tuple(_held(changes, seen, grouped, scene)),
        in_sync=tuple(address for address, found in assessed.items() if found.drift is None),
        units=grouped,
        fingerprints=_fingerprints(assessed, changes, scene.key),
        advice=tuple(_advice(seen, assessed, scene)) if scene.advised else (),
        unreachable=dict(scene.unreachable),
        unfinished=dict(scene.unfinished),
        unmanaged=tuple(line for found in assessed.values() for line in found.told.left),
        accepted=tuple(accepted),
        elsewhere=dict(scene.elsewhere),
        secrets=scene.secrets | {text for found in assessed.values() for text in _secrets(found)},
    )


def change_for(drift: Drift, scene: Scene) -> Change:
    """The kind's actions for one drift, or its refusal; a write outside `may_change` is a refusal
    too."""
    kind = scene.kinds[drift.resource.kind]
    if drift.refusals:
        return Change(drift.resource, drift, (), "!", refusal=drift.refusals[0])
    actions: list[Action] = []
    for step in kind.actions(drift.view, drift):
        if isinstance(step, Refuse):
            return Change(drift.resource, drift, (), "!", refusal=step)
        actions.append(step)
    forbidden = _forbidden(actions, scene) or _nothing_to_do(drift, actions)
    if forbidden is not None:
        return Change(drift.resource, drift, (), "!", refusal=forbidden)
    return Change(drift.resource, drift, tuple(actions), _symbol(drift, actions))


def upstream_of(actions: Iterable[Action]) -> Iterator[tuple[Path, bytes | str | Unknown | None]]:
    """What later resources must take for written once these actions are done.

    A stamp with new ticks makes the readers of its path owed, with a digest if it is all that moves
    there.
    """
    for action in actions:
        match action:
            case WriteFile(host=host, path=path, after=after):
                yield (host, path), after
            case SyncTree(host=host, to_directory=path):
                yield (host, path), UNKNOWN
            case Run(host=host, writes=writes):
                yield from (((host, path), UNKNOWN) for path in writes)
            case Stamp(host=host, path=path, values=values, fill=fill) if (
                path and values is not None
            ):
                only_clock = all(isinstance(item, ReadClock) for _, item in fill)
                yield (host, path), digest_of(dict(values), default=repr) if only_clock else UNKNOWN


def units(resources: Sequence[Resource], kinds: Mapping[str, Kind]) -> tuple[tuple[str, ...], ...]:
    """Groups of addresses that are restored together: law 8 of the house, in
    the resources' order."""
    home = {resource.address: (resource.host, kinds[resource.kind].UNIT) for resource in resources}
    merged = {unit: unit for unit in home.values()}

    def root(unit: tuple[str, str]) -> tuple[str, str]:
        while merged[unit] != unit:
            unit = merged[unit]
        return unit

    for early, late in edges(resources, kinds):
        if early.host == late.host:
            merged[root(home[late.address])] = root(home[early.address])
    groups: dict[tuple[str, str], list[str]] = {}
    for address, unit in home.items():
        groups.setdefault(root(unit), []).append(address)
    return tuple(tuple(addresses) for addresses in groups.values())


def edges(
    resources: Sequence[Resource], kinds: Mapping[str, Kind]
) -> Iterator[tuple[Resource, Resource]]:
    """(early, late): a path that `early` writes and one that `late` reads contain each other."""
    for position, late in enumerate(resources):
        reads = read_paths(late, kinds)
        for early in resources[:position]:
            if _meet(kinds[early.kind].writes(early.spec), reads):
                yield early, late


def read_paths(resource: Resource, kinds: Mapping[str, Kind]) -> tuple[Path, ...]:
    """The (host, path) a resource looks at; our own state folder and probes have none."""
    return tuple(
        path for reading in kinds[resource.kind].reads(resource.spec) for path in paths_of(reading)
    )


def paths_of(reading: Reading) -> Iterator[Path]:
    """The (host, path) of one reading."""
    match reading:
        case ReadFile(host=host, path=path) | ReadStat(host=host, path=path):
            yield host, path
        case ReadGlob(host=host, patterns=patterns):
            yield from (
                (host, pattern.split("*")[0].rpartition("/")[0] + "/") for pattern in patterns
            )
        case ReadTree(host=host, root=root, paths=paths):
            yield from ((host, join(root, path)) for path in paths)


def _meet(writes: Iterable[Path], reads: Iterable[Path]) -> bool:
    reads = tuple(reads)
    return any(
        host == other and overlap(path, read) for host, path in writes for other, read in reads
    )


def _symbol(drift: Drift, actions: Sequence[Action]) -> Symbol:
    if not drift.desired.present:
        return "-"
    if any(isinstance(action, Run) and action.replaces for action in actions):
        return "-/+"
    return "~" if drift.actual.present else "+"


def _forbidden(actions: Iterable[Action], scene: Scene) -> Refuse | None:
    for action in actions:
        match action:
            case WriteFile(host=host, path=path) | SyncTree(host=host, to_directory=path):
                fine = may_hold(path, scene.may_change.get(host, ()))
            case MakeDirectory(host=host, path=path):  # the folder of an allowed file, too
                inside = path.rstrip("/") + "/"
                named = scene.may_change.get(host, ())
                fine = allowed(path, named) or any(entry.startswith(inside) for entry in named)
            case _:
                continue
        if not fine:
            return Refuse(
                "outside-may-change",
                say("outside-may-change", path=path, host=host),
                cure=say("outside-may-change.cure", path=path, host=host),
            )
    return None


def _nothing_to_do(drift: Drift, actions: Sequence[Action]) -> Refuse | None:
    if actions:
        return None
    keys = [".".join(map(str, difference.path)) for difference in drift.differences]
    return Refuse("no-cure", say("no-cure", address=drift.resource.address, keys=keys))


def _owed_to(change: Change, earlier: Sequence[Change], scene: Scene) -> tuple[str, ...]:
    """The addresses whose result this change waits for; bytes that are known already are no reason
    to."""
    if not _holds_unknown(change.drift.desired.values):
        return ()
    reads = read_paths(change.resource, scene.kinds)
    return tuple(
        other.resource.address
        for other in earlier
        if _meet(
            (path for path, value in upstream_of(other.actions) if not isinstance(value, bytes)),
            reads,
        )
    )


def _holds_unknown(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_unknown(item) for item in value.values())
    return value is UNKNOWN


def _held(
    changes: Sequence[Change],
    resources: Sequence[Resource],
    grouped: Sequence[Sequence[str]],
    scene: Scene,
) -> Iterator[Change]:
    """The changes with `held` set in every unit that is refused, guarded, or reads what such a one
    writes."""
    unit_of = {address: unit for unit in grouped for address in unit}
    by_address = {resource.address: resource for resource in resources}
    blocked: dict[Sequence[str], str] = {}
    for change in changes:
        if change.refusal is None:
            continue
        guilty = change.resource
        blocked.setdefault(unit_of[guilty.address], guilty.address)
        if scene.kinds[guilty.kind].UNIT == GUARD:
            on_host = (address for address, item in by_address.items() if item.host == guilty.host)
            blocked |= {unit_of[address]: guilty.address for address in on_host}
    blocked = spread_block(blocked, changes, unit_of, by_address, scene.kinds)
    for change in changes:
        cause = blocked.get(unit_of[change.resource.address], "")
        yield change if change.refusal is not None else replace(change, held=cause)


def spread_block(
    blocked: Mapping[Sequence[str], str],
    changes: Sequence[Change],
    unit_of: Mapping[str, Sequence[str]],
    by_address: Mapping[str, Resource],
    kinds: Mapping[str, Kind],
) -> dict[Sequence[str], str]:
    """`blocked` (unit -> the address that blocks it) and every unit that reads what a blocked one
    writes."""
    spread = dict(blocked)
    for change in changes:
        unit = unit_of[change.resource.address]
        reads = read_paths(change.resource, kinds)
        for other, cause in list(spread.items()):
            writes = (
                path
                for name in other
                for path in kinds[by_address[name].kind].writes(by_address[name].spec)
            )
            if unit not in spread and _meet(writes, reads):
                spread[unit] = cause
    return spread


def _advice(
    resources: Sequence[Resource], assessed: Mapping[str, Assessment], scene: Scene
) -> list[AdviceAt]:
    found: dict[tuple[str, Where], AdviceAt] = {}
    for resource in resources:
        for advice in scene.kinds[resource.kind].advice(assessed[resource.address].view):
            where = resource.line(advice.pointer)
            found.setdefault((advice.rule, where), AdviceAt(advice, resource.address, where))
    told = acceptance.unsilenced(found.values(), scene.accepted, scene.today)
    return sorted(told, key=lambda item: (_SEVERITY.index(item.advice.severity), item.where.line))


def _fingerprints(
    assessed: Mapping[str, Assessment], changes: Sequence[Change], key: bytes
) -> dict[str, dict[str, str]]:
    """Address -> its compared facts, and the bytes that would be replaced."""
    found = {address: dict(item.facts) for address, item in assessed.items()}
    for change in changes:
        for action in change.actions:
            if isinstance(action, WriteFile):
                before = sealed(sha256_or_none(action.before), key)
                found[change.resource.address][f"{_BYTES}{action.path}"] = before
    return found


def moved(
    planned: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]
) -> list[Said]:
    """What of the planned fingerprints is not so any more: `dns (servers, the bytes of /etc/…)`."""
    found = []
    for address, facts in planned.items():
        other = now.get(address, {})
        names = [name for name in {**facts, **other} if facts.get(name) != other.get(name)]
        if names:
            code = "plan.moved-in-more" if len(names) > _FEW else "plan.moved"
            found.append(say(code, address=address, facts=map(_fact, names[:_FEW])))
    return found


def _fact(name: str) -> Text:
    """A compared fact as a person knows it."""
    path = name.removeprefix(_BYTES)
    return name if path == name else say("plan.bytes-of", path=path)


def _secrets(found: Assessment) -> Iterator[str]:
    for state in (found.desired, found.actual):
        yield from secrets_in(state.values)
