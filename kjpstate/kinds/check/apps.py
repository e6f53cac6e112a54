"""The checks that look at an app under PM2: is it alive, as the document says, quiet, and without
errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from kjpstate.formats import log_dates, logs, proc
from kjpstate.formats.pm2 import health, probe, settings
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.tree import read_stamp, stamp_name, stamped_clock
from kjpstate.kinds.check.spec import AppCheck, CpuCheck, LogCheck
from kjpstate.kinds.check.verdict import Verdict, all_of
from kjpstate.model import Answers, ReadCommand, Reading, ReadState
from kjpstate.said import Said, Text, say
from kjpstate.secret import opened, shortened

# ---- app


def app_reads(spec: AppCheck) -> Iterable[Reading]:
    """PM2's own truth, and the stamp of what was deployed."""
    yield probe.reading(spec.app)
    if spec.app.tree:
        yield _tree_stamp(spec.app)


def app_verdict(spec: AppCheck, answers: Answers) -> Verdict:
    """Alive, not restarted by crashes, with the settings that act, and running
    what was deployed."""
    seen = probe.parse(answers.get(probe.reading(spec.app)))
    if not isinstance(seen, probe.Seen):
        return Verdict("failed", seen)
    return all_of(_app_findings(spec, seen, answers))


def _app_findings(
    spec: AppCheck, seen: probe.Seen, answers: Answers
) -> Iterator[tuple[bool, Text]]:
    name = spec.app.name
    if spec.alive:
        reason = health.health_of(spec.app, seen).sick
        if reason:
            yield False, say("check.not-alive", app=name, why=reason)
        else:
            yield True, say("check.alive", app=name)
    if spec.steady:
        rises = health.rising(seen, name)
        if rises:
            yield False, say("check.restarts", app=name, rises=rises)
        else:
            yield True, say("check.steady", app=name)
    if spec.settings:
        wrong = list(_other_settings(spec.app, seen))
        if wrong:
            yield False, say("check.other-settings", app=name, settings=wrong)
        else:
            yield True, say("check.settings", app=name)
    if spec.started_after_deploy:
        stale = _stale(spec.app, seen, answers)
        if stale:
            yield False, say("check.stale", app=name, why=stale)
        else:
            yield True, say("check.fresh", app=name)


def _other_settings(app: Declared, seen: probe.Seen) -> Iterator[Text]:
    """Each setting that acts otherwise than the document says; of environment
    values just the name."""
    entries = seen.named(app.name) if seen.alive else ()
    if not entries:
        yield say("check.no-settings")
        return
    context = settings.context(app, seen)
    wanted = settings.desired(context)
    found = settings.actual(entries, wanted, context)
    for key, value in wanted.items():
        if found[key] != value:
            yield _setting(key, found[key], value)
    for name, value in settings.environment(app.keys).items():
        if any(entry.env.get(name) != opened(value) for entry in entries):
            yield say("check.other-variable", name=name)


def _setting(key: str, found: Any, wanted: Any) -> Said:
    if found is None:
        return say("check.setting-unset", key=key, wanted=str(wanted))
    if wanted is None:
        return say("check.setting-too-many", key=key, found=str(found))
    return say("check.setting", key=key, found=str(found), wanted=str(wanted))


def _stale(app: Declared, seen: probe.Seen, answers: Answers) -> Text:
    if not app.tree:
        return say("check.not-put-there")
    clock = stamped_clock(read_stamp(answers.get(_tree_stamp(app))))
    return health.freshness(seen, app.name, clock).reason


def _tree_stamp(app: Declared) -> ReadState:
    return ReadState(app.host, app.document, stamp_name("tree", app.tree))


# ---- log


def log_reads(spec: LogCheck) -> Iterable[Reading]:
    """The ends of its logs, and where they ended when it was last started by an apply."""
    yield _log_stamp(spec)
    if spec.since != "apply":
        yield _now(spec)
    for _, path in spec.app.logs:
        yield logs.reading(spec.host, path)


def log_verdict(spec: LogCheck, answers: Answers) -> Verdict:
    """Passed when all of `present` and nothing of `absent` was written since then."""
    stamp = read_stamp(answers.get(_log_stamp(spec)))
    begin = _begin(spec, answers)
    if isinstance(begin, Verdict):
        return begin
    text, undated, whole = "", "", stamp is not None or begin is not None
    for stream, path in spec.app.logs:
        tail = logs.parse(answers.get(logs.reading(spec.host, path)))
        if not isinstance(tail, logs.Tail):
            return Verdict("failed", say("check.log-unread", path=path, why=tail))
        if begin is None:
            written, complete = tail.since(logs.offset(stamp, stream))
        else:
            dated = log_dates.since(
                tail.content.decode(errors="replace"), begin, log_dates.format_of(spec.app.keys)
            )
            written, complete = dated.late, dated.earlier or tail.start == 0
            undated += _ended(dated.undated)
        text += _ended(written)
        whole = whole and complete
    return all_of(_log_findings(spec, text, undated, whole))


def _ended(text: str) -> str:
    return text if text.endswith("\n") or not text else f"{text}\n"


def _log_stamp(spec: LogCheck) -> ReadState:
    return ReadState(spec.host, spec.document, stamp_name("log", spec.app.name))


def _now(spec: LogCheck) -> ReadCommand:
    return ReadCommand(spec.host, log_dates.NOW)


def _begin(spec: LogCheck, answers: Answers) -> datetime | Verdict | None:
    """From when lines count; None: from where the last apply left the logs; a verdict: it can't be
    judged."""
    since = spec.since
    if since == "apply":
        return None
    now = log_dates.said_now(answers.get(_now(spec)))
    if not isinstance(now, datetime):
        return Verdict("failed", now)
    span = log_dates.window(since)
    if span is not None:
        return now - span
    begin = log_dates.moment(since)
    if begin > now:
        return Verdict(
            "unknown", say("check.still-to-come", moment=since, now=f"{now:%Y-%m-%d %H:%M:%S}")
        )
    return begin


def _log_findings(
    spec: LogCheck, text: str, undated: str, whole: bool
) -> Iterator[tuple[bool | None, Text]]:
    asked = _since(spec.since)
    since = asked if whole else say("check.in-last-bytes", size=logs.CAP // 1024)
    wanted = spec.present
    missing = [item for item in wanted if item not in text]
    if wanted:
        code = "check.log-lacks" if missing else "check.log-has"
        yield not missing, say(code, texts=missing or wanted, since=since)
    for item in spec.absent:
        lines = [line for line in text.splitlines() if item in line] or [item] * text.count(item)
        if lines:
            last = shortened(lines[-1].strip(), 160)
            yield (
                False,
                say("check.log-found", text=item, count=len(lines), since=since, last=last),
            )
        elif item in undated:
            yield None, say("check.log-undated", text=item, since=asked)
        else:
            yield True, say("check.log-not", text=item, since=since)


def _since(since: str) -> Said:
    if since == "apply":
        return say("check.since-apply")
    if log_dates.window(since):
        return say("check.in-last", span=since)
    return say("check.since", moment=since)


# ---- cpu


def cpu_reads(spec: CpuCheck) -> Iterable[Reading]:
    """Two samples of its processes' own counters."""
    yield proc.reading(spec.host, spec.app.name, spec.over)


def cpu_verdict(spec: CpuCheck, answers: Answers) -> Verdict:
    """Passed when its busiest process stayed below the limit; percent of one core."""
    over, limit, name = spec.over, spec.below, spec.app.name
    load = proc.parse(answers.get(proc.reading(spec.host, name, over)))
    if not isinstance(load, proc.Load):
        return Verdict("failed", say("check.cpu-unknown", app=name, why=load))
    if load.gone or not load.percent:
        return Verdict("failed", say("check.cpu-gone", app=name))
    most = max(load.percent.values())
    if most < limit:
        return Verdict("passed", say("check.cpu", app=name, percent=most, seconds=over))
    said = say("check.cpu-over", app=name, percent=most, seconds=over, limit=limit)
    return Verdict("failed", said)
