"""Actions as the session script understands them: lines of calls, and the payload behind each.

Called by `ssh`. Pure but for the streams, which bring a SyncTree's files from their host.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from kjpstate.errors import Failed, mistake
from kjpstate.formats.digests import sha256_or_dash
from kjpstate.formats.tree import listing_digest
from kjpstate.host import Eye
from kjpstate.hosts.frames import Frame
from kjpstate.hosts.names import plain_name, settled, stamp_bytes
from kjpstate.hosts.programs import call
from kjpstate.model import (
    Action,
    Answer,
    Await,
    Backup,
    MakeDirectory,
    Outcome,
    Prune,
    Restore,
    Run,
    RunInfo,
    Stamp,
    SyncTree,
    Tree,
    TreeFile,
    Unreadable,
    WriteFile,
    join,
)
from kjpstate.said import Text, packed, say

_STATUSES: dict[str, Literal["done", "already", "failed", "moved", "unknown"]] = {
    "done": "done",
    "already": "already",
    "failed": "failed",
    "moved": "moved",
    "unknown": "unknown",
}


@dataclass(frozen=True)
class Order:
    """One action: its calls, the bytes behind them (or a stream of them), seconds it may take, its
    backup.

    `outcome`: known without asking the host, which then gets no call. `gaps`: why bytes of the
    stream lack.
    """

    action: Action
    lines: tuple[str, ...] = ()
    payload: bytes = b""
    stream: Callable[[], AsyncIterator[bytes]] | None = None
    seconds: float = 0.0
    backup: str = ""
    outcome: Outcome | None = None
    gaps: list[Text] = field(default_factory=list)

    @property
    def hopeless(self) -> bool:
        """True if nothing may follow it."""
        return self.outcome is not None and not self.outcome.ok


@dataclass
class Orders:
    """Makes orders for one run on one host. `base`: the host's state folder. `kept`: paths backed
    up."""

    run: RunInfo
    base: str
    kept: set[str] = field(default_factory=set)

    @property
    def state(self) -> str:
        """The document's state folder on the host."""
        return f"{self.base}/{self.run.document}"

    def for_action(self, action: Action, backup: str) -> Order:
        """Any action but a SyncTree; raises Failed for one that no host does."""
        match action:
            case WriteFile(path=path, before=before, after=after, mode=mode):
                payload = after or b""
                words = (
                    path,
                    sha256_or_dash(before),
                    sha256_or_dash(after),
                    len(payload),
                    f"{mode:o}",
                    backup,
                )
                return Order(
                    action,
                    (call("kj_write", *words),),
                    payload,
                    backup=backup if before is not None else "",
                )
            case MakeDirectory(path=path, mode=mode):
                return Order(action, (call("kj_make", path.rstrip("/"), f"{mode:o}"),))
            case Run():
                return self._for_run(action)
            case Stamp(document=document, name=name, values=values):
                payload = b"" if values is None else stamp_bytes(values)
                digest = "-" if values is None else sha256_or_dash(payload)
                place = plain_name(document), plain_name(name)
                return Order(action, (call("kj_stamp", *place, digest, len(payload)),), payload)
            case Backup(path=path, shared=shared):
                line = call("kj_backup", path.rstrip("/"), backup, "shared" if shared else "")
                return Order(action, (line,), backup=backup)
            case Restore(path=path, backup=old, files=files):
                if not files:
                    return Order(
                        action, (call("kj_restore", path.rstrip("/"), old or "", action.written),)
                    )
                head = (path.rstrip("/"), old or "", listing_digest(files), len(files))
                return Order(action, (call("kj_restore_tree", *head, *files, *action.removed),))
            case Prune(document=document, backups=backups):
                return Order(
                    action, (call("kj_prune", plain_name(document), *backups),), seconds=300.0
                )
            case Await() | SyncTree():
                raise Failed(say("hosts.not-done-by-hosts", action=type(action).__name__))

    def _for_run(self, action: Run) -> Order:
        argv = action.argv
        if action.clean_env is not None:
            argv = (
                "env",
                "-i",
                *(f"{name}={value}" for name, value in action.clean_env.items()),
                *argv,
            )
        fine = " ".join(map(str, action.allowed_exits))
        words = (
            packed(action.why),
            math.ceil(action.timeout),
            action.cwd,
            fine,
            "shown" if action.shown else "",
        )
        line = call("kj_run", *words, *argv)
        return Order(action, (line,), seconds=action.timeout)

    def for_tree(
        self, action: SyncTree, seen: Answer, backup: str, sources: Mapping[str, Eye]
    ) -> Order:
        """The switch of a folder that holds `seen`: only what differs travels."""
        if action.manifest is None:
            return _known(action, "failed", say("hosts.not-known-yet", path=action.to_directory))
        if isinstance(seen, Unreadable):
            return _known(action, "failed", say("hosts.at", path=action.to_directory, why=seen.why))
        standing = seen.files if isinstance(seen, Tree) else {}
        if isinstance(seen, Tree) and settled(action, standing):
            return _known(action, "already", "")
        same = [path for path, file in action.manifest.items() if _same(standing.get(path), file)]
        new = {path: file for path, file in action.manifest.items() if path not in same}
        listing = listing_digest({path: file.digest for path, file in action.manifest.items()})
        lines = (
            call("kj_lay", action.to_directory.rstrip("/")),
            call("kj_lay_same", *same),
            *(call("kj_lay_new", path, file.size, _mode(file)) for path, file in new.items()),
            call("kj_lay_gone", *action.remove),
            call("kj_switch", listing, backup),
        )
        source = sources[action.from_host]
        gaps: list[Text] = []
        return Order(
            action,
            lines,
            stream=lambda: _files(source, action.from_directory, new, gaps),
            seconds=300.0,
            backup=backup if isinstance(seen, Tree) else "",
            gaps=gaps,
        )


def _known(action: Action, status: Literal["already", "failed"], reason: Text) -> Order:
    return Order(action, outcome=Outcome(action, status, reason))


def in_order(orders: Sequence[Order], reply: Sequence[Frame]) -> tuple[list[Outcome], list[Frame]]:
    """The outcomes of the orders that were tried, and the frames behind them."""
    found: list[Outcome] = []
    rest = list(reply)
    for order in orders:
        if order.outcome is not None:
            found.append(order.outcome)
        elif rest and rest[0].kind == "outcome":
            frame = rest.pop(0)
            output = rest.pop(0).body if rest and rest[0].kind == "output" else b""
            found.append(_outcome(order, frame, output))
        if not found or not found[-1].ok:
            break
    return found, rest


def _outcome(order: Order, frame: Frame, output: bytes) -> Outcome:
    """The outcome that the session reported for one order."""
    status = _STATUSES.get(frame.words[1], "unknown")
    code = int(frame.words[2]) if frame.words[2:] and frame.words[2].isdigit() else None
    if isinstance(order.action, Backup) and status == "already":
        return Outcome(order.action, "done")
    backup = order.backup if status in ("done", "unknown") else ""
    reason = order.gaps[0] if status == "moved" and order.gaps else frame.said
    return Outcome(order.action, status, reason, backup, code, output)


async def _files(
    source: Eye, folder: str, files: Mapping[str, TreeFile], gaps: list[Text]
) -> AsyncIterator[bytes]:
    """The bytes of `files` one after the other, each exactly as long as the manifest says.

    One that moved, or can't be read any more (`gaps` says why), comes cut or filled up: the digest
    on the other side tells, and nothing is switched. Nothing is raised: the other side waits for
    every byte.
    """
    for path, file in files.items():
        left = file.size
        try:
            async for chunk in source.open(join(folder, path)):
                yield chunk[:left]
                left -= min(left, len(chunk))
        except Exception as error:
            gaps.append(say("hosts.failed", path=path, reason=mistake(error)))
        while left:
            yield bytes(min(left, 65536))
            left -= min(left, 65536)


def _same(standing: TreeFile | None, wanted: TreeFile) -> bool:
    return standing is not None and standing.digest == wanted.digest


def _mode(file: TreeFile) -> str:
    return "755" if file.mode & 0o111 else "644"
