"""The envelope: whose plan it is, until when it is good, and a seal that tells every later change.
Pure."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kjpstate import __version__
from kjpstate.errors import DOCUMENT, KjpstateError, StalePlan
from kjpstate.formats.times import utc_minute

FORMAT = 1
MARK = "kjpstate_plan"
"""The first key of the file: what tells a saved plan from a document, whatever its name."""
_MOST = 64 * 1024 * 1024
_HEAD = ("id", "kjpstate", "created", "expires", "key")
_SKEW = 300
"""Seconds by which two clocks of one network may differ."""

Fault = Literal["other-version", "over", "early"]


class NoPlan(KjpstateError):
    """A file that is no saved plan, or not the one that was saved."""

    exit_code = DOCUMENT


@dataclass(frozen=True)
class Saved:
    """One saved plan. Times are seconds since 1970. `body`: what `pack.packed` made."""

    id: str
    tool: str
    created: int
    expires: int
    key: str
    body: Mapping[str, Any]


def made(id: str, body: Mapping[str, Any], key: bytes, *, now: int, lasts: int) -> Saved:
    """A plan that was just made, good for `lasts` seconds."""
    return Saved(id, __version__, now, now + lasts, key_name(key), body)


def is_one(head: bytes) -> bool:
    """Whether a file that begins so is (or was) a saved plan."""
    text = head[:256].lstrip(b"\xef\xbb\xbf \r\n\t")
    return text.startswith(b"{") and f'"{MARK}"'.encode() in text


def text_of(saved: Saved, key: bytes) -> str:
    """The file's text, in ASCII; its last key is the seal."""
    value = {
        MARK: FORMAT,
        "id": saved.id,
        "kjpstate": saved.tool,
        "created": saved.created,
        "expires": saved.expires,
        "key": saved.key,
        **saved.body,
    }
    return json.dumps({**value, "seal": _seal(value, key)}, indent=1, ensure_ascii=True) + "\n"


def parse(text: bytes, name: str, key: bytes) -> Saved:
    """A saved plan as it was written; raises NoPlan for anything else. `name`: the file, for
    sentences."""
    value = _value(text, name)
    seal = value.pop("seal", None)
    if value.get(MARK) != FORMAT:
        raise NoPlan(f"{name} was saved by another kjpstate (format {value.get(MARK)!r})", _AGAIN)
    if not isinstance(seal, str):
        raise NoPlan(f"{name} is damaged: its end is missing", _AGAIN)
    if value.get("key") != key_name(key):
        raise NoPlan(
            f"{name} was saved on another controller, or before this one's key was made anew",
            "apply it where it was saved, or save a plan here: kjpstate plan --out FILE",
        )
    if not hmac.compare_digest(seal.encode(), _seal(value, key).encode()):
        raise NoPlan(
            f"{name} is not as it was saved: somebody changed it, or it is damaged", _AGAIN
        )
    id, tool, created, expires, name_, _ = (value.pop(word) for word in (*_HEAD, MARK))
    return Saved(id, tool, created, expires, name_, value)


def fault(saved: Saved, now: int) -> Fault | None:
    """Why the plan can't be applied at that moment by this kjpstate; None when it can."""
    if saved.tool != __version__:
        return "other-version"
    if now >= saved.expires:
        return "over"
    return "early" if now < saved.created - _SKEW else None


def told(saved: Saved, fault: Fault) -> str:
    """The fault as what is said of the plan."""
    match fault:
        case "other-version":
            return f"was saved by kjpstate {saved.tool}, this is {__version__}"
        case "over":
            return f"is over: it was good until {utc_minute(saved.expires)}"
        case "early":
            return (
                f"was saved at {utc_minute(saved.created)}, which by this machine's clock is "
                "still to come"
            )


def refuse_unusable(saved: Saved, name: str, now: int) -> None:
    """Raises StalePlan for a plan that has a fault."""
    found = fault(saved, now)
    if found is not None:
        remedy = _SET_CLOCK if found == "early" else _AGAIN
        raise StalePlan(f"{name} {told(saved, found)}", remedy, "stale-plan")


def key_name(key: bytes) -> str:
    """What tells one controller's key from another's, and nothing of the key."""
    return hmac.new(key, b"the name of this key", hashlib.sha256).hexdigest()[:16]


_SET_CLOCK = "set the clock right, or save it again: kjpstate plan --out FILE"
_AGAIN = "save it again: kjpstate plan --out FILE"


def _value(text: bytes, name: str) -> dict[str, Any]:
    if len(text) > _MOST:
        raise NoPlan(f"{name} is no saved plan: larger than {_MOST // 1024 // 1024} MiB")
    try:
        value = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        why = "is cut off or damaged" if is_one(text) else "is no saved plan"
        raise NoPlan(f"{name} {why}", _AGAIN) from None
    if not isinstance(value, dict) or MARK not in value:
        raise NoPlan(f"{name} is no saved plan", _AGAIN)
    return value


def _seal(value: Mapping[str, Any], key: bytes) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hmac.new(key, b"saved plan " + text.encode(), hashlib.sha256).hexdigest()
