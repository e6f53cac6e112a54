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

_RESOLVED = "/etc/systemd/resolved.conf"
_ABOUT = (
    "Two machines: pc, where the bot is written and built, and stb, where it runs.",
    "Simulated: SSH, systemd-resolved, PM2, tsc and npm. Real: the files there, and all of "
    "kjpstate.",
)


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
    where = f"The two machines are still in {folder}" if keep else f"{folder} is removed again"
    session.out([BLANK, Line(f"{where}. Next: kjpstate validate, with a document of your own.")])
    return 0


async def _play(session: Session, folder: Path) -> None:
    stage = _set(session, folder)
    session.out(Line(text) for text in (f"A demo in {folder}.", *_ABOUT))
    await _step(
        stage,
        "kjpstate plan",
        "It looks at both machines and shows what differs. Nothing is changed.",
        _plan,
    )
    await _step(
        stage,
        "kjpstate apply --yes",
        "It does just that, backups first, and checks the result.",
        _apply,
    )
    await _step(
        stage, "kjpstate plan", "The second plan is empty: nothing is done twice.", _plan_again
    )
    await _step(
        stage,
        "",
        "Now somebody edits resolved.conf on the box, and a patch in src/wa.ts.",
        _disturb,
    )
    await _step(
        stage, "kjpstate drift", "What cron would report: one row a drift, exit code 2.", _drift
    )
    await _step(stage, "kjpstate apply --yes", "The same document cures it.", _apply)
    await _step(stage, "kjpstate drift", "In sync again: silent, exit code 0.", _silent)


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
    stage: _Stage, typed: str, why: str, act: Callable[[_Stage], Coroutine[Any, Any, None]]
) -> None:
    lines = [BLANK, Line(why, "strong")]
    stage.session.out([*lines, Line(f"$ {typed}")] if typed else lines)
    await act(stage)


async def _plan(stage: _Stage) -> None:
    plan, seconds = await stage.work.plan()
    stage.session.out(plan_lines(plan, head(stage.work, plan, seconds), stage.session.mask()))
    _must(
        len(plan.changes) > 0 and reconcile.exit_code(plan) == errors.DRIFT,
        "the first plan has changes",
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
    _must(report.exit_code == errors.IN_SYNC, "the apply succeeds and every check passes")
    _must(second.empty, "after the apply all is in sync")


async def _plan_again(stage: _Stage) -> None:
    plan, seconds = await stage.work.plan()
    stage.session.out(plan_lines(plan, head(stage.work, plan, seconds), stage.session.mask()))
    _must(plan.empty, "the second plan is empty")


async def _disturb(stage: _Stage) -> None:
    """By hand, as people do: the files, and a restart so that it acts."""
    _edit(stage.stb.real(_RESOLVED), "DNS=8.8.8.8 1.1.1.1", "DNS=192.168.100.1")
    stage.stb.type("systemctl", "restart", "systemd-resolved")
    _edit(stage.pc.real("/src/wa.ts"), "const MAX_RETRIES = 10;", "const MAX_RETRIES = 99;")


async def _drift(stage: _Stage) -> None:
    plan = await _shown_drift(stage)
    found = {change.resource.kind for change in plan.changes}
    _must({"dns", "patch"} <= found, "both edits are found")
    _must(reconcile.exit_code(plan) == errors.DRIFT, "drift is exit code 2")


async def _silent(stage: _Stage) -> None:
    _must((await _shown_drift(stage)).empty, "all is in sync at the end")


async def _shown_drift(stage: _Stage) -> Plan:
    plan, _ = await stage.work.plan()
    stage.session.out(drift_lines(plan, stage.session.mask()))
    return plan


def _edit(file: Path, before: str, after: str) -> None:
    text = file.read_bytes().decode()
    _must(before in text, f"{file.name} holds {before}")
    file.write_bytes(text.replace(before, after).encode())


def _must(true: bool, what: str) -> None:
    if not true:
        raise errors.Failed(
            f"The demo did not do what it says: {what}. That is a mistake of ours.",
            "kjpstate demo --keep   leaves the machines for a closer look",
        )
