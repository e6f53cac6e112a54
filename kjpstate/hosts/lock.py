"""The locks of this machine: this user's, and a look at those of everybody else.

Called by `local`, and by `cli.drift` for a lock of its own; `remote/lock.sh` does the very same. A
lock is a file that comes into being whole, by a hard link, and says who holds it (`owners`); dead
when its process is gone, was started at another time, or belongs to another boot, and no command
that it started runs any more (`kjpstate.step.RUN-PID` beside it). Who breaks it must first win the
right to break that very owner, so no live lock is ever broken. Each user has a lock (`places`): who
has taken his own looks at all others.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kjpstate import disk
from kjpstate.errors import Failed, Locked
from kjpstate.hosts import owners
from kjpstate.hosts.files import publish
from kjpstate.hosts.folders import Unfit, opened
from kjpstate.hosts.owners import Damaged, boot_id, fields, process_start
from kjpstate.hosts.places import Place, Places, my_number
from kjpstate.model import Holder, Life, RunInfo
from kjpstate.said import Text, say

NAME = "kjpstate"
_TRIES, _DEPTH = 20, 8
"""How often a lock is tried that others take and leave meanwhile; how many may die breaking the
same one."""
_MINE = (0, my_number())
"""Whose files count where our own lock stands."""
_PAUSE, _PAUSES = 0.2, 25
"""Seconds between looks at the lock of who has to give way, and how many there are."""


@dataclass(frozen=True)
class Lock:
    """A lock that is held; `content` proves that it is ours."""

    path: Path
    content: str

    def held(self) -> bool:
        """True if the file still says that we hold it."""
        try:
            return owners.read(self.path, _MINE) == self.content
        except (Damaged, OSError):
            return False

    def step(self, pid: int | None) -> None:
        """A command was started: should we die, whoever finds our lock waits for it too. None: it
        ended."""
        path = _step(self.path.parent, fields(self.content))
        with contextlib.suppress(OSError):
            if pid is None:
                path.unlink(missing_ok=True)
                return
            said = f"pid {pid}\nstart {process_start(pid)}\nboot {boot_id()}\n"
            disk.replace(path, said.encode(), 0o644, path.with_name(f"{path.name}.new"))

    def release(self) -> None:
        """Let go; never raises, and never removes another's lock."""
        with contextlib.suppress(OSError):
            if self.held():
                self.path.unlink()


@dataclass(frozen=True)
class _Found:
    """A lock: its text and words, the place it stands in, how its owner lives."""

    text: str
    words: Mapping[str, str]
    place: Place
    life: Life

    @property
    def whose(self) -> Text:
        """The lock's owner and place, for a screen; empty for one of this user."""
        if self.place.user:
            return say("lock.whose", user=self.place.user, path=str(self.place.folder / NAME))
        return say("lock.whose-earlier", path=str(self.place.folder / NAME))


def take(places: Places, run: RunInfo, host: str) -> Lock:
    """The lock of this user, nobody else's looked at; see `alone`.

    Raises Locked with who holds it and since when, Failed when it can't be made or stands there
    damaged.
    """
    path = places.own / NAME
    content = owner_text(run, os.getpid())
    _must_be_safe(places, host)
    try:
        places.make()
        for _ in range(_TRIES):
            if _link(path, content):
                _sweep(places.own)
                return Lock(path, content)
            found = owners.read_owner(path, _MINE)
            if found is None:
                continue
            if (life := life_of(places, found)) != "dead":
                words = fields(found)
                raise locked(host, words, life)
            _break(path, found, content, host)
    except Damaged as damaged:
        raise Failed(*is_damaged(host, damaged.why)) from None
    except OSError as error:
        raise Failed(
            say("lock.untaken", host=host, path=str(path), reason=error.strerror or str(error))
        ) from None
    raise Failed(say("lock.untaken", host=host, path=str(path), reason=say("lock.again-and-again")))


async def alone(held: Lock, places: Places, host: str) -> None:
    """Go on only when nobody else's lock lives, too. Raises Locked, having released ours.

    Two who have both taken their own see each other, whoever looks first. The order of their
    numbers says who gives way: the later one at once; the earlier one waits a moment for that. Who
    holds on was there before.
    """
    try:
        for left in reversed(range(_PAUSES + 1)):
            found = next(_living(places), None)
            if found is None:
                return
            if found.place.uid < my_number() or not left:
                raise locked(host, found.words, found.life, found.whose)
            await asyncio.sleep(_PAUSE)
    except BaseException:
        held.release()
        raise


def life_of(places: Places, content: str) -> Life:
    """The life of a lock of this user. alive: the owner's process runs; step: it is gone, but a
    command that it started runs; dead."""
    words = owners.owner(content)
    return "dead" if words is None else _life(words, Place(places.own, my_number(), ""), places)


def holder(places: Places, host: str) -> Holder | None:
    """The owner of this machine's lock; None when nobody holds it. `damaged`: something else stands
    there.

    Raises Failed where no lock may stand, OSError.
    """
    _must_be_safe(places, host)
    try:
        content = owners.read_owner(places.own / NAME, _MINE)
    except Damaged as damaged:
        return damaged_holder(damaged.why)
    own = held_by(content, life_of(places, content)) if content is not None else None
    if own is None or own.life == "dead":
        for found in _living(places):
            return held_by(found.text, found.life, found.whose)
    return own


def held_by(content: str, life: str, whose: Text = "") -> Holder:
    """The lines of a lock as a value; `life` as its host says it."""
    said = fields(content)
    run, who, when, why = (said.get(word, "") for word in ("run", "who", "when", "why"))
    known: Life = "step" if life == "step" else "dead" if life == "dead" else "alive"
    return Holder(run, who, when, why, known, content, whose)


def damaged_holder(reason: Text) -> Holder:
    """A holder for something at the lock's place that is no lock."""
    return Holder("", "", "", reason, "damaged", "")


def unlock(places: Places, owner: Holder, *, force: bool) -> bool:
    """Break the very lock that `owner` is; False when it is another's by now, or lives and no
    `force`.

    A damaged one is removed by `force` only. Another user's is never touched.
    """
    path = places.own / NAME
    try:
        found = owners.read_owner(path, _MINE)
    except Damaged:
        return owner.life == "damaged" and force and _clear(path)
    except OSError as error:
        raise Failed(
            say("lock.unread-here", path=str(path), reason=error.strerror or str(error))
        ) from None
    if found is None or found.strip() != owner.text.strip():
        return False
    if not force and life_of(places, found) != "dead":
        return False
    try:
        _break(path, found, owner_text(RunInfo("000000", "-", "-", "-", "unlock"), os.getpid()), "")
        _step(places.own, fields(found)).unlink(missing_ok=True)
        return path.exists() is False or owners.read(path, _MINE) != found
    except Damaged:
        return True
    except OSError as error:
        raise Failed(
            say("lock.unremoved-here", path=str(path), reason=error.strerror or str(error))
        ) from None


def owner_text(run: RunInfo, pid: int) -> str:
    """The text of a lock: one `word value` a line."""
    words = {
        "run": run.id,
        "who": run.who,
        "when": run.started,
        "why": run.why,
        "pid": str(pid),
        "start": process_start(pid),
        "boot": boot_id(),
    }
    return "".join(f"{word} {owners.quoted(value)}\n" for word, value in words.items())


def locked(host: str, owner: Mapping[str, str], life: str = "alive", whose: Text = "") -> Locked:
    """The error for a lock that another run holds; `whose`: not this user's."""
    who, when, run = (
        owner.get("who", "somebody"),
        owner.get("when", "an unknown time"),
        owner.get("run", "?"),
    )
    doing = owner.get("why", "apply")
    code = "locked.step" if life == "step" else "locked"
    held = say(code, host=host, run=run, who=who, when=when, doing=doing)
    if whose:
        held = say("locked.whose", held=held, whose=whose)
    message, cure = say("locked.nothing-done", held=held), say("locked.cure", host=host)
    return Locked(message, cure, "locked", owner.get("run", ""), held)


def is_damaged(host: str, reason: Text) -> tuple[Text, Text]:
    """Message and remedy where something stands at the lock's place that is none."""
    message = say("lock.damaged", host=host, reason=reason)
    return message, say("lock.damaged.cure", host=host)


def is_unsafe(host: str, reason: Text) -> tuple[Text, Text]:
    """Message and remedy where the lock's folder is not as it must be."""
    return say("lock.unsafe", host=host, reason=reason), say("lock.unsafe.cure")


def _must_be_safe(places: Places, host: str) -> None:
    try:
        reason = places.unsafe()
    except OSError as error:
        raise Failed(
            say(
                "lock.unread",
                host=host,
                path=str(places.own / NAME),
                reason=error.strerror or str(error),
            )
        ) from None
    if reason:
        raise Failed(*is_unsafe(host, reason))


def _living(places: Places) -> Iterator[_Found]:
    """The locks of others that live. What can't be read, or is no lock, holds nobody up."""
    for place in places.others():
        with contextlib.suppress(Damaged, OSError):
            if (found := _of_other(place, places)) is not None and found.life != "dead":
                yield found


def _of_other(place: Place, places: Places) -> _Found | None:
    if not place.safe():
        return None
    text = owners.read_owner(place.folder / NAME, place.owners)
    words = owners.owner(text or "")
    return _Found(text, words, place, _life(words, place, places)) if text and words else None


def _life(words: Mapping[str, str], place: Place, places: Places) -> Life:
    if owners.alive(words):
        return "alive"
    notes = [(place.folder, place.owners)]
    if (
        words["login"] and place.uid == 0
    ):  # with `become` root holds it, and that login's commands run, too
        login = int(words["login"])
        notes += [(folder, (login,)) for folder in places.of(login)]
    return "step" if any(_step_lives(_step(folder, words), by) for folder, by in notes) else "dead"


def _step_lives(path: Path, whose: tuple[int, ...]) -> bool:
    """True if the command that the owner started, or one of its group, still runs."""
    try:
        words = owners.step(owners.read(path, whose) or "")
    except (Damaged, OSError):
        return False
    return words is not None and owners.group_lives(words)


def _step(folder: Path, words: Mapping[str, str]) -> Path:
    return folder / f"{NAME}.step.{_generation(words)}"


def _generation(words: Mapping[str, str]) -> str:
    return f"{words['run']}-{words['pid']}"


def _sweep(folder: Path) -> None:
    """Removes the files that dead contenders left; the lock is ours."""
    for left in (
        *folder.glob(f".{NAME}.*.link"),
        *folder.glob(f"{NAME}.step.*"),
        *folder.glob(f"{NAME}.break.*"),
    ):
        if left.suffix == ".link" and _runs(left.name.split(".")[2]):
            continue
        with contextlib.suppress(OSError):
            left.unlink(missing_ok=True)


def _runs(pid: str) -> bool:
    return pid.isascii() and pid.isdigit() and len(pid) < 10 and process_start(int(pid)) != ""


def _link(path: Path, content: str) -> bool:
    """Create `path` with all of `content` at once; False when it exists. On the disk before it is
    there."""
    temporary = path.with_name(f".{NAME}.{os.getpid()}.{os.urandom(4).hex()}.link")
    try:
        disk.create(temporary, content.encode(), 0o644)
        with opened(path.parent) as folder:
            publish(folder, temporary.name, path.name)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, FileExistsError) or os.path.lexists(path):
            return False
        raise
    return True


def _break(path: Path, stale: str, content: str, host: str) -> None:
    """Remove the lock of a dead owner, if we win the right to; who died with that right is outlived
    too."""
    first = path.with_name(f"{NAME}.break.{_generation(fields(stale))}")
    right = first
    for _ in range(_DEPTH):
        if _link(right, content):
            break
        winner = _winner(right)
        if winner is None:
            return
        if winner and owners.alive(winner):
            raise locked(host, winner)
        right = right.with_name(f"{right.name}.{_generation(winner) if winner else 'damaged'}")
    else:
        raise Unfit(errno.EBUSY, say("lock.too-many-died", path=str(first)))
    try:
        if owners.read(path, _MINE) == stale:
            path.unlink()
    finally:  # another user's lock may not be ours to remove: nothing of ours stays beside it
        for left in (first, *path.parent.glob(f"{first.name}.*")):
            with contextlib.suppress(OSError):
                left.unlink(missing_ok=True)


def _winner(right: Path) -> Mapping[str, str] | None:
    """The words of the run that has the right to break the lock, none of them where its file is
    damaged; None when it is gone."""
    try:
        text = owners.read(right, _MINE)
    except Damaged:
        return {}
    return None if text is None else owners.owner(text) or {}


def _clear(path: Path) -> bool:
    """Take away what is no lock: itself, never what it leads to or holds. A folder that is not
    empty gets another name beside. Raises Failed."""
    try:
        if path.is_dir() and not path.is_symlink():
            try:
                path.rmdir()
            except OSError:
                path.rename(path.with_name(f"{NAME}.damaged.{os.urandom(4).hex()}"))
        else:
            path.unlink()
    except OSError as error:
        raise Failed(
            say("lock.unremovable", path=str(path), reason=error.strerror or str(error))
        ) from None
    return not os.path.lexists(path)
