"""Ctrl-C, a closed terminal, a `kill`: heard everywhere, told in one sentence, never as a
traceback.

While work runs in the event loop a signal cancels it, and the next one once more: a
KeyboardInterrupt raised there would land in whatever task is at work, and nobody would fetch it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

if TYPE_CHECKING:
    import asyncio
    from types import FrameType

_T = TypeVar("_T")
_Handler = Callable[[int, "FrameType | None"], Any]
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_INTERRUPTED = 130


def run(work: Coroutine[Any, Any, _T], name: str = "work") -> _T:
    """Do `work` in an event loop of its own, as a task of that name. A signal cancels it, and then
    this raises KeyboardInterrupt."""
    import asyncio

    heed = _Heed(name)
    with _heard(heed.signal):
        try:
            return asyncio.run(heed.over(work))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


class _Heed:
    """One run of an event loop. `turned`: whether the loop got to work since the last signal."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.task: asyncio.Task[Any] | None = None
        self.turned = True
        self.interrupted = False

    async def over(self, work: Coroutine[Any, Any, _T]) -> _T:
        import asyncio

        self.task = asyncio.current_task()
        if self.task is not None:
            self.task.set_name(self.name)
        asyncio.get_running_loop().set_exception_handler(self._complaint)
        try:
            return await work
        except KeyboardInterrupt:
            raise asyncio.CancelledError from None

    def signal(self, number: int, frame: FrameType | None) -> None:
        """Cancel the work; where the loop did not even turn since the last signal, stop there and
        then."""
        self.interrupted = True
        if self.task is None or not self.turned:
            raise KeyboardInterrupt
        self.turned = False
        self.task.cancel()
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self.task.get_loop().call_soon_threadsafe(self._turns)

    def _turns(self) -> None:
        self.turned = True

    def _complaint(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What an interrupted task left behind is nobody's concern."""
        if not self.interrupted:
            loop.default_exception_handler(context)


def answered(ask: Callable[[], str]) -> str:
    """The answer to a question, which `ask` shows, too: whoever reads it is heard. A signal ends it
    there and then, also one that came just before it: raises KeyboardInterrupt."""
    if _is_cancelled():
        raise KeyboardInterrupt
    with _heard(_raised):
        return ask()


def _is_cancelled() -> bool:
    if "asyncio" not in sys.modules:
        return False
    import asyncio

    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    return task is not None and task.cancelling() > 0


def leaves_at_once() -> None:
    """While modules are imported nothing is done yet, and an exception within an import is not
    heard."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def hears() -> None:
    """From now on Ctrl-C is a KeyboardInterrupt."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def is_over() -> None:
    """All is said: nothing that Python tidies up at its end is told any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.unraisablehook = lambda _: None


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """Within: no Ctrl-C; it is short, and what it says would be lost."""
    with _heard(signal.SIG_IGN, ("SIGINT",)):
        yield


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    with contextlib.suppress(OSError):
        os.write(2, b"Interrupted.\n")
    os._exit(_INTERRUPTED)


def _raised(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _heard(
    handler: _Handler | signal.Handlers, names: tuple[str, ...] = _SIGNALS
) -> Iterator[None]:
    """`handler` for these signals, in the main thread; what our parent has ignored (nohup) stays
    ignored."""
    before: dict[int, Any] = {}
    for name in names:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            with contextlib.suppress(ValueError):
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
