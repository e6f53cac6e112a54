"""How busy an app's processes are, from two samples of /proc/PID/stat by the probe `cpu`.

`ps` shows the average of a process's whole life, which hides what it does now. Called by the kind
check and by `monitor`; `render` is for the simulated box. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from kjpstate.model import Answer, Probe, Unreadable
from kjpstate.said import Text, say

_UTIME, _STIME, _START = 11, 12, 19  # places after "pid (name) "


@dataclass(frozen=True)
class Sample:
    """`used`: ticks of CPU so far; `start`: when the process began (ticks); `uptime`: seconds, raw
    text."""

    uptime: str
    used: int
    start: str


@dataclass(frozen=True)
class Load:
    """Percent of one core by process, over the time between the samples; `gone`: processes that
    ended."""

    percent: Mapping[int, float]
    gone: tuple[int, ...] = ()


def reading(host: str, app: str, seconds: float) -> Probe:
    """The reading for the app of that name in PM2, `seconds` between its two samples."""
    return Probe(host, "cpu", (f"{seconds:g}", app))


def parse(answer: Answer) -> Load | Text:
    """The load of each process, or a sentence why that can't be known."""
    if isinstance(answer, Unreadable):
        return say("cpu.unmeasured", why=answer.why)
    if not isinstance(answer, bytes):
        return say("cpu.no-posix")
    ticks, samples = 100, {"a": dict[int, Sample](), "b": dict[int, Sample]()}
    for line in answer.decode(errors="replace").splitlines():
        letter, _, rest = line.partition(" ")
        if letter == "ticks" and rest.isdecimal():
            ticks = max(int(rest), 1)
        elif letter in samples and (found := _sample(rest)) is not None:
            samples[letter][found[0]] = found[1]
    if not samples["a"]:
        return say("cpu.no-process")
    return _load(samples["a"], samples["b"], ticks)


def render(pid: int, first: Sample, second: Sample, ticks: int = 100) -> bytes:
    """The very bytes the probe would print for one process."""
    zeros = " 0" * 10
    lines = [f"ticks {ticks}"]
    for letter, sample in (("a", first), ("b", second)):
        stat = f"{pid} (node) S{zeros} {sample.used} 0 0 0 20 0 1 0 {sample.start}"
        lines.append(f"{letter} {sample.uptime} {stat}")
    return "".join(f"{line}\n" for line in lines).encode()


def _sample(text: str) -> tuple[int, Sample] | None:
    """`UPTIME PID (NAME) STATE …`; the name may hold blanks and brackets, so count from the last
    one."""
    uptime, _, stat = text.partition(" ")
    fields = stat.rpartition(") ")[2].split()
    pid = stat.partition(" ")[0]
    if len(fields) <= _START or not pid.isdecimal():
        return None
    if not (fields[_UTIME].isdecimal() and fields[_STIME].isdecimal()):
        return None
    return int(pid), Sample(uptime, int(fields[_UTIME]) + int(fields[_STIME]), fields[_START])


def _load(first: Mapping[int, Sample], second: Mapping[int, Sample], ticks: int) -> Load:
    percent, gone = {}, []
    for pid, before in first.items():
        after = second.get(pid)
        seconds = _seconds(before.uptime, after.uptime) if after else Decimal(0)
        if after is None or after.start != before.start or seconds <= 0:
            gone.append(pid)
        else:
            percent[pid] = float(Decimal(after.used - before.used) / ticks / seconds * 100)
    return Load(percent, tuple(gone))


def _seconds(before: str, after: str) -> Decimal:
    try:
        return Decimal(after) - Decimal(before)
    except InvalidOperation:
        return Decimal(0)
