"""What a host answered: frames of `remote/lib.sh` read back into answers. Pure.

Called by `ssh`. The box may be anybody's: a frame that is not as our scripts write it makes its
reading Unreadable, never an exception.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kjpstate.errors import Failed
from kjpstate.formats.journal import unquoted
from kjpstate.formats.tree import unfolded
from kjpstate.hosts.coded import decoded
from kjpstate.hosts.lock import damaged_holder, held_by, is_unsafe
from kjpstate.model import (
    VERDICTS,
    Answer,
    Answers,
    Clock,
    Completed,
    File,
    Holder,
    Probe,
    ReadCommand,
    ReadFile,
    ReadGlob,
    Reading,
    ReadLock,
    ReadStat,
    ReadState,
    ReadTree,
    Recovered,
    Stat,
    Tree,
    TreeFile,
    Unfinished,
    Unreadable,
    Verdict,
)
from kjpstate.said import Text, say


@dataclass(frozen=True)
class Frame:
    """`words` of its head, the first one its kind; the bytes up to the next head."""

    words: tuple[str, ...]
    body: bytes

    @property
    def kind(self) -> str:
        return self.words[0]

    @property
    def text(self) -> str:
        """The body as text, whatever bytes it has."""
        return self.body.decode(errors="replace").strip()

    @property
    def said(self) -> Text:
        """The sentence that the body stands for."""
        return decoded(self.body.decode(errors="replace"))


def closing(nonce: str) -> bytes:
    """The bytes that end every whole reply."""
    return f"\n{nonce} over\n".encode()


def split(reply: bytes, nonce: str) -> list[Frame]:
    """The frames of a reply, without the closing one; what stands before the first is dropped."""
    found = []
    for part in reply.split(f"\n{nonce} ".encode())[1:]:
        head, _, body = part.partition(b"\n")
        words = tuple(head.decode(errors="replace").split(" "))
        if words != ("over",):
            found.append(Frame(words, body))
    return found


def answers(readings: Sequence[Reading], frames: Sequence[Frame]) -> Answers:
    """Each reading with its answer, from the frames up to the next `end`."""
    groups: list[list[Frame]] = [[]]
    for frame in frames:
        if frame.kind == "end":
            groups.append([])
        else:
            groups[-1].append(frame)
    return {
        reading: _understood(reading, groups[index] if index < len(groups) - 1 else [])
        for index, reading in enumerate(readings)
    }


def _understood(reading: Reading, frames: list[Frame]) -> Answer:
    try:
        return _answer(reading, {frame.kind: frame for frame in frames}, frames)
    except (ValueError, KeyError, IndexError):
        return Unreadable(say("hosts.not-understood"))


def _answer(reading: Reading, by_kind: dict[str, Frame], frames: list[Frame]) -> Answer:
    if isinstance(reading, ReadGlob):
        return _glob(frames)
    if "unreadable" in by_kind:
        return Unreadable(by_kind["unreadable"].said)
    if "moved" in by_kind:
        return Unreadable(say("hosts.moved-while-read"))
    if "missing" in by_kind:
        return None
    match reading:
        case ReadFile(path=path):
            return _file(path, by_kind)
        case ReadState():
            found = _file(reading.name, by_kind)
            return found.content if isinstance(found, File) else found
        case ReadStat(path=path):
            return _stat(path, by_kind["stat"].body.decode(errors="surrogateescape"))
        case ReadTree(root=root):
            return _tree(root, by_kind)
        case ReadCommand():
            code = exit_code(int(by_kind["code"].words[1]))
            return Completed(code, by_kind["out"].body, by_kind["err"].body)
        case ReadLock():
            return _holder(by_kind)
        case Probe(name=name):
            if by_kind["code"].words[1] != "0":
                said = by_kind["err"].text.rpartition("\n")[2]
                reason = said or by_kind["code"].words[1]
                return Unreadable(say("hosts.probe-failed", probe=name, reason=reason))
            return by_kind["out"].body
        case _:
            return Clock(by_kind["clock"].words[1], by_kind["clock"].words[2])


def _holder(by_kind: Mapping[str, Frame]) -> Holder | Unreadable | None:
    for kind in ("damaged", "unsafe"):
        if kind in by_kind:
            return Unreadable(by_kind[kind].said)
    found = by_kind.get("holder")
    whose = by_kind["whose"].said if "whose" in by_kind else ""
    return held_by(found.text, found.words[1], whose) if found is not None else None


def holder(host: str, reply: Sequence[Frame]) -> Holder | None:
    """The owner of a host's lock, from a reply that holds nothing else. Raises Failed where no lock
    can be kept."""
    by_kind = {frame.kind: frame for frame in reply}
    _raise_unsafe(host, by_kind)
    if "damaged" in by_kind:
        return damaged_holder(by_kind["damaged"].said)
    found = _understood(ReadLock(host), list(reply))
    if isinstance(found, Unreadable):
        raise Failed(say("lock.unread-there", host=host, reason=found.why))
    return found if isinstance(found, Holder) else None


def broken(host: str, reply: Sequence[Frame]) -> bool:
    """True if the host says that the lock is broken. Raises Failed where it can't be removed."""
    by_kind = {frame.kind: frame for frame in reply}
    _raise_unsafe(host, by_kind)
    if "nolock" in by_kind:
        raise Failed(say("lock.unremoved-there", host=host, reason=by_kind["nolock"].said))
    return "broken" in by_kind


def _raise_unsafe(host: str, by_kind: Mapping[str, Frame]) -> None:
    if "unsafe" in by_kind:
        raise Failed(*is_unsafe(host, by_kind["unsafe"].said))


def recovered(host: str, frames: Sequence[Frame]) -> tuple[Recovered, ...]:
    """The actions that a session settled when it began."""
    return tuple(_recovered(host, frame) for frame in frames if frame.kind == "recovered")


def _recovered(host: str, frame: Frame) -> Recovered:
    document, who, _, path, *_ = [*frame.body.decode(errors="replace").split("\n"), "", "", "", ""]
    run, when, verdict, kind, *_ = [*frame.words[1:], "", "", "", ""]
    at = (kind, unquoted(path)) if kind != "-" else ("", "")
    known: Verdict = next((word for word in VERDICTS if word == verdict), "unknown")
    return Recovered(host, document, Unfinished(run, when, unquoted(who), *at), known)


def exit_code(code: int) -> int | None:
    """A shell's word for how a command ended; None for death by a signal."""
    return None if 128 < code <= 192 else code


def _file(path: str, by_kind: dict[str, Frame]) -> File | Unreadable:
    frame = by_kind["file"]
    size, mode, owner = int(frame.words[1]), int(frame.words[2], 16), frame.words[3]
    if len(frame.body) != size:
        return Unreadable(say("hosts.moved-while-read"))
    link = (
        by_kind["link"].body.decode(errors="surrogateescape").rstrip("\n")
        if "link" in by_kind
        else ""
    )
    return File(path, frame.body, stat.S_IMODE(mode), owner, link)


def _stat(path: str, line: str) -> Stat:
    size, mode, owner, changed = line.split(" ", 3)
    return Stat(path, _type(int(mode, 16)), stat.S_IMODE(int(mode, 16)), int(size), owner, changed)


def _type(mode: int) -> Literal["file", "directory", "symlink", "other"]:
    if stat.S_ISLNK(mode):
        return "symlink"
    if stat.S_ISREG(mode):
        return "file"
    return "directory" if stat.S_ISDIR(mode) else "other"


def _glob(frames: list[Frame]) -> tuple[File, ...] | Unreadable:
    found: dict[str, File] = {}
    path, pending = "", {}
    for frame in [*frames, Frame(("path",), b"")]:
        if frame.kind != "path":
            pending[frame.kind] = frame
            continue
        if "unreadable" in pending:
            return Unreadable(say("hosts.at", path=path, why=pending["unreadable"].said))
        if "moved" in pending:
            return Unreadable(say("hosts.at", path=path, why=say("hosts.moved-while-read")))
        if "file" in pending:
            answer = _file(path, pending)
            if isinstance(answer, Unreadable):
                return Unreadable(say("hosts.at", path=path, why=answer.why))
            found[path] = answer
        path, pending = frame.body.decode(errors="surrogateescape"), {}
    return tuple(found[path] for path in sorted(found))


def _tree(root: str, by_kind: dict[str, Frame]) -> Tree | Unreadable:
    if "tree" not in by_kind:
        raise KeyError("tree")
    if "sums" not in by_kind:
        return Tree(root, {})
    digests = {name: digest for digest, name in _named(by_kind["sums"], "  ", 1)}
    if any(len(digest) != 64 for digest in digests.values()):
        raise ValueError(digests)
    files = {}
    for *state, name in _named(by_kind["states"], "|", 5):
        size, mode, modified, changed, inode = state
        if name not in digests:
            continue  # it came after the digests were made: the next look sees it
        moves = f"{modified} {changed} {inode}"
        files[name] = TreeFile(digests[name], int(size), stat.S_IMODE(int(mode, 16)), moves)
    others, folders = (
        tuple(sorted({name for (name,) in _named(by_kind[kind], "\n", 0)} - {"."}))
        for kind in ("others", "folders")
    )
    return Tree(root, files, others, folders)  # what went away since its digest has no state


def _named(frame: Frame, sign: str, parts: int) -> Iterator[list[str]]:
    """The words of each line, parted by `sign`; the last one a name below the root, unfolded."""
    for line in frame.body.decode(errors="surrogateescape").split("\n"):
        if line:
            *words, name = line.removeprefix("\\").split(sign, parts)
            yield [*words, (unfolded(name) if line[0] == "\\" else name).removeprefix("./")]
