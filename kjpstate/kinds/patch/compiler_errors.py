"""Whose errors a failed check told: those of a block of ours, of the patched file, or there before.
Pure.

Called by `apply` when a check failed after a patch, the unit was put back, and the check was run
once more.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kjpstate.formats.typescript import NoParser, read
from kjpstate.kinds.patch import markers
from kjpstate.model import Outcome, Run, WriteFile, join

_ERROR = re.compile(
    r"(?P<file>[^\s(:][^(:]*|[A-Za-z]:[^(:]+)"
    r"(?:\((?P<line>\d+),\d+\): |:(?P<pretty>\d+):\d+ - )(?P<text>error\b.*)"
)
_MOST = 12
"""Errors of one block that are shown; one wrong type brings hundreds."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class CompilerError:
    """One error as the compiler wrote it. `path` is absolute; `line` from 1; `text` from `error`
    on."""

    path: str
    line: int
    text: str
    shown: str


def compiler_errors(output: bytes, folder: str) -> list[CompilerError]:
    """The lines `FILE(LINE,COLUMN): error …` (or `FILE:LINE:COLUMN - error …`) of what ran in
    `folder`."""
    found = []
    for row in _COLOUR.sub("", output.decode(errors="replace")).splitlines():
        match = _ERROR.fullmatch(row.rstrip())
        if match is not None:
            path = posixpath.normpath(join(folder, match["file"].strip().replace("\\", "/")))
            number = int(match["line"] or match["pretty"])
            found.append(CompilerError(path, number, match["text"], row.strip()))
    return found


def verdict(failed: Outcome, again: Outcome, written: Sequence[WriteFile]) -> str:
    """Lines on whose errors they are. `failed`: the check on the patched source; `again`: the same
    on the restored one; `written`: what the patches had written."""
    assert isinstance(failed.action, Run)
    folder = failed.action.cwd or "/"
    if again.status == "unknown" or (not again.ok and again.exit_code is None):
        return (
            "The unit is restored; the check could not be run again, so whose errors these "
            "are is not known."
        )
    told = compiler_errors(failed.output, folder)
    before = [] if again.ok else compiler_errors(again.output, folder)
    ours = _new(told, before)
    if again.ok:
        first = "On the restored source the check passes: the errors come with the patch."
    elif not ours and told:
        first = (
            "On the restored source the check fails with the same errors: they are not the patch's."
        )
    elif before:
        first = (
            f"On the restored source the check fails too; of its errors {len(ours)} come "
            "with the patch."
        )
    else:
        first = (
            "On the restored source the check fails too; what it prints is not of a form "
            "known here."
        )
    theirs = _new(before, ours) if ours else []
    return "\n".join((first, *_beside(ours, written), *_listed("there before the patch", theirs)))


def _new(told: Sequence[CompilerError], before: Sequence[CompilerError]) -> list[CompilerError]:
    """Drop the errors that were there before; lines move, so path and text are compared."""
    known = Counter((error.path, error.text) for error in before)
    new = []
    for error in told:
        if known[error.path, error.text]:
            known[error.path, error.text] -= 1
        else:
            new.append(error)
    return new


def _beside(found: Sequence[CompilerError], written: Sequence[WriteFile]) -> Iterator[str]:
    """Each error beside the block whose lines it stands in, block by block, the others last."""
    owners: dict[str, list[CompilerError]] = {}
    for error in found:
        owners.setdefault(_owner(error, written), []).append(error)
    for owner in sorted(owners, key=lambda owner: owner == ""):
        yield from _listed(f"in block {owner}" if owner else "outside of the blocks", owners[owner])


def _listed(where: str, found: Sequence[CompilerError]) -> Iterator[str]:
    if found:
        yield f"  {where}:"
        yield from (f"    {error.shown}" for error in found[:_MOST])
    if len(found) > _MOST:
        yield f"    and {len(found) - _MOST} more"


def _owner(error: CompilerError, written: Sequence[WriteFile]) -> str:
    """`SET/EDIT, lines A-B` of the block that holds the error in the bytes that were written, or
    nothing."""
    for write in written:
        if write.after is None or not _same_path(write.path, error.path):
            continue
        try:
            source = read(write.after, write.path)
        except NoParser:
            return ""
        for block in markers.blocks_of(source)[0]:
            last = source.line(block.end - 1)
            if block.line <= error.line <= last:
                return f"{block.name}, lines {block.line}-{last}"
    return ""


def _same_path(one: str, other: str) -> bool:
    """Windows does not tell a `D:` from a `d:`."""
    return one == other or (one[1:2] == ":" and one.casefold() == other.casefold())
