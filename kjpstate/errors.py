"""The tree of errors; each carries its exit code and, where there is one, its remedy.

KjpstateError            1   base: str() is one sentence
├─ Failed                1   an action failed and could not be restored
├─ Unreachable           3   no connection, or the link was lost
├─ Locked                4   another run holds the host
├─ StalePlan             5   what the plan saw has moved
├─ RefusedError          8   would have to guess or destroy
│  └─ Distrusted         8   a host showed a key that nobody confirmed
├─ UsageError           64   the command line
├─ DocumentError        65   the document: every problem with its line
└─ Interrupted         130   Ctrl-C

Raised from every floor, shown by `cli` only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kjpstate.said import Text, say

IN_SYNC, FAILED, DRIFT, UNREACHABLE, LOCKED, STALE = 0, 1, 2, 3, 4, 5
CHECKS_FAILED, RESTORED, REFUSED, USAGE, DOCUMENT, INTERRUPTED = 6, 7, 8, 64, 65, 130

# Known drift outranks a box that is always off; a broken host outranks all but a Ctrl-C.
_CONCERN = (0, 3, 2, 4, 5, 6, 8, 7, 65, 64, 1, 130)


_FINDINGS: Mapping[str, int] = {
    "drift": DRIFT,
    "held": DRIFT,
    "unreachable": UNREACHABLE,
    "unknown": UNREACHABLE,
    "busy": LOCKED,
    "failed": CHECKS_FAILED,
    "refused": REFUSED,
    "distrusted": REFUSED,
    "interrupted": INTERRUPTED,
}
"""What a look, a check or a watch found, and its exit code; all else that is found is well."""


def code_of(findings: Iterable[str]) -> int:
    """The exit code of greatest concern among those of the findings."""
    return worst(_FINDINGS.get(finding, IN_SYNC) for finding in findings)


def worst(codes: Iterable[int]) -> int:
    """The exit code of greatest concern; 0 for none."""
    return max(codes, key=_CONCERN.index, default=IN_SYNC)


class KjpstateError(Exception):
    """`message` says what happened and where; `remedy` what to type or change next."""

    exit_code = FAILED

    def __init__(self, message: Text, remedy: Text = "", rule: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.rule = rule


def mistake(error: Exception) -> Text:
    """What stopped a part of a run, in one sentence; of what nobody foresaw, that it is a mistake
    of ours."""
    if isinstance(error, KjpstateError):
        return error.message
    return say("errors.mistake", kind=type(error).__name__, error=str(error))


class Failed(KjpstateError):
    """An action failed; the message says what was left how."""


class Unreachable(KjpstateError):
    """No connection, or a link that was lost; `host` is the document's word for it."""

    exit_code = UNREACHABLE

    def __init__(self, host: str, message: Text, remedy: Text = "", rule: str = "") -> None:
        super().__init__(message, remedy, rule)
        self.host = host


class Locked(KjpstateError):
    """Another run holds the host."""

    exit_code = LOCKED

    def __init__(
        self, message: Text, remedy: Text = "", rule: str = "", run: str = "", held: Text = ""
    ) -> None:
        super().__init__(message, remedy, rule)
        self.run = run
        """Its id; empty when the lock does not say."""
        self.held = held or message
        """Who holds it, for a run that waits: nothing of what that run did or did not do."""


class StalePlan(KjpstateError):
    """A compared fact moved between the plan and the apply."""

    exit_code = STALE


class RefusedError(KjpstateError):
    """Going on would mean guessing or destroying."""

    exit_code = REFUSED


class Distrusted(RefusedError):
    """A host showed a key that nobody confirmed for it."""


class UsageError(KjpstateError):
    """The command line is wrong."""

    exit_code = USAGE


class Interrupted(KjpstateError):
    """Ctrl-C."""

    exit_code = INTERRUPTED


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a document. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    reason: Text

    @property
    def message(self) -> Text:
        """The reason behind its place."""
        return say(
            "document.problem",
            file=self.file,
            line=self.line,
            column=self.column,
            reason=self.reason,
        )

    def __str__(self) -> str:
        return str(self.message)


def _place(problem: Problem) -> tuple[str, int, int, str]:
    reason = problem.reason
    bare = reason if isinstance(reason, str) else reason.bare
    return problem.file, problem.line, problem.column, bare


class DocumentError(KjpstateError):
    """Every problem of a document at once, in the order of its lines; `more` are only counted."""

    exit_code = DOCUMENT

    def __init__(self, problems: Sequence[Problem], remedy: Text = "", more: int = 0) -> None:
        self.problems = tuple(sorted(problems, key=_place))
        rows = [problem.message for problem in self.problems]
        rows += [say("document.more", count=more)] * (more > 0)
        super().__init__(say("rows", rows=rows), remedy)
