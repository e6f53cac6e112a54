"""What one app's resource looks at, and what the answers mean. Called by the kind's face only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kjpstate.formats.pm2 import health, noted, policy, probe, settings
from kjpstate.formats.pm2.health import FRESH, Health, Judged
from kjpstate.formats.pm2.keys import Context
from kjpstate.formats.pm2.probe import App, Seen
from kjpstate.formats.tree import read_stamp, stamp_name, stamped_clock
from kjpstate.model import Answers, ReadFile, Reading, ReadStat, ReadState, Spec, Upstream, touching
from kjpstate.secret import Secret, opened

NOT_SEEN = Judged("unknown", "not known")
SAVED = Judged("saved")

Mechanism = Literal["none", "save", "reload", "start", "replace"]
"""From the least to the most: nothing, `pm2 save` alone, reload, start, delete and start."""


@dataclass(frozen=True)
class View:
    """One app as the document wants it and as it is.

    `seen` None: PM2 can't be judged, `why` says so. `wanted` and `found`: effective settings by
    key; `env` and `env_found`: variables. `left`: what acts though it left the document. `code` and
    `saved` None: not asked for. `renamed`: the names under which we once started this very app and
    which the document has no more.
    """

    spec: Spec
    seen: Seen | None
    why: str
    wanted: Mapping[str, Any]
    found: Mapping[str, Any]
    env: Mapping[str, str | Secret]
    env_found: Mapping[str, Secret | None]
    left: tuple[str, ...]
    health: Health
    code: Judged | None
    saved: Judged | None
    renamed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The app's name in PM2."""
        return str(self.spec["app"]["name"])

    @property
    def entries(self) -> tuple[App, ...]:
        """Its entries in PM2's list."""
        return self.seen.named(self.name) if self.seen and self.seen.alive else ()

    def changed(self) -> list[str]:
        """The settings that do not act as the document says."""
        return [key for key, value in self.wanted.items() if not _same(value, self.found.get(key))]

    def changed_env(self) -> list[str]:
        """The variables that the process has not, or has otherwise."""
        return [
            name
            for name, value in self.env.items()
            if not _same_text(value, self.env_found.get(name))
        ]


def readings(spec: Spec) -> Iterator[Reading]:
    """The probe, our stamps, and the two files that earlier resources may write."""
    yield probe.reading(spec)
    yield ReadFile(spec["host"], spec["ecosystem"])
    yield script_stat(spec)
    yield noted.keys_stamp(spec)
    yield log_stamp(spec)
    yield noted.name_stamp(spec)
    if spec.get("tree"):
        yield tree_stamp(spec)


def script_stat(spec: Spec) -> ReadStat:
    """Whether the script is there."""
    return ReadStat(spec["host"], probe.script_path(spec))


def tree_stamp(spec: Spec) -> ReadState:
    """When the files of the script's folder were last put there."""
    return ReadState(spec["host"], spec["document"], stamp_name("tree", spec["tree"]))


def log_stamp(spec: Spec) -> ReadState:
    """Where the logs ended when the app was last started by an apply."""
    return ReadState(spec["host"], spec["document"], stamp_name("log", spec["app"]["name"]))


def view(spec: Spec, answers: Answers) -> View:
    """The answers, understood."""
    parsed = probe.parse(answers.get(probe.reading(spec)))
    seen = None if isinstance(parsed, str) else parsed
    context = settings.context(spec, seen)
    wanted, env = settings.desired(context), settings.environment(spec["app"])
    entries = seen.named(spec["app"]["name"]) if seen and seen.alive else ()
    found = settings.actual(entries, wanted, context) if entries else {}
    before = noted.before(spec, answers)
    return View(
        spec=spec,
        seen=seen,
        why=parsed if isinstance(parsed, str) else parsed.error,
        wanted=wanted,
        found=found,
        env=env,
        env_found={name: _env_found(name, value, entries) for name, value in env.items()},
        left=_left(entries, before, context),
        health=_health(spec, parsed),
        code=_code(spec, seen, answers),
        saved=_saved(spec, seen, before, context),
    )


def _env_found(name: str, wanted: str | Secret, entries: tuple[App, ...]) -> Secret | None:
    """The value that the instances have; where they disagree the one that differs from `wanted`."""
    values = [app.env.get(name) for app in entries]
    if not values:
        return None
    value = next((item for item in values if item != opened(wanted)), values[0])
    return None if value is None else Secret(value)


def _left(entries: tuple[App, ...], before: noted.Before, context: Context) -> tuple[str, ...]:
    """What of `before` left the document and still acts, each once."""
    wanted = settings.desired(context)
    found = (settings.left_over(app, before.keys, before.names, wanted, context) for app in entries)
    return tuple(dict.fromkeys(item for items in found for item in items))


def _health(spec: Spec, seen: Seen | str) -> Health:
    app = spec["app"]
    return health.health(
        seen,
        app["name"],
        min_uptime=policy.min_uptime(app),
        may_end=app.get("autorestart") is False,
        connected=bool(spec.get("connected")),
    )


def _code(spec: Spec, seen: Seen | None, answers: Answers) -> Judged | None:
    if not spec.get("tree"):
        return None
    if seen is None:
        return NOT_SEEN
    entries = seen.named(spec["app"]["name"])
    if (
        spec["app"].get("autorestart") is False
        and entries
        and all(app.start is None for app in entries)
    ):
        return FRESH  # it has ended by itself: its next start takes what is there
    clock = stamped_clock(read_stamp(answers.get(tree_stamp(spec))))
    return health.freshness(seen, spec["app"]["name"], clock)


def _saved(spec: Spec, seen: Seen | None, before: noted.Before, context: Context) -> Judged | None:
    """Whether a reboot would bring the app back as the document says."""
    if not spec.get("save"):
        return None
    if seen is None:
        return NOT_SEEN
    if seen.dump.state != "ok":
        return Judged(f"dump-{seen.dump.state}", f"dump.pm2 is {seen.dump.state}")
    name = spec["app"]["name"]
    saved = tuple(app for app in seen.dump.apps if app.name == name)
    if not saved:
        return Judged("not-saved", f"dump.pm2 does not name {name}")
    if spec["app"].get("autorestart") is not False and any(
        app.status == "stopped" for app in saved
    ):
        return Judged("saved-stopped", "dump.pm2 has it stopped")
    other = dict.fromkeys(_saved_otherwise(saved, before, context))
    return (
        Judged("saved-otherwise", f"dump.pm2 has other values: {', '.join(other)}")
        if other
        else SAVED
    )


def _saved_otherwise(
    saved: tuple[App, ...], before: noted.Before, context: Context
) -> Iterator[str]:
    wanted = settings.desired(context)
    found = settings.actual(saved, wanted, context)
    yield from (key for key, value in wanted.items() if not _same(value, found[key]))
    for name, value in settings.environment(context.spec["app"]).items():
        if any(app.env.get(name) != opened(value) for app in saved):
            yield f"env.{name}"
    yield from _left(saved, before, context)


def owed(spec: Spec, upstream: Upstream) -> bool:
    """Whether something earlier in this plan puts new files into the script's folder."""
    return bool(spec.get("tree")) and bool(touching(upstream, spec["host"], spec["tree"]))


def script_owed(spec: Spec, upstream: Upstream) -> bool:
    """Whether something earlier in this plan writes the script."""
    return bool(touching(upstream, spec["host"], probe.script_path(spec)))


def mechanism(seen: View, code_owed: bool) -> Mechanism:
    """The least that brings this app to what the document says."""
    if not seen.entries:
        return "start"
    if seen.health.sick or seen.left:
        return "replace"
    changed = seen.changed()
    if changed and settings.mechanism(changed) == "replace":
        return "replace"
    if changed or seen.changed_env() or code_owed or not (seen.code or FRESH).well:
        return "reload"
    return "none" if (seen.saved or SAVED).well else "save"


def _same(one: Any, other: Any) -> bool:
    """As `diff` compares: 1 is not true."""
    return type(one) is type(other) and bool(one == other)


def _same_text(one: str | Secret, other: Secret | None) -> bool:
    return other is not None and opened(one) == other.open()
