"""What may have caused a drift: when a file changed, who was logged in then, packages, PM2's own
log. Pure.

Called by `checking` with what `hosts/remote/probe_hints.sh` printed. Only hints: clocks of boxes
are wrong, and an `ssh box command` leaves no login. Times are those of the host, in its own zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from kjpstate.model import Answer
from kjpstate.said import Text, say

_STAMP = r"\w{3} \w{3} +\d{1,2} \d\d:\d\d:\d\d \d{4}"
_LOGIN = re.compile(
    rf"(?P<user>\S+)\s+(?P<rest>.*?)\s+(?P<begin>{_STAMP})(?:\s+-\s+(?P<end>{_STAMP}))?(?P<how>.*)"
)
_DPKG = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (install|upgrade|remove|purge) ([^ :]+)\S* (\S+) (\S+)"
)
_PM2 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\S*\s+PM2\s+(?:log:|error:|\|)?\s*(.*)")
_NOT_PEOPLE = ("reboot", "shutdown", "runlevel", "wtmp", "boot")
_AROUND = 120
"""Seconds before and after a login that still count as its own: clocks are cut to the minute by
some."""
_PACKAGES = 900
"""Seconds after which a change is no longer the doing of a package."""
_MOST_TOLD = 2


@dataclass(frozen=True)
class Login:
    """One session: seconds since 1970; `end` None while it is open."""

    user: str
    origin: str
    begin: float
    end: float | None


@dataclass(frozen=True)
class Package:
    """One line of dpkg's log. `what`: `upgrade systemd 252.1 -> 252.2`."""

    when: float
    what: str


@dataclass(frozen=True)
class Traces:
    """The traces that the host has kept. `files`: path -> when it changed; `gone`: path -> when its
    folder changed. `pm2`: (time as the log has it, line)."""

    now: float
    zone: timezone
    files: dict[str, float]
    gone: dict[str, float]
    logins: tuple[Login, ...] = ()
    packages: tuple[Package, ...] = ()
    pm2: tuple[tuple[str, str], ...] = ()


def parse(answer: Answer) -> Traces | None:
    """The probe's lines; None when there is nothing to be read."""
    if not isinstance(answer, bytes):
        return None
    rows: dict[str, list[list[str]]] = {}
    for line in answer.decode(errors="replace").splitlines():
        word, _, rest = line.partition("\t")
        rows.setdefault(word, []).append(rest.split("\t"))
    now = next(iter(rows.get("now", [])), [])
    if len(now) != 2 or not now[0].isdigit():
        return None
    zone = _zone(now[1])
    texts = {
        word: ["\t".join(row) for row in rows.get(word, [])] for word in ("login", "dpkg", "pm2")
    }
    return Traces(
        float(now[0]),
        zone,
        dict(_times(rows.get("file", []))),
        dict(_times(rows.get("gone", []))),
        tuple(_logins(texts["login"])),
        tuple(_packages(texts["dpkg"], zone)),
        tuple((match[1], match[2]) for line in texts["pm2"] if (match := _PM2.match(line))),
    )


def hint(traces: Traces, paths: Sequence[str], app: str = "") -> Text:
    """A clause on what changed these files last, or on what PM2 did with `app` last; "" for
    nothing."""
    of_app, of_files = _of_app(traces, app), _of_files(traces, paths)
    if of_app and of_files:
        return say("causes.both", app=of_app, files=of_files)
    return of_app or of_files


def _of_app(traces: Traces, app: str) -> Text:
    if not app:
        return ""
    mine = [
        (when, text)
        for when, text in traces.pm2
        if re.search(rf"App \[{re.escape(app)}[:\]]", text)
    ]
    if not mine:
        return ""
    return say("causes.pm2-log", when=mine[-1][0].replace("T", " "), line=mine[-1][1])


def _of_files(traces: Traces, paths: Sequence[str]) -> Text:
    changed = {path: when for path, when in traces.files.items() if _belongs(path, paths)}
    gone = {path: when for path, when in traces.gone.items() if path in paths}
    times = [*((when, path, "causes.changed") for path, when in changed.items())]
    times += [(when, path, "causes.went") for path, when in gone.items()]
    if not times:
        return ""
    when, path, code = max(times)
    if when > traces.now + _AROUND:
        return ""
    said = say(
        code,
        name=path.rpartition("/")[2],
        when=_shown(when, traces.zone),
        span=traces.now - when,
    )
    parts = [said, *_people(traces, when), *_by_packages(traces, when)]
    return say("causes.list", parts=parts)


def _people(traces: Traces, when: float) -> Iterator[Text]:
    if not traces.logins:
        return
    there = [
        login
        for login in traces.logins
        if login.begin - _AROUND <= when and (login.end is None or when <= login.end + _AROUND)
    ]
    names = list(
        dict.fromkeys(say("causes.person", user=login.user, origin=login.origin) for login in there)
    )
    if names:
        code = "causes.people-and-more" if len(names) > _MOST_TOLD else "causes.people"
        yield say(code, names=names[:_MOST_TOLD], more=len(names) - _MOST_TOLD)
    elif min(login.begin for login in traces.logins) <= when:
        yield say("causes.nobody")


def _by_packages(traces: Traces, when: float) -> Iterator[Text]:
    near = [item.what for item in traces.packages if -_AROUND <= when - item.when <= _PACKAGES]
    if near:
        code = "causes.packages-and-more" if len(near) > _MOST_TOLD else "causes.packages"
        yield say(code, packages=near[:_MOST_TOLD], more=len(near) - _MOST_TOLD)


def _belongs(path: str, paths: Sequence[str]) -> bool:
    return any(path == entry or (entry.endswith("/") and path.startswith(entry)) for entry in paths)


def _times(rows: Iterable[list[str]]) -> Iterator[tuple[str, float]]:
    for row in rows:
        if len(row) >= 2 and row[0].isdigit():
            yield "\t".join(row[1:]).replace("//", "/"), float(row[0])


def _logins(lines: Iterable[str]) -> Iterator[Login]:
    for line in lines:
        match = _LOGIN.match(line)
        if match is None or match["user"] in _NOT_PEOPLE:
            continue
        words = match["rest"].split()
        still = "still logged in" in match["how"]
        if match["end"] is None and not still:
            continue  # a crash or a power cut: nobody knows when it ended
        end = None if still else _utc(match["end"])
        yield Login(
            match["user"],
            words[1] if len(words) > 1 else words[0] if words else "?",
            _utc(match["begin"]),
            end,
        )


def _utc(text: str) -> float:
    try:
        return (
            datetime.strptime(" ".join(text.split()), "%a %b %d %H:%M:%S %Y")
            .replace(tzinfo=UTC)
            .timestamp()
        )
    except ValueError:
        return 0.0


def _packages(lines: Iterable[str], zone: timezone) -> Iterator[Package]:
    for line in lines:
        match = _DPKG.match(line)
        if match is None:
            continue
        try:
            when = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone).timestamp()
        except ValueError:
            continue
        old, new = match[4], match[5]
        versions = (
            f"{old} -> {new}" if "<none>" not in (old, new) else new if old == "<none>" else old
        )
        yield Package(when, f"{match[2]} {match[3]} {versions}")


def _zone(text: str) -> timezone:
    match = re.fullmatch(r"([+-])(\d\d)(\d\d)", text)
    if match is None or int(match[2]) > 23 or int(match[3]) > 59:
        return timezone(timedelta(0))
    minutes = int(match[2]) * 60 + int(match[3])
    return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))


def _shown(when: float, zone: timezone) -> Text:
    try:
        return f"{datetime.fromtimestamp(when, zone):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return say("causes.unknown-time")
