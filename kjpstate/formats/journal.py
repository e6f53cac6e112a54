"""The journal of a run on a host: what it was about to do, on the disk before it was done. Pure.

Read by `reconcile` (is a run unfinished?), by `apply` (what happened before a link was lost) and by
`hosts/journal.py`, which also writes it; `hosts/remote/journal.sh` writes the very same. One file a
document, of its last run. Lines parted by tabs, `-` where there is nothing; a backslash and a tab
in a value escaped:

    run ID WHEN WHO WHY
    intent N KIND PATH OLD NEW BACKUP     OLD and NEW: sha256, or `-` for no file
    done N STATUS
    ended ID
    closed ID BY VERDICT                  by the next run, which found this one without its end
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

FILE = "journal"
"""Its name in the host's state folder of the document."""


@dataclass(frozen=True)
class Intent:
    """One action as it was announced. `status`: how it ended; empty when nobody knows."""

    number: str
    kind: str
    path: str
    old: str
    new: str
    backup: str
    status: str = ""


@dataclass(frozen=True)
class Journal:
    """The last run of a document. `ended`: by itself, or closed by a later run."""

    run: str
    when: str
    who: str
    why: str
    intents: tuple[Intent, ...] = field(default=())
    ended: bool = False

    @property
    def pending(self) -> Intent | None:
        """The action that may be half done: of an open journal, the last one without an end."""
        if self.ended or not self.intents or self.intents[-1].status:
            return None
        return self.intents[-1]


def read(content: bytes) -> Journal | None:
    """The journal in these bytes; None when there is none. A last line that was
    cut does not count."""
    head: list[str] = []
    intents: dict[str, Intent] = {}
    ended = False
    for line in content.decode("utf-8", "surrogateescape").split("\n")[:-1]:
        word, *values = line.split("\t")
        match word, values:
            case "run", [_, _, _, _]:
                head, intents, ended = values, {}, False
            case "intent", [number, kind, path, old, new, backup]:
                intents[number] = Intent(
                    number, kind, unquoted(path), old, new, _bare(unquoted(backup))
                )
            case "done", [number, status] if number in intents:
                known = intents[number]
                intents[number] = Intent(*_fields(known), status)
            case (("ended" | "closed"), [run, *_]) if head and run == head[0]:
                ended = True
    if not head:
        return None
    run, when, who, why = head
    return Journal(run, when, unquoted(who), unquoted(why), tuple(intents.values()), ended)


def line(*values: str) -> bytes:
    """One line of a journal."""
    return "\t".join(map(quoted, values)).encode("utf-8", "surrogateescape") + b"\n"


def lines(parts: Iterable[bytes]) -> bytes:
    """Lines to be appended: whole, whatever a full disk left of the line before them."""
    return b"".join(b"\n" + part for part in parts)


def quoted(value: str) -> str:
    """A value as one word of a line."""
    return value.replace("\\", "\\\\").replace("\t", "\\t") or "-"


def unquoted(word: str) -> str:
    """The value of a word."""
    parts = word.split("\\\\")
    return "\\".join(part.replace("\\t", "\t") for part in parts)


def _bare(word: str) -> str:
    return "" if word == "-" else word


def _fields(intent: Intent) -> tuple[str, str, str, str, str, str]:
    return intent.number, intent.kind, intent.path, intent.old, intent.new, intent.backup
