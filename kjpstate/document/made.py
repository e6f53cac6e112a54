"""Sections handed to the kinds, and what they made of them with addresses. Called by `load`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kjpstate.document.hosts import absolute
from kjpstate.document.page import Page
from kjpstate.document.sentences import guessed
from kjpstate.host import HostSpec, Ssh
from kjpstate.kinds import KINDS
from kjpstate.model import Resource, Where
from kjpstate.said import Text, say
from kjpstate.section import Made


@dataclass(frozen=True)
class Section:
    """One section of the document, on one host; see `kjpstate.section`."""

    page: Page
    pointer: str
    value: Mapping[str, Any]
    word: str
    host: HostSpec

    @property
    def document(self) -> str:
        """The document's name."""
        return self.page.name

    def path(self, inner: str, text: str, *, folder: bool = False) -> str:
        """The absolute path of `text`, which stands at `inner` of the section."""
        return absolute(self.page, self.host, text, self.pointer + inner, folder=folder)

    def add(self, inner: str, reason: Text, word: str = "", known: Iterable[str] = ()) -> None:
        """Note a problem at the value of `inner`; see `kjpstate.section.Section`."""
        self.page.add(self.pointer + inner, lambda: guessed(reason, word, known))

    def line(self, inner: str) -> Where:
        """The place of the key `inner`."""
        return self.page.where(self.pointer + inner)

    def lines(self, inner: str = "") -> dict[str, Where]:
        """Pointers below `inner` of the section -> their places."""
        return self.page.lines(self.pointer + inner)


@dataclass(frozen=True)
class Sections:
    """A document as the kinds see it; see `kjpstate.section.Page`."""

    page: Page

    @property
    def name(self) -> str:
        """The document's name."""
        return self.page.name

    @property
    def value(self) -> Mapping[str, Any]:
        """The typed document."""
        return self.page.value

    def sections(self, key: str, within: Sequence[str] = ()) -> Iterator[Section]:
        """Every whole section under `key`, once for each host it speaks of; an unknown host is
        noted."""
        for pointer, value in entries(self.page, key):
            for word, host in self._hosts(pointer, value, within):
                if self.page.whole(pointer):
                    yield Section(self.page, pointer, value, word, host)

    def _hosts(
        self, pointer: str, value: Mapping[str, Any], within: Sequence[str]
    ) -> Iterator[tuple[str, HostSpec]]:
        """(word, host) of all that a section speaks of; of a section about no host one without a
        name."""
        inner = [name for name in within if name in value][:1]
        if within and not inner:
            yield "", Ssh("", self.page.where(pointer))
            return
        word = (value[inner[0]] if inner else value).get("host")
        for host in known(self.page, "/".join([pointer, *inner, "host"]), word):
            yield str(word), host

    def between(self, key: str) -> Iterator[tuple[Section, Section]]:
        """Sections with `from` and `to`, each on both hosts; a fleet sends to the same fleet alone,
        host by host."""
        for pointer, value in entries(self.page, key):
            source, target = value.get("from", {}), value.get("to", {})
            senders = known(self.page, f"{pointer}/from/host", source.get("host"))
            receivers = known(self.page, f"{pointer}/to/host", target.get("host"))
            if not self.page.whole(pointer) or not senders or not receivers:
                continue
            if len(senders) > 1 and source["host"] != target["host"]:
                reason = say("document.from-a-fleet", host=source["host"])
                self.page.add(f"{pointer}/from/host", reason)
                continue
            for position, host in enumerate(receivers):
                sender = senders[position] if len(senders) > 1 else senders[0]
                yield (
                    Section(self.page, pointer, value, source["host"], sender),
                    Section(self.page, pointer, value, target["host"], host),
                )

    def add(self, pointer: str, reason: Text) -> None:
        """Note a problem at the value of `pointer`."""
        self.page.add(pointer, reason)

    def line(self, pointer: str) -> Where:
        """The place of a key or of an entry of a list."""
        return self.page.where(pointer)

    def whole(self, key: str) -> bool:
        """Whether all sections under `key` were made; one with a problem of its own was not."""
        return all(self.page.whole(pointer) for pointer, _ in entries(self.page, key))


def made(page: Page) -> list[Made]:
    """What all kinds make of the document, in the order of work."""
    found: list[Made] = []
    for kind in sorted(KINDS.values(), key=lambda kind: kind.ORDER):
        found += kind.resources(Sections(page), tuple(found))
    return found


def entries(page: Page, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(pointer, mapping) of a key that holds one mapping or a list of them, at any depth."""
    value: Any = page.value
    for key in name.split("/"):
        value = value.get(key, ()) if isinstance(value, Mapping) else ()
    if isinstance(value, Mapping):
        yield f"/{name}", value
        return
    for at, entry in enumerate(value):
        yield f"/{name}/{at}", entry


def known(page: Page, pointer: str, word: str | None) -> tuple[HostSpec, ...]:
    """The hosts of one word; none when it was left out or is unknown, which is noted."""
    if word is not None and f"/hosts/{word}" not in page.keys:
        page.add(pointer, lambda: _unknown_host(word, tuple(page.groups)))
    return page.groups.get(word or "", ())


def _unknown_host(word: str, hosts: Sequence[str]) -> Text:
    if not hosts:
        return say("document.no-hosts", host=word)
    among = say("document.unknown-host-of", host=word, hosts=hosts)
    return guessed(say("document.unknown-host", host=word), word, hosts, among)


def addressed(page: Page, found: Sequence[Made]) -> tuple[Resource, ...]:
    """Resources in the order given; a thing that is declared twice is noted."""
    _once(page, found)
    alike: dict[tuple[str, str], list[Made]] = {}
    for item in found:
        others = alike.setdefault((item.kind, item.label), [])
        if not any(_together(item, other) for other in others):
            others.append(item)
    return tuple(
        Resource(
            _address(item, alike[item.kind, item.label]),
            item.kind,
            item.section.host.name,
            item.spec,
            page.where(_pointer(item)),
            item.lines,
        )
        for item in found
    )


def _pointer(item: Made) -> str:
    return item.section.pointer + item.pointer


def _once(page: Page, found: Iterable[Made]) -> None:
    seen: dict[tuple[str, str, str], Made] = {}
    for item in found:
        identity = item.identity or _pointer(item)
        first = seen.setdefault((item.kind, item.section.host.name, identity), item)
        if first is not item:
            line = page.where(_pointer(first)).line
            what = f"{item.kind} {item.label}".strip()
            twice = say("document.section-twice", what=what, host=item.section.word, line=line)
            page.add_at(page.where(_pointer(item)), twice)


def _together(item: Made, other: Made) -> bool:
    """Whether both stand at one place of the document: the members of a fleet do."""
    return item.section.word == other.section.word and _pointer(item) == _pointer(other)


def _address(item: Made, alike: Iterable[Made]) -> str:
    """The shortest of KIND.LABEL, KIND.HOST.LABEL, KIND.HOST.LABEL.TAIL that is its own, then the
    fleet's. `alike`: one of each place that has its kind and label."""
    word = item.section.word
    alike = [other for other in alike if not _together(item, other)]
    host = word if alike else ""
    tail = item.tail if any(other.section.word == word for other in alike) else ""
    address = ".".join(part for part in (item.kind, host, item.label, tail) if part)
    return address + item.section.host.name.removeprefix(word)
