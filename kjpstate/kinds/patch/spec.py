"""A set of edits as the document says it, and how the section `patches` becomes such sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias, get_args

from kjpstate.formats.written import as_list
from kjpstate.said import say
from kjpstate.secret import Secret
from kjpstate.section import Made, Section

Operation: TypeAlias = Literal["insert_before", "insert_after", "insert_inside", "replace"]
OPERATIONS: Final[tuple[Operation, ...]] = get_args(Operation)


@dataclass(frozen=True)
class EditSpec:
    """One edit of a set as the document says it."""

    id: str
    operation: Operation
    forms: tuple[str | Secret, ...]
    """The anchor, or the accepted forms of a replace."""
    content: str | Secret
    at: Literal["start", "end"] = "start"
    """The end of the block at which an `insert_inside` puts its text."""
    scope: Literal["", "module"] = ""
    """`module`: the place must be outside of all functions."""
    within: str | Secret | None = None
    """The statement in which alone the place is looked for."""


@dataclass(frozen=True)
class Spec:
    """One set of edits in one file."""

    host: str
    document: str
    path: str
    """Absolute."""
    display: str
    """The file as the document names it."""
    set: str
    edits: tuple[EditSpec, ...] = ()
    sets: tuple[str, ...] = ()
    """All sets of this file, on the first of them; none on the others."""
    on_drift: Literal["apply", "refuse"] = "apply"
    """Write over a block that was edited by hand, or refuse."""
    state: Literal["present", "absent"] = "present"

    @property
    def absent(self) -> bool:
        """Tell whether the set is to be taken out."""
        return self.state == "absent"


def made(sections: Iterable[Section]) -> list[Made]:
    """One resource a set of edits. The first of a file knows all sets of that file: any other one
    that stands there has left the document."""
    found = [_made(section) for section in sections]
    sets: dict[tuple[str, str], list[str]] = {}
    for item in found:
        sets.setdefault((item.spec.host, item.spec.path), []).append(item.spec.set)
    return [
        replace(
            item,
            spec=replace(item.spec, sets=tuple(sets.pop((item.spec.host, item.spec.path), ()))),
        )
        for item in found
    ]


def _made(section: Section) -> Made:
    value = section.value
    _note_twice(section)
    if "edits" not in value and value.get("state") != "absent":
        section.add("", say("document.no-edits"))
    path = section.path("/file", value["file"])
    spec = Spec(
        section.host.name,
        section.document,
        path,
        value["file"],
        value["set"],
        tuple(edit_of(edit) for edit in value.get("edits", ())),
        on_drift=value.get("on_drift", "apply"),
        state=value.get("state", "present"),
    )
    return Made(
        "patch",
        section,
        spec,
        label=spec.set,
        tail=path.rpartition("/")[2],
        identity=f"{spec.set} in {path}",
        lines=section.lines(),
    )


def edit_of(value: Mapping[str, Any]) -> EditSpec:
    """One entry of `edits`."""
    operation = next(key for key in OPERATIONS if key in value)
    return EditSpec(
        value["id"],
        operation,
        tuple(as_list(value[operation])),
        value["content"],
        value.get("at", "start"),
        value.get("scope", ""),
        value.get("within"),
    )


def _note_twice(section: Section) -> None:
    seen: dict[str, int] = {}
    for inner, name in _ids(section):
        line = section.line(inner).line
        if seen.setdefault(name, line) != line:
            section.add(inner, say("document.edit-twice", edit=name, line=seen[name]))


def _ids(section: Section) -> Iterator[tuple[str, str]]:
    for at, edit in enumerate(section.value.get("edits", ())):
        yield f"/edits/{at}/id", edit["id"]
