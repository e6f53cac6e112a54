"""What must never be seen on a screen: known secrets, in every spelling, and bytes that steer a
terminal."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias
from urllib.parse import quote, quote_plus

from kjpstate.model import UNKNOWN
from kjpstate.said import Said, Text
from kjpstate.secret import CUT, HIDDEN, Secret

Mask: TypeAlias = Callable[[Text], str]
"""A text in words, without secrets."""

_SHORT = 4
"""Characters below which a secret is masked only where it stands alone: `1` would mask every
number."""

_CODES = (base64.b64encode, base64.urlsafe_b64encode)

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def mask_for(secrets: Iterable[str]) -> Mask:
    """A function that hides each of `secrets` in a text, the longest first."""
    spelled = {text for secret in secrets for text in _spellings(secret)}
    patterns = [_pattern(text) for text in sorted(spelled, key=lambda text: (-len(text), text))]
    if not patterns:
        return str
    search = re.compile("|".join(patterns))

    def mask(text: Text) -> str:
        whole = search.sub(HIDDEN, str(text))
        return _halves_hidden(whole, spelled) if CUT in whole else whole

    return mask


def clean(text: str) -> str:
    """`text` with control and direction characters made visible; line ends and tabs stay."""
    return _CONTROL.sub(lambda match: _visible(match[0]), text)


def plain(value: Any, mask: Mask) -> Any:
    """A JSON value with every string leaf masked; UNKNOWN becomes None, a stray Secret stays
    hidden."""
    if isinstance(value, (str, Said)):
        return mask(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item, mask) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, mask) for item in value]
    if isinstance(value, Secret):
        return HIDDEN
    if value is UNKNOWN:
        return None
    return value if value is None or isinstance(value, (bool, int, float)) else mask(str(value))


def _spellings(secret: str) -> Iterable[str]:
    """The value as it may stand in a file, a command line, a web address, a header or one line of a
    diff."""
    whole = {secret, secret.strip(), *(line.strip() for line in secret.splitlines())}
    for text in whole:
        if any(character.isalnum() for character in text):
            yield text
            yield json.dumps(text)[1:-1]
            yield json.dumps(text, ensure_ascii=False)[1:-1]
            yield repr(text)[1:-1]
            yield text.replace("'", "'\"'\"'")  # as shlex quotes it for a shell
            yield from (quote(text, safe=""), quote(text), quote_plus(text))
            yield from (code(text.encode(errors="replace")).decode() for code in _CODES)
            yield clean(text)


def _halves_hidden(text: str, spelled: Iterable[str]) -> str:
    """`text` without what a secret began with where it was cut."""
    *cut, rest = text.split(CUT)
    return CUT.join([*(_without_half(part, spelled) for part in cut), rest])


def _without_half(part: str, spelled: Iterable[str]) -> str:
    longest = 0
    for secret in spelled:
        lengths = range(min(len(secret), len(part)), max(longest, _SHORT - 1), -1)
        longest = next((length for length in lengths if part.endswith(secret[:length])), longest)
    return part[:-longest] + HIDDEN if longest else part


def _pattern(text: str) -> str:
    return re.escape(text) if len(text) >= _SHORT else rf"(?<!\w){re.escape(text)}(?!\w)"


def _visible(character: str) -> str:
    code = ord(character)
    if character == "\r":
        return "\\r"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
