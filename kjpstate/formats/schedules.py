"""What runs a command every so often, as text: a line of cron, a pair of systemd units, a Windows
task. Pure.

Called by `cli.schedule`. A `Job` is the same for all three; quoting is each one's own.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from kjpstate.formats.digests import sha256

MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True)
class Job:
    """`argv` (absolute program) every `every` seconds, for `document` (absolute path, told to
    readers).

    `name`: safe in a file's name and its own. `limit`: seconds after which a run is ended.
    `environ`: what must be set beside the scheduler's own variables.
    """

    name: str
    document: str
    argv: tuple[str, ...]
    every: int
    limit: int
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """The end of `name`: of the document's path alone, so it is the same under another name of
        it."""
        return self.name[-6:]

    @property
    def offset(self) -> int:
        """Seconds after the full period: many boxes must not all look in the same second."""
        return int.from_bytes(hashlib.sha256(self.document.encode()).digest()[:4], "big") % min(
            self.every, HOUR
        )


def job_name(document: str, path: str) -> str:
    """`kjpstate-bot-kjp-1f3a9c`: the document's name, and what tells two of that name apart."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", document).strip("-")[:40] or "document"
    return f"kjpstate-{plain}-{sha256(path.encode())[:6]}"


def fits(every: int) -> bool:
    """True if all three can run it evenly: minutes that divide the hour, or hours that divide the
    day."""
    if every < HOUR:
        return every >= MINUTE and every % MINUTE == 0 and HOUR % every == 0
    return every % HOUR == 0 and DAY % every == 0


# ---- cron

_MARK = "# kjpstate schedule"
_OURS = " -m kjpstate drift "
"""In every line that we write: another one under our comment is somebody else's."""


def cron_lines(job: Job) -> str:
    """A comment of ours that names the job, and its line; `%` would start standard input there."""
    minute = job.offset // MINUTE
    if job.every < HOUR:
        step = job.every // MINUTE
        when = f"{minute % step}-59/{step} * * * *" if step > 1 else "* * * * *"
    else:
        hours = job.every // HOUR
        when = (
            f"{minute} {'*' if hours == 1 else f'*/{hours}'} * * *"
            if hours < 24
            else f"{minute} 6 * * *"
        )
    words = [f"{name}={shlex.quote(value)}" for name, value in job.environ.items()]
    command = " ".join([*words, shlex.join(job.argv)]).replace("%", r"\%")
    return f"{_MARK} {job.name}: {job.document}\n{when}  {command}\n"


def cron_with(table: str, job: Job) -> str:
    """The table with the job's lines, once, at their place or at the end."""
    before, found, after = _parted(table, job)
    if not found and before and not before.endswith("\n"):
        before += "\n"
    return before + cron_lines(job) + after


def cron_without(table: str, job: Job) -> str:
    """The table without the job's lines; every other byte stays."""
    before, _, after = _parted(table, job)
    return before + after


def cron_found(table: str, job: Job) -> str:
    """The job's lines in the table, or ""."""
    return _parted(table, job)[1]


def _parted(table: str, job: Job) -> tuple[str, str, str]:
    """(before, the comment and the line of ours under it, after)."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", table)
    for at, line in enumerate(lines):
        if re.match(rf"{_MARK} kjpstate-[A-Za-z0-9_-]+-{job.mark}:", line):
            end = at + 2 if _OURS in "".join(lines[at + 1 : at + 2]) else at + 1
            return "".join(lines[:at]), "".join(lines[at:end]), "".join(lines[end:])
    return table, "", ""


# ---- systemd


def timer_units(job: Job) -> dict[str, str]:
    """File name -> text. A oneshot never overlaps with itself; 2 and 3 are no
    failure to systemd."""
    told = " ".join(job.document.split()).replace("%", "%%")
    unit = f"# Written by kjpstate schedule.\n[Unit]\nDescription=kjpstate drift of {told}\n"
    environ = "".join(
        f"Environment={_systemd_quoted(f'{name}={value}')}\n" for name, value in job.environ.items()
    )
    command = " ".join(_systemd_quoted(word).replace("$", "$$") for word in job.argv)
    service = (
        f"{unit}After=network-online.target\nWants=network-online.target\n\n"
        f"[Service]\nType=oneshot\n{environ}ExecStart={command}\n"
        f"SuccessExitStatus=2 3\nTimeoutStartSec={job.limit}\nNice=10\n"
    )
    timer = (
        f"{unit}\n[Timer]\nOnCalendar={_calendar(job.every)}\nPersistent=true\n"
        f"RandomizedDelaySec={min(job.every // 4, 300)}\nAccuracySec=1s\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )
    return {f"{job.name}.service": service, f"{job.name}.timer": timer}


def _calendar(every: int) -> str:
    if every < HOUR:
        return f"*-*-* *:0/{every // MINUTE}:00"
    return f"*-*-* 0/{every // HOUR}:00:00" if every < DAY else "*-*-* 06:00:00"


def _systemd_quoted(word: str) -> str:
    """One word: its own quotes and specifiers (%). Variables ($) are only
    looked for in ExecStart."""
    doubled = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{doubled}"' if re.search(r"[^A-Za-z0-9_@:+=.,/-]", doubled) else doubled


# ---- Windows

_TASK = """\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>{description}</Description>
  </RegistrationInfo>
  <Triggers>
    <TimeTrigger>
      <Repetition>
        <Interval>PT{minutes}M</Interval>
      </Repetition>
      <StartBoundary>2026-01-01T00:{offset:02}:00</StartBoundary>
      <RandomDelay>PT{delay}S</RandomDelay>
    </TimeTrigger>
  </Triggers>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT{limit}S</ExecutionTimeLimit>
  </Settings>
  <Actions>
    <Exec>
      <Command>{program}</Command>
      <Arguments>{arguments}</Arguments>
      <WorkingDirectory>{folder}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""


def task_xml(job: Job, arguments: str) -> str:
    """A task for `schtasks /Create /XML`; to be written as UTF-16. A missed start is made up for.

    `arguments`: the words after the program in one line, quoted as Windows wants it.
    """
    return _TASK.format(
        description=escape(f"kjpstate drift of {job.document}; written by kjpstate schedule"),
        minutes=job.every // MINUTE,
        offset=job.offset // MINUTE % 60,
        delay=min(job.every // 4, 300),
        limit=job.limit,
        program=escape(job.argv[0]),
        arguments=escape(arguments),
        folder=escape(re.split(r"[/\\][^/\\]*$", job.document)[0]),
    )
