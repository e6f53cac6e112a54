"""The commands for PM2, in order, each with what puts it back. Called by the kind's face only.

Every command names node and pm2 by their full paths and has a clean environment: whatever the
calling session has would otherwise be frozen into the app and into dump.pm2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from kjpstate.formats.pm2 import noted, policy, probe
from kjpstate.formats.pm2.probe import Seen
from kjpstate.kinds.pm2_process import scripts
from kjpstate.kinds.pm2_process.view import View, log_stamp
from kjpstate.model import Action, Await, ReadStat, Run, Stamp
from kjpstate.said import Said, say
from kjpstate.secret import secrets_in

DOWN, RELOAD, START = say("pm2.down"), say("pm2.reload"), say("pm2.start")
"""Why a command is run, as far as the headline says it, too."""

_TIMEOUT = 120.0
_LONGEST_WAIT = 60_000
_MARGIN = 45.0
"""Seconds beside min_uptime that a slow box may need to come up."""


def steps(view: View) -> Iterator[Action]:
    """All that the mechanism takes, and `pm2 save` where the saved list is not as it should be."""
    seen, how = view.seen, view.mechanism
    assert seen is not None
    if how in ("replace", "reload") or view.renamed:
        yield _keep(view, seen)
    for old in view.renamed:
        yield _delete(view, seen, old, say("pm2.delete-renamed", app=old))
    if how == "replace":
        yield _delete(view, seen, view.name, say("pm2.delete", app=view.name))
    if how in ("replace", "reload", "start"):
        yield _log_stamp(view, seen)
        yield _begin(view, seen)
        if not view.app.may_end:
            yield _wait(view)
    if view.saved is not None and not view.saved.well:
        yield from _save(view, seen)
    if how in ("replace", "reload", "start"):
        yield _keys_stamp(view)
        yield _name_stamp(view)


def environment(seen: Seen) -> dict[str, str]:
    """The whole environment of a command, and so of an app that it starts."""
    folders = dict.fromkeys((seen.node.rpartition("/")[0], *probe.FOLDERS))
    return {
        "HOME": seen.user.home,
        "USER": seen.user.name,
        "LOGNAME": seen.user.name,
        "PATH": ":".join(folders),
        "LANG": "C.UTF-8",
        "PM2_HOME": seen.home,
    }


def _kept(view: View, seen: Seen) -> str:
    """Where PM2 writes its list as it runs, beside its own saved one."""
    return f"{seen.home}/dump.pm2.kjpstate-{view.app.file_name}"


def _keep(view: View, seen: Seen) -> Run:
    """The list as it runs, the app's whole old environment included: only PM2 itself can bring that
    back.

    Not among `writes`: it must survive the putting back of files, which comes before the undo.
    """
    return Run(
        view.spec.host,
        ("sh", "-c", scripts.KEEP, "sh", seen.node, seen.pm2, _kept(view, seen)),
        "",
        timeout=_TIMEOUT,
        clean_env=environment(seen),
        named=say("pm2.keeps-list", path=_kept(view, seen)),
    )


def _delete(view: View, seen: Seen, name: str, why: Said) -> Run:
    argv = ("sh", "-c", scripts.DELETE, "sh", seen.node, seen.pm2, name)
    return replace(_run(view, seen, argv, why, back=True), replaces=True)


def _run(view: View, seen: Seen, argv: tuple[str, ...], why: Said, *, back: bool) -> Run:
    undo: tuple[str, ...] = ("sh", "-c", scripts.AWAY, "sh", seen.node, seen.pm2, view.name)
    if back:
        undo = ("sh", "-c", scripts.BACK, "sh", seen.node, seen.pm2, view.name, _kept(view, seen))
    return Run(
        view.spec.host,
        argv,
        why,
        cwd=view.app.ecosystem.rpartition("/")[0] or "/",
        undo=(undo,),
        timeout=_TIMEOUT,
        clean_env=environment(seen),
        typed=("pm2", *argv[2:]) if argv[:2] == (seen.node, seen.pm2) else (),
    )


def _begin(view: View, seen: Seen) -> Run:
    file, name, how = view.app.ecosystem, view.name, view.mechanism
    if how == "reload":
        reload = (seen.node, seen.pm2, "reload", file, "--only", name, "--update-env")
        # a name is also taken for the path of a script below the working folder: here there is none
        return replace(_run(view, seen, reload, RELOAD, back=True), cwd="/proc")
    argv = (seen.node, seen.pm2, "start", file, "--only", name)
    start = _run(view, seen, argv, START, back=False)
    if how == "start" and not view.renamed:
        return start
    # its delete brings the old app back, so the new one needs no undo of its own
    return replace(start, undo=(), why=DOWN)


def _wait(view: View) -> Await:
    enough = min(max(policy.min_uptime(view.app.keys), 1000), _LONGEST_WAIT)
    return Await(
        view.spec.host,
        probe.reading(view.app),
        "pm2-online",
        (
            ("name", view.name),
            ("instances", int(view.wanted.get("instances", 1))),
            ("min_uptime_ms", enough),
            ("not_pids", tuple(app.pid for app in view.entries if app.pid)),
        ),
        enough / 1000 + _MARGIN,
        say("pm2.to-be-online", app=view.name, seconds=enough / 1000),
    )


def _save(view: View, seen: Seen) -> Iterator[Run]:
    path = f"{seen.home}/dump.pm2"
    yield Run(
        view.spec.host,
        (seen.node, seen.pm2, "save"),
        say("pm2.save"),
        writes=(path,),
        timeout=_TIMEOUT,
        clean_env=environment(seen),
        typed=("pm2", "save"),
    )
    if any(True for _ in secrets_in(view.env)):
        # PM2 makes both, the list and the one before it, for everybody to read
        yield Run(
            view.spec.host,
            ("sh", "-c", scripts.HIDE, "sh", path),
            say("pm2.hides-list"),
            clean_env=environment(seen),
        )


def _log_stamp(view: View, seen: Seen) -> Stamp:
    """Where the logs end now: the checks look only at what comes after."""
    fill = []
    for stream, key in (("out", "out_file"), ("error", "error_file")):
        path = view.wanted.get(key) or f"{seen.home}/logs/{view.app.file_name}-{stream}.log"
        if path != "/dev/null":
            fill.append((stream, ReadStat(view.spec.host, path)))
    reading = log_stamp(view.app)
    return Stamp(reading.host, reading.document, reading.name, {}, tuple(fill))


def _keys_stamp(view: View) -> Stamp:
    return noted.stamp(
        noted.keys_stamp(view.app), {"keys": sorted(view.wanted), "env": sorted(view.env)}
    )


def rewound(
    undo: Sequence[str], env: Mapping[str, str], run: str
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], Said] | None:
    """For an undo of ours that `run` is about to do: what keeps PM2's list first, the undo as it is
    done today, what would take it back again, and a word on it. None for any other command."""
    known = scripts.undo_of_ours(tuple(undo))
    if known is None:
        return None
    node, pm2, name = known[4:7]
    file = re.sub(r"[^\w.-]", "-", name)
    kept = f"{env.get('PM2_HOME', '')}/dump.pm2.kjpstate-{file}.{run}"
    back = known[2] == scripts.BACK
    why = say("pm2.as-it-was", app=name) if back else say("pm2.taken-out", app=name)
    keep = ("sh", "-c", scripts.KEEP, "sh", node, pm2, kept)
    return keep, known, ("sh", "-c", scripts.BACK, "sh", node, pm2, name, kept), why


def _name_stamp(view: View) -> Stamp:
    return noted.stamp(noted.name_stamp(view.app), {"names": [view.name]})
