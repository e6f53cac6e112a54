"""The frozen values that travel the straight line; every floor speaks in them.

Resource -> Reading -> Answer -> State -> Drift -> Action -> Plan -> Report. Paths are absolute,
with `/`, and a folder's path ends in `/`. A value here does nothing: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, get_args

Spec: TypeAlias = Mapping[str, Any]
"""The declared fields of one resource as the document validated them; may hold Secrets."""


class Unknown:
    """The type of UNKNOWN: a value known only after an earlier resource is
    done. Equal to nothing."""

    def __repr__(self) -> str:
        return "(known after apply)"

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return 0


UNKNOWN: Final = Unknown()


GUARD: Final = "guard"
"""The unit of what must not have moved: a refusal of it holds everything on its host."""


# ---- the document's side


@dataclass(frozen=True)
class Where:
    """A place in a document; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Resource:
    """One managed thing. `lines` maps a JSON pointer inside the section to its place."""

    address: str
    kind: str
    host: str
    spec: Spec
    where: Where
    lines: Mapping[str, Where] = field(default_factory=dict)

    def line(self, pointer: str) -> Where:
        """The place of `pointer` (`/apps/0/max_restarts`), or of its nearest
        parent that has one."""
        while pointer:
            if pointer in self.lines:
                return self.lines[pointer]
            pointer = pointer.rpartition("/")[0]
        return self.where


# ---- looking: readings are pure data, each with its host; an answer is a value, None or Unreadable


@dataclass(frozen=True)
class ReadFile:
    """-> File, None (no such file), Unreadable."""

    host: str
    path: str


@dataclass(frozen=True)
class ReadStat:
    """-> Stat (of the path itself, links not followed), None, Unreadable."""

    host: str
    path: str


@dataclass(frozen=True)
class ReadGlob:
    """-> tuple[File, ...] in the order of their paths (shell patterns, no `**`), Unreadable."""

    host: str
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class ReadTree:
    """-> Tree of the files below `root` named by `paths`, None (no root), Unreadable.

    A path is relative to `root`: a file, or a folder with a final `/` (`./` for the whole root).
    Our own backups and temporary names, and `node_modules/`, never count, unless it is `whole`.
    """

    host: str
    root: str
    paths: tuple[str, ...] = ("./",)
    whole: bool = False


@dataclass(frozen=True)
class ReadState:
    """-> bytes of one file of ours in the host's state folder of `document`, None, Unreadable."""

    host: str
    document: str
    name: str


@dataclass(frozen=True)
class ReadClock:
    """-> Clock, Unreadable."""

    host: str


@dataclass(frozen=True)
class ReadCommand:
    """-> Completed of a command that only looks, Unreadable (not found, timed out).

    `env` is added to the environment the host gives; seconds for `timeout`.
    """

    host: str
    argv: tuple[str, ...]
    cwd: str = ""
    timeout: float = 30.0


@dataclass(frozen=True)
class Probe:
    """-> bytes that the named script of ours in `hosts/remote/` printed, None (no POSIX host),
    Unreadable."""

    host: str
    name: str
    args: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadLock:
    """-> Holder, None (nobody holds this host's lock), Unreadable. `when`: two of them frame a
    look."""

    host: str
    when: Literal["first", "last"] = "first"


Reading: TypeAlias = (
    ReadFile
    | ReadStat
    | ReadGlob
    | ReadTree
    | ReadState
    | ReadClock
    | ReadCommand
    | ReadLock
    | Probe
)


@dataclass(frozen=True)
class File:
    """A regular file. `owner` is `uid:gid`; `symlink` is the target when the
    path itself is a link."""

    path: str
    content: bytes
    mode: int
    owner: str = "0:0"
    symlink: str = ""


@dataclass(frozen=True)
class Stat:
    """`type`: file, directory, symlink, other. Bytes for `size`; `changed` moves when the file
    does."""

    path: str
    type: Literal["file", "directory", "symlink", "other"]
    mode: int
    size: int
    owner: str = "0:0"
    changed: str = ""


@dataclass(frozen=True)
class TreeFile:
    """sha256 in hex; `changed` is opaque (mtime, ctime, inode) and moves whenever the file is
    written."""

    digest: str
    size: int
    mode: int
    changed: str = ""


@dataclass(frozen=True)
class Tree:
    """Relative path -> file, for all regular files; `others` are links, sockets and the like.
    `folders`: all folders, and what is there and never counts (see ReadTree), which nobody looked
    into."""

    root: str
    files: Mapping[str, TreeFile]
    others: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clock:
    """`boot_id` of the running kernel; `uptime` is the raw first word of /proc/uptime (seconds)."""

    boot_id: str
    uptime: str


@dataclass(frozen=True)
class Completed:
    """A finished command. `exit_code` None: killed by a signal or never known."""

    exit_code: int | None
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class Unreadable:
    """The thing may be there, but could not be read: permission, not a file, moved while read."""

    why: str


@dataclass(frozen=True)
class NotAsked(Unreadable):
    """Nobody asked: the host is out of reach, left out, or can't be seen from here.

    That is said of the host, once. What was asked for and not answered is a plain Unreadable:
    nothing that reads it is in sync.
    """


Life: TypeAlias = Literal["alive", "step", "dead", "damaged"]


@dataclass(frozen=True)
class Holder:
    """Who holds a host's lock. `life`, decided on that host: alive; step: its process is gone, but
    a command that it started still runs; dead; damaged: what stands there is no lock. `text`: the
    lock's own lines, by which it is known, or what is wrong. `whose`: another user's and where it
    stands; empty: the login's."""

    run: str
    who: str
    when: str
    why: str
    life: Life
    text: str
    whose: str = ""


@dataclass(frozen=True)
class Outcome:
    """How one action ended. failed: it did not happen or its exit code is not allowed; unknown: no
    exit status; moved: the bytes are not what the plan saw; refused: the host object forbade it."""

    action: Action
    status: Literal["done", "already", "failed", "unknown", "moved", "refused"]
    reason: str = ""
    backup: str = ""
    exit_code: int | None = None
    output: bytes = b""

    @property
    def ok(self) -> bool:
        """Done now or already so."""
        return self.status in ("done", "already")


@dataclass(frozen=True)
class Step:
    """What became of one change; shrunk: nothing was needed any more."""

    address: str
    result: Literal["applied", "shrunk", "failed", "restored", "held", "refused", "not tried"]
    reason: str = ""
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True)
class CheckResult:
    """One acceptance check. manual: a human must look; unknown: the host was not reached."""

    name: str
    result: Literal["passed", "failed", "manual", "unknown"]
    reason: str = ""
    host: str = ""


Answer: TypeAlias = (
    File | Holder | Stat | Tree | Clock | Completed | bytes | tuple[File, ...] | Unreadable | None
)
Answers: TypeAlias = Mapping[Reading, Answer]


# ---- states and drift


@dataclass(frozen=True)
class State:
    """A plain JSON value, and what rides beside it uncompared.

    `values`: compared key by key, only keys that the desired state names; None where a thing is
    missing; leaves may be Secret or UNKNOWN. The key `problems` (desired: []) carries what would be
    refused. `present`: whether the managed thing exists (desired) / is there (actual): gives `+`
    and `-`. `ticks`: top-level keys that move by themselves (a process's status): compared, not
    fingerprinted. `beside`: evidence and bytes for `actions`. Known to renderers: `headline` (str,
    after the address), `notes` (list of str, one indented line each), `sick` (str, why an app is
    not alive). Known to `apply`: `mismatch`, the rule to tell when this was not reached though
    every action was done.
    """

    values: Mapping[str, Any]
    beside: Mapping[str, Any] = field(default_factory=dict)
    present: bool = True
    ticks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """One path with its two values, Secrets veiled; `desired` may be UNKNOWN."""

    path: tuple[str | int, ...]
    actual: Any
    desired: Any


@dataclass(frozen=True)
class Drift:
    """A resource whose actual state differs. The states are unveiled: for `actions`, not for a
    screen.

    `before` and `after`: the compared keys of both as a screen may show them, Secrets veiled.
    """

    resource: Resource
    desired: State
    actual: State
    differences: tuple[Difference, ...]
    before: Any = None
    after: Any = None

    def differs(self, key: str) -> bool:
        """Whether the top-level key `key` differs."""
        return any(difference.path[:1] == (key,) for difference in self.differences)


Upstream: TypeAlias = Mapping[tuple[str, str], "bytes | str | Unknown | None"]
"""(host, path) an earlier resource of this plan will write -> the bytes of a WriteFile (None:
removed), a digest for a stamp alone, or UNKNOWN for what a SyncTree or a Run writes."""


# ---- acting: actions are data, each with its host


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
    why: str
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
    why: str


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
class Refuse:
    """Yielded instead of actions where going on would mean guessing or destroying.

    `rule` is an id of `rules.RULES`; `places` are lines like `src/wa.ts:389: if (…)`; `cure` what
    to type or change; `pointer` is where in the section the cause stands.
    """

    rule: str
    reason: str
    places: tuple[str, ...] = ()
    cure: str = ""
    pointer: str = ""


@dataclass(frozen=True)
class Advice:
    """Legal, but it will not do what the writer hopes. `pointer` is a JSON
    pointer in the section."""

    rule: str
    reason: str
    cure: str = ""
    pointer: str = ""
    severity: Literal["breaks", "useless", "note"] = "useless"


@dataclass(frozen=True)
class Acceptance:
    """A difference (of `address`) or an advice (of `rule`) that the owner lives with, and why.

    One of the two is "". `until`: its last day as YYYY-MM-DD; "" for ever.
    """

    address: str
    rule: str
    why: str
    until: str
    where: Where


@dataclass(frozen=True)
class Channel:
    """Where notices go as JSON: to the standard input of `command` (argv), or to the URL `webhook`.

    URL, headers and the command's variables may be Secrets.
    """

    name: str
    command: tuple[str, ...] = ()
    webhook: Any = ""
    headers: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Notify:
    """Who is told by `drift`. `quiet`: (first, last) minutes of the local day when only a dead bot
    is told.

    `unreachable_after`: looks in a row. `heartbeat`: a URL that is fetched after each look, "" for
    none.
    """

    channels: tuple[Channel, ...] = ()
    quiet: tuple[int, int] | None = None
    unreachable_after: int = 3
    heartbeat: Any = ""


# ---- plan and report

Symbol: TypeAlias = Literal["+", "~", "-", "-/+", "!"]


@dataclass(frozen=True)
class Change:
    """What the plan does about one resource: `actions`, or `refusal`, or `held` (the address that
    blocks it).

    `after`: addresses whose result this one waits for; its actions are then the most that may be
    needed. `lapsed`: an acceptance of this difference whose last day is over.
    """

    resource: Resource
    drift: Drift
    actions: tuple[Action, ...]
    symbol: Symbol
    refusal: Refuse | None = None
    held: str = ""
    after: tuple[str, ...] = ()
    lapsed: Acceptance | None = None

    @property
    def life(self) -> str:
        """Of an app's change: "alive", "unknown", or the code of what is the matter. All else
        lives."""
        alive = self.drift.actual.values.get("alive", True) if self.drift.differs("alive") else True
        return "alive" if alive is True else str(alive)

    @property
    def refused(self) -> bool:
        """Whether it would mean guessing or destroying; what only another host can cure is mere
        drift."""
        return self.refusal is not None and not self.beyond

    @property
    def beyond(self) -> bool:
        """Whether only a machine that sees more hosts can cure it."""
        return self.refusal is not None and self.refusal.rule == "needs-other-host"


@dataclass(frozen=True)
class AdviceAt:
    """Advice with its place in the document and the resource it is about."""

    advice: Advice
    address: str
    where: Where


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
class Plan:
    """All changes in their order. `units`: groups of addresses restored together. `fingerprints`:
    address -> {fact: keyed digest}, for the compared keys and the bytes to be replaced.
    `unreachable`: host -> why. `unfinished`: host -> the run that ended there before its time;
    apply settles it first, so what was read may not stand. `accepted`: drifts that are left as they
    are, each with the acceptance that says so. `elsewhere`: address -> host of what can't be seen
    from here and was not looked at."""

    document: str
    changes: tuple[Change, ...]
    in_sync: tuple[str, ...] = ()
    units: tuple[tuple[str, ...], ...] = ()
    fingerprints: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    advice: tuple[AdviceAt, ...] = ()
    unreachable: Mapping[str, str] = field(default_factory=dict)
    unfinished: Mapping[str, Unfinished] = field(default_factory=dict)
    unmanaged: tuple[str, ...] = ()
    accepted: tuple[tuple[Drift, Acceptance], ...] = ()
    kept: tuple[str, ...] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()

    @property
    def empty(self) -> bool:
        """Nothing to do and nothing in doubt."""
        return not self.changes


@dataclass(frozen=True)
class Event:
    """One line of progress. `address` is empty where it belongs to the resource
    that started last."""

    kind: Literal["look", "start", "action", "output", "wait", "done", "failed", "recovered"]
    address: str
    text: str


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


@dataclass(frozen=True)
class Report:
    """What an apply did, in the plan's order; `plan` is what was shown. `commands`: (host, what a
    human must type there) where putting back failed, too. `recovered`: what was settled of earlier
    runs."""

    run: RunInfo
    plan: Plan
    steps: tuple[Step, ...]
    checks: tuple[CheckResult, ...] = ()
    backups: tuple[tuple[str, str, str], ...] = ()
    exit_code: int = 0
    commands: tuple[tuple[str, str], ...] = ()
    recovered: tuple[Recovered, ...] = ()


# ---- small pure helpers that every floor needs


def overlap(one: str, other: str) -> bool:
    """Whether two absolute paths contain each other, in either direction (`/a/dist/` and
    `/a/dist/x.js`)."""
    left, right = one.rstrip("/") + "/", other.rstrip("/") + "/"
    return left.startswith(right) or right.startswith(left)


def join(folder: str, path: str) -> str:
    """`path` below `folder` with `/`, `./` dropped; an absolute `path` (also
    `D:/…`) stays itself."""
    if path.startswith("/") or path[1:3] == ":/":
        return path
    path = path.removeprefix("./")
    return folder.rstrip("/") + "/" + path if path else folder.rstrip("/") + "/"


def named(full: str, name: str) -> bool:
    """Whether `name` means `full`: `patch` means `patch.reconnect-backoff`, `stb` means
    `stb[10.0.0.1]`."""
    return full == name or full.startswith((f"{name}.", f"{name}["))


def touching(upstream: Upstream, host: str, path: str) -> Sequence[tuple[str, str]]:
    """The keys of `upstream` on `host` that contain `path` or lie in it."""
    return [key for key in upstream if key[0] == host and overlap(key[1], path)]
