"""Several processes that want one host's lock at the same instant, each through another body of the
port.

A Contender is a process of its own. It is told to try; it says whether it won; who won counts a
file up by one under the lock when it is told to, and lets go. They share nothing but the host.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from kjpstate import errors
from kjpstate.host import Host
from kjpstate.model import File, ReadFile, WriteFile
from tests.support.bodies import run_info


class Contender:
    """`make` gives its host, in its own process. `count` is the file it counts up."""

    def __init__(self, name: str, make: Callable[[], Host], count: str) -> None:
        self.name = name
        self._line, there = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("fork").Process(
            target=_serve, args=(there, make, count), daemon=True
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        there.close()

    def tell(self, word: str, value: str = "") -> None:
        """try RUN, or write."""
        self._line.send((word, value))

    def answer(self) -> tuple[str, Any]:
        """won, locked (by which run), wrote (statuses), failed (what); raises when it takes a
        minute."""
        assert self._line.poll(60), f"{self.name} says nothing"
        found: tuple[str, Any] = self._line.recv()
        return found

    def stop(self) -> None:
        """Its process ends."""
        self._line.send(("stop", ""))
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()


def _serve(line: Connection, make: Callable[[], Host], count: str) -> None:
    asyncio.run(_obey(line, make(), count))
    os._exit(0)


async def _obey(line: Connection, host: Host, count: str) -> None:
    while (told := line.recv())[0] != "stop":
        try:
            line.send(await _do(host, *told, count))
        except errors.Locked as locked:
            line.send(("locked", locked.run))
        except Exception as error:
            line.send(("failed", repr(error)))
    await host.close()


async def _do(host: Host, word: str, value: str, count: str) -> tuple[str, Any]:
    if word == "try":
        await host.begin(run_info(value), ())
        return "won", value
    reading = ReadFile("box", count)
    found = (await host.act((), [reading]))[1][reading]
    assert isinstance(found, File), found
    after = str(int(found.content) + 1).encode()
    outcomes, _ = await host.act([WriteFile("box", count, found.content, after)])
    await host.end()
    return "wrote", [outcome.status for outcome in outcomes]
