"""An ecosystem file as it was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kjpstate.formats.pm2 import ecosystem, noted
from kjpstate.kinds.pm2_ecosystem.spec import Spec
from kjpstate.model import Answer, Answers, File, Stamp, Stat


@dataclass(frozen=True)
class View:
    """The file, its folders, and what is known of its apps."""

    spec: Spec
    file: Answer
    ours: ecosystem.Ours | None
    """None: there is no file, or it is not one of ours."""
    folders: Mapping[str, str]
    """Log folder -> the type of what stands there; "" for nothing."""
    module: str
    """The package.json that makes node take the file for an ES module, or ""."""
    known: tuple[Stamp, ...]
    """Notes of what only the file tells of its apps."""

    @property
    def before(self) -> bytes | None:
        """The bytes that stand there."""
        return self.file.content if isinstance(self.file, File) else None

    @property
    def left(self) -> list[str]:
        """Apps, keys and variables that stand in our file and left the document."""
        return list(_left(self.spec, self.ours)) if self.ours else []


def looked(spec: Spec, answers: Answers) -> View:
    """The answers, understood."""
    file = answers.get(spec.file)
    stats = {reading.path: answers.get(reading) for reading in spec.folders}
    return View(
        spec,
        file,
        ecosystem.parse(file.content) if isinstance(file, File) else None,
        {path: stat.type if isinstance(stat, Stat) else "" for path, stat in stats.items()},
        _module(spec, answers),
        tuple(note for app in spec.apps for note in noted.only_in_the_file(app, answers)),
    )


def _module(spec: Spec, answers: Answers) -> str:
    """Node goes by the nearest package.json above the file."""
    for reading in spec.packages:
        found = answers.get(reading)
        if isinstance(found, File):
            return reading.path if ecosystem.is_module(found.content) else ""
    return ""


def _left(spec: Spec, ours: ecosystem.Ours) -> Iterator[str]:
    wanted = {app.name: app.keys for app in spec.apps}
    for name, app in ours.apps.items():
        if name not in wanted:
            yield name
            continue
        yield from (f"{name}.{key}" for key in app if key not in wanted[name])
        yield from (f"{name}.{path}" for path in _inner_left(app, wanted[name]))


def _inner_left(app: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    for key, value in app.items():
        if isinstance(value, Mapping) and isinstance(wanted.get(key), Mapping):
            yield from (f"{key}.{name}" for name in value if name not in wanted[key])
