"""The section `checks` as specs, with what they need of other sections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from kjpstate.formats import log_dates, logs
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.resolved_conf import Wanted
from kjpstate.formats.written import argv, as_list, lasting, percent
from kjpstate.kinds.check.spec import (
    AppCheck,
    Check,
    CommandCheck,
    CpuCheck,
    DnsCheck,
    FileCheck,
    LogCheck,
    ManualCheck,
)
from kjpstate.said import Text, say
from kjpstate.section import Made, Page, Section

_T = TypeVar("_T")

_TYPES = ("file", "app", "dns", "log", "cpu", "command")
_QUESTIONS = {
    "app": ("alive", "restarts", "settings", "started_after_deploy"),
    "dns": ("effective", "resolves", "each_server"),
    "log": ("present", "absent"),
}
"""Of these types the keys that ask something: with none of them a check would always pass."""


def made(kind: str, key: str, page: Page, earlier: Sequence[Made]) -> Iterator[Made]:
    """In the document's order; a check of a fleet once for each host."""
    _once(key, page)
    for section in page.sections(key, within=_TYPES):
        word = next((name for name in _TYPES if name in section.value), "manual")
        part = _Part(page, section, word, earlier)
        spec = _spec(part)
        if spec is not None:
            lines = {**section.lines(part.pointer), **section.lines()}
            yield Made(kind, section, spec, section.value["name"], lines=lines)


def _once(key: str, page: Page) -> None:
    seen: dict[str, int] = {}
    for at, value in enumerate(page.value.get(key, ())):
        if "name" in value:
            pointer, name = f"/{key}/{at}/name", value["name"]
            line = page.line(pointer).line
            if seen.setdefault(name, line) != line:
                page.add(pointer, say("document.check-twice", check=name, line=seen[name]))


@dataclass(frozen=True)
class _Part:
    """What says of one check what to look at, on one host."""

    page: Page
    section: Section
    word: str
    """The type: the key under which it stands."""
    earlier: Sequence[Made]

    @property
    def pointer(self) -> str:
        """From the section on."""
        return f"/{self.word}"

    @property
    def value(self) -> Mapping[str, Any]:
        """As the schema types it."""
        found: Mapping[str, Any] = self.section.value[self.word]
        return found

    @property
    def common(self) -> dict[str, Any]:
        """What every check has."""
        host = self.section.host.name
        name = self.section.value["name"] + host.removeprefix(self.section.word)
        return {"name": name, "document": self.section.document, "host": host}

    def texts(self, key: str) -> tuple[str, ...]:
        """One text or a list of them."""
        return tuple(as_list(self.value.get(key)))

    def path(self, key: str, *, folder: bool = False) -> str:
        """The absolute path under `key`."""
        inner = f"{self.pointer}/{key}"
        return self.section.path(inner, self.value[key], folder=folder)

    def add(self, inner: str, reason: Text, word: str = "", known: Sequence[str] = ()) -> None:
        """Note a problem."""
        self.section.add(self.pointer + inner, reason, word, known)

    def asked_of(self, sort: type[_T]) -> list[_T]:
        """What other sections of this host let a check ask about."""
        host = self.section.host.name
        here = (item for item in self.earlier if item.section.host.name == host)
        return [part for item in here for part in item.questions if isinstance(part, sort)]


def _spec(part: _Part) -> Check | None:
    questions = _QUESTIONS.get(part.word, ())
    if questions and not any(key in part.value for key in questions):
        keys = [f"`{word}`" for word in questions]
        part.add("", say("document.asks-nothing", keys=keys))
    match part.word:
        case "manual":
            return ManualCheck(**part.common, text=part.section.value["manual"])
        case "file":
            path = part.path("path")
            wanted, unwanted = part.texts("contains"), part.texts("absent")
            return FileCheck(**part.common, path=path, contains=wanted, absent=unwanted)
        case "command":
            cwd = part.path("directory", folder=True) if "directory" in part.value else ""
            return CommandCheck(**part.common, run=argv(part.value["run"]), cwd=cwd)
        case "dns":
            return _dns(part)
        case _:
            app = _app(part)
            if part.word == "log":
                _kept(part, app)
                _since(part, app)
            return None if app is None else _of_an_app(part, app)


def _dns(part: _Part) -> DnsCheck:
    found = part.asked_of(Wanted)
    for key in () if found else ("effective", "each_server"):
        if key in part.value and part.page.whole("dns"):
            host = part.section.word
            part.add(f"/{key}", say("document.no-section-dns", key=key, host=host))
    return DnsCheck(
        **part.common,
        servers=next(iter(found), None),
        effective=part.value.get("effective", False),
        resolves=part.texts("resolves"),
        each_server=part.value.get("each_server", False),
    )


def _app(part: _Part) -> Declared | None:
    """The app; None for one that does not stand in the document, which is noted."""
    key = "name" if "name" in part.value else "app"
    name = part.value[key]
    apps = {app.name: app for app in part.asked_of(Declared)}
    if name not in apps and part.page.whole("pm2"):
        reason = say("document.no-such-app", host=part.section.word, app=name)
        part.add(f"/{key}", reason, name, tuple(apps))
    return apps.get(name)


def _of_an_app(part: _Part, app: Declared) -> Check:
    value = part.value
    match part.word:
        case "log":
            wanted, unwanted = part.texts("present"), part.texts("absent")
            since = value.get("since", "apply")
            return LogCheck(**part.common, app=app, present=wanted, absent=unwanted, since=since)
        case "cpu":
            below, over = percent(value["below"]), lasting(value.get("over", "5s"))
            return CpuCheck(**part.common, app=app, below=below, over=over)
        case _:
            return AppCheck(
                **part.common,
                app=app,
                alive=value.get("alive", False),
                steady="restarts" in value,
                settings="settings" in value,
                started_after_deploy=value.get("started_after_deploy", False),
            )


def _kept(part: _Part, app: Declared | None) -> None:
    """The app must write logs, into files of a known name."""
    if app is None:
        return
    paths = [app.keys.get(key, "x.log") for key in ("out_file", "error_file")]
    if app.keys.get("disable_logs") or all(path in logs.NOWHERE for path in paths):
        part.add("/app", say("document.no-logs"))
    elif logs.numbered(app.keys) and any(str(path).endswith(".log") for path in paths):
        part.add("/app", say("document.numbered-logs"))


def _since(part: _Part, app: Declared | None) -> None:
    """A moment must be one, and the lines must bear dates that can be compared with it, or with
    now."""
    since = part.value.get("since", "apply")
    if since == "apply":
        return
    try:
        log_dates.window(since) or log_dates.moment(since)
    except ValueError:
        part.add("/since", say("document.no-date", text=since))
        return
    if app is not None and (reason := _undated(app.keys)):
        part.add("/since", reason)


def _undated(keys: Mapping[str, Any]) -> Text:
    """The reason why no date of its lines can be compared; "" when it can."""
    if keys.get("log_type") == "json":
        return say("document.json-lines")
    if log_dates.pattern(log_dates.format_of(keys)) is None:
        return say("document.undated-lines")
    return ""
