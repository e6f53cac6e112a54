"""What was told, between two runs of `drift`: one JSON file a document in the controller's state folder.

Called by `telling`. A damaged file is set aside, and what stands then is told once more.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kjpstate.notify.changes import Memory, Notice, Standing

_VERSION = 1


@dataclass(frozen=True)
class Parcel:
    """Notices that a channel has not taken yet; `tries`: in how many runs it was tried."""

    notices: tuple[Notice, ...]
    tries: int = 0


@dataclass(frozen=True)
class Record:
    """One document's file: what is known of it, and channel -> what is still to be sent there."""

    memory: Memory = field(default_factory=Memory)
    parcels: Mapping[str, Parcel] = field(default_factory=dict)


def file_of(folder: Path, name: str, path: str) -> Path:
    """Two documents of one name are two files."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:40]
    return folder / "notify" / f"{plain}-{hashlib.sha256(path.encode()).hexdigest()[:8]}.json"


def read(file: Path) -> tuple[Record, str]:
    """What the file says, and a sentence when it was damaged and is set aside. Raises OSError."""
    try:
        return _record(json.loads(file.read_text("utf-8"))), ""
    except FileNotFoundError:
        return Record(), ""
    except (ValueError, TypeError, KeyError, AttributeError):
        aside = file.with_name(f"{file.name}.damaged")
        file.replace(aside)
        return Record(), f"what was told so far is not readable; it was put aside as {aside}"


def write(file: Path, record: Record) -> None:
    """Beside, then over it; mode 0600. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    text = json.dumps({"version": _VERSION, **asdict(record)}, ensure_ascii=True)
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as to:
            to.write(text)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _record(value: Mapping[str, Any]) -> Record:
    if value["version"] != _VERSION:
        raise ValueError(value["version"])
    memory = Memory(
        tuple(Standing(**item) for item in value["memory"]["standing"]), _notices(value["memory"]["waiting"])
    )
    parcels = {
        channel: Parcel(_notices(item["notices"]), item["tries"])
        for channel, item in value["parcels"].items()
    }
    return Record(memory, parcels)


def _notices(items: list[dict[str, Any]]) -> tuple[Notice, ...]:
    return tuple(Notice(**item) for item in items)
