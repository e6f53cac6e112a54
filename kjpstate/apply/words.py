"""An action, a command and a failure in a few words: for progress, reports and errors. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kjpstate.model import (
    Action,
    Await,
    Backup,
    MakeDirectory,
    Outcome,
    Restore,
    Run,
    Stamp,
    SyncTree,
    WriteFile,
)


def describe(action: Action) -> str:
    """One action in a few words, for progress and errors; no bytes, no environment."""
    match action:
        case WriteFile(path=path, after=after):
            return f"{'remove' if after is None else 'write'} {path}"
        case SyncTree(to_directory=path):
            return f"switch {path}"
        case Run(argv=argv, why=why):
            return spoken(argv) or why or argv[0]
        case Await(why=why):
            return why
        case Stamp(name=name):
            return f"note {name}"
        case MakeDirectory(path=path):
            return f"make {path}"
        case Backup(path=path):
            return f"back up {path}"
        case Restore(path=path):
            return f"restore {path}"


def spoken(argv: Sequence[str]) -> str:
    """A command as a person would type it: PM2 without its paths; nothing for a script of ours."""
    if len(argv) > 2 and argv[1].endswith("/pm2"):
        return " ".join(("pm2", *argv[2:]))
    return "" if tuple(argv[:2]) == ("sh", "-c") else " ".join(argv)


def why(outcome: Outcome) -> str:
    tail = outcome.output.decode(errors="replace").strip()
    status = f" (exit code {outcome.exit_code})" if outcome.exit_code is not None else ""
    reason = outcome.reason or {"moved": "is not as the plan saw it any more"}.get(
        outcome.status, outcome.status
    )
    return f"{describe(outcome.action)}: {reason}{status}" + (f"\n{tail}" if tail else "")
