"""The headline of a deploy: how many files change, and what of others stays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from kjpstate.kinds.deploy.view import View


def headline(view: View) -> str:
    """The target, and what will become of it."""
    spec = view.spec
    if view.unread:
        return f"{spec.to_directory}   {spec.from_directory} can't be read"
    said = "known after build" if spec.built else "known when its source is written"
    if not view.owed:
        said = _counted(view)
    # Before the first build nothing tells the owner's files from its own.
    if view.kept and view.manifest:
        said += f", {_files(len(view.kept))} of yours kept: {few(view.kept)}"
    return f"{spec.to_directory}   {said}"


def few(names: Iterable[str]) -> str:
    """The first three of some names, each as one word of one row whatever signs it has."""
    first = [name if name.isprintable() else repr(name) for name in islice(names, 4)]
    return ", ".join(first[:3]) + (", …" if len(first) > 3 else "")


def _counted(view: View) -> str:
    """`3 files change, 1 new, 2 removed, package.json changes`, or what else is not as it should
    be."""
    wanted = view.with_wanted.items()
    others = [name for name, value in wanted if value != view.with_here[name]]
    new = sum(path not in view.here for path in view.wanted)
    changed = sum(view.here.get(path, value) != value for path, value in view.wanted.items())
    if view.manifest is None:
        told = [*([_files(new + changed)] if new + changed or not others else []), *others]
        return f"{', '.join(told)} not as deployed; {view.spec.from_host} can't be seen from here"
    said = [f"{_files(changed)} {_change(changed)}"] if changed else []
    said += [_new(new, alone=not changed)] if new else []
    said += [f"{len(view.stale)} removed"] if view.stale else []
    said += [_others(others)] if others else []
    return ", ".join(said) or "every file is there already"


def _new(count: int, *, alone: bool) -> str:
    return f"{_files(count)} new" if alone else f"{count} new"


def _others(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {_change(len(names))}"


def _change(count: int) -> str:
    return "changes" if count == 1 else "change"


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"
