"""Plan | Report | checks | an error -> one JSON value under `format_version` 1.0, in Terraform's
words.

Readers ignore keys they do not know; a new minor version only adds. Secrets are masked in every
string.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kjpstate import __version__
from kjpstate.errors import DocumentError, KjpstateError
from kjpstate.model import (
    UNKNOWN,
    Acceptance,
    Action,
    AdviceAt,
    Await,
    Backup,
    Change,
    CheckResult,
    Holder,
    MakeDirectory,
    Plan,
    Prune,
    Report,
    Restore,
    Run,
    Stamp,
    Step,
    SyncTree,
    Unfinished,
    WriteFile,
)
from kjpstate.render.masks import Mask, plain
from kjpstate.render.plans import tally
from kjpstate.said import Said, Text
from kjpstate.said import plain as said_plain
from kjpstate.secret import HIDDEN

FORMAT_VERSION = "1.0"

_ACTIONS = {
    "+": ("create",),
    "~": ("update",),
    "-": ("delete",),
    "-/+": ("delete", "create"),
    "!": ("no-op",),
}


def plan_json(
    plan: Plan,
    mask: Mask,
    *,
    exit_code: int,
    hints: Mapping[str, Text] | None = None,
    busy: Mapping[str, Holder] | None = None,
) -> dict[str, Any]:
    """A plan; `applyable`: whether an apply would do anything at all. Of a drift also `hints`:
    address -> a clause on its cause, and `busy`: the hosts that another run is at work on."""
    refused = [change for change in plan.changes if change.refused]
    return {
        **opening(),
        "document": mask(plan.document),
        "applyable": any(change.refusal is None and not change.held for change in plan.changes),
        "resource_changes": [_change(change, mask) for change in plan.changes],
        "in_sync": plain(plan.in_sync, mask),
        "refused": [_refused(change, mask) for change in refused],
        "unreachable": [
            {"host": mask(host), **_text("reason", why, mask)}
            for host, why in plan.unreachable.items()
        ],
        "unfinished": [_unfinished(host, run, mask) for host, run in plan.unfinished.items()],
        "advice": advice_json(plan.advice, mask),
        **(
            {}
            if hints is None
            else {"hints": {mask(key): mask(text) for key, text in hints.items()}}
        ),
        **(
            {}
            if busy is None
            else {"busy": [_busy(host, owner, mask) for host, owner in busy.items()]}
        ),
        "not_looked_at": [
            {"address": mask(address), "host": mask(host)}
            for address, host in plan.elsewhere.items()
        ],
        "no_longer_managed": plain(plan.unmanaged, mask),
        "accepted": [
            {
                "address": mask(drift.resource.address),
                "host": mask(drift.resource.host),
                **_accepted(by, mask),
            }
            for drift, by in plan.accepted
        ],
        "change_summary": tally(plan),
        "exit_code": exit_code,
    }


def _busy(host: str, owner: Holder, mask: Mask) -> dict[str, Any]:
    return {
        "host": mask(host),
        "run": mask(owner.run),
        "who": mask(owner.who),
        "why": mask(owner.why),
    }


def advice_json(advice: Iterable[AdviceAt], mask: Mask) -> list[dict[str, Any]]:
    """Each advice with its place."""
    return [
        {
            "rule": item.advice.rule,
            "severity": item.advice.severity,
            "address": mask(item.address),
            "file": mask(item.where.file),
            "line": item.where.line,
            **_text("reason", item.advice.reason, mask),
            **_text("cure", item.advice.cure, mask),
        }
        for item in advice
    ]


def report_json(
    report: Report, second: Plan | None, mask: Mask, *, exit_code: int
) -> dict[str, Any]:
    """What an apply did; `second_plan` is what still differs afterwards, null when nobody could
    look."""
    run = report.run
    return {
        **opening(),
        "document": mask(run.document),
        "run": {"id": run.id, "started": run.started, "who": mask(run.who), "why": mask(run.why)},
        "plan": plan_json(report.plan, mask, exit_code=report.exit_code),
        "steps": [_step(step, mask) for step in report.steps],
        "checks": checks_json(report.checks, mask),
        "backups": [
            {"host": mask(host), "path": mask(path), "backup": mask(backup)}
            for host, path, backup in report.backups
        ],
        "recovered": [
            {
                **_unfinished(found.host, found.run, mask),
                "document": mask(found.document),
                "verdict": found.verdict,
            }
            for found in report.recovered
        ],
        "by_hand": [{"host": mask(host), "command": mask(line)} for host, line in report.commands],
        "second_plan": None if second is None else plan_json(second, mask, exit_code=exit_code),
        "exit_code": exit_code,
    }


def _unfinished(host: str, run: Unfinished, mask: Mask) -> dict[str, Any]:
    """A run that did not come to its end, and the action it was at."""
    words = {"run": run.run, "when": run.when, "who": run.who, "action": run.kind, "path": run.path}
    return {"host": mask(host), **{key: mask(value) for key, value in words.items()}}


def _text(name: str, text: Text, mask: Mask) -> dict[str, Any]:
    """A text in words; of a message of ours its code and values too, `NAME_code`, `NAME_values`."""
    words = {name: mask(text)}
    if not isinstance(text, Said):
        return words
    return {**words, f"{name}_code": text.code, f"{name}_values": _values(text, mask)}


def _values(said: Said, mask: Mask) -> dict[str, Any]:
    found: dict[str, Any] = plain(said_plain(said)["values"], mask)
    return found


def checks_json(checks: Iterable[CheckResult], mask: Mask) -> list[dict[str, Any]]:
    """Each check with its result: passed, failed, manual, unknown."""
    return [
        {
            "name": mask(check.name),
            "result": check.result,
            "host": mask(check.host),
            **_text("reason", check.reason, mask),
        }
        for check in checks
    ]


def verify_json(
    document: str, checks: Sequence[CheckResult], mask: Mask, exit_code: int
) -> dict[str, Any]:
    """The answer of `verify --json`."""
    checked = checks_json(checks, mask)
    return {**opening(), "document": mask(document), "checks": checked, "exit_code": exit_code}


def listed_json(name: str, rows: Sequence[Mapping[str, Any]], mask: Mask) -> dict[str, Any]:
    """A list under its name, such as `backups`."""
    return {**opening(), name: plain(rows, mask), "exit_code": 0}


def error_json(error: KjpstateError, mask: Mask) -> dict[str, Any]:
    """Why a verb could not do its work; a document's problems one by one."""
    problems = error.problems if isinstance(error, DocumentError) else ()
    return {
        **opening(),
        "error": {
            **_text("message", error.message, mask),
            **_text("remedy", error.remedy, mask),
            "rule": error.rule,
            "problems": [
                {
                    "file": mask(problem.file),
                    "line": problem.line,
                    "column": problem.column,
                    **_text("reason", problem.reason, mask),
                }
                for problem in problems
            ],
        },
        "exit_code": error.exit_code,
    }


def opening() -> dict[str, Any]:
    """What every value begins with."""
    return {"format_version": FORMAT_VERSION, "kjpstate_version": __version__}


def _change(change: Change, mask: Mask) -> dict[str, Any]:
    drift = change.drift
    after, before = plain(drift.after, mask), plain(drift.before, mask)
    return {
        "address": mask(change.resource.address),
        "type": change.resource.kind,
        "host": mask(change.resource.host),
        "file": mask(change.resource.where.file),
        "line": change.resource.where.line,
        "change": {
            "actions": list(_ACTIONS[change.symbol]),
            "before": before,
            "after": after,
            "after_unknown": _where(drift.after, lambda value: value is UNKNOWN),
            "before_sensitive": _where(before, _hidden),
            "after_sensitive": _where(after, _hidden),
        },
        "known_after": plain(change.after, mask),
        "held_by": mask(change.held) if change.held else None,
        "acceptance_ended": _accepted(change.lapsed, mask) if change.lapsed else None,
        "steps": [_action(action, mask) for action in change.actions],
    }


def _accepted(by: Acceptance, mask: Mask) -> dict[str, Any]:
    return {
        "until": by.until,
        "why": mask(by.why),
        "file": mask(by.where.file),
        "line": by.where.line,
    }


def _refused(change: Change, mask: Mask) -> dict[str, Any]:
    refusal = change.refusal
    assert refusal is not None
    where = change.resource.line(refusal.pointer)
    return {
        "address": mask(change.resource.address),
        "rule": refusal.rule,
        **_text("reason", refusal.reason, mask),
        "places": plain(refusal.places, mask),
        **_text("cure", refusal.cure, mask),
        "file": mask(where.file),
        "line": where.line,
    }


def _action(action: Action, mask: Mask) -> dict[str, Any]:
    """One step without the bytes it carries."""
    match action:
        case WriteFile(path=path, before=before, after=after):
            verb = (
                "create_file"
                if before is None
                else "remove_file"
                if after is None
                else "write_file"
            )
            said: dict[str, Any] = {"do": verb, "path": path}
        case MakeDirectory(path=path):
            said = {"do": "make_directory", "path": path}
        case SyncTree(to_directory=path, from_host=host, from_directory=source, remove=remove):
            said = {
                "do": "sync_tree",
                "path": path,
                "from_host": host,
                "from": source,
                "removes": remove,
            }
        case Run(argv=argv, cwd=cwd, why=why, writes=writes):
            said = {"do": "run", "argv": argv, "cwd": cwd, "why": why, "writes": writes}
        case Stamp(name=name, values=values):
            said = {"do": "stamp" if values is not None else "remove_stamp", "name": name}
        case Await(why=why, timeout=timeout):
            said = {"do": "await", "why": why, "timeout": timeout}
        case Prune(backups=backups):
            said = {"do": "prune", "backups": backups}
        case Backup(path=path):
            said = {"do": "backup", "path": path}
        case Restore(path=path, backup=backup):
            said = {"do": "restore", "path": path, "backup": backup}
    word = said.pop("do")
    return {"do": word, "host": mask(action.host), **plain(said, mask)}


def _step(step: Step, mask: Mask) -> dict[str, Any]:
    return {
        "address": mask(step.address),
        "result": step.result.replace(" ", "_"),
        **_text("reason", step.reason, mask),
        "steps": [
            {
                **_action(outcome.action, mask),
                "status": outcome.status,
                **_text("reason", outcome.reason, mask),
                "backup": mask(outcome.backup),
                "exit_code": outcome.exit_code,
            }
            for outcome in step.outcomes
        ],
    }


def _where(value: Any, holds: Any) -> Any:
    """The shape of `value` with true at every leaf that `holds`; nothing else is kept."""
    if isinstance(value, Mapping):
        found = {str(key): _where(item, holds) for key, item in value.items()}
        return {key: item for key, item in found.items() if item}
    if isinstance(value, (list, tuple)):
        marks = [_where(item, holds) for item in value]
        return marks if any(marks) else []
    return bool(holds(value))


def _hidden(value: Any) -> bool:
    return isinstance(value, str) and HIDDEN in value
