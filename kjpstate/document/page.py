"""One document while it is being read: its values, and where each of them
stands. Made by `load`."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from kjpstate.document.nodes import Mapping as MappingNode
from kjpstate.document.nodes import Node, Place, Problems, Reason, Sequence
from kjpstate.document.sentences import escaped
from kjpstate.host import HostSpec
from kjpstate.model import Where


@dataclass(frozen=True)
class Page:
    """`value`: the typed document, what did not fit left out. `keys`, `values`: JSON pointer ->
    place.

    `folder`: where the document stands, absolute. `broken`: pointers below which something is left
    out. `windows`: whether this machine is one.
    """

    file: str
    folder: Path
    environ: Mapping[str, str]
    value: Mapping[str, Any]
    keys: Mapping[str, Place]
    values: Mapping[str, Place]
    broken: frozenset[str]
    problems: Problems
    windows: bool = False
    groups: Mapping[str, tuple[HostSpec, ...]] = field(default_factory=dict)
    """The document's word for a host or a fleet -> its hosts."""

    def add(self, pointer: str, reason: Reason) -> None:
        """Note a problem at the value of `pointer`, or at its nearest parent's."""
        while pointer and pointer not in self.values:
            pointer = pointer.rpartition("/")[0]
        self.problems.add(self.values[pointer], reason)

    def add_at(self, where: Where, reason: Reason) -> None:
        """Note a problem at a place that is already known."""
        self.problems.add(Place(where.line, where.column), reason)

    def where(self, pointer: str) -> Where:
        """The place of a key or of an entry of a list."""
        place = self.keys[pointer]
        return Where(self.file, place.line, place.column)

    @property
    def name(self) -> str:
        """The document's name: as it says, or as its file is called."""
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(self.file).name.partition(".")[0]).strip("-._")
        return str(self.value.get("name") or stem[:64] or "kjpstate")

    def whole(self, pointer: str) -> bool:
        """Whether nothing was left out at or below `pointer`."""
        return pointer not in self._touched

    @cached_property
    def _touched(self) -> frozenset[str]:
        """All pointers at or below which something is left out."""
        touched = set(self.broken)
        for pointer in self.broken:
            while (pointer := pointer.rpartition("/")[0]) and pointer not in touched:
                touched.add(pointer)
        return frozenset(touched | {""} if touched else touched)

    def lines(self, pointer: str) -> dict[str, Where]:
        """Pointers inside the section at `pointer` -> their places."""
        return {
            inner.removeprefix(pointer): self.where(inner)
            for inner in self._sorted[
                bisect_left(self._sorted, f"{pointer}/") : bisect_left(self._sorted, f"{pointer}0")
            ]
        }

    @cached_property
    def _sorted(self) -> list[str]:
        """All pointers, those below one side by side: `/` and `0` are neighbours."""
        return sorted(self.keys)


def places(node: Node, pointer: str = "") -> Iterator[tuple[str, Place, Place]]:
    """(JSON pointer, place of its key or entry, place of its value) of all nodes below `node`."""
    if isinstance(node, MappingNode):
        for key, value in node.entries.items():
            inner = f"{pointer}/{escaped(key)}"
            yield inner, node.keys[key], value.place
            yield from places(value, inner)
    elif isinstance(node, Sequence):
        for at, item in enumerate(node.items):
            yield f"{pointer}/{at}", item.place, item.place
            yield from places(item, f"{pointer}/{at}")
