"""Which document is meant when none is named. Called by every verb, with the
argument it was given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kjpstate.errors import UsageError
from kjpstate.said import say

_NAME = "kjpstate.yaml"


def find(argument: str | None, environ: Mapping[str, str], cwd: str | Path) -> str:
    """The path of the document: `argument`, else `$KJPSTATE_DOCUMENT`, else `kjpstate.yaml` in
    `cwd` or a folder above, else the only `*.yaml` directly in `states/`. Raises UsageError for
    none, or more than one.
    """
    if argument == "":
        raise UsageError(say("document.name-empty"), say("document.name-one"))
    if argument:
        return _existing(argument, Path(cwd))
    if given := environ.get("KJPSTATE_DOCUMENT"):
        return _existing(given, Path(cwd), from_environ=True)
    here = Path(cwd)
    for folder in (here, *here.absolute().parents):
        if (folder / _NAME).is_file():
            return _shown(folder / _NAME, here)
    found = sorted(path for path in (here / "states").glob("*.yaml") if path.is_file())
    if len(found) == 1:
        return _shown(found[0], here)
    if found:
        names = [_shown(path, here) for path in found]
        raise UsageError(
            say("document.several", names=names), say("document.several.cure", name=names[0])
        )
    raise UsageError(say("document.none-here", name=_NAME), say("document.name-one"))


def _existing(given: str, cwd: Path, *, from_environ: bool = False) -> str:
    path = cwd / given
    if path.is_dir():
        code = "document.folder-from-environ" if from_environ else "document.folder"
        raise UsageError(
            say(code, path=given), say("document.folder.cure", file=f"{given}/{_NAME}")
        )
    if not path.is_file():
        code = "document.not-there-from-environ" if from_environ else "document.not-there"
        raise UsageError(say(code, path=given), say("document.not-there.cure"))
    return _shown(path, cwd)


def _shown(path: Path, cwd: Path) -> str:
    """Short as a person would type it, where the process stands in `cwd`."""
    try:
        return path.relative_to(cwd).as_posix() if cwd.absolute() == Path.cwd() else path.as_posix()
    except ValueError:
        return path.as_posix()
