"""The section guardrails, with absolute paths and for each host. Called by `load`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kjpstate.document.hosts import absolute
from kjpstate.document.made import known
from kjpstate.document.page import Page
from kjpstate.host import HostSpec
from kjpstate.model import Where

Groups = Mapping[str, tuple[HostSpec, ...]]


@dataclass(frozen=True)
class Pin:
    """A value in a JSON file that must stay. `value` None: the one the first apply finds."""

    host: str
    path: str
    pointer: str
    value: str | None
    where: Where


@dataclass(frozen=True)
class Guardrails:
    """`may_change`: host -> absolute paths, only for the hosts named there; None when absent."""

    may_change: Mapping[str, tuple[str, ...]] | None = None
    unchanged: tuple[Pin, ...] = ()


def guardrails(page: Page, groups: Groups) -> Guardrails:
    """What the document says, for each host."""
    section = page.value.get("guardrails", {})
    named = section.get("may_change")
    allowed = None if named is None else dict(_allowed(page, named, groups))
    return Guardrails(allowed, tuple(_pins(page, section.get("unchanged", ()), groups)))


def _allowed(
    page: Page, named: Mapping[str, list[str]], groups: Groups
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for word, paths in named.items():
        pointer = f"/guardrails/may_change/{word}"
        for host in known(page, pointer, word):
            yield (
                host.name,
                tuple(
                    absolute(page, host, path, f"{pointer}/{at}", folder=path.endswith("/"))
                    for at, path in enumerate(paths)
                    if page.whole(pointer)
                ),
            )


def _pins(page: Page, pins: list[Mapping[str, str]], groups: Groups) -> Iterator[Pin]:
    for at, pin in enumerate(pins):
        pointer = f"/guardrails/unchanged/{at}"
        for host in known(page, f"{pointer}/host", pin.get("host")):
            if page.whole(pointer):
                path = absolute(page, host, pin["file"], f"{pointer}/file", folder=False)
                yield Pin(host.name, path, pin["pointer"], pin.get("value"), page.where(pointer))
