"""What both bodies of the port agree on: names of backups and temps, stamps' bytes, and the guard.

Called by `local` and `ssh`. Pure; paths are the document's, with `/`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kjpstate.errors import Failed
from kjpstate.formats.digests import sha256
from kjpstate.formats.tree import AS_BYTES, layable
from kjpstate.formats.windows import odd_name, odd_path
from kjpstate.host import allowed, may_hold
from kjpstate.model import (
    Action,
    Backup,
    MakeDirectory,
    Prune,
    Restore,
    Run,
    RunInfo,
    Stamp,
    SyncTree,
    WriteFile,
)
from kjpstate.said import Text, say

FILE_CAP = 16 * 1024 * 1024
"""Bytes a ReadFile may bring; larger is Unreadable."""

TREE_FILE_CAP = 1024 * 1024 * 1024
"""Bytes of a file of a ReadTree; with a larger one the tree is Unreadable: its digest would take
for ever."""

OUTPUT_CAP = 64 * 1024
"""Bytes of a command's output that are kept: the last ones."""


def backup_of(path: str, run: RunInfo) -> str:
    """The path at which this run keeps the original of `path`."""
    return f"{path.rstrip('/')}.backup.{run.suffix}"


def kept_name(path: str, run: RunInfo) -> str:
    """The name in our state folder for an original that may not be kept beside its file."""
    bare = path.rstrip("/")
    digest = sha256(bare.encode(*AS_BYTES))
    return f"{digest[:12]}-{bare.rpartition('/')[2]}.backup.{run.suffix}"


def temporary_of(path: str, word: str, run_id: str) -> str:
    """A hidden name beside a file, for what is being written: `.wa.ts.kjpstate-new.1f3a9c`."""
    folder, _, name = path.rstrip("/").rpartition("/")
    return f"{folder}/.{name}.kjpstate-{word}.{run_id}"


def tree_temporary_of(path: str, word: str, run_id: str) -> str:
    """A name beside a folder: `dist.kjpstate-new.1f3a9c`."""
    return f"{path.rstrip('/')}.kjpstate-{word}.{run_id}"


def stamp_bytes(values: Mapping[str, Any]) -> bytes:
    """A stamp's file: JSON with sorted keys, so that equal stamps are equal bytes."""
    return json.dumps(values, sort_keys=True, indent=1).encode() + b"\n"


def plain_name(name: str, *, windows: bool = False) -> str:
    """`name` if it can be one file of a folder and nothing else; raises Failed."""
    if (
        not name
        or name in (".", "..")
        or any(mark in name for mark in "/\\\0\n\t")
        or (windows and odd_name(name))
    ):
        raise Failed(say("hosts.no-name-of-state", name=name))
    return name


def refusal(
    action: Action, may_change: Sequence[str], kept: Collection[str], *, windows: bool = False
) -> Text:
    """The reason why the guard forbids `action`; empty when it does not. `kept`: paths this session
    already backed up. `windows`: the host runs Windows.

    What a Run writes is named in the plan and not bound here, but its originals must have been kept
    first; they may be put back. Backups and stamps go beside an allowed path or into our state
    folder, by name.
    """
    match action:
        case WriteFile(path=path) | SyncTree(to_directory=path):
            fine = may_hold(path, may_change)
        case MakeDirectory(path=path):
            inside = path.rstrip("/") + "/"
            fine = allowed(path, may_change) or any(
                entry.startswith(inside) for entry in may_change
            )
        case Restore(path=path):
            fine = allowed(path, may_change) or path in kept
        case Run(writes=writes):
            path = next((written for written in writes if written not in kept), "")
            if path:
                return say("hosts.not-kept-first", path=path)
            fine = True
        case Backup(path=path) | Stamp(name=path):
            fine = True
        case _:
            fine, path = True, ""
    odd = next((name for name in _names_in(action) if _odd(name, windows)), None)
    if odd is not None:
        return say("hosts.no-name-in-a-tree", name=odd)
    odd = next((path for path in _paths_in(action) if windows and odd_path(path)), None)
    if odd is not None:
        return say("hosts.no-path-on-windows", path=odd)
    return "" if fine else say("hosts.may-not-change", path=path, host=action.host)


def _names_in(action: Action) -> tuple[str, ...]:
    """The names below a folder that an action lays, removes or puts back: a host, or its notes,
    tell them."""
    match action:
        case SyncTree(manifest=laid, remove=names):
            return (*(laid or ()), *names)
        case Restore(files=files, removed=names):
            return (*files, *names)
        case _:
            return ()


def _paths_in(action: Action) -> tuple[str, ...]:
    """The whole paths that an action touches here; notes of an earlier run tell them, too."""
    match action:
        case WriteFile(path=path) | MakeDirectory(path=path) | Backup(path=path):
            return (path,)
        case SyncTree(to_directory=path):
            return (path,)
        case Restore(path=path, backup=backup):
            return (path, backup or "")
        case Prune(backups=backups):
            return tuple(backups)
        case _:
            return ()


def _odd(name: str, windows: bool) -> bool:
    return not layable(name) or (windows and any(map(odd_name, name.split("/"))))


def settled(action: SyncTree, standing: Mapping[str, object]) -> bool:
    """True if the folder already holds the manifest's files and nothing that should go."""
    wanted = {path: file.digest for path, file in (action.manifest or {}).items()}
    found = {path: getattr(file, "digest", "") for path, file in standing.items() if path in wanted}
    return wanted == found and not any(path in standing for path in action.remove)
