"""The checks that look at a file, run a command that only looks, or ask a person."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from kjpstate.kinds.check.spec import CommandCheck, FileCheck, ManualCheck
from kjpstate.kinds.check.verdict import Verdict, all_of
from kjpstate.model import (
    Answers,
    Completed,
    File,
    ReadCommand,
    ReadFile,
    Reading,
    Unreadable,
)
from kjpstate.said import Said, Text, say
from kjpstate.secret import shortened


def file_reads(spec: FileCheck) -> Iterable[Reading]:
    """The file."""
    yield ReadFile(spec.host, spec.path)


def file_verdict(spec: FileCheck, answers: Answers) -> Verdict:
    """Passed when it holds all of `contains` and nothing of `absent`."""
    answer = answers.get(ReadFile(spec.host, spec.path))
    if isinstance(answer, Unreadable):
        return Verdict("failed", say("check.file-unread", path=spec.path, why=answer.why))
    if not isinstance(answer, File):
        return Verdict("failed", say("check.no-file", path=spec.path))
    return all_of(_file_findings(spec, answer.content.decode(errors="replace")))


def _file_findings(spec: FileCheck, text: str) -> Iterator[tuple[bool, Text]]:
    path, wanted, unwanted = spec.path, spec.contains, spec.absent
    missing = [item for item in wanted if item not in text]
    found = [item for item in unwanted if item in text]
    if not wanted and not unwanted:
        yield True, say("check.file-is-there", path=path)
    if wanted:
        code = "check.file-lacks" if missing else "check.file-has"
        yield not missing, say(code, path=path, texts=missing or wanted)
    if unwanted:
        code = "check.file-has" if found else "check.file-lacks"
        yield not found, say(code, path=path, texts=found or unwanted)


def command_reads(spec: CommandCheck) -> Iterable[Reading]:
    """The command; that it only looks is its author's word."""
    yield ReadCommand(spec.host, spec.run, spec.cwd)


def command_verdict(spec: CommandCheck, answers: Answers) -> Verdict:
    """Passed when it ended with 0; else what it said last is told."""
    line = shlex.join(spec.run)
    answer = answers.get(ReadCommand(spec.host, spec.run, spec.cwd))
    if not isinstance(answer, Completed):
        why = answer.why if isinstance(answer, Unreadable) else say("check.no-answer")
        return Verdict("failed", say("check.not-run", command=line, why=why))
    if answer.exit_code == 0:
        return Verdict("passed", say("check.ended-well", command=line))
    said = (answer.stderr.strip() or answer.stdout.strip()).decode(errors="replace").splitlines()
    return Verdict(
        "failed", _ended(line, answer.exit_code, shortened(said[-1], 200) if said else "")
    )


def _ended(line: str, code: int | None, last: str) -> Said:
    if code is None:
        ended = "check.killed-saying" if last else "check.killed"
        return say(ended, command=line, said=last)
    return say("check.ended-saying" if last else "check.ended", command=line, code=code, said=last)


def manual_reads(spec: ManualCheck) -> Iterable[Reading]:
    """Nothing: only a person can look."""
    return ()


def manual_verdict(spec: ManualCheck, answers: Answers) -> Verdict:
    """Never passed, never failed: what the person is asked to do."""
    return Verdict("manual", spec.text)
