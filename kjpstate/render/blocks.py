"""The blocks of a patched file -> lines and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kjpstate.kinds.patch.listing import ShownBlock
from kjpstate.kinds.patch.problems import Problem
from kjpstate.render.lines import Line
from kjpstate.said import Text, say


def block_lines(
    file: str, blocks: Sequence[ShownBlock], problems: Sequence[Problem]
) -> Iterator[Line]:
    """Each block with its lines, its operation and its kept original; then what is wrong; the count
    last."""
    name = max((len(block.name) for block in blocks), default=0)
    places = [str(say("blocks.lines", first=one.first, last=one.last)) for one in blocks]
    width = max(map(len, places), default=0)
    for block, place in zip(blocks, places, strict=True):
        state = say("blocks.by-hand") if block.by_hand else say("blocks.as-written")
        if block.adopted:
            state = say("blocks.adopted", state=state)
        label = f"  {block.name:<{name}}  {place:<{width}}  {block.operation:<13}  "
        yield Line(f"{label}{state}", "change" if block.by_hand else "", hang=len(label))
        for line in block.original or ():
            was = say("blocks.was", line=line)
            yield Line(f"      {was}", hang=12)
    for problem in problems:
        at = f":{problem.line}" if problem.line else ""
        reason: Text = problem.reason
        if problem.edit:
            reason = say("blocks.of-edit", edit=problem.edit, reason=reason)
        yield Line(f"! {file}{at}: {reason}   [{problem.rule}]", "refuse", hang=4)
    edited = sum(block.by_hand for block in blocks)
    counts = say("blocks.count", file=file, count=len(blocks), edited=edited)
    yield Line(counts, "strong", ours=True)


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
