"""Acting as data: what is done to a host, how it ended, and what an interrupted run left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, get_args

from kjpstate.model.looking import Reading, ReadTree, TreeFile
from kjpstate.said import Text


@dataclass(frozen=True)
class Outcome:
    """How one action ended. failed: it did not happen or its exit code is not allowed; unknown: no
    exit status; moved: the bytes are not what the plan saw; refused: the host object forbade it."""

    action: Action
    status: Literal["done", "already", "failed", "unknown", "moved", "refused"]
    reason: Text = ""
    backup: str = ""
    exit_code: int | None = None
    output: bytes = b""

    @property
    def ok(self) -> bool:
        """Done now or already so."""
        return self.status in ("done", "already")


@dataclass(frozen=True)
class WriteFile:
    """Replace, create (`before` None) or remove (`after` None) one file; backup first, and only
    while the bytes are still `before`. `mode` is for a new file; a replaced one keeps mode and
    owner."""

    host: str
    path: str
    before: bytes | None
    after: bytes | None
    mode: int = 0o644


@dataclass(frozen=True)
class MakeDirectory:
    """Create a folder (and its parents) if it is missing."""

    host: str
    path: str
    mode: int = 0o755


@dataclass(frozen=True)
class SyncTree:
    """Make `to_directory` hold the manifest's files, beside, verified, then switched by two
    renames.

    `manifest`: relative path -> TreeFile as read on `from_host`; None while owed. `remove`:
    relative paths an earlier manifest of ours put there. All other files of the target are carried
    over.
    """

    from_host: str
    from_directory: str
    host: str
    to_directory: str
    manifest: Mapping[str, TreeFile] | None
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """One command, no shell. `writes`: files and folders it writes, backed up first. `undo`: argv
    that puts back what a restore of files does not. `outputs`: the tree in which to note what the
    run wrote (see Written). `replaces`: the managed thing is deleted and made anew. `clean_env`:
    only these variables. `shown`: it takes long, so what it prints is told while it runs. `renews`:
    it removes the folders in `writes` before it writes (as `npm ci` does), so a backup may hold
    their very files; see Backup. `on_failure`: a command that only looks and says why, run when it
    failed; `rule`: of `rules.RULES`, told with the failure."""

    host: str
    argv: tuple[str, ...]
    why: Text
    cwd: str = ""
    writes: tuple[str, ...] = ()
    undo: tuple[tuple[str, ...], ...] = ()
    timeout: float = 600.0
    allowed_exits: tuple[int, ...] = (0,)
    outputs: ReadTree | None = None
    replaces: bool = False
    clean_env: Mapping[str, str] | None = None
    shown: bool = False
    renews: bool = False
    on_failure: tuple[str, ...] = ()
    rule: str = ""
    typed: tuple[str, ...] = ()
    """The command as a person would type it, where `argv` is longer."""
    named: Text = ""
    """What it does in a few words, where `why` is to say nothing on a plan."""


@dataclass(frozen=True)
class Written:
    """In a Stamp's `fill`: the files of `tree` that this resource's last Run with `outputs` wrote,
    and those of `also` (relative to `tree`'s root, from the old stamp) that still stand ->
    {relative: sha256}. The root may differ from that of the Run's own tree: a file is the same by
    its absolute path."""

    tree: ReadTree
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stamp:
    """Write one small JSON file into the host's state folder; `values` None removes it.

    `fill` are taken at the instant of writing, after everything before it is done: ReadTree ->
    {relative: sha256}, ReadClock -> {boot_id, uptime}, ReadStat -> {size, changed} or null, Written
    -> as above. `keep` is the old stamp, given when the tree still was as it says: if all but what
    a ReadClock fills comes out equal to it, `keep` is written and so the old ticks stay. `path` is
    what the stamp speaks of: whoever reads that path is owed, since the stamp's ticks are new.
    """

    host: str
    document: str
    name: str
    values: Mapping[str, Any] | None
    fill: tuple[tuple[str, Reading | Written], ...] = ()
    keep: Mapping[str, Any] | None = None
    path: str = ""


@dataclass(frozen=True)
class Await:
    """Take `reading` again and again until the judge says None (well). `judge` names a function of
    `formats.JUDGES`: (answer, args) -> None or the reason it is not well yet. Seconds for
    `timeout`."""

    host: str
    reading: Reading
    judge: str
    args: tuple[tuple[str, Any], ...]
    timeout: float
    why: Text


@dataclass(frozen=True)
class Backup:
    """Keep a copy of a file or folder beside it. Made by `apply` for a Run's `writes`, not by
    kinds.

    `shared`: what a folder has in folders of its own may be hard links instead, where the host can;
    not what begins with a dot, nor what stands in it directly. See Run.renews.
    """

    host: str
    path: str
    shared: bool = False


@dataclass(frozen=True)
class Restore:
    """Put a backup back over `path` (None: there was nothing; remove it). Made by `apply` and
    `rollback`.

    Only while what stands there is what it should be: `written` is the sha256 of a file, of a
    folder the `listing_digest` of all its files (`-`: nothing; empty: whatever it is now); `files`
    {relative: sha256} are those of a switched folder, `removed` what it lost. What others put into
    that folder meanwhile comes along.
    """

    host: str
    path: str
    backup: str | None
    written: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prune:
    """Take backups away, and their rows out of the ledger of `document`. Only what a row names,
    under a name of a backup of the run that the row tells; one that is gone already just loses its
    row. Made by `backups prune`, not by kinds."""

    host: str
    document: str
    backups: tuple[str, ...]


Action: TypeAlias = (
    WriteFile | MakeDirectory | SyncTree | Run | Stamp | Await | Backup | Restore | Prune
)


@dataclass(frozen=True)
class Unfinished:
    """A run that ended before its time, as its host's journal has it. `kind` and `path` of the
    action that may be half done (write, switch, run, …), empty when it ended between two of them.
    """

    run: str
    when: str
    who: str
    kind: str = ""
    path: str = ""


Verdict: TypeAlias = Literal[
    "between", "untouched", "whole", "finished", "undone", "foreign", "unknown"
]


VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)


@dataclass(frozen=True)
class Recovered:
    """What a host made of an unfinished run as soon as its lock was taken.

    between: nothing was half done; untouched: the action had not happened; whole: it had, as a
    whole; finished, undone: a switch of folders, half done; foreign: what stands there is neither
    the old nor the new, so it stands; unknown: a command, of which only the next look can tell.
    """

    host: str
    document: str
    run: Unfinished
    verdict: Verdict


@dataclass(frozen=True)
class RunInfo:
    """One apply. `id`: six hex digits; `started`: the controller's UTC time as YYYYMMDDTHHMMSSZ."""

    id: str
    started: str
    document: str
    who: str
    why: str = "apply"

    @property
    def suffix(self) -> str:
        """What a backup's name ends in, after `FILE.backup.`"""
        return f"{self.started}-{self.id}"
