"""A closed terminal and a `kill` are heeded like a Ctrl-C. Called by verbs that must end what they began."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def cancelled_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP cancel the running task, as asyncio lets Ctrl-C do."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    heeded = []
    for name in ("SIGTERM", "SIGHUP"):
        with contextlib.suppress(NotImplementedError, AttributeError, RuntimeError, ValueError):
            number = getattr(signal, name)
            loop.add_signal_handler(number, task.cancel if task else loop.stop)
            heeded.append(number)
    try:
        yield
    finally:
        for number in heeded:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """The same as one Ctrl-C that is told as such: what is half done was put back on the way."""
    try:
        with cancelled_by_signals():
            yield
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
