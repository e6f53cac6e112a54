"""Kind `pm2_ecosystem`: the file that tells PM2 what to run, and the folders its logs go to.

Judged by content: our file is JSON behind `module.exports =` and reads back without being run. A
file that is not ours is opaque, and replaced whole (its backup stays). Called through the face in
`kjpstate.kinds`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kjpstate.formats.pm2 import ecosystem, noted
from kjpstate.formats.pm2.lint import lint
from kjpstate.kinds.pm2_ecosystem import spec as specs
from kjpstate.kinds.pm2_ecosystem.environments import hidden
from kjpstate.kinds.pm2_ecosystem.spec import Spec
from kjpstate.kinds.pm2_ecosystem.view import View, looked
from kjpstate.model import (
    Action,
    Advice,
    Answers,
    Drift,
    File,
    MakeDirectory,
    Reading,
    Refuse,
    State,
    Told,
    Unreadable,
    Upstream,
    WriteFile,
)
from kjpstate.said import Said, say
from kjpstate.secret import Secret
from kjpstate.section import Made, Page

KIND, ORDER, UNIT, SECTION = "pm2_ecosystem", 40, "running", "pm2"


def resources(page: Page, earlier: Sequence[Made]) -> Iterable[Made]:
    """One file for each section."""
    return specs.made(SECTION, page)


def reads(spec: Spec) -> Iterable[Reading]:
    """The file, our notes of its apps, the package.json by which node would load it, the log
    folders."""
    yield spec.file
    for app in spec.apps:
        yield noted.keys_stamp(app)
        yield noted.name_stamp(app)
    yield from spec.packages
    yield from spec.folders


def see(spec: Spec, answers: Answers, upstream: Upstream) -> View:
    """The file, its folders, and what is known of its apps."""
    return looked(spec, answers)


def actual(view: View) -> State:
    """`apps`: by name, environment values as Secrets; None when there is no file of ours. `left`:
    what the file holds beyond the document. `folders`: whether each log folder is there."""
    ours = view.ours
    values = {
        "document": ours.document if ours else None,
        "apps": {name: _veiled(app) for name, app in ours.apps.items()} if ours else None,
        "left": view.left,
        "folders": {path: _is_folder(type_) for path, type_ in view.folders.items()},
    }
    return State(values, present=view.file is not None)


def desired(view: View) -> State:
    """The document's apps by name, nothing left over, every log folder there."""
    return State(
        {
            "document": view.spec.document,
            "apps": {app.name: dict(app.keys) for app in view.spec.apps},
            "left": [],
            "folders": dict.fromkeys(view.folders, True),
        }
    )


def writes(spec: Spec) -> Iterable[tuple[str, str]]:
    """The file, and the log folders themselves (nothing in them)."""
    yield spec.host, spec.path
    for folder in spec.folders:
        yield spec.host, folder.path


def refusals(view: View) -> Iterator[Refuse]:
    """A name, a file or a package that PM2 could not make use of."""
    path = view.spec.path
    for rule, reason, cure in _problems(view):
        yield Refuse(rule, reason, (path,), cure)


def actions(view: View, drift: Drift) -> Iterator[Action | Refuse]:
    """Missing log folders first: PM2 never restarts an app whose log folder is gone. Then the file,
    and before it a note of what only its old bytes tell."""
    spec = view.spec
    for folder, type_ in view.folders.items():
        if not _is_folder(type_):
            yield MakeDirectory(spec.host, f"{folder}/")
    if any(drift.differs(key) for key in ("document", "apps", "left")):
        yield from view.known
        yield WriteFile(
            spec.host,
            spec.path,
            before=view.before,
            after=ecosystem.render(spec.document, [app.keys for app in spec.apps]),
            mode=0o600 if spec.is_secret else 0o644,
        )


def advice(view: View) -> Iterator[Advice]:
    """What the document itself will not do, and a file that others may read though it holds
    secrets."""
    spec, file = view.spec, view.file
    for position, app in enumerate(spec.apps):
        for item in lint(app.keys):
            pointer = f"/apps/{position}{item.pointer}"
            yield Advice(item.rule, item.reason, item.cure, pointer, item.severity)
    if isinstance(file, File) and file.mode & 0o044 and spec.is_secret:
        mode = f"{file.mode & 0o777:04o}"
        reason = say("secrets-readable.will", path=spec.path, mode=mode)
        cure = say("secrets-readable.cure", path=spec.path)
        yield Advice("secrets-readable", reason, cure, "/apps", "breaks")


def told(view: View, drift: Drift | None) -> Told:
    """The file and how many settings it has; of a file that is not ours no row, as all is new."""
    return Told(_headline(view), None if view.ours else ())


def veil_diff(before: str, after: str) -> str:
    """`before` with each variable's value hidden that `after` does not show openly."""
    return hidden(before, after)


def _problems(view: View) -> Iterator[tuple[str, Said, Said]]:
    """(rule, reason, cure) of each."""
    path, file = view.spec.path, view.file
    if not ecosystem.name_is_known(path):
        yield "ecosystem-name", say("ecosystem-name", path=path), say("ecosystem-name.cure")
    look = say("ecosystem-unreadable.cure")
    if isinstance(file, Unreadable):
        yield "ecosystem-unreadable", say("ecosystem-unreadable", path=path, why=file.why), look
    elif isinstance(file, File) and file.symlink:
        link = say("ecosystem-unreadable.link", path=path, to=file.symlink)
        yield "ecosystem-unreadable", link, look
    if view.module:
        reason = say("ecosystem-esm", package=view.module, path=path)
        yield "ecosystem-esm", reason, say("ecosystem-esm.cure")
    for folder, type_ in view.folders.items():
        if type_ and not _is_folder(type_):
            reason = say("log-folder-taken", folder=folder)
            yield "log-folder-taken", reason, say("log-folder-taken.cure")


def _is_folder(type_: str) -> bool:
    return type_ in ("directory", "symlink")


def _veiled(app: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _hide(value) if key.startswith("env") else value for key, value in app.items()}


def _hide(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _hide(item) for key, item in value.items()}
    return Secret(value) if isinstance(value, str) else value


def _headline(view: View) -> Said:
    path, apps = view.spec.path, [app.keys for app in view.spec.apps]
    count = sum(len(keys) - 1 + max(0, len(keys.get("env") or ()) - 1) for keys in apps)
    if not isinstance(view.file, File):
        return say("ecosystem.new", path=path, count=count)
    if view.ours is None:
        return say("ecosystem.not-ours", path=path, count=count)
    if view.ours.document != view.spec.document:
        was = view.ours.document
        return say("ecosystem.of-another", path=path, document=was, count=count)
    return say("ecosystem.settings", path=path, count=count)
