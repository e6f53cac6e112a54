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
from kjpstate.kinds.check.verdict import Verdict, all_of, quoted
from kjpstate.model import Answers, ReadCommand, Reading, ReadState
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
    if isinstance(seen, str):
        return Verdict("failed", seen)
    return all_of(_app_findings(spec, seen, answers))


def _app_findings(spec: AppCheck, seen: probe.Seen, answers: Answers) -> Iterator[tuple[bool, str]]:
    name = spec.app.name
    if spec.alive:
        reason = health.health_of(spec.app, seen).sick
        yield not reason, f"{name} is {f'not alive: {reason}' if reason else 'alive'}"
    if spec.steady:
        rises = health.rising(seen, name)
        yield not rises, f"{name} {rises}" if rises else f"the restarts of {name} stand still"
    if spec.settings:
        wrong = list(_other_settings(spec.app, seen))
        yield (
            not wrong,
            f"{name} runs "
            + (f"with {', '.join(wrong)}" if wrong else "with every setting of the document"),
        )
    if spec.started_after_deploy:
        stale = _stale(spec.app, seen, answers)
        yield (
            not stale,
            f"{name} runs older code: {stale}"
            if stale
            else f"{name} started after its files were put there",
        )


def _other_settings(app: Declared, seen: probe.Seen) -> Iterator[str]:
    """Each setting that acts otherwise than the document says; of environment
    values just the name."""
    entries = seen.named(app.name) if seen.alive else ()
    if not entries:
        yield "no settings at all: it is not running"
        return
    context = settings.context(app, seen)
    wanted = settings.desired(context)
    found = settings.actual(entries, wanted, context)
    for key, value in wanted.items():
        if found[key] != value:
            yield f"{key} {_shown(found[key])} instead of {_shown(value)}"
    for name, value in settings.environment(app.keys).items():
        if any(entry.env.get(name) != opened(value) for entry in entries):
            yield f"another env.{name}"


def _shown(value: Any) -> str:
    return "unset" if value is None else str(value)


def _stale(app: Declared, seen: probe.Seen, answers: Answers) -> str:
    if not app.tree:
        return "nothing in this document puts its files there"
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
            return Verdict("failed", f"{path} {tail}")
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
            "unknown", f"{since} is still to come: the host's own time is {now:%Y-%m-%d %H:%M:%S}"
        )
    return begin


def _log_findings(
    spec: LogCheck, text: str, undated: str, whole: bool
) -> Iterator[tuple[bool | None, str]]:
    asked = "since the last apply" if spec.since == "apply" else f"since {spec.since}"
    if log_dates.window(spec.since):
        asked = f"in the last {spec.since}"
    since = asked if whole else f"in the last {logs.CAP // 1024} KiB"
    wanted = spec.present
    missing = [item for item in wanted if item not in text]
    if wanted:
        yield (
            not missing,
            f"its logs {'lack' if missing else 'have'} {quoted(missing or wanted)} {since}",
        )
    for item in spec.absent:
        lines = [line for line in text.splitlines() if item in line] or [item] * text.count(item)
        if lines:
            times = "once" if len(lines) == 1 else f"{len(lines)} times"
            last = shortened(lines[-1].strip(), 160)
            yield False, f'its logs have "{item}" {times} {since}, at last: {last}'
        elif item in undated:
            yield (
                None,
                f'its logs have "{item}" in lines without a date; whether {asked} is not known',
            )
        else:
            yield True, f'its logs have no "{item}" {since}'


# ---- cpu


def cpu_reads(spec: CpuCheck) -> Iterable[Reading]:
    """Two samples of its processes' own counters."""
    yield proc.reading(spec.host, spec.app.name, spec.over)


def cpu_verdict(spec: CpuCheck, answers: Answers) -> Verdict:
    """Passed when its busiest process stayed below the limit; percent of one core."""
    over, limit, name = spec.over, spec.below, spec.app.name
    load = proc.parse(answers.get(proc.reading(spec.host, name, over)))
    if not isinstance(load, proc.Load):
        return Verdict("failed", f"{name}: {load}")
    if load.gone or not load.percent:
        return Verdict("failed", f"{name} ended or was restarted while its CPU was measured")
    most = max(load.percent.values())
    well = most < limit
    said = f"{name} used {most:.0f}% of one core over {over:g} s"
    return Verdict(
        "passed" if well else "failed", said + ("" if well else f"; the limit is {limit:g}%")
    )
