"""What kjpstate keeps on the controller: its state folder, the key of keyed digests, the name of a
run."""

from __future__ import annotations

import getpass
import os
import platform
import secrets
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from kjpstate import disk, errors
from kjpstate.formats.times import run_time
from kjpstate.model import RunInfo
from kjpstate.said import say

_KEY_BYTES = 32


def state_folder(environ: Mapping[str, str]) -> Path:
    """`$KJPSTATE_STATE`, else the platform's own place; made with mode 0700. Raises Failed."""
    named = environ.get("KJPSTATE_STATE")
    try:
        folder = Path(named).expanduser() if named else _platform_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:
        raise errors.Failed(
            say("cli.own-folder", reason=str(error)), say("cli.own-folder.cure")
        ) from error
    return folder.absolute()


def looking_folder(environ: Mapping[str, str]) -> Path:
    """The state folder for a run that only looks: it does without where none can be made."""
    try:
        return state_folder(environ)
    except errors.Failed:
        named = environ.get("KJPSTATE_STATE")
        try:
            return Path(named).expanduser() if named else _platform_folder()
        except RuntimeError:
            return Path("kjpstate-has-no-folder")


def looking_key(folder: Path) -> bytes:
    """The key for a run that only looks: one of its own where none can be kept."""
    try:
        return digest_key(folder)
    except errors.Failed:
        return secrets.token_bytes(_KEY_BYTES)


def digest_key(folder: Path) -> bytes:
    """The 32 random bytes that keyed digests are made with; made once, mode 0600. Raises Failed."""
    file = folder / "key"
    try:
        _make_key(file)
        key = file.read_bytes()
    except OSError as error:
        raise errors.Failed(
            say("cli.key-not-read", file=str(file), reason=str(error.strerror or error))
        ) from error
    if len(key) != _KEY_BYTES:
        raise errors.Failed(
            say("cli.key-length", file=str(file), count=len(key), wanted=_KEY_BYTES),
            say("cli.key-length.cure"),
        )
    return key


def run_info(document: str) -> RunInfo:
    """A new run's name: six hex digits, the controller's UTC time, who and from where."""
    started = run_time(time.time())
    return RunInfo(
        secrets.token_hex(3), started, document, f"{_user()}@{platform.node() or 'unknown'}"
    )


def _platform_folder() -> Path:
    from platformdirs import user_state_path

    return user_state_path("kjpstate", appauthor=False)


def _make_key(file: Path) -> None:
    """Written beside and linked into place, so that two first runs end up with one key."""
    if file.exists():
        return
    beside = file.with_name(f"key.{secrets.token_hex(6)}")
    try:
        disk.create(beside, secrets.token_bytes(_KEY_BYTES))
        if sys.platform == "win32":
            beside.rename(file)
        else:
            os.link(beside, file)
    except FileExistsError:
        return
    finally:
        beside.unlink(missing_ok=True)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
