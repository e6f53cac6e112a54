"""An action, a command and a failure in a few words: for progress, reports and errors. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

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
    WriteFile,
)
from kjpstate.said import unpacked


def describe(action: Action) -> str:
    """One action in a few words, for progress and errors; no bytes, no environment."""
    match action:
        case WriteFile(path=path, after=after):
            return f"{'remove' if after is None else 'write'} {path}"
        case SyncTree(to_directory=path):
            return f"switch {path}"
        case Run(argv=argv, why=why):
            return spoken(argv) or str(why) or _kept(argv) or argv[0]
        case Await(why=why):
            return str(why)
        case Stamp(name=name):
            return f"note {name}"
        case MakeDirectory(path=path):
            return f"make {path}"
        case Prune(backups=backups):
            return f"remove {len(backups)} backups"
        case Backup(path=path):
            return f"back up {path}"
        case Restore(path=path):
            return f"restore {path}"


def spoken(argv: Sequence[str]) -> str:
    """A command as a person would type it: PM2 without its paths; nothing for a script of ours."""
    if len(argv) > 2 and argv[1].endswith("/pm2"):
        return " ".join(("pm2", *argv[2:]))
    return "" if tuple(argv[:2]) == ("sh", "-c") else " ".join(argv)


def _kept(argv: Sequence[str]) -> str:
    """PM2's list, copied before PM2 is told anything."""
    return (
        f"keep PM2's list in {argv[-1]}"
        if any("PM2_DUMP_FILE_PATH" in word for word in argv)
        else ""
    )


def why(outcome: Outcome) -> str:
    tail = outcome.output.decode(errors="replace").strip()
    status = f" (exit code {outcome.exit_code})" if outcome.exit_code is not None else ""
    reason = outcome.reason or {"moved": "is not as the plan saw it any more"}.get(
        outcome.status, outcome.status
    )
    return f"{describe(outcome.action)}: {reason}{status}" + (f"\n{tail}" if tail else "")


def by_hand(action: Action) -> str:
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
        case Run(argv=argv, cwd=cwd):
            line = shlex.join(("pm2", *argv[2:]) if spoken(argv).startswith("pm2 ") else argv)
            return f"cd {shlex.quote(cwd)} && {line}" if cwd else line
        case _:
            return f"# {describe(action)}"


_VERDICTS = {
    "between": "nothing was half done",
    "untouched": "{what} had not happened; it is as it was",
    "whole": "{what} had happened, whole",
    "finished": "{what} was half done and was finished",
    "undone": "{what} was half done and was undone",
    "foreign": "{what} stands as it is: it is neither what it was nor what that run wrote",
    "unknown": "it was at a command ({path}); what that did is read again",
}
_KINDS = {
    "lay": "switch",
    "restore": "putting back",
    "remove": "removing",
    "backup": "keeping",
    "make": "making",
}


def settled(found: Recovered) -> str:
    """What was made of an unfinished run, in one sentence."""
    run = found.run
    what = f"{_KINDS.get(run.kind, run.kind)} of {run.path}"
    said = _VERDICTS[found.verdict].format(what=what, path=unpacked(run.path))
    return f"run {run.run} of {run.who} ({run.when}) ended on {found.host} before its time: {said}"
