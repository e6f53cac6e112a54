"""Backups -> lines and rows: listed, and what a pruning takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kjpstate.render.lines import Line
from kjpstate.said import Text, say
from kjpstate.undo.ledger import Found

_SAID = {
    "kept": "",
    "changed": "backups.changed",
    "gone": "backups.gone",
    "unreadable": "backups.unreadable",
}


def rows_of(found: Sequence[Found]) -> list[dict[str, Any]]:
    """For --json: the ledger's row, how the backup stands, its size, whether it is the first
    original."""
    return [
        {
            "host": item.host,
            **vars(item.kept),
            "condition": item.condition,
            "size": item.size,
            "first_original": item.first,
        }
        for item in found
    ]


def backup_lines(found: Sequence[Found]) -> tuple[Line, ...]:
    """All backups, run by run, in the order they were made; the last line counts."""
    if not found:
        return (Line(say("backups.none"), ours=True),)
    lines: list[Line] = []
    for run in dict.fromkeys(item.kept.run for item in found):
        lines.append(Line(say("backups.run", run=run), "strong"))
        for item in found:
            if item.kept.run == run:
                lines += [Line(f"  {item.host}  {item.kept.path}", hang=4), _row(item)]
    odd = sum(item.condition != "kept" for item in found)
    size = _bytes(sum(item.size or 0 for item in found))
    total = say("backups.total", count=len(found), size=size)
    if odd:
        total = say("backups.total-odd", count=len(found), size=size, odd=odd)
    return (*lines, Line(total, "refuse" if odd else "strong", ours=True))


def _row(item: Found) -> Line:
    size = "" if item.size is None else _bytes(item.size)
    words: list[Text] = [item.kept.sha256[:12] or item.kept.type, size]
    words += [say("backups.first")] if item.first else []
    words += [say(_SAID[item.condition])] if _SAID[item.condition] else []
    told = "   ".join(str(word) for word in words if word)
    return Line(
        f"      {item.kept.backup}   {told}", "refuse" if _SAID[item.condition] else "", hang=8
    )


def pruned_lines(found: Sequence[Found], done: Mapping[str, int] | None = None) -> tuple[Line, ...]:
    """What a pruning takes, or, with `done`, took."""
    if done is not None:
        took = [
            say("backups.removed-on", count=number, host=host)
            for host, number in done.items()
            if number
        ]
        return (Line(say("backups.removed", took=took), "strong"),)
    if not found:
        return (Line(say("backups.nothing-to-remove"), "good", ours=True),)
    lines = [
        Line(f"  - {item.host}  {item.kept.backup}   {_size(item)}", "remove", hang=8)
        for item in found
    ]
    total = _bytes(sum(item.size or 0 for item in found))
    runs = list(dict.fromkeys(item.kept.run for item in found))
    return (
        *lines,
        Line(say("backups.first-stay", runs=runs), hang=2),
        Line(say("backups.prune", count=len(found), size=total), "strong", ours=True),
    )


def _size(item: Found) -> str:
    return "" if item.size is None else _bytes(item.size)


def _bytes(number: int) -> str:
    """`812 bytes`, `14.2 KiB`, `3.1 MiB`."""
    if number < 1024:
        return str(say("backups.bytes", count=number))
    size, unit = number / 1024, "KiB"
    for larger in ("MiB", "GiB"):
        if size >= 1024:
            size, unit = size / 1024, larger
    return f"{size:.1f} {unit}"
