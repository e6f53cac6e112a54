"""`kjpstate demo`: plan, apply, drift and cure on two simulated machines; nothing of yours is
touched.

Every step is judged: the demo exits 0 only if each did what it says.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from kjpstate import document, errors, reconcile
from kjpstate.cli import interrupts, options
from kjpstate.cli.session import Session
from kjpstate.cli.state_folder import run_info
from kjpstate.cli.work import Work, head
from kjpstate.hosts.simulated import SimulatedHost, seed_demo
from kjpstate.model import Plan
from kjpstate.render.drifts import drift_lines
from kjpstate.render.lines import BLANK, Line
from kjpstate.render.plans import plan_lines
from kjpstate.render.reports import event_line, report_lines
from kjpstate.said import Said, say

_RESOLVED = "/etc/systemd/resolved.conf"
_ABOUT = (say("demo.machines"), say("demo.simulated"))


@dataclass(frozen=True)
class _Stage:
    """The two machines and the document over them."""

    session: Session
    work: Work
    pc: SimulatedHost
    stb: SimulatedHost


@dataclass(frozen=True)
class Asked:
    """The command line."""

    keep: bool = options.flag("--keep", help="Leave the two machines' folder in place afterwards.")


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """Try it: plan, apply, drift and cure on two simulated machines. Needs nothing, touches
    nothing."""
    keep = asked.keep
    folder = Path(tempfile.mkdtemp(prefix="kjpstate-demo-"))
    try:
        interrupts.run(_play(session, folder))
    finally:
        if not keep:
            shutil.rmtree(folder)
    ended = say("demo.removed", folder=str(folder))
    if keep:
        ended = say("demo.kept", folder=str(folder))
    session.out([BLANK, Line(ended)])
    return 0


async def _play(session: Session, folder: Path) -> None:
    stage = _set(session, folder)
    session.out(Line(text) for text in (say("demo.folder", folder=str(folder)), *_ABOUT))
    await _step(
        stage,
        "kjpstate plan",
        say("demo.plan"),
        _plan,
    )
    await _step(
        stage,
        "kjpstate apply --yes",
        say("demo.apply"),
        _apply,
    )
    await _step(stage, "kjpstate plan", say("demo.plan-again"), _plan_again)
    await _step(
        stage,
        "",
        say("demo.disturb"),
        _disturb,
    )
    await _step(stage, "kjpstate drift", say("demo.drift"), _drift)
    await _step(stage, "kjpstate apply --yes", say("demo.cure"), _apply)
    await _step(stage, "kjpstate drift", say("demo.silent"), _silent)


def _set(session: Session, folder: Path) -> _Stage:
    """Lay out both machines, load the demo's document over them."""
    seed_demo(folder)
    text = resources.files("kjpstate.cli").joinpath("demo.yaml").read_bytes()
    path = folder / "kjpstate.yaml"
    path.write_bytes(text)
    loaded = document.load(str(path), environ=session.environ)
    allowed = reconcile.may_change(loaded)
    hosts = {name: SimulatedHost(name, folder, may_change=allowed[name]) for name in loaded.hosts}
    work = Work(session, loaded, hosts, secrets.token_bytes(32))
    return _Stage(session, work, hosts["pc"], hosts["stb"])


async def _step(
    stage: _Stage, typed: str, why: Said, act: Callable[[_Stage], Coroutine[Any, Any, None]]
) -> None:
    lines = [BLANK, Line(why, "strong")]
    stage.session.out([*lines, Line(f"$ {typed}")] if typed else lines)
    await act(stage)


async def _plan(stage: _Stage) -> None:
    plan, seconds = await stage.work.plan()
    stage.session.out(plan_lines(plan, head(stage.work, plan, seconds), stage.session.mask()))
    _must(
        len(plan.changes) > 0 and reconcile.exit_code(plan) == errors.DRIFT,
        say("demo.must-change"),
    )


async def _apply(stage: _Stage) -> None:
    work, started = stage.work, time.monotonic()
    plan, _ = await work.plan()
    run = run_info(work.document.name)
    report = await reconcile.apply(
        work.document,
        work.hosts,
        plan,
        run=run,
        key=work.key,
        progress=lambda event: stage.session.follow(event_line(event)),
    )
    if report.exit_code == errors.INTERRUPTED:
        raise errors.Interrupted("Interrupted.")
    second, _ = await work.plan()
    stage.session.out(report_lines(report, second, time.monotonic() - started))
    _must(report.exit_code == errors.IN_SYNC, say("demo.must-succeed"))
    _must(second.empty, say("demo.must-be-in-sync"))


async def _plan_again(stage: _Stage) -> None:
    plan, seconds = await stage.work.plan()
    stage.session.out(plan_lines(plan, head(stage.work, plan, seconds), stage.session.mask()))
    _must(plan.empty, say("demo.must-be-empty"))


async def _disturb(stage: _Stage) -> None:
    """By hand, as people do: the files, and a restart so that it acts."""
    _edit(stage.stb.real(_RESOLVED), "DNS=8.8.8.8 1.1.1.1", "DNS=192.168.100.1")
    stage.stb.type("systemctl", "restart", "systemd-resolved")
    _edit(stage.pc.real("/src/wa.ts"), "const MAX_RETRIES = 10;", "const MAX_RETRIES = 99;")


async def _drift(stage: _Stage) -> None:
    plan = await _shown_drift(stage)
    found = {change.resource.kind for change in plan.changes}
    _must({"dns", "patch"} <= found, say("demo.must-find"))
    _must(reconcile.exit_code(plan) == errors.DRIFT, say("demo.must-exit"))


async def _silent(stage: _Stage) -> None:
    _must((await _shown_drift(stage)).empty, say("demo.must-end-in-sync"))


async def _shown_drift(stage: _Stage) -> Plan:
    plan, _ = await stage.work.plan()
    stage.session.out(drift_lines(plan, stage.session.mask()))
    return plan


def _edit(file: Path, before: str, after: str) -> None:
    text = file.read_bytes().decode()
    _must(before in text, say("demo.must-hold", file=file.name, before=before))
    file.write_bytes(text.replace(before, after).encode())


def _must(true: bool, what: Said) -> None:
    if not true:
        raise errors.Failed(
            say("demo.failed", what=what),
            say("demo.failed.cure"),
        )
