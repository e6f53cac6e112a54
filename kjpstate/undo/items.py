"""What a record leaves to put back on its host: files, files that commands wrote, folders. Pure.

Called by `reverse`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kjpstate.formats.digests import digest_of, sha256_or_none
from kjpstate.formats.tree import listing_digest, stamp_name, stamped_files
from kjpstate.model import (
    UNKNOWN,
    Answers,
    File,
    ReadFile,
    Reading,
    ReadTree,
    Tree,
    TreeFile,
    Unknown,
    Unreadable,
)
from kjpstate.said import Text, say
from kjpstate.undo.ledger import Kept
from kjpstate.undo.record import Record

_FEW = 3
"""Paths that a sentence names."""


@dataclass(frozen=True)
class Spec:
    """One host's part of a run that is to be taken back."""

    host: str
    document: str
    record: Record
    kept: Mapping[str, Kept]
    """Path -> the row of the ledger that names its original."""
    later: Text = ""
    """Why another run must be taken back first; "" for none."""
    puts: Mapping[str, Mapping[str, str] | None] = field(default_factory=dict)
    """Folder -> {relative: sha256} as the run put them there, None where a command wrote it."""
    by: str = ""
    """The run that takes back."""
    force: bool = False
    """Overwrite what somebody changed since."""
    may_change: tuple[str, ...] = ()

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """Each path of the record once, in the order of its steps: as it was before the first,
        after the last."""
        found: dict[str, Item] = {}
        for step in self.record.steps:
            for item in _of_step(step, self):
                first = found.get(item.path)
                found[item.path] = item if first is None else _joined(first, item)
        return tuple(found.values())


@dataclass(frozen=True)
class Item:
    """One path. `sort`: file (we wrote it), written (a command did), folder. `before`, `after`:
    digests of a file's bytes, None for none. `backup`: where its original is, or "" when there was
    none. `lost`: why its original is not known, though there was one or nobody noted that there was
    none."""

    host: str
    path: str
    sort: str
    backup: str = ""
    digest: str = ""
    before: str | None = None
    after: str | None = None
    mode: int = 0o644
    put: Mapping[str, str] | None = None
    earlier: Mapping[str, str] | None = None
    lost: Text = ""

    @property
    def here(self) -> Reading:
        """The reading of what stands there now."""
        if self.sort == "folder":
            return ReadTree(self.host, self.path, whole=self.put is None)
        return (
            ReadFile(self.host, self.path) if self.sort == "file" else of_file(self.host, self.path)
        )

    @property
    def original(self) -> Reading | None:
        """The reading of the backup; None when there was nothing before."""
        if not self.backup:
            return None
        if self.sort == "folder":
            return ReadTree(self.host, self.backup.rstrip("/") + "/", whole=True)
        return (
            ReadFile(self.host, self.backup)
            if self.sort == "file"
            else of_file(self.host, self.backup)
        )


def of_file(host: str, path: str) -> ReadTree:
    """A reading that gives one file's digest without its bytes."""
    folder, _, name = path.rpartition("/")
    return ReadTree(host, folder + "/", (name,), whole=True)


def _of_step(step: Mapping[str, Any], spec: Spec) -> Iterator[Item]:
    host, kept, record = spec.host, spec.kept, spec.record
    for file in step["files"]:
        path = file["path"]
        row: Kept | None = kept.get(path)
        backup = row.backup if row else f"{path}.backup.{record.suffix}"
        yield Item(
            host,
            path,
            "file",
            backup if file["before"] is not None else "",
            file["before"] or "",
            file["before"],
            file["after"],
            file["mode"],
        )
    for path in (*(folder["path"] for folder in step["folders"]), *step["written"]):
        row = kept.get(path.rstrip("/"))
        backup, backed = (row.backup, row.sha256) if row else ("", "")
        stood = step.get("there", {}).get(path, UNKNOWN)
        lost = "" if row is not None or stood is None else _lost(path, stood, record)
        if path.endswith("/") or "directory" in (row and row.type, stood):
            earlier = stamped_files(step["stamps"].get(stamp_name("tree", path)))
            put = spec.puts.get(path)
            yield Item(host, path, "folder", backup, backed, put=put, earlier=earlier, lost=lost)
        else:
            yield Item(host, path, "written", backup, backed, lost=lost)


def _lost(path: str, stood: str | Unknown, record: Record) -> Text:
    """Why nothing may be put in the place of `path`: that no row names its original does not mean
    that there was nothing."""
    if stood is UNKNOWN:
        return say("rollback.no-original", path=path, run=record.id)
    backup = f"{path.rstrip('/')}.backup.{record.suffix}"
    return say("rollback.original-lost", path=path, run=record.id, stood=stood, backup=backup)


def _joined(first: Item, last: Item) -> Item:
    return Item(**{**vars(first), "after": last.after})


# ---- as it is, and as it was


def now(item: Item, answers: Answers) -> str | None:
    """The digest of what stands there; of a folder only what is ours in it counts."""
    answer = answers.get(item.here)
    if item.sort == "folder":
        return _listed(item, answer if isinstance(answer, Tree) else None, _names(item, answers))
    return _digest(item.path, answer)


def then(item: Item, answers: Answers) -> str | None:
    """The digest of what stood there before the run."""
    if item.sort == "folder":
        found = originals(item, answers)
        if item.put is None and not item.backup:
            return None
        return digest_of(
            {name: found[name].digest if name in found else None for name in _names(item, answers)}
        )
    return (item.before if item.sort == "file" else item.digest or None) if item.backup else None


def _listed(item: Item, tree: Tree | None, names: tuple[str, ...]) -> str | None:
    if tree is None and item.put is None:
        return None
    files = tree.files if tree else {}
    return digest_of({name: files[name].digest if name in files else None for name in names})


def _names(item: Item, answers: Answers) -> tuple[str, ...]:
    here = answers.get(item.here)
    ours = item.put if item.put is not None else here.files if isinstance(here, Tree) else {}
    return tuple(sorted({*ours, *originals(item, answers)}))


def originals(item: Item, answers: Answers) -> dict[str, TreeFile]:
    """The files of a folder's backup that go back: what we put there then or
    had put there before."""
    answer = answers.get(item.original) if item.original else None
    files = answer.files if isinstance(answer, Tree) else {}
    if item.put is None:
        return dict(files)
    ours = {*item.put, *(item.earlier or {})}
    return {name: file for name, file in sorted(files.items()) if name in ours}


def removed(item: Item, answers: Answers) -> tuple[str, ...]:
    """The files that the run put into a folder and that were not there before."""
    found = originals(item, answers)
    return tuple(sorted(name for name in item.put or {} if name not in found))


def _digest(path: str, answer: Any) -> str | None:
    if isinstance(answer, File):
        return sha256_or_none(answer.content)
    if isinstance(answer, Tree):
        file = answer.files.get(path.rpartition("/")[2])
        return file.digest if file else None
    return None


# ---- what forbids it


def trouble(item: Item, answers: Answers, *, force: bool) -> Iterator[tuple[str, Text]]:
    """(rule, text) of what stands against putting this item back."""
    here = answers.get(item.here)
    if item.lost:
        yield "backup-damaged", item.lost
        return
    if isinstance(here, Unreadable):
        yield "backup-damaged", say("rollback.unread", path=item.path, why=here.why)
        return
    if now(item, answers) == then(item, answers) and not _backup_trouble(item, answers):
        return
    if why := _backup_trouble(item, answers):
        yield "backup-damaged", why
    elif not force and (changed := _changed(item, answers)):
        code = "changed-since.and-more" if len(changed) > _FEW else "changed-since"
        yield "changed-since", say(code, paths=changed[:_FEW])


def _backup_trouble(item: Item, answers: Answers) -> Text:
    if item.original is None:
        return ""
    answer = answers.get(item.original)
    if answer is None:
        return say("rollback.original-gone", backup=item.backup, path=item.path)
    if isinstance(answer, Unreadable):
        return say("rollback.original-unread", backup=item.backup, path=item.path, why=answer.why)
    if isinstance(answer, Tree) and item.sort == "folder":
        found: str | None = listing_digest(
            {name: file.digest for name, file in answer.files.items()}
        )
    else:
        found = _digest(item.backup, answer)
    if found is None:
        return say("rollback.original-gone", backup=item.backup, path=item.path)
    return "" if found == item.digest else say("rollback.original-changed", backup=item.backup)


def _changed(item: Item, answers: Answers) -> list[str]:
    """The paths that somebody changed since the run."""
    if item.sort == "file":
        return [item.path] if now(item, answers) not in (item.before, item.after) else []
    here = answers.get(item.here)
    if item.sort != "folder" or item.put is None:
        return []
    files, before = here.files if isinstance(here, Tree) else {}, originals(item, answers)
    return [
        f"{item.path}{name}"
        for name, value in item.put.items()
        if not _one_of(files.get(name), value, before.get(name))
    ]


def _one_of(found: TreeFile | None, put: str, before: TreeFile | None) -> bool:
    digest_now = found.digest if found else None
    return digest_now in (put, before.digest if before else None)
