"""Kind `pm2_ecosystem`: the file that tells PM2 what to run, and the folders its logs go to.

Judged by content: our file is JSON behind `module.exports =` and reads back without being run. A
file that is not ours is opaque, and replaced whole (its backup stays). Called through the face in
`kjpstate.kinds`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kjpstate.formats.pm2 import ecosystem, noted
from kjpstate.formats.pm2.lint import lint
from kjpstate.model import (
    Action,
    Advice,
    Answers,
    Drift,
    File,
    MakeDirectory,
    ReadFile,
    Reading,
    ReadStat,
    Refuse,
    Spec,
    Stat,
    State,
    Unreadable,
    Upstream,
    WriteFile,
)
from kjpstate.secret import Secret, secrets_in

KIND, ORDER, UNIT = "pm2_ecosystem", 40, "running"


def reads(spec: Spec) -> Iterable[Reading]:
    """The file, our notes of its apps, the package.json by which node would load it, the log
    folders."""
    yield ReadFile(spec["host"], spec["path"])
    for one in _each(spec):
        yield noted.keys_stamp(one)
        yield noted.name_stamp(one)
    yield from _packages(spec)
    for folder in _folders(spec):
        yield ReadStat(spec["host"], folder)


def actual(spec: Spec, answers: Answers) -> State:
    """`apps`: by name, environment values as Secrets; None when there is no file of ours. `left`:
    what the file holds beyond the document. `folders`: whether each log folder is there."""
    file = answers.get(ReadFile(spec["host"], spec["path"]))
    ours = ecosystem.parse(file.content) if isinstance(file, File) else None
    values = {
        "document": ours.document if ours else None,
        "apps": {name: _veiled(app) for name, app in ours.apps.items()} if ours else None,
        "left": list(_left(spec, ours)) if ours else [],
        "folders": {folder: _is_folder(spec, folder, answers) for folder in _folders(spec)},
        "problems": [f"{rule}: {reason}" for rule, reason in _problems(spec, answers)],
    }
    return State(values, present=file is not None)


def desired(spec: Spec, answers: Answers, upstream: Upstream) -> State:
    """The document's apps by name, nothing left over, every log folder there."""
    file = answers.get(ReadFile(spec["host"], spec["path"]))
    values = {
        "document": spec["document"],
        "apps": {app["name"]: dict(app) for app in spec["apps"]},
        "left": [],
        "folders": dict.fromkeys(_folders(spec), True),
        "problems": [],
    }
    beside: dict[str, Any] = {
        "before": file.content if isinstance(file, File) else None,
        "headline": f"{spec['path']}   {_headline(spec, file)}",
        "problems": tuple(_problems(spec, answers)),
        "known": tuple(
            note for one in _each(spec) for note in noted.only_in_the_file(one, answers)
        ),
    }
    if not isinstance(file, File) or ecosystem.parse(file.content) is None:
        beside["notes"] = []  # every setting is new: the count says it all
    return State(values, beside)


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """The file, and the log folders themselves (nothing in them)."""
    yield spec["host"], spec["path"]
    for folder in _folders(spec):
        yield spec["host"], folder


def actions(spec: Spec, drift: Drift) -> Iterator[Action | Refuse]:
    """Missing log folders first: PM2 never restarts an app whose log folder is gone. Then the file,
    and before it a note of what only its old bytes tell."""
    for rule, reason in drift.desired.beside["problems"]:
        yield Refuse(rule, reason, (spec["path"],), _CURES[rule])
        return
    for folder, there in drift.actual.values["folders"].items():
        if not there:
            yield MakeDirectory(spec["host"], f"{folder}/")
    if any(drift.differs(key) for key in ("document", "apps", "left")):
        yield from drift.desired.beside["known"]
        yield WriteFile(
            spec["host"],
            spec["path"],
            before=drift.desired.beside["before"],
            after=ecosystem.render(spec["document"], spec["apps"]),
            mode=0o600 if _secret(spec) else 0o644,
        )


def advice(spec: Spec, answers: Answers) -> Iterator[Advice]:
    """What the document itself will not do, and a file that others may read though it holds
    secrets."""
    for position, app in enumerate(spec["apps"]):
        for item in lint(app):
            pointer = f"/apps/{position}{item.pointer}"
            yield Advice(item.rule, item.reason, item.cure, pointer, item.severity)
    file = answers.get(ReadFile(spec["host"], spec["path"]))
    if isinstance(file, File) and file.mode & 0o044 and _secret(spec):
        reason = (
            f"{spec['path']} will hold secrets and others may read it (mode "
            f"{file.mode & 0o777:04o})"
        )
        yield Advice("secrets-readable", reason, f"chmod 600 {spec['path']}", "/apps", "breaks")


_CURES = {
    "ecosystem-esm": "name it ecosystem.config.cjs in the document: that loads everywhere",
    "ecosystem-name": "name it ecosystem.config.cjs or ecosystem.config.js",
    "ecosystem-unreadable": "look at it on the host",
    "log-folder-taken": "name another folder for error_file and out_file",
}


def _each(spec: Spec) -> Iterator[Spec]:
    """The spec of each app, as `pm2_process` has it."""
    for app in spec["apps"]:
        yield {
            "host": spec["host"],
            "document": spec["document"],
            "ecosystem": spec["path"],
            "app": app,
        }


def _problems(spec: Spec, answers: Answers) -> Iterator[tuple[str, str]]:
    path = spec["path"]
    if not ecosystem.name_is_known(path):
        yield "ecosystem-name", f"PM2 takes {path} for a script, not for an ecosystem file"
    file = answers.get(ReadFile(spec["host"], path))
    if isinstance(file, Unreadable):
        yield "ecosystem-unreadable", f"{path} can't be read: {file.why}"
    elif isinstance(file, File) and file.symlink:
        yield "ecosystem-unreadable", f"{path} is a link to {file.symlink}; it stays as it is"
    if path.endswith(".js"):
        yield from _esm(spec, answers)
    for folder in _folders(spec):
        stat = answers.get(ReadStat(spec["host"], folder))
        if isinstance(stat, Stat) and stat.type not in ("directory", "symlink"):
            yield (
                "log-folder-taken",
                f"{folder} should be the folder of the logs, but a file stands there",
            )


def _esm(spec: Spec, answers: Answers) -> Iterator[tuple[str, str]]:
    """Node goes by the nearest package.json above the file."""
    for reading in _packages(spec):
        answer = answers.get(reading)
        if not isinstance(answer, File):
            continue
        if ecosystem.is_module(answer.content):
            says = f'{reading.path} says "type": "module"'
            reason = f"{says}, so node refuses module.exports in {spec['path']}"
            yield "ecosystem-esm", reason
        return


def _packages(spec: Spec) -> Iterator[ReadFile]:
    if not spec["path"].endswith(".js"):
        return
    folder = spec["path"].rpartition("/")[0]
    while True:
        yield ReadFile(spec["host"], f"{folder}/package.json")
        if not folder:
            return
        folder = folder.rpartition("/")[0]


def _folders(spec: Spec) -> list[str]:
    found = (folder for app in spec["apps"] for folder in ecosystem.log_folders(spec["path"], app))
    return sorted(set(found))


def _is_folder(spec: Spec, folder: str, answers: Answers) -> bool:
    stat = answers.get(ReadStat(spec["host"], folder))
    return isinstance(stat, Stat) and stat.type in ("directory", "symlink")


def _left(spec: Spec, ours: ecosystem.Ours) -> Iterator[str]:
    """Apps, keys and environment names that stand in our file and left the document."""
    wanted = {app["name"]: app for app in spec["apps"]}
    for name, app in ours.apps.items():
        if name not in wanted:
            yield name
            continue
        yield from (f"{name}.{key}" for key in app if key not in wanted[name])
        yield from (f"{name}.{path}" for path in _inner_left(app, wanted[name]))


def _inner_left(app: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    for key, value in app.items():
        if isinstance(value, Mapping) and isinstance(wanted.get(key), Mapping):
            yield from (f"{key}.{name}" for name in value if name not in wanted[key])


def _veiled(app: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _hide(value) if key.startswith("env") else value for key, value in app.items()}


def _hide(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _hide(item) for key, item in value.items()}
    return Secret(value) if isinstance(value, str) else value


def _secret(spec: Spec) -> bool:
    return any(True for _ in secrets_in(spec["apps"]))


def _headline(spec: Spec, file: Any) -> str:
    count = sum(len(app) - 1 + max(0, len(app.get("env") or ()) - 1) for app in spec["apps"])
    if not isinstance(file, File):
        return f"new, {count} settings"
    ours = ecosystem.parse(file.content)
    if ours is None:
        return f"not ours: replaced whole, its backup stays; {count} settings"
    if ours.document != spec["document"]:
        return f"was of the document {ours.document}; {count} settings"
    return f"{count} settings"
