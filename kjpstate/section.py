"""What a kind is given of the document, and what it makes of it.

`document` does all that needs a file or a library; a kind sees values of the right types.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from kjpstate.host import HostSpec
from kjpstate.model import Where
from kjpstate.said import Text


class Section(Protocol):
    """One whole section of the document on one host; a fleet's comes once for each member."""

    @property
    def pointer(self) -> str:
        """It leads to the section."""

    @property
    def value(self) -> Mapping[str, Any]:
        """As the schema types it; what it may leave out may be missing."""

    @property
    def word(self) -> str:
        """The host's word in the document: a fleet's for each member."""

    @property
    def host(self) -> HostSpec: ...

    @property
    def document(self) -> str:
        """The document's name."""

    def path(self, inner: str, text: str, *, folder: bool = False) -> str:
        """The absolute path of `text`, which stands at `inner` of the section."""

    def add(self, inner: str, reason: Text, word: str = "", known: Iterable[str] = ()) -> None:
        """Note a problem at the value of `inner`; of `known` the word that was probably meant by
        `word` is told."""

    def line(self, inner: str) -> Where:
        """The place of the key `inner`."""

    def lines(self, inner: str = "") -> dict[str, Where]:
        """Pointers below `inner` of the section -> their places."""


class Page(Protocol):
    """The document while its sections are made into resources."""

    @property
    def name(self) -> str: ...

    @property
    def value(self) -> Mapping[str, Any]: ...

    def sections(self, key: str, within: Sequence[str] = ()) -> Iterable[Section]:
        """Every whole section under `key` (`dns`, `guardrails/unchanged`); an unknown host is
        noted. `within`: the keys of which a section has one, and that has the host; a section with
        none of them is about no host."""

    def between(self, key: str) -> Iterator[tuple[Section, Section]]:
        """Sections with `from` and `to` instead of a host: each on its source and its target."""

    def add(self, pointer: str, reason: Text) -> None:
        """Note a problem at the value of `pointer`."""

    def line(self, pointer: str) -> Where:
        """The place of a key or of an entry of a list."""

    def whole(self, key: str) -> bool:
        """Whether all sections under `key` were made; one with a problem of its own was not."""


@dataclass(frozen=True)
class Made:
    """One resource that a kind made of a section; it has no address yet."""

    kind: str
    section: Section
    spec: Any
    """The kind's own frozen dataclass; it has `host` and `document`."""
    label: str = ""
    """What follows the kind in the address."""
    tail: str = ""
    """It tells two of one kind on one host apart."""
    identity: str = ""
    """What only one of the kind may have on a host."""
    pointer: str = ""
    """Where it stands, from the section on."""
    lines: Mapping[str, Where] = field(default_factory=dict)
    """Pointers that its refusals and advice name -> their places."""
    home: str = ""
    """The folder in which it works; "" for none."""
    parts: tuple[Any, ...] = ()
    """What it declares of other kinds, as values of `formats`, told apart by their type: a later
    kind makes its resources of them."""
    questions: tuple[Any, ...] = ()
    """What checks may ask about, as values of `formats`: the kind's part `questions`."""
    fills: tuple[str, ...] = ()
    """Absolute paths that it makes; a process that runs from one is owed when it changes."""
