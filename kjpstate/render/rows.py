"""The typed rows of a kind (`model.Told`) as text."""

from __future__ import annotations

from kjpstate.model import Moves, Note, Row
from kjpstate.said import Text

_LABEL = 13


def row_text(row: Row) -> str:
    """`DNS          (none) -> 8.8.8.8 1.1.1.1   in the daemon`."""
    match row:
        case Note(text=text):
            return str(text)
        case Moves(key=key, old=old, new=new, more=more, apart=apart):
            label = f"{key}   " if apart else f"{key:<{_LABEL}}"
            return f"{label}{old} -> {new}{more and '   '}{more}"


def rows_of_lost(host: str, why: Text) -> list[str]:
    """What happened to a host out of reach, then what to do: a row each, without the host's name,
    which stands beside them."""
    return str(why).removeprefix(f"{host}: ").splitlines() or [""]
