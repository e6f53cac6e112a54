"""The straight line for one document over its hosts: look, compare, plan; apply; verify.

Called by `cli` with a loaded document and opened hosts. `plan` is `apply` with the last step
withheld.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from kjpstate import apply as applying
from kjpstate import errors
from kjpstate import plan as planning
from kjpstate.formats import journal
from kjpstate.host import Eye, Host, HostSpec
from kjpstate.hosts import connect
from kjpstate.kinds import KINDS
from kjpstate.model import (
    EVERYTHING,
    GUARD,
    Acceptance,
    Answer,
    Answers,
    CheckResult,
    Event,
    Holder,
    NotAsked,
    Plan,
    Reading,
    ReadLock,
    ReadState,
    Recovered,
    Report,
    Resource,
    RunInfo,
    Scope,
    Unfinished,
    named,
)
from kjpstate.plan import Scene
from kjpstate.said import Text, say

_PAUSE = 3.0
"""Seconds between two looks at such a check."""


class Document(Protocol):
    """What of a loaded document is needed here; `document.Document` is its body."""

    @property
    def name(self) -> str: ...
    @property
    def hosts(self) -> Mapping[str, HostSpec]: ...
    @property
    def resources(self) -> tuple[Resource, ...]: ...
    @property
    def guards(self) -> tuple[Resource, ...]: ...
    @property
    def checks(self) -> tuple[Resource, ...]: ...
    @property
    def guardrails(self) -> Any: ...
    @property
    def accepted(self) -> tuple[Acceptance, ...]: ...
    @property
    def secrets(self) -> frozenset[str]: ...
    @property
    def elsewhere(self) -> Mapping[str, str]: ...


def open_hosts(document: Document, *, state_folder: Path) -> dict[str, Host]:
    """A body of the port for each host that a section, check or pin of the document needs.

    Nothing is connected yet: that is the first `look`.
    """
    allowed = may_change(document)
    return {
        name: connect(spec, may_change=allowed.get(name, ()), state_folder=state_folder)
        for name, spec in document.hosts.items()
    }


def may_change(document: Document) -> dict[str, tuple[str, ...]]:
    """Host -> the paths kjpstate may write there: as the guardrails say (an empty list: none), else
    just what the sections name."""
    found: dict[str, list[str]] = {}
    for resource in document.resources:
        for host, path in KINDS[resource.kind].writes(resource.spec):
            found.setdefault(host, []).append(path)
    written = document.guardrails.may_change
    named: Mapping[str, tuple[str, ...]] = {} if written is None else written
    return {
        host: tuple(named[host] if host in named else found.get(host, ()))
        for host in document.hosts
    }


async def plan(
    document: Document,
    hosts: Mapping[str, Eye],
    *,
    key: bytes,
    scope: Scope = EVERYTHING,
) -> Plan:
    """Look at every host in scope at once and say what is to be done; unreachable hosts are in the
    plan."""
    return planning.build(await scene(document, hosts, key=key, scope=scope))


async def scene(
    document: Document,
    hosts: Mapping[str, Eye],
    *,
    key: bytes,
    scope: Scope = EVERYTHING,
    more: Sequence[Reading] = (),
    locks: bool = False,
    distrusted: set[str] | None = None,
) -> Scene:
    """Everything a plan is made of, read in one message a host; `more`: what is to be answered
    beside.

    `locks`: who holds each host's lock is asked once more last, so that the two frame the look.
    `distrusted`: as `look` has it.
    """
    resources = in_scope(document, scope)
    bare = _bare(document, resources, key)
    wanted = applying.readings_by_host(bare)
    notes = {name: ReadState(name, document.name, journal.FILE) for name in wanted}
    for name, note in notes.items():
        beside = [note, *(reading for reading in more if reading.host == name)]
        last = [ReadLock(name, "last")] if locks else []
        wanted[name] = [ReadLock(name, "first"), *wanted[name], *beside, *last]
    answers, unreachable = await look(hosts, wanted, distrusted)
    cut = unfinished(document, tuple(wanted), answers)
    return replace(bare, answers=answers, unreachable=unreachable, unfinished=cut)


def unfinished(document: Document, hosts: Sequence[str], answers: Answers) -> dict[str, Unfinished]:
    """Host -> the run that its journal leaves open, or that died with its lock, where they were
    read."""
    found = {name: _unfinished(document, name, answers) for name in hosts}
    return {name: run for name, run in found.items() if run is not None}


def _unfinished(document: Document, host: str, answers: Answers) -> Unfinished | None:
    note, lock = (
        answers.get(ReadState(host, document.name, journal.FILE)),
        answers.get(ReadLock(host)),
    )
    known = journal.read(note) if isinstance(note, bytes) else None
    if known is None or known.ended:
        if isinstance(lock, Holder) and lock.life == "dead":
            return Unfinished(lock.run, lock.when, lock.who)
        return None
    at = known.pending
    return Unfinished(
        known.run, known.when, known.who, at.kind if at else "", at.path if at else ""
    )


async def look(
    hosts: Mapping[str, Eye],
    wanted: Mapping[str, Sequence[Reading]],
    distrusted: set[str] | None = None,
) -> tuple[dict[Reading, Answer], dict[str, Text]]:
    """All answers, and host -> why for those out of reach, whose readings are NotAsked.

    A host whose key is not the confirmed one ends it (RefusedError): nothing may be done as long as
    nobody knows who that is. With `distrusted`, for who only looks, it goes into that set and is
    out of reach.
    """
    names = [name for name in wanted if name in hosts]
    results = await asyncio.gather(
        *(_in_time(hosts[name], list(dict.fromkeys(wanted[name]))) for name in names),
        return_exceptions=True,
    )
    answers: dict[Reading, Answer] = {
        reading: NotAsked(say("look.not-from-here"))
        for name in wanted
        if name not in hosts
        for reading in wanted[name]
    }
    unreachable: dict[str, Text] = {}
    for name, result in zip(names, results, strict=True):
        if distrusted is not None and isinstance(result, errors.Distrusted):
            distrusted.add(name)
            unreachable[name] = _with_rule(result)
            unasked = NotAsked(say("look.not-who-it-was", host=name))
            answers.update(dict.fromkeys(wanted[name], unasked))
        elif isinstance(result, errors.Unreachable):
            unreachable[name] = _sentence(result)
            answers.update(
                dict.fromkeys(wanted[name], NotAsked(say("look.unreachable", host=name)))
            )
        elif isinstance(result, BaseException):
            raise result
        else:
            answers.update(result)
    return answers, unreachable


async def _in_time(host: Eye, readings: Sequence[Reading]) -> Answers:
    """One host's answers; raises Unreachable when it takes longer than it may."""
    try:
        async with asyncio.timeout(host.within):
            return await host.look(readings)
    except TimeoutError:
        raise errors.Unreachable(
            host.name,
            say("look.not-in-time", host=host.name, seconds=round(host.within or 0, 1)),
            say("look.not-in-time.cure"),
        ) from None


async def apply(
    document: Document,
    hosts: Mapping[str, Host],
    plan: Plan,
    *,
    run: RunInfo,
    key: bytes,
    progress: Callable[[Event], None],
    scope: Scope = EVERYTHING,
    patience: float = 0.0,
    lock_timeout: float = 0.0,
    wait: float = 0.0,
) -> Report:
    """Do what `plan` shows, then run the checks; `patience`: seconds a bot that just started has
    for them.

    `lock_timeout`: seconds to wait for a lock that another run holds. `wait`: seconds to wait for a
    host that is lost on the way; what is left is done when it still is what the plan shows.

    Raises StalePlan, Locked or Unreachable before the first write; of a fleet, a member out of
    reach is left out and reported.
    """
    refuse_unreachable(document, plan)
    reached = tuple(item for item in in_scope(document, scope) if item.host not in plan.unreachable)
    seen = replace(_bare(document, reached, key), unreachable=plan.unreachable)
    report = await applying.run(
        plan, seen, hosts, run, progress, patience=applying.Patience(lock_timeout, wait)
    )
    lost = any(step.result == "failed" for step in report.steps)
    if lost or report.exit_code not in (errors.IN_SYNC, errors.UNREACHABLE, errors.DRIFT):
        return report
    asking = functools.partial(verify, document, hosts, key=key, scope=scope, lost=plan.unreachable)
    results = await _patiently(asking, document.checks, patience, progress)
    failed = errors.code_of(result.result for result in results if result.result == "failed")
    return replace(report, checks=results, exit_code=errors.worst((report.exit_code, failed)))


async def recover(
    hosts: Mapping[str, Host],
    plan: Plan,
    run: RunInfo,
    progress: Callable[[Event], None] = lambda event: None,
    lock_timeout: float = 0.0,
) -> tuple[Recovered, ...]:
    """Let each host of `plan.unfinished` settle what a lost run left half done, and say so; then
    plan again.

    Settling is the first thing a host does under its lock; `lock_timeout`: seconds to wait for that
    lock. Raises Locked, Unreachable.
    """
    found: list[Recovered] = []
    for name in plan.unfinished:
        await applying.begin(hosts[name], run, (), progress, lock_timeout)
        found += hosts[name].recovered
        await hosts[name].end()
    return tuple(found)


async def verify(
    document: Document,
    hosts: Mapping[str, Eye],
    *,
    key: bytes,
    names: Sequence[str] = (),
    scope: Scope = EVERYTHING,
    lost: Mapping[str, Text] = MappingProxyType({}),
) -> tuple[CheckResult, ...]:
    """Every acceptance check in scope (or those named), in the document's order; a host's travel
    together.

    `lost`: host -> why it is out of reach, which is known already: it is not asked again.
    """
    missing = set(names) - {item.spec.name for item in document.checks}
    if missing:
        raise errors.UsageError(say("verify.no-such-check", names=sorted(missing)))
    there = hosts_in_scope(document, scope)
    chosen = [
        item
        for item in document.checks
        if (not names or item.spec.name in names) and (not item.host or item.host in there)
    ]
    wanted: dict[str, list[Reading]] = {}
    for item in chosen:
        for reading in KINDS[item.kind].reads(item.spec):
            if reading.host not in lost:
                wanted.setdefault(reading.host, []).append(reading)
    answers, unreachable = await look(hosts, wanted)
    return tuple(_judge(item, answers, {**lost, **unreachable}) for item in chosen)


async def _patiently(
    asking: Callable[..., Awaitable[tuple[CheckResult, ...]]],
    checks: Sequence[Resource],
    patience: float,
    progress: Callable[[Event], None],
) -> tuple[CheckResult, ...]:
    """The checks; those that a bot fails only because it is still starting are asked again for a
    while."""
    deadline = time.monotonic() + patience
    results = await asking()
    starting = {item.spec.name for item in checks if item.spec.starting}
    told: list[str] = []
    while True:
        failed = [
            item.name for item in results if item.result == "failed" and item.name in starting
        ]
        if not failed or time.monotonic() >= deadline:
            return results
        if failed != told:
            progress(Event("wait", "", say("verify.may-be-starting", checks=failed)))
        told = failed
        await asyncio.sleep(_PAUSE)
        again = {item.name: item for item in await asking(names=failed)}
        results = tuple(again.get(item.name, item) for item in results)


def _judge(item: Resource, answers: Answers, unreachable: Mapping[str, Text]) -> CheckResult:
    if item.host in unreachable:
        return CheckResult(item.spec.name, "unknown", unreachable[item.host], item.host)
    kind: Any = KINDS[item.kind]
    result: CheckResult = kind.judge(kind.see(item.spec, answers, {}))
    return result


def refuse_unreachable(document: Document, plan: Plan) -> None:
    """A host that stands for itself must be seen before anything is written anywhere."""
    for host, why in plan.unreachable.items():
        if not document.hosts[host].member_of:
            lost = errors.Unreachable(host, why, say("look.leave-out"))
            lost.exit_code = exit_code(plan)
            raise lost


def exit_code(plan: Plan) -> int:
    """0 in sync, 2 drift, 3 unreachable, 8 refused; of several the greatest concern."""
    return errors.code_of(findings(plan))


def findings(plan: Plan) -> Iterator[str]:
    """One word for each host out of reach and each change: what only another host can cure is drift
    that says so."""
    yield from ("unreachable" for _ in plan.unreachable)
    yield from ("refused" if change.refused else "drift" for change in plan.changes)


def _bare(document: Document, resources: tuple[Resource, ...], key: bytes) -> Scene:
    return Scene(
        document=document.name,
        resources=resources,
        answers={},
        key=key,
        kinds=KINDS,
        may_change=may_change(document),
        secrets=document.secrets,
        accepted=document.accepted,
        today=today(),
        elsewhere=document.elsewhere,
    )


def in_scope(document: Document, scope: Scope = EVERYTHING) -> tuple[Resource, ...]:
    """The document's resources that the scope names, and the pins on its hosts."""
    resources = (*document.guards, *document.resources)
    for name in scope.only:
        if not any(named(resource.address, name) for resource in resources):
            raise _no_such(name, [resource.address for resource in resources], document)
    return tuple(
        item
        for item in resources
        if scope.has(item.host)
        and (not scope.only or _guards(item) or scope.asks_for(item.address))
    )


def hosts_in_scope(document: Document, scope: Scope) -> tuple[str, ...]:
    """The hosts that a run of this scope changes, watches and judges: those that --limit names, and
    with --only those on which something of it stands (a pin only where it is named itself)."""
    there = {
        item.host
        for item in in_scope(document, scope)
        if not _guards(item) or scope.asks_for(item.address)
    }
    return tuple(name for name in scope.among(document.hosts) if not scope.only or name in there)


def hosts_of(resources: Sequence[Resource]) -> frozenset[str]:
    """The hosts that these read from: a plan looks at no other."""
    return frozenset(
        reading.host for item in resources for reading in KINDS[item.kind].reads(item.spec)
    )


def doubtful(resources: Sequence[Resource], lost: Collection[str]) -> frozenset[str]:
    """The addresses that may seem in sync while these hosts are out of reach, and nobody knows:
    what reads from there, and what comes after it."""
    found = {item.address for item in resources if hosts_of([item]) & set(lost)}
    for early, late in planning.edges(resources, KINDS) if found else ():
        found |= {late.address} if early.address in found else set()
    return frozenset(found)


def _guards(resource: Resource) -> bool:
    """A pin holds everything on its host, so it is looked at whatever `only` names."""
    return KINDS[resource.kind].UNIT == GUARD


def _no_such(name: str, addresses: Sequence[str], document: Document) -> errors.UsageError:
    for address, host in document.elsewhere.items():
        if named(address, name):
            return errors.UsageError(say("only.elsewhere", name=name, host=host))
    return errors.UsageError(say("only.no-such-address", name=name, addresses=addresses))


def today() -> str:
    """This machine's day as YYYY-MM-DD: all that an acceptance's last day is held against."""
    return time.strftime("%Y-%m-%d")


def _sentence(error: errors.KjpstateError) -> Text:
    if not error.remedy:
        return error.message
    if error.rule:
        return _with_rule(error)
    return say("errors.with-remedy", message=error.message, remedy=error.remedy)


def _with_rule(error: errors.KjpstateError) -> Text:
    return say("errors.with-rule", message=error.message, rule=error.rule, remedy=error.remedy)
