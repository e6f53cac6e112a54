"""The section checks -> resources of the kind check, with what it needs of other sections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kjpstate.document.amounts import percent
from kjpstate.document.draft import Section, argv, entries, known
from kjpstate.document.hosts import as_list
from kjpstate.document.page import Page
from kjpstate.document.sentences import near, quoted
from kjpstate.formats import log_dates, logs
from kjpstate.formats.times import seconds
from kjpstate.host import HostSpec
from kjpstate.model import Resource

_TYPES = ("file", "app", "dns", "log", "cpu", "command")
_QUESTIONS = {
    "app": ("alive", "restarts", "settings", "started_after_deploy"),
    "dns": ("effective", "resolves", "each_server"),
    "log": ("present", "absent"),
}
"""Of these types the keys that ask something: with none of them a check would always pass."""


def checks(
    page: Page, groups: Mapping[str, tuple[HostSpec, ...]], resources: Sequence[Resource]
) -> Iterator[Resource]:
    """In the document's order; a check of a fleet once for each host."""
    seen: dict[str, int] = {}
    for pointer, value in entries(page, "checks"):
        if "name" in value:
            _once(page, f"{pointer}/name", value["name"], seen)
        kind = next((name for name in _TYPES if name in value), "manual")
        if kind == "manual":
            if page.whole(pointer):
                spec = {
                    "document": page.name,
                    "name": value["name"],
                    "type": "manual",
                    "text": value["manual"],
                }
                yield _check(page, pointer, value["name"], "", spec)
            continue
        word = value[kind].get("host")
        for host in known(page, f"{pointer}/{kind}/host", word, groups):
            if page.whole(pointer):
                section = Section(page, f"{pointer}/{kind}", value[kind], word, host)
                name = value["name"] + host.name.removeprefix(word)
                common = {"host": host.name, "document": page.name, "name": name, "type": kind}
                yield _check(
                    page, pointer, name, host.name, {**common, **_fields(kind, section, resources)}
                )


def _once(page: Page, pointer: str, name: str, seen: dict[str, int]) -> None:
    line = page.where(pointer).line
    if seen.setdefault(name, line) != line:
        page.add(pointer, f"the check {name} stands twice; first at line {seen[name]}")


def _check(page: Page, pointer: str, name: str, host: str, spec: Mapping[str, Any]) -> Resource:
    lines = page.lines(pointer)
    flat = {
        "/" + inner.split("/", 2)[2]: where
        for inner, where in lines.items()
        if inner.count("/") > 1
    }
    return Resource(f"check.{name}", "check", host, spec, page.where(pointer), {**flat, **lines})


def _fields(kind: str, section: Section, resources: Sequence[Resource]) -> dict[str, Any]:
    fields = {key: value for key, value in section.value.items() if key != "host"}
    questions = _QUESTIONS.get(kind, ())
    if questions and not any(key in fields for key in questions):
        section.page.add(
            section.pointer, f"it asks nothing; expected one of {quoted(questions, ', ')}"
        )
    for key in ("contains", "absent", "present", "resolves"):
        if key in fields:
            fields[key] = as_list(fields[key])
    match kind:
        case "file":
            fields["path"] = section.path("/path", fields["path"])
        case "command":
            fields["run"] = argv(fields["run"])
            if "directory" in fields:
                fields["cwd"] = section.path("/directory", fields.pop("directory"), folder=True)
        case "dns":
            fields |= _servers(section, resources)
        case _:
            fields |= _app(section, fields.pop("name", None) or fields["app"], resources)
    if kind == "log":
        fields.setdefault("since", "apply")
        if isinstance(app := fields.get("app"), Mapping):
            _kept(section, app)
        _since(section, fields)
    if kind == "cpu":
        fields |= {"below": percent(fields["below"]), "over": seconds(fields.get("over", "5s"))}
    return fields


def _kept(section: Section, app: Mapping[str, Any]) -> None:
    """The app must write logs, into files of a known name."""
    paths = [app.get(key, "x.log") for key in ("out_file", "error_file")]
    reason = ""
    if app.get("disable_logs") or all(path in logs.NOWHERE for path in paths):
        reason = "the app keeps no logs; expected one whose out_file or error_file is kept"
    elif logs.numbered(app) and any(str(path).endswith(".log") for path in paths):
        reason = (
            "PM2 puts a number into the names of this app's logs, as it has instances or runs "
            "in a cluster; "
            "expected for the app merge_logs: true"
        )
    if reason:
        section.page.add(f"{section.pointer}/app", reason)


def _since(section: Section, fields: Mapping[str, Any]) -> None:
    """A moment must be one, and the lines must bear dates that can be compared with it, or with
    now."""
    since, app = fields["since"], fields.get("app")
    if since == "apply":
        return
    pointer = f"{section.pointer}/since"
    try:
        log_dates.window(since) or log_dates.moment(since)
    except ValueError:
        reason = (
            f"{since} is no date; expected apply, a time such as 30m or 2h, or a moment "
            "like 2026-11-25 21:00"
        )
        section.page.add(pointer, reason)
        return
    if isinstance(app, Mapping) and (reason := _undated(app)):
        section.page.add(pointer, reason)


def _undated(app: Mapping[str, Any]) -> str:
    """Why no date of its lines can be compared; "" when it can."""
    if app.get("log_type") == "json":
        return (
            "the app's lines are JSON, with no date in front; expected apply, or for the "
            "app no log_type"
        )
    if log_dates.pattern(log_dates.format_of(app)) is None:
        reason = (
            "the app's lines bear no date that could be compared; expected apply, or for the app"
        )
        return f'{reason} log_date_format: "YYYY-MM-DD HH:mm:ss"'
    return ""


def _servers(section: Section, resources: Sequence[Resource]) -> dict[str, Any]:
    found = [item for item in resources if item.kind == "dns" and item.host == section.host.name]
    if found:
        return {"dns": found[0].spec}
    for key in ("effective", "each_server"):
        if key in section.value and _all_read(section.page, "dns"):
            reason = f"`{key}` compares with a section dns, and there is none for {section.word}"
            section.page.add(f"{section.pointer}/{key}", reason)
    return {}


_OF_THE_APP = ("app", "ecosystem", "tree", "connected", "node", "command")


def _app(section: Section, name: str, resources: Sequence[Resource]) -> dict[str, Any]:
    apps = {
        item.spec["app"]["name"]: item.spec
        for item in resources
        if item.kind == "pm2_process" and item.host == section.host.name
    }
    if name not in apps and not _all_read(section.page, "pm2"):
        return {}
    if name not in apps:
        pointer = f"{section.pointer}/{'name' if 'name' in section.value else 'app'}"
        reason = f"no section pm2 of {section.word} has an app {name}"
        section.page.add(pointer, lambda: reason + near(name, apps))
        return {}
    return {key: apps[name][key] for key in _OF_THE_APP if key in apps[name]}


def _all_read(page: Page, key: str) -> bool:
    """Whether what `key` lacks is really not there: a section with a problem of its own was left
    out."""
    return all(page.whole(pointer) for pointer, _ in entries(page, key))
