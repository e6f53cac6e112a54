"""A guardrail `unchanged`: a value in a JSON file of a host that nobody may have moved.

One resource a pin of `guardrails.unchanged`. Without `value` the first apply pins what it finds, by
a stamp on that host; a value that differs refuses all that would change there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kjpstate.formats import pins
from kjpstate.formats.tree import read_stamp, stamp_name
from kjpstate.model import (
    GUARD,
    Action,
    Advice,
    Answer,
    Answers,
    Drift,
    File,
    ReadFile,
    Reading,
    ReadState,
    Refuse,
    Resource,
    Stamp,
    State,
    Told,
    Unreadable,
    Upstream,
)
from kjpstate.said import Text
from kjpstate.section import Made, Page

KIND, ORDER, UNIT, SECTION = "unchanged", 0, GUARD, "guardrails"


@dataclass(frozen=True)
class Spec:
    """One pin on one host."""

    host: str
    document: str
    path: str
    """The JSON file."""
    pointer: str
    """A JSON pointer into it."""
    value: str | None = None
    """The value to keep; None: the one that the first apply finds."""

    @property
    def stamp(self) -> ReadState:
        """The note on the host that pins where the document names no value."""
        name = stamp_name("pin", f"{self.path}#{self.pointer}")
        return ReadState(self.host, self.document, name)

    @property
    def place(self) -> str:
        """File and pointer, for a sentence."""
        return f"{self.path} {self.pointer}"


@dataclass(frozen=True)
class View:
    """One pin, and what stands there."""

    spec: Spec
    found: Any
    """The value in the file."""
    problem: Text
    """Why it can't be found; "" when it was."""
    pinned: Any
    """The value of the document or of the stamp; None before the first apply."""

    @property
    def wanted(self) -> Any:
        """The pinned value; before the first pin, the value that is there."""
        return self.found if self.pinned is None else self.pinned


def resources(page: Page, earlier: Sequence[Made]) -> Iterator[Made]:
    """One resource a pin, called by the last word of its pointer."""
    taken: dict[tuple[str, str], str] = {}
    for section in page.sections(f"{SECTION}/unchanged"):
        value = section.value
        path = section.path("/file", value["file"])
        spec = Spec(section.host.name, section.document, path, value["pointer"], value.get("value"))
        label = _label(spec)
        while taken.setdefault((section.word, label), section.pointer) != section.pointer:
            label += "'"
        yield Made(KIND, section, spec, label, lines=section.lines())


def reads(spec: Spec) -> Iterable[Reading]:
    """The file, and the stamp that may pin it."""
    return ReadFile(spec.host, spec.path), spec.stamp


def see(spec: Spec, answers: Answers, upstream: Upstream) -> View:
    """The value in the file, and the one that is pinned."""
    found, problem = _found(answers.get(ReadFile(spec.host, spec.path)), spec.pointer)
    stamped = (read_stamp(answers.get(spec.stamp)) or {}).get("value")
    return View(spec, found, problem, stamped if spec.value is None else spec.value)


def actual(view: View) -> State:
    """`value` as it stands in the file; `pinned`: there is something to compare it with."""
    pinned = view.pinned is not None
    return State({"value": view.found, "pinned": pinned}, present=pinned)


def desired(view: View) -> State:
    """The pinned value; before the first pin, the value that is there."""
    return State({"value": view.wanted, "pinned": True})


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """Nothing: it only guards."""
    return ()


def refusals(view: View) -> Iterator[Refuse]:
    """A pin that points at nothing."""
    if view.problem:
        yield Refuse(
            "unchanged-unreadable",
            f"{view.spec.place}: {view.problem}",
            cure="mend the file or the pin",
        )


def actions(view: View, drift: Drift) -> Iterator[Action | Refuse]:
    """A stamp for the first pin; a refusal for a value that moved."""
    spec, found, wanted = view.spec, view.found, view.wanted
    if found != wanted:
        yield Refuse(
            "unchanged-differs",
            f"{spec.place} is {found}, and guardrails.unchanged says {wanted}",
            cure=f"write value: {found} there if the change is wanted; else put the file back",
        )
    else:
        yield Stamp(spec.host, spec.document, spec.stamp.name, {"value": wanted})


def advice(view: View) -> Iterable[Advice]:
    """None: a pin does what it says."""
    return ()


def told(view: View, drift: Drift | None) -> Told:
    """The value that is held from now on."""
    if drift is None:
        return Told()
    name = view.spec.path.rpartition("/")[2]
    return Told(f"{name}: {view.wanted} from now on", rows=())


def guarded(resources: Iterable[Resource]) -> Iterator[tuple[str, str]]:
    """(address, value) of each pin; "" where the document names no value."""
    for resource in resources:
        if isinstance(resource.spec, Spec):
            value = resource.spec.value
            yield resource.address, "" if value is None else str(value)


def _label(spec: Spec) -> str:
    """`baileys` of `/packages/node_modules~1baileys/version`; the file's name where it has none."""
    words = spec.pointer.replace("~1", "/").split("/")
    telling = [word for word in words if word not in ("", "version")]
    return telling[-1] if telling else spec.path.rpartition("/")[2]


def _found(answer: Answer, pointer: str) -> tuple[Any, Text]:
    """The value in the file and no problem, or None and why."""
    if isinstance(answer, File):
        return pins.find(answer.content, pointer)
    if isinstance(answer, Unreadable):
        return None, f"it can't be read ({answer.why})"
    return None, "there is no such file"
