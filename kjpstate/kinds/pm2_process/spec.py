"""One app under PM2 as the document wants it, and how the document says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kjpstate.formats.pm2.declared import Declared
from kjpstate.said import say
from kjpstate.section import Made, Section


@dataclass(frozen=True)
class Spec:
    """One resource of this kind."""

    app: Declared
    save: bool = False
    """Whether PM2's saved list, which a reboot brings back, must have the app as the document says.
    """
    beside: tuple[str, ...] = ()
    """The names of the document's other apps on this host."""

    @property
    def host(self) -> str:
        """The host's name in the document."""
        return self.app.host

    @property
    def document(self) -> str:
        """The document's name."""
        return self.app.document

    @property
    def names(self) -> frozenset[str]:
        """The names of all apps of the document on this host."""
        return frozenset({self.app.name, *self.beside})


def made(earlier: Sequence[Made]) -> Iterator[Made]:
    """Each app of each ecosystem file among `earlier`."""
    seen: dict[tuple[str, str], int] = {}
    files = [(item.section, _apps(item)) for item in earlier]
    for section, apps in files:
        for at, app in enumerate(apps):
            _once(section, f"/apps/{at}/name", app.name, seen)
            names = {one.name for _, all_ in files for one in all_ if one.host == app.host}
            yield _made(section, f"/apps/{at}", app, tuple(sorted(names - {app.name})), earlier)


def _apps(item: Made) -> tuple[Declared, ...]:
    return tuple(part for part in item.parts if isinstance(part, Declared))


def _made(
    section: Section, pointer: str, app: Declared, beside: tuple[str, ...], earlier: Sequence[Made]
) -> Made:
    whole = replace(app, tree=_tree(app, earlier))
    inner = {f"/app{below}": where for below, where in section.lines(pointer).items()}
    return Made(
        "pm2_process",
        section,
        Spec(whole, bool(section.value.get("save")), beside),
        app.name,
        pointer=pointer,
        lines={**section.lines(), **inner},
        questions=(whole,),
    )


def _once(section: Section, pointer: str, name: str, seen: dict[tuple[str, str], int]) -> None:
    line = section.line(pointer).line
    first = seen.setdefault((section.host.name, name), line)
    if first != line:
        host = section.host.name
        section.add(pointer, say("document.app-twice", app=name, host=host, line=first))


def _tree(app: Declared, earlier: Sequence[Made]) -> str:
    """The nearest folder that this document fills and that contains the script, or ""."""
    fills = (path for item in earlier if item.section.host.name == app.host for path in item.fills)
    folders = (path for path in fills if path.endswith("/") and app.script.startswith(path))
    return max(folders, key=len, default="")
