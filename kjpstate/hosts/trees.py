"""A whole folder on this machine backed up, switched, put back: the very protocol of
`remote/trees.sh`.

Called by `local`. A switch is two renames between which the folder is missing for an instant; the
journal lets the next session finish or undo it. Every folder is held open while it is worked in;
what is laid out is closed to all others until it is whole, and only then given to its owner.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Literal, Protocol

from kjpstate.errors import Failed
from kjpstate.formats.digests import sha256
from kjpstate.formats.tree import AS_BYTES, folded, listing_digest
from kjpstate.hosts.files import (
    Pen,
    Trouble,
    atomically,
    beside,
    copy,
    folder_of,
    held,
    note,
    note_kept,
    reason,
    sha256_in,
    sweep_trees,
    why,
)
from kjpstate.hosts.folders import Folder, give
from kjpstate.hosts.names import tree_temporary_of
from kjpstate.model import Restore, SyncTree, TreeFile
from kjpstate.said import say

NAMES = "switch.names"
"""In the state folder while a folder is switched: the names in it that are ours, folded, a line
each."""


class Chunks(Protocol):
    """The bytes of one file of the source."""

    def __call__(self, path: str, /) -> AsyncIterator[bytes]: ...


async def build(
    action: SyncTree, standing: Mapping[str, TreeFile], chunks: Chunks, pen: Pen, parent: Folder
) -> None:
    """Lay the new tree out beside the old one in `parent`: ours copied or brought by `chunks`, then
    the rest linked.

    `standing`: the files there now. Raises Trouble (moved when a source file is not what the
    manifest says), OSError.
    """
    path = action.to_directory.rstrip("/")
    name, fresh = _names_of(path, pen, "new")
    _refuse_odd(path, parent, name)
    sweep_trees(parent, name)
    pen.journal.intent("lay", action.to_directory)
    try:
        with parent.private(fresh) as new, _there(parent, name) as old:
            await _fill(action, standing, chunks, new=new, old=old, heir=(old or parent).heir())
            pen.tell("tree written")
            if old is not None:
                _link_rest(old, new, set(action.remove))
            _durable(new)
            _dress(new, old, parent)
            if old is not None:
                pen.tell("tree carried")
            new.sync()
    except (OSError, Trouble, Failed):
        _clear(parent, fresh)
        raise


def _names_of(path: str, pen: Pen, word: str) -> tuple[str, str]:
    return pen.real(path).name, pen.real(tree_temporary_of(path, word, pen.run.id)).name


def _clear(parent: Folder, name: str) -> None:
    with contextlib.suppress(OSError):
        parent.remove(name)


@contextlib.contextmanager
def _there(parent: Folder, name: str) -> Iterator[Folder | None]:
    """The folder `name`, held open; None when there is none."""
    if not parent.is_folder(name):
        yield None
        return
    with parent.enter(name) as found:
        yield found


def _dress(new: Folder, old: Folder | None, parent: Folder) -> None:
    """The new folder is as the old one was, or, where there was none, its parent's owner's."""
    heir = parent.heir()
    if old is not None:
        new.dress(old.status())
    elif heir is not None:
        new.dress(heir, 0o755)
    else:
        new.dress(new.status(), 0o755)


async def _fill(
    action: SyncTree,
    standing: Mapping[str, TreeFile],
    chunks: Chunks,
    *,
    new: Folder,
    old: Folder | None,
    heir: os.stat_result | None,
) -> None:
    """Bring every file of the manifest into `new` and verify it."""
    for path, file in sorted((action.manifest or {}).items()):
        found = standing.get(path)
        with _inside(new, path, heir) as (folder, name):
            if found is not None and old is not None and found.digest == file.digest:
                with _inside(old, path) as (source, _):
                    copy(source, name, folder, name)
            else:
                mode = 0o755 if file.mode & 0o111 else 0o644
                with held(await _receive(folder, name, chunks(path))) as written:
                    if heir is not None:
                        give(written, heir)
                    folder.set_mode(written, name, mode)
            if sha256_in(folder, name) != file.digest:
                raise Trouble(
                    say("hosts.source-moved-at", path=path, source=action.from_directory), "moved"
                )


async def _receive(folder: Folder, name: str, chunks: AsyncIterator[bytes]) -> int:
    handle = folder.create(name)
    try:
        with os.fdopen(handle, "wb", closefd=False) as stream:
            async for chunk in chunks:
                stream.write(chunk)
    except BaseException:
        os.close(handle)
        raise
    return handle


@contextlib.contextmanager
def _inside(
    top: Folder, path: str, heir: os.stat_result | None = None
) -> Iterator[tuple[Folder, str]]:
    """The folder in which the relative `path` lies, and the name it has there;
    what lacks is made."""
    *above, name = path.split("/")
    with contextlib.ExitStack() as open_ones:
        here = top
        for part in above:
            if not here.has(part):
                here.make(part)
                if heir is not None:
                    here.own(part, heir)
            here = open_ones.enter_context(here.enter(part))
        yield here, name


def _refuse_odd(path: str, parent: Folder, name: str) -> None:
    found = parent.stat(name)
    if found is None or stat.S_ISDIR(found.st_mode):
        return
    if stat.S_ISLNK(found.st_mode):
        raise Trouble(say("hosts.link-not-switched", path=path, target=parent.target(name)))
    raise Trouble(say("hosts.no-folder-at", path=path))


def _link_rest(old: Folder, new: Folder, remove: set[str]) -> None:
    """Carry over all that is not in `new` yet and not to be removed: files as hard links, links as
    links."""
    for path, source, name, found in _all_below(old):
        if stat.S_ISDIR(found.st_mode):
            with source.enter(name) as folder:
                if _only_removed(folder, path, remove):
                    continue
            there = _found(new, path)
            if there is None:
                with _inside(new, path) as (target, _):
                    target.make(name)
                    with target.enter(name) as made:
                        made.dress(found)
            elif not stat.S_ISDIR(there.st_mode):
                raise Trouble(say("hosts.folder-for-file", path=path))
        elif path not in remove:
            there = _found(new, path)
            if there is None:
                with _inside(new, path) as (target, _):
                    _link(source, name, target, name)
            elif stat.S_ISDIR(there.st_mode):
                raise Trouble(say("hosts.file-for-folder", path=path))


def _found(top: Folder, path: str) -> os.stat_result | None:
    """The status of the relative `path` itself; None for nothing."""
    above, _, name = path.rpartition("/")
    with contextlib.ExitStack() as open_ones:
        here = top
        for part in above.split("/") if above else ():
            if not here.is_folder(part):
                return None
            here = open_ones.enter_context(here.enter(part))
        return here.stat(name)


def _only_removed(folder: Folder, path: str, remove: set[str]) -> bool:
    """True if `folder`, at `path`, holds files to be removed and nothing else, so that it goes with
    them."""
    inside = [
        below for below, _, _, found in _all_below(folder, path) if not stat.S_ISDIR(found.st_mode)
    ]
    return bool(inside) and all(below in remove for below in inside)


def _all_below(folder: Folder, path: str = "") -> Iterator[tuple[str, Folder, str, os.stat_result]]:
    """Walks everything below a folder at the relative `path`: the path, its folder, its name there,
    its status."""
    for name in folder.names():
        found = folder.stat(name)
        if found is None:
            continue
        below = f"{path}/{name}" if path else name
        yield below, folder, name, found
        if stat.S_ISDIR(found.st_mode):
            with folder.enter(name) as inner:
                yield from _all_below(inner, below)


def _link(source: Folder, name: str, target: Folder, other: str) -> None:
    try:
        source.link(name, other, target)
    except (OSError, NotImplementedError):
        _copy_one(source, name, target, other)


def _copy_one(source: Folder, name: str, target: Folder, other: str) -> None:
    """A copy of a file, or of a link as a link. Raises OSError for anything else."""
    found = source.stat(name)
    if found is not None and stat.S_ISLNK(found.st_mode):
        target.symlink(source.target(name), other)
        target.own(other, found)
    else:
        copy(source, name, target, other)


def switch(action: SyncTree, pen: Pen, backup: str, parent: Folder) -> None:
    """The folder becomes its backup, the new one takes its place. Raises Trouble, OSError."""
    path = action.to_directory.rstrip("/")
    aside = tree_temporary_of(path, "old", pen.run.id)
    with beside(backup or path, pen, parent) as place:
        kept = pen.real(backup).name if backup else ""
        first = bool(backup) and not place.has(kept)  # else the first original stays
        ours = {*(action.manifest or ()), *action.remove}
        _swap(
            path,
            backup if first else aside,
            ours,
            pen,
            parent=parent,
            place=place if first else parent,
        )
        try:
            if first and place.is_folder(kept):
                _note_switched(path, backup, pen, place)
            else:
                parent.remove(pen.real(aside).name)
        except OSError as error:
            raise Trouble(why(path, error), "unknown") from None
    pen.tell("switch settled")


def _note_switched(path: str, backup: str, pen: Pen, place: Folder) -> None:
    """A row of the ledger; where it can't be written the journal stays open, and the next session
    does it."""
    try:
        note(pen, path, backup, tree_digest(place, pen.real(backup).name), "directory")
    except OSError:
        pen.journal.half_done()
        raise


def _swap(
    path: str, backup: str, ours: set[str], pen: Pen, *, parent: Folder, place: Folder
) -> None:
    """Two renames, in the journal so that a cut one can be settled; then what came late is brought
    along."""
    name, new = _names_of(path, pen, "new")
    kept = pen.real(backup).name
    names = pen.ledger.with_name(NAMES)
    atomically(names, "".join(f"{folded(one)}\n" for one in sorted(ours)).encode(*AS_BYTES))
    pen.journal.done("done")
    there = parent.is_folder(name)
    try:
        pen.journal.intent("switch", path, backup=backup)
        if there:
            parent.rename(name, kept, place)
            pen.tell("switch half done")
        parent.rename(new, name)
    except (OSError, Trouble):
        _turn_back(place, kept, parent, (name, new), pen)
        raise
    try:
        parent.sync()
        pen.tell("switch")
        if there and ours:
            catch_up(place, kept, parent, name, ours)
            pen.tell("caught up")
        names.unlink()
    except OSError as error:
        raise Trouble(why(path, error), "unknown") from None


def _turn_back(place: Folder, kept: str, parent: Folder, names: tuple[str, str], pen: Pen) -> None:
    """The old folder stands again, or the next session is to see to it. `names`: its own, the
    new's."""
    name, new = names
    try:
        if place.is_folder(kept) and not parent.has(name):
            place.rename(kept, name, parent)
    except OSError:
        pen.journal.half_done()
        return
    _clear(parent, new)


def catch_up(place: Folder, kept: str, parent: Folder, name: str, ours: set[str]) -> None:
    """Bring over what others wrote into the old folder between the carrying and the switch."""
    with place.enter(kept) as old, parent.enter(name) as new:
        for path, source, below, found in _all_below(old):
            if stat.S_ISDIR(found.st_mode) or path in ours:
                continue
            if _found(new, path) is None:
                with _inside(new, path, old.heir()) as (target, _):
                    _link(source, below, target, below)
            elif stat.S_ISREG(found.st_mode):
                with _inside(new, path) as (target, _):
                    if _newer(found, target.stat(below)):
                        fresh = f"{name}.kjpstate-new.link"
                        parent.unlink(fresh, missing_ok=True)
                        _link(source, below, parent, fresh)
                        parent.replace(fresh, below, target)


def _newer(one: os.stat_result, other: os.stat_result | None) -> bool:
    if other is None or (one.st_ino, one.st_dev) == (other.st_ino, other.st_dev):
        return False
    return one.st_mtime_ns >= other.st_mtime_ns


def keep(path: str, pen: Pen, backup: str, parent: Folder, shared: bool = False) -> None:
    """Copy a folder to `backup` unless this run already did; `shared`: as hard links where they can
    be.

    Raises OSError.
    """
    name, final = pen.real(path).name, pen.real(backup).name
    with beside(backup, pen, parent) as place:
        if place.is_folder(final):
            return
        temporary = f"{name}.kjpstate-keep.{pen.run.id}"
        place.remove(temporary)
        try:
            _copy_tree(parent, name, place, temporary, shared)
            pen.tell("backup copied")
            place.rename(temporary, final)
        except OSError:
            _clear(place, temporary)
            raise
        note_kept(
            pen, path.rstrip("/"), backup, tree_digest(place, final), "directory", folder=place
        )


def _copy_tree(source: Folder, name: str, target: Folder, other: str, shared: bool = False) -> None:
    """A whole copy, on the disk, of the folder `name`; closed to all others until it is whole."""
    with source.enter(name) as old, target.private(other) as new:
        _copy_into(old, new, shared, top=True)
        new.dress(old.status())
        new.sync()


def _copy_into(old: Folder, new: Folder, shared: bool, top: bool) -> None:
    """`shared`: files below folders as hard links. npm ci removes the folders of node_modules, but
    writes into a .package-lock.json that stands."""
    for name in old.names():
        found = old.stat(name)
        if found is None:
            continue
        if stat.S_ISDIR(found.st_mode):
            new.make(name, 0o700)
            with old.enter(name) as inner, new.enter(name) as made:
                _copy_into(inner, made, shared and not (top and name.startswith(".")), top=False)
                made.dress(inner.status())
                made.sync()
        elif shared and not top and stat.S_ISREG(found.st_mode):
            _link(old, name, new, name)
        else:
            _copy_one(old, name, new, name)


def _durable(folder: Folder) -> None:
    """Forces all of a new tree to the disk, before the old one is touched."""
    for _, source, name, found in _all_below(folder):
        if stat.S_ISREG(found.st_mode):
            source.sync_file(name)
        elif stat.S_ISDIR(found.st_mode):
            with source.enter(name) as inner:
                inner.sync()


def put_back(action: Restore, pen: Pen) -> Literal["done", "already"]:
    """Put a copy of the folder `backup` in the place of `path`, or take `path` away; see
    `model.Restore`.

    Raises Trouble (moved: what stands there is not what should), OSError.
    """
    path = action.path.rstrip("/")
    with folder_of(path, pen) as parent:
        name, fresh = _names_of(path, pen, "new")
        if parent.has(name) and not parent.is_folder(name):
            raise Trouble(say("hosts.link-not-replaced", path=path))
        if not _stands(action, parent, name):
            raise Trouble(say("hosts.changed-meanwhile", path=path), "moved")
        if action.backup is None:
            return _take_away(path, set(action.files), pen, parent)
        sweep_trees(parent, name)
        pen.journal.intent("lay", path)
        ours = {*action.files, *action.removed}
        try:
            with beside(action.backup, pen, parent) as place:
                _copy_tree(place, pen.real(action.backup).name, parent, fresh)
            if ours and parent.is_folder(name):
                catch_up(parent, name, parent, fresh, ours)
        except OSError:
            _clear(parent, fresh)
            raise
        pen.tell("laid")
        old = tree_temporary_of(path, "old", pen.run.id)
        _swap(path, old, ours, pen, parent=parent, place=parent)
        parent.remove(pen.real(old).name)
        pen.tell("restore")
        return "done"


def _stands(action: Restore, parent: Folder, name: str) -> bool:
    """True if what should stand there does."""
    there = parent.is_folder(name)
    if action.written and (tree_digest(parent, name) if there else "-") != action.written:
        return False
    if not there:
        return not action.files
    with parent.enter(name) as folder:
        return all(_is(folder, path, digest) for path, digest in action.files.items())


def _is(top: Folder, path: str, digest: str) -> bool:
    if _found(top, path) is None:
        return False
    with _inside(top, path) as (folder, name):
        return folder.is_file(name) and sha256_in(folder, name) == digest


def _take_away(path: str, ours: set[str], pen: Pen, parent: Folder) -> Literal["done", "already"]:
    """A folder that was not there before: gone, but for what others put into it meanwhile."""
    name, gone = _names_of(path, pen, "old")
    if not parent.is_folder(name):
        return "already"
    pen.journal.intent("remove", path)
    with parent.enter(name) as folder:
        found = {
            below for below, _, _, item in _all_below(folder) if not stat.S_ISDIR(item.st_mode)
        }
        if ours and found - ours:
            for one in ours:
                with _inside(folder, one) as (inner, below):
                    inner.unlink(below)
            _drop_empty(folder)
            pen.tell("restore")
            folder.sync()
            return "done"
    parent.rename(name, gone)
    pen.tell("removed")
    try:
        parent.remove(gone)
    except OSError as error:
        raise Trouble(
            say("hosts.left-over", path=path, left=str(parent.path / gone), reason=reason(error))
        ) from None
    parent.sync()
    pen.tell("restore")
    return "done"


def _drop_empty(folder: Folder) -> None:
    for name in folder.names():
        if folder.is_folder(name):
            with folder.enter(name) as inner:
                _drop_empty(inner)
                empty = not inner.names()
            if empty:
                folder.rmdir(name)


def tree_digest(parent: Folder, name: str) -> str:
    """sha256 of the sorted listing of all regular files: see `formats.tree.listing_digest`."""
    with parent.enter(name) as top:
        files = {
            path: sha256_in(folder, below)
            for path, folder, below, found in _all_below(top)
            if stat.S_ISREG(found.st_mode)
        }
    return listing_digest(files) if files else sha256(b"")
