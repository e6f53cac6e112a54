"""A watch -> lines: one a look, one a hole, and the verdict with its reasons. Called by `cli` and
`live`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kjpstate.formats.soak import Hole, Limits, Sample, Soak, Subject, Verdict, size
from kjpstate.formats.times import clock
from kjpstate.render.lines import BLANK, Line

_SAID = {
    "passed": ("ok", "good"),
    "failed": ("FAILED", "refuse"),
    "unknown": ("not known", "refuse"),
}
_LONGEST = 40


def opening_lines(
    subjects: Sequence[Subject], limits: Limits, length: float, every: float
) -> Iterator[Line]:
    """What is about to be watched, for how long, and within which limits."""
    apps = ", ".join(f"{subject.app} on {subject.host}" for subject in subjects)
    yield Line(
        f"Watching {apps} for {clock(length)}, a look every {every:g} s. Ctrl-C ends it.",
        "strong",
        hang=2,
    )
    said = "; ".join(_limits(limits))
    yield Line(f"Limits: {said or 'none in this document; it must only be alive'}.", hang=2)


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
        return Line(
            f"{clock(hole.start):>7}  {hole.host}  out of sight: {hole.why}", "refuse", hang=9
        )
    return Line(
        f"{clock(hole.end):>7}  {hole.host}  seen again after {clock(hole.end - hole.start)}",
        "change",
    )


def soak_lines(soak: Soak) -> tuple[Line, ...]:
    """The verdict over each app, what it rests on, and the count."""
    lines = [Line("Watched:", "strong", ours=True)]
    for verdict in soak.verdicts:
        lines += _verdict(verdict, soak)
    lines += [
        Line(f"  {hole.host} was out of sight {_time(hole, soak)}: {hole.why}", hang=4)
        for hole in soak.holes
    ]
    found = [verdict.result for verdict in soak.verdicts]
    counted = [f"{found.count('passed')} passed", f"{found.count('failed')} failed"]
    counted += [f"{found.count('unknown')} not known"] if "unknown" in found else []
    length = clock(soak.seconds) + ("" if soak.ended == "whole" else f" of {clock(soak.wanted)}")
    return (*lines, BLANK, Line(f"Monitor: {', '.join(counted)}, in {length}.", ours=True))


def cells_of(sample: Sample) -> Mapping[str, tuple[str, str]]:
    """The columns of a look, each with its head and its value; what is not known is `?`."""
    cells = {
        "state": ("", f"not alive: {sample.sick}" if sample.sick else "alive"),
        "cpu": ("CPU", "?" if sample.cpu is None else f"{sample.cpu:.1f}%"),
        "memory": ("memory", "?" if sample.memory is None else size(sample.memory)),
        "crashes": (
            "crashes",
            f"{sample.crashes}" + (f" (+{sample.planned} planned)" if sample.planned else ""),
        ),
    }
    for text, times in sample.logs.items():
        cells[f"log {text}"] = _short(text), "?" if times is None else str(times)
    for name, well in sample.names.items():
        cells[f"name {name}"] = (
            _short(name),
            "?" if well is None else "ok" if well else "does not resolve",
        )
    return cells


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


def _limits(limits: Limits) -> Iterator[str]:
    if limits.cpu is not None:
        yield f"CPU {limits.cpu:g}% of one core"
    if limits.memory is not None:
        yield f"memory {size(limits.memory)}"
    if limits.crash_restarts is not None:
        yield f"{limits.crash_restarts} restarts by crashes"
    if limits.unresolved is not None:
        yield f"{limits.unresolved} looks at which a name does not resolve"
    for text, most in limits.log.items():
        yield f'{most} lines with "{text}"'


def _verdict(verdict: Verdict, soak: Soak) -> Iterator[Line]:
    mark, style = _SAID[verdict.result]
    label = f"  {mark:<9}  {verdict.app} on {verdict.host}  "
    seen = [
        sample
        for sample in soak.samples
        if (sample.host, sample.app) == (verdict.host, verdict.app)
    ]
    yield Line(f"{label}{_summary(seen, verdict)}", style, hang=len(label))
    for finding in verdict.findings:
        when = "" if finding.at is None else f"{clock(finding.at)}  "
        yield Line(f"             {when}{finding.what}", style, hang=13 + len(when))


def _summary(seen: Sequence[Sample], verdict: Verdict) -> str:
    """`60 looks: CPU 2% on average, 12% at most; memory 90 MB at most; 0 crash restarts`."""
    if not seen:
        return "never seen"
    loads = [sample.cpu for sample in seen if sample.cpu is not None]
    memory = [sample.memory for sample in seen if sample.memory is not None]
    parts = (
        [f"CPU {sum(loads) / len(loads):.1f}% on average, {max(loads):.1f}% at most"]
        if loads
        else []
    )
    parts += [f"memory {size(max(memory))} at most"] if memory else []
    parts.append(f"{seen[-1].crashes} restarts by crashes")
    parts += [
        f"{_short(text)} {times}" for text, times in seen[-1].logs.items() if times is not None
    ]
    return f"{len(seen)} look{'' if len(seen) == 1 else 's'}: {'; '.join(parts)}"


def _time(hole: Hole, soak: Soak) -> str:
    if hole.end is None:
        return f"from {clock(hole.start)} to the end ({clock(soak.seconds)})"
    return f"from {clock(hole.start)} to {clock(hole.end)}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
