"""sha256 in hex: of bytes, of a file that may be missing, of a plain value. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any


def sha256(content: bytes) -> str:
    """The digest of these bytes."""
    return hashlib.sha256(content).hexdigest()


def sha256_or_none(content: bytes | None) -> str | None:
    """The digest of a file's bytes; None when it is not there."""
    return None if content is None else sha256(content)


def sha256_or_dash(content: bytes | None) -> str:
    """The digest of a file's bytes as journals and scripts write it: `-` when it is not there."""
    return sha256_or_none(content) or "-"


def digest_of(value: Any, default: Callable[[Any], Any] | None = None) -> str:
    """The digest of a plain JSON value, whatever the order of its keys; `default` makes one of what
    is none."""
    text = json.dumps(
        value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=default
    )
    return sha256(text.encode())
