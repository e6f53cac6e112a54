"""A watch -> lines: one a look, one a hole, and the verdict with its reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kjpstate.formats.soak import Hole, Limits, Sample, Soak, Subject, Verdict, size
from kjpstate.formats.times import clock
from kjpstate.render.lines import BLANK, Line
from kjpstate.said import Said, Text, say

_SAID = {
    "passed": ("checks.ok", "good"),
    "failed": ("checks.failed", "refuse"),
    "unknown": ("checks.not-known", "refuse"),
}
_LONGEST = 40


def opening_lines(
    subjects: Sequence[Subject], limits: Limits, length: float, every: float
) -> Iterator[Line]:
    """What is about to be watched, for how long, and within which limits."""
    apps = [say("soak.app", app=subject.app, host=subject.host) for subject in subjects]
    yield Line(say("soak.watching", apps=apps, length=length, every=every), "strong", hang=2)
    bounds = list(_limits(limits))
    said = say("soak.limits", limits=bounds) if bounds else say("soak.no-limits")
    yield Line(said, hang=2)


def sample_line(sample: Sample, limits: Limits, *, alone: bool = False) -> Line:
    """One look in one row; what is beyond its limit is marked by `!`. `alone`: no other app is
    watched."""
    beyond = beyonds(sample, limits)
    cells = [
        f"{'! ' if beyond[key] else ''}{head} {value}".replace("  ", " ").strip()
        for key, (head, value) in cells_of(sample).items()
    ]
    notes = "".join(f"; {note}" for note in sample.notes)
    style = "refuse" if any(beyond.values()) else "change" if sample.notes else ""
    whose = "" if alone else f"{sample.host}  {sample.app}  "
    return Line(f"{clock(sample.at):>7}  {whose}{'  '.join(cells)}{notes}", style, hang=9)


def hole_line(hole: Hole) -> Line:
    """The beginning of a hole, or its end."""
    if hole.end is None:
        lost = say("soak.out-of-sight", host=hole.host, why=hole.why)
        return Line(f"{clock(hole.start):>7}  {lost}", "refuse", hang=9)
    found = say("soak.seen-again", host=hole.host, after=hole.end - hole.start)
    return Line(f"{clock(hole.end):>7}  {found}", "change")


def soak_lines(soak: Soak) -> tuple[Line, ...]:
    """The verdict over each app, what it rests on, and the count."""
    lines = [Line(say("soak.title"), "strong", ours=True)]
    for verdict in soak.verdicts:
        lines += _verdict(verdict, soak)
    lines += [Line(f"  {_lost(hole, soak)}", hang=4) for hole in soak.holes]
    found = [verdict.result for verdict in soak.verdicts]
    counted = [say("checks.count-passed", count=found.count("passed"))]
    counted += [say("checks.count-failed", count=found.count("failed"))]
    if "unknown" in found:
        counted.append(say("checks.count-not-known", count=found.count("unknown")))
    told = say("soak.counts", parts=counted, took=soak.seconds)
    if soak.ended != "whole":
        told = say("soak.counts-of", parts=counted, took=soak.seconds, wanted=soak.wanted)
    return (*lines, BLANK, Line(told, ours=True))


def cells_of(sample: Sample) -> Mapping[str, tuple[str, str]]:
    """The columns of a look, each with its head and its value; what is not known is `?`."""
    cells = {
        "state": ("", str(_state(sample))),
        "cpu": (str(say("soak.cpu")), "?" if sample.cpu is None else f"{sample.cpu:.1f}%"),
        "memory": (str(say("soak.memory")), "?" if sample.memory is None else size(sample.memory)),
        "crashes": (str(say("soak.crashes")), str(_crashes(sample))),
    }
    for text, times in sample.logs.items():
        cells[f"log {text}"] = _short(text), "?" if times is None else str(times)
    for name, well in sample.names.items():
        cells[f"name {name}"] = (
            _short(name),
            "?" if well is None else str(say("checks.ok" if well else "soak.unresolved")),
        )
    return cells


def _state(sample: Sample) -> Said:
    return say("soak.not-alive", why=sample.sick) if sample.sick else say("soak.alive")


def _crashes(sample: Sample) -> Text:
    if not sample.planned:
        return str(sample.crashes)
    return say("soak.planned", crashes=sample.crashes, planned=sample.planned)


def beyonds(sample: Sample, limits: Limits) -> Mapping[str, bool]:
    """For each of these columns, whether this look alone is beyond its limit."""
    found = dict.fromkeys(cells_of(sample), False)
    found["state"] = bool(sample.sick)
    found["cpu"] = limits.cpu is not None and (sample.cpu or 0) > limits.cpu
    found["memory"] = limits.memory is not None and (sample.memory or 0) > limits.memory
    found["crashes"] = limits.crash_restarts is not None and sample.crashes > limits.crash_restarts
    for text, most in limits.log.items():
        found[f"log {text}"] = (sample.logs.get(text) or 0) > most
    for name, well in sample.names.items():
        found[f"name {name}"] = well is False
    return found


def _limits(limits: Limits) -> Iterator[Said]:
    if limits.cpu is not None:
        yield say("soak.limit-cpu", percent=limits.cpu)
    if limits.memory is not None:
        yield say("soak.limit-memory", size=size(limits.memory))
    if limits.crash_restarts is not None:
        yield say("soak.limit-crashes", times=limits.crash_restarts)
    if limits.unresolved is not None:
        yield say("soak.limit-unresolved", times=limits.unresolved)
    for text, most in limits.log.items():
        yield say("soak.limit-log", times=most, text=text)


def _verdict(verdict: Verdict, soak: Soak) -> Iterator[Line]:
    code, style = _SAID[verdict.result]
    mark, app = say(code), say("soak.app", app=verdict.app, host=verdict.host)
    label = f"  {mark!s:<9}  {app}  "
    seen = [
        sample
        for sample in soak.samples
        if (sample.host, sample.app) == (verdict.host, verdict.app)
    ]
    yield Line(f"{label}{_summary(seen, verdict)}", style, hang=len(label))
    for finding in verdict.findings:
        when = "" if finding.at is None else f"{clock(finding.at)}  "
        yield Line(f"             {when}{finding.what}", style, hang=13 + len(when))


def _summary(seen: Sequence[Sample], verdict: Verdict) -> Said:
    """`60 looks: CPU 2% on average, 12% at most; memory 90 MB at most; 0 crash restarts`."""
    if not seen:
        return say("soak.never-seen")
    loads = [sample.cpu for sample in seen if sample.cpu is not None]
    memory = [sample.memory for sample in seen if sample.memory is not None]
    parts: list[Text] = []
    if loads:
        parts.append(say("soak.loads", mean=sum(loads) / len(loads), most=max(loads)))
    if memory:
        parts.append(say("soak.most-memory", size=size(max(memory))))
    parts.append(say("soak.limit-crashes", times=seen[-1].crashes))
    parts += [
        f"{_short(text)} {times}" for text, times in seen[-1].logs.items() if times is not None
    ]
    return say("soak.looks", count=len(seen), parts=parts)


def _lost(hole: Hole, soak: Soak) -> Said:
    told = {"host": hole.host, "why": hole.why, "start": hole.start}
    if hole.end is None:
        return say("soak.lost-to-the-end", end=soak.seconds, **told)
    return say("soak.lost", end=hole.end, **told)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
