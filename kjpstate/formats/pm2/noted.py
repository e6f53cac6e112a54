"""What we once set of an app: by our stamps on the host, and by a file of ours that still stands.

Both kinds of PM2 go by it. The file is rewritten before the process is taken on, so the kind that writes it
first notes what only the file told: a key that left the document would else act for ever.
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
    """Under which names we started the script: with a new one in the document the old app has to go."""
    return ReadState(spec["host"], spec["document"], stamp_name("pm2_names", probe.script_path(spec)))


def before(spec: Spec, answers: Answers) -> Before:
    """What we once set of the app of a spec with `host`, `document`, `ecosystem` and `app`."""
    stamp = read_stamp(answers.get(keys_stamp(spec))) or {}
    ours = _ours(spec, answers)
    app = ours.apps.get(spec["app"]["name"], {}) if ours else {}
    env = app.get("env")
    return Before(
        frozenset({*_texts(stamp.get("keys")), *app}),
        frozenset({*_texts(stamp.get("env")), *(env if isinstance(env, dict) else ())}),
    )


def names_before(spec: Spec, answers: Answers) -> list[str]:
    """The names of our own apps of this script."""
    stamp = read_stamp(answers.get(name_stamp(spec))) or {}
    ours = _ours(spec, answers)
    standing = ours.apps.items() if ours and ours.document == spec["document"] else ()
    same = [name for name, app in standing if _script_of(spec, app) == probe.script_path(spec)]
    return list(dict.fromkeys((*_texts(stamp.get("names")), *same)))


def only_in_the_file(spec: Spec, answers: Answers) -> Iterator[Stamp]:
    """The stamps that keep what only the file tells, for who is about to rewrite it as `spec` says."""
    known, names = before(spec, answers), names_before(spec, answers)
    without = {**answers, ReadFile(spec["host"], spec["ecosystem"]): None}
    stamped, stamped_names = before(spec, without), names_before(spec, without)
    app = spec["app"]
    if known.keys - stamped.keys - {*app} or known.names - stamped.names - {*(app.get("env") or ())}:
        yield _stamp(keys_stamp(spec), {"keys": sorted(known.keys), "env": sorted(known.names)})
    if {*names} - {*stamped_names} - {app["name"]}:
        yield _stamp(name_stamp(spec), {"names": names})


def _stamp(reading: ReadState, values: Mapping[str, Any]) -> Stamp:
    return Stamp(reading.host, reading.document, reading.name, values)


def _ours(spec: Spec, answers: Answers) -> ecosystem.Ours | None:
    file = answers.get(ReadFile(spec["host"], spec["ecosystem"]))
    return ecosystem.parse(file.content) if isinstance(file, File) else None


def _script_of(spec: Spec, app: Mapping[str, Any]) -> str:
    return probe.script_path({**spec, "app": app}) if app.get("script") else ""


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
