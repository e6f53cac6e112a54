"""The port's body over SSH: one connection, one exec to look, one session to act.

Called by `hosts.connect`. The host needs a POSIX sh and nothing of ours: scripts travel with each call
(`programs`), answers come back as frames (`frames`). The session holds the lock and is the only hand.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from kjpstate import errors
from kjpstate.host import Cost, Eye, HostSpec, allowed
from kjpstate.hosts import frames, link, programs
from kjpstate.hosts.known_hosts import remember
from kjpstate.hosts.link import Link, Pipe, scan
from kjpstate.hosts.names import backup_of, kept_name, plain_name, refusal
from kjpstate.hosts.orders import Order, Orders, outcome_of
from kjpstate.model import (
    Action,
    Answers,
    Outcome,
    Reading,
    ReadTree,
    Run,
    RunInfo,
    SyncTree,
    Tree,
    Unreadable,
)

__all__ = ["SshHost", "remember", "scan"]

_PATIENCE = 120.0
"""Seconds a reply may take beside the time limits of the commands in it."""


class _Session:
    """One running session script: its pipe, its nonce, and the scripts it already has."""

    def __init__(self, host: str, pipe: Pipe, nonce: str, sent: set[str]) -> None:
        self.host, self.pipe, self.nonce, self.sent = host, pipe, nonce, sent
        self._buffer = b""

    async def reply(self, patience: float) -> list[frames.Frame]:
        """The frames of the next whole reply. Raises Unreachable when the link goes first."""
        try:
            async with asyncio.timeout(patience):
                whole = await self._until_closing()
        except TimeoutError:
            raise errors.Unreachable(
                self.host, f"{self.host} did not answer within {patience:.0f} s"
            ) from None
        return frames.split(whole, self.nonce)

    async def _until_closing(self) -> bytes:
        closing, searched = frames.closing(self.nonce), 0
        while (end := self._buffer.find(closing, searched)) < 0:
            searched = max(0, len(self._buffer) - len(closing))
            data = await self.pipe.read()
            if not data:
                await self._broken()
            self._buffer += data
        whole, self._buffer = self._buffer[: end + len(closing)], self._buffer[end + len(closing) :]
        return whole

    async def _broken(self) -> None:
        """The script ended early: say why, if it or the system said so; else the link is gone."""
        code, complaint = await self.pipe.finish()
        for frame in frames.split(self._buffer, self.nonce):
            _raise_for(self.host, frame)
        text = complaint.decode(errors="replace").strip().rpartition("\n")[2]
        if code is None:
            message = f"the link to {self.host} was lost; whether its last action happened is not known"
            raise errors.Unreachable(self.host, message, "run it again: it reads what is before it acts")
        raise errors.Unreachable(
            self.host, f"{self.host} broke off (exit code {code}): {text or 'no reason given'}"
        )


def _raise_for(host: str, frame: frames.Frame) -> None:
    """The errors that a script says in a frame before it ends."""
    match frame.kind:
        case "busy":
            from kjpstate.hosts.lock import describe, fields

            raise errors.Locked(*describe(host, fields(frame.text)))
        case "lacks":
            raise errors.Unreachable(host, f"{host} has no {frame.text}; kjpstate needs it there")
        case "nolock" | "nostate":
            raise errors.Failed(f"{host}: the lock or the state folder can't be made: {frame.text}")


class SshHost:
    """A host over SSH; see the port, `kjpstate.host.Host`. Nothing is connected before the first `look`.

    `state_folder`: the controller's, for our known_hosts. `connect`, `state`, `locks`: other ways in and
    other folders on the host, for tests.
    """

    def __init__(
        self,
        spec: HostSpec,
        *,
        may_change: tuple[str, ...],
        state_folder: Path,
        connect: Callable[[HostSpec, Path], Awaitable[Link]] = link.connect,
        state: str = "",
        locks: str = "",
    ) -> None:
        self.name = spec.name
        self._spec, self._may_change, self._controller = spec, may_change, state_folder
        self._connect, self._places = connect, (state, locks)
        self._link: Link | None = None
        self._past = Cost()
        self._dialing = asyncio.Lock()
        self._session: _Session | None = None
        self._root: _Session | None = None
        self._orders: Orders | None = None

    # ---- the eye

    async def look(self, readings: Sequence[Reading]) -> Answers:
        """All answers from one exec."""
        wanted = list(dict.fromkeys(readings))
        nonce = secrets.token_hex(16)
        program = programs.look_program(wanted, nonce, *self._places)
        session = await self._start(program, nonce)
        reply = await session.reply(_PATIENCE + _time_of(wanted))
        await session.pipe.finish()
        return frames.answers(wanted, reply)

    async def open(self, path: str) -> AsyncIterator[bytes]:
        """The bytes of one file as chunks; raises Failed when it can't be read."""
        line, first = programs.command(programs.call("exec", "cat", "--", path))
        pipe = await (await self._linked()).start(line)
        if first:
            await pipe.write(first)
        async for chunk in link.chunks(pipe):
            yield chunk
        code, complaint = await pipe.finish()
        if code != 0:
            why = complaint.decode(errors="replace").strip().rpartition(": ")[2] or "the link was lost"
            raise errors.Failed(f"{self.name}: {path}: {why.lower()}")

    async def close(self) -> None:
        """Let go of the connection."""
        await self.end()
        if self._link is not None:
            self._past = _sum(self._past, self._link.cost)
            await self._link.close()
            self._link = None

    @property
    def cost(self) -> Cost:
        """What was spent on this host so far."""
        return self._past if self._link is None else _sum(self._past, self._link.cost)

    async def _linked(self) -> Link:
        async with self._dialing:
            if self._link is None or not self._link.alive:
                if self._link is not None:
                    self._past = _sum(self._past, self._link.cost)
                self._link = await self._connect(self._spec, self._controller)
            return self._link

    async def _start(self, program: str, nonce: str, prefix: str = "") -> _Session:
        line, first = programs.command(program, prefix)
        pipe = await (await self._linked()).start(line)
        if first:
            await pipe.write(first)
        return _Session(self.name, pipe, nonce, set())

    # ---- the hands

    async def begin(self, run: RunInfo, readings: Sequence[Reading]) -> Answers:
        """Take the lock and answer under it, in the first output of the one session exec."""
        if self._session is not None:
            raise errors.Failed(f"{self.name} is already locked by this run")
        wanted = list(dict.fromkeys(readings))
        self._root = await self._begin_session(run, (), "sudo -n ") if self._spec.become else None
        self._session = await self._begin_session(run, wanted, "")
        reply = await self._reply_or_end(self._session, _PATIENCE + _time_of(wanted))
        held = next((frame for frame in reply if frame.kind == "held"), None)
        if held is None:
            await self.end()
            raise errors.Unreachable(self.name, f"{self.name} answered in a way kjpstate does not understand")
        self._session.sent.update(programs.probes(wanted))
        self._orders = Orders(run, held.text)
        return frames.answers(wanted, [frame for frame in reply if frame is not held])

    async def _begin_session(self, run: RunInfo, wanted: Sequence[Reading], prefix: str) -> _Session:
        """Root's session, where there is one, takes the lock for both."""
        nonce = secrets.token_hex(16)
        follows = "follow" if self._spec.become and not prefix else ""
        words = (
            run.id,
            plain_name(run.document),
            run.suffix,
            *map(_line, (run.who, run.started, run.why)),
            follows,
        )
        begin = programs.call("kj_begin", *words)
        program = programs.session_program(begin, list(wanted), nonce, *self._places)
        session = await self._start(program, nonce, prefix)
        if prefix:
            try:
                await session.reply(_PATIENCE)
            except errors.Unreachable as error:
                if "sudo" not in error.message and "password" not in error.message:
                    raise
                raise errors.RefusedError(f"{self.name}: {error.message}", rule="become-failed") from None
        return session

    async def _reply_or_end(self, session: _Session, patience: float) -> list[frames.Frame]:
        try:
            return await session.reply(patience)
        except BaseException:
            await self.end()
            raise

    async def act(
        self,
        actions: Sequence[Action],
        readings: Sequence[Reading] = (),
        sources: Mapping[str, Eye] | None = None,
    ) -> tuple[Sequence[Outcome], Answers]:
        """Do the actions as few messages (mostly one), stopping at the first that is not ok; then answer."""
        if self._session is None or self._orders is None:
            raise errors.Failed(f"{self.name} is not locked for a run")
        outcomes: list[Outcome] = []
        pending: list[Order] = []
        for action in actions:
            if self._forbidden(action):
                break
            if isinstance(action, SyncTree):
                order = await self._sync_order(action, pending, outcomes, sources or {})
                pending = []
                if outcomes and not outcomes[-1].ok:
                    break
                if isinstance(order, Outcome):
                    outcomes.append(order)
                    if not order.ok:
                        break
                    continue
            else:
                order = self._orders.for_action(action, self._backup(action))
            if pending and self._hand(pending[0].action) is not self._hand(action):
                await self._send(pending, (), outcomes)
                pending = []
                if not outcomes[-1].ok:
                    break
            pending.append(order)
        return await self._finish(actions, pending, readings, outcomes)

    async def _finish(
        self,
        actions: Sequence[Action],
        pending: list[Order],
        readings: Sequence[Reading],
        outcomes: list[Outcome],
    ) -> tuple[Sequence[Outcome], Answers]:
        """The last message with the readings, and the refusal where the guard stopped the row."""
        well = not outcomes or outcomes[-1].ok
        answers = await self._send(pending if well else [], list(dict.fromkeys(readings)), outcomes)
        if len(outcomes) < len(actions) and (not outcomes or outcomes[-1].ok):
            action = actions[len(outcomes)]
            outcomes.append(Outcome(action, "refused", self._forbidden(action)))
        return outcomes, answers

    async def _send(
        self, orders: list[Order], readings: Sequence[Reading], outcomes: list[Outcome]
    ) -> Answers:
        """One message to the session whose hand these orders need; readings are always the login user's."""
        if not orders and not readings:
            return {}
        session = self._hand(orders[0].action) if orders else self._session
        assert session is not None
        if orders and readings and session is not self._session:
            await self._send(orders, (), outcomes)
            return await self._send([], readings, outcomes)
        text = [line for order in orders for line in order.lines]
        for name, function in {**_extras(orders), **programs.probes(readings)}.items():
            if name not in session.sent:
                text.insert(0, function)
                session.sent.add(name)
        body = "\n".join([*text, *programs.calls(readings), f"#{session.nonce}"]).encode()
        writing = asyncio.ensure_future(_write(session.pipe, body, orders))
        try:
            patience = _PATIENCE + _time_of(readings) + sum(order.seconds for order in orders)
            reply = await session.reply(patience)
            await writing
        finally:
            writing.cancel()
        found, rest = _outcomes(orders, reply)
        outcomes += found
        return frames.answers(readings, rest)

    async def _sync_order(
        self, action: SyncTree, pending: list[Order], outcomes: list[Outcome], sources: Mapping[str, Eye]
    ) -> Order | Outcome:
        """What the folder holds decides what is sent; so it is read first, behind what is still due."""
        assert self._orders is not None
        reading = ReadTree(self.name, action.to_directory)
        seen = (await self._send(pending, [reading], outcomes))[reading]
        if isinstance(seen, Unreadable):
            return Outcome(action, "failed", f"{action.to_directory} {seen.why}")
        tree = seen if isinstance(seen, Tree) else None
        return self._orders.for_tree(action, tree, self._backup(action), sources)

    async def end(self) -> None:
        """Tell the sessions to end, which releases the lock; never raises."""
        for session in (self._session, self._root):
            if session is not None:
                try:
                    await session.pipe.write(b"end\n")
                    await session.pipe.finish()
                except errors.KjpstateError:
                    pass  # the script sees the end of its input and releases the lock by itself
        self._session = self._root = self._orders = None

    # ---- the guard

    def _forbidden(self, action: Action) -> str:
        assert self._orders is not None
        return refusal(action, self._may_change, self._orders.kept)

    def _backup(self, action: Action) -> str:
        """Beside the path where we may write, else in our state folder on the host."""
        assert self._orders is not None
        path = getattr(action, "path", "") or getattr(action, "to_directory", "")
        if not path or allowed(path, self._may_change):
            return backup_of(path, self._orders.run)
        return f"{self._orders.state}/kept/{kept_name(path, self._orders.run)}"

    def _hand(self, action: Action) -> _Session | None:
        """Root's session for what only root may do, where the document says `become`."""
        if self._root is None:
            return self._session
        path = getattr(action, "path", "")
        needs = path.startswith("/etc/") or (
            isinstance(action, Run) and action.argv[0].rpartition("/")[2] == "systemctl"
        )
        return self._root if needs else self._session


def _extras(orders: Sequence[Order]) -> dict[str, str]:
    trees = any(isinstance(order.action, SyncTree) for order in orders)
    return {"trees": programs.script("trees")} if trees else {}


async def _write(pipe: Pipe, body: bytes, orders: Sequence[Order]) -> None:
    """The message: its length, its text, then every payload in the order of the calls."""
    await pipe.write(f"{len(body)}\n".encode() + body + b"".join(_small(orders)))
    if any(order.stream is not None for order in orders):
        for order in orders:
            if order.stream is None:
                await pipe.write(order.payload)
            else:
                async for chunk in order.stream():
                    await pipe.write(chunk)


def _small(orders: Sequence[Order]) -> list[bytes]:
    """All payloads at once when none of them is a stream: one write, one round trip."""
    return [] if any(order.stream is not None for order in orders) else [order.payload for order in orders]


def _outcomes(orders: Sequence[Order], reply: list[frames.Frame]) -> tuple[list[Outcome], list[frames.Frame]]:
    """The outcomes of the orders that were tried, and the frames behind them."""
    found: list[Outcome] = []
    rest = list(reply)
    while rest and rest[0].kind in ("outcome", "output"):
        frame = rest.pop(0)
        output = rest.pop(0).body if rest and rest[0].kind == "output" else b""
        if len(found) < len(orders):
            found.append(outcome_of(orders[len(found)], frame, output))
    return found, rest


def _time_of(readings: Sequence[Reading]) -> float:
    return sum(getattr(reading, "timeout", 0.0) for reading in readings)


def _line(text: str) -> str:
    return " ".join(text.split()) or "-"


def _sum(one: Cost, other: Cost) -> Cost:
    return Cost(
        one.connections + other.connections,
        one.execs + other.execs,
        one.sent + other.sent,
        one.received + other.received,
    )
