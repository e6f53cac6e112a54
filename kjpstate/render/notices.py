"""Advice, refusals and hosts out of reach as lines. Called by `plans`, `drifts`
and `cli.validate`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kjpstate.model import AdviceAt, Plan, Refuse, Unfinished
from kjpstate.render.lines import BLANK, WIDTH, Line

_MANY = 4
_MARKS = {"breaks": "!", "useless": ".", "note": "."}


def advice_lines(advice: Sequence[AdviceAt], *, brief: bool = False) -> list[Line]:
    """The block under `Advice: 1 breaks, 2 have no effect`; nothing when there is none.

    `brief`: among more than four, those only to know share one row; `validate` has them all in
    full.
    """
    if not advice:
        return []
    found = {
        severity: sum(item.advice.severity == severity for item in advice) for severity in _MARKS
    }
    words = {
        "breaks": "breaks" if found["breaks"] == 1 else "break",
        "useless": "has no effect" if found["useless"] == 1 else "have no effect",
        "note": "to know",
    }
    said = ", ".join(f"{number} {words[severity]}" for severity, number in found.items() if number)
    title, hint = f"Advice: {said}", "kjpstate explain RULE"
    gap = max(3, WIDTH - len(title) - len(hint) - 13)
    short = (
        [item for item in advice if item.advice.severity == "note"]
        if brief and len(advice) > _MANY
        else []
    )
    rows = [*_rows([item for item in advice if item not in short]), *_short(short)]
    return [Line(f"{title}{' ' * gap}{hint}", "strong", ours=True), *rows, BLANK]


def _rows(advice: Sequence[AdviceAt]) -> Iterator[Line]:
    rule = max((len(item.advice.rule) for item in advice), default=0)
    place = max((len(_place(item)) for item in advice), default=0)
    indent = 4 + rule + 2
    for item in advice:
        said = item.advice
        label = f"  {_MARKS[said.severity]} {said.rule:<{rule}}  {_place(item):<{place}}  "
        cure = f". Cure: {said.cure}" if said.cure else ""
        text = f"{label}{str(said.reason).rstrip('.')}{cure}"
        yield Line(text, "refuse" if said.severity == "breaks" else "", hang=indent)


def _short(advice: Sequence[AdviceAt]) -> Iterator[Line]:
    if advice:
        said = ", ".join(f"{item.advice.rule} (line {item.where.line})" for item in advice)
        yield Line(f"  . {said}   kjpstate validate has more", hang=4)


def refusal_lines(refusal: Refuse, indent: int) -> Iterator[Line]:
    """Why, the places, the cure: each a row below the refused change."""
    space = " " * indent
    yield Line(f"{space}{refusal.reason}", hang=indent)
    yield from (Line(f"{space}  {place}", hang=indent + 4) for place in refusal.places)
    if refusal.cure:
        yield Line(f"{space}Cure: {refusal.cure}", hang=indent + 2)


def unfinished_lines(plan: Plan) -> list[Line]:
    """A run that ended before its time, a row a host."""
    rows = [
        Line(f"  ! {host}   {_left_off(run)}; apply will first settle that", hang=_INDENT)
        for host, run in plan.unfinished.items()
    ]
    return [*rows, BLANK] if rows else []


def _left_off(run: Unfinished) -> str:
    """Where a run was when it was last heard of; it may still be at work."""
    where = f"at: {run.kind} {run.path}" if run.kind else "between two actions"
    return f"run {run.run} of {run.who} ({run.when}) did not come to its end, {where}"


def unreachable_lines(plan: Plan) -> list[Line]:
    """One row a host that did not answer."""
    rows: list[Line] = []
    for host, why in plan.unreachable.items():
        first, _, rest = why.removeprefix(f"{host}: ").partition("\n")
        rows.append(Line(f"  ! {host}   not reached: {first}", "refuse", hang=_INDENT))
        rows += [Line(" " * _INDENT + line, hang=_INDENT) for line in rest.splitlines()]
    return [*rows, BLANK] if rows else []


_INDENT = 6


def _place(item: AdviceAt) -> str:
    """`kjpstate.yaml:31`: the file's own name, since the screen speaks of one document."""
    return f"{item.where.file.replace(chr(92), '/').rpartition('/')[2]}:{item.where.line}"
