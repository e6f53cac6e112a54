"""The port's body over SSH: one connection, one exec to look, one session to act.

Called by `hosts.connect`. The host needs a POSIX sh and nothing of ours: scripts travel with each
call (`programs`), answers come back as frames (`frames`). The session holds the lock and is the
only hand.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from kjpstate import errors
from kjpstate.formats.tree import AS_BYTES
from kjpstate.host import Cost, Eye, Ssh, allowed
from kjpstate.hosts import connecting, frames, link, programs
from kjpstate.hosts.heard import Heard
from kjpstate.hosts.link import Link, Pipe
from kjpstate.hosts.names import backup_of, kept_name, plain_name, refusal
from kjpstate.hosts.orders import Order, Orders, in_order
from kjpstate.hosts.owners import quoted
from kjpstate.hosts.session import NeverBegan, Session
from kjpstate.model import (
    Action,
    Answers,
    Backup,
    Holder,
    Outcome,
    Prune,
    Reading,
    ReadState,
    ReadTree,
    Recovered,
    Restore,
    Run,
    RunInfo,
    SyncTree,
)
from kjpstate.said import Text, say
from kjpstate.undo import ledger

_PATIENCE = 120.0
"""Seconds a reply may take beside the time limits of the commands in it."""
_MOMENT = 1.0
"""Seconds for a session that is given up: it may be at a command that nobody waits for."""
_SUDO = "sudo -n "


class ShellHost:
    """A host over SSH; see the port, `kjpstate.host.Host`. Nothing is connected before the first
    `look`.

    `state_folder`: the controller's, for our known_hosts. `connect`, `state`, `locks`: other ways
    in and other folders on the host, for tests.
    """

    def __init__(
        self,
        spec: Ssh,
        *,
        may_change: tuple[str, ...],
        state_folder: Path,
        connect: Callable[[Ssh, Path], Awaitable[Link]] = connecting.connect,
        state: str = "",
        locks: str = "",
    ) -> None:
        self.name = spec.name
        self._spec, self._may_change, self._controller = spec, may_change, state_folder
        self._connect, self._places = connect, (state, locks)
        self._holds = "root" if spec.become else ""
        self._link: Link | None = None
        self._past = Cost()
        self._dialing = asyncio.Lock()
        self._session: Session | None = None
        self._root: Session | None = None
        self._orders: Orders | None = None
        self.heard: Heard | None = None
        self.within: float | None = None
        self.recovered: tuple[Recovered, ...] = ()
        self._kept: tuple[str, set[str]] = ("", set())

    # ---- the eye

    async def look(self, readings: Sequence[Reading]) -> Answers:
        """All answers from one exec; with `become` a second one by root, for
        its list of backups."""
        wanted = list(dict.fromkeys(readings))
        found = await self._look_as(wanted, "")
        lists = self._of_root(wanted)
        return _both(found, await self._look_as(lists, _SUDO)) if lists else found

    async def _look_as(self, wanted: Sequence[Reading], prefix: str) -> Answers:
        nonce = secrets.token_hex(16)
        program = programs.look_program(list(wanted), nonce, self._places, self.within, self._holds)
        session = await self._start(program, nonce, prefix)
        patience = self.within or _PATIENCE + _time_of(wanted)
        reply = await (self._by_root(session, patience) if prefix else session.reply(patience))
        await session.pipe.finish()
        return frames.answers(wanted, reply)

    def _of_root(self, readings: Sequence[Reading]) -> list[Reading]:
        """The lists of backups: what root's hand kept stands in one of root's own."""
        mine = [one for one in readings if isinstance(one, ReadState) and one.name == ledger.LEDGER]
        return list(mine) if self._spec.become else []

    async def open(self, path: str) -> AsyncIterator[bytes]:
        """The bytes of one file as chunks; raises Failed when it can't be read."""
        pipe = await self._run(programs.call("exec", "cat", "--", path))
        async for chunk in link.chunks(pipe):
            yield chunk
        code, complaint = await pipe.finish()
        if code != 0:
            told = complaint.decode(errors="replace").strip().rpartition(": ")[2].lower()
            why = told or say("link.was-lost")
            raise errors.Failed(say("hosts.unread", host=self.name, path=path, reason=why))

    async def close(self) -> None:
        """Let go of the connection."""
        await self.end(finished=False)
        if self._link is not None:
            self._past = _sum(self._past, self._link.cost)
            await self._link.close()
            self._link = None

    @property
    def identity(self) -> str:
        """The fingerprint of its host key; empty before the first look."""
        return self._link.identity if self._link is not None else ""

    @property
    def cost(self) -> Cost:
        """The cost of looking at this host so far."""
        return self._past if self._link is None else _sum(self._past, self._link.cost)

    async def _linked(self) -> Link:
        async with self._dialing:
            if self._link is None or not self._link.alive:
                if self._link is not None:
                    self._past = _sum(self._past, self._link.cost)
                self._link = await self._connect(self._spec, self._controller)
            return self._link

    async def _start(self, program: str, nonce: str, prefix: str = "") -> Session:
        return Session(self.name, await self._run(program, prefix), nonce, set())

    async def _run(self, program: str, prefix: str = "") -> Pipe:
        link = await self._linked()
        line, first = programs.command(program, prefix, link.longest)
        pipe = await link.start(line)
        if first:
            await pipe.write(first)
        return pipe

    # ---- the hands

    async def begin(self, run: RunInfo, readings: Sequence[Reading]) -> Answers:
        """Take the lock and answer under it, in the first output of the one session exec."""
        if self._session is not None:
            raise errors.Failed(say("lock.taken-already", host=self.name))
        wanted = list(dict.fromkeys(readings))
        lists: Answers = {}
        self.recovered = ()
        if self._spec.become:
            self._root, lists = await self._begin_as_root(run, self._of_root(wanted))
        self._session = await self._begin_session(run, wanted, "")
        reply = await self._reply_or_end(self._session, _PATIENCE + _time_of(wanted))
        held = next((frame for frame in reply if frame.kind == "held"), None)
        if held is None:
            await self.end(finished=False)
            raise errors.Unreachable(self.name, say("link.not-understood", host=self.name))
        self._session.sent.update(programs.probes(wanted))
        if self._kept[0] != run.id:  # a run that lost its link comes back for its own
            self._kept = (run.id, set())
        self._orders = Orders(run, held.text, self._kept[1])
        self.recovered += frames.recovered(self.name, reply)
        return _both(frames.answers(wanted, _answering(reply)), lists)

    async def _begin_as_root(
        self, run: RunInfo, wanted: Sequence[Reading]
    ) -> tuple[Session, Answers]:
        session = await self._begin_session(run, wanted, _SUDO)
        reply = await self._by_root(session, _PATIENCE)
        self.recovered += frames.recovered(self.name, reply)
        return session, frames.answers(wanted, _answering(reply))

    async def _by_root(self, session: Session, patience: float) -> list[frames.Frame]:
        try:
            return await session.reply(patience)
        except NeverBegan as error:
            raise errors.RefusedError(
                say("hosts.of", host=self.name, why=error.message), rule="become-failed"
            ) from None

    async def _begin_session(self, run: RunInfo, wanted: Sequence[Reading], prefix: str) -> Session:
        """Root's session, where there is one, takes the lock for both."""
        nonce = secrets.token_hex(16)
        follows = "follow" if self._spec.become and not prefix else ""
        words = (
            run.id,
            plain_name(run.document),
            run.suffix,
            *map(quoted, (run.who, run.started, run.why)),
            follows,
        )
        begin = programs.call("kj_begin", *words)
        program = programs.session_program(begin, list(wanted), nonce, self._places, self._holds)
        return await self._start(program, nonce, prefix)

    async def _reply_or_end(self, session: Session, patience: float) -> list[frames.Frame]:
        try:
            return await session.reply(patience)
        except BaseException:
            await self.end(finished=False)
            raise

    async def act(
        self,
        actions: Sequence[Action],
        readings: Sequence[Reading] = (),
        sources: Mapping[str, Eye] | None = None,
    ) -> tuple[Sequence[Outcome], Answers]:
        """Do the actions in as few messages as can be (mostly one), then answer; see the port."""
        if self._session is None or self._orders is None:
            raise errors.Failed(say("lock.not-taken", host=self.name))
        fine = self._fine(actions)
        rows = self._rows(fine)
        wanted = tuple(dict.fromkeys(readings))
        outcomes: list[Outcome] = []
        answers: Answers = {}
        for row, following in itertools.zip_longest(rows, rows[1:]):
            asked = wanted if following is None else _standing(self.name, following)
            found, answers = await self._send(self._prepared(row, answers, sources or {}), asked)
            outcomes += found
            if len(found) < len(row) or (found and not found[-1].ok):
                if following is not None:
                    answers = (await self._send([], wanted))[1]
                return outcomes, answers
        if len(fine) < len(actions):
            forbidden = actions[len(fine)]
            outcomes.append(Outcome(forbidden, "refused", self._forbidden(forbidden)))
        return outcomes, answers

    def _fine(self, actions: Sequence[Action]) -> list[Action]:
        """The actions up to the first that the guard forbids."""
        assert self._orders is not None
        found: list[Action] = []
        for action in actions:
            if self._forbidden(action):
                break
            if isinstance(action, Backup):
                self._orders.kept.add(action.path)
            found.append(action)
        return found

    def _rows(self, actions: Sequence[Action]) -> list[list[Action]]:
        """One row a message: the same hand; a SyncTree first, since what stands there is read
        before, and a Prune, which both hands are told."""
        rows: list[list[Action]] = [[]]
        for action in actions:
            first = isinstance(action, (SyncTree, Prune))
            if first or (rows[-1] and self._hand(rows[-1][-1]) is not self._hand(action)):
                rows.append([])
            rows[-1].append(action)
        return rows

    def _prepared(
        self, row: list[Action], answers: Answers, sources: Mapping[str, Eye]
    ) -> list[Order]:
        assert self._orders is not None
        orders = []
        for action in row:
            if isinstance(action, SyncTree):
                seen = answers[ReadTree(self.name, action.to_directory)]
                orders.append(self._orders.for_tree(action, seen, self._backup(action), sources))
            else:
                orders.append(self._orders.for_action(action, self._backup(action)))
            if orders[-1].hopeless:
                break
        return orders

    async def _send(
        self, orders: list[Order], readings: Sequence[Reading]
    ) -> tuple[list[Outcome], Answers]:
        """One message, to the hand these orders need; readings are always the login user's."""
        assert self._session is not None
        session = self._hand(orders[0].action) if orders else self._session
        if self._root is not None and orders and isinstance(orders[0].action, Prune):
            found, _ = await self._tell(self._root, orders[:1], ())
            if not found or not found[0].ok:
                return found, (await self._send([], readings))[1]
        if readings and session is not self._session:
            found, _ = await self._send(orders, ())
            return found, (await self._send([], readings))[1]
        return await self._tell(session, orders, readings)

    async def _tell(
        self, session: Session, orders: list[Order], readings: Sequence[Reading]
    ) -> tuple[list[Outcome], Answers]:
        text = [line for order in orders for line in order.lines]
        if not text and not readings:
            return in_order(orders, [])[0], {}
        for name, function in {**_extras(orders), **programs.probes(readings)}.items():
            if name not in session.sent:
                text.insert(0, function)
                session.sent.add(name)
        session.heard = self.heard
        body = "\n".join([*text, *programs.calls(readings), f"#{session.nonce}"]).encode(*AS_BYTES)
        patience = _PATIENCE + _time_of(readings) + sum(order.seconds for order in orders)
        found, rest = in_order(orders, await session.exchange(body, orders, patience))
        return found, frames.answers(readings, rest)

    async def end(self, *, finished: bool = True) -> None:
        """Tell the sessions to end, which releases the lock; never raises.

        Not `finished`: they only see the end of their input, so the journal stays open for the next
        run.
        """
        for session in (self._session, self._root):
            if session is not None:
                try:
                    if finished:
                        await session.pipe.write(b"end\n")
                    async with asyncio.timeout(None if finished else _MOMENT):
                        await session.pipe.finish()
                except (errors.KjpstateError, TimeoutError):
                    pass  # the script sees the end of its input and releases the lock by itself
        self._session = self._root = self._orders = None

    async def holder(self) -> Holder | None:
        """The owner of the lock, as the host itself sees it. Raises Failed where none can be
        kept."""
        return frames.holder(self.name, await self._ask_lock("kj_holder"))

    async def unlock(self, owner: Holder, *, force: bool = False) -> bool:
        """Break the very lock that `owner` is; see the port."""
        text = "" if owner.life == "damaged" else owner.text
        reply = await self._ask_lock(programs.call("kj_unlock", text, "force" if force else ""))
        return frames.broken(self.name, reply)

    async def _ask_lock(self, line: str) -> list[frames.Frame]:
        nonce = secrets.token_hex(16)
        program = programs.lock_program(line, nonce, self._places, self._holds)
        session = await self._start(program, nonce, _SUDO if self._spec.become else "")
        reply = await session.reply(_PATIENCE)
        await session.pipe.finish()
        return reply

    # ---- the guard

    def _forbidden(self, action: Action) -> Text:
        assert self._orders is not None
        return refusal(action, self._may_change, self._orders.kept)

    def _backup(self, action: Action) -> str:
        """The backup's path: beside the original where we may write, else in our state folder on
        the host."""
        assert self._orders is not None
        path = getattr(action, "path", "") or getattr(action, "to_directory", "")
        if not path or allowed(path, self._may_change):
            return backup_of(path, self._orders.run)
        return f"{self._orders.state}/kept/{kept_name(path, self._orders.run)}"

    def _hand(self, action: Action) -> Session:
        """Root's session for what only root may do, where the document says `become`."""
        assert self._session is not None
        if self._root is None:
            return self._session
        path = getattr(action, "path", "")
        needs = path.startswith("/etc/") or (
            isinstance(action, Run) and action.argv[0].rpartition("/")[2] == "systemctl"
        )
        return self._root if needs else self._session


def _answering(reply: Sequence[frames.Frame]) -> list[frames.Frame]:
    """The frames of a session's first reply that answer readings."""
    return [frame for frame in reply if frame.kind not in ("held", "recovered")]


def _both(mine: Answers, roots: Answers) -> Answers:
    """Each list of backups with root's own, in the order in which the runs were."""
    return {**mine, **{reading: ledger.joined(mine[reading], roots[reading]) for reading in roots}}


def _extras(orders: Sequence[Order]) -> dict[str, str]:
    """The scripts that these orders need and that no session has from the start."""
    needed = {"trees": SyncTree, "back": Restore, "prune": Prune}
    return {
        name: programs.script(name)
        for name, kind in needed.items()
        if any(isinstance(order.action, kind) for order in orders)
    }


def _standing(host: str, row: Sequence[Action]) -> tuple[Reading, ...]:
    """The readings that a row needs before it can be sent: the folder that its SyncTree
    switches."""
    return tuple(
        ReadTree(host, action.to_directory) for action in row if isinstance(action, SyncTree)
    )


def _time_of(readings: Sequence[Reading]) -> float:
    return sum(getattr(reading, "timeout", 0.0) for reading in readings)


def _sum(one: Cost, other: Cost) -> Cost:
    return Cost(
        one.connections + other.connections,
        one.execs + other.execs,
        one.sent + other.sent,
        one.received + other.received,
    )
