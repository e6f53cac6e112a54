"""The little of SVG and HTML that a plot needs; every text and value is escaped here. Called by `plots`."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


def tag(name: str, *inner: str, **attributes: object) -> str:
    """An element; `inner` is markup already, `class_` is class, `stroke_width` is stroke-width."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(_plain(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{said}>{''.join(inner)}</{name}>"


def text(value: str) -> str:
    """Text as markup."""
    return html.escape(value)


@dataclass(frozen=True)
class Scale:
    """From values to places: `low` lies at `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.0
        return self.start + share * (self.end - self.start)

    def ticks(self, about: int, steps: Sequence[float] = ()) -> Iterator[float]:
        """Round values between low and high, about so many; `steps`: the distances to choose from."""
        span = self.high - self.low
        step = next((step for step in steps if span / step <= about), 0.0) or _round(span / about)
        value = math.ceil(self.low / step) * step
        while value <= self.high + step / 1000:
            yield value
            value += step


def line(points: Sequence[tuple[float, float]], **attributes: object) -> str:
    """A line through points; a single one is a dot."""
    if len(points) == 1:
        return tag("circle", cx=points[0][0], cy=points[0][1], r=2, **attributes)
    return tag("polyline", points=" ".join(f"{_plain(x)},{_plain(y)}" for x, y in points), **attributes)


def _round(step: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step)) if step > 0 else 1.0
    return next((power * factor for factor in (1, 2, 5) if power * factor >= step), power * 10)


def _plain(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
