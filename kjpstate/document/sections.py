"""The sections dns, patches, build and deploy -> drafts; their specs are listed in
`docs/architecture.md`.

Called by `load`. A section of a fleet makes one draft for each of its hosts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kjpstate.document.draft import Draft, Section, argv, entries, known, sections
from kjpstate.document.hosts import absolute, as_list
from kjpstate.document.page import Page
from kjpstate.document.words import relative
from kjpstate.formats.times import seconds
from kjpstate.host import HostSpec
from kjpstate.model import Where, join, overlap

RESOLVED_CONF = "/etc/systemd/resolved.conf"

Groups = Mapping[str, tuple[HostSpec, ...]]


def dns(page: Page, groups: Groups) -> Iterator[Draft]:
    """The servers of a host."""
    for section in sections(page, "dns", groups):
        keys = ("servers", "fallback", "exclusive", "drop_in", "takes_over")
        given = {key: section.value[key] for key in keys if key in section.value}
        yield _draft("dns", section, {"file": RESOLVED_CONF, **given})


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


def build(page: Page, groups: Groups) -> Iterator[Draft]:
    """A directory that is checked and built."""
    for section in sections(page, "build", groups):
        value = section.value
        directory = section.path("/directory", value["directory"], folder=True)
        spec: dict[str, Any] = {
            "directory": directory,
            "inputs": [relative(text) for text in value["inputs"]],
            "outputs": [relative(text) for text in value["outputs"]],
            "run": argv(value["run"]),
            "timeout": seconds(value.get("timeout", "10m")),
        }
        if "check" in value:
            spec["check"] = argv(value["check"])
        yield _draft("build", section, spec, tail=_last(directory), identity=directory)


def deploy(page: Page, groups: Groups, builds: Sequence[Draft]) -> Iterator[Draft]:
    """A folder that travels; from a fleet only to the same fleet, host by host."""
    for pointer, value in entries(page, "deploy"):
        source, target = value.get("from", {}), value.get("to", {})
        senders = known(page, f"{pointer}/from/host", source.get("host"), groups)
        receivers = known(page, f"{pointer}/to/host", target.get("host"), groups)
        if not page.whole(pointer) or not senders or not receivers:
            continue
        if len(senders) > 1 and source["host"] != target["host"]:
            page.add(
                f"{pointer}/from/host",
                f"{source['host']} is a fleet; expected one host to deploy from",
            )
            continue
        for position, host in enumerate(receivers):
            sender = senders[position] if len(senders) > 1 else senders[0]
            yield _deploy(Section(page, pointer, value, target["host"], host), sender, builds)


def _deploy(section: Section, sender: HostSpec, builds: Sequence[Draft]) -> Draft:
    page, value, pointer = section.page, section.value, section.pointer
    origin = absolute(
        page, sender, value["from"]["directory"], f"{pointer}/from/directory", folder=True
    )
    target = section.path("/to/directory", value["to"]["directory"], folder=True)
    if sender == section.host and overlap(origin, target):
        page.add(
            f"{pointer}/to/directory", "the folder is deployed onto itself; leave `deploy` out"
        )
    spec: dict[str, Any] = {
        "from_host": sender.name,
        "from_directory": origin,
        "to_directory": target,
        "built": _built(sender, origin, builds),
    }
    if "with" in value:
        spec["with"] = [relative(text) for text in value["with"]]
    if "install" in value:
        spec["install"] = argv(value["install"])
    return _draft("deploy", section, spec, tail=_last(target), identity=target)


def _built(sender: HostSpec, origin: str, builds: Sequence[Draft]) -> str:
    """The directory of the build that fills `origin`, or ""."""
    for draft in builds:
        directory: str = draft.spec["directory"]
        outputs = (join(directory, path) for path in draft.spec["outputs"])
        if (
            draft.host == sender
            and origin.startswith(directory)
            and any(overlap(path, origin) for path in outputs)
        ):
            return directory
    return ""


def _last(folder: str) -> str:
    return folder.rstrip("/").rpartition("/")[2]


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
