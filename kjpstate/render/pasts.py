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
from kjpstate.render.values import counted

_LOOKS = ("plan", "drift")
_STYLES = {0: "good", 2: "change", 3: "refuse"}
_WORDS = {
    errors.LOCKED: "locked by another run",
    errors.STALE: "stale plan, nothing done",
    errors.USAGE: "wrong command line",
    errors.DOCUMENT: "error in the document",
    errors.INTERRUPTED: "interrupted",
}
_LEFT = {
    errors.IN_SYNC: "in sync",
    errors.DRIFT: "nothing done, drift is left",
    errors.UNREACHABLE: "a host was not reached",
    errors.REFUSED: "refused",
}
"""Where no address has a result."""
_MOST_NAMES = 3


@dataclass(frozen=True)
class _Row:
    """One row of the table, before its columns have their widths."""

    cells: tuple[str, ...]
    style: str


def history_lines(runs: Sequence[Past]) -> tuple[Line, ...]:
    """The table, newest first."""
    if not runs:
        return (Line("No run is remembered.", ours=True),)
    one_document = len({run.document for run in runs}) == 1
    rows = [_row(run, one_document) for run in runs]
    head = ["when", "run", "verb", "result", "who", *([] if one_document else ["document"])]
    widths = [max(len(row.cells[at]) for row in rows) for at in range(len(head))]
    widths = [max(width, len(word)) for width, word in zip(widths, head, strict=True)]
    title = Line(_columns(head, widths), "strong", ours=True)
    return (title, *(Line(_columns(row.cells, widths), row.style, whole=True) for row in rows))


def past_lines(run: Past) -> tuple[Line, ...]:
    """One run in full."""
    name = run.document or run.path
    scope = f" {run.scope}" if run.scope else ""
    lines = [
        Line(
            f"run {run.id}   {run.verb} of {name}{scope}   exit code {run.exit_code}",
            "strong",
            hang=4,
        ),
        Line(
            f"  {local_time(run.started)}, {run.seconds:.1f} s, by {run.who}{_place(run)}", hang=4
        ),
    ]
    if run.times > 1:
        until = local_time(run.ended)
        lines.append(
            Line(f"  came out like this {run.times} times in a row, the last time {until}")
        )
    if run.path:
        digest = f"   sha256 {run.digest[:12]}" if run.digest else ""
        lines.append(Line(f"  {run.path}{digest}", hang=4))
    if run.hosts:
        lines.append(Line(f"  hosts: {', '.join(run.hosts)}", hang=4))
    lines += _items(run.items)
    if run.backups:
        lines += [BLANK, Line("Kept:", "strong", ours=True)]
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
        return _WORDS[run.exit_code]
    if run.verb in _LOOKS:
        return _look(run, found)
    if run.verb == "verify":
        return _checked(found) or _other(run)
    return _acted(run, found)


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
        result += f", {run.times} times until {local_time(run.ended)}"
    cells = (local_time(run.started), run.id, run.verb, result, run.who + _place(run))
    return _Row(cells if one_document else (*cells, run.document or run.path), _style(run))


def _columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _style(run: Past) -> str:
    return _STYLES.get(run.exit_code, "refuse")


def _place(run: Past) -> str:
    return f" (told by {run.at})" if run.at else ""


def _results(items: Sequence[Item]) -> list[str]:
    return list(dict.fromkeys(item.result for item in items))


def _look(run: Past, found: dict[str, list[Item]]) -> str:
    parts = [f"{counted(len(found['drift']), 'drift')}"] if "drift" in found else []
    parts += [f"{len(found[word])} {word}" for word in ("refused", "held") if word in found]
    lost = len(found.get("unreachable", ()))
    parts += [f"{counted(lost, 'host')} not reached"] if lost else []
    return ", ".join(parts) or _other(run)


def _checked(found: dict[str, list[Item]]) -> str:
    if "failed" in found:
        return f"{len(found['failed'])} failed: {_names(found['failed'])}"
    words = {"passed": "passed", "manual": "by hand", "unknown": "not known"}
    return ", ".join(f"{len(found[word])} {said}" for word, said in words.items() if word in found)


def _acted(run: Past, found: dict[str, list[Item]]) -> str:
    checks = [item for item in found.get("failed", ()) if item.about == "check"]
    steps = {
        word: [item for item in items if item.about != "check"] for word, items in found.items()
    }
    parts = [
        f"{len(steps[word])} {word}"
        for word in ("applied", "failed", "restored", "held", "refused", "drift", "not tried")
        if steps.get(word)
    ]
    parts += [f"checks failed: {_names(checks)}"] if checks else []
    return ", ".join(parts) or _other(run)


def _other(run: Past) -> str:
    return _LEFT.get(run.exit_code, f"failed, exit code {run.exit_code}")


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
