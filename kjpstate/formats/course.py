"""From look to look over one app: what to ask next, and what the answers say since the baseline.

A fold: `begin`, then `readings` and `step` in turn; called by `kjpstate.monitor`. Pure. Crashes are
told from restarts on purpose by what PM2 moves with each: a crash moves neither `unique_id` nor
`created_at`. CPU is the growth of the ticks of the app's processes and of all below them between
two looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation

from kjpstate.formats import counts, names
from kjpstate.formats.pm2 import health, policy, probe
from kjpstate.formats.soak import Sample, Subject
from kjpstate.model import Answers, Probe, Reading
from kjpstate.said import Text, say


@dataclass(frozen=True)
class Course:
    """The state of the watch over one app. `last`: what was seen before; `entries`: PM2's of the
    app, as they last stood still; `idle`: since when (seconds of uptime) it has no connection, 0
    when it has; `marks`: up to where its logs were read; `texts`: lines so far, None once
    unreadable."""

    subject: Subject
    last: probe.Seen | None = None
    entries: Mapping[int, probe.App] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    marks: Mapping[str, counts.Mark] = field(default_factory=dict)
    idle: Decimal = Decimal(0)
    crashes: int = 0
    planned: int = 0
    texts: Mapping[str, int | None] = field(default_factory=dict)


def begin(subject: Subject) -> Course:
    """Before the first look, which is the baseline."""
    return Course(subject, paths=subject.paths, texts=dict.fromkeys(subject.texts, 0))


def readings(course: Course) -> Iterator[Reading]:
    """The readings of one look."""
    subject = course.subject
    yield probe.reading(subject.declared)
    yield from logs(course, course.paths)
    if subject.names:
        yield names.reading(subject.host, subject.names)


def logs(course: Course, paths: Sequence[str]) -> Iterator[Probe]:
    """The questions to some of its logs."""
    subject = course.subject
    for path in paths if subject.texts else ():
        yield counts.reading(subject.host, path, course.marks.get(path), subject.texts)


def unmarked(course: Course) -> tuple[str, ...]:
    """Logs that were just heard of: where they end is to be asked at once."""
    return (
        tuple(path for path in course.paths if path not in course.marks)
        if course.subject.texts
        else ()
    )


def marked(course: Course, answers: Answers) -> Course:
    """With the marks of those."""
    found = dict(_counted(course, unmarked(course), answers))
    return replace(
        course,
        marks={
            **course.marks,
            **{p: c.mark for p, c in found.items() if isinstance(c, counts.Count)},
        },
    )


def step(course: Course, at: float, answers: Answers) -> tuple[Course, Sample] | Text:
    """The next standing and its sample; or why this look told nothing."""
    subject = course.subject
    seen = probe.parse(answers.get(probe.reading(subject.declared)))
    if not isinstance(seen, probe.Seen):
        return seen
    listed = seen.named(subject.app) if seen.alive else ()
    anew = _anew(course.last, seen)
    crashes, planned = _restarts(course, listed, anew=bool(anew))
    course, log_notes = _read_logs(course, answers)
    course = replace(course, idle=_idle(course, seen, listed))
    course = replace(course, crashes=course.crashes + crashes, planned=course.planned + planned)
    notes = [anew] if anew else [say("watch.planned")] if planned else []
    real = tuple(
        dict.fromkeys(log.path for app in listed for log in app.logs if log.path != "/dev/null")
    )
    paths = real if any(app.logs for app in listed) else course.paths
    sample = Sample(
        at=at,
        host=subject.host,
        app=subject.app,
        sick=_sick(course, seen),
        cpu=_cpu(course, seen, listed),
        memory=sum(app.rss or app.memory for app in listed if app.start is not None) or None,
        crashes=course.crashes,
        planned=course.planned,
        logs=dict(course.texts) if paths else dict.fromkeys(course.texts),
        names=dict(_resolved(subject, answers)),
        notes=(*notes, *log_notes),
    )
    entries = {**course.entries, **{app.pm_id: app for app in listed if _settled(app)}}
    return replace(course, last=seen, entries=entries, paths=paths), sample


def _sick(course: Course, seen: probe.Seen) -> Text:
    """Why it is not alive. Without any connection it may be waiting for its next try: only for so
    long."""
    app = course.subject.declared
    patience = policy.min_uptime(app.keys)
    found = health.health(seen, app.name, min_uptime=patience, may_end=app.may_end)
    idle = _number(seen.clock.uptime) - course.idle if course.idle else Decimal(0)
    if found.sick or idle < health.CONNECTS_WITHIN:
        return found.sick
    return say("watch.idle", seconds=float(idle))


def _idle(course: Course, seen: probe.Seen, listed: Sequence[probe.App]) -> Decimal:
    """Since when it has no connection, where the document says that it must have one."""
    if not course.subject.declared.connected or not any(app.connections == 0 for app in listed):
        return Decimal(0)
    same = course.last is not None and course.last.clock.boot_id == seen.clock.boot_id
    return course.idle if course.idle and same else _number(seen.clock.uptime)


def _anew(last: probe.Seen | None, seen: probe.Seen) -> Text:
    """True if everything was started again: the box, or PM2's daemon."""
    if last is None:
        return ""
    if last.clock.boot_id != seen.clock.boot_id:
        return say("watch.box-restarted")
    before, now = (found.daemon.pid if found.daemon else 0 for found in (last, seen))
    return say("watch.daemon-restarted") if before and now and before != now else ""


# ---- restarts


def _restarts(course: Course, listed: Sequence[probe.App], *, anew: bool) -> tuple[int, int]:
    """(crashes, restarts on purpose) of all its instances since the look before."""
    if not course.entries:
        return 0, 0
    found = [
        _restarted(course.entries.get(app.pm_id), app, anew=anew) for app in listed if _settled(app)
    ]
    return sum(crashes for crashes, _ in found), sum(planned for _, planned in found)


def _settled(app: probe.App) -> bool:
    """True if PM2 is not just restarting it: then `created_at` has moved, and the counter not
    yet."""
    return app.status in ("errored", "waiting restart") or (
        app.status == "online" and app.start is not None
    )


def _restarted(before: probe.App | None, app: probe.App, *, anew: bool) -> tuple[int, int]:
    if before is None or before.unique_id != app.unique_id:
        crashes = app.restart_time if health.crashed(app) else 0
        return crashes, 0 if anew else 1
    more = app.restart_time - before.restart_time
    if app.created_at in (None, before.created_at):
        return max(more, 0), 0
    # on purpose: a reload counts one more, a stop and start, or `pm2 reset`, count from 0 again
    beyond = more - 1 if more > 0 else app.restart_time
    return max(beyond, 1) if health.crashed(app) else 0, 1


# ---- CPU


def _cpu(course: Course, seen: probe.Seen, listed: Sequence[probe.App]) -> float | None:
    """Per cent of one core of its busiest instance since the look before."""
    last = course.last
    if (
        last is None
        or not listed
        or any(app.used is None and app.start is not None for app in listed)
    ):
        return None
    same_boot = last.clock.boot_id == seen.clock.boot_id
    spent = _number(seen.clock.uptime) - (_number(last.clock.uptime) if same_boot else Decimal(0))
    if spent <= 0:
        return None
    return max(
        float(_grown(course, app) / (seen.clock.ticks or 100) / spent * 100) for app in listed
    )


def _grown(course: Course, app: probe.App) -> Decimal:
    """Ticks since the look before; all of them for a process that began since."""
    seen = (
        course.last.named(course.subject.app)
        if course.last is not None and course.last.alive
        else ()
    )
    before = next((entry for entry in seen if entry.pm_id == app.pm_id), None)
    same = (
        before is not None
        and before.used is not None
        and (before.pid, before.start) == (app.pid, app.start)
    )
    return Decimal(max((app.used or 0) - (before.used or 0 if same and before else 0), 0))


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(0)


# ---- logs, names


def _counted(
    course: Course, paths: Sequence[str], answers: Answers
) -> Iterator[tuple[str, counts.Count | Text]]:
    subject = course.subject
    for path, reading in zip(paths, logs(course, paths), strict=False):
        yield path, counts.parse(answers.get(reading), len(subject.texts))


def _read_logs(course: Course, answers: Answers) -> tuple[Course, list[Text]]:
    """With what was written since the look before, and what happened to the logs."""
    marks, texts = dict(course.marks), dict(course.texts)
    notes: list[Text] = []
    for path, found in _counted(course, course.paths, answers):
        if not isinstance(found, counts.Count):
            notes.append(say("logs.at", path=path, why=found))
            texts = dict.fromkeys(texts)
            continue
        if found.rotated:
            code = "logs.rotated" if found.rotated == "whole" else "logs.rotated-lost"
            notes.append(say(code, path=path))
        marks[path] = found.mark
        for text, times in zip(course.subject.texts, found.counts, strict=True):
            so_far = texts[text]
            texts[text] = None if so_far is None else so_far + times
    return replace(course, marks=marks, texts=texts), notes


def _resolved(subject: Subject, answers: Answers) -> Iterator[tuple[str, bool | None]]:
    """Each name, and whether it resolved in every way that the app may ask; None: it could not be
    asked."""
    if not subject.names:
        return
    found = names.parse(answers.get(names.reading(subject.host, subject.names)))
    for name in subject.names:
        lookups = (
            [x for x in found if x.subject == name and x.path == "app"]
            if isinstance(found, tuple)
            else ()
        )
        yield name, all(lookup.ok for lookup in lookups) if lookups else None
