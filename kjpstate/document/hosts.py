"""The section `hosts` -> HostSpecs; a path of the document -> an absolute one. Called by `load`.

A fleet is one word in the document and several hosts: `stb` with two addresses is `stb[10.0.0.1]`
and `stb[10.0.0.2]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kjpstate.document.page import Page
from kjpstate.document.references import at_home
from kjpstate.document.words import parse_ssh
from kjpstate.formats.windows import misleading, tidied, whole
from kjpstate.formats.written import as_list
from kjpstate.host import HostSpec, Local, Ssh
from kjpstate.model import join
from kjpstate.said import say


def hosts_of(page: Page) -> dict[str, tuple[HostSpec, ...]]:
    """The document's word -> its hosts: one, or those of a fleet. What does not fit is noted and
    left out."""
    groups: dict[str, tuple[HostSpec, ...]] = {}
    for name, entry in page.value.get("hosts", {}).items():
        pointer = f"/hosts/{name}"
        if "local" in entry:
            groups[name] = (_local(page, name, entry["local"], pointer),)
        elif isinstance(entry.get("ssh"), list):
            groups[name] = tuple(_fleet(page, name, entry["ssh"], f"{pointer}/ssh"))
        elif "ssh" in entry and (spec := _remote(page, name, entry["ssh"], f"{pointer}/ssh")):
            groups[name] = (spec,)
    _one_word_a_machine(page, groups)
    return groups


def absolute(page: Page, host: HostSpec, text: str, pointer: str, *, folder: bool) -> str:
    """The path on `host`, a folder with a final `/`; a problem is noted and the text given back."""
    windows = page.windows and isinstance(host, Local)
    if isinstance(host, Ssh) and not text.startswith("/"):
        word = host.member_of or host.name
        page.add(pointer, say("document.not-absolute", host=word, found=repr(text)))
        return text
    if text.endswith("/") and not folder:
        page.add(pointer, say("document.file-not-folder", path=text))
    path = at_home(text, page.environ)
    if windows and (why := misleading(path)):
        page.add(pointer, why)
        return text
    start = host.folder if isinstance(host, Local) else "/"
    return tidied(join(start, path), folder=folder, windows=windows)


def _local(page: Page, name: str, text: str, pointer: str) -> Local:
    folder = _here(page, text, f"{pointer}/local", folder=True)
    return Local(name, page.where(pointer), folder)


def _here(page: Page, text: str, pointer: str, *, folder: bool) -> str:
    """A path on this machine, from the document's folder; what would be another place is noted."""
    written = at_home(text.replace("\\", "/"), page.environ)
    if page.windows and (why := misleading(written)):
        page.add(pointer, why)
    path = written if whole(written, page.windows) else f"{page.folder.as_posix()}/{written}"
    return tidied(path, folder=folder, windows=page.windows)


def _fleet(page: Page, name: str, entries: list[Any], pointer: str) -> list[Ssh]:
    found = []
    for at, entry in enumerate(entries):
        spec = _remote(page, name, entry, f"{pointer}/{at}")
        if spec is not None:
            suffix = "" if spec.port == 22 else f":{spec.port}"
            member = f"{name}[{spec.address}{suffix}]"
            found.append(replace(spec, name=member, member_of=name))
    return found


def _remote(page: Page, name: str, entry: str | Mapping[str, Any], pointer: str) -> Ssh | None:
    where = page.where(pointer)
    if isinstance(entry, str):
        parsed = parse_ssh(entry)
        return Ssh(name, where, parsed[1], parsed[2], parsed[0]) if parsed else None
    if "address" not in entry:
        return None
    return Ssh(
        name,
        where,
        address=entry["address"],
        port=entry.get("port", 22),
        user=entry.get("user", ""),
        host_key=entry.get("host_key", ""),
        identity=tuple(
            _here(page, text, f"{pointer}/identity", folder=False)
            for text in as_list(entry.get("identity"))
        ),
        jump=entry.get("jump", ""),
        become=entry.get("become", ""),
    )


def _one_word_a_machine(page: Page, groups: Mapping[str, tuple[HostSpec, ...]]) -> None:
    """A machine under two words would wait for its own lock."""
    seen: dict[tuple[str, int, str], Ssh] = {}
    specs = (spec for group in groups.values() for spec in group)
    for spec in (spec for spec in specs if isinstance(spec, Ssh)):
        first = seen.setdefault((spec.address.lower(), spec.port, spec.jump), spec)
        if first is not spec:
            twice = say(
                "document.machine-twice",
                address=spec.address,
                host=first.name,
                line=first.where.line,
            )
            page.add_at(spec.where, twice)
