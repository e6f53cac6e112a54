"""Advice, refusals and hosts out of reach as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kjpstate.model import AdviceAt, Plan, Refuse, Unfinished
from kjpstate.render.lines import BLANK, WIDTH, Line
from kjpstate.render.rows import rows_of_lost
from kjpstate.said import Said, Text, say

_MANY = 4
_COUNTED = {"breaks": "advice.breaks", "useless": "advice.useless", "note": "advice.notes"}
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
    parts = [say(_COUNTED[severity], count=number) for severity, number in found.items() if number]
    title, hint = str(say("advice.title", parts=parts)), str(say("advice.hint"))
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
        reason: Text = str(said.reason).rstrip(".")
        if said.cure:
            reason = say("advice.with-cure", reason=reason, cure=said.cure)
        style = "refuse" if said.severity == "breaks" else ""
        yield Line(f"{label}{reason}", style, hang=indent)


def _short(advice: Sequence[AdviceAt]) -> Iterator[Line]:
    if advice:
        rules = [say("advice.at", rule=item.advice.rule, line=item.where.line) for item in advice]
        short = say("advice.short", rules=rules)
        yield Line(f"  . {short}", hang=4)


def refusal_lines(refusal: Refuse, indent: int) -> Iterator[Line]:
    """Why, the places, the cure: each a row below the refused change."""
    space = " " * indent
    yield Line(f"{space}{refusal.reason}", hang=indent)
    yield from (Line(f"{space}  {place}", hang=indent + 4) for place in refusal.places)
    if refusal.cure:
        cure = say("plan.cure", cure=refusal.cure)
        yield Line(f"{space}{cure}", hang=indent + 2)


def unfinished_lines(plan: Plan) -> list[Line]:
    """A run that ended before its time, a row a host."""
    rows = [
        Line(f"  ! {host}   {_left_off(run)}", hang=_INDENT)
        for host, run in plan.unfinished.items()
    ]
    return [*rows, BLANK] if rows else []


def _left_off(run: Unfinished) -> Said:
    """Where a run was when it was last heard of; it may still be at work."""
    who = {"run": run.run, "who": run.who, "when": run.when}
    if not run.kind:
        return say("plan.cut-between", **who)
    return say("plan.cut-at", kind=run.kind, path=run.path, **who)


def unreachable_lines(plan: Plan) -> list[Line]:
    """One row a host that did not answer."""
    rows: list[Line] = []
    for host, why in plan.unreachable.items():
        first, *rest = rows_of_lost(host, why)
        lost = say("plan.not-reached", why=first)
        rows.append(Line(f"  ! {host}   {lost}", "refuse", hang=_INDENT))
        rows += [Line(" " * _INDENT + line, hang=_INDENT) for line in rest]
    return [*rows, BLANK] if rows else []


_INDENT = 6


def _place(item: AdviceAt) -> str:
    """`kjpstate.yaml:31`: the file's own name, since the screen speaks of one document."""
    return f"{item.where.file.replace(chr(92), '/').rpartition('/')[2]}:{item.where.line}"
