"""Kind `check`: acceptance. It only looks, is never part of plan or drift, and says one sentence a
check.

Called by `reconcile.verify` through `reads` and `judge`; the other names complete the face of a
kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from kjpstate.kinds.check import apps, dns, plain
from kjpstate.kinds.check.verdict import Verdict
from kjpstate.model import (
    Action,
    Advice,
    Answers,
    CheckResult,
    Drift,
    Reading,
    Refuse,
    Spec,
    State,
    Upstream,
)

KIND, ORDER, UNIT = "check", 90, "check"


@dataclass(frozen=True)
class _Type:
    reads: Callable[[Spec], Iterable[Reading]]
    verdict: Callable[[Spec, Answers], Verdict]


_TYPES = {
    "app": _Type(apps.app_reads, apps.app_verdict),
    "command": _Type(plain.command_reads, plain.command_verdict),
    "cpu": _Type(apps.cpu_reads, apps.cpu_verdict),
    "dns": _Type(dns.reads, dns.verdict),
    "file": _Type(plain.file_reads, plain.file_verdict),
    "log": _Type(apps.log_reads, apps.log_verdict),
    "manual": _Type(plain.manual_reads, plain.manual_verdict),
}


def reads(spec: Spec) -> Iterable[Reading]:
    """What this type of check looks at."""
    return _TYPES[spec["type"]].reads(spec)


def judge(spec: Spec, answers: Answers) -> CheckResult:
    """The verdict; `manual` is neither passed nor failed. A host that was not reached is not judged
    here."""
    verdict = _TYPES[spec["type"]].verdict(spec, answers)
    return CheckResult(spec["name"], verdict.result, verdict.reason, spec.get("host", ""))


def actual(spec: Spec, answers: Answers) -> State:
    """The verdict as a state: `passed`, or the sentence that says why not."""
    verdict = _TYPES[spec["type"]].verdict(spec, answers)
    return State({"verdict": "passed" if verdict.result == "passed" else verdict.reason})


def desired(spec: Spec, answers: Answers, upstream: Upstream) -> State:
    """Passed; of a check that a person makes, whatever it asks."""
    return State({"verdict": spec["text"] if spec["type"] == "manual" else "passed"})


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """Nothing."""
    return ()


def actions(spec: Spec, drift: Drift) -> Iterator[Action | Refuse]:
    """Nothing: a check that fails is told, never cured."""
    return iter(())


def advice(spec: Spec, answers: Answers) -> Iterator[Advice]:
    """Nothing."""
    return iter(())
