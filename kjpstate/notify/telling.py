"""One look worked into what was told before, and what is due sent to every channel. Called by `cli.drift`.

What is to be sent is written down before it is sent: a run that is cut tells twice rather than never. A
channel that fails is tried again at the next runs, a limited number of times.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from kjpstate.model import Channel, Notify
from kjpstate.notify import channels, store
from kjpstate.notify.changes import Notice, Seen, advance, in_quiet
from kjpstate.notify.store import Parcel, Record

FORMAT_VERSION = "1.0"
_TRIES, _PAUSE, _RUNS = 2, 1.0, 36
"""Tries a run, seconds between them, and runs (six hours at ten minutes) until a parcel is given up."""


@dataclass(frozen=True)
class Desk:
    """How the outside is reached; other ones for tests. `now`: UTC seconds; `minute`: of the local day."""

    now: Callable[[], float] = time.time
    minute: Callable[[float], int] = lambda now: time.localtime(now).tm_hour * 60 + time.localtime(now).tm_min
    send: Callable[[Channel, Mapping[str, Any]], str] = channels.send
    beat: Callable[[Any], str] = channels.beat
    sleep: Callable[[float], None] = time.sleep


def tell(settings: Notify, seen: Seen, document: str, file: Path, desk: Desk) -> list[str]:
    """Tell what is new; the sentences for stderr about what could not be told. Never raises.

    `file`: where it is remembered what was told, see `store.file_of`.
    """
    said: list[str] = []
    try:
        record, damaged = store.read(file)
        said += [damaged] if damaged else []
        due = _worked_in(record, settings, seen, desk)
        # Most looks change nothing, and a card of a small box wears out by writing.
        if due != record:
            store.write(file, due)
        left, troubles = _sent(due, settings, document, desk)
        said += troubles
        if left != due:
            store.write(file, left)
    except OSError as error:
        # Nothing is sent that can't be remembered: it would be sent again at every run.
        said.append(f"nobody was told: {error.filename or file}: {error.strerror or error}")
    if settings.heartbeat and (trouble := desk.beat(settings.heartbeat)):
        said.append(f"the heartbeat was not taken: {trouble}")
    return [f"notify: {sentence}" for sentence in said]


def _worked_in(record: Record, settings: Notify, seen: Seen, desk: Desk) -> Record:
    now = desk.now()
    quiet = in_quiet(settings.quiet, desk.minute(now))
    memory, due = advance(record.memory, seen, now, lost_after=settings.unreachable_after, quiet=quiet)
    parcels = {
        channel.name: _more(record.parcels.get(channel.name, Parcel(())), due)
        for channel in settings.channels
    }
    return Record(memory, {name: parcel for name, parcel in parcels.items() if parcel.notices})


def _more(parcel: Parcel, due: Sequence[Notice]) -> Parcel:
    return replace(parcel, notices=(*parcel.notices, *due))


def _sent(record: Record, settings: Notify, document: str, desk: Desk) -> tuple[Record, list[str]]:
    left: dict[str, Parcel] = {}
    said: list[str] = []
    for channel in settings.channels:
        parcel = record.parcels.get(channel.name)
        if parcel is None:
            continue
        trouble = _try(channel, message(document, parcel.notices, desk.now()), desk)
        if not trouble:
            continue
        tried = replace(parcel, tries=parcel.tries + 1)
        if tried.tries < _RUNS:
            left[channel.name] = tried
            said.append(f"{channel.name} was not told: {trouble}; tried again at the next run")
        else:
            said.append(f"{channel.name} was not told in {tried.tries} runs: {trouble}; given up")
    return replace(record, parcels=left), said


def _try(channel: Channel, value: Mapping[str, Any], desk: Desk) -> str:
    trouble = desk.send(channel, value)
    for _ in range(_TRIES - 1):
        if trouble:
            desk.sleep(_PAUSE)
            trouble = desk.send(channel, value)
    return trouble


def message(document: str, notices: Sequence[Notice], now: float) -> dict[str, Any]:
    """What a channel is given; `text` is what a chat shows, a dead bot first."""
    ordered = sorted(notices, key=lambda notice: not notice.urgent)
    return {
        "format_version": FORMAT_VERSION,
        "document": document,
        "time": _utc(now),
        "text": "\n".join([document, *_rows(ordered)]),
        "notices": [{**asdict(notice), "since": _utc(notice.since)} for notice in ordered],
    }


_SAID = {
    "dead": "THE BOT IS DEAD",
    "alive": "the bot lives again",
    "drift": "drift",
    "resolved": "as written again",
    "changed": "differs in another way now",
    "accepted": "accepted, so left as it is",
    "unreachable": "out of reach",
    "recovered": "reached again",
}


def _rows(notices: Sequence[Notice]) -> Iterator[str]:
    for notice in notices:
        text = f": {notice.text}" if notice.kind in ("dead", "drift", "unreachable") and notice.text else ""
        yield f"{_SAID[notice.kind]}: {notice.subject}{text}"


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
