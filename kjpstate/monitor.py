"""The watch after an apply: one look a host each so often, what was seen, and the verdict.

Called by `cli` (`monitor`, and `apply --monitor`) with a loaded document and opened hosts. It only
looks. A lost link is dialled again with growing pauses and leaves a hole. Time is the controller's
own, sleep and all.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from kjpstate import errors
from kjpstate.formats import course as courses
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.soak import (
    Ended,
    Expected,
    Hole,
    Limits,
    Sample,
    Soak,
    Subject,
    Verdict,
    failures,
    judge,
)
from kjpstate.host import Eye
from kjpstate.kinds import questions
from kjpstate.model import Answers, Reading, Resource
from kjpstate.said import Text, say

EVERY, LENGTH = 30.0, 1800.0
"""Seconds: what a document without a section `monitor` means."""

_LATE = 10.0
"""Seconds by which a pause may be late before it is told as a time in which this computer slept."""
_PATIENCE = 45.0
"""Seconds one look may take; what a name costs that does not resolve comes on top."""
_NAME = 12.0


class Document(Protocol):
    """What of a loaded document is needed here."""

    @property
    def name(self) -> str: ...
    @property
    def resources(self) -> tuple[Resource, ...]: ...
    @property
    def checks(self) -> tuple[Resource, ...]: ...
    @property
    def monitor(self) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True)
class Pace:
    """`length`, `every`: seconds. `keep_going`: also after a limit was passed. `patient`: a host
    that does not answer at first is waited for, not an error."""

    length: float = LENGTH
    every: float = EVERY
    keep_going: bool = False
    patient: bool = False


@dataclass
class Record:
    """What was seen so far: whole at any moment, so that a watch may be interrupted."""

    document: str
    subjects: tuple[Subject, ...]
    limits: Limits
    pace: Pace
    started: str = ""
    seconds: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)

    def soak(self, ended: Ended) -> Soak:
        """All of it, with the verdict over each app."""
        return Soak(
            self.document,
            self.started,
            self.pace.length,
            self.pace.every,
            self.seconds,
            ended,
            self.limits,
            tuple(self.samples),
            tuple(self.holes),
            tuple(self._verdict(subject, ended) for subject in self.subjects),
        )

    def failed(self) -> bool:
        """Whether a limit was passed, whatever comes."""
        return any(
            next(failures(self.limits, self._of(subject)), None) for subject in self.subjects
        )

    def _of(self, subject: Subject) -> list[Sample]:
        return [sample for sample in self.samples if (sample.host, sample.app) == subject.key]

    def _verdict(self, subject: Subject, ended: Ended) -> Verdict:
        left: Text = ""
        if ended == "early":
            left = say("watch.early")
        elif ended == "interrupted":
            left = say("watch.interrupted")
        holes = [hole for hole in self.holes if hole.host == subject.host]
        return judge(
            subject, self.limits, self._of(subject), holes, seconds=self.seconds, left=left
        )


Told = Callable[[Sample | Hole], None]


def subjects(document: Document, hosts: Collection[str]) -> tuple[Subject, ...]:
    """Every app of the document on these hosts; raises UsageError when there is none."""
    texts = tuple(((document.monitor or {}).get("limits") or {}).get("log") or {})
    expected = list(questions(document.checks, Expected))
    found = tuple(
        _subject(app, [part for item, part in expected if item.host == app.host], texts)
        for _, app in questions(document.resources, Declared)
        if app.host in hosts
    )
    if not found:
        raise errors.UsageError(say("watch.nothing-to-watch"), say("watch.nothing-to-watch.cure"))
    return found


def _subject(app: Declared, expected: Sequence[Expected], texts: tuple[str, ...]) -> Subject:
    names = [name for part in expected for name in part.names]
    absent = [text for part in expected if part.app == app.name for text in part.absent]
    one_line = [text for text in absent if text and "\n" not in text]
    return Subject(app, tuple(dict.fromkeys(names)), tuple(dict.fromkeys((*texts, *one_line))))


def limits(document: Document) -> Limits:
    """The document's, or none at all."""
    return Limits(**((document.monitor or {}).get("limits") or {}))


def pace(document: Document, length: float | None, every: float | None, **how: bool) -> Pace:
    """As the command line says, else the document, else half an hour, twice a minute."""
    said = document.monitor or {}
    return Pace(length or said.get("for") or LENGTH, every or said.get("every") or EVERY, **how)


def now() -> float:
    """Seconds on a clock that nobody sets, and that goes on while this computer sleeps where there
    is one."""
    if sys.platform == "linux":  # where monotonic() stands still meanwhile
        seconds = time.clock_gettime(time.CLOCK_BOOTTIME)
    elif sys.platform == "darwin":
        seconds = time.clock_gettime(time.CLOCK_MONOTONIC)
    else:
        seconds = time.monotonic()
    return seconds


async def pause(seconds: float) -> None:
    """Wait."""
    await asyncio.sleep(seconds)


async def watch(
    record: Record, hosts: Mapping[str, Eye], tell: Told, members: Collection[str] = ()
) -> Ended:
    """Watch all subjects of `record` to the end, or until a limit is passed; `tell` hears what is
    seen.

    Raises Unreachable when a host does not answer the first look, unless the pace is patient, or it
    is one of `members`: one of a fleet may be off.
    """
    origin = now()
    groups: dict[str, list[Subject]] = {}
    for subject in record.subjects:
        groups.setdefault(subject.host, []).append(subject)
    watches = [
        asyncio.create_task(
            _Watch(record, hosts[name], tuple(group), origin, tell, name in members).run()
        )
        for name, group in groups.items()
    ]
    try:
        for done in asyncio.as_completed(watches):
            if await done:
                return "early"
        return "whole"
    finally:
        for task in watches:
            task.cancel()
        await asyncio.gather(*watches, return_exceptions=True)


@dataclass
class _Watch:
    """The looks at one host. `lost`: since when it is out of sight; `fails`: looks in a row that
    failed."""

    record: Record
    host: Eye
    subjects: tuple[Subject, ...]
    origin: float
    tell: Told
    may_be_off: bool
    lost: Hole | None = None
    fails: int = 0

    async def run(self) -> bool:
        """To the end; True: a limit was passed before."""
        standing = [courses.begin(subject) for subject in self.subjects]
        pace, first = self.record.pace, True
        end = pace.length - _slack(pace)
        while True:
            try:
                standing = await self._look(standing, first)
                first = False
                if not pace.keep_going and self.record.failed():
                    return self._at() < end
            except errors.Unreachable as error:
                if first and not pace.patient and not self.may_be_off:
                    raise
                self._lose(error.message)
                await self.host.close()
            at = self._at()
            if at >= end and (not self.lost or at >= end + pace.every):
                return False
            due = _next(at, pace)
            await self._wait(min(due, at + 2.0 ** (self.fails - 1)) if self.lost else due)

    def _at(self) -> float:
        self.record.seconds = now() - self.origin
        return self.record.seconds

    async def _look(self, standing: Sequence[courses.Course], first: bool) -> list[courses.Course]:
        """One exec: the samples of all apps here, and their next standings."""
        answers = await self._answers(
            [item for course in standing for item in courses.readings(course)]
        )
        at, following = self._at(), []
        samples: list[Sample] = []
        for course in standing:
            stepped = courses.step(course, at, answers)
            if not isinstance(stepped, tuple):
                raise errors.Unreachable(self.host.name, stepped)
            following.append(stepped[0])
            samples.append(stepped[1])
        heard_of = [
            item for course in following for item in courses.logs(course, courses.unmarked(course))
        ]
        if heard_of:
            found = await self._answers(heard_of)
            following = [courses.marked(course, found) for course in following]
        self._find(at)
        for sample in samples:
            self.record.samples.append(sample)
            self.tell(sample)
        return following

    async def _answers(self, readings: Sequence[Reading]) -> Answers:
        """The answers of one exec; raises Unreachable also when it takes too long."""
        names = sum(len(subject.names) for subject in self.subjects)
        try:
            async with asyncio.timeout(_PATIENCE + names * _NAME):
                return await self.host.look(readings)
        except TimeoutError:
            raise errors.Unreachable(
                self.host.name, say("watch.no-answer", host=self.host.name)
            ) from None

    async def _wait(self, until: float) -> None:
        """Until that moment; a pause that took much longer was this computer's sleep."""
        before = self._at()
        await pause(max(until - before, 0))
        after = self._at()
        if after > until + _LATE and not self.lost:
            self._lose("this computer slept, or was stopped", until)

    def _lose(self, why: Text, since: float | None = None) -> None:
        self.fails += 1
        if self.lost is None:
            self.lost = Hole(self.host.name, self._at() if since is None else since, None, why)
            self.record.holes.append(self.lost)
            self.tell(self.lost)

    def _find(self, at: float) -> None:
        if self.lost is not None:
            closed = Hole(self.host.name, self.lost.start, at, self.lost.why)
            self.record.holes[self.record.holes.index(self.lost)] = closed
            self.tell(closed)
        self.lost, self.fails = None, 0


def _next(at: float, pace: Pace) -> float:
    """The next moment of the beat after `at`; the last one is the end itself."""
    beat = (int((at + _slack(pace)) // pace.every) + 1) * pace.every
    return min(beat, pace.length) if at < pace.length - _slack(pace) else beat


def _slack(pace: Pace) -> float:
    """Seconds by which a pause may end too early."""
    return pace.every / 20
