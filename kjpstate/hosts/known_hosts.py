"""Which key a host must show: our own known_hosts file, the user's, or the document's pin.

Called by `connecting` and, for the verb `trust`, by `cli`. Nothing here ever accepts a key by
itself.
"""

from __future__ import annotations

import codecs
import contextlib
import functools
import os
import socket
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kjpstate import disk
from kjpstate.errors import Distrusted, Failed, UsageError
from kjpstate.formats import known_hosts as lines
from kjpstate.host import Ssh
from kjpstate.said import Text, say

Steps = tuple[Sequence[lines.Line], ...]
"""What is known of a place: by its name with the port, then by its name alone."""

_NOTHING = lines.File({}, (), ())


@dataclass(frozen=True)
class Target:
    """One place to connect to: the host itself, or a jump before it."""

    address: str
    port: int
    user: str


def own_file(state_folder: Path) -> Path:
    """The controller's own known_hosts."""
    return state_folder / "known_hosts"


def pattern(target: Target) -> str:
    """The place as a known_hosts file names it."""
    return names(target)[0].decode()


def names(target: Target) -> tuple[bytes, ...]:
    """The names by which lines for the place are found: the document's own, never the address they
    lead to."""
    name = _usual(target.address)
    return (
        (name.encode(),)
        if target.port == 22
        else (f"[{name}]:{target.port}".encode(), name.encode())
    )


def _usual(address: str) -> str:
    """An address as programs print it, a name in lower case; nobody is asked."""
    with contextlib.suppress(OSError, UnicodeError):
        found = socket.getaddrinfo(
            address, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )
        return socket.getnameinfo(found[0][4], socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
    return address.lower()


# ---- the two files


def known(state_folder: Path, target: Target) -> Steps:
    """The lines that count. Of a name that our own file has, the user's only say which keys are
    revoked."""
    ours, users = (_found(path)[0] for path in (own_file(state_folder), _users_file()))
    return tuple(_joined(ours.naming(name), users.naming(name)) for name in names(target))


def _joined(ours: list[lines.Line], users: list[lines.Line]) -> list[lines.Line]:
    is_named = any(line.marker != lines.REVOKED for line in ours)
    return ours + [line for line in users if line.marker == lines.REVOKED or not is_named]


def troubles(state_folder: Path) -> list[Text]:
    """A sentence for each of the files that can't be read, or not wholly."""
    found = [_found(path)[1] for path in (own_file(state_folder), _users_file())]
    return [trouble for trouble in found if trouble]


def _users_file() -> Path | None:
    try:
        return Path.home() / ".ssh" / "known_hosts"
    except RuntimeError:
        return None  # nobody's home


def _found(path: Path | None) -> tuple[lines.File, Text]:
    """The lines of the file, and what is wrong with it. A file that can't be read has no lines, as
    for OpenSSH."""
    if path is None:
        return _NOTHING, ""
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            is_empty = stat.S_ISCHR(state.st_mode)  # /dev/null, mostly
            return _NOTHING, "" if is_empty else say("known-hosts.no-file", path=str(path))
        return _read(path, state.st_mtime_ns, state.st_size)
    except (FileNotFoundError, NotADirectoryError):
        return _NOTHING, ""
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return _NOTHING, say("known-hosts.unread", path=str(path), reason=reason)


@functools.lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> tuple[lines.File, Text]:
    content = path.read_bytes()
    found = lines.read(content)
    return found, _trouble(path, content, found.broken)


def _trouble(path: Path, content: bytes, broken: Sequence[int]) -> Text:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return say("known-hosts.utf-16", path=str(path))
    if content.startswith(codecs.BOM_UTF8):
        return say("known-hosts.byte-order-mark", path=str(path))
    if not broken:
        return ""
    zeros = b"\0" in content.split(b"\n")[broken[0] - 1]
    if len(broken) == 1:
        code = "known-hosts.broken-line.utf-16" if zeros else "known-hosts.broken-line"
        return say(code, path=str(path), line=broken[0])
    code = "known-hosts.broken-lines.utf-16" if zeros else "known-hosts.broken-lines"
    return say(code, path=str(path), line=broken[0], more=len(broken) - 1)


@contextlib.contextmanager
def alone(file: Path) -> Iterator[None]:
    """One writer of `file` at a time; the right to it ends with its process."""
    held_file = os.open(file.with_name(f".{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(held_file, "r+b") as held:
        with contextlib.suppress(OSError):  # a file system that has no locks
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(held.fileno(), msvcrt.LK_LOCK, 1)
            else:
                import fcntl

                fcntl.flock(held, fcntl.LOCK_EX)
        yield


def remember(target: Target, keys: Sequence[bytes], state_folder: Path) -> Path:
    """Write `keys` (lines for known_hosts) in the place of all that our own file let the place show
    before. Raises Failed."""
    path = own_file(state_folder)
    try:
        state_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with alone(path):
            old = path.read_bytes() if path.is_file() else b""
            kept = lines.without(old, names(target)[0])
            kept += b"\n" if kept and not kept.endswith(b"\n") else b""
            disk.replace(path, kept + b"".join(key + b"\n" for key in keys))
    except OSError as error:
        raise Failed(
            say("trust.unwritten", path=str(path), reason=(error.strerror or str(error)).lower()),
            say("trust.unwritten.cure"),
        ) from None
    return path


# ---- a pin


def pinned_key(pin: str) -> bytes:
    """The key that the document writes out in full; nothing for a fingerprint.
    Raises UsageError."""
    if not pin or pin.startswith("SHA256:"):
        return b""
    import asyncssh

    try:
        return asyncssh.import_public_key(pin).public_data
    except asyncssh.KeyImportError as error:
        raise UsageError(say("trust.no-pin", reason=str(error))) from None


def pinned_type(pin: str, state_folder: Path) -> str:
    """The type of the key with this fingerprint when it was last met; "" where nobody knows."""
    with contextlib.suppress(OSError, ValueError):
        words = (line.split() for line in _types_file(state_folder).read_text("utf-8").splitlines())
        return next((kind for fingerprint, kind in words if fingerprint == pin), "")
    return ""


def note_type(pin: str, kind: str, state_folder: Path) -> None:
    """For the next run, which then need not ask for each type; it can do without."""
    with contextlib.suppress(OSError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with os.fdopen(os.open(_types_file(state_folder), flags, 0o600), "ab") as stream:
            stream.write(f"{pin} {kind}\n".encode())


def _types_file(state_folder: Path) -> Path:
    return state_folder / "pinned_types"


# ---- refused


def refusal(
    spec: Ssh,
    target: Target,
    shown: Sequence[bytes],
    expected: Sequence[str],
    *,
    verdict: str,
    is_pinned: bool,
) -> Distrusted:
    """The hard stop for a key that nobody knows, that is revoked, or that is none of those
    expected."""
    words = {"place": f"{spec.name} ({pattern(target)})", "keys": _listed(shown)}
    if verdict == lines.IS_REVOKED:
        return Distrusted(
            say("host-key-revoked", **words),
            say("host-key-revoked.cure", host=spec.name),
            "host-key-revoked",
        )
    if verdict == lines.UNKNOWN or not expected:
        return Distrusted(
            say("host-key-unknown", **words),
            say("host-key-unknown.cure", host=spec.name),
            "host-key-unknown",
        )
    cure = say("host-key-changed.cure", host=spec.name)
    if is_pinned:
        cure = say("host-key-changed.pinned.cure", where=str(spec.where))
    message = say("host-key-changed", **words, known=expected)
    return Distrusted(message, cure, "host-key-changed")


def _listed(keys: Sequence[bytes]) -> Text:
    named = [described(key) for key in keys]
    if not keys:
        return say("trust.some-key")
    return say("trust.keys" if keys[1:] else "trust.key", named=named)


def described(key: bytes) -> str:
    """A key as a person compares it."""
    return f"{lines.kind_of(key).decode('latin-1')} {lines.fingerprint(key)}"
