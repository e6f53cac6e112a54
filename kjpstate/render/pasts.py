"""Past runs as lines and as JSON: the table of `history`, one run in full for `show`. Called by
`cli`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kjpstate import errors
from kjpstate.formats.times import iso_time, local_time
from kjpstate.history import Item, Past
from kjpstate.render.as_json import opening
from kjpstate.render.lines import BLANK, Line
from kjpstate.said import Said, say

_LOOKS = ("plan", "drift")
_STYLES = {0: "good", 2: "change", 3: "refuse"}
_WORDS = {
    errors.LOCKED: "past.locked",
    errors.STALE: "past.stale",
    errors.USAGE: "past.usage",
    errors.DOCUMENT: "past.document",
    errors.INTERRUPTED: "past.interrupted",
}
_LEFT = {
    errors.IN_SYNC: "past.in-sync",
    errors.DRIFT: "past.drift-left",
    errors.UNREACHABLE: "past.not-reached",
    errors.REFUSED: "past.refused",
}
"""Where no address has a result."""
_COUNTED = {
    "passed": "past.count-passed",
    "manual": "past.count-by-hand",
    "unknown": "past.count-not-known",
    "applied": "past.count-applied",
    "failed": "past.count-failed",
    "restored": "past.count-restored",
    "held": "past.count-held",
    "refused": "past.count-refused",
    "drift": "past.count-drift",
    "not tried": "past.count-not-tried",
}
_MOST_NAMES = 3


@dataclass(frozen=True)
class _Row:
    """One row of the table, before its columns have their widths."""

    cells: tuple[str, ...]
    style: str


def history_lines(runs: Sequence[Past]) -> tuple[Line, ...]:
    """The table, newest first."""
    if not runs:
        return (Line(say("past.none"), ours=True),)
    one_document = len({run.document for run in runs}) == 1
    rows = [_row(run, one_document) for run in runs]
    head = [say("past.when"), say("past.run"), say("past.verb"), say("past.result")]
    head += [say("past.who"), *([] if one_document else [say("past.of-document")])]
    titles = [str(word) for word in head]
    widths = [max(len(row.cells[at]) for row in rows) for at in range(len(titles))]
    widths = [max(width, len(word)) for width, word in zip(widths, titles, strict=True)]
    title = Line(_columns(titles, widths), "strong", ours=True)
    return (title, *(Line(_columns(row.cells, widths), row.style, whole=True) for row in rows))


def past_lines(run: Past) -> tuple[Line, ...]:
    """One run in full."""
    name = run.document or run.path
    about = " ".join([name, *run.scope.split()])
    title = say("past.title", run=run.id, verb=run.verb, about=about, status=run.exit_code)
    started = local_time(run.started)
    by = say("past.by", when=started, seconds=run.seconds, who=_who(run))
    lines = [Line(title, "strong", hang=4), Line(f"  {by}", hang=4)]
    if run.times > 1:
        until = local_time(run.ended)
        again = say("past.times", count=run.times, until=until)
        lines.append(Line(f"  {again}"))
    if run.path:
        digest = f"   sha256 {run.digest[:12]}" if run.digest else ""
        lines.append(Line(f"  {run.path}{digest}", hang=4))
    if run.hosts:
        hosts = say("past.hosts", hosts=run.hosts)
        lines.append(Line(f"  {hosts}", hang=4))
    lines += _items(run.items)
    if run.backups:
        lines += [BLANK, Line(say("past.kept"), "strong", ours=True)]
        lines += [Line(f"  {host}  {backup}", hang=4) for host, _, backup in run.backups]
    said = [Line(run.said, "refuse", hang=2)] if run.said else []
    return (
        *lines,
        BLANK,
        *said,
        Line(f"{result_of(run)[:1].upper()}{result_of(run)[1:]}.", _style(run)),
    )


def result_of(run: Past) -> str:
    """How a run came out, in a few words."""
    found = {
        word: [item for item in run.items if item.result == word] for word in _results(run.items)
    }
    if run.exit_code in _WORDS:
        return str(say(_WORDS[run.exit_code]))
    if run.verb in _LOOKS:
        return _result(_looked(found), run)
    if run.verb == "verify":
        return _result(_checked(found), run)
    return _result(_acted(found), run)


def history_json(runs: Sequence[Past]) -> dict[str, Any]:
    """What `history --json` prints."""
    return {**opening(), "runs": [past_json(run) for run in runs], "exit_code": 0}


def show_json(run: Past) -> dict[str, Any]:
    """What `show RUN --json` prints."""
    return {**opening(), "run": past_json(run), "exit_code": 0}


def past_json(run: Past) -> dict[str, Any]:
    """One run; `exit_code` is that of the run."""
    return {
        "id": run.id,
        "verb": run.verb,
        "document": run.document,
        "path": run.path,
        "digest": run.digest,
        "who": run.who,
        "started": iso_time(run.started),
        "last": iso_time(run.ended),
        "times": run.times,
        "seconds": run.seconds,
        "exit_code": run.exit_code,
        "result": result_of(run),
        "message": run.said,
        "scope": run.scope,
        "hosts": list(run.hosts),
        "noted_on": run.at or None,
        "results": [
            {
                "host": item.host,
                "address": item.address,
                "result": item.result.replace(" ", "_"),
                "about": item.about,
                "reason": item.reason,
            }
            for item in run.items
        ],
        "backups": [
            {"host": host, "path": path, "backup": backup} for host, path, backup in run.backups
        ],
    }


def _row(run: Past, one_document: bool) -> _Row:
    result = result_of(run)
    if run.times > 1:
        until = local_time(run.ended)
        result = str(say("past.times-until", result=result, count=run.times, until=until))
    cells = (local_time(run.started), run.id, run.verb, result, _who(run))
    return _Row(cells if one_document else (*cells, run.document or run.path), _style(run))


def _columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _style(run: Past) -> str:
    return _STYLES.get(run.exit_code, "refuse")


def _who(run: Past) -> str:
    return str(say("past.told-by", who=run.who, host=run.at)) if run.at else run.who


def _results(items: Sequence[Item]) -> list[str]:
    return list(dict.fromkeys(item.result for item in items))


def _result(parts: Sequence[Said], run: Past) -> str:
    if parts:
        return str(say("past.parts", parts=parts))
    if run.exit_code in _LEFT:
        return str(say(_LEFT[run.exit_code]))
    return str(say("past.failed", status=run.exit_code))


def _counted(found: dict[str, list[Item]], words: Sequence[str]) -> list[Said]:
    return [say(_COUNTED[word], count=len(found[word])) for word in words if found.get(word)]


def _looked(found: dict[str, list[Item]]) -> list[Said]:
    parts = [say("past.drifts", count=len(found["drift"]))] if "drift" in found else []
    parts += _counted(found, ("refused", "held"))
    lost = len(found.get("unreachable", ()))
    return parts + ([say("plan.lost", count=lost)] if lost else [])


def _checked(found: dict[str, list[Item]]) -> list[Said]:
    if "failed" in found:
        names = _names(found["failed"])
        return [say("past.failed-checks", count=len(found["failed"]), names=names)]
    return _counted(found, ("passed", "manual", "unknown"))


def _acted(found: dict[str, list[Item]]) -> list[Said]:
    checks = [item for item in found.get("failed", ()) if item.about == "check"]
    steps = {
        word: [item for item in items if item.about != "check"] for word, items in found.items()
    }
    parts = _counted(
        steps, ("applied", "failed", "restored", "held", "refused", "drift", "not tried")
    )
    return parts + ([say("past.checks-failed", names=_names(checks))] if checks else [])


def _names(items: Sequence[Item]) -> str:
    names = [item.address for item in items[:_MOST_NAMES]]
    return ", ".join(names) + (", …" if len(items) > _MOST_NAMES else "")


def _items(items: Sequence[Item]) -> Iterator[Line]:
    if not items:
        return
    yield BLANK
    address = min(max(len(item.address) for item in items), 36)
    host = min(max(len(item.host) for item in items), 24)
    result = max(len(item.result) for item in items)
    for item in items:
        label = f"  {item.result:<{result}}  {item.address:<{address}}  {item.host:<{host}}  "
        yield Line(f"{label}{item.reason}", hang=len(label))
