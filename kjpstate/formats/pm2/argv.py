"""Arguments as PM2 keeps them: a list, also where they are written as one text. Used by the modules
here."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from kjpstate.secret import opened


def words(value: Any, _: object = None) -> Any:
    """`"a 'b c'"` -> ["a", "b c"]."""
    if isinstance(value, str):
        try:
            return shlex.split(value)
        except ValueError:
            return value.split()
    return [str(word) for word in value] if isinstance(value, (list, tuple)) else value


def arguments(app: Mapping[str, Any]) -> list[str]:
    """The arguments of an app of the document, one by one."""
    found = words(opened(app.get("args") or ()))
    return found if isinstance(found, list) else [str(found)]
