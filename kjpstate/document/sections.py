"""The sections patches, build and deploy -> drafts; their specs are listed in
`docs/architecture.md`.

Called by `load`. A section of a fleet makes one draft for each of its hosts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from kjpstate.document.draft import Draft, Section, sections
from kjpstate.document.page import Page
from kjpstate.formats.written import as_list
from kjpstate.host import HostSpec
from kjpstate.model import Where

Groups = Mapping[str, tuple[HostSpec, ...]]


def patches(page: Page, groups: Groups) -> list[Draft]:
    """One set of edits in one file. The first of a file knows all sets of that file: any other one
    that stands there has left the document."""
    drafts = list(_patches(page, groups))
    sets: dict[tuple[str, str], list[str]] = {}
    for draft in drafts:
        sets.setdefault((draft.host.name, draft.spec["path"]), []).append(draft.spec["set"])
    return [
        replace(
            draft, spec={**draft.spec, "sets": sets.pop((draft.host.name, draft.spec["path"]), [])}
        )
        for draft in drafts
    ]


def _patches(page: Page, groups: Groups) -> Iterator[Draft]:
    for section in sections(page, "patches", groups):
        value = section.value
        _edits_once(section)
        if "edits" not in value and value.get("state") != "absent":
            page.add(
                section.pointer, "the key `edits` is missing: a set without edits changes nothing"
            )
        path = section.path("/file", value["file"])
        spec = {
            "path": path,
            "display": value["file"],
            "set": value["set"],
            "on_drift": value.get("on_drift", "apply"),
            "state": value.get("state", "present"),
            "edits": [_edit(edit) for edit in value.get("edits", ())],
        }
        tail = path.rpartition("/")[2]
        yield _draft(
            "patch",
            section,
            spec,
            label=value["set"],
            tail=tail,
            identity=f"{value['set']} in {path}",
        )


def _edit(edit: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(edit)
    if "replace" in out:
        out["replace"] = as_list(out["replace"])
    if "insert_inside" in out:
        out.setdefault("at", "start")
    return out


def _edits_once(section: Section) -> None:
    seen: dict[str, int] = {}
    for at, edit in enumerate(section.value.get("edits", ())):
        pointer = f"{section.pointer}/edits/{at}/id"
        line = section.page.where(pointer).line
        if seen.setdefault(edit["id"], line) != line:
            section.page.add(
                pointer,
                f"the id {edit['id']} stands twice in this set; first at line {seen[edit['id']]}",
            )


def _draft(
    kind: str,
    section: Section,
    spec: Mapping[str, Any],
    *,
    label: str = "",
    tail: str = "",
    identity: str = "",
) -> Draft:
    whole = {"host": section.host.name, "document": section.page.name, **spec}
    lines: dict[str, Where] = section.page.lines(section.pointer)
    return Draft(
        kind, section.word, section.host, section.pointer, whole, label, tail, identity, lines
    )
