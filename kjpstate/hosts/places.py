"""Where the locks of a machine stand: root's, and one of each user who runs kjpstate there.

Called by `local` and `lock`; `kj_place` of `remote/lock.sh` says the very same. No lock stands
where somebody else may write: root's is in `/run/kjpstate`, a user's below the home that the system
knows, whatever HOME says.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kjpstate.said import Text, say

BELOW_HOME = ".local/state/kjpstate/_lock"
_OLD = ("/run/lock", "/var/lock")
"""Everybody may write there. An earlier version kept its lock in it; until 1.0 that counts as one.
"""
OF_OLD = -1


@dataclass(frozen=True)
class Place:
    """A folder with a lock, and whose: a user's number and name. `OF_OLD`: one of an earlier
    version."""

    folder: Path
    uid: int
    user: str

    @property
    def owners(self) -> tuple[int, ...]:
        """The users whose files count there."""
        return (0, my_number()) if self.uid in (OF_OLD, my_number()) else (self.uid,)

    def safe(self) -> bool:
        """True if nobody else may write there; an earlier version asked for no such place. Raises
        OSError."""
        return self.uid == OF_OLD or not unsafe(self.folder, self.uid)


@dataclass(frozen=True)
class Places:
    """`own`: where this user's lock stands. `others`: where to look for those of everybody else.
    `system`: the machine's own places, which have to be safe; else a folder that somebody gave."""

    own: Path
    others: Callable[[], Iterable[Place]] = tuple
    system: bool = False

    def unsafe(self) -> Text:
        """The reason why no lock can stand in `own`; empty when one can."""
        if not self.system:
            return ""
        try:
            return unsafe(self.own, my_number())
        except FileNotFoundError:
            return ""

    def make(self) -> None:
        """The folder, with those above it: others can read what is in it, not write. Raises
        OSError."""
        if not self.system:
            self.own.mkdir(0o755, parents=True, exist_ok=True)
            return
        mode = 0o711 if my_number() else 0o755
        for folder in (*reversed(self.own.parents), self.own):
            if not folder.is_dir():
                folder.mkdir(exist_ok=True)
                folder.chmod(mode)

    def of(self, uid: int) -> Iterator[Path]:
        """The folders of this user's locks."""
        if self.system:
            if uid == my_number():
                yield self.own
            yield from (place.folder for place in self.others() if place.uid == uid)


def my_number() -> int:
    """This user's number; 0 where users have none."""
    return os.geteuid() if os.name == "posix" else 0


def unsafe(folder: Path, uid: int) -> Text:
    """The reason why others may write in a folder; empty when only this user may. Raises
    OSError."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        return say("lock.place-is-no-folder", path=str(folder))
    if found.st_uid != uid:
        return say("lock.foreign", path=str(folder), user=found.st_uid)
    return say("lock.place-is-open", path=str(folder)) if found.st_mode & 0o022 else ""


def of_this_machine(state: Path) -> Places:
    """`state`: the folder of this user's notes, in which an earlier version may have its lock."""
    if os.name != "posix":
        return Places(state / "_lock", lambda: (Place(state, OF_OLD, ""),))
    uid = my_number()
    own = _roots() if uid == 0 else _below(_home_of(uid)) or state / "_lock"
    return Places(own, lambda: _others(uid, state), system=True)


def _roots() -> Path:
    return Path("/run/kjpstate") if Path("/run").is_dir() else Path("/var/lib/kjpstate/_lock")


def _home_of(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_dir
    except KeyError:
        return ""


def _below(home: str) -> Path | None:
    """The place of the lock of the user who lives there; None where nothing can be kept."""
    kept = Path(home, BELOW_HOME)
    usable = home.startswith("/") and (os.access(home, os.W_OK) or kept.parent.is_dir())
    return kept if usable else None


def _others(me: int, state: Path) -> Iterator[Place]:
    import pwd

    for folder in (*map(Path, _OLD), state):
        yield Place(folder, OF_OLD, "")
    if me != 0:
        yield Place(_roots(), 0, "root")
    for user in pwd.getpwall():
        if user.pw_uid not in (0, me) and user.pw_dir.startswith("/"):
            yield Place(Path(user.pw_dir, BELOW_HOME), user.pw_uid, user.pw_name)
