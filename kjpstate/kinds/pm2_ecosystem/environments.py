"""The values of a text's environments, hidden: an ecosystem file may be anybody's JavaScript."""

from __future__ import annotations

import re

from kjpstate.secret import value_hidden

_ENV = re.compile(r"""\benv\w*["']?\s*:\s*\{""")
_VALUE = re.compile(
    r"""(?P<key>[\w$"'-]+\s*:\s*)(?P<value>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|[^,}\n]+)"""
)


def hidden(before: str, after: str) -> str:
    """`before` without the values below an `env` that `after` does not show."""
    parts, position = [], 0
    for start in _ENV.finditer(before):
        if start.end() < position:
            continue
        end = _closing(before, start.end())
        parts.append(before[position : start.end()])
        inner = before[start.end() : end]
        parts.append(_VALUE.sub(lambda found: value_hidden(found, after), inner))
        position = end
    return "".join(parts) + before[position:]


def _closing(text: str, start: int) -> int:
    """Where the `{` before `start` is closed; the end of the text when it never is."""
    depth, quote, position = 1, "", start
    while position < len(text):
        sign = text[position]
        if quote:
            if sign == "\\":
                position += 1
            elif sign == quote:
                quote = ""
        elif sign in "\"'`":
            quote = sign
        elif sign in "{}":
            depth += 1 if sign == "{" else -1
            if depth == 0:
                return position
        position += 1
    return len(text)
