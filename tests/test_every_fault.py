"""Every action of an apply x every way to lose its host x {create, change}: old or new, told,
healed.

The simulated machines run the real protocol for files of this machine. A few seeded cases here;
with KJPSTATE_FULL=1 all of them. The checker knows the only allowed states, and nothing of how they
come about.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kjpstate import errors, reconcile
from kjpstate.formats import journal, remembered
from kjpstate.model import Report, RunInfo, Stamp
from tests.support.demo_world import KEY, STATES, World
from tests.support.faulty import MODES, Fault
from tests.test_converges import world_of

SEED, SLICE = 20260302, 2
CHANGES = {
    "servers: [8.8.8.8, 1.1.1.1]": "servers: [9.9.9.9, 1.1.1.1]",
    "servers: [8.8.8.8, 1.1.1.1, 8.8.4.4, 1.0.0.1]": "servers: [9.9.9.9, 1.1.1.1]",
    "logs/error.log": "logs/errors.log",
    "retryCount = 0;": "retryCount = 0; // open",
}
"""What a change of the document is: of dns, of a patch (and so of build and deploy), of PM2."""

DOCUMENTS = ["bot-kjp", "bot-kjp-on-box"]


@dataclass
class Template:
    """Two machines and a document that will be applied to them; copied for each case."""

    folder: Path
    work: Path
    text: str
    old: dict[str, bytes] = field(default_factory=dict)
    new: dict[str, bytes] = field(default_factory=dict)
    modes: dict[str, set[int]] = field(default_factory=dict)
    runs: int = 0

    def world(self) -> World:
        """The machines as they were, in the one folder where cases run."""
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.folder, self.work, symlinks=True)
        return reopened(self)


def reopened(template: Template) -> World:
    world = World.__new__(World)
    template.runs += 16
    world.folder, world.runs, world.recovered = template.work, template.runs, ()
    world.write(template.text)
    return world


def contents(folder: Path) -> dict[str, bytes]:
    """All that kjpstate manages or must not touch; not its own state, nor what programs write."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not foreign(path.relative_to(folder).parts)
    }


def foreign(parts: tuple[str, ...]) -> bool:
    """Not kjpstate's to judge: PM2's own, logs, our state folder, backups and temporary names."""
    return (
        ".boxes" in parts
        or ".pm2" in parts
        or "logs" in parts
        or any(".backup." in part or ".kjpstate-" in part for part in parts)
    )


@pytest.fixture(
    scope="module", params=[(name, what) for name in DOCUMENTS for what in ("create", "change")]
)
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Template:
    name, what = request.param
    base = tmp_path_factory.mktemp("faults")
    world = world_of(next(STATES.rglob(f"{name}.yaml")), base / "template")
    text = (base / "template/kjpstate.yaml").read_text("utf-8")
    if what == "change":
        assert world.apply().exit_code == 0
        for old, new in CHANGES.items():
            text = text.replace(old, new)
    found = Template(base / "template", base / "case", text)
    whole = found.world()
    found.old = contents(found.work)
    found.modes = {name: {mode_of(found.work / name)} for name in found.old}
    assert whole.apply().exit_code == 0 and whole.plan().changes == ()
    found.new = contents(found.work)
    for name in found.new:
        found.modes.setdefault(name, set()).add(mode_of(found.work / name))
    return found


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@dataclass(frozen=True)
class Case:
    host: str
    mode: str
    number: int
    effect: int = 0


def cases(template: Template) -> list[Case]:
    """All of them: each action in each mode; `inside` once for each effect of it."""
    world = template.world()
    watchers = {name: Fault(host) for name, host in world.hosts.items()}
    assert world.apply().exit_code == 0
    found = []
    for name, seen in watchers.items():
        for number, effects in enumerate(seen.effects, 1):
            found += [Case(name, "inside", number, effect) for effect in range(1, effects)]
            found += [
                Case(name, mode, number) for mode in ("before", "after", "reply", "hang", "back")
            ]
            found += [Case(name, "payload", number)] if number in seen.payloads else []
    assert {case.mode for case in found} == {*MODES, "back"}
    return found


def apply(world: World, **more) -> tuple[int, Report | None]:
    world.runs += 1
    run = RunInfo(
        f"{world.runs:06x}", f"20260302T0000{world.runs % 60:02d}Z", world.document.name, "tests"
    )

    async def go() -> Report:
        plan = await reconcile.plan(world.document, world.hosts, key=KEY)
        world.recovered = await reconcile.recover(world.hosts, plan, run)
        if plan.unfinished:
            plan = await reconcile.plan(world.document, world.hosts, key=KEY)
        more.setdefault("progress", lambda event: None)
        return await reconcile.apply(world.document, world.hosts, plan, run=run, key=KEY, **more)

    try:
        report = asyncio.run(go())
    except errors.KjpstateError as error:
        return error.exit_code, None
    return report.exit_code, report


def judged(template: Template, case: Case) -> Iterator[str]:
    """What is wrong after this fault and the run after it; nothing when all is well."""
    world = template.world()
    fault = Fault(
        world.hosts[case.host],
        "after" if case.mode == "back" else case.mode,
        case.number,
        case.effect,
    )
    fault.comes_back = case.mode == "back"
    more = (
        {"wait": 60.0, "progress": lambda event: world.reconnect()} if case.mode == "back" else {}
    )
    code, report = apply(world, **more)
    if not fault.struck:
        yield "the fault did not happen"
    elif code != expected(fault):
        yield f"exit code {code}: {report and report.steps}"
    yield from wrong_state(template)
    world = reopened(template)
    if case.mode == "hang":
        before = contents(template.work)
        if apply(world)[0] != errors.LOCKED:
            yield "the lock did not wait for what the host is still doing"
        if contents(template.work) != before:
            yield "written while another held the lock"
        fault.sources = dict(world.hosts)
        asyncio.run(fault.thaw())
    if report is not None:
        yield from untrue(world, report)
    code, report = apply(world)
    if code != 0 and case.mode != "back":
        yield f"the next apply: exit code {code}: {report and report.steps}"
    yield from unhealed(template, reopened(template))


def expected(fault: Fault) -> int:
    """Lost at the very last note, when all is done, or back in time: all is well."""
    action = fault.seen[fault.number - 1]
    last = isinstance(action, Stamp) and action.name == remembered.NAME
    return errors.IN_SYNC if last or fault.comes_back else errors.UNREACHABLE


def wrong_state(template: Template) -> Iterator[str]:
    """Each file old or new, whole; what is not old is kept beside; attributes as they were."""
    now = contents(template.work)
    for name in {*template.old, *template.new, *now}:
        old, new, found = template.old.get(name), template.new.get(name), now.get(name)
        if found not in (old, new) and not between(template, name):
            yield f"{name} is neither old nor new"
        if found is not None and mode_of(template.work / name) not in template.modes.get(name, ()):
            yield f"{name} has other attributes"
        if old is not None and found != old and old not in kept(template.work, name):
            yield f"{name} is not old, and its original is not kept"


def between(template: Template, name: str) -> bool:
    """Whether a folder's switch was cut between its two renames, and its journal knows it."""
    for file in template.work.glob(f".boxes/*/state/*/{journal.FILE}"):
        known = journal.read(file.read_bytes())
        at = known.pending if known else None
        host = file.parents[2].name
        if at is not None and at.kind == "switch" and f"{name}/".startswith(f"{host}{at.path}/"):
            return not (template.work / f"{host}{at.path}").exists()
    return False


def kept(folder: Path, name: str) -> list[bytes]:
    """What stands in the backups of a file, and of each folder above it."""
    path, found = folder / name, []
    for part in (path, *path.parents[: len(Path(name).parts) - 1]):
        rest = path.relative_to(part)
        for backup in part.parent.glob(f"{part.name}.backup.*"):
            copy = backup / rest if rest.parts else backup
            if copy.is_file():
                found.append(copy.read_bytes())
    return found


def untrue(world: World, report: Report) -> Iterator[str]:
    """Where the report says something else than what is."""
    differs = {change.resource.address for change in world.plan().changes}
    for step in report.steps:
        if step.result in ("applied", "shrunk") and step.address in differs - fed(report):
            yield f"{step.address} is said to be {step.result}, and is not"
    if report.exit_code == 0 and differs:
        yield f"exit code 0, and {differs} differ"


def fed(report: Report) -> set[str]:
    """What waits for something that did not come to be is owed again."""
    done = {step.address for step in report.steps if step.result in ("applied", "shrunk")}
    return {change.resource.address for change in report.plan.changes if set(change.after) - done}


def unhealed(template: Template, world: World) -> Iterator[str]:
    """What must hold after the next run: all new, nothing to do, no litter, every original still
    kept."""
    left = world.plan()
    if left.changes or left.unfinished:
        yield (
            f"does not converge: {[change.resource.address for change in left.changes]} "
            f"{left.unfinished}"
        )
    now = contents(template.work)
    for name in {*template.new, *now}:
        if now.get(name) != template.new.get(name):
            yield f"{name} is not new in the end"
    for name, old in template.old.items():
        if template.new.get(name) != old and old not in kept(template.work, name):
            yield f"the original of {name} is lost"
    for path in set(template.work.rglob("*.kjpstate-*")) - set(
        template.work.rglob("dump.pm2.kjpstate-*")
    ):
        yield f"litter: {path.relative_to(template.work)}"
    for path in template.work.glob(".boxes/*/lock/*"):
        yield f"litter: {path.relative_to(template.work)}"
    for file in template.work.glob(f".boxes/*/state/*/{journal.FILE}"):
        known = journal.read(file.read_bytes())
        if known is None or not known.ended:
            yield f"an open journal: {file.relative_to(template.work)}"


@pytest.mark.slice
def test_every_fault_at_every_action_leaves_old_or_new_and_the_next_apply_heals(template, counted):
    found = cases(template)
    if not os.environ.get("KJPSTATE_FULL"):
        chance = random.Random(SEED)
        by_mode = {mode: [case for case in found if case.mode == mode] for mode in (*MODES, "back")}
        found = [
            case for some in by_mode.values() for case in chance.sample(some, min(SLICE, len(some)))
        ]
    wrong = {}
    for case in found:
        complaints = list(judged(template, case))
        if complaints:
            wrong[case] = complaints
    counted("operations of an apply x faults, on simulated machines", len(found))
    assert not wrong, "\n".join(f"{case}: {complaints}" for case, complaints in wrong.items())


def test_the_checker_sees_what_it_should(template):
    """A torn file, a lost original and litter are told, so that silence means something."""
    template.world()
    name = next(name for name, old in template.old.items() if template.new.get(name) != old)
    file = template.work / name
    file.write_bytes(template.old[name][:-1])
    assert any("neither" in line for line in wrong_state(template))
    file.write_bytes(template.new[name])
    for backup in template.work.rglob("*.backup.*"):
        shutil.rmtree(backup) if backup.is_dir() else backup.unlink()
    assert any("not kept" in line for line in wrong_state(template))
    file.with_name(f".{file.name}.kjpstate-new.abc123").write_bytes(b"")
    assert any("litter" in line for line in unhealed(template, reopened(template)))
