"""One app as it was found, beside what the document wants of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from kjpstate.formats.pm2 import health, noted, probe, settings
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.pm2.health import FRESH, Health, Judged
from kjpstate.formats.pm2.keys import Context
from kjpstate.formats.pm2.probe import App, Seen
from kjpstate.formats.pm2.same import may_come_from_path, same_arguments, same_place
from kjpstate.formats.tree import read_stamp, stamp_name, stamped_clock
from kjpstate.kinds.pm2_process.spec import Spec
from kjpstate.model import Answers, ReadFile, Reading, ReadStat, ReadState, Stat, Upstream, touching
from kjpstate.said import Text, say
from kjpstate.secret import Secret, opened

NOT_SEEN = Judged("unknown", say("pm2.not-known"))
SAVED = Judged("saved")

Mechanism = Literal["none", "save", "reload", "start", "replace"]
"""From the least to the most: nothing, `pm2 save` alone, reload, start, delete and start."""


@dataclass(frozen=True)
class View:
    """One app as the document wants it and as it is."""

    spec: Spec
    seen: Seen | None
    """None: PM2 can't be judged."""
    why: Text
    """Why PM2 can't be judged, or what broke while it was looked at."""
    context: Context
    wanted: Mapping[str, Any]
    """Key -> effective value as the document wants it."""
    found: Mapping[str, Any]
    """Key -> effective value as it acts."""
    env: Mapping[str, str | Secret]
    """The variables of the document."""
    env_found: Mapping[str, Secret | None]
    """The same as the process has them."""
    left: tuple[str, ...]
    """Keys and variables that left the document and still act."""
    health: Health
    code: Judged | None
    """None: nothing of this document puts the script there."""
    code_owed: bool
    """Whether something earlier in this plan puts new files into the script's folder."""
    saved: Judged | None
    """None: nobody asked for it."""
    script: Literal["there", "missing", "folder", "not known"]
    ours: tuple[App, ...]
    """While the app is about to start: those of PM2's list that this document once started from
    this script, and names no more."""

    @property
    def app(self) -> Declared:
        """The app of the document."""
        return self.spec.app

    @property
    def name(self) -> str:
        """The app's name in PM2."""
        return self.spec.app.name

    @cached_property
    def entries(self) -> tuple[App, ...]:
        """Its entries in PM2's list."""
        return _entries(self.name, self.seen)

    @cached_property
    def changed(self) -> list[str]:
        """The settings that do not act as the document says."""
        return [key for key, value in self.wanted.items() if not _same(value, self.found.get(key))]

    @cached_property
    def changed_env(self) -> list[str]:
        """The variables that the process has not, or has otherwise."""
        return [
            name
            for name, value in self.env.items()
            if not _same_text(value, self.env_found.get(name))
        ]

    @cached_property
    def renamed(self) -> tuple[str, ...]:
        """The old names of this very app. Of several sessions of one script it is the one with its
        arguments, where there is one."""
        alike = [entry for entry in self.ours if same_arguments(entry.fields, self.app)]
        return tuple(dict.fromkeys(entry.name for entry in alike or self.ours))

    @cached_property
    def mechanism(self) -> Mechanism:
        """The least that brings this app to what the document says."""
        if not self.entries:
            return "start"
        if self.health.sick or self.left:
            return "replace"
        if self.changed and settings.mechanism(self.changed) == "replace":
            return "replace"
        code_is_old = self.code_owed or not (self.code or FRESH).well
        if self.changed or self.changed_env or code_is_old:
            return "reload"
        return "none" if (self.saved or SAVED).well else "save"


def readings(spec: Spec) -> Iterator[Reading]:
    """The probe, our stamps, and the two files that earlier resources may write."""
    app = spec.app
    yield probe.reading(app)
    yield ReadFile(app.host, app.ecosystem)
    yield script_stat(app)
    yield noted.keys_stamp(app)
    yield log_stamp(app)
    yield noted.name_stamp(app)
    if app.tree:
        yield tree_stamp(app)


def script_stat(app: Declared) -> ReadStat:
    """The reading that tells whether the script is there."""
    return ReadStat(app.host, app.script)


def tree_stamp(app: Declared) -> ReadState:
    """When the files of the script's folder were last put there."""
    return ReadState(app.host, app.document, stamp_name("tree", app.tree))


def log_stamp(app: Declared) -> ReadState:
    """Where the logs ended when the app was last started by an apply."""
    return ReadState(app.host, app.document, stamp_name("log", app.name))


def looked(spec: Spec, answers: Answers, upstream: Upstream) -> View:
    """The answers, understood."""
    app = spec.app
    parsed = probe.parse(answers.get(probe.reading(app)))
    seen = parsed if isinstance(parsed, Seen) else None
    context = settings.context(app, seen)
    wanted, env = settings.desired(context), settings.environment(app.keys)
    entries = _entries(app.name, seen)
    before = noted.before(app, answers)
    return View(
        spec=spec,
        seen=seen,
        why=parsed.error if isinstance(parsed, Seen) else parsed,
        context=context,
        wanted=wanted,
        found=settings.actual(entries, wanted, context) if entries else {},
        env=env,
        env_found={name: _env_found(name, value, entries) for name, value in env.items()},
        left=_left(entries, before, wanted, context),
        health=health.health_of(app, parsed),
        code=_code(app, seen, answers),
        code_owed=bool(app.tree) and bool(touching(upstream, app.host, app.tree)),
        saved=_saved(spec, seen, before, wanted, context),
        script=_script(app, seen, answers, upstream),
        ours=tuple(_ours(spec, seen, answers)),
    )


def _entries(name: str, seen: Seen | None) -> tuple[App, ...]:
    return seen.named(name) if seen and seen.alive else ()


def _env_found(name: str, wanted: str | Secret, entries: tuple[App, ...]) -> Secret | None:
    """The value that the instances have; where they disagree the one that differs from `wanted`."""
    values = [entry.env.get(name) for entry in entries]
    if not values:
        return None
    value = next((item for item in values if item != opened(wanted)), values[0])
    return None if value is None else Secret(value)


def _left(
    entries: tuple[App, ...], before: noted.Before, wanted: Mapping[str, Any], context: Context
) -> tuple[str, ...]:
    """Keys and variables of `before` that left the document and still act, each once."""
    found = (
        settings.left_over(entry, before.keys, before.names, wanted, context) for entry in entries
    )
    return tuple(dict.fromkeys(item for items in found for item in items))


def _code(app: Declared, seen: Seen | None, answers: Answers) -> Judged | None:
    if not app.tree:
        return None
    if seen is None:
        return NOT_SEEN
    entries = seen.named(app.name)
    if app.may_end and entries and all(entry.start is None for entry in entries):
        return FRESH  # it has ended by itself: its next start takes what is there
    clock = stamped_clock(read_stamp(answers.get(tree_stamp(app))))
    return health.freshness(seen, app.name, clock)


def _saved(
    spec: Spec,
    seen: Seen | None,
    before: noted.Before,
    wanted: Mapping[str, Any],
    context: Context,
) -> Judged | None:
    """Whether a reboot would bring the app back as the document says."""
    if not spec.save:
        return None
    if seen is None:
        return NOT_SEEN
    if seen.dump.state != "ok":
        state = seen.dump.state
        return Judged(f"dump-{state}", say("pm2.dump-state", state=state))
    name = spec.app.name
    saved = tuple(entry for entry in seen.dump.apps if entry.name == name)
    if not saved:
        return Judged("not-saved", say("pm2.dump-lacks", app=name))
    if not spec.app.may_end and any(entry.status == "stopped" for entry in saved):
        return Judged("saved-stopped", say("pm2.dump-stopped"))
    other = tuple(dict.fromkeys(_saved_otherwise(saved, before, wanted, context)))
    if other:
        return Judged("saved-otherwise", say("pm2.dump-otherwise", names=other))
    return SAVED


def _saved_otherwise(
    saved: tuple[App, ...], before: noted.Before, wanted: Mapping[str, Any], context: Context
) -> Iterator[str]:
    found = settings.actual(saved, wanted, context)
    yield from (key for key, value in wanted.items() if not _same(value, found[key]))
    for name, value in settings.environment(context.app.keys).items():
        if any(entry.env.get(name) != opened(value) for entry in saved):
            yield f"env.{name}"
    yield from _left(saved, before, wanted, context)


def _script(
    app: Declared, seen: Seen | None, answers: Answers, upstream: Upstream
) -> Literal["there", "missing", "folder", "not known"]:
    reading = script_stat(app)
    if touching(upstream, app.host, app.script) or reading not in answers:
        return "not known"
    found = answers[reading]
    if isinstance(found, Stat) and found.type == "directory":
        return "folder"
    by_path = seen is not None and may_come_from_path(app, seen.places)
    return "missing" if found is None and not by_path else "there"


def _ours(spec: Spec, seen: Seen | None, answers: Answers) -> Iterator[App]:
    if seen is None or not seen.alive or _entries(spec.app.name, seen):
        return
    named = set(noted.names_before(spec.app, answers)) - spec.names
    for entry in seen.apps:
        if entry.name in named and same_place(entry.fields, spec.app, seen.places):
            yield entry


def _same(one: Any, other: Any) -> bool:
    """As `diff` compares: 1 is not true."""
    return type(one) is type(other) and bool(one == other)


def _same_text(one: str | Secret, other: Secret | None) -> bool:
    return other is not None and opened(one) == other.open()
