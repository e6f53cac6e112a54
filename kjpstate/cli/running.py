"""A verb over the hosts of its document: opens them, does the verb, closes them, tells the
history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from kjpstate.cli import interrupts
from kjpstate.cli.recording import Note, noted
from kjpstate.cli.session import Session
from kjpstate.cli.work import Work, opened
from kjpstate.model import Scope


class Asked(Protocol):
    """What every command line over hosts says."""

    @property
    def document(self) -> str | None: ...
    @property
    def scope(self) -> Scope: ...


_A = TypeVar("_A", bound=Asked)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Manner:
    """How the hosts are opened."""

    looks: bool = False
    """Nothing is to be kept, so a folder that can't be written is no hindrance."""
    forgiving: bool = False
    """A secret that is not set is no problem."""
    silent: bool = False
    """The verb itself tells what can't be read of known_hosts, if at all."""


PLAIN = Manner()


def over(
    session: Session,
    asked: _A,
    work: Callable[[Work, _A], Awaitable[_T]],
    manner: Manner = PLAIN,
) -> _T:
    """Do `work` over the hosts of the document, and return what it returns."""

    async def run() -> _T:
        async with _opened(session, asked, manner) as hosts:
            return await work(hosts, asked)

    return interrupts.run(run())


def noted_over(
    session: Session,
    verb: str,
    asked: _A,
    work: Callable[[Work, _A, Note], Awaitable[int]],
    manner: Manner = PLAIN,
    *,
    words: Sequence[str] = (),
) -> int:
    """Do `work` as one run of `verb` that the history remembers, and return its exit code.

    `words`: options beside the scope that narrow the run, as typed.
    """

    async def run() -> int:
        # Noted within the event loop: its end may hang for as long as a resolver does.
        with noted(session, verb, asked.document, [*words, *asked.scope.words]) as note:
            async with _opened(session, asked, manner) as hosts:
                note.over(hosts.document, hosts.chosen)
                code = await work(hosts, asked, note)
            if note.code is None:
                note.ended(code)
            return code

    return interrupts.run(run(), f"kjpstate {verb}")


def _opened(session: Session, asked: Asked, manner: Manner) -> AbstractAsyncContextManager[Work]:
    return opened(
        session,
        asked.document,
        asked.scope,
        looks=manner.looks,
        forgiving=manner.forgiving,
        silent=manner.silent,
    )
