"""The checks that look at a file, run a command that only looks, or ask a person."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from kjpstate.kinds.check.spec import CommandCheck, FileCheck, ManualCheck
from kjpstate.kinds.check.verdict import Verdict, all_of, quoted
from kjpstate.model import (
    Answers,
    Completed,
    File,
    ReadCommand,
    ReadFile,
    Reading,
    Unreadable,
)
from kjpstate.secret import shortened


def file_reads(spec: FileCheck) -> Iterable[Reading]:
    """The file."""
    yield ReadFile(spec.host, spec.path)


def file_verdict(spec: FileCheck, answers: Answers) -> Verdict:
    """Passed when it holds all of `contains` and nothing of `absent`."""
    answer = answers.get(ReadFile(spec.host, spec.path))
    if isinstance(answer, Unreadable):
        return Verdict("failed", f"{spec.path} could not be read: {answer.why}")
    if not isinstance(answer, File):
        return Verdict("failed", f"{spec.path} is not there")
    return all_of(_file_findings(spec, answer.content.decode(errors="replace")))


def _file_findings(spec: FileCheck, text: str) -> Iterator[tuple[bool, str]]:
    path, wanted, unwanted = spec.path, spec.contains, spec.absent
    missing = [item for item in wanted if item not in text]
    found = [item for item in unwanted if item in text]
    if not wanted and not unwanted:
        yield True, f"{path} is there"
    if wanted:
        yield not missing, f"{path} {'lacks' if missing else 'has'} {quoted(missing or wanted)}"
    if unwanted:
        yield not found, f"{path} {'has' if found else 'lacks'} {quoted(found or unwanted)}"


def command_reads(spec: CommandCheck) -> Iterable[Reading]:
    """The command; that it only looks is its author's word."""
    yield ReadCommand(spec.host, spec.run, spec.cwd)


def command_verdict(spec: CommandCheck, answers: Answers) -> Verdict:
    """Passed when it ended with 0; else what it said last is told."""
    line = shlex.join(spec.run)
    answer = answers.get(ReadCommand(spec.host, spec.run, spec.cwd))
    if not isinstance(answer, Completed):
        why = answer.why if isinstance(answer, Unreadable) else "no answer"
        return Verdict("failed", f"{line} could not be run: {why}")
    if answer.exit_code == 0:
        return Verdict("passed", f"{line} ended with 0")
    said = (answer.stderr.strip() or answer.stdout.strip()).decode(errors="replace").splitlines()
    ended = "was killed" if answer.exit_code is None else f"ended with {answer.exit_code}"
    return Verdict("failed", f"{line} {ended}" + (f": {shortened(said[-1], 200)}" if said else ""))


def manual_reads(spec: ManualCheck) -> Iterable[Reading]:
    """Nothing: only a person can look."""
    return ()


def manual_verdict(spec: ManualCheck, answers: Answers) -> Verdict:
    """Never passed, never failed: what the person is asked to do."""
    return Verdict("manual", spec.text)
