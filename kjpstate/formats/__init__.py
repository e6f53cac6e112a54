"""Pure knowledge shared by kinds: file formats, trees, what probes print. No I/O.

`JUDGES` are what an `Await` may name: (answer, args) -> None when it is well, else the reason it is
not yet. Used by `apply`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kjpstate.formats.pm2.health import judge_online
from kjpstate.model import Answer
from kjpstate.said import Text

JUDGES: dict[str, Callable[[Answer, Mapping[str, Any]], Text | None]] = {
    "pm2-online": judge_online,
}
