"""A small file of ours, written whole or not at all: nobody else's from its first byte on, and on
the disk when the call returns."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def create(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file that must not be there yet. Raises FileExistsError, OSError."""
    # Windows writes CR LF for LF unless it is told not to.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    if mode != 0o600:
        path.chmod(mode)


def replace(path: Path, content: bytes, mode: int = 0o600, beside: Path | None = None) -> None:
    """Write a file beside `path`, then give it that name. Raises OSError, and leaves the old file
    and nothing beside it.

    `beside`: the name until then, for who is the only writer: a run that is killed leaves one file,
    however often.
    """
    fresh = beside or path.with_name(f".{path.name}.{secrets.token_hex(6)}.new")
    fresh.unlink(missing_ok=True)
    try:
        create(fresh, content, mode)
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
