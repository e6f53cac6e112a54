"""A guardrail `unchanged`: a value in a JSON file of a host that nobody may have moved.

Made by `reconcile` from `guardrails.unchanged`, one resource a pin. Without `value` the first apply
pins what it finds, by a stamp on that host; a value that differs refuses all that would change
there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kjpstate.formats import pins
from kjpstate.formats.tree import read_stamp, stamp_name
from kjpstate.model import (
    GUARD,
    Action,
    Advice,
    Answers,
    Drift,
    File,
    ReadFile,
    Reading,
    ReadState,
    Refuse,
    Spec,
    Stamp,
    State,
    Unreadable,
    Upstream,
)

KIND, ORDER, UNIT = "unchanged", 0, GUARD


def reads(spec: Spec) -> Iterable[Reading]:
    """The file, and the stamp that may pin it."""
    return ReadFile(spec["host"], spec["path"]), _stamp(spec)


def actual(spec: Spec, answers: Answers) -> State:
    """`value` as it stands in the file, `pinned`: whether there is something to compare it with."""
    value, problem = _found(spec, answers)
    pinned = _wanted(spec, answers) is not None
    values = {"value": value, "pinned": pinned, "problems": [problem] if problem else []}
    return State(values, present=pinned)


def desired(spec: Spec, answers: Answers, upstream: Upstream) -> State:
    """The pinned value; before the first pin, the value that is there."""
    wanted = _wanted(spec, answers)
    value = _found(spec, answers)[0] if wanted is None else wanted
    return State(
        {"value": value, "pinned": True, "problems": []},
        beside={"headline": f"{spec['path'].rpartition('/')[2]}: {value} from now on", "notes": ()},
    )


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """Nothing: it only guards."""
    return ()


def actions(spec: Spec, drift: Drift) -> Iterator[Action | Refuse]:
    """A stamp for the first pin; a refusal for everything else."""
    problems = drift.actual.values["problems"]
    found, wanted = drift.actual.values["value"], drift.desired.values["value"]
    place = f"{spec['path']} {spec['pointer']}"
    if problems:
        yield Refuse(
            "unchanged-unreadable", f"{place}: {problems[0]}", cure="mend the file or the pin"
        )
    elif found != wanted:
        yield Refuse(
            "unchanged-differs",
            f"{place} is {found}, and guardrails.unchanged says {wanted}",
            cure=f"write value: {found} there if the change is wanted; else put the file back",
        )
    else:
        yield Stamp(spec["host"], spec["document"], _stamp(spec).name, {"value": wanted})


def advice(spec: Spec, answers: Answers) -> Iterator[Advice]:
    """None: a pin does what it says."""
    return iter(())


def _stamp(spec: Spec) -> ReadState:
    name = stamp_name("pin", f"{spec['path']}#{spec['pointer']}")
    return ReadState(spec["host"], spec["document"], name)


def _wanted(spec: Spec, answers: Answers) -> Any:
    if spec.get("value") is not None:
        return spec["value"]
    return (read_stamp(answers.get(_stamp(spec))) or {}).get("value")


def _found(spec: Spec, answers: Answers) -> tuple[Any, str]:
    """The value in the file and no problem, or None and why."""
    answer = answers.get(ReadFile(spec["host"], spec["path"]))
    if not isinstance(answer, File):
        return None, f"it can't be read ({answer.why})" if isinstance(
            answer, Unreadable
        ) else "there is no such file"
    return pins.find(answer.content, spec["pointer"])
