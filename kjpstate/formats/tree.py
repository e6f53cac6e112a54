"""Folders as values: digests of trees, the names that are ours, and the stamps kjpstate leaves.

Called by the kinds build, deploy and pm2_process, by `hosts/` (whose readings leave our names out)
and by `apply` (which fills stamps). Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kjpstate.formats.digests import sha256
from kjpstate.model import Answer, Clock, Tree

_OURS = re.compile(r".\.kjpstate-.|.\.backup\.\d{8}T\d{6}Z-[0-9a-f]{6}$")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def ours(name: str) -> bool:
    """True if a name, or any part of a path with `/`, is one of our backups or temporary names."""
    return any(_OURS.search(part) for part in name.split("/"))


def is_backup(path: str, run: str) -> bool:
    """True if the last part of `path` is a name that a backup of `run` has."""
    return bool(re.search(rf"[^/]\.backup\.\d{{8}}T\d{{6}}Z-{re.escape(run)}$", path))


AS_BYTES = ("utf-8", "surrogateescape")
"""How the bytes of a name are text, whatever they are: for `encode` and `decode`."""

_ODD = frozenset("\n\\\0")
_FOLDS: Final[dict[str, str | int | None]] = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_FOLDED = re.compile(r"\\(.)")


def folded(name: str) -> str:
    """A name as a part of a line, as `sha256sum` writes it: a backslash, a line end and a carriage
    return as two signs each."""
    return name.translate(str.maketrans(_FOLDS))


def unfolded(word: str) -> str:
    """The name that `folded` made a word of."""
    return _FOLDED.sub(lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), word)


def layable(name: str) -> bool:
    """True if a file can be laid into a tree by this relative name, on every host: none that leads
    out, that has a line end, or a backslash, which parts folders on Windows; none that is no text
    of bytes."""
    try:
        name.encode(*AS_BYTES)
    except UnicodeEncodeError:
        return False
    return {"", ".", ".."}.isdisjoint(name.split("/")) and _ODD.isdisjoint(name)


def stamp_name(kind: str, path: str) -> str:
    """The file name of a stamp, safe on every system: `tree-root-bot-kjp-dist-1f3a9c2e77aa.json`.

    A readable tail of the path for people, a digest of all of it so that no two paths share a
    stamp; with or without a final `/` the name is the same.
    """
    bare = path.rstrip("/")
    slug = _UNSAFE.sub("-", bare)[-40:].strip("-.")
    return f"{kind}-{slug}-{sha256(bare.encode(*AS_BYTES))[:12]}.json"


def digests(tree: Tree | None) -> dict[str, str]:
    """{relative path: sha256}, in the order of the paths; empty for a missing tree."""
    return {path: tree.files[path].digest for path in sorted(tree.files)} if tree else {}


def listing_digest(files: Mapping[str, str]) -> str:
    """sha256 of {relative: sha256} as `sha256sum` prints it, sorted: what a folder's backup is
    known by."""
    lines = sorted(
        f"{'' if folded(path) == path else chr(92)}{value}  ./{folded(path)}\n".encode(*AS_BYTES)
        for path, value in files.items()
    )
    return sha256(b"".join(lines))


def below(files: Mapping[str, str], folder: str) -> dict[str, str]:
    """The entries of {relative path: …} inside the relative `folder`, relative to that folder."""
    folder = "" if folder in ("", ".", "./") else folder.removeprefix("./").rstrip("/") + "/"
    return {path[len(folder) :]: value for path, value in files.items() if path.startswith(folder)}


def covered(path: str, paths: Sequence[str]) -> bool:
    """True if the relative `path` is one of `paths`, or lies in one of them that ends in `/` (`./`:
    all)."""
    entries = [entry.removeprefix("./") for entry in paths]
    folders = tuple(entry for entry in entries if not entry or entry.endswith("/"))
    return path in entries or path.startswith(folders)


OF_HOST = "_host"
"""Where, beside the documents' folders, stands what all of them must know; no document can have
that name."""


def read_stamp(answer: Answer) -> Mapping[str, Any] | None:
    """The values of a stamp; None when there is none, it can't be read, or it is damaged.

    A stamp that is lost costs one needless step, so damage is treated like absence.
    """
    if not isinstance(answer, bytes):
        return None
    try:
        values = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def stamped_files(stamp: Mapping[str, Any] | None, key: str = "files") -> dict[str, str] | None:
    """{relative path: sha256} at `key` of a stamp; None when it is missing or malformed."""
    files = stamp.get(key) if stamp else None
    if not isinstance(files, dict):
        return None
    if not all(isinstance(value, str) for value in files.values()):
        return None
    return {path: files[path] for path in sorted(files)}


def stamped_clock(stamp: Mapping[str, Any] | None) -> Clock | None:
    """The clock of a `tree` stamp; None when it is missing or malformed."""
    clock = stamp.get("clock") if stamp else None
    if not isinstance(clock, dict):
        return None
    boot_id, uptime = clock.get("boot_id"), clock.get("uptime")
    if not (isinstance(boot_id, str) and isinstance(uptime, str)):
        return None
    return Clock(boot_id, uptime)
