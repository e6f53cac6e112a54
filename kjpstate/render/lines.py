"""Lines of a screen: text with a style and a hanging indent; wrapped to a width here, nowhere else.

Every screen of `render` is a tuple of Lines; `stream` prints them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from kjpstate.render.masks import Mask, clean
from kjpstate.said import Text

WIDTH = 100
"""Columns of the widest screen."""

_NARROWEST = 20


@dataclass(frozen=True)
class Line:
    """`hang`: columns by which a wrapped rest is indented. `style`: add, change, remove, replace,
    refuse, good, strong, faint or nothing. `whole`: never wrapped (a diff). `ours`: our words and
    numbers only, so there is nothing to mask."""

    text: Text
    style: str = ""
    hang: int = 0
    whole: bool = False
    ours: bool = False


BLANK = Line("", ours=True)


def fit(lines: Iterable[Line], mask: Mask, width: int = WIDTH) -> Iterator[Line]:
    """The lines masked, cleaned and wrapped to `width`: one text of one row each."""
    for line in lines:
        text = str(line.text) if line.ours else clean(mask(line.text))
        for number, part in enumerate(text.split("\n")):
            shifted = " " * line.hang + part if number and not line.whole else part
            yield from _wrap(line, shifted.rstrip(), width)


def _wrap(line: Line, text: str, width: int) -> Iterator[Line]:
    if line.whole or len(text) <= width:
        yield replace(line, text=text)
        return
    width = max(width, _NARROWEST)
    hang = line.hang if line.hang <= width // 2 else min(6, width // 4)
    rows = textwrap.wrap(
        text,
        width,
        subsequent_indent=" " * hang,
        break_on_hyphens=False,
        drop_whitespace=True,
        replace_whitespace=False,
        expand_tabs=False,
    )
    yield from (replace(line, text=row) for row in rows or [""])


def text_of(lines: Iterable[Line], mask: Mask = str, width: int = WIDTH) -> str:
    """The screen as plain text, with a final line end when there is any line."""
    return "".join(f"{line.text}\n" for line in fit(lines, mask, width))
