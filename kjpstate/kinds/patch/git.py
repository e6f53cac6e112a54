"""The git work tree a patched file lies in: a commit there keeps what was patched, and a later pull
would stumble over it otherwise. Nothing is compared by it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator

from kjpstate.kinds.patch.spec import Spec
from kjpstate.model import Answers, ReadStat, Stat, Suggestion

_MOST = 6
"""Folders that are looked into, the nearest first."""


def readings(spec: Spec) -> tuple[ReadStat, ...]:
    """`.git` in the folders above the file, up to the host's folder (the document's path starts
    there)."""
    return tuple(ReadStat(spec.host, f"{folder}/.git") for folder in _folders(spec))


def worktree(spec: Spec, answers: Answers) -> str:
    """The folder of the work tree, without a final `/`; empty where none was seen."""
    for folder in _folders(spec):
        found = answers.get(ReadStat(spec.host, f"{folder}/.git"))
        if isinstance(found, Stat) and found.type in ("directory", "file"):
            return folder
    return ""


def commits(patched: Iterable[tuple[Spec, str]]) -> Iterator[Suggestion]:
    """One commit for each work tree; `patched`: sets that were applied, with their work trees."""
    found: dict[tuple[str, str], list[Spec]] = {}
    for spec, folder in patched:
        if folder:
            found.setdefault((spec.host, folder), []).append(spec)
    for (host, folder), specs in found.items():
        sets = ", ".join(dict.fromkeys(spec.set for spec in specs))
        paths = dict.fromkeys(spec.path.removeprefix(f"{folder}/") for spec in specs)
        files = " ".join(map(_quoted, paths))
        yield Suggestion(
            f"Keep it, on {host}, so that git pull goes on working",
            f'git -C {_quoted(folder)} commit -m "kjpstate: {sets}" -- {files}',
        )


def _quoted(path: str) -> str:
    """A path as a word of a command line, for sh and for Windows alike where it is no odd one."""
    if not set(path) & set('"$`\\'):
        return path if re.fullmatch(r"[\w./:@%+,-]+", path) else f'"{path}"'
    return shlex.quote(path)


def _folders(spec: Spec) -> Iterator[str]:
    shown = spec.display.replace("\\", "/").removeprefix("./")
    top = spec.path.removesuffix(f"/{shown}") if spec.path.endswith(f"/{shown}") else ""
    folder = spec.path
    for _ in range(_MOST):
        folder = folder.rpartition("/")[0]
        if not folder or folder.endswith(":"):
            return
        yield folder
        if folder == top:
            return
