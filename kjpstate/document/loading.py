"""Text -> Document: read within limits, shaped by the schema, its sections made into resources.

Called by every verb. Every problem is found before any is told; a Document exists only without one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kjpstate.document.accept import accept
from kjpstate.document.guardrails import Guardrails, guardrails
from kjpstate.document.hosts import hosts_of
from kjpstate.document.made import addressed, made
from kjpstate.document.nodes import MAX_BYTES, Problems, compose
from kjpstate.document.notify import notify
from kjpstate.document.page import Page, places
from kjpstate.document.references import References
from kjpstate.document.schema import bundled_schema
from kjpstate.document.second import objections
from kjpstate.document.sentences import escaped
from kjpstate.document.shape import Shaper
from kjpstate.errors import UsageError
from kjpstate.formats.digests import sha256
from kjpstate.formats.windows import odd_name
from kjpstate.formats.written import bytes_of, lasting, percent
from kjpstate.host import HostSpec
from kjpstate.kinds import KINDS
from kjpstate.model import CHECKS, GUARD, Acceptance, Notify, Resource
from kjpstate.said import say


@dataclass(frozen=True)
class Document:
    """A document without a problem. `resources`: in the order of work. `guards`: what must
    not have moved. `checks`: in the document's order.

    `digest`: sha256 of the text, in hex. `monitor`: for, every (seconds), limits {cpu (percent),
    memory (bytes), crash_restarts, unresolved, log {text: times}}, or None. `accepted`: what the
    owner lives with. `notify`: who is told, or None. `secrets`: opened values to mask. `elsewhere`:
    address -> host of what can't be seen from here (see `here`).
    """

    path: str
    name: str
    version: int
    hosts: Mapping[str, HostSpec]
    resources: tuple[Resource, ...]
    guards: tuple[Resource, ...]
    checks: tuple[Resource, ...]
    guardrails: Guardrails
    monitor: Mapping[str, Any] | None
    digest: str
    accepted: tuple[Acceptance, ...] = ()
    notify: Notify | None = None
    lang: str = ""
    """The language of its notices, and of who reads it without having said one."""
    secrets: frozenset[str] = field(default_factory=frozenset, repr=False)
    elsewhere: Mapping[str, str] = field(default_factory=dict)


def load(
    path: str,
    *,
    environ: Mapping[str, str],
    text: bytes | None = None,
    thorough: bool = False,
    forgiving: bool = False,
    windows: bool = sys.platform == "win32",
) -> Document:
    """The document at `path`, or `text` as if it stood there. `thorough`: jsonschema is asked as
    well. `forgiving`: a secret that is not set is empty, and no problem. `windows`: whether this
    machine is one.

    Raises DocumentError with all problems, UsageError when there is no such file.
    """
    data = _read(path) if text is None else text
    root = compose(data, path)
    problems = Problems(path)
    folder = Path(path).absolute().parent
    references = References(environ, folder, forgiving, windows)
    shaper = Shaper(bundled_schema(), problems, references)
    value = shaper.value(root, shaper.root)
    keys = {"": root.place}
    values = {"": root.place}
    for pointer, key, place in places(root):
        keys[pointer], values[pointer] = key, place
    page = Page(
        path, folder, environ, value, keys, values, frozenset(shaper.broken), problems, windows
    )
    document = _document(page, sha256(data), references)
    problems.stop()
    if thorough:
        for pointer, reason in objections(value, shaper.root):
            page.add(pointer, reason)
        problems.stop()
    return document


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            say("document.unreadable", path=path, why=error.strerror),
            say("document.unreadable.cure"),
        ) from None


def _document(page: Page, digest: str, references: References) -> Document:
    if page.windows and odd_name(page.name):
        page.add("/name", say("document.odd-name", name=repr(page.name)))
    page = replace(page, groups=hosts_of(page))
    found = addressed(page, made(page))
    units = {unit: tuple(_of(unit, found)) for unit in (GUARD, CHECKS)}
    resources = tuple(item for item in found if KINDS[item.kind].UNIT not in units)
    return Document(
        path=page.file,
        name=page.name,
        version=page.value.get("kjpstate", 0),
        hosts={spec.name: spec for group in page.groups.values() for spec in group},
        resources=resources,
        guards=units[GUARD],
        checks=units[CHECKS],
        guardrails=guardrails(page),
        monitor=_monitor(page),
        digest=digest,
        accepted=tuple(accept(page, resources)),
        notify=notify(page),
        lang=page.value.get("lang", ""),
        secrets=frozenset(references.values),
    )


def _of(unit: str, found: Sequence[Resource]) -> Iterator[Resource]:
    return (item for item in found if unit == KINDS[item.kind].UNIT)


def _monitor(page: Page) -> Mapping[str, Any] | None:
    value = page.value.get("monitor")
    if value is None or not page.whole("/monitor"):
        return None
    limits = dict(value.get("limits", {}))
    for text in limits.get("log", {}):
        if not text or "\n" in text:
            page.add_at(
                page.where(f"/monitor/limits/log/{escaped(text)}"),
                say("document.no-line-to-look-for"),
            )
    for key, number in (("cpu", percent), ("memory", bytes_of)):
        if key in limits:
            limits[key] = number(limits[key])
    return {
        "for": lasting(value.get("for", "30m")),
        "every": lasting(value.get("every", "30s")),
        "limits": limits,
    }
