"""One fault at one action of an apply on a simulated machine: for the enumeration of all of them.

The fault is put at the port (`act`) and inside the body for this machine (before, in and after each
action, where it tells of an effect), so the protocol of writes that is cut is the real one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from kjpstate import errors
from kjpstate.hosts import files, trees
from kjpstate.hosts.simulated import SimulatedHost
from kjpstate.model import Action, Outcome

MODES = ("before", "after", "inside", "payload", "reply", "hang")
DEAD = 4194303
"""A process number that nobody has."""


class _Hung(Exception):
    pass


@dataclass
class Fault:
    """`mode` at the action number `number` of `host` (from 1), for `inside` after its effect
    `effect`.

    before, after: the link is lost just there. inside: everything on the host is killed after one
    effect of the action. payload: the same when half of the action's bytes have come. reply: all is
    done, but nobody hears of it. hang: no answer comes, and the host does the rest of the message
    only much later (`thaw`).
    """

    host: SimulatedHost
    mode: str = ""
    number: int = 0
    effect: int = 0
    seen: list[Action] = field(default_factory=list)
    effects: list[int] = field(default_factory=list)
    payloads: set[int] = field(default_factory=set)
    messages: set[int] = field(default_factory=set)
    rest: list[Action] = field(default_factory=list)
    struck: bool = False
    comes_back: bool = False

    def __post_init__(self) -> None:
        host, body = self.host, self.host._body
        self._act, self._try, self._end = host.act, body._try, host.end
        host.act, host.end = self.act, self.end
        body._try = self.one
        body._tell = self._told(body._tell)

    @property
    def here(self) -> bool:
        return len(self.seen) == self.number and not self.struck

    def lost(self) -> errors.Unreachable:
        self.struck = True
        self.host.reachable = False
        return errors.Unreachable(
            self.host.name, f"the link to {self.host.name} was lost", "apply again"
        )

    async def act(self, actions, readings=(), sources=None):
        self.message = list(actions)
        first = len(self.seen)
        try:
            found = await self._act(actions, readings, sources)
        except _Hung:
            self.rest = self.message[self.number - first - 1 :]
            raise self.lost() from None
        self.messages.add(len(self.seen))
        if (
            self.mode == "reply"
            and actions
            and first < self.number <= len(self.seen)
            and not self.struck
        ):
            await self.host._body.end(finished=False)
            raise self.lost()
        return found

    async def one(self, action, session, sources) -> Outcome:
        self.seen.append(action)
        self.effects.append(0)
        if self.here and self.mode == "before":
            raise self.lost()
        if self.here and self.mode == "hang":
            raise _Hung
        half = _Half(self)
        with half:
            outcome = await self._try(action, session, sources)
        if self.here and self.mode == "after":
            raise self.lost()
        return outcome

    def _told(self, plain):
        def tell(operation: str) -> None:
            if self.effects:
                self.effects[-1] += 1
            plain(operation)
            if self.here and self.mode == "inside" and self.effects[-1] == self.effect:
                raise self._killed()

        body = self.host._body
        original = body.begin

        async def begin(run, readings):
            answers = await original(run, readings)
            if body._session is not None:
                journal = body._session.journal
                journal._tell = tell
                object.__setattr__(body._session.pen, "tell", tell)
            return answers

        body.begin = begin
        return tell

    def _killed(self) -> errors.Unreachable:
        """As by kill -9: the lock stays, and its owner is nobody."""
        session = self.host._body._session
        text = session.lock.path.read_text()
        pid = next(line for line in text.splitlines() if line.startswith("pid "))
        session.lock.path.write_text(text.replace(pid, f"pid {DEAD}"))
        return self.lost()

    async def end(self, *, finished: bool = True) -> None:
        if not self.rest:
            await self._end(finished=finished)

    async def thaw(self) -> None:
        """The host goes on with what it had been sent, and sees then that
        nobody is there any more."""
        body, session = self.host._body, self.host._body._session
        for action in self.rest:
            outcome = await self._try(action, session, {self.host.name: body, **self.sources})
            session.journal.done(outcome.status)
            if not outcome.ok:
                break
        self.rest = []
        await body.end(finished=False)

    sources: dict = field(default_factory=dict)


class _Half:
    """While one action runs: notes whether it has a payload, and cuts that in the middle when it is
    to."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def __enter__(self) -> None:
        self.plain, self.received = files._write_new, trees._receive
        fault = self.fault
        mine = fault.here and fault.mode == "payload"
        number = len(fault.seen)

        def write(folder, name, content):
            fault.payloads.add(number)
            handle = self.plain(folder, name, content[: len(content) // 2] if mine else content)
            if mine:
                os.close(handle)
                raise fault._killed()
            return handle

        async def receive(folder, name, chunks):
            fault.payloads.add(number)
            handle = await self.received(folder, name, chunks)
            if mine:
                os.truncate(handle, os.fstat(handle).st_size // 2)
                os.close(handle)
                raise fault._killed()
            return handle

        files._write_new, trees._receive = write, receive

    def __exit__(self, *_) -> None:
        files._write_new, trees._receive = self.plain, self.received
