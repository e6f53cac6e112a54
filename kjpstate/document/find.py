"""Which document is meant when none is named. Called by every verb, with the
argument it was given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kjpstate.errors import UsageError

_NAME = "kjpstate.yaml"


def find(argument: str | None, environ: Mapping[str, str], cwd: str | Path) -> str:
    """The path of the document: `argument`, else `$KJPSTATE_DOCUMENT`, else `kjpstate.yaml` in
    `cwd` or a folder above, else the only `*.yaml` directly in `states/`. Raises UsageError for
    none, or more than one.
    """
    if argument == "":
        raise UsageError("the document's name is empty", "Name one: kjpstate VERB DOCUMENT")
    for given, source in (
        (argument, ""),
        (environ.get("KJPSTATE_DOCUMENT"), " (from $KJPSTATE_DOCUMENT)"),
    ):
        if given:
            return _existing(given, source, Path(cwd))
    here = Path(cwd)
    for folder in (here, *here.absolute().parents):
        if (folder / _NAME).is_file():
            return _shown(folder / _NAME, here)
    found = sorted(path for path in (here / "states").glob("*.yaml") if path.is_file())
    if len(found) == 1:
        return _shown(found[0], here)
    if found:
        names = ", ".join(_shown(path, here) for path in found)
        raise UsageError(
            f"several documents here: {names}", f"Name one: kjpstate VERB {_shown(found[0], here)}"
        )
    raise UsageError(
        f"no document: neither {_NAME} here or in a folder above, nor one *.yaml in states/",
        "Name one: kjpstate VERB DOCUMENT",
    )


def _existing(given: str, source: str, cwd: Path) -> str:
    path = cwd / given
    if path.is_dir():
        raise UsageError(
            f"{given}{source} is a folder, not a document", f"Name a file, such as {given}/{_NAME}"
        )
    if not path.is_file():
        raise UsageError(
            f"no such document: {given}{source}", "Name an existing file: kjpstate VERB DOCUMENT"
        )
    return _shown(path, cwd)


def _shown(path: Path, cwd: Path) -> str:
    """Short as a person would type it, where the process stands in `cwd`."""
    try:
        return path.relative_to(cwd).as_posix() if cwd.absolute() == Path.cwd() else path.as_posix()
    except ValueError:
        return path.as_posix()
