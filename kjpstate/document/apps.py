"""The section pm2 -> drafts of pm2_ecosystem and pm2_process. Called by `load`."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kjpstate.document.draft import Draft, Section, sections
from kjpstate.document.page import Page
from kjpstate.host import HostSpec
from kjpstate.model import Where, join

_PLACES = ("node", "command")


def pm2(
    page: Page, groups: Mapping[str, tuple[HostSpec, ...]], fillers: Sequence[Draft]
) -> Iterator[Draft]:
    """The file, then each of its apps. `fillers`: the deploys and builds whose folders hold
    scripts."""
    seen: dict[tuple[str, str], int] = {}
    every = list(sections(page, "pm2", groups))
    for section in every:
        path = section.path("/ecosystem", section.value["ecosystem"])
        apps = [_app(section, at, app) for at, app in enumerate(section.value["apps"])]
        lines = page.lines(section.pointer)
        yield _draft(
            "pm2_ecosystem",
            section,
            section.pointer,
            {"path": path, "apps": apps},
            identity=path,
            lines=lines,
        )
        for at, app in enumerate(apps):
            pointer = f"{section.pointer}/apps/{at}"
            _once(section, f"{pointer}/name", app["name"], seen)
            spec = {
                "ecosystem": path,
                "app": app,
                "save": section.value.get("save", False),
                **_beside(section, app["name"], every),
                **({"connected": True} if section.value.get("connected") else {}),
                **{
                    key: section.path(f"/{key}", section.value[key])
                    for key in _PLACES
                    if key in section.value
                },
                "tree": _tree(
                    section.host, posixpath.normpath(join(app["cwd"], app["script"])), fillers
                ),
            }
            inner = {f"/app{below}": where for below, where in page.lines(pointer).items()}
            yield _draft(
                "pm2_process", section, pointer, spec, label=app["name"], lines={**lines, **inner}
            )


def _app(section: Section, at: int, app: Mapping[str, Any]) -> dict[str, Any]:
    """PM2's own keys as written, with an absolute cwd."""
    folder = section.path(f"/apps/{at}/cwd", app["cwd"], folder=True)
    return {**app, "cwd": folder.rstrip("/") or "/"}


def _beside(section: Section, name: str, every: Sequence[Section]) -> dict[str, list[str]]:
    """The names of the other apps of this document on this host."""
    names = {
        app["name"] for other in every if other.host == section.host for app in other.value["apps"]
    }
    return {"beside": sorted(names - {name})} if names - {name} else {}


def _once(section: Section, pointer: str, name: str, seen: dict[tuple[str, str], int]) -> None:
    line = section.page.where(pointer).line
    first = seen.setdefault((section.host.name, name), line)
    if first != line:
        section.page.add(
            pointer, f"the app {name} stands twice on {section.host.name}; first at line {first}"
        )


def _tree(host: HostSpec, script: str, fillers: Sequence[Draft]) -> str:
    """The nearest folder that this document fills and that contains the script, or ""."""
    folders = [folder for draft in fillers for folder in _filled(draft) if draft.host == host]
    return max((folder for folder in folders if script.startswith(folder)), key=len, default="")


def _filled(draft: Draft) -> Iterator[str]:
    if draft.kind == "deploy":
        yield draft.spec["to_directory"]
    elif draft.kind == "build":
        yield from (
            join(draft.spec["directory"], path)
            for path in draft.spec["outputs"]
            if path.endswith("/")
        )


def _draft(
    kind: str,
    section: Section,
    pointer: str,
    spec: Mapping[str, Any],
    *,
    label: str = "",
    identity: str = "",
    lines: Mapping[str, Where],
) -> Draft:
    whole = {"host": section.host.name, "document": section.page.name, **spec}
    return Draft(
        kind, section.word, section.host, pointer, whole, label, "", identity or pointer, lines
    )
