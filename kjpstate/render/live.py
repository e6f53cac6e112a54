"""A watch on a terminal: the last looks as a table, and how far it is, drawn anew in place. With
rich."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from kjpstate.formats.soak import Hole, Limits, Sample
from kjpstate.formats.times import clock
from kjpstate.render.masks import Mask, clean
from kjpstate.render.soaks import beyonds, cells_of
from kjpstate.render.stream import encodable
from kjpstate.said import Text, say

if TYPE_CHECKING:
    from rich.console import RenderableType

_ROWS = 12
_NUMBERS = ("time", "cpu", "memory", "crashes")

_HEADS = {"time": "live.time", "app": "live.app", "notes": "live.notes"}

Seen = Sample | Hole


@contextmanager
def board(
    stream: TextIO,
    mask: Mask,
    limits: Limits,
    length: float,
    elapsed: Callable[[], float],
    *,
    colour: bool,
) -> Iterator[Callable[[Seen], None]]:
    """Draws until it is left; give each look and hole to what it yields. A terminal that
    goes away stops nothing."""
    from rich.console import Console
    from rich.live import Live

    rows: deque[Seen] = deque(maxlen=_ROWS)
    console = Console(file=stream, force_terminal=True, no_color=not colour, highlight=False)

    def drawn() -> RenderableType:
        return _drawn(
            rows,
            lambda words: encodable(clean(mask(words)), stream.encoding),
            limits,
            length,
            elapsed(),
        )

    live = Live(
        console=console,
        get_renderable=drawn,
        refresh_per_second=1,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with suppress(OSError):
        live.start()
    try:
        yield rows.append
    finally:
        with suppress(OSError):
            live.stop()


def _drawn(
    rows: deque[Seen], shown: Callable[[Text], str], limits: Limits, length: float, elapsed: float
) -> RenderableType:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text as RichText

    samples = [seen for seen in rows if isinstance(seen, Sample)]
    heads = {key: head for sample in samples for key, (head, _) in cells_of(sample).items()}
    several = len({(sample.host, sample.app) for sample in samples}) > 1
    table = Table(box=None, pad_edge=False)
    # Where there is no room, what is text gives way, never a number.
    for key in ("time", *(("app",) if several else ()), *heads, "notes"):
        head = heads[key] if key in heads else say(_HEADS[key])
        table.add_column(shown(head), no_wrap=key in _NUMBERS or key.startswith("log "))
    for seen in rows:
        cells = _row(seen, list(heads), limits, several)
        table.add_row(
            *(
                RichText(shown(words), style, no_wrap=True, overflow="ellipsis")
                for words, style in cells
            )
        )
    bar = Table.grid(padding=(0, 1))
    bar.add_row(
        RichText(clock(min(elapsed, length))),
        ProgressBar(total=length, completed=min(elapsed, length), width=40),
        RichText(str(say("live.of", length=length))),
    )
    return Group(table, bar)


def _row(seen: Seen, keys: list[str], limits: Limits, several: bool) -> Iterator[tuple[Text, str]]:
    """(text, style) of each cell; the last one holds what else happened."""
    if isinstance(seen, Hole):
        lost = seen.end is None
        yield clock(seen.start if seen.end is None else seen.end), ""
        yield from ((seen.host, "") for _ in range(several))
        if lost:
            yield say("live.out-of-sight"), "bold red"
        else:
            yield say("live.seen-again"), "yellow"
        yield from (("", "") for _ in keys[1:])
        yield str(seen.why) if lost else "", "red"
        return
    yield clock(seen.at), ""
    yield from ((say("soak.app", app=seen.app, host=seen.host), "") for _ in range(several))
    cells, beyond = cells_of(seen), beyonds(seen, limits)
    for key in keys:
        words = _brief(key, seen) or cells.get(key, ("", ""))[1]
        yield (f"! {words}", "bold red") if beyond.get(key) else (words, "")
    yield "; ".join(map(str, seen.notes)), "yellow"


def _brief(key: str, seen: Sample) -> str:
    """What has a shorter form in a column; "" for all else."""
    if key == "crashes":
        return str(seen.crashes)
    unresolved = [name for name, well in seen.names.items() if well is False]
    return str(say("live.unresolved")) if key in (f"name {name}" for name in unresolved) else ""
