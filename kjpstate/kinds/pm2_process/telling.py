"""One app's change as a screen is told of it."""

from __future__ import annotations

from collections.abc import Iterator

from kjpstate.kinds.pm2_process.commands import DOWN, RELOAD, START
from kjpstate.kinds.pm2_process.view import View
from kjpstate.model import NOTHING, Moves, Note, Row, Told
from kjpstate.said import Said, Text, say

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


def _headline(view: View) -> Said:
    """The cure and its cause."""
    if view.renamed:
        return say("pm2.renames", names=view.renamed)
    match view.mechanism:
        case "start":
            return say("pm2.starts", why=view.health.sick or say("pm2.not-running"))
        case "replace":
            return _replaces(view)
        case "reload":
            return say("pm2.reloads", why=list(_why_reload(view)))
        case "save" if view.saved:
            return say("pm2.saves", why=view.saved.reason)
    return say("pm2.as-it-should-be")


def _covered(view: View) -> Iterator[Said]:
    """The commands that the headline begins with or ends in."""
    if view.renamed or view.mechanism == "replace":
        yield DOWN
    elif view.mechanism == "start":
        yield START
    elif view.mechanism == "reload":
        yield RELOAD


def _why_reload(view: View) -> Iterator[Text]:
    if view.code_owed:
        yield say("pm2.new-code")
    elif view.code is not None and not view.code.well:
        yield view.code.reason
    if view.changed:
        yield say("pm2.new-settings")
    if view.changed_env:
        yield say("pm2.new-variables")


def _replaces(view: View) -> Said:
    if view.health.sick:
        return say("pm2.replaces", why=view.health.sick)
    if _LOG_FILES & set(view.changed):
        return say("pm2.replaces-for-logs")
    if view.changed:
        return say("pm2.replaces-for-keys", keys=view.changed)
    return say("pm2.replaces-for-left", names=view.left)


def _rows(view: View) -> Iterator[Row]:
    """A few changed settings one by one, many as one line."""
    if view.mechanism not in ("reload", "replace"):
        return
    if len(view.changed) > _FEW:
        yield Note(say("pm2.settings-change", count=len(view.changed), keys=view.changed))
    else:
        for key in view.changed:
            yield Moves(key, _shown(view.found.get(key)), _shown(view.wanted[key]), apart=True)
    names = [f"env.{name}" for name in view.changed_env]
    if names:
        yield Note(say("pm2.variables-change", names=names, count=len(names)))
    if view.left:
        yield Note(say("pm2.taken-away", names=view.left))


def _shown(value: object) -> str:
    return NOTHING if value is None else str(value)
