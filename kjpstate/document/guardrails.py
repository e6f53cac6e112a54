"""The section guardrails, with absolute paths and for each host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kjpstate.document.hosts import absolute
from kjpstate.document.made import known
from kjpstate.document.page import Page


@dataclass(frozen=True)
class Guardrails:
    """What kjpstate must not do; what must be unchanged are resources (`Document.guards`)."""

    may_change: Mapping[str, tuple[str, ...]] | None = None
    """Host -> absolute paths, only for the hosts named there; None when absent."""


def guardrails(page: Page) -> Guardrails:
    """What the document says, for each host."""
    named = page.value.get("guardrails", {}).get("may_change")
    return Guardrails(None if named is None else dict(_allowed(page, named)))


def _allowed(page: Page, named: Mapping[str, list[str]]) -> Iterator[tuple[str, tuple[str, ...]]]:
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
