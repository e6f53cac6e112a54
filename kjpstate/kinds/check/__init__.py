"""Kind `check`: acceptance. It only looks, is never part of plan or drift, and says one sentence a
check.

Called by `reconcile.verify` through `reads`, `see` and `judge`; the other names complete the face
of a kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kjpstate.formats.soak import Expected
from kjpstate.kinds.check import apps, dns, section
from kjpstate.kinds.check import plain as plain_checks
from kjpstate.kinds.check.spec import (
    AppCheck,
    Check,
    CommandCheck,
    CpuCheck,
    DnsCheck,
    FileCheck,
    LogCheck,
    ManualCheck,
)
from kjpstate.kinds.check.verdict import Verdict
from kjpstate.model import (
    CHECKS,
    Action,
    Advice,
    Answers,
    CheckResult,
    Drift,
    Reading,
    Refuse,
    State,
    Told,
    Upstream,
)
from kjpstate.said import plain
from kjpstate.section import Made, Page

KIND, ORDER, UNIT, SECTION = "check", 90, CHECKS, "checks"


@dataclass(frozen=True)
class View:
    """One check and its verdict."""

    spec: Check
    verdict: Verdict


@dataclass(frozen=True)
class _Type:
    reads: Callable[[Any], Iterable[Reading]]
    verdict: Callable[[Any, Answers], Verdict]


_TYPES = {
    AppCheck: _Type(apps.app_reads, apps.app_verdict),
    CommandCheck: _Type(plain_checks.command_reads, plain_checks.command_verdict),
    CpuCheck: _Type(apps.cpu_reads, apps.cpu_verdict),
    DnsCheck: _Type(dns.reads, dns.verdict),
    FileCheck: _Type(plain_checks.file_reads, plain_checks.file_verdict),
    LogCheck: _Type(apps.log_reads, apps.log_verdict),
    ManualCheck: _Type(plain_checks.manual_reads, plain_checks.manual_verdict),
}


def resources(page: Page, earlier: Sequence[Made]) -> Iterable[Made]:
    """Each check, with what it needs of `earlier`."""
    return section.made(KIND, SECTION, page, earlier)


def reads(spec: Check) -> Iterable[Reading]:
    """What this type of check looks at."""
    return _TYPES[type(spec)].reads(spec)


def see(spec: Check, answers: Answers, upstream: Upstream) -> View:
    """The verdict."""
    return View(spec, _TYPES[type(spec)].verdict(spec, answers))


def judge(view: View) -> CheckResult:
    """The verdict under the check's name; `manual` is neither passed nor failed. A host that was
    not reached is not judged here."""
    found = view.verdict
    return CheckResult(view.spec.name, found.result, found.reason, view.spec.host)


def actual(view: View) -> State:
    """The verdict as a state: `passed`, or the message that says why not."""
    found = view.verdict
    return State({"verdict": "passed" if found.result == "passed" else plain(found.reason)})


def desired(view: View) -> State:
    """Passed; of a check that a person makes, whatever it asks."""
    found = view.verdict
    return State({"verdict": plain(found.reason) if found.result == "manual" else "passed"})


def writes(spec: Check) -> Iterable[tuple[str, str]]:
    """Nothing."""
    return ()


def refusals(view: View) -> Iterable[Refuse]:
    """Nothing."""
    return ()


def actions(view: View, drift: Drift) -> Iterator[Action | Refuse]:
    """Nothing: a check that fails is told, never cured."""
    return iter(())


def advice(view: View) -> Iterable[Advice]:
    """Nothing."""
    return ()


def told(view: View, drift: Drift | None) -> Told:
    """The difference itself: the sentence."""
    return Told()


def questions(spec: Check) -> Iterator[Expected]:
    """What a watch over the apps of this host asks as well."""
    if isinstance(spec, DnsCheck):
        yield Expected(names=spec.resolves)
    if isinstance(spec, LogCheck):
        yield Expected(app=spec.app.name, absent=spec.absent)
