"""A TCP proxy in a thread of its own that resets the connection after byte N of one side, to the
byte."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
from typing import Literal

Side = Literal["client", "server"]


class CuttingProxy:
    """Before `target` on loopback. `passed` counts the bytes of both sides since the last `cut` or
    `mend`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._cut: tuple[Side, int] | None = None
        self.passed: dict[Side, int] = {"client": 0, "server": 0}
        self.happened = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def cut(self, side: Side, after: int) -> None:
        """The connections from now on share these bytes; when they are used up, all is reset."""
        self._cut, self.happened = (side, after), False
        self.passed = {"client": 0, "server": 0}

    def mend(self) -> None:
        """Nothing is cut any more."""
        self._cut = None
        self.passed = {"client": 0, "server": 0}

    def stop(self) -> None:
        """No more connections."""
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def _relay(self, near: socket.socket) -> None:
        with (
            near,
            socket.create_connection(("127.0.0.1", self._target)) as far,
            selectors.DefaultSelector() as both,
        ):
            both.register(near, selectors.EVENT_READ, ("client", far))
            both.register(far, selectors.EVENT_READ, ("server", near))
            with contextlib.suppress(OSError):
                while all(
                    self._pass(key.fileobj, *key.data, (near, far)) for key, _ in both.select()
                ):
                    pass

    def _pass(
        self,
        source: socket.socket,
        side: Side,
        to: socket.socket,
        ends: tuple[socket.socket, socket.socket],
    ) -> bool:
        data = source.recv(65536)
        if not data:
            return False
        left = len(data)
        if self._cut is not None and self._cut[0] == side:
            left = max(0, self._cut[1] - self.passed[side])
        to.sendall(data[:left])
        self.passed[side] += min(left, len(data))
        if left >= len(data):
            return True
        self.happened = True
        for end in ends:  # a reset, as from a modem that restarts
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
