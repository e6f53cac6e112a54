"""The blocks of a patched file -> lines and JSON. Called by `cli/patch.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kjpstate.kinds.patch.listing import ShownBlock
from kjpstate.kinds.patch.problems import Problem
from kjpstate.render.lines import Line
from kjpstate.render.values import counted


def block_lines(
    file: str, blocks: Sequence[ShownBlock], problems: Sequence[Problem]
) -> Iterator[Line]:
    """Each block with its lines, its operation and its kept original; then what is wrong; the count
    last."""
    name = max((len(block.name) for block in blocks), default=0)
    places = [f"lines {block.first}-{block.last}" for block in blocks]
    width = max(map(len, places), default=0)
    for block, place in zip(blocks, places, strict=True):
        state = "edited by hand" if block.by_hand else "as written"
        state += ", adopted" if block.adopted else ""
        label = f"  {block.name:<{name}}  {place:<{width}}  {block.operation:<13}  "
        yield Line(label + state, "change" if block.by_hand else "", hang=len(label))
        for line in block.original or ():
            yield Line(f"      was | {line}", hang=12)
    for problem in problems:
        at = f":{problem.line}" if problem.line else ""
        who = f"edit {problem.edit} " if problem.edit else ""
        yield Line(f"! {file}{at}: {who}{problem.reason}   [{problem.rule}]", "refuse", hang=4)
    edited = sum(block.by_hand for block in blocks)
    yield Line(
        f"{file}: {counted(len(blocks), 'block')}, {edited} edited by hand.", "strong", ours=True
    )


def problem_json(problem: Problem) -> dict[str, Any]:
    """One problem as JSON, the keys in this order."""
    return {
        "rule": problem.rule,
        "edit": problem.edit,
        "line": problem.line,
        "text": problem.text,
        "reason": problem.reason,
        "more": [{"line": number, "text": text} for number, text in problem.more],
        "cure": problem.cure,
    }


def block_json(block: ShownBlock) -> dict[str, Any]:
    """One block as JSON; `original` is null for an insert."""
    return {
        "block": block.name,
        "lines": [block.first, block.last],
        "operation": block.operation,
        "edited_by_hand": block.by_hand,
        "adopted": block.adopted,
        "original": None if block.original is None else list(block.original),
    }
