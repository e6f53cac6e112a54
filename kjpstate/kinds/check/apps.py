"""The checks that look at an app under PM2: is it alive, as the document says, quiet, and without
errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from kjpstate.formats import log_dates, logs, proc
from kjpstate.formats.pm2 import health, policy, probe, settings
from kjpstate.formats.tree import read_stamp, stamp_name, stamped_clock
from kjpstate.kinds.check.verdict import Verdict, all_of, quoted
from kjpstate.model import Answers, ReadCommand, Reading, ReadState, Spec
from kjpstate.secret import opened, shortened

# ---- app


def app_reads(spec: Spec) -> Iterable[Reading]:
    """PM2's own truth, and the stamp of what was deployed."""
    yield probe.reading(spec)
    if spec.get("tree"):
        yield _tree_stamp(spec)


def app_verdict(spec: Spec, answers: Answers) -> Verdict:
    """Alive, not restarted by crashes, with the settings that act, and running
    what was deployed."""
    seen = probe.parse(answers.get(probe.reading(spec)))
    if isinstance(seen, str):
        return Verdict("failed", seen)
    return all_of(_app_findings(spec, seen, answers))


def _app_findings(spec: Spec, seen: probe.Seen, answers: Answers) -> Iterator[tuple[bool, str]]:
    app = spec["app"]
    name = app["name"]
    if spec.get("alive"):
        patience = policy.min_uptime(app)
        may_end = app.get("autorestart") is False
        connected = bool(spec.get("connected"))
        reason = health.health(
            seen, name, min_uptime=patience, may_end=may_end, connected=connected
        ).sick
        yield not reason, f"{name} is {f'not alive: {reason}' if reason else 'alive'}"
    if spec.get("restarts"):
        rises = health.rising(seen, name)
        yield not rises, f"{name} {rises}" if rises else f"the restarts of {name} stand still"
    if spec.get("settings"):
        wrong = list(_other_settings(spec, seen))
        yield (
            not wrong,
            f"{name} runs "
            + (f"with {', '.join(wrong)}" if wrong else "with every setting of the document"),
        )
    if spec.get("started_after_deploy"):
        stale = _stale(spec, seen, answers)
        yield (
            not stale,
            f"{name} runs older code: {stale}"
            if stale
            else f"{name} started after its files were put there",
        )


def _other_settings(spec: Spec, seen: probe.Seen) -> Iterator[str]:
    """Each setting that acts otherwise than the document says; of environment
    values just the name."""
    app = spec["app"]
    entries = seen.named(app["name"]) if seen.alive else ()
    if not entries:
        yield "no settings at all: it is not running"
        return
    context = settings.context(spec, seen)
    wanted = settings.desired(context)
    found = settings.actual(entries, wanted, context)
    for key, value in wanted.items():
        if found[key] != value:
            yield f"{key} {_shown(found[key])} instead of {_shown(value)}"
    for name, value in settings.environment(app).items():
        if any(entry.env.get(name) != opened(value) for entry in entries):
            yield f"another env.{name}"


def _shown(value: Any) -> str:
    return "unset" if value is None else str(value)


def _stale(spec: Spec, seen: probe.Seen, answers: Answers) -> str:
    if not spec.get("tree"):
        return "nothing in this document puts its files there"
    clock = stamped_clock(read_stamp(answers.get(_tree_stamp(spec))))
    return health.freshness(seen, spec["app"]["name"], clock).reason


def _tree_stamp(spec: Spec) -> ReadState:
    return ReadState(spec["host"], spec["document"], stamp_name("tree", spec["tree"]))


# ---- log


def log_reads(spec: Spec) -> Iterable[Reading]:
    """The ends of its logs, and where they ended when it was last started by an apply."""
    yield ReadState(spec["host"], spec["document"], stamp_name("log", spec["app"]["name"]))
    if _since(spec) != "apply":
        yield _now(spec)
    for _, path in log_files(spec):
        yield logs.reading(spec["host"], path)


def log_files(spec: Spec) -> Iterator[tuple[str, str]]:
    """(out or error, path) of each file the app logs into; `~pm2/` in a path is PM2's home."""
    app = spec["app"]
    name = re.sub(r"[^a-zA-Z0-9.-]", "-", app["name"])
    found: dict[str, str] = {}
    for stream, key in (("out", "out_file"), ("error", "error_file")):
        path = str(app.get(key, f"~pm2/logs/{name}-{stream}.log"))
        if path not in logs.NOWHERE:  # both may go into one file
            found.setdefault(
                path if path.startswith("~") else probe.normal(_absolute(spec, path)), stream
            )
    return ((stream, path) for path, stream in found.items())


def _absolute(spec: Spec, path: str) -> str:
    return path if path.startswith("/") else f"{probe.base_folder(spec)}/{path}"


def log_verdict(spec: Spec, answers: Answers) -> Verdict:
    """Whether all of `present` and nothing of `absent` was written since then."""
    stamp = read_stamp(
        answers.get(
            ReadState(spec["host"], spec["document"], stamp_name("log", spec["app"]["name"]))
        )
    )
    begin = _begin(spec, answers)
    if isinstance(begin, Verdict):
        return begin
    text, undated, whole = "", "", stamp is not None or begin is not None
    for stream, path in log_files(spec):
        tail = logs.parse(answers.get(logs.reading(spec["host"], path)))
        if isinstance(tail, str):
            return Verdict("failed", f"{path} {tail}")
        if begin is None:
            written, complete = tail.since(logs.offset(stamp, stream))
        else:
            dated = log_dates.since(
                tail.content.decode(errors="replace"), begin, log_dates.format_of(spec["app"])
            )
            written, complete = dated.late, dated.earlier or tail.start == 0
            undated += _ended(dated.undated)
        text += _ended(written)
        whole = whole and complete
    return all_of(_log_findings(spec, text, undated, whole))


def _ended(text: str) -> str:
    return text if text.endswith("\n") or not text else f"{text}\n"


def _since(spec: Spec) -> str:
    return str(spec.get("since", "apply"))


def _now(spec: Spec) -> ReadCommand:
    return ReadCommand(spec["host"], log_dates.NOW)


def _begin(spec: Spec, answers: Answers) -> datetime | Verdict | None:
    """From when lines count; None: from where the last apply left the logs; a verdict: it can't be
    judged."""
    since = _since(spec)
    if since == "apply":
        return None
    now = log_dates.said_now(answers.get(_now(spec)))
    if isinstance(now, str):
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
    spec: Spec, text: str, undated: str, whole: bool
) -> Iterator[tuple[bool | None, str]]:
    asked = "since the last apply" if _since(spec) == "apply" else f"since {_since(spec)}"
    if log_dates.window(_since(spec)):
        asked = f"in the last {_since(spec)}"
    since = asked if whole else f"in the last {logs.CAP // 1024} KiB"
    wanted = spec.get("present", ())
    missing = [item for item in wanted if item not in text]
    if wanted:
        yield (
            not missing,
            f"its logs {'lack' if missing else 'have'} {quoted(missing or wanted)} {since}",
        )
    for item in spec.get("absent", ()):
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


def cpu_reads(spec: Spec) -> Iterable[Reading]:
    """Two samples of its processes' own counters."""
    yield proc.reading(spec["host"], spec["app"]["name"], _number(spec.get("over", 5)))


def cpu_verdict(spec: Spec, answers: Answers) -> Verdict:
    """Whether its busiest process stayed below the limit; percent of one core."""
    over, limit, name = _number(spec.get("over", 5)), _number(spec["below"]), spec["app"]["name"]
    load = proc.parse(answers.get(proc.reading(spec["host"], name, over)))
    if isinstance(load, str):
        return Verdict("failed", f"{name}: {load}")
    if load.gone or not load.percent:
        return Verdict("failed", f"{name} ended or was restarted while its CPU was measured")
    most = max(load.percent.values())
    well = most < limit
    said = f"{name} used {most:.0f}% of one core over {over:g} s"
    return Verdict(
        "passed" if well else "failed", said + ("" if well else f"; the limit is {limit:g}%")
    )


def _number(value: Any) -> float:
    """`30`, `"30%"` -> 30.0; `"5s"` -> 5.0; `"2m"` -> 120.0."""
    match = re.fullmatch(r"\s*([0-9.]+)\s*(%|s|m)?\s*", str(value))
    if match is None:
        raise ValueError(f"{value!r} is no number, percentage or duration")
    return float(match[1]) * (60 if match[2] == "m" else 1)
