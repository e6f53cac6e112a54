"""Lines onto a stream that may be a terminal, a pipe, a code page or closed. The only rich.

Called by `cli`, once for each screen. Colour is only ever beside a symbol, and only on a terminal.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from typing import TextIO

from kjpstate.render.lines import WIDTH, Line, fit
from kjpstate.render.masks import Mask

_STYLES = {
    "add": "green",
    "change": "yellow",
    "replace": "magenta",
    "remove": "red",
    "refuse": "bold red",
    "good": "green",
    "strong": "bold",
    "faint": "dim",
}

_ASCII = str.maketrans({
    "·": "|", "→": "->", "←": "<-", "…": "...", "–": "-", "—": "-", "─": "-",
    "×": "x", "≤": "<=", "≥": ">=",
    "‘": "'", "’": "'", "“": '"', "”": '"', "✓": "ok", "•": "*", "\u00a0": " ",
})  # fmt: skip


def wants_colour(stream: TextIO, environ: Mapping[str, str], refused: bool) -> bool:
    """Only on a terminal; NO_COLOR, TERM=dumb and --no-color (`refused`) win."""
    quiet = refused or bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    return not quiet and stream.isatty()


def width_of(stream: TextIO) -> int:
    """The terminal's columns, at most 100; 100 for anything else."""
    return min(WIDTH, shutil.get_terminal_size((WIDTH, 40)).columns) if stream.isatty() else WIDTH


def encodable(text: str, encoding: str | None) -> str:
    """`text` as the stream's encoding can hold it: ASCII for our signs, escapes for the rest."""
    encoding = encoding or "ascii"
    kept = "".join(sign if _holds(sign, encoding) else sign.translate(_ASCII) for sign in text)
    return kept.encode(encoding, "backslashreplace").decode(encoding)


def put(lines: Iterable[Line], stream: TextIO, mask: Mask, *, colour: bool = False) -> None:
    """Print the lines; rich is imported only when there is colour to print."""
    rows = list(fit(lines, mask, width_of(stream)))
    if colour and any(row.style for row in rows):
        _put_coloured(rows, stream)
    else:
        for row in rows:
            stream.write(encodable(str(row.text), stream.encoding) + "\n")
    stream.flush()


def _put_coloured(rows: Iterable[Line], stream: TextIO) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, force_terminal=True, highlight=False, soft_wrap=True)
    for row in rows:
        text = encodable(str(row.text), stream.encoding)
        console.print(Text(text, style=_STYLES.get(row.style, "")), soft_wrap=True)


def _holds(sign: str, encoding: str) -> bool:
    try:
        sign.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
