"""What we once set of an app: by our stamps on the host, and by a file of ours that still stands.

Both kinds of PM2 go by it. The file is rewritten before the process is taken on, so the kind that
writes it first notes what only the file told: a key that left the document would else act for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kjpstate.formats.pm2 import ecosystem
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.tree import read_stamp, stamp_name
from kjpstate.model import Answers, File, ReadFile, ReadState, Stamp


@dataclass(frozen=True)
class Before:
    """The keys and variables we once set."""

    keys: frozenset[str]
    names: frozenset[str]


def keys_stamp(app: Declared) -> ReadState:
    """Which keys and variables the app was last started with."""
    return ReadState(app.host, app.document, stamp_name("pm2_process", app.name))


def name_stamp(app: Declared) -> ReadState:
    """Under which names we started the script: with a new one in the document the old app has to
    go."""
    return ReadState(app.host, app.document, stamp_name("pm2_names", app.script))


def stamp(reading: ReadState, values: Mapping[str, Any]) -> Stamp:
    """What writes the stamp of `reading`."""
    return Stamp(reading.host, reading.document, reading.name, values)


def before(app: Declared, answers: Answers) -> Before:
    """The keys and variables that we once set of the app."""
    stamped, told = _stamped(app, answers), _told(app, _ours(app, answers))
    return Before(stamped.keys | told.keys, stamped.names | told.names)


def names_before(app: Declared, answers: Answers) -> list[str]:
    """The names of our own apps of this script."""
    names = (*_names_stamped(app, answers), *_names_told(app, _ours(app, answers)))
    return list(dict.fromkeys(names))


def only_in_the_file(app: Declared, answers: Answers) -> Iterator[Stamp]:
    """The stamps that keep what only the file tells, for who is about to
    rewrite it as the document says."""
    ours = _ours(app, answers)
    stamped, told = _stamped(app, answers), _told(app, ours)
    if told.keys - stamped.keys - {*app.keys} or told.names - stamped.names - {
        *(app.keys.get("env") or ())
    }:
        keys, env = stamped.keys | told.keys, stamped.names | told.names
        yield stamp(keys_stamp(app), {"keys": sorted(keys), "env": sorted(env)})
    names, others = _names_stamped(app, answers), _names_told(app, ours)
    if {*others} - {*names} - {app.name}:
        yield stamp(name_stamp(app), {"names": list(dict.fromkeys((*names, *others)))})


def _stamped(app: Declared, answers: Answers) -> Before:
    values = read_stamp(answers.get(keys_stamp(app))) or {}
    return Before(frozenset(_texts(values.get("keys"))), frozenset(_texts(values.get("env"))))


def _told(app: Declared, ours: ecosystem.Ours | None) -> Before:
    standing = ours.apps.get(app.name, {}) if ours else {}
    env = standing.get("env")
    return Before(frozenset(standing), frozenset(env if isinstance(env, dict) else ()))


def _names_stamped(app: Declared, answers: Answers) -> list[str]:
    return _texts((read_stamp(answers.get(name_stamp(app))) or {}).get("names"))


def _names_told(app: Declared, ours: ecosystem.Ours | None) -> list[str]:
    standing = ours.apps.items() if ours and ours.document == app.document else ()
    return [name for name, keys in standing if _script_of(app, keys) == app.script]


def _ours(app: Declared, answers: Answers) -> ecosystem.Ours | None:
    file = answers.get(ReadFile(app.host, app.ecosystem))
    return ecosystem.parse(file.content) if isinstance(file, File) else None


def _script_of(app: Declared, keys: Mapping[str, Any]) -> str:
    return replace(app, keys=keys).script if keys.get("script") else ""


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
