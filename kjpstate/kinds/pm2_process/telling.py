"""One app's change as a screen is told of it."""

from __future__ import annotations

from collections.abc import Iterator

from kjpstate.kinds.pm2_process.commands import DOWN
from kjpstate.kinds.pm2_process.view import View
from kjpstate.model import NOTHING, Moves, Note, Row, Told

_FEW = 3
_LOG_FILES = {"error_file", "out_file", "log_file"}


def told(view: View) -> Told:
    """Names of variables, never values."""
    return Told(
        _headline(view),
        tuple(_rows(view)),
        tuple(_covered(view)),
        name=view.name,
        sick=view.health.sick,
    )


def _headline(view: View) -> str:
    """The cure and its cause."""
    if view.renamed:
        return f"delete and start: it was called {', '.join(view.renamed)}; {DOWN}"
    match view.mechanism:
        case "start":
            return f"start: {view.health.sick or 'not running'}"
        case "replace":
            return f"delete and start: {_why_replace(view)}; {DOWN}"
        case "reload":
            return f"reload: {_why_reload(view)}; down a moment"
        case "save" if view.saved:
            return f"pm2 save: {view.saved.reason}"
    return "as it should be"


def _covered(view: View) -> Iterator[str]:
    """The commands that the headline begins with or ends in."""
    if view.renamed or view.mechanism == "replace":
        yield DOWN
    elif view.mechanism in ("start", "reload"):
        yield view.mechanism


def _why_reload(view: View) -> str:
    reasons = []
    if view.code_owed:
        reasons.append("new code")
    elif view.code is not None and not view.code.well:
        reasons.append(view.code.reason)
    if view.changed:
        reasons.append("settings")
    if view.changed_env:
        reasons.append("variables")
    return ", ".join(reasons)


def _why_replace(view: View) -> str:
    if view.health.sick:
        return view.health.sick
    if _LOG_FILES & set(view.changed):
        return "log paths (a reload can't change them)"
    if view.changed:
        return f"{', '.join(view.changed)} (a reload can't change that)"
    return f"a reload can't take away {', '.join(view.left)}"


def _rows(view: View) -> Iterator[Row]:
    """A few changed settings one by one, many as one line."""
    if view.mechanism not in ("reload", "replace"):
        return
    if len(view.changed) > _FEW:
        yield Note(f"{len(view.changed)} settings change: {', '.join(view.changed)}")
    else:
        for key in view.changed:
            yield Moves(key, _shown(view.found.get(key)), _shown(view.wanted[key]), apart=True)
    names = [f"env.{name}" for name in view.changed_env]
    if names:
        yield Note(f"{', '.join(names)} {'changes' if len(names) == 1 else 'change'}")
    if view.left:
        yield Note(f"taken away: {', '.join(view.left)}")


def _shown(value: object) -> str:
    return NOTHING if value is None else str(value)
