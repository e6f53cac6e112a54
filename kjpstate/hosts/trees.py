"""A whole folder on this machine backed up, switched, put back: the very protocol of `remote/trees.sh`.

Called by `local`. A switch is two renames between which the folder is missing for an instant; the journal
lets the next session finish or undo it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from kjpstate.errors import Failed
from kjpstate.formats.tree import AS_BYTES, folded, listing_digest
from kjpstate.hosts.files import (
    POSIX,
    Pen,
    Trouble,
    atomically,
    note,
    note_kept,
    sha256_of,
    sweep_trees,
    sync,
    why,
)
from kjpstate.hosts.names import tree_temporary_of
from kjpstate.model import Restore, SyncTree, TreeFile

NAMES = "switch.names"
"""In the state folder while a folder is switched: the names in it that are ours, folded, a line each."""


async def build(
    action: SyncTree,
    standing: Mapping[str, TreeFile],
    chunks: Callable[[str], AsyncIterator[bytes]],
    pen: Pen,
) -> None:
    """Lay the new tree out beside the old one: ours copied or brought by `chunks`, then the rest linked.

    `standing`: the files there now. Raises Trouble (moved when a source file is not what the manifest
    says), OSError.
    """
    old, new = _places(action, pen)
    sweep_trees(old)
    pen.journal.intent("lay", action.to_directory)
    new.mkdir()
    try:
        await _fill(action, standing, chunks, new)
        pen.tell("tree written")
        if old.is_dir():
            shutil.copystat(old, new)
            _link_rest(old, new, set(action.remove))
            pen.tell("tree carried")
        _durable(new)
    except (OSError, Trouble, Failed):
        shutil.rmtree(new, ignore_errors=True)
        raise


async def _fill(
    action: SyncTree,
    standing: Mapping[str, TreeFile],
    chunks: Callable[[str], AsyncIterator[bytes]],
    new: Path,
) -> None:
    """Bring every file of the manifest into `new` and verify it."""
    old = new.with_name(action.to_directory.rstrip("/").rpartition("/")[2])
    for path, file in sorted((action.manifest or {}).items()):
        target = new / path
        target.parent.mkdir(parents=True, exist_ok=True)
        found = standing.get(path)
        if found is not None and found.digest == file.digest:
            shutil.copy2(old / path, target)
        else:
            await _receive(target, chunks(path))
            target.chmod(0o755 if file.mode & 0o111 else 0o644)
        if sha256_of(target) != file.digest:
            raise Trouble(f"{path} is not what the plan saw at {action.from_directory} any more", "moved")


async def _receive(target: Path, chunks: AsyncIterator[bytes]) -> None:
    with target.open("xb") as stream:
        async for chunk in chunks:
            stream.write(chunk)


def _places(action: SyncTree, pen: Pen) -> tuple[Path, Path]:
    path = action.to_directory.rstrip("/")
    real = pen.real(path)
    if real.is_symlink():
        raise Trouble(f"{path} is a symbolic link to {real.readlink()}; kjpstate does not switch it")
    if real.exists() and not real.is_dir():
        raise Trouble(f"{path} is not a folder")
    if not real.parent.is_dir():
        raise Trouble(f"{path}: the folder it should be in does not exist")
    return real, pen.real(tree_temporary_of(path, "new", pen.run.id))


def _link_rest(old: Path, new: Path, remove: set[str]) -> None:
    """Carry over all that is not in `new` yet and not to be removed: files as hard links, links as links."""
    for source in _all_below(old):
        path = source.relative_to(old).as_posix()
        target = new / path
        if source.is_dir() and not source.is_symlink():
            if _only_removed(source, old, remove):
                continue
            if not target.exists():
                target.mkdir(parents=True)
                shutil.copystat(source, target)
            elif not target.is_dir():
                raise Trouble(f"{path} is a folder where a file must be")
        elif path not in remove and not os.path.lexists(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(source, target)
        elif path not in remove and target.is_dir() and not target.is_symlink():
            raise Trouble(f"{path} is a file where a folder must be")


def _only_removed(folder: Path, root: Path, remove: set[str]) -> bool:
    """Whether `folder` holds files to be removed and nothing else, so that it goes with them."""
    inside = [path for path in _all_below(folder) if path.is_symlink() or not path.is_dir()]
    return bool(inside) and all(path.relative_to(root).as_posix() in remove for path in inside)


def _all_below(folder: Path) -> Iterator[Path]:
    for found in sorted(folder.iterdir()):
        yield found
        if found.is_dir() and not found.is_symlink():
            yield from _all_below(found)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(source, target, follow_symlinks=False)


def switch(action: SyncTree, pen: Pen, backup: str) -> None:
    """The folder becomes its backup, the new one takes its place. Raises Trouble, OSError."""
    path = action.to_directory.rstrip("/")
    aside = tree_temporary_of(path, "old", pen.run.id)
    first = bool(backup) and not pen.real(backup).exists()  # else the first original stays
    _swap(path, backup if first else aside, {*(action.manifest or ()), *action.remove}, pen)
    try:
        if first and pen.real(backup).is_dir():
            _note_switched(path, backup, pen)
        elif pen.real(aside).is_dir():
            shutil.rmtree(pen.real(aside))
    except OSError as error:
        raise Trouble(why(path, error), "unknown") from None
    pen.tell("switch settled")


def _note_switched(path: str, backup: str, pen: Pen) -> None:
    """A row of the ledger; where it can't be written the journal stays open, and the next session does it."""
    try:
        note(pen, path, backup, tree_digest(pen.real(backup)), "directory")
    except OSError:
        pen.journal.half_done()
        raise


def _swap(path: str, backup: str, ours: set[str], pen: Pen) -> None:
    """Two renames, in the journal so that a cut one can be settled; then what came late is brought along."""
    real, kept, new = pen.real(path), pen.real(backup), pen.real(tree_temporary_of(path, "new", pen.run.id))
    names = pen.ledger.with_name(NAMES)
    atomically(names, "".join(f"{folded(name)}\n" for name in sorted(ours)).encode(*AS_BYTES))
    pen.journal.done("done")
    there = real.is_dir()
    try:
        pen.journal.intent("switch", path, backup=backup)
        if there:
            real.rename(kept)
            pen.tell("switch half done")
        new.rename(real)
    except (OSError, Trouble):
        _turn_back(kept, real, new, pen)
        raise
    try:
        sync(real.parent)
        pen.tell("switch")
        if there and ours:
            catch_up(kept, real, ours)
            pen.tell("caught up")
        names.unlink()
    except OSError as error:
        raise Trouble(why(path, error), "unknown") from None


def _turn_back(kept: Path, real: Path, new: Path, pen: Pen) -> None:
    """The old folder stands again, or the next session is to see to it."""
    try:
        if kept.is_dir() and not real.exists():
            kept.rename(real)
    except OSError:
        pen.journal.half_done()
        return
    shutil.rmtree(new, ignore_errors=True)


def catch_up(old: Path, new: Path, ours: set[str]) -> None:
    """Bring over what others wrote into the old folder between the carrying and the switch."""
    for source in _all_below(old):
        path = source.relative_to(old).as_posix()
        target = new / path
        if (source.is_dir() and not source.is_symlink()) or path in ours:
            continue
        if not os.path.lexists(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(source, target)
        elif source.is_file() and not source.is_symlink() and _newer(source, target):
            beside = new.with_name(f"{new.name}.kjpstate-new.link")
            beside.unlink(missing_ok=True)
            _link(source, beside)
            beside.replace(target)


def _newer(source: Path, target: Path) -> bool:
    one, other = source.stat(), target.stat()
    return (one.st_ino, one.st_dev) != (other.st_ino, other.st_dev) and one.st_mtime_ns >= other.st_mtime_ns


def keep(path: str, pen: Pen, backup: str, shared: bool = False) -> None:
    """Copy a folder to `backup` unless this run already did; `shared`: as hard links where they can be.

    Raises OSError.
    """
    real, final = pen.real(path), pen.real(backup)
    if final.exists():
        return
    temporary = final.with_name(f"{real.name}.kjpstate-keep.{pen.run.id}")
    if temporary.exists():
        shutil.rmtree(temporary)
    try:
        shutil.copytree(
            real, temporary, symlinks=True, copy_function=_sharing(real) if shared else shutil.copy2
        )
        _own_like(real, temporary)
        _durable(temporary)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    pen.tell("backup copied")
    temporary.rename(final)
    note_kept(pen, path.rstrip("/"), backup, tree_digest(final), "directory")


def _durable(folder: Path) -> None:
    """All of a copy on the disk, before what it is a copy of is touched."""
    for found in (*_all_below(folder), folder):
        if not found.is_symlink() and (found.is_file() or found.is_dir()):
            sync(found)


def _sharing(folder: Path) -> Callable[[str, str], object]:
    """npm ci removes the folders of node_modules, but writes into a .package-lock.json that stands."""

    def share(source: str, target: str) -> None:
        first, *below = Path(source).relative_to(folder).parts
        try:
            if not below or first.startswith("."):
                raise OSError
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)

    return share


def _own_like(source: Path, target: Path) -> None:
    if not POSIX:
        return
    for found in (source, *_all_below(source)):
        status = found.lstat()
        os.chown(target / found.relative_to(source), status.st_uid, status.st_gid, follow_symlinks=False)


def put_back(action: Restore, pen: Pen) -> Literal["done", "already"]:
    """Put a copy of the folder `backup` in the place of `path`, or take `path` away; see `model.Restore`.

    Raises Trouble (moved: what stands there is not what should), OSError.
    """
    path = action.path.rstrip("/")
    real = pen.real(path)
    if real.is_symlink():
        raise Trouble(f"{path} is a symbolic link; kjpstate does not replace it")
    standing = tree_digest(real) if action.written and real.is_dir() else "-"
    if (action.written and standing != action.written) or any(
        not _is(real / name, digest) for name, digest in action.files.items()
    ):
        raise Trouble(f"{path} was changed by somebody else meanwhile; that stands", "moved")
    if action.backup is None:
        return _take_away(path, set(action.files), pen)
    sweep_trees(real)
    pen.journal.intent("lay", path)
    source, fresh = pen.real(action.backup), pen.real(tree_temporary_of(path, "new", pen.run.id))
    ours = {*action.files, *action.removed}
    try:
        shutil.copytree(source, fresh, symlinks=True)
        _own_like(source, fresh)
        if ours and real.is_dir():
            catch_up(real, fresh, ours)
        _durable(fresh)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    pen.tell("laid")
    old = tree_temporary_of(path, "old", pen.run.id)
    _swap(path, old, ours, pen)
    if pen.real(old).is_dir():
        shutil.rmtree(pen.real(old))
    pen.tell("restore")
    return "done"


def _is(real: Path, digest: str) -> bool:
    return real.is_file() and not real.is_symlink() and sha256_of(real) == digest


def _take_away(path: str, ours: set[str], pen: Pen) -> Literal["done", "already"]:
    """A folder that was not there before: gone, but for what others put into it meanwhile."""
    real = pen.real(path)
    if not real.is_dir():
        return "already"
    pen.journal.intent("remove", path)
    found = {item.relative_to(real).as_posix() for item in _all_below(real) if not item.is_dir()}
    if ours and found - ours:
        for name in ours:
            (real / name).unlink()
        for folder in sorted((item for item in _all_below(real) if item.is_dir()), reverse=True):
            if not any(folder.iterdir()):
                folder.rmdir()
    else:
        gone = pen.real(tree_temporary_of(path, "old", pen.run.id))
        real.rename(gone)
        pen.tell("removed")
        try:
            shutil.rmtree(gone)
        except OSError as error:
            reason = why(path, error).removeprefix(f"{path}: ")
            raise Trouble(f"{path} is taken away, but {gone} can't be removed: {reason}") from None
    sync(real.parent)
    pen.tell("restore")
    return "done"


def tree_digest(folder: Path) -> str:
    """sha256 of the sorted listing of all regular files: see `formats.tree.listing_digest`."""
    files = {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in _all_below(folder)
        if path.is_file() and not path.is_symlink()
    }
    return listing_digest(files) if files else hashlib.sha256(b"").hexdigest()
