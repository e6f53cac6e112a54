"""Advice, refusals and hosts out of reach as lines. Called by `plans`, `drifts` and `cli.validate`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kjpstate.model import AdviceAt, Plan, Refuse
from kjpstate.render.lines import BLANK, WIDTH, Line

_MARKS = {"breaks": "!", "useless": ".", "note": "."}


def advice_lines(advice: Sequence[AdviceAt]) -> list[Line]:
    """The block under `Advice: 1 breaks, 2 have no effect`; nothing when there is none."""
    if not advice:
        return []
    found = {severity: sum(item.advice.severity == severity for item in advice) for severity in _MARKS}
    words = {
        "breaks": "breaks" if found["breaks"] == 1 else "break",
        "useless": "has no effect" if found["useless"] == 1 else "have no effect",
        "note": "to know",
    }
    said = ", ".join(f"{number} {words[severity]}" for severity, number in found.items() if number)
    title, hint = f"Advice: {said}", "kjpstate explain RULE"
    gap = max(3, WIDTH - len(title) - len(hint) - 13)
    return [Line(f"{title}{' ' * gap}{hint}", "strong", ours=True), *_rows(advice), BLANK]


def _rows(advice: Sequence[AdviceAt]) -> Iterator[Line]:
    rule = max(len(item.advice.rule) for item in advice)
    place = max(len(_place(item)) for item in advice)
    indent = 4 + rule + 2
    for item in advice:
        said = item.advice
        label = f"  {_MARKS[said.severity]} {said.rule:<{rule}}  {_place(item):<{place}}  "
        style = "refuse" if said.severity == "breaks" else ""
        one_row = f"{label}{said.reason}. {said.cure}"
        if said.cure and len(one_row) <= WIDTH and not said.reason.endswith("."):
            yield Line(one_row, style, hang=indent)
            continue
        yield Line(f"{label}{said.reason}", style, hang=indent)
        if said.cure:
            yield Line(f"{' ' * indent}{said.cure}", hang=indent)


def refusal_lines(refusal: Refuse, indent: int) -> Iterator[Line]:
    """Why, the places, the cure: each a row below the refused change."""
    space = " " * indent
    yield Line(f"{space}{refusal.reason}", hang=indent)
    yield from (Line(f"{space}  {place}", hang=indent + 4) for place in refusal.places)
    if refusal.cure:
        yield Line(f"{space}Cure: {refusal.cure}", hang=indent + 2)


def unreachable_lines(plan: Plan) -> list[Line]:
    """One row a host that did not answer."""
    rows: list[Line] = []
    for host, why in plan.unreachable.items():
        first, _, rest = why.partition("\n")
        rows.append(Line(f"  ! {host}   not reached: {first}", "refuse", hang=_INDENT))
        rows += [Line(" " * _INDENT + line, hang=_INDENT) for line in rest.splitlines()]
    return [*rows, BLANK] if rows else []


_INDENT = 6


def _place(item: AdviceAt) -> str:
    """`kjpstate.yaml:31`: the file's own name, since the screen speaks of one document."""
    return f"{item.where.file.replace(chr(92), '/').rpartition('/')[2]}:{item.where.line}"


def problem_lines(problems: Iterable[object]) -> list[Line]:
    """A document's problems, one a row."""
    return [Line(str(problem), hang=2) for problem in problems]
