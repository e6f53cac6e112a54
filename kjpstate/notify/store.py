"""What was told, between two runs of `drift`: one JSON file a document in the controller's state
folder.

Called by `telling`. A damaged file is set aside, and what stands then is told once more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kjpstate import disk
from kjpstate.formats.digests import sha256
from kjpstate.notify.changes import KINDS, Memory, Notice, Standing
from kjpstate.said import Text, say

_VERSION = 1
_TYPES: Mapping[str, type | tuple[type, ...]] = {"since": (int, float), "looks": int, "told": bool}
"""Of a remembered thing; all else is text."""
_FAR = 1e11
"""Seconds that no calendar holds."""


@dataclass(frozen=True)
class Parcel:
    """Notices of one look that a channel has not taken yet; `tries`: in how
    many runs it was tried."""

    notices: tuple[Notice, ...]
    tries: int = 0


@dataclass(frozen=True)
class Record:
    """One document's file: what is known of it, and channel -> what is still to be sent there."""

    memory: Memory = field(default_factory=Memory)
    parcels: Mapping[str, tuple[Parcel, ...]] = field(default_factory=dict)


def file_of(folder: Path, name: str, path: str) -> Path:
    """Two documents of one name are two files."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:40]
    return folder / "notify" / f"{plain}-{sha256(path.encode())[:8]}.json"


def read(file: Path) -> tuple[Record, Text]:
    """What the file says, and a message when it was damaged and is set aside. Raises OSError."""
    try:
        return _record(json.loads(file.read_text("utf-8"))), ""
    except FileNotFoundError:
        return Record(), ""
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        aside = file.with_name(f"{file.name}.damaged")
        file.replace(aside)
        return Record(), say("notify.damaged", aside=str(aside))


def write(file: Path, record: Record) -> None:
    """Beside, then over it; mode 0600. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = json.dumps({"version": _VERSION, **asdict(record)}, ensure_ascii=True)
    # Checks of a document are one at a time.
    disk.replace(file, text.encode(), beside=file.with_name(f".{file.name}.new"))


def _record(value: Mapping[str, Any]) -> Record:
    if value["version"] != _VERSION:
        raise ValueError(value["version"])
    memory = Memory(
        tuple(Standing(**_checked(item)) for item in value["memory"]["standing"]),
        _notices(value["memory"]["waiting"]),
    )
    parcels = {
        channel: tuple(Parcel(_notices(item["notices"]), int(item["tries"])) for item in items)
        for channel, items in value["parcels"].items()
    }
    return Record(memory, parcels)


def _notices(items: list[dict[str, Any]]) -> tuple[Notice, ...]:
    return tuple(Notice(**_checked(item)) for item in items)


def _checked(item: dict[str, Any]) -> dict[str, Any]:
    """The same; ValueError for what would only hurt later, in the middle of a check."""
    for name, value in item.items():
        if not isinstance(value, _TYPES.get(name, str)):
            raise ValueError(name)
    if not abs(item["since"]) < _FAR or item.get("kind", "drift") not in KINDS:
        raise ValueError(item)
    return item
