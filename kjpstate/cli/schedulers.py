"""The three schedulers that `kjpstate schedule` knows, each with the same few functions.

cron: this user's own table. systemd: units of the system for root, else of the user. Windows: a
task.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kjpstate import errors
from kjpstate.formats.schedules import (
    Job,
    cron_found,
    cron_lines,
    cron_with,
    cron_without,
    task_xml,
    timer_units,
)
from kjpstate.process import NotStarted, as_started
from kjpstate.said import Said, Text, say

_PATIENCE = 60.0
_ANYTHING = "^"
_SYSTEM = Path("/etc/systemd/system")


@dataclass(frozen=True)
class Scheduler:
    """`text`: what stands there when written. `found`: what stands there now, "" for nothing of
    ours.

    `environ`: the variables with which it starts a command. `hint`: one sentence after writing.
    """

    place: Callable[[Job], Text]
    text: Callable[[Job], str]
    found: Callable[[Job], str]
    write: Callable[[Job], None]
    remove: Callable[[Job], None]
    environ: Callable[[], Mapping[str, str]]
    hint: Callable[[Job], Text]


def chosen(by: str | None) -> Scheduler:
    """The one named, else what this machine has: a Windows task, a systemd timer, cron. Raises
    Failed."""
    if by is None:
        if sys.platform == "win32":
            by = "task"
        elif Path("/run/systemd/system").is_dir() and shutil.which("systemctl"):
            by = "timer"
        elif shutil.which("crontab"):
            by = "cron"
        else:
            raise errors.Failed(
                say("schedule.no-scheduler"),
                say("schedule.no-scheduler.cure"),
            )
    return ALL[by]


def interpreter() -> str:
    """This Python; of Windows' two the one that opens no window every ten minutes."""
    if sys.platform == "win32":
        quiet = Path(sys.executable).with_name("pythonw.exe")
        return str(quiet) if quiet.is_file() else sys.executable
    return sys.executable


def trial(job: Job, environ: Mapping[str, str], own: Mapping[str, str]) -> tuple[int, str]:
    """(exit code, what it printed) of the job's command run once in that environment."""
    # Windows starts no program without these; they are the system's, not the shell's.
    kept = {
        name: own[name]
        for name in ("SYSTEMROOT", "USERPROFILE", "LOCALAPPDATA", "TEMP")
        if name in own
    }
    try:
        done = subprocess.run(
            job.argv,
            env={**(kept if sys.platform == "win32" else {}), **environ, **job.environ},
            cwd=Path.home() if Path.home().is_dir() else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=job.limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return errors.FAILED, str(say("cli.trial-no-end", seconds=job.limit))
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _command(argv: list[str], text: str = "", *, fine: str = "") -> str:
    """What a command printed, byte for byte. `fine`: what it says (a pattern) when it fails and all
    is well, with nothing to print. Raises Failed when it can't be run or fails otherwise."""
    try:
        done = subprocess.run(
            as_started(argv),
            input=text.encode("utf-8", "surrogateescape"),
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, NotStarted, subprocess.TimeoutExpired) as error:
        raise errors.Failed(say("cli.can-not-run", program=argv[0], reason=str(error))) from None
    if done.returncode == 0:
        return done.stdout.decode("utf-8", "surrogateescape")
    said = (done.stderr or done.stdout).decode(errors="replace").strip()
    if fine and re.search(fine, said):
        return ""
    if not said:
        ended = say("cli.command-ended", command=" ".join(argv), status=done.returncode)
        raise errors.Failed(ended)
    raise errors.Failed(say("cli.command-said", command=" ".join(argv), said=said))


# ---- cron


def _table() -> str:
    # Whatever else it says, there may be a table, and it must not be written over.
    return _command(
        ["crontab", "-l"], fine="(?i)^(crontab: )?no crontab|No such file or directory$"
    )


def _put_table(table: str) -> None:
    if table:
        _command(["crontab", "-"], table)
    else:
        _command(["crontab", "-r"])


def _cron_environ() -> Mapping[str, str]:
    """cron knows the user and hardly anything else."""
    import getpass

    user = getpass.getuser()
    return {
        "HOME": str(Path.home()),
        "LOGNAME": user,
        "USER": user,
        "SHELL": "/bin/sh",
        "PATH": "/usr/bin:/bin",
    }


_CRON = Scheduler(
    place=lambda job: say("schedule.crontab"),
    text=cron_lines,
    found=lambda job: cron_found(_table(), job),
    write=lambda job: _put_table(cron_with(_table(), job)),
    remove=lambda job: _put_table(cron_without(_table(), job)),
    environ=_cron_environ,
    hint=lambda job: say("schedule.cron-hint"),
)


# ---- systemd


def _units() -> tuple[Path, list[str]]:
    """The folder of units that is ours to write, and how systemctl is asked about it."""
    if sys.platform != "win32" and os.geteuid() == 0:
        return _SYSTEM, ["systemctl"]
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "systemd" / "user", ["systemctl", "--user"]


def _timer_text(job: Job) -> str:
    folder, _ = _units()
    return "\n".join(f"# {folder / name}\n{text}" for name, text in timer_units(job).items())


def _timer_found(job: Job) -> str:
    """The units as they stand, and that they do not run if so: then they are not what we write."""
    folder, systemctl = _units()
    names = [*timer_units(job), *(f"{name}.timer" for name in _other_names(folder, job))]
    files = [folder / name for name in names if (folder / name).is_file()]
    if not files:
        return ""
    state = _command([*systemctl, "is-enabled", f"{job.name}.timer"], fine=_ANYTHING).strip()
    units = "\n".join(f"# {file}\n{file.read_text('utf-8', 'replace')}" for file in files)
    return units if state == "enabled" else f"{units}\n# not enabled"


def _other_names(folder: Path, job: Job) -> list[str]:
    """Of this very document, from when its `name` was another one: it would be looked at twice."""
    found = (file.stem for file in folder.glob(f"kjpstate-*-{job.mark}.timer"))
    return sorted(name for name in found if name != job.name)


def _timer_write(job: Job) -> None:
    folder, systemctl = _units()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in timer_units(job).items():
            (folder / name).write_text(text, "utf-8")
    except OSError as error:
        raise errors.Failed(say("schedule.units-not-written", reason=str(error))) from None
    for name in _other_names(folder, job):
        _timer_out(name)
    _command([*systemctl, "daemon-reload"])
    _command([*systemctl, "enable", "--now", f"{job.name}.timer"])


def _timer_remove(job: Job) -> None:
    folder, systemctl = _units()
    for name in (job.name, *_other_names(folder, job)):
        _timer_out(name)
    _command([*systemctl, "daemon-reload"])


def _timer_out(name: str) -> None:
    folder, systemctl = _units()
    if (folder / f"{name}.timer").is_file():
        _command([*systemctl, "disable", "--now", f"{name}.timer"])
    try:
        for file in (folder / f"{name}.service", folder / f"{name}.timer"):
            file.unlink(missing_ok=True)
    except OSError as error:
        raise errors.Failed(say("schedule.units-not-removed", reason=str(error))) from None


def _timer_environ() -> Mapping[str, str]:
    user = {} if _units()[1] == ["systemctl"] else {"HOME": str(Path.home())}
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **user}


def _timer_hint(job: Job) -> Said:
    _, systemctl = _units()
    asked = " ".join(systemctl)
    if "--user" in systemctl:
        return say("cli.timer-user", systemctl=asked, name=job.name)
    return say("cli.timer", systemctl=asked, name=job.name)


_TIMER = Scheduler(
    place=lambda job: say("schedule.timer-place", name=job.name),
    text=_timer_text,
    found=_timer_found,
    write=_timer_write,
    remove=_timer_remove,
    environ=_timer_environ,
    hint=_timer_hint,
)


# ---- Windows


def _task_text(job: Job) -> str:
    if job.environ:
        raise errors.UsageError(
            say("schedule.task-environ", names=[f"${name}" for name in job.environ]),
            say("schedule.task-environ.cure"),
        )
    return task_xml(job, subprocess.list2cmdline(job.argv[1:]))


def _task_found(job: Job) -> str:
    """The task as Windows gives it back; as we write it when it does the same."""
    found = _command(["schtasks", "/Query", "/TN", job.name, "/XML"], fine=_ANYTHING)
    text = _task_text(job)
    telling = [
        row.strip() for row in text.splitlines() if "<Arguments>" in row or "<Interval>" in row
    ]
    return text if all(row in found for row in telling) else found


def _task_write(job: Job) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "task.xml"
        file.write_text(_task_text(job), "utf-16")
        _command(["schtasks", "/Create", "/TN", job.name, "/XML", str(file), "/F"])


def _task_remove(job: Job) -> None:
    _command(["schtasks", "/Delete", "/TN", job.name, "/F"])


_TASK = Scheduler(
    place=lambda job: say("schedule.task-place", name=job.name),
    text=_task_text,
    found=_task_found,
    write=_task_write,
    remove=_task_remove,
    environ=dict,
    hint=lambda job: say("schedule.task-hint", name=job.name),
)

ALL: Mapping[str, Scheduler] = {"cron": _CRON, "timer": _TIMER, "task": _TASK}
