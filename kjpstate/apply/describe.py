"""An action, a command and a failure in a few words: for progress, reports and errors. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from kjpstate.model import (
    Action,
    Await,
    Backup,
    MakeDirectory,
    Outcome,
    Prune,
    Recovered,
    Restore,
    Run,
    Stamp,
    SyncTree,
    Verdict,
    WriteFile,
)
from kjpstate.said import Text, say, unpacked

_STATUS = {
    "failed": "act.failed",
    "moved": "act.moved",
    "refused": "act.refused",
    "unknown": "act.unknown",
}


def describe(action: Action) -> Text:
    """One action in a few words, for progress and errors; no bytes, no environment."""
    match action:
        case WriteFile(path=path, after=None):
            return say("act.remove", path=path)
        case WriteFile(path=path):
            return say("act.write", path=path)
        case SyncTree(to_directory=path):
            return say("act.switch", path=path)
        case Run(why=why, named=named):
            return _typed(action) or why or named or action.argv[0]
        case Await(why=why):
            return why
        case Stamp(name=name):
            return say("act.note", name=name)
        case MakeDirectory(path=path):
            return say("act.make", path=path)
        case Prune(backups=backups):
            return say("act.prune", count=len(backups))
        case Backup(path=path):
            return say("act.back-up", path=path)
        case Restore(path=path):
            return say("act.restore", path=path)


def _typed(run: Run) -> str:
    """A command as a person would type it; nothing for a script of ours."""
    script = run.argv[:2] == ("sh", "-c")
    return " ".join(run.typed or (() if script else run.argv))


def why(outcome: Outcome) -> Text:
    """How an action ended, and below it the end of what it printed."""
    what = describe(outcome.action)
    reason = outcome.reason or say(_STATUS[outcome.status])
    said = say("act.ended", what=what, reason=reason)
    if outcome.exit_code is not None:
        said = say("act.ended-with", what=what, reason=reason, code=outcome.exit_code)
    return rows(said, outcome.output.decode(errors="replace").strip())


def rows(*texts: Text) -> Text:
    """One text a row; an empty one is left out."""
    found = tuple(text for text in texts if text)
    return found[0] if len(found) == 1 else say("rows", rows=found)


def by_hand(action: Action) -> Text:
    """The command line, for sh, that does on its host what a restore or an undo could not."""
    match action:
        case Restore(path=path, backup=None):
            return shlex.join(("rm", "-r", path.rstrip("/")))
        case Restore(path=path, backup=str(backup), files=files) if files or path.endswith("/"):
            bare = path.rstrip("/")
            return (
                f"{shlex.join(('mv', bare, f'{bare}.broken'))} && "
                f"{shlex.join(('cp', '-a', backup, bare))}"
            )
        case Restore(path=path, backup=str(backup)):
            return shlex.join(("cp", "-p", backup, path))
        case Run(argv=argv, typed=typed, cwd=cwd):
            line = shlex.join(typed or argv)
            return f"cd {shlex.quote(cwd)} && {line}" if cwd else line
        case _:
            return say("act.by-hand", what=describe(action))


_SETTLED: Mapping[Verdict, str] = {
    "between": "settled.between",
    "untouched": "settled.untouched",
    "whole": "settled.whole",
    "finished": "settled.finished",
    "undone": "settled.undone",
    "foreign": "settled.foreign",
    "unknown": "settled.unknown",
}
_OF = {
    "write": "settled.of.write",
    "switch": "settled.of.switch",
    "lay": "settled.of.switch",
    "restore": "settled.of.restore",
    "remove": "settled.of.remove",
    "backup": "settled.of.backup",
    "make": "settled.of.make",
    "run": "settled.of.run",
    "stamp": "settled.of.stamp",
}


def settled(found: Recovered) -> Text:
    """What was made of an unfinished run, in one sentence."""
    run = found.run
    return say(
        _SETTLED[found.verdict],
        run=say("settled.run", id=run.run, who=run.who, when=run.when),
        host=found.host,
        what=say(_OF[run.kind], path=run.path) if run.kind in _OF else run.path,
        command=unpacked(run.path),
    )
