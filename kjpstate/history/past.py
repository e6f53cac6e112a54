"""One past run as a value. Made by `cli.recording` and by `store`, shown by `render.pasts`."""

from __future__ import annotations

from dataclasses import dataclass

from kjpstate.formats.digests import digest_of

ACTS = ("apply", "rollback", "monitor")
"""Verbs that change something, or that somebody waited for: kept longer than mere looks."""

FOLDED = ("drift", "verify")
"""Verbs that run for years from cron: a run with the result of the one before is counted, not
added."""


@dataclass(frozen=True)
class Item:
    """What became of one thing in a run.

    `result`: drift, refused, held, unreachable, busy, unfinished; of an apply the words of
    `model.Step`, of a check those of `model.CheckResult`. `about`: why in words that do not tick:
    the keys that differ, a rule's id, `check`. `reason`: as a person reads it. `address` is empty
    where the host itself is meant.
    """

    host: str
    address: str
    result: str
    about: str = ""
    reason: str = ""

    @property
    def same(self) -> tuple[str, str, str, str]:
        """What makes it the same finding as another: all but the words for people."""
        return self.host, self.address, self.result, self.about


@dataclass(frozen=True)
class Past:
    """One run. `times`: how often in a row it came out like this, the last time at `last`.

    `id`: six hex digits. `document`: its name, empty when it could not be read; `path` and `digest`
    (sha256 of its text) say which text it was. `seconds`: of the last time. `scope`: the options
    that narrowed it, as typed. `hosts`: those in scope. `backups`: (host, path, backup). `at`: the
    host it was read from, empty for a run of this machine.
    """

    id: str
    verb: str
    document: str
    path: str
    digest: str
    who: str
    started: str
    seconds: float
    exit_code: int
    said: str = ""
    scope: str = ""
    hosts: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    backups: tuple[tuple[str, str, str], ...] = ()
    times: int = 1
    last: str = ""
    at: str = ""

    @property
    def ended(self) -> str:
        """When it last came out like this."""
        return self.last or self.started

    @property
    def print(self) -> str:
        """Equal for two runs that found the same in the same scope."""
        same = [
            self.verb,
            self.document,
            self.path,
            self.digest,
            self.who,
            self.scope,
            self.exit_code,
        ]
        found = sorted(item.same for item in self.items)
        return digest_of([*same, self.hosts, found])


@dataclass(frozen=True)
class Wanted:
    """Which runs are asked for; empty means any. `since`: a time; `most`: the newest so many.

    `document` and `path`: of the document of that name, or at that path while it could not be read.
    """

    document: str = ""
    path: str = ""
    verbs: tuple[str, ...] = ()
    host: str = ""
    since: str = ""
    failed: bool = False
    most: int = 0
