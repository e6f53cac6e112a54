"""One look worked into what was told before, and what is due sent to every channel. Called by
`cli.drift`.

What is to be sent, and that it is tried, is written down before it is sent: a run that is cut tells
twice rather than never, and not for ever. All channels are asked at once, so that one that hangs
holds up no other. A channel that fails is tried again at the next runs, a limited number of times.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

from kjpstate.formats.times import iso_time, run_time
from kjpstate.model import Channel, Notify
from kjpstate.notify import channels, store
from kjpstate.notify.changes import DEAD, Kind, Notice, Seen, advance, in_quiet
from kjpstate.notify.store import Parcel, Record
from kjpstate.said import Said, Text, say

FORMAT_VERSION = "1.0"
_BEAT = ""
"""No channel bears this name."""
_TRIES, _PAUSE, _RUNS = 2, 1.0, 36
"""Tries a run, seconds between them, and runs (six hours at ten minutes) until a parcel is given
up."""
_LONGEST = 45.0
"""Seconds for all channels, also for what knows no end of its own: a resolver, an answer that
trickles."""


@dataclass(frozen=True)
class Desk:
    """How the outside is reached; other ones for tests. `now`: UTC seconds; `minute`: of the local
    day."""

    now: Callable[[], float] = time.time
    minute: Callable[[float], int] = lambda now: (
        time.localtime(now).tm_hour * 60 + time.localtime(now).tm_min
    )
    send: Callable[[Channel, Mapping[str, Any]], Text] = channels.send
    beat: Callable[[Any], Text] = channels.beat
    sleep: Callable[[float], None] = time.sleep


def tell(settings: Notify, seen: Seen, document: str, file: Path, desk: Desk) -> list[Said]:
    """Tell what is new; the messages for stderr about what could not be told. Never raises.

    `file`: where it is remembered what was told, see `store.file_of`.
    """
    said: list[Text] = []
    record, remembered = Record(), True
    try:
        record, damaged = store.read(file)
        said += [damaged] if damaged else []
        due = _worked_in(record, settings, seen, desk)
        # Most looks change nothing, and a card of a small box wears out by writing.
        if due != record:
            store.write(file, due)
    except OSError as error:
        said.append(say("notify.only-dead", **_named(error, file)))
        due, remembered = _of_the_dead(_worked_in(record, settings, seen, desk)), False
    # A checker that can't remember what it told does not say that it is well.
    troubles = _asked(
        due, settings if remembered else replace(settings, heartbeat=""), document, desk
    )
    try:
        left = _left(due, troubles)
        if remembered and left != due:
            store.write(file, left)
    except OSError as error:
        said.append(say("notify.not-noted", **_named(error, file)))
    said += _sentences(due, troubles)
    if trouble := troubles.get(_BEAT):
        said.append(say("notify.no-heartbeat", why=trouble))
    return [say("notify.trouble", what=what) for what in said]


def _named(error: OSError, file: Path) -> dict[str, str]:
    return {"file": str(error.filename or file), "why": str(error.strerror or error)}


def _of_the_dead(record: Record) -> Record:
    """What can't be remembered would be sent again at every run, and only a dead bot is worth that:
    it may have died of the very disk that is full."""
    dead = {
        name: tuple(
            replace(parcel, notices=notices)
            for parcel in parcels
            if (notices := tuple(notice for notice in parcel.notices if notice.kind == DEAD))
        )
        for name, parcels in record.parcels.items()
    }
    return Record(parcels={name: parcels for name, parcels in dead.items() if parcels})


def _worked_in(record: Record, settings: Notify, seen: Seen, desk: Desk) -> Record:
    now = desk.now()
    quiet = in_quiet(settings.quiet, desk.minute(now))
    memory, due = advance(
        record.memory, seen, now, lost_after=settings.unreachable_after, quiet=quiet
    )
    new = (Parcel(due),) if due else ()
    parcels = {
        channel.name: tuple(
            replace(parcel, tries=parcel.tries + 1)
            for parcel in (*record.parcels.get(channel.name, ()), *new)
            if parcel.tries < _RUNS
        )
        for channel in settings.channels
    }
    return Record(memory, {name: items for name, items in parcels.items() if items})


def _asked(record: Record, settings: Notify, document: str, desk: Desk) -> dict[str, Text]:
    """Channel -> why it did not take its parcels, "" when it did; all at once. _BEAT is the
    heartbeat."""
    asks: dict[str, Callable[[], Text]] = {}
    for channel in settings.channels:
        if parcels := record.parcels.get(channel.name):
            notices = [notice for parcel in parcels for notice in parcel.notices]
            asks[channel.name] = partial(
                _try, channel, message(document, notices, desk.now()), desk
            )
    if settings.heartbeat:
        asks[_BEAT] = partial(desk.beat, settings.heartbeat)
    return at_once(asks, _LONGEST)


def _left(record: Record, troubles: Mapping[str, Text]) -> Record:
    """What is still to be sent; what was tried often enough is not."""
    failed = {
        name: tuple(parcel for parcel in parcels if parcel.tries < _RUNS)
        for name, parcels in record.parcels.items()
        if troubles[name]
    }
    return replace(record, parcels={name: parcels for name, parcels in failed.items() if parcels})


def _sentences(record: Record, troubles: Mapping[str, Text]) -> Iterator[Said]:
    for name, parcels in record.parcels.items():
        if not troubles[name]:
            continue
        if any(parcel.tries >= _RUNS for parcel in parcels):
            yield say("notify.given-up", channel=name, runs=_RUNS, why=troubles[name])
        if any(parcel.tries < _RUNS for parcel in parcels):
            yield say("notify.tried-again", channel=name, why=troubles[name])


def at_once(asks: Mapping[str, Callable[[], Text]], longest: float) -> dict[str, Text]:
    """What each of `asks` answers, all in threads of their own; one that takes longer than
    `longest` seconds is left alone and said."""
    answers = {name: Future[Text]() for name in asks}
    for name, ask in asks.items():
        Thread(target=_answered, args=(ask, answers[name]), daemon=True).start()
    wait(answers.values(), longest)
    return {
        name: future.result() if future.done() else say("notify.no-answer", seconds=longest)
        for name, future in answers.items()
    }


def _answered(ask: Callable[[], Text], future: Future[Text]) -> None:
    try:
        future.set_result(ask())
    except BaseException as error:
        future.set_exception(error)


def _try(channel: Channel, value: Mapping[str, Any], desk: Desk) -> Text:
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
        "time": iso_time(run_time(now)),
        "text": "\n".join([document, *_rows(ordered)]),
        "notices": [
            {**asdict(notice), "since": iso_time(run_time(notice.since))} for notice in ordered
        ],
    }


_SAID: Mapping[Kind, str] = {
    "dead": "notify.dead",
    "alive": "notify.alive",
    "drift": "notify.drift",
    "resolved": "notify.resolved",
    "changed": "notify.changed",
    "accepted": "notify.accepted",
    "unreachable": "notify.unreachable",
    "recovered": "notify.recovered",
}
_SAID_WHY: Mapping[Kind, str] = {
    "dead": "notify.dead-why",
    "drift": "notify.drift-why",
    "unreachable": "notify.unreachable-why",
}
"""Kind of notice -> its message; the second ones have a text."""


def _rows(notices: Sequence[Notice]) -> Iterator[str]:
    for notice in notices:
        if notice.text and notice.kind in _SAID_WHY:
            yield str(say(_SAID_WHY[notice.kind], subject=notice.subject, why=notice.text))
        else:
            yield str(say(_SAID[notice.kind], subject=notice.subject))
