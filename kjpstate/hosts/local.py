"""The port's body on this machine, in plain Python, Windows too; the simulated box is built on it.

Called by `hosts.connect` and `hosts.simulated`. The same protocol, names and outcomes as over SSH.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from kjpstate import errors
from kjpstate.formats.journal import line
from kjpstate.host import Cost, Eye, Local, allowed
from kjpstate.hosts import commands, eyes, files, folders, journal, lock, places, pruning, trees
from kjpstate.hosts.commands import Step
from kjpstate.hosts.heard import Heard
from kjpstate.hosts.names import (
    OUTPUT_CAP,
    backup_of,
    kept_name,
    plain_name,
    refusal,
    settled,
    stamp_bytes,
)
from kjpstate.model import (
    Action,
    Answer,
    Answers,
    Await,
    Backup,
    Clock,
    Completed,
    Holder,
    MakeDirectory,
    Outcome,
    Probe,
    Prune,
    ReadClock,
    ReadCommand,
    ReadFile,
    ReadGlob,
    Reading,
    ReadLock,
    ReadStat,
    ReadState,
    ReadTree,
    Recovered,
    Restore,
    Run,
    RunInfo,
    Stamp,
    SyncTree,
    Tree,
    Unreadable,
    WriteFile,
    join,
)
from kjpstate.process import NotStarted
from kjpstate.said import packed, say

_CHUNK = 256 * 1024


def state_folder() -> Path:
    """The folder in which this machine keeps stamps, ledgers and notes, one folder a document."""
    if os.name == "posix":
        if os.geteuid() == 0:
            return Path("/var/lib/kjpstate")
        return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "kjpstate"
    import platformdirs

    return platformdirs.user_state_path("kjpstate", appauthor=False)


def home_of(spec: Local) -> str:
    """The folder in which commands start where this machine stands for itself: its user's home, as
    over SSH.

    Raises RefusedError where we are not the user that SSH would log in as: stamps, PM2 and rights
    are that user's.
    """
    if sys.platform == "win32":
        raise errors.RefusedError(
            say("here-other-user.windows", host=spec.name),
            rule="here-other-user",
        )
    import pwd

    user = pwd.getpwuid(os.geteuid()).pw_name
    known = spec.stands_for
    if known is not None and known.user not in ("", user):
        raise errors.RefusedError(
            say(
                "here-other-user.other",
                host=spec.name,
                user=known.user,
                address=known.address,
                me=user,
            ),
            say("here-other-user.other.cure", user=known.user),
            "here-other-user",
        )
    return pwd.getpwuid(os.geteuid()).pw_dir


def lock_places() -> places.Places:
    """The places of this machine's locks."""
    return places.of_this_machine(state_folder())


@dataclass
class _Session:
    """The state of a LocalHost between `begin` and `end`; `kept`: paths whose original it backed
    up."""

    run: RunInfo
    lock: lock.Lock
    pen: files.Pen
    journal: journal.Writer
    kept: set[str]


class LocalHost:
    """A host that is this machine; see the port, `kjpstate.host.Host`.

    `folder`: where commands without a `cwd` run. `translate`: a document's path -> where it really
    is. `prober`, `runner`, `clock`: who answers probes, commands and the clock instead of this
    machine. `on_operation` is told each effect right after it happened; what it raises ends the
    session.
    """

    def __init__(
        self,
        name: str,
        *,
        folder: str = "",
        state_dir: Path | None = None,
        lock_dir: Path | None = None,
        may_change: tuple[str, ...] = (),
        translate: Callable[[str], Path] | None = None,
        prober: Callable[[Probe], Awaitable[bytes | None]] | None = None,
        runner: Callable[[Run, Heard | None, Step | None], Awaitable[Completed]] | None = None,
        clock: Callable[[], Clock | Unreadable] | None = None,
        on_operation: Callable[[str], None] | None = None,
    ) -> None:
        self.name = name
        self.cost = Cost()
        self._folder = folder
        self._state = state_dir or state_folder()
        self._locks = places.Places(lock_dir) if lock_dir else lock_places()
        self._may_change = may_change
        self._translate = translate or Path
        self._prober = prober or commands.probe
        self._runner = runner or commands.run
        self._clock = clock or eyes.read_clock
        self._tell = on_operation or (lambda name: None)
        self.heard: Heard | None = None
        self.within: float | None = None
        self.recovered: tuple[Recovered, ...] = ()
        self._kept: tuple[str, set[str]] = ("", set())
        self._session: _Session | None = None

    # ---- the eye

    async def look(self, readings: Sequence[Reading]) -> Answers:
        """All answers, one by one: nothing here is far away. Raises Unreachable without the host's
        folder."""
        if self._folder and not self._real(self._folder).is_dir():
            raise errors.Unreachable(
                self.name,
                say("hosts.no-folder-here", folder=self._folder),
                say("hosts.no-folder-here.cure", host=self.name),
            )
        return {reading: await self._answer(reading) for reading in readings}

    async def _answer(self, reading: Reading) -> Answer:
        match reading:
            case ReadFile(path=path):
                return eyes.read_file(path, self._real(path))
            case ReadStat(path=path):
                return eyes.read_stat(path, self._real(path))
            case ReadGlob(patterns=patterns):
                return eyes.read_glob(patterns, self._real)
            case ReadTree(root=root):
                return eyes.read_tree(reading, self._real(root))
            case ReadState(document=document, name=name):
                return eyes.guarded((self._state_of(document) / self._plain(name)).read_bytes)
            case ReadClock():
                return self._clock()
            case ReadCommand(argv=argv, cwd=cwd, timeout=timeout):
                return await self._look_by(Run(self.name, argv, "looks", cwd, timeout=timeout))
            case ReadLock():
                return eyes.guarded(self._locked_by)
            case Probe():
                return await self._probe(reading)

    async def _look_by(self, command: Run) -> Completed | Unreadable:
        try:
            return await self._runner(self._placed(command), None, None)
        except commands.TimedOut:
            return Unreadable(
                say("hosts.not-in-time", command=command.argv[0], seconds=command.timeout)
            )
        except NotStarted as why:
            return Unreadable(why.why)
        except OSError as error:
            return Unreadable(
                say(
                    "hosts.failed",
                    path=command.argv[0],
                    reason=(error.strerror or str(error)).lower(),
                )
            )

    async def _probe(self, reading: Probe) -> bytes | Unreadable | None:
        try:
            return await self._prober(reading)
        except commands.TimedOut:
            return Unreadable(say("hosts.probe-not-in-time", probe=reading.name))
        except OSError as error:
            return Unreadable(files.reason(error))

    async def open(self, path: str) -> AsyncIterator[bytes]:
        """The bytes of one file as chunks; raises Failed when it can't be read."""
        try:
            with os.fdopen(folders.reading(self._real(path)), "rb") as stream:
                while chunk := stream.read(_CHUNK):
                    yield chunk
        except OSError as error:
            raise errors.Failed(
                say("hosts.of", host=self.name, why=files.why(path, error))
            ) from None

    @property
    def identity(self) -> str:
        """This machine's id, where the system has given it one; else its name."""
        return eyes.machine_id()

    async def close(self) -> None:
        """Closes nothing but a lock that was left."""
        await self.end(finished=False)

    # ---- the hands

    async def begin(self, run: RunInfo, readings: Sequence[Reading]) -> Answers:
        """Take the lock, settle what a cut session left half done, answer under the lock."""
        held = lock.take(self._locks, run, self.name)
        await lock.alone(held, self._locks, self.name)
        folder = self._state_of(run.document)
        writer = journal.Writer(folder, journal_head(run), run.id, self._tell)
        pen = files.Pen(run, folder / "backups", self._tell, self._real, writer)
        if self._kept[0] != run.id:  # a run that lost its link comes back for its own
            self._kept = (run.id, set())
        self._session = _Session(run, held, pen, writer, self._kept[1])
        try:
            self._tell("lock")
            self.recovered = tuple(journal.settle(self._state, pen, self.name))
            return await self.look(readings)
        except BaseException:
            await self.end(finished=False)
            raise

    async def act(
        self,
        actions: Sequence[Action],
        readings: Sequence[Reading] = (),
        sources: Mapping[str, Eye] | None = None,
    ) -> tuple[Sequence[Outcome], Answers]:
        """Do the actions in order, stopping after the first that is not ok;
        then answer `readings`."""
        session = self._session
        if session is None:
            raise errors.Failed(say("lock.not-taken", host=self.name))
        outcomes: list[Outcome] = []
        for action in actions:
            outcomes.append(await self._try(action, session, sources or {}))
            session.journal.done(outcomes[-1].status)
            if not outcomes[-1].ok:
                break
        return outcomes, await self.look(readings)

    async def end(self, *, finished: bool = True) -> None:
        """Release the lock; the journal says whether the run came to its end."""
        if self._session is not None:
            if finished:
                self._session.journal.ended()
            self._session.lock.release()
            self._session = None

    async def holder(self) -> Holder | None:
        """The owner of the lock; None when nobody holds it. Raises Failed when it can't be read."""
        try:
            return lock.holder(self._locks, self.name)
        except OSError as error:
            path = self._locks.own / lock.NAME
            raise errors.Failed(
                say(
                    "lock.unread",
                    host=self.name,
                    path=str(path),
                    reason=error.strerror or str(error),
                )
            ) from None

    def _locked_by(self) -> Holder | Unreadable | None:
        try:
            found = lock.holder(self._locks, self.name)
        except errors.Failed as error:
            return Unreadable(error.message)
        return Unreadable(found.why) if found is not None and found.life == "damaged" else found

    async def unlock(self, owner: Holder, *, force: bool = False) -> bool:
        """Break the very lock that `owner` is; see the port."""
        return lock.unlock(self._locks, owner, force=force)

    async def _try(self, action: Action, session: _Session, sources: Mapping[str, Eye]) -> Outcome:
        reason = refusal(action, self._may_change, session.kept, windows=not files.POSIX)
        if reason:
            return Outcome(action, "refused", reason)
        if not session.lock.held():
            return Outcome(action, "failed", say("lock.taken-away"))
        try:
            return await self._do(action, session, sources)
        except files.Trouble as trouble:
            return Outcome(action, trouble.status, trouble.reason)
        except errors.Failed as error:
            return Outcome(action, "failed", error.message)
        except OSError as error:
            path = getattr(action, "path", "") or getattr(action, "to_directory", "") or self.name
            return Outcome(action, "failed", files.why(path, error))
        except errors.KjpstateError:
            raise  # the link is lost: what is half done, the next session settles
        except Exception as error:
            return self._unforeseen(action, session, error)

    def _unforeseen(self, action: Action, session: _Session, error: Exception) -> Outcome:
        """A mistake of ours: what it left half done is settled at once, as the next session would
        do it."""
        reason = errors.mistake(error)
        at = session.journal.pending
        verdict = journal.settled(at, session.pen) if at is not None else "untouched"
        if at is None or verdict in ("untouched", "undone"):
            return Outcome(action, "failed", reason)
        new = isinstance(action, WriteFile) and action.before is None
        return Outcome(action, "unknown", reason, "" if new else at.backup)

    async def _do(self, action: Action, session: _Session, sources: Mapping[str, Eye]) -> Outcome:
        pen = session.pen
        match action:
            case WriteFile(path=path, before=before, after=after, mode=mode):
                backup = self._backup(path, session) if before is not None else ""
                try:
                    status = files.put(path, before, after, mode, pen=pen, backup=backup)
                except files.Trouble as trouble:
                    return _troubled(action, trouble, backup)
                return Outcome(action, status, backup=backup if status == "done" else "")
            case MakeDirectory(path=path, mode=mode):
                return Outcome(action, self._make_directory(path, mode, pen))
            case SyncTree():
                return await self._sync(action, session, sources)
            case Run():
                pen.journal.intent("run", packed(action.why))
                return await self._run(action, session.lock)
            case Stamp():
                self._stamp(action, pen)
                return Outcome(action, "done")
            case Backup(path=path, shared=shared):
                return Outcome(action, "done", backup=self._keep(path, session, shared))
            case Restore():
                return Outcome(action, self._restore(action, pen))
            case Prune(document=document):
                pruning.prune(action, self._state_of(document) / "backups", pen)
                return Outcome(action, "done")
            case Await():
                raise errors.Failed(say("hosts.not-done-by-hosts", action="Await"))

    def _make_directory(self, path: str, mode: int, pen: files.Pen) -> Literal["done", "already"]:
        if self._real(path).is_dir():
            return "already"
        if os.path.lexists(self._real(path)):
            raise files.Trouble(say("hosts.not-a-folder", path=path))
        pen.journal.intent("make", path)
        folders.make(self._real(path.rstrip("/")), mode)
        self._tell("make directory")
        return "done"

    async def _sync(
        self, action: SyncTree, session: _Session, sources: Mapping[str, Eye]
    ) -> Outcome:
        if action.manifest is None:
            raise errors.Failed(say("hosts.not-known-yet", path=action.to_directory))
        root = self._real(action.to_directory)
        seen = eyes.read_tree(ReadTree(self.name, action.to_directory), root)
        if isinstance(seen, Unreadable):
            raise files.Trouble(say("hosts.at", path=action.to_directory, why=seen.why))
        standing = seen.files if isinstance(seen, Tree) else {}
        if seen is not None and settled(action, standing):
            return Outcome(action, "already")
        source = sources[action.from_host]

        def brought(path: str) -> AsyncIterator[bytes]:
            return source.open(join(action.from_directory, path))

        with files.folder_of(action.to_directory.rstrip("/"), session.pen) as parent:
            await trees.build(action, standing, brought, session.pen, parent)
            backup = self._backup(action.to_directory, session) if seen is not None else ""
            try:
                trees.switch(action, session.pen, backup, parent)
            except files.Trouble as trouble:
                return _troubled(action, trouble, backup)
        return Outcome(action, "done", backup=backup)

    async def _run(self, action: Run, held: lock.Lock) -> Outcome:
        try:
            done = await self._runner(
                self._placed(action), self.heard if action.shown else None, held.step
            )
        except commands.TimedOut:
            return Outcome(action, "failed", say("hosts.still-running", seconds=action.timeout))
        except NotStarted as why:
            return Outcome(action, "failed", why.why)
        finally:
            held.step(None)
        self._tell("run")
        return ended(action, done)

    def _placed(self, command: Run) -> Run:
        """The command with its working folder as this machine knows it."""
        cwd = command.cwd or self._folder
        return replace(command, cwd=self._real(cwd).as_posix()) if cwd else command

    def _stamp(self, action: Stamp, pen: files.Pen) -> None:
        path = self._state_of(action.document) / self._plain(action.name)
        pen.journal.intent("stamp", action.name)
        if action.values is None:
            path.unlink(missing_ok=True)
        else:
            files.atomically(path, stamp_bytes(action.values))
        self._tell("stamp")

    def _keep(self, path: str, session: _Session, shared: bool) -> str:
        bare, pen = path.rstrip("/"), session.pen
        session.kept.add(path)
        try:
            with files.folder_of(bare, pen) as folder:
                name = self._real(bare).name
                if not folder.has(name):
                    return ""
                backup = self._backup(path, session)
                pen.journal.intent("backup", path, backup=backup)
                if folder.is_folder(name):
                    trees.keep(path, pen, backup, folder, shared)
                else:
                    files.keep_file(path, pen, backup, folder)
                return backup
        except files.NoFolder:
            return ""

    def _restore(self, action: Restore, pen: files.Pen) -> Literal["done", "already"]:
        bare = action.path.rstrip("/")
        with files.folder_of(action.backup or bare, pen) as folder:
            name = self._real(action.backup or bare).name
            if action.backup and not folder.has(name):
                raise files.Trouble(
                    say("hosts.original-gone", path=action.path, backup=action.backup)
                )
            whole = folder.is_folder(name)
        return (
            trees.put_back(action, pen)
            if whole
            else files.put_back(bare, action.backup, action.written, pen)
        )

    # ---- places

    def _backup(self, path: str, session: _Session) -> str:
        """The backup's path: beside the original where we may write, else in our state folder."""
        if allowed(path, self._may_change):
            return backup_of(path, session.run)
        folder = self._state_of(session.run.document) / "kept"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return (folder / kept_name(path, session.run)).as_posix()

    def _state_of(self, document: str) -> Path:
        return self._state / self._plain(document)

    @staticmethod
    def _plain(name: str) -> str:
        return plain_name(name, windows=not files.POSIX)

    def _real(self, path: str) -> Path:
        """The real place of a document's path, or of one in our state folder."""
        return (
            Path(path) if path.startswith(self._state.as_posix() + "/") else self._translate(path)
        )


def _troubled(action: Action, trouble: files.Trouble, backup: str) -> Outcome:
    """It did not happen, or the disk would not confirm that it did: then its backup is needed."""
    kept = backup if trouble.status == "unknown" else ""
    return Outcome(action, trouble.status, trouble.reason, kept)


def journal_head(run: RunInfo) -> bytes:
    """The first line of a run's journal."""
    return line(
        "run", run.id, run.started, *(" ".join(text.split()) for text in (run.who, run.why))
    )


def ended(action: Run, done: Completed) -> Outcome:
    """The meaning of an exit status: allowed, not allowed, or none at all."""
    output = (done.stdout + done.stderr)[-OUTPUT_CAP:]
    if done.exit_code is None:
        return Outcome(action, "unknown", say("hosts.killed"), output=output)
    fine = done.exit_code in action.allowed_exits
    return Outcome(action, "done" if fine else "failed", exit_code=done.exit_code, output=output)
