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


def troubles(state_folder: Path) -> list[str]:
    """A sentence for each of the files that can't be read, or not wholly."""
    found = [(path, _found(path)[1]) for path in (own_file(state_folder), _users_file())]
    return [f"{path}{trouble}" for path, trouble in found if trouble]


def _users_file() -> Path | None:
    try:
        return Path.home() / ".ssh" / "known_hosts"
    except RuntimeError:
        return None  # nobody's home


def _found(path: Path | None) -> tuple[lines.File, str]:
    """The lines of the file, and what is wrong with it. A file that can't be read has no lines, as
    for OpenSSH."""
    if path is None:
        return _NOTHING, ""
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            is_empty = stat.S_ISCHR(state.st_mode)  # /dev/null, mostly
            return _NOTHING, "" if is_empty else " is no file: nothing in it counts"
        return _read(path, state.st_mtime_ns, state.st_size)
    except (FileNotFoundError, NotADirectoryError):
        return _NOTHING, ""
    except OSError as error:
        return (
            _NOTHING,
            f" can't be read ({(error.strerror or str(error)).lower()}): nothing in it counts",
        )


@functools.lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> tuple[lines.File, str]:
    content = path.read_bytes()
    found = lines.read(content)
    return found, _trouble(content, found.broken)


def _trouble(content: bytes, broken: Sequence[int]) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return " is UTF-16, which ssh can't read either: save it as UTF-8"
    if content.startswith(codecs.BOM_UTF8):
        return ":1 begins with a byte order mark, so that line counts for nothing: save it without"
    if not broken:
        return ""
    more = f", nor of {len(broken) - 1} more" if broken[1:] else ""
    text = content.split(b"\n")[broken[0] - 1]
    why = " (it is UTF-16, such as PowerShell's >> writes)" if b"\0" in text else ""
    return f":{broken[0]}: nothing can be made of this line{more}{why}; it is skipped, as ssh does"


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
            f"{path} can't be written: {(error.strerror or str(error)).lower()}; nothing was "
            "remembered",
            "look at it, or name another folder in $KJPSTATE_STATE",
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
        raise UsageError(f"host_key: neither SHA256:… nor a public key ({error})") from None


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
    place = f"{spec.name} ({pattern(target)})"
    keys = " and ".join(map(described, shown))
    said = f"the host key{'s' if shown[1:] else ''} {keys}" if keys else "a host key"
    if verdict == lines.IS_REVOKED:
        return Distrusted(
            f"{place} shows {said}, which a known_hosts file marks as revoked; nothing was "
            "sent to it",
            f"give the box new host keys, then: kjpstate trust {spec.name}",
            "host-key-revoked",
        )
    if verdict == lines.UNKNOWN or not expected:
        return Distrusted(
            f"{place} shows {said}, which nobody has confirmed yet; nothing was sent to it",
            f"kjpstate trust {spec.name}   shows it again, asks, remembers it",
            "host-key-unknown",
        )
    cure = f"correct host_key at {spec.where}" if is_pinned else f"kjpstate trust {spec.name}"
    return Distrusted(
        f"{place} shows {said}, but we know {' or '.join(expected)}; nothing was sent",
        f"if the box was set up anew: {cure}   else somebody may stand between",
        "host-key-changed",
    )


def described(key: bytes) -> str:
    """A key as a person compares it."""
    return f"{lines.kind_of(key).decode('latin-1')} {lines.fingerprint(key)}"
