"""Report, checks, backups and events -> lines."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from kjpstate.host import Cost
from kjpstate.kinds import parts
from kjpstate.model import CheckResult, Event, Plan, Report, Step
from kjpstate.render.lines import BLANK, Line
from kjpstate.render.plans import STYLES
from kjpstate.said import Said, say

_RESULT_STYLES = {
    "applied": "good",
    "shrunk": "good",
    "failed": "refuse",
    "restored": "replace",
    "refused": "refuse",
    "passed": "good",
    "unknown": "refuse",
    "manual": "change",
}
_SAID = {
    "applied": "report.applied",
    "shrunk": "report.shrunk",
    "failed": "report.failed",
    "restored": "report.restored",
    "held": "report.held",
    "refused": "report.refused",
    "not tried": "report.not-tried",
}
_COUNTED = {
    "shrunk": "report.counted-shrunk",
    "failed": "report.counted-failed",
    "restored": "report.counted-restored",
    "held": "report.counted-held",
    "refused": "report.counted-refused",
    "not tried": "report.counted-not-tried",
}
_MARKS = {
    "passed": "checks.ok",
    "failed": "checks.failed",
    "manual": "checks.by-hand",
    "unknown": "checks.not-known",
}


_LONG_NAME = 16
"""Characters of a check's name above which it has a row to itself, so that reasons keep their room.
"""


def report_lines(report: Report, second: Plan | None, seconds: float) -> tuple[Line, ...]:
    """What an apply did, step by step, and what the second look says."""
    address = max((len(step.address) for step in report.steps), default=0)
    lines = [line for step in report.steps for line in _step(step, address)]
    lines += _by_hand(report)
    if report.backups:
        lines.append(BLANK)
        lines.append(Line(say("report.kept", run=report.run.id), "strong"))
        lines += [Line(f"  {host}  {backup}", hang=4) for host, _, backup in report.backups]
    lines += _suggestions(report)
    if report.checks:
        lines += [BLANK, *check_lines(report.checks)]
    return (*lines, BLANK, *_second_look(second), _last(report, seconds))


def rollback_lines(
    report: Report, run: str, seconds: float, untouched: Collection[str] = ()
) -> tuple[Line, ...]:
    """What became of a rollback, judged by the hosts that `run` changed, and how it is itself taken
    back.

    `untouched`: hosts that were not reached and had no part in `run`.
    """
    address = max((len(step.address) for step in report.steps), default=0)
    lines = [line for step in report.steps for line in _step(step, address)]
    if report.backups:
        lines += [BLANK, Line(say("report.kept", run=report.run.id), "strong")]
        lines += [Line(f"  {host}  {backup}", hang=4) for host, _, backup in report.backups]
    lines += [BLANK, Line(say("undone.next"), hang=2)]
    if untouched:
        left = say("undone.untouched", count=len(untouched), hosts=[*untouched])
        lines.append(Line(left, ours=True, hang=2))
    return (*lines, Line(_taken_back(report, run, seconds), "strong", ours=True, hang=2))


def _taken_back(report: Report, run: str, seconds: float) -> Said:
    homes = {change.resource.address: change.resource.host for change in report.plan.changes}
    done = [homes[step.address] for step in report.steps if step.result in ("applied", "shrunk")]
    left = [homes[step.address] for step in report.steps if homes[step.address] not in done]
    left += report.plan.unreachable
    if not left and report.exit_code == 0:
        return say("undone.all", run=run, seconds=seconds, by=report.run.id)
    if not done:
        return say("undone.nothing", run=run)
    if not left:
        return say("undone.not-to-the-end", run=run, by=report.run.id)
    return say("undone.partly", run=run, hosts=done, by=report.run.id, left=left)


def check_lines(checks: Sequence[CheckResult]) -> tuple[Line, ...]:
    """The table of checks and its count; a manual one is asked, never passed."""
    if not checks:
        return (Line(say("checks.none"), ours=True),)
    short = [len(check.name) for check in checks if len(check.name) <= _LONG_NAME]
    name, host = max(short, default=0), min(max(len(check.host) for check in checks), 24)
    rows = [_check(check, name, host) for check in checks]
    return (
        Line(say("checks.title"), "strong", ours=True),
        *rows,
        Line(checks_count(checks), ours=True),
    )


def _check(check: CheckResult, name: int, host: int) -> Line:
    """One row; the reason stands in its column, below a name that is too long for its own."""
    mark, style = f"  {say(_MARKS[check.result])!s:<9}  ", _RESULT_STYLES.get(check.result, "")
    reason = "; ".join(str(check.reason).split("\n"))
    if len(check.name) > _LONG_NAME:
        where = f"{check.host}  " if check.host else ""
        return Line(f"{mark}{check.name}\n{where}{reason}", style, hang=len(mark))
    label = f"{mark}{check.name:<{name}}  {check.host:<{host}}  "
    return Line(label + reason, style, hang=len(label))


def checks_count(checks: Sequence[CheckResult]) -> str:
    """`Checks: 6 passed, 0 failed, 1 by hand.`"""
    found = {result: sum(check.result == result for check in checks) for result in _MARKS}
    parts = [say("checks.count-passed", count=found["passed"])]
    parts += [say("checks.count-failed", count=found["failed"])]
    parts += [say("checks.count-by-hand", count=found["manual"])] if found["manual"] else []
    parts += [say("checks.count-not-known", count=found["unknown"])] if found["unknown"] else []
    return str(say("checks.count", parts=parts))


def event_line(event: Event) -> Line:
    """One line of progress."""
    match event.kind:
        case "start":
            return Line(f"{event.address}", "strong")
        case "done":
            done = say("event.done", address=event.address)
            if event.text:
                done = say("event.done-so", address=event.address, how=event.text)
            return Line(done, "good", hang=4)
        case "failed":
            failed = say("event.failed", address=event.address, why=event.text)
            return Line(failed, "refuse", hang=4)
        case "output":
            return Line(f"      {event.text}", "faint", hang=8)
        case "recovered":
            return Line(str(event.text), "replace", hang=2)
        case "wait":
            waits = say("event.waits", what=event.text)
            return Line(f"    {waits}", hang=6)
        case _:
            return Line(f"    {event.text}", hang=6)


def cost_lines(costs: Mapping[str, Cost], milliseconds: float) -> Iterator[Line]:
    """For `-v`: what the looking cost on each host, and the wall time."""
    for host, cost in costs.items():
        spent = [say("cost.connections", count=cost.connections)]
        spent.append(say("cost.execs", count=cost.execs))
        bytes_ = {"sent": cost.sent, "received": cost.received}
        yield Line(say("cost.host", host=host, spent=spent, **bytes_))
    yield Line(f"{milliseconds:.0f} ms", ours=True)


def _step(step: Step, address: int) -> Iterator[Line]:
    label = f"  {step.address:<{address}}  "
    first, *rest = str(step.reason).split("\n")
    result = say(_SAID[step.result])
    if first:
        result = say("report.so", result=result, why=first)
    style = _RESULT_STYLES.get(step.result, "")
    yield Line(f"{label}{result}", style, hang=len(label))
    for line in rest:
        indent = 6 + len(line) - len(line.lstrip())
        yield Line(f"{'':<6}{line}", style, hang=indent + 4)


def _by_hand(report: Report) -> Iterator[Line]:
    """What a human must type, host by host, where putting back failed too; each line as it is to be
    typed."""
    for host in dict.fromkeys(host for host, _ in report.commands):
        yield BLANK
        yield Line(say("report.by-hand", host=host), "refuse")
        yield from (Line(f"  {line}") for name, line in report.commands if name == host)


def _suggestions(report: Report) -> Iterator[Line]:
    """Commands to type now that it is applied."""
    applied = {step.address for step in report.steps if step.result == "applied"}
    changes = [change for change in report.plan.changes if change.resource.address in applied]
    found = [item for after_apply in parts("after_apply") for item in after_apply(changes)]
    if found:
        yield BLANK
    yield from (Line(f"{item.why}:  {item.command}", whole=True) for item in found)


def _second_look(second: Plan | None) -> Iterator[Line]:
    if second is None:
        return
    if second.empty:
        yield Line(say("report.in-sync"), "good", ours=True)
        return
    yield Line(say("report.still-differs"), "refuse", ours=True)
    for change in second.changes:
        headline = change.drift.told.headline
        yield Line(
            f"{change.symbol:>3} {change.resource.address}  {change.resource.host}  {headline}",
            STYLES[change.symbol],
            hang=6,
        )


def _last(report: Report, seconds: float) -> Line:
    found = {result: sum(step.result == result for step in report.steps) for result in _SAID}
    parts = [say("report.counted-applied", count=found["applied"])]
    parts += [say(code, count=found[result]) for result, code in _COUNTED.items() if found[result]]
    return Line(say("report.counts", parts=parts, seconds=seconds), "strong", ours=True)
