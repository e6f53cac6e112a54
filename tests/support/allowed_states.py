"""The checker of all fault tests: which states a fault may leave, and which the run after it.

It shares no code with what it checks: our names, the lock, the ledger and digests are spelled out
here anew. A `Picture` is all of a folder at one instant. A `Managed` path is one that an apply
writes.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

BACKUP = re.compile(r"(?P<of>.+)\.backup\.\d{8}T\d{6}Z-[0-9a-f]{6}")
TEMPORARY = re.compile(r"\.?[^/]+\.kjpstate-[a-z]+(\.[0-9a-f]{6})?(\.link)?")


@dataclass(frozen=True)
class Thing:
    """A file, folder or link: all of it that must be kept. Of a file its bytes, of a link its
    target."""

    kind: str
    mode: int
    owner: str
    content: bytes = b""
    attributes: tuple[tuple[str, bytes], ...] = ()


Picture = Mapping[str, Thing]
"""Path relative to the folder -> thing."""


def picture(folder: Path) -> dict[str, Thing]:
    """All below `folder`; nothing for one that is not there."""
    return (
        {str(path.relative_to(folder)): _thing(path) for path in _below(folder)}
        if folder.is_dir()
        else {}
    )


def _below(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as found:
        for entry in sorted(found, key=lambda item: item.name):
            yield Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                yield from _below(Path(entry.path))


def _thing(path: Path) -> Thing:
    found = path.lstat()
    owner = f"{found.st_uid}:{found.st_gid}"
    if stat.S_ISLNK(found.st_mode):
        return Thing("link", 0, owner, os.fsencode(path.readlink()))
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISDIR(found.st_mode):
        return Thing("folder", mode, owner)
    attributes = tuple((name, os.getxattr(path, name)) for name in sorted(os.listxattr(path)))
    return Thing("file", mode, owner, path.read_bytes(), attributes)


@dataclass(frozen=True)
class Managed:
    """A file's or folder's two whole states, relative path ("" for itself) -> thing; empty: not
    there.

    `kept`: whether its original must be found in a backup as soon as it is not old any more.
    `between`: what else a fault may leave for the next run: a folder that is gone between the two
    renames of its switch. `loose`: written by a command of the document, which is whole when that
    has ended.
    """

    path: str
    old: Picture
    new: Picture
    kept: bool = True
    between: tuple[Picture, ...] = ()
    loose: bool = False


def part(of: Picture, path: str) -> dict[str, Thing]:
    """`path` and what lies below it, relative to it."""
    inside = f"{path}/"
    found = {
        name.removeprefix(inside): thing for name, thing in of.items() if name.startswith(inside)
    }
    return {"": of[path], **found} if path in of else {}


def after_fault(before: Picture, now: Picture, managed: Iterable[Managed]) -> list[str]:
    """What is wrong in the work folder right after a fault; nothing when the state is an allowed
    one."""
    managed = list(managed)
    return [
        *(trouble for item in managed for trouble in _old_or_new(now, item)),
        *_outside(before, now, managed),
    ]


def _old_or_new(now: Picture, item: Managed) -> Iterator[str]:
    found = part(now, item.path)
    if found == item.old:
        return
    if found != item.new and found not in item.between and not item.loose:
        old, new = difference(found, item.old), difference(found, item.new)
        yield f"{item.path} is not old: {old}; and not new: {new}"
    if item.kept and item.old and item.old not in backups(now, item.path):
        yield f"{item.path} is not old any more and no backup is what it was"


def backups(now: Picture, path: str) -> list[dict[str, Thing]]:
    """Each backup beside `path`, whole."""
    return [
        part(now, name) for name in now if (found := BACKUP.fullmatch(name)) and found["of"] == path
    ]


def _outside(before: Picture, now: Picture, managed: list[Managed]) -> Iterator[str]:
    for path in sorted({*before, *now}):
        if before.get(path) != now.get(path) and not _ours(path, managed):
            what = difference({path: now.get(path)}, {path: before.get(path)})
            yield f"none of its business: {what}"


def _ours(path: str, managed: list[Managed]) -> bool:
    """Whether it is managed, or a backup or temporary of ours beside a managed
    path, or inside one."""
    for item in managed:
        folder, _, name = item.path.rpartition("/")
        head = f"{folder}/" if folder else ""
        if path == item.path or path.startswith(f"{item.path}/"):
            return True
        if path.startswith(head):
            first = path.removeprefix(head).split("/")[0]
            found = BACKUP.fullmatch(first)
            if (found and found["of"] == name) or (
                TEMPORARY.fullmatch(first) and first.lstrip(".").startswith(f"{name}.kjpstate-")
            ):
                return True
    return False


def after_rerun(before: Picture, now: Picture, managed: Iterable[Managed]) -> list[str]:
    """What is wrong in the work folder when the next run has ended well."""
    managed = list(managed)
    troubles = list(_outside(before, now, managed))
    for item in managed:
        found = part(now, item.path)
        if found != item.new:
            troubles.append(f"{item.path} did not converge: {difference(found, item.new)}")
        kept = backups(now, item.path)
        if item.kept and item.old and item.old != item.new and item.old not in kept:
            troubles.append(f"the original of {item.path} is lost")
        troubles += [
            f"a backup of {item.path} is neither of its states"
            for copy in kept
            if copy not in (item.old, item.new)
        ]
    return troubles + litter(now)


def litter(now: Picture) -> list[str]:
    """Our temporary names, anywhere."""
    return [f"left behind: {path}" for path in now if TEMPORARY.fullmatch(path.rpartition("/")[2])]


def ledger_troubles(work: Path, now: Picture, ledger: Path) -> list[str]:
    """Whether the ledger and the backups agree: each has the other, and the digest is right."""
    text = ledger.read_text() if ledger.exists() else ""
    lines = [line.split("\t") for line in text.splitlines() if line]
    troubles = [f"a broken line in the ledger: {line}" for line in lines if len(line) != 5]
    named = {line[2]: line for line in lines if len(line) == 5}
    for name in now:
        if BACKUP.fullmatch(name) and f"{work}/{name}" not in named:
            troubles.append(f"{name} stands in no ledger")
    for path, line in named.items():
        if line[4] == "file" and path.startswith(f"{work}/") and not _is(Path(path), line[3]):
            troubles.append(f"the ledger says {path} is {line[3][:8]}, and it is not")
    return troubles


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def private_troubles(state: Path) -> list[str]:
    """State files that others may read."""
    return [
        f"{path} has mode {thing.mode:o}"
        for path, thing in picture(state).items()
        if thing.kind == "file" and thing.mode & 0o077 and "kept/" not in path
    ]


def difference(found: Mapping[str, Thing | None], wanted: Mapping[str, Thing | None]) -> str:
    """Where two pictures differ, in a few words."""
    words = []
    for path in sorted({*found, *wanted}):
        one, other = found.get(path), wanted.get(path)
        if one != other:
            words.append(f"{path or 'itself'} is {_word(one)}, not {_word(other)}")
    return "; ".join(words[:4]) or "the same"


def _word(thing: Thing | None) -> str:
    if thing is None:
        return "missing"
    size = f"{len(thing.content)} bytes {thing.content[:24]!r}"
    return f"{thing.kind} {thing.mode:o} {thing.owner} {size} {thing.attributes or ''}"
