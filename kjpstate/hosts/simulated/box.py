"""What a simulated machine is besides its files: its clock, its resolver, its PM2; kept in one JSON
file.

Called by the other modules of this package. Everything that happens moves the clock on, so that
"started after the files were put there" can be judged as on a real machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kjpstate.model import Clock, Completed

TICKS = 100
"""Per second, as on Linux."""
_EPOCH = 1_767_225_600_000
"""Milliseconds: what a wall clock showed at the first boot."""


class Box:
    """One machine below `folder`: its `/` is the folder `name`, all else is `.boxes/name/`.

    `state` is plain JSON: boots, uptime (seconds), next_pid, and `resolved` and `pm2`, None where
    the machine has none; `load`: per cent of one core that its apps use, `burnt`: their ticks so
    far. `save` changes.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.root = folder / name
        self.own = folder / ".boxes" / name
        self._file = self.own / "box.json"
        self.state: dict[str, Any] = {
            "boots": 1,
            "uptime": 3600.0,
            "next_pid": 2000,
            "resolved": None,
            "pm2": None,
            "silent": [],
            "load": 2.0,
            "burnt": 0.0,
        }
        if self._file.exists():
            self.state = json.loads(self._file.read_text("utf-8"))

    def save(self) -> None:
        """Write the state beside and rename, as it should outlive a cut."""
        self.own.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(self.state), "utf-8")
        fresh.replace(self._file)

    def real(self, path: str) -> Path:
        """The place of a document's path: `/etc/x` below our root; a path that is there already
        stays itself."""
        base = self.root.as_posix()
        if path == base or path.startswith(base + "/"):
            return Path(path)
        drive = f"{path[0]}_{path[2:]}" if path[1:2] == ":" else path
        return self.root / drive.lstrip("/")

    def tick(self, seconds: float) -> None:
        """Time passes."""
        self.state["uptime"] = round(self.state["uptime"] + seconds, 2)
        self.state["burnt"] = self.state.get("burnt", 0.0) + seconds * self.state.get("load", 2.0)
        self.save()

    def clock(self) -> Clock:
        """The machine's clock, as /proc shows it."""
        digits = hashlib.sha256(f"{self.root.name} {self.state['boots']}".encode()).hexdigest()
        boot_id = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
        return Clock(boot_id, f"{self.state['uptime']:.2f}")

    @property
    def ticks(self) -> int:
        """Ticks since boot."""
        return round(float(self.state["uptime"]) * TICKS)

    @property
    def now(self) -> int:
        """The wall clock in milliseconds."""
        return _EPOCH + int(self.state["uptime"] * 1000) + int(self.state["boots"]) * 86_400_000

    def new_pid(self) -> int:
        """A process number nobody had."""
        self.state["next_pid"] += 1
        return int(self.state["next_pid"])


def said(code: int, text: str = "") -> Completed:
    """A command's end with one line of output; an error's goes to stderr."""
    line = f"{text}\n".encode() if text else b""
    return Completed(code, b"", line) if code else Completed(code, line, b"")


Command = Callable[[Box, tuple[str, ...], Path], Completed]
"""(box, argv, real working folder) -> how it ended."""
