"""A whole folder on this machine backed up, switched, restored: the very protocol of `remote/session.sh`.

Called by `local`. A switch is two renames between which the folder is missing for an instant; the note
`switch` in the state folder lets the next session finish or undo it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from pathlib import Path

from kjpstate.errors import Failed
from kjpstate.formats.tree import listing_digest
from kjpstate.hosts.files import POSIX, Pen, Trouble, atomically, note, sha256_of, sweep_trees, sync
from kjpstate.hosts.names import tree_temporary_of
from kjpstate.model import SyncTree, TreeFile


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
    new.mkdir()
    try:
        await _fill(action, standing, chunks, new)
        pen.tell("tree written")
        if old.is_dir():
            shutil.copystat(old, new)
            _link_rest(old, new, set(action.remove))
            pen.tell("tree carried")
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
        target = _inside(new, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        found = standing.get(path)
        if found is not None and found.digest == file.digest:
            shutil.copy2(old / path, target)
        else:
            await _receive(target, chunks(path))
            target.chmod(0o755 if file.mode & 0o111 else 0o644)
            sync(target)
        if sha256_of(target) != file.digest:
            raise Trouble(f"{path} is not what the plan saw at {action.from_directory} any more", "moved")


async def _receive(target: Path, chunks: AsyncIterator[bytes]) -> None:
    with target.open("xb") as stream:
        async for chunk in chunks:
            stream.write(chunk)


def _inside(folder: Path, path: str) -> Path:
    """`path` below `folder`; raises Trouble for one that would lead out of it."""
    if path.startswith("/") or ".." in path.split("/") or "\\" in path or "\n" in path:
        raise Trouble(f"{path!r} can't be the name of a file of a tree")
    return folder / path


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
            if not target.exists() and not _only_removed(source, old, remove):
                target.mkdir(parents=True)
                shutil.copystat(source, target)
        elif path not in remove and not os.path.lexists(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(source, target)


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


def switch(action: SyncTree, pen: Pen, backup: str, notes: Path) -> None:
    """Two renames: the folder becomes its backup, the new one takes its place. Raises Trouble, OSError."""
    path = action.to_directory.rstrip("/")
    old, new = _places(action, pen)
    kept = pen.real(backup)
    if kept.exists():  # this run switched it before: the first original stays
        backup = tree_temporary_of(path, "old", pen.run.id)
    beside = tree_temporary_of(path, "new", pen.run.id)
    atomically(notes, f"{path}\n{beside}\n{backup}\n".encode())
    pen.tell("switch noted")
    there = old.is_dir()
    if there:
        old.rename(pen.real(backup))
        pen.tell("switch half done")
    new.rename(old)
    sync(old.parent)
    pen.tell("switch")
    if there:
        _catch_up(pen.real(backup), old, set(action.manifest or ()), set(action.remove))
        if pen.real(backup) == kept:
            note(pen, path, backup, tree_digest(kept), "directory")
        else:
            shutil.rmtree(pen.real(backup))
    notes.unlink()
    pen.tell("switch settled")


def _catch_up(old: Path, new: Path, ours: set[str], remove: set[str]) -> None:
    """Bring over what its owner wrote into the old folder between the carrying and the switch."""
    for source in _all_below(old):
        path = source.relative_to(old).as_posix()
        target = new / path
        if (source.is_dir() and not source.is_symlink()) or path in ours or path in remove:
            continue
        if not os.path.lexists(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(source, target)
        elif source.is_file() and not source.is_symlink() and _newer(source, target):
            beside = target.with_name(f".{target.name}.kjpstate-new.link")
            _link(source, beside)
            beside.replace(target)


def _newer(source: Path, target: Path) -> bool:
    one, other = source.stat(), target.stat()
    return (one.st_ino, one.st_dev) != (other.st_ino, other.st_dev) and one.st_mtime_ns > other.st_mtime_ns


def settle(notes: Iterable[Path], real: Callable[[str], Path]) -> None:
    """Finish or undo each half-done switch that a cut session noted; called with the lock held."""
    for found in notes:
        path, new, backup = (real(name) for name in found.read_text("utf-8").splitlines())
        if not path.exists():
            if new.is_dir():
                new.rename(path)
            elif backup.is_dir():
                backup.rename(path)
            sync(path.parent)
        sweep_trees(path)
        found.unlink()


def keep(path: str, pen: Pen, backup: str) -> None:
    """Copy a folder to `backup` unless this run already did. Raises OSError."""
    real, final = pen.real(path), pen.real(backup)
    if final.exists():
        return
    temporary = final.with_name(f"{real.name}.kjpstate-keep.{pen.run.id}")
    if temporary.exists():
        shutil.rmtree(temporary)
    shutil.copytree(real, temporary, symlinks=True)
    _own_like(real, temporary)
    pen.tell("backup copied")
    temporary.rename(final)
    sync(final.parent)
    pen.tell("backup")
    note(pen, path.rstrip("/"), backup, tree_digest(final), "directory")


def _own_like(source: Path, target: Path) -> None:
    if not POSIX:
        return
    for found in (source, *_all_below(source)):
        status = found.lstat()
        os.chown(target / found.relative_to(source), status.st_uid, status.st_gid, follow_symlinks=False)


def restore(path: str, backup: str, pen: Pen) -> None:
    """Put a copy of the folder `backup` in the place of `path`. Raises Trouble, OSError."""
    path = path.rstrip("/")
    real, source = pen.real(path), pen.real(backup)
    if real.is_symlink():
        raise Trouble(f"{path} is a symbolic link; kjpstate does not replace it")
    sweep_trees(real)
    fresh = pen.real(tree_temporary_of(path, "new", pen.run.id))
    shutil.copytree(source, fresh, symlinks=True)
    _own_like(source, fresh)
    remove(path, pen)
    fresh.rename(real)
    sync(real.parent)
    pen.tell("restore")


def remove(path: str, pen: Pen) -> None:
    """Take a folder away, by a rename first so that nobody sees half of it."""
    real = pen.real(path.rstrip("/"))
    if real.is_dir():
        gone = pen.real(tree_temporary_of(path, "old", pen.run.id))
        real.rename(gone)
        shutil.rmtree(gone)


def tree_digest(folder: Path) -> str:
    """sha256 of the sorted listing of all regular files: see `formats.tree.listing_digest`."""
    files = {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in _all_below(folder)
        if path.is_file() and not path.is_symlink()
    }
    return listing_digest(files) if files else hashlib.sha256(b"").hexdigest()
