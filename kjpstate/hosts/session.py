"""One running session script on a host: messages in, whole replies out.

Called by `ssh`. The protocol is described in `remote/session.sh`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from kjpstate import errors
from kjpstate.hosts import frames
from kjpstate.hosts.heard import Heard, Lines
from kjpstate.hosts.link import Pipe
from kjpstate.hosts.lock import is_damaged, is_unsafe, locked
from kjpstate.hosts.orders import Order
from kjpstate.hosts.owners import fields
from kjpstate.said import Text, say


class NeverBegan(errors.Unreachable):
    """The program ended before it answered anything: what should have started it did not."""


class Session:
    """One running session script: its pipe, its nonce, and the scripts it already has."""

    def __init__(self, host: str, pipe: Pipe, nonce: str, sent: set[str]) -> None:
        self.host, self.pipe, self.nonce, self.sent = host, pipe, nonce, sent
        self.heard: Heard | None = None
        self._buffer = b""
        self._lines = Lines(None)

    async def reply(self, patience: float) -> list[frames.Frame]:
        """The frames of the next whole reply. Raises Unreachable when the link goes first."""
        try:
            async with asyncio.timeout(patience):
                whole = await self._until_closing()
        except TimeoutError:
            raise errors.Unreachable(
                self.host, say("link.silent", host=self.host, seconds=round(patience))
            ) from None
        return frames.split(whole, self.nonce)

    async def exchange(
        self, body: bytes, orders: Sequence[Order], patience: float
    ) -> list[frames.Frame]:
        """Write and listen at once: a reply may begin before the last payload is through."""
        self._lines = Lines(self.heard)
        writing = asyncio.ensure_future(_write(self.pipe, body, orders))
        try:
            reply = await self.reply(patience)
            await writing
            return reply
        finally:
            writing.cancel()
            self._lines.end()

    async def _until_closing(self) -> bytes:
        closing, searched = frames.closing(self.nonce), 0
        while (end := self._buffer.find(closing, searched)) < 0:
            searched = max(0, len(self._buffer) - len(closing))
            data = await self.pipe.read()
            if not data:
                await self._broken()
            self._buffer += data
            if self._listen():
                searched = 0
        whole, self._buffer = self._buffer[: end + len(closing)], self._buffer[end + len(closing) :]
        return whole

    def _listen(self) -> bool:
        """Take out what a running command has printed so far, and tell it; whether anything was
        taken out."""
        found, mark = False, f"\n{self.nonce} heard ".encode()
        while (begin := self._buffer.find(mark)) >= 0:
            head, line_end, rest = self._buffer[begin + len(mark) :].partition(b"\n")
            if not line_end or not head.isdigit() or len(rest) < int(head):
                break
            self._lines.feed(rest[: int(head)])
            self._buffer, found = self._buffer[:begin] + rest[int(head) :], True
        return found

    async def _broken(self) -> None:
        """The script ended early: say why, if it or the system said so; else the link is gone."""
        code, complaint = await self.pipe.finish()
        said = frames.split(self._buffer, self.nonce)
        whose = next((frame.said for frame in said if frame.kind == "whose"), "")
        for frame in said:
            _raise_for(self.host, frame, whose)
        text = complaint.decode(errors="replace").strip().rpartition("\n")[2]
        if code is None:
            raise errors.Unreachable(
                self.host, say("link.lost", host=self.host), say("link.lost.cure")
            )
        error = errors.Unreachable if said else NeverBegan
        raise error(
            self.host,
            say("link.broke-off", host=self.host, code=code, reason=text or say("link.no-reason")),
        )


def _raise_for(host: str, frame: frames.Frame, whose: Text) -> None:
    """The errors that a script says in a frame before it ends. `whose`: the lock, if another
    user's."""
    match frame.kind:
        case "busy":
            owner = fields(frame.text)
            life = frame.words[1] if frame.words[1:] else "alive"
            raise locked(host, owner, life, whose)
        case "lacks":
            raise errors.Unreachable(host, say("hosts.lacks-tool", host=host, tool=frame.text))
        case "damaged":
            raise errors.Failed(*is_damaged(host, frame.said))
        case "unsafe":
            raise errors.Failed(*is_unsafe(host, frame.said))
        case "nolock" | "nostate":
            raise errors.Failed(say("lock.unmade", host=host, reason=frame.said))


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
    return (
        []
        if any(order.stream is not None for order in orders)
        else [order.payload for order in orders]
    )
