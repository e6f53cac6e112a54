"""Whether the patched file lies in a git work tree: a hint for the report, nothing is compared by
it.

Called by the kind's face.
"""

from __future__ import annotations

from collections.abc import Iterator

from kjpstate.model import Answers, ReadStat, Spec, Stat

_MOST = 6
"""Folders that are looked into, the nearest first."""


def readings(spec: Spec) -> tuple[ReadStat, ...]:
    """`.git` in the folders above the file, up to the host's folder (the document's path starts
    there)."""
    return tuple(ReadStat(spec["host"], f"{folder}/.git") for folder in _folders(spec))


def worktree(spec: Spec, answers: Answers) -> str:
    """The folder of the work tree, without a final `/`; empty where none was seen."""
    for folder in _folders(spec):
        found = answers.get(ReadStat(spec["host"], f"{folder}/.git"))
        if isinstance(found, Stat) and found.type in ("directory", "file"):
            return folder
    return ""


def _folders(spec: Spec) -> Iterator[str]:
    shown = spec["display"].replace("\\", "/").removeprefix("./")
    top = spec["path"].removesuffix(f"/{shown}") if spec["path"].endswith(f"/{shown}") else ""
    folder = spec["path"]
    for _ in range(_MOST):
        folder = folder.rpartition("/")[0]
        if not folder or folder.endswith(":"):
            return
        yield folder
        if folder == top:
            return
