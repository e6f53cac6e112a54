"""A watch over an app as values: what was seen at each look, the holes between them, and the
verdict.

`course` makes the samples, `kjpstate.monitor` takes the looks, `render` shows both. Pure. All
moments are seconds since the watch began, by the controller's clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from kjpstate.formats.pm2.declared import Declared
from kjpstate.said import Text, say

Result: TypeAlias = Literal["passed", "failed", "unknown"]
Ended: TypeAlias = Literal["whole", "early", "interrupted"]

BLIND = 0.25
"""The share of the time that may lie in holes; more, and nobody can say that all was well."""


@dataclass(frozen=True)
class Expected:
    """What an acceptance check expects that a watch can see as well."""

    names: tuple[str, ...] = ()
    """They resolve the way an app asks."""
    app: str = ""
    """The app that `absent` is about."""
    absent: tuple[str, ...] = ()
    """It logs none of these texts."""


@dataclass(frozen=True)
class Subject:
    """One app on one host."""

    declared: Declared
    names: tuple[str, ...] = ()
    """To be resolved the way the app asks."""
    texts: tuple[str, ...] = ()
    """To be counted in its logs."""

    @property
    def host(self) -> str:
        """The host's name in the document."""
        return self.declared.host

    @property
    def app(self) -> str:
        """The app's name."""
        return self.declared.name

    @property
    def paths(self) -> tuple[str, ...]:
        """Its logs, as the document has them."""
        return tuple(path for _, path in self.declared.logs)

    @property
    def key(self) -> tuple[str, str]:
        """Its host and its name."""
        return self.host, self.app


@dataclass(frozen=True)
class Limits:
    """Limits of a watch; None and absent: no limit. `cpu`: per cent of one core; `memory`: bytes of
    all its processes; `unresolved`: looks at which a name did not resolve; `log`: text -> lines."""

    cpu: float | None = None
    memory: int | None = None
    crash_restarts: int | None = None
    unresolved: int | None = None
    log: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """One look. `sick`: why the app is not alive, "" when it is. `cpu`: since the look before, per
    cent of one core; `memory`: bytes. Since the baseline: `crashes`, `planned` restarts, `logs`
    text -> lines. `names`: name -> whether it resolved. `notes`: what else happened. None,
    everywhere: not known."""

    at: float
    host: str
    app: str
    sick: Text = ""
    cpu: float | None = None
    memory: int | None = None
    crashes: int = 0
    planned: int = 0
    logs: Mapping[str, int | None] = field(default_factory=dict)
    names: Mapping[str, bool | None] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Hole:
    """A time in which nothing was seen; `end` None: still open."""

    host: str
    start: float
    end: float | None
    why: Text


@dataclass(frozen=True)
class Finding:
    """One reason of a verdict, and the moment it was seen; None: it belongs to no moment."""

    at: float | None
    what: Text


@dataclass(frozen=True)
class Verdict:
    """The verdict over one app. `findings`: why it is not passed."""

    host: str
    app: str
    result: Result
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Soak:
    """A whole watch. `wanted`: for how long it was to be; `seconds`: how long it was. `ended`: it
    went to its end, ended early since a limit was passed, or was interrupted."""

    document: str
    started: str
    wanted: float
    every: float
    seconds: float
    ended: Ended
    limits: Limits
    samples: tuple[Sample, ...]
    holes: tuple[Hole, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def result(self) -> Result:
        """The worst verdict: failed, unknown, passed."""
        found = {verdict.result for verdict in self.verdicts}
        return "failed" if "failed" in found else "unknown" if "unknown" in found else "passed"


def judge(
    subject: Subject,
    limits: Limits,
    samples: Sequence[Sample],
    holes: Sequence[Hole],
    *,
    seconds: float,
    left: Text = "",
) -> Verdict:
    """The verdict over one app's samples and its host's holes. `left`: why it did not go to its
    end."""
    failed = sorted(failures(limits, samples, ended=not left), key=lambda finding: finding.at or 0)
    if failed:
        return Verdict(*subject.key, "failed", tuple(failed))
    doubts = [Finding(None, left)] if left else []
    doubts += _doubts(limits, samples, holes, seconds)
    return Verdict(*subject.key, "unknown" if doubts else "passed", tuple(doubts))


def failures(
    limits: Limits, samples: Sequence[Sample], *, ended: bool = False
) -> Iterator[Finding]:
    """The limits that were passed for certain, each once, at the moment it was passed; an app that
    is not alive counts at the second look in a row, or at the last."""
    told: set[str] = set()
    unresolved, sick = 0, False
    for number, sample in enumerate(samples):
        unresolved += False in sample.names.values()
        found: dict[str, Text] = dict(_passed(limits, sample, unresolved))
        if sample.sick and (sick or (ended and number == len(samples) - 1)):
            found["alive"] = say("watch.not-alive", app=sample.app, why=sample.sick)
        sick = bool(sample.sick)
        for key, what in found.items():
            if key not in told:
                yield Finding(sample.at, what)
        told |= set(found)


def _passed(limits: Limits, sample: Sample, unresolved: int) -> Iterator[tuple[str, Text]]:
    """(what, sentence) of each limit that this look is beyond."""
    if limits.cpu is not None and (sample.cpu or 0) > limits.cpu:
        yield "cpu", say("watch.cpu", cpu=sample.cpu, limit=limits.cpu)
    if limits.memory is not None and (sample.memory or 0) > limits.memory:
        yield (
            "memory",
            say("watch.memory", memory=size(sample.memory or 0), limit=size(limits.memory)),
        )
    if limits.crash_restarts is not None and sample.crashes > limits.crash_restarts:
        yield (
            "crashes",
            say("watch.crashes", crashes=sample.crashes, limit=limits.crash_restarts),
        )
    if limits.unresolved is not None and unresolved > limits.unresolved:
        names = [name for name, well in sample.names.items() if well is False]
        yield (
            "names",
            say(
                "watch.unresolved",
                names=names or [say("watch.a-name")],
                looks=unresolved,
                limit=limits.unresolved,
            ),
        )
    for text, most in limits.log.items():
        times = sample.logs.get(text)
        if times is not None and times > most:
            yield f"log {text}", say("watch.log", text=text, times=times, limit=most)


def _doubts(
    limits: Limits, samples: Sequence[Sample], holes: Sequence[Hole], seconds: float
) -> Iterator[Finding]:
    """The reasons why nobody can say that all was well."""
    if not samples:
        yield Finding(None, holes[-1].why if holes else say("watch.nothing-seen"))
        return
    last = holes[-1] if holes else None
    if last is not None and last.end is None:
        yield Finding(last.start, say("watch.lost-at-the-end", why=last.why))
    dark = sum((hole.end if hole.end is not None else seconds) - hole.start for hole in holes)
    if seconds > 0 and dark > seconds * BLIND:
        yield Finding(None, say("watch.lost", dark=dark, length=seconds))
    if limits.cpu is not None and all(sample.cpu is None for sample in samples):
        yield Finding(None, say("watch.cpu-never"))
    if limits.memory is not None and all(sample.memory is None for sample in samples):
        yield Finding(None, say("watch.memory-never"))
    for text in limits.log:
        if samples[-1].logs.get(text) is None:
            yield Finding(samples[-1].at, say("watch.logs-unread", text=text))
    if limits.unresolved is not None and not any(
        set(sample.names.values()) - {None} for sample in samples
    ):
        yield Finding(None, say("watch.no-name"))


def size(count: int) -> str:
    """Bytes for a person, with PM2's units: `84 MB`."""
    megabytes = count / (1 << 20)
    return f"{megabytes:.0f} MB" if megabytes >= 10 else f"{megabytes:.1f} MB"
