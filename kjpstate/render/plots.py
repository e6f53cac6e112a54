"""Draws a watch by matplotlib: one picture of all its apps, or a page with it, the findings and
every look.

Called by `cli` for `--plot`. matplotlib is the extra `plot`.
"""

from __future__ import annotations

import html
import importlib.util
import io
import logging
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from kjpstate import __version__
from kjpstate.formats.soak import Sample, Soak, Verdict
from kjpstate.formats.times import clock
from kjpstate.render.masks import Mask, clean
from kjpstate.render.soaks import beyonds, cells_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".svg", ".png", ".pdf", ".html")

_MEGABYTE = 1 << 20
_WIDTH, _HEIGHT, _MARGIN = 10.0, 1.6, 0.9
"""Inches: of the picture, of one panel, and of what stands above and below all panels."""
_TIMES = (1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400)
"""Seconds from one mark to the next, below the panels."""
_GOOD, _BAD, _HOLE, _NOTE = "#067647", "#c4320a", "#98a2b3", "#667085"
_LOOK: dict[Any, Any] = {
    "text.parse_math": False,
    "svg.fonttype": "none",  # text stays text: small, and it can be searched
    "svg.hashsalt": "kjpstate",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlesize": 9,
    "legend.frameon": False,
}
_STYLE = """
body { background: #ffffff; color: #1d2430; font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin-top: 2rem; } svg { width: 100%; height: auto; }
.passed { color: #067647; } .failed, .unknown { color: #c4320a; }
table { border-collapse: collapse; font-size: .85rem; } tr.beyond td { color: #c4320a; }
td { padding: .15rem .6rem; text-align: left; border-bottom: 1px solid #e4e7ec; vertical-align: top; }
.wide { overflow-x: auto; } footer { color: #667085; margin-top: 2rem; font-size: .85rem; }
"""
_WORDS = {"passed": "Passed", "failed": "Failed", "unknown": "Not known"}

_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">\
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">\
<meta name="viewport" content="width=device-width"><title>{title}</title><style>{style}</style></head>
<body>{body}</body></html>
"""

_Say: TypeAlias = Callable[[str], str]


@dataclass(frozen=True)
class _Series:
    name: str
    values: tuple[float | None, ...]
    """One a sample; None where nothing is known."""
    limit: float | None = None


@dataclass(frozen=True)
class _Panel:
    title: str
    series: tuple[_Series, ...]
    counts: bool = False
    """Whole numbers, each kept until the next look."""
    named: bool = False
    """A legend names each series."""


@dataclass(frozen=True)
class _App:
    """What one picture shows of one app. `say` makes a stranger's text
    harmless: masked, one row."""

    soak: Soak
    verdict: Verdict
    say: _Say

    @property
    def samples(self) -> list[Sample]:
        mine = (self.verdict.host, self.verdict.app)
        return [sample for sample in self.soak.samples if (sample.host, sample.app) == mine]

    @property
    def holes(self) -> list[tuple[float, float]]:
        """From when to when it was out of sight."""
        holes = [hole for hole in self.soak.holes if hole.host == self.verdict.host]
        return [(hole.start, self.soak.seconds if hole.end is None else hole.end) for hole in holes]

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(name for sample in self.samples for name in sample.names))


def installed() -> bool:
    """The extra `plot` is there."""
    return importlib.util.find_spec("matplotlib") is not None


def drawn(soak: Soak, mask: Mask, ending: str) -> bytes:
    """The whole file, in the format of one of ENDINGS."""

    def say(words: str) -> str:
        return " ".join(clean(mask(words)).split())

    apps = [_App(soak, verdict, say) for verdict in soak.verdicts]
    title = say(f"{soak.document}: watched for {clock(soak.seconds)}")
    if ending != ".html":
        return _saved(title, apps, ending[1:])
    picture = _saved(title, apps, "svg").decode()
    return _page(title, apps, soak, picture[picture.index("<svg") :]).encode()


def _saved(title: str, apps: Sequence[_App], kind: str) -> bytes:
    import matplotlib

    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    file = io.BytesIO()
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
    with matplotlib.rc_context(_LOOK), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a sign that the font lacks is drawn as a box
        _figure(title, apps).savefig(file, format=kind, metadata=undated)
    return file.getvalue()


def _figure(title: str, apps: Sequence[_App]) -> Figure:
    """The panels of each app below each other, over one axis of time."""
    from matplotlib.figure import Figure

    drawings = [drawing for app in apps for drawing in _drawings(app)]
    rows = max(len(drawings), 1)
    figure = Figure(figsize=(_WIDTH, _MARGIN + _HEIGHT * rows), layout="constrained")
    figure.suptitle(title)
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    for draw, one in zip(drawings, axes, strict=False):
        draw(one)
    return figure


def _drawings(app: _App) -> Iterator[Callable[[Axes], None]]:
    head = app.say(f"{app.verdict.app} on {app.verdict.host}: {_WORDS[app.verdict.result]}") + "\n"
    for panel in _panels(app.soak, app.samples):
        yield partial(_lines, app=app, panel=panel, title=head + panel.title)
        head = ""
    if app.names:
        yield partial(_resolved, app=app)


def _panels(soak: Soak, samples: Sequence[Sample]) -> Iterator[_Panel]:
    limits = soak.limits
    cpu = tuple(sample.cpu for sample in samples)
    yield _Panel("CPU, % of one core", (_Series("CPU", cpu, limits.cpu),))
    memory = tuple(
        None if sample.memory is None else sample.memory / _MEGABYTE for sample in samples
    )
    most = None if limits.memory is None else limits.memory / _MEGABYTE
    yield _Panel("Memory, MB", (_Series("memory", memory, most),))
    crashes = tuple(sample.crashes for sample in samples)
    yield _Panel(
        "Restarts by crashes", (_Series("crashes", crashes, limits.crash_restarts),), counts=True
    )
    texts = dict.fromkeys(words for sample in samples for words in sample.logs)
    counted = [
        _Series(words, tuple(sample.logs.get(words) for sample in samples), limits.log.get(words))
        for words in texts
    ]
    if counted:
        yield _Panel("Lines in its logs", tuple(counted), counts=True, named=True)


def _lines(axes: Axes, app: _App, panel: _Panel, title: str) -> None:
    """The lines of a panel with their limits."""
    from matplotlib.ticker import MaxNLocator

    for series in panel.series:
        style = "steps-post" if panel.counts else "default"
        (line,) = axes.plot(*_points(app, series), drawstyle=style, marker=".", markersize=3)
        line.set_gid("line")
        if panel.named:
            line.set_label(app.say(series.name)[:40].lstrip("_") or "?")
        if series.limit is not None:
            axes.axhline(series.limit, color=_BAD, linestyle="--", linewidth=1, gid="limit")
    axes.set_title(title)
    axes.set_ylim(0, max(1.0, axes.get_ylim()[1]))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=panel.counts))
    axes.grid(axis="y", alpha=0.3)
    if panel.named:
        axes.legend(loc="upper left", ncols=4)
    _moments(axes, app)


def _points(app: _App, series: _Series) -> tuple[list[float], list[float]]:
    """Times and values; a value that is no number breaks the line in each hole."""
    points = [
        (sample.at, math.nan if value is None else value)
        for sample, value in zip(app.samples, series.values, strict=True)
    ]
    points += [(start, math.nan) for start, _ in app.holes]
    points.sort(key=lambda point: point[0])
    return [at for at, _ in points], [value for _, value in points]


def _resolved(axes: Axes, app: _App) -> None:
    """A row of marks for each name: dots where it resolved, crosses where it did not."""
    for row, name in enumerate(app.names):
        for well, marker, colour in ((True, "o", _GOOD), (False, "x", _BAD)):
            times = [sample.at for sample in app.samples if sample.names.get(name) is well]
            axes.plot(times, [row] * len(times), marker, color=colour, markersize=4)
    axes.set_title("Names that resolve")
    axes.set_yticks(range(len(app.names)), [app.say(name)[:40] for name in app.names])
    axes.set_ylim(-0.5, len(app.names) - 0.5)
    _moments(axes, app)


def _moments(axes: Axes, app: _App) -> None:
    """What goes through each panel: holes, the moments a verdict rests on, and
    what else happened."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    for start, end in app.holes:
        axes.axvspan(start, end, color=_HOLE, alpha=0.28, linewidth=0, gid="hole")
    for sample in app.samples:
        if sample.notes:
            axes.axvline(sample.at, color=_NOTE, linestyle=":", linewidth=1, gid="note")
    for found in app.verdict.findings:
        if found.at is not None:
            axes.axvline(found.at, color=_BAD, linewidth=1, gid="found")
    length = max(app.soak.seconds, 1)
    axes.set_xlim(0, length)
    axes.xaxis.set_major_locator(
        MultipleLocator(next((one for one in _TIMES if length / one < 10), length))
    )
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: clock(max(at, 0))))


def _page(title: str, apps: Sequence[_App], soak: Soak, picture: str) -> str:
    """A page that fetches nothing and runs nothing: findings, the picture, and every look."""
    say = apps[0].say if apps else str
    result = f'<span class="{soak.result}">{_WORDS[soak.result].lower()}</span>'
    body = [f"<h1>{html.escape(title)}: {result}</h1>"]
    for app in apps:
        found = [
            str(item.what) if item.at is None else f"{clock(item.at)}: {item.what}"
            for item in app.verdict.findings
        ]
        body.append(f"<h2>{html.escape(say(f'{app.verdict.app} on {app.verdict.host}'))}</h2><ul>")
        body += [f"<li>{html.escape(say(words))}</li>" for words in found]
        body.append("</ul>")
    body.append(picture)
    body += [_table(app) for app in apps]
    began = f"Began {_date(soak.started)}, " if soak.started else ""
    told = f"{began}a look every {soak.every:g} s. Grey: out of sight. kjpstate {__version__}"
    body.append(f"<footer>{html.escape(told)}</footer>")
    return _FRAME.format(title=html.escape(title), style=_STYLE, body="\n".join(body))


def _table(app: _App) -> str:
    rows = []
    for sample in app.samples:
        seen = [f"{head} {value}" for head, value in cells_of(sample).values()]
        cells = [clock(sample.at), *seen, "; ".join(map(str, sample.notes))]
        beyond = ' class="beyond"' if any(beyonds(sample, app.soak.limits).values()) else ""
        told = "".join(f"<td>{html.escape(app.say(cell))}</td>" for cell in cells)
        rows.append(f"<tr{beyond}>{told}</tr>")
    head = html.escape(app.say(f"All {len(rows)} looks at {app.verdict.app} on {app.verdict.host}"))
    table = "\n".join(rows)
    inner = f'<div class="wide"><table>{table}</table></div>'
    return f"<details><summary>{head}</summary>{inner}</details>"


def _date(stamp: str) -> str:
    """`20260301T100000Z` as `2026-03-01 10:00:00 UTC`."""
    day, time = stamp[:8], stamp[9:15]
    return f"{day[:4]}-{day[4:6]}-{day[6:]} {time[:2]}:{time[2:4]}:{time[4:]} UTC"
