"""What a command prints while it runs, as whole lines. Called by `commands`, `session`, the
simulated box."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from kjpstate.secret import shortened

Heard: TypeAlias = Callable[[str], None]

_LONGEST = 2000


class Lines:
    """Puts bytes together into lines and tells each one; a line without an end is told by `end`."""

    def __init__(self, tell: Heard | None) -> None:
        self._tell, self._rest = tell, b""

    def feed(self, data: bytes) -> None:
        """More bytes of the command's output."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            self._say(line)

    def end(self) -> None:
        """The command has ended."""
        self._say(self._rest)
        self._rest = b""

    def _say(self, line: bytes) -> None:
        # a progress bar goes back to the start of its line: its last state counts
        text = line.decode(errors="replace").rstrip("\r").rpartition("\r")[2].rstrip()
        if text and self._tell is not None:
            self._tell(shortened(text, _LONGEST))
