"""`python -m tests.support.machine.killed WHERE NUMBER VERB…`: kjpstate that is killed (SIGKILL) by
itself.

WHERE is `before` (action NUMBER, from 0, is never begun; all before it are whole) or `within` (it
is begun, and the end comes a moment later). Prints each action on stderr. An apply with fewer
actions ends as always.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from kjpstate.cli.main import main
from kjpstate.hosts.local import LocalHost
from kjpstate.hosts.ssh import ShellHost
from kjpstate.model import Action

MOMENT = 0.25
"""Seconds from the begin of the action `within` which the end comes."""


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def patched(where: str, number: int) -> None:
    """Both hosts' `act` takes one action at a time, counts them, and ends it all at its number."""
    done = 0

    def wrapped(original: Any) -> Any:
        async def act(
            self: Any,
            actions: Sequence[Action],
            readings: Sequence[Any] = (),
            sources: Mapping[str, Any] | None = None,
        ) -> Any:
            nonlocal done
            outcomes: list[Any] = []
            for action in actions:
                print(
                    f"action {done} {type(action).__name__} on {action.host}",
                    file=sys.stderr,
                    flush=True,
                )
                if done == number:
                    if where == "before":
                        kill()
                    asyncio.get_running_loop().call_later(MOMENT, kill)
                done += 1
                found, _ = await original(self, (action,), (), sources)
                outcomes += found
                if found and not found[-1].ok:
                    break
            _, answers = await original(self, (), readings, sources)
            return outcomes, answers

        return act

    for body in (LocalHost, ShellHost):
        body.act = wrapped(body.act)  # type: ignore[method-assign]


if __name__ == "__main__":
    patched(sys.argv[1], int(sys.argv[2]))
    sys.exit(main(sys.argv[3:]))
