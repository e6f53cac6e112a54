"""What we once set of an app: by our stamps on the host, and by a file of ours that still stands.

Both kinds of PM2 go by it. The file is rewritten before the process is taken on, so the kind that
writes it first notes what only the file told: a key that left the document would else act for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kjpstate.formats.pm2 import ecosystem, probe
from kjpstate.formats.tree import read_stamp, stamp_name
from kjpstate.model import Answers, File, ReadFile, ReadState, Spec, Stamp


@dataclass(frozen=True)
class Before:
    """The keys and variables we once set."""

    keys: frozenset[str]
    names: frozenset[str]


def keys_stamp(spec: Spec) -> ReadState:
    """Which keys and variables the app was last started with."""
    return ReadState(spec["host"], spec["document"], stamp_name("pm2_process", spec["app"]["name"]))


def name_stamp(spec: Spec) -> ReadState:
    """Under which names we started the script: with a new one in the document the old app has to
    go."""
    return ReadState(
        spec["host"], spec["document"], stamp_name("pm2_names", probe.script_path(spec))
    )


def stamp(reading: ReadState, values: Mapping[str, Any]) -> Stamp:
    """What writes the stamp of `reading`."""
    return Stamp(reading.host, reading.document, reading.name, values)


def before(spec: Spec, answers: Answers) -> Before:
    """What we once set of the app of a spec with `host`, `document`, `ecosystem` and `app`."""
    stamped, told = _stamped(spec, answers), _told(spec, _ours(spec, answers))
    return Before(stamped.keys | told.keys, stamped.names | told.names)


def names_before(spec: Spec, answers: Answers) -> list[str]:
    """The names of our own apps of this script."""
    names = (*_names_stamped(spec, answers), *_names_told(spec, _ours(spec, answers)))
    return list(dict.fromkeys(names))


def only_in_the_file(spec: Spec, answers: Answers) -> Iterator[Stamp]:
    """The stamps that keep what only the file tells, for who is about to
    rewrite it as `spec` says."""
    ours, app = _ours(spec, answers), spec["app"]
    stamped, told = _stamped(spec, answers), _told(spec, ours)
    if told.keys - stamped.keys - {*app} or told.names - stamped.names - {*(app.get("env") or ())}:
        keys, env = stamped.keys | told.keys, stamped.names | told.names
        yield stamp(keys_stamp(spec), {"keys": sorted(keys), "env": sorted(env)})
    names, others = _names_stamped(spec, answers), _names_told(spec, ours)
    if {*others} - {*names} - {app["name"]}:
        yield stamp(name_stamp(spec), {"names": list(dict.fromkeys((*names, *others)))})


def _stamped(spec: Spec, answers: Answers) -> Before:
    values = read_stamp(answers.get(keys_stamp(spec))) or {}
    return Before(frozenset(_texts(values.get("keys"))), frozenset(_texts(values.get("env"))))


def _told(spec: Spec, ours: ecosystem.Ours | None) -> Before:
    app = ours.apps.get(spec["app"]["name"], {}) if ours else {}
    env = app.get("env")
    return Before(frozenset(app), frozenset(env if isinstance(env, dict) else ()))


def _names_stamped(spec: Spec, answers: Answers) -> list[str]:
    return _texts((read_stamp(answers.get(name_stamp(spec))) or {}).get("names"))


def _names_told(spec: Spec, ours: ecosystem.Ours | None) -> list[str]:
    standing = ours.apps.items() if ours and ours.document == spec["document"] else ()
    return [name for name, app in standing if _script_of(spec, app) == probe.script_path(spec)]


def _ours(spec: Spec, answers: Answers) -> ecosystem.Ours | None:
    file = answers.get(ReadFile(spec["host"], spec["ecosystem"]))
    return ecosystem.parse(file.content) if isinstance(file, File) else None


def _script_of(spec: Spec, app: Mapping[str, Any]) -> str:
    return probe.script_path({**spec, "app": app}) if app.get("script") else ""


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
