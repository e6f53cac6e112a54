"""Refusals of a deploy: what would make it a guess, or empty or bury what is there."""

from __future__ import annotations

from collections.abc import Iterator

from kjpstate.formats.tree import layable
from kjpstate.kinds.deploy.summary import few
from kjpstate.kinds.deploy.view import View, failed
from kjpstate.model import Refuse, Stat, Tree, Unreadable, join

_CURES = {
    "in-the-way": "move it away if it is not needed there, or have the source name its "
    "own another way",
    "odd-name": "rename it, or take it out of the folder",
    "source-missing": "build first, or correct `from` and `with` in the section deploy",
    "source-unreadable": "let the user that kjpstate runs as there read it, or take it out of "
    "the folder",
    "target-unreadable": "look at it on the host; name the real folder in `deploy.to`",
}
_POINTERS = {"in-the-way": "/to", "target-unreadable": "/to"}


def refused(view: View) -> Iterator[Refuse]:
    """Each with its cure; the first is told first."""
    for rule, reason in _problems(view):
        yield Refuse(rule, reason, cure=_CURES[rule], pointer=_POINTERS.get(rule, "/from"))


def _problems(view: View) -> Iterator[tuple[str, str]]:
    """(rule id, reason) of each."""
    yield from (("target-unreadable", reason) for reason in _target_unreadable(view))
    yield from (("source-unreadable", reason) for reason in _source_unreadable(view))
    yield from (("in-the-way", reason) for reason in _in_the_way(view))
    if view.manifest is None:
        return
    origin = f"{view.spec.from_directory} on {view.spec.from_host}"
    odd = [name for name in sorted({*view.manifest, *view.stale}) if not layable(name)]
    if odd:
        yield "odd-name", f"in {origin}: {few(map(repr, odd))}"
    if not view.manifest and not view.owed:
        yield "source-missing", f"{origin} has no file to deploy"
    for pair in view.spec.pairs:
        if view.planned[pair.name] is None and not isinstance(view.theirs(pair), Unreadable):
            yield "source-missing", f"{pair.name} is not beside {origin}"


def _target_unreadable(view: View) -> Iterator[str]:
    spec = view.spec
    itself = view.answers.get(spec.target_stat)
    if isinstance(itself, Stat) and itself.type == "symlink":
        yield f"{itself.path} on {spec.host} is a symbolic link"
    elif isinstance(view.target, Unreadable):
        yield f"{spec.to_directory} on {spec.host}: {view.target.why}"
    for pair in spec.pairs:
        mine = view.mine(pair)
        if isinstance(mine, Unreadable):
            yield f"{pair.name} beside {spec.to_directory} on {spec.host}: {mine.why}"


def _source_unreadable(view: View) -> Iterator[str]:
    spec = view.spec
    noted = view.answers.get(spec.build_stamp) if spec.build_stamp is not None else None
    if failed(noted):
        yield f"what the build of {spec.built} on {spec.from_host} noted: {noted.why}"
    if view.unread:
        yield f"{spec.from_directory} on {spec.from_host}: {view.unread}"
    for pair in spec.pairs:
        theirs = view.theirs(pair)
        if failed(theirs):
            yield f"{pair.source.path} on {spec.from_host}: {theirs.why}"


def _in_the_way(view: View) -> Iterator[str]:
    """Name what is a file where a folder must be, or a folder where a file must be, and not ours
    to take away."""
    spec, here = view.spec, view.target
    for reading in (spec.parent_stat, *spec.pair_folders):
        found = view.answers.get(reading)
        if isinstance(found, Stat) and found.type in ("file", "other"):
            path = reading.path.rstrip("/")
            yield f"{path} on {spec.host} is a file, and a folder must be there"
    if not isinstance(here, Tree):
        return
    manifest = view.manifest or {}
    stay = {*here.files, *here.others}.difference(view.stale)
    files = {above for name in manifest for above in _above(name) if above in stay}
    if files:
        named = few(join(spec.to_directory, name) for name in sorted(files))
        yield f"{named} on {spec.host} is a file, and a folder must be there"
    folders = sorted({*here.folders}.intersection(manifest))
    folders = [name for name in folders if _stays(name, here, view)]
    if folders:
        named = few(join(spec.to_directory, name) for name in folders)
        yield f"{named} on {spec.host} is a folder, and a file must be there"


def _above(name: str) -> Iterator[str]:
    """The folders above a relative path, the nearest first."""
    while name := name.rpartition("/")[0]:
        yield name


def _stays(folder: str, here: Tree, view: View) -> bool:
    """Whether a folder has anything but what this deploy takes away; an empty folder counts."""
    inside = folder + "/"
    leaving = {above for name in view.stale for above in _above(name)}
    others = {*here.files, *here.others}.difference(view.stale)
    standing = (*others, *(one for one in here.folders if one not in leaving))
    return folder not in leaving or any(name.startswith(inside) for name in standing)
