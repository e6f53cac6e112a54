"""A watch as a picture: one HTML file with inline SVG, no script, nothing fetched; for light and dark.

Called by `cli` for `--plot`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from kjpstate import __version__
from kjpstate.formats.soak import Hole, Sample, Soak, Verdict, clock
from kjpstate.render.masks import Mask, clean
from kjpstate.render.soaks import beyonds, cells_of
from kjpstate.render.svg import Scale, line, tag, text

_WIDTH, _LEFT, _RIGHT = 960.0, 84.0, 900.0
_HEIGHT, _GAP, _TOP, _ROW = 110.0, 38.0, 24.0, 26.0
_TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_COLOURS = 4
_MEGABYTE = 1 << 20
_WORDS = {"passed": "Passed", "failed": "Failed", "unknown": "Not known"}

_STYLE = """
:root { color-scheme: light dark; --back: #ffffff; --fore: #1d2430; --soft: #667085; --grid: #e4e7ec;
  --good: #067647; --bad: #c4320a; --hole: #98a2b3;
  --c0: #175cd3; --c1: #b54708; --c2: #6941c6; --c3: #0e7090; }
@media (prefers-color-scheme: dark) { :root {
  --back: #11161f; --fore: #e6e9ef; --soft: #98a2b3; --grid: #2a3240;
  --good: #47cd89; --bad: #ff8a5b; --hole: #667085;
  --c0: #84adff; --c1: #fdb022; --c2: #bdb4fe; --c3: #67e3f9; } }
body { background: var(--back); color: var(--fore); font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg text { fill: var(--soft); } svg text.title { fill: var(--fore); font-weight: 600; }
.passed { color: var(--good); } .failed, .unknown { color: var(--bad); }
.grid { stroke: var(--grid); } .frame { fill: none; stroke: var(--grid); }
.limit { stroke: var(--bad); stroke-dasharray: 6 4; } svg text.bad { fill: var(--bad); }
.found { stroke: var(--bad); stroke-width: 1.5; } .note { stroke: var(--soft); stroke-dasharray: 2 3; }
.hole { fill: var(--hole); fill-opacity: .28; }
polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); } .c3 { stroke: var(--c3); }
circle { fill: none; }
svg text.c0 { fill: var(--c0); stroke: none; } svg text.c1 { fill: var(--c1); stroke: none; }
svg text.c2 { fill: var(--c2); stroke: none; } svg text.c3 { fill: var(--c3); stroke: none; }
.well { fill: var(--good); } .ill { fill: var(--bad); }
table { border-collapse: collapse; font-size: .85rem; } td, th { padding: .15rem .6rem; text-align: left;
  border-bottom: 1px solid var(--grid); vertical-align: top; } tr.beyond td { color: var(--bad); }
.wide { overflow-x: auto; } footer { color: var(--soft); margin-top: 2rem; font-size: .85rem; }
"""


_Say: TypeAlias = Callable[[str], str]


@dataclass(frozen=True)
class _Series:
    """`values`: one a sample, None where nothing is known. `steps`: it keeps its value until the next."""

    name: str
    values: tuple[float | None, ...]
    limit: float | None = None
    steps: bool = False


@dataclass(frozen=True)
class _View:
    """What all parts of one picture share. `say`: text as markup, masked and harmless."""

    across: Scale
    bottom: float
    holes: tuple[Hole, ...]
    say: _Say


@dataclass(frozen=True)
class _Panel:
    title: str
    series: tuple[_Series, ...]
    shown: Callable[[float], str]


def page(soak: Soak, mask: Mask) -> str:
    """The whole file."""
    say = _sayer(mask)
    result = _WORDS[soak.result]
    title = f"{soak.document}: watched for {clock(soak.seconds)}"
    parts = [tag("h1", say(title), ": ", tag("span", say(result.lower()), class_=soak.result))]
    for verdict in soak.verdicts:
        parts += _app(soak, verdict, say)
    when = f"Began {_date(soak.started)}, " if soak.started else ""
    parts.append(
        tag("footer", say(f"{when}a look every {soak.every:g} s. Grey: out of sight. kjpstate {__version__}"))
    )
    head = tag("title", say(title)) + tag("style", _STYLE)
    rule = "default-src 'none'; style-src 'unsafe-inline'"
    policy = f'<meta http-equiv="Content-Security-Policy" content="{rule}">'
    metas = f'<meta charset="utf-8">{policy}<meta name="viewport" content="width=device-width">'
    body = tag("body", "\n".join(parts))
    return f'<!doctype html>\n<html lang="en"><head>{metas}{head}</head>\n{body}</html>\n'


def _date(stamp: str) -> str:
    """`20260301T100000Z` as `2026-03-01 10:00:00 UTC`."""
    day, clock_time = stamp[:8], stamp[9:15]
    return f"{day[:4]}-{day[4:6]}-{day[6:]} {clock_time[:2]}:{clock_time[2:4]}:{clock_time[4:]} UTC"


def _sayer(mask: Mask) -> _Say:
    return lambda words: text(clean(mask(words)))


def _app(soak: Soak, verdict: Verdict, say: _Say) -> Iterator[str]:
    """One app: its verdict, its picture, its numbers."""
    samples = [sample for sample in soak.samples if (sample.host, sample.app) == (verdict.host, verdict.app)]
    holes = [hole for hole in soak.holes if hole.host == verdict.host]
    mark = tag("span", say(_WORDS[verdict.result]), class_=verdict.result)
    yield tag("h2", say(f"{verdict.app} on {verdict.host}: "), mark)
    found = [
        f"{clock(item.at)}: {item.what}" if item.at is not None else item.what for item in verdict.findings
    ]
    if found:
        yield tag("ul", *(tag("li", say(words)) for words in found))
    yield _picture(soak, verdict, samples, holes, say)
    yield tag("details", tag("summary", say(f"All {len(samples)} looks")), _table(soak, samples, say))


def _picture(
    soak: Soak, verdict: Verdict, samples: Sequence[Sample], holes: Sequence[Hole], say: _Say
) -> str:
    panels = list(_panels(soak, samples))
    names = list(dict.fromkeys(name for sample in samples for name in sample.names))
    under = _TOP + len(panels) * (_HEIGHT + _GAP)
    bottom = under + len(names) * _ROW - _GAP / 2
    view = _View(Scale(0, max(soak.seconds, 1.0), _LEFT, _RIGHT), bottom, tuple(holes), say)
    parts = [tag("title", say(f"{verdict.app} on {verdict.host}: what was seen, over time"))]
    parts += [_hole(hole, view) for hole in holes]
    parts += _moments(verdict, samples, view)
    parts += [
        _drawn(panel, samples, _TOP + number * (_HEIGHT + _GAP), view) for number, panel in enumerate(panels)
    ]
    parts += [_resolved(name, samples, under + number * _ROW, view) for number, name in enumerate(names)]
    parts += [
        tag("text", say(clock(at)), x=view.across(at), y=bottom + 18, text_anchor="middle")
        for at in view.across.ticks(8, _TIMES)
    ]
    return tag("svg", *parts, viewBox=f"0 0 {_WIDTH:g} {bottom + 30:g}", role="img")


def _panels(soak: Soak, samples: Sequence[Sample]) -> Iterator[_Panel]:
    limits = soak.limits
    cpu = _Series("CPU", tuple(sample.cpu for sample in samples), limits.cpu)
    yield _Panel("CPU, % of one core", (cpu,), lambda value: f"{value:g}%")
    memory = tuple(None if sample.memory is None else sample.memory / _MEGABYTE for sample in samples)
    most = None if limits.memory is None else limits.memory / _MEGABYTE
    yield _Panel("Memory", (_Series("memory", memory, most),), lambda value: f"{value:.4g} MB")
    crashes = tuple(float(sample.crashes) for sample in samples)
    allowed = None if limits.crash_restarts is None else float(limits.crash_restarts)
    yield _Panel(
        "Restarts by crashes", (_Series("crashes", crashes, allowed, steps=True),), lambda value: f"{value:g}"
    )
    texts = list(dict.fromkeys(words for sample in samples for words in sample.logs))
    if texts:
        series = (
            _Series(
                words, tuple(sample.logs.get(words) for sample in samples), limits.log.get(words), steps=True
            )
            for words in texts
        )
        yield _Panel("Lines in its logs", tuple(series), lambda value: f"{value:g}")


def _drawn(panel: _Panel, samples: Sequence[Sample], top: float, view: _View) -> str:
    """A frame with its scale, its limits and its lines."""
    say = view.say
    known = [
        value for series in panel.series for value in (*series.values, series.limit) if value is not None
    ]
    up = Scale(0, max([*known, 0]) * 1.25 or 1, top + _HEIGHT, top)
    whole = (1, 2, 5, 10, 20, 50) if panel.series[0].steps else ()
    frame = tag("rect", x=_LEFT, y=top, width=_RIGHT - _LEFT, height=_HEIGHT, class_="frame")
    parts = [frame, tag("text", say(panel.title), x=_LEFT, y=top - 8, class_="title")]
    for value in up.ticks(5, whole):
        y = up(value)
        parts.append(tag("line", x1=_LEFT, x2=_RIGHT, y1=y, y2=y, class_="grid"))
        parts.append(tag("text", say(panel.shown(value)), x=_LEFT - 8, y=y + 4, text_anchor="end"))
    for number, series in enumerate(panel.series):
        colour = f"c{number % _COLOURS}"
        if len(panel.series) > 1 or series.name not in ("CPU", "memory", "crashes"):
            x = _RIGHT - 10 - 190 * (len(panel.series) - 1 - number)
            parts.append(tag("text", say(series.name[:28]), x=x, y=top - 8, text_anchor="end", class_=colour))
        if series.limit is not None:
            y = up(series.limit)
            parts.append(tag("line", x1=_LEFT, x2=_RIGHT, y1=y, y2=y, class_="limit"))
            said = say(f"limit {panel.shown(series.limit)}")
            parts.append(tag("text", said, x=_RIGHT - 6, y=y - 5, text_anchor="end", class_="bad"))
        parts += [line(points, class_=colour) for points in _runs(series, samples, view, up)]
    return tag("g", *parts)


def _runs(
    series: _Series, samples: Sequence[Sample], view: _View, up: Scale
) -> Iterator[list[tuple[float, float]]]:
    """The points of each stretch without a hole."""
    points: list[tuple[float, float]] = []
    across, before = view.across, 0.0
    for sample, value in zip(samples, series.values, strict=True):
        if points and (value is None or any(before <= hole.start < sample.at for hole in view.holes)):
            yield points
            points = []
        before = sample.at
        if value is None:
            continue
        if series.steps and points:
            points.append((across(sample.at), points[-1][1]))
        points.append((across(sample.at), up(value)))
    if points:
        yield points


def _resolved(name: str, samples: Sequence[Sample], top: float, view: _View) -> str:
    """One row of marks: dots where the name resolved, crosses where it did not."""
    say = view.say
    parts = [tag("text", say(f"{name} resolves"), x=_LEFT, y=top - 8, class_="title")]
    for sample in samples:
        well = sample.names.get(name)
        if well is None:
            continue
        x, y = view.across(sample.at), top + 4
        hint = tag("title", say(f"{clock(sample.at)}: {'resolved' if well else 'did not resolve'}"))
        if well:
            parts.append(tag("circle", hint, cx=x, cy=y, r=3, class_="well"))
        else:
            cross = f"M{x - 4:.1f} {y - 4:.1f} l8 8 m0 -8 l-8 8"
            parts.append(tag("path", hint, d=cross, class_="found"))
    return tag("g", *parts)


def _hole(hole: Hole, view: _View) -> str:
    until = view.across.high if hole.end is None else hole.end
    hint = tag("title", view.say(f"{clock(hole.start)} to {clock(until)}: {hole.why}"))
    x = view.across(hole.start)
    width = max(view.across(until) - x, 2.0)
    return tag("rect", hint, x=x, y=_TOP, width=width, height=view.bottom - _TOP, class_="hole")


def _moments(verdict: Verdict, samples: Sequence[Sample], view: _View) -> Iterator[str]:
    """Lines through all panels: what a verdict rests on, and what else happened."""
    moments = [(sample.at, "; ".join(sample.notes), "note") for sample in samples if sample.notes]
    moments += [(found.at, found.what, "found") for found in verdict.findings if found.at is not None]
    for at, what, kind in moments:
        hint, x = tag("title", view.say(f"{clock(at)}: {what}")), view.across(at)
        yield tag("line", hint, x1=x, x2=x, y1=_TOP, y2=view.bottom, class_=kind)


def _table(soak: Soak, samples: Sequence[Sample], say: _Say) -> str:
    rows = []
    for sample in samples:
        seen = [f"{head} {value}" for head, value in cells_of(sample).values()]
        cells = [clock(sample.at), *seen, "; ".join(sample.notes)]
        beyond = {"class_": "beyond"} if any(beyonds(sample, soak.limits).values()) else {}
        rows.append(tag("tr", *(tag("td", say(cell)) for cell in cells), **beyond))
    return tag("div", tag("table", *rows), class_="wide")
