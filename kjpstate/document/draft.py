"""A resource that has no address yet, and how drafts get theirs. Called by `sections`, `apps` and
`load`."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kjpstate.document.hosts import absolute
from kjpstate.document.page import Page
from kjpstate.document.sentences import near
from kjpstate.host import HostSpec
from kjpstate.kinds import KINDS
from kjpstate.model import Resource, Where


@dataclass(frozen=True)
class Draft:
    """`word`: the host's word in the document. `label`: what follows the kind in the address, or
    "".

    `tail`: tells two of one kind on one host apart. `identity`: what only one of the kind may have
    on a host.
    """

    kind: str
    word: str
    host: HostSpec
    pointer: str
    spec: Mapping[str, Any]
    label: str = ""
    tail: str = ""
    identity: str = ""
    lines: Mapping[str, Where] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """One section of the document, on one host. `pointer` leads to it; `path` notes what does not
    fit."""

    page: Page
    pointer: str
    value: Mapping[str, Any]
    word: str
    host: HostSpec

    def path(self, inner: str, text: str, *, folder: bool = False) -> str:
        """The absolute path of `text`, which stands at `inner` of the section."""
        return absolute(self.page, self.host, text, self.pointer + inner, folder=folder)


def sections(
    page: Page, name: str, groups: Mapping[str, tuple[HostSpec, ...]]
) -> Iterator[Section]:
    """Every whole section under the key `name`, once for each host it speaks of; an unknown host is
    noted."""
    for pointer, value in entries(page, name):
        for host in known(page, f"{pointer}/host", value.get("host"), groups):
            if page.whole(pointer):
                yield Section(page, pointer, value, value["host"], host)


def entries(page: Page, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(pointer, mapping) of a key that holds one mapping or a list of them."""
    value = page.value.get(name, ())
    if isinstance(value, Mapping):
        yield f"/{name}", value
        return
    for at, entry in enumerate(value):
        yield f"/{name}/{at}", entry


def known(
    page: Page, pointer: str, word: str | None, groups: Mapping[str, tuple[HostSpec, ...]]
) -> tuple[HostSpec, ...]:
    """The hosts of one word; none when it was left out or is unknown, which is noted."""
    if word is not None and f"/hosts/{word}" not in page.keys:
        page.add(pointer, lambda: f"unknown host {word}{near(word, groups) or _declared(groups)}")
    return groups.get(word or "", ())


def _declared(groups: Mapping[str, Any]) -> str:
    return f"; hosts has {', '.join(groups)}" if groups else "; declare it under `hosts`"


def argv(value: str | list[str]) -> tuple[str, ...]:
    """A command of the document as words."""
    return tuple(shlex.split(value) if isinstance(value, str) else value)


def addressed(page: Page, drafts: Iterable[Draft]) -> tuple[Resource, ...]:
    """Resources in the order of work; a thing that is declared twice is noted."""
    ordered = sorted(drafts, key=lambda draft: KINDS[draft.kind].ORDER)
    _once(page, ordered)
    return tuple(
        Resource(
            _address(draft, ordered),
            draft.kind,
            draft.host.name,
            draft.spec,
            page.where(draft.pointer),
            draft.lines,
        )
        for draft in ordered
    )


def _once(page: Page, drafts: Iterable[Draft]) -> None:
    seen: dict[tuple[str, str, str], Draft] = {}
    for draft in drafts:
        first = seen.setdefault((draft.kind, draft.host.name, draft.identity), draft)
        if first is not draft:
            line = page.where(first.pointer).line
            what = f"{draft.kind} {draft.label}".strip()
            page.add_at(
                page.where(draft.pointer),
                f"{what} stands twice for {draft.word}; first at line {line}",
            )


def _address(draft: Draft, drafts: Iterable[Draft]) -> str:
    """The shortest of KIND.LABEL, KIND.HOST.LABEL, KIND.HOST.LABEL.TAIL that is its own, then the
    fleet's."""
    alike = [other for other in drafts if (other.kind, other.label) == (draft.kind, draft.label)]
    alike = [other for other in alike if other.word != draft.word or other.pointer != draft.pointer]
    word = draft.word if alike else ""
    tail = draft.tail if any(other.word == draft.word for other in alike) else ""
    address = ".".join(part for part in (draft.kind, word, draft.label, tail) if part)
    return address + draft.host.name.removeprefix(draft.word)
