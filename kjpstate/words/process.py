"""The words of what `process/` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kjpstate.words.plural import Plural

MESSAGES: Final[Mapping[str, str | Plural]] = {
    "process.line-end": "a line end",
    "process.no-command": "{word}: no such command",
    "process.no-command-in": "{word}: no such command in {folder}",
    "process.no-folder": "there is no folder {folder}",
    "process.not-on-path": (
        "{word}: no such command on PATH; write ./{word} for the one in {folder}"
    ),
    "process.not-started": "{word}: can't be started: {reason}",
    "process.on-a-share": (
        "{word}: cmd.exe reads this batch file and can't work in {folder}; give the share a "
        "drive (net use Z: …) and write that one"
    ),
    "process.read-by-cmd": (
        "{word}: cmd.exe reads this batch file and would take {sign} for its own; start the "
        "program behind it (such as node with its script) instead"
    ),
    "process.windows": "{word}: Windows can't start it (error {code})",
}
