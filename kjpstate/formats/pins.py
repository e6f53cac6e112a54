"""A value inside a JSON file by its pointer (RFC 6901): what a guardrail `unchanged` watches.

Called by the kind `unchanged` with a lock file's bytes and `/packages/node_modules~1x/version`.
Pure.
"""

from __future__ import annotations

import json
import re
from typing import Any

from kjpstate.said import Text, say

_INDEX = re.compile(r"0|[1-9][0-9]*")
_BAD_ESCAPE = re.compile(r"~(?![01])")


def find(content: bytes, pointer: str) -> tuple[Any, Text]:
    """(value, "") of `pointer` in the JSON text `content`, or (None, a sentence that says why not).

    The empty pointer is the whole file; a value that is `null` is a value, with no reason beside
    it.
    """
    try:
        value = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return None, say("pins.no-json", error=str(error))
    if pointer and not pointer.startswith("/"):
        return None, say("pins.no-slash", pointer=pointer)
    if _BAD_ESCAPE.search(pointer):
        return None, say("pins.bad-escape", pointer=pointer)
    walked = ""
    for token in pointer.split("/")[1:]:
        found, value = _step(value, token.replace("~1", "/").replace("~0", "~"))
        if not found:
            return None, say("pins.nothing-at", pointer=f"{walked}/{token}")
        walked += f"/{token}"
    return value, ""


def _step(value: Any, name: str) -> tuple[bool, Any]:
    if isinstance(value, dict) and name in value:
        return True, value[name]
    if isinstance(value, list) and _INDEX.fullmatch(name) and int(name) < len(value):
        return True, value[int(name)]
    return False, None
