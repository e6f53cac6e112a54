"""The typed rows of a kind (`model.Told`) as text."""

from __future__ import annotations

from kjpstate.model import Moves, Note, Row

_LABEL = 13


def row_text(row: Row) -> str:
    """`DNS          (none) -> 8.8.8.8 1.1.1.1   in the daemon`."""
    match row:
        case Note(text=text):
            return str(text)
        case Moves(key=key, old=old, new=new, more=more, apart=apart):
            label = f"{key}   " if apart else f"{key:<{_LABEL}}"
            return f"{label}{old} -> {new}{more and '   '}{more}"
