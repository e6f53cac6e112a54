"""What Windows makes of paths, names and command lines: its traps as pure functions, tried on every
system.

Called by `document` (paths), by `hosts` (names that a host or its notes tell) and by `process`
(programs).
"""

from __future__ import annotations

import ntpath
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence

from kjpstate.said import Text, say

_DRIVE = re.compile(r"[A-Za-z]:")
_WHOLE = re.compile(r"[A-Za-z]:[\\/]|[\\/]{2}[^\\/?.]")
_SHARE = re.compile(r"//[^/]+/[^/]+")

# ---- names

_NO_NAME = frozenset('<>:"|?*\\')
"""A colon parts a file from its streams, a drive from a folder; a quote and <> are wildcards there.
"""
_DEVICES = frozenset(
    (
        *("con", "prn", "aux", "nul", "conin$", "conout$"),
        *(f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"),
    )
)


def odd_name(name: str) -> bool:
    """True if one part of a path is no file of its own on Windows. A device, a stream, a drive, or
    what becomes another name without the dots and blanks at its end.

    A device, a stream, a drive, or what becomes another name without the dots and blanks at its
    end.
    """
    device = re.split("[.:]", name, maxsplit=1)[0].rstrip(" ").lower()
    return (
        name.endswith((".", " "))
        or device in _DEVICES
        or any(sign in _NO_NAME or sign < " " for sign in name)
    )


# ---- paths, with /


def odd_path(path: str) -> bool:
    """True if a part of a path, behind its drive, is no file or folder of its own on Windows."""
    return any(map(odd_name, _parts(path)))


def _parts(path: str) -> list[str]:
    """The names in a path; a demo's machines have paths without a drive."""
    parts = path[2:].split("/") if re.match("[A-Za-z]:/", path) else path.split("/")
    return [part for part in parts if part not in ("", ".", "..")]


def whole(path: str, windows: bool) -> bool:
    """True if a path of the document stands for itself, whatever the folder it is read from."""
    return bool(re.match("/|[A-Za-z]:/", path) or (windows and _DRIVE.match(path)))


def misleading(path: str) -> Text:
    """The reason why a path of the document is another place on Windows than it says; "" for one
    that is itself."""
    if re.match("//[?.]/", path):
        return say("windows.device-path", path=path)
    if path.startswith("//"):
        if not _SHARE.match(path):
            return say("windows.no-share", path=path)
    elif path.startswith("/"):
        return say("windows.no-drive", path=path)
    elif _DRIVE.match(path) and path[2:3] != "/":
        return say("windows.no-slash", path=f"{path[:2]}/{path[2:]}")
    odd = next((name for name in _parts(path) if odd_name(name)), None)
    return "" if odd is None else say("windows.odd-name", name=odd)


def tidied(path: str, *, folder: bool, windows: bool) -> str:
    """A whole path without `.`, `..`, doubled slashes; a folder's ends in `/`, and a share stays a
    share."""
    share = _SHARE.match(path) if windows else None
    root = share.group() if share else path[:2] if path[1:2] == ":" else ""
    clean = f"{root}/{posixpath.normpath('/' + path[len(root) :].lstrip('/')).strip('/')}"
    return clean.rstrip("/") + "/" if folder else clean


# ---- programs

_STARTED = (".com", ".exe", ".bat", ".cmd")
"""The endings that the system itself starts; others of PATHEXT are for a shell."""
_BATCH = (".bat", ".cmd")
_READ_BY_CMD = frozenset('"%&|<>^()!')
_PLAIN = re.compile(r"[A-Za-z0-9_./\\:@+~#$'{}\[\]-]+")


def program(
    word: str, folder: str, path: str, pathext: str, there: Callable[[str], bool]
) -> str | None:
    """The file that a command's first word means; None: there is none.

    One with a folder is looked for from the command's own `folder`, a bare one on `path` alone:
    never where kjpstate was typed, as the system itself would. `there` says whether a file is.
    """
    names = tuple(_with_endings(word, pathext))
    places = (folder,) if any(sign in word for sign in "/\\:") else tuple(_folders(path))
    files = (ntpath.normpath(ntpath.join(place, name)) for place in places for name in names)
    return next((file for file in files if _WHOLE.match(file) and there(file)), None)


def _with_endings(word: str, pathext: str) -> Iterator[str]:
    if word.lower().endswith(_STARTED):
        yield word
    known = [ending for ending in re.split("[; ]+", pathext.lower()) if ending in _STARTED]
    yield from (word + ending for ending in known or _STARTED)


def _folders(path: str) -> Iterator[str]:
    """The folders of PATH that stand for themselves; `.` and nothing are where somebody stands."""
    for entry in re.findall(r'(?:"[^"]*"|[^;"])+', path):
        folder = entry.replace('"', "").strip()
        if _WHOLE.match(folder):
            yield folder


def is_batch(file: str) -> bool:
    """True if cmd.exe reads it, and with it all its words."""
    return file.lower().endswith(_BATCH)


def read_by_cmd(file: str, words: Sequence[str]) -> str:
    """The first sign in a batch file's words that cmd.exe would take for its own, quoted or not, or
    ""."""
    if "%" in file:
        return "%"
    return next((sign for word in words for sign in word if _means_more(sign)), "")


def _means_more(sign: str) -> bool:
    return sign in _READ_BY_CMD or (sign < " " and sign != "\t")


def batch_line(file: str, words: Sequence[str]) -> str:
    """The command line of a batch file whose words `read_by_cmd` has nothing against.

    cmd.exe parts words at `,`, `;` and `=` too, so that all but the plainest are quoted; what the
    program behind it reads has its backslashes before a quote doubled.
    """
    return " ".join(
        [f'"{file}"', *(word if _PLAIN.fullmatch(word) else _quoted(word) for word in words)]
    )


def _quoted(word: str) -> str:
    slashes = len(word) - len(word.rstrip("\\"))
    return '"' + word + "\\" * slashes + '"'


def on_share(folder: str) -> bool:
    """True if a folder is on a share, in which cmd.exe can't work: it goes to its own folder
    instead."""
    return folder.startswith(("\\\\", "//"))
