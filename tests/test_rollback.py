"""A run taken back on the simulated machines: files, folders, the resolver, PM2, stamps; what
forbids it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from pathlib import Path

import pytest

from kjpstate import errors, rollback
from kjpstate.hosts.simulated import pm2
from kjpstate.hosts.simulated.box import Box
from kjpstate.model import Report, Restore, RunInfo
from tests.support.demo_world import KEY, World
from tests.support.words import values

DIST = "/root/bot-kjp/dist"
CONF = "/etc/systemd/resolved.conf"
ECOSYSTEM = "/root/bot-kjp/ecosystem.config.js"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def take_back(world: World, run: str = "", **options) -> Report:
    world.runs += 1
    info = RunInfo(
        f"{world.runs:06x}", f"20260301T0000{world.runs % 60:02d}Z", world.document.name, "tests"
    )
    return asyncio.run(
        rollback.run(
            world.document,
            world.hosts,
            run,
            key=KEY,
            info=info,
            progress=lambda event: None,
            **options,
        )
    )


def planned(world: World, run: str = "", **options) -> rollback.Rollback:
    return asyncio.run(
        rollback.plan(world.document, world.hosts, run, key=KEY, by="ffffff", **options)
    )


def seen(world: World) -> dict[str, str]:
    """Every file of both machines but what is ours, by digest."""
    found = {}
    for host in world.hosts.values():
        for path in sorted(host.box.root.rglob("*")):
            ours = ".backup." in path.as_posix() or "kjpstate" in path.as_posix()
            if path.is_file() and not ours and "/logs/" not in path.as_posix():
                name = f"{host.name}:{path.relative_to(host.box.root).as_posix()}"
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def apps(world: World) -> list[tuple[str, str, dict[str, object]]]:
    """What PM2 runs: name, status, the settings that matter here."""
    keys = ("pm_out_log_path", "exp_backoff_restart_delay", "max_restarts", "pm_exec_path")
    own = world.stb.box.state["pm2"]
    return [
        (app["name"], app["status"], {key: app["fields"].get(key) for key in keys})
        for app in own["apps"]
    ]


def without_dump(files: dict[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in files.items()
        if not name.endswith(("dump.pm2", "dump.pm2.bak"))
    }


def deploy_again(world: World) -> None:
    (world.pc.box.root / "src/pesan.ts").write_text(
        "export const balas = (teks: string) => teks;\n"
    )
    assert world.apply().exit_code == 0


def test_the_first_run_is_taken_back_and_everything_is_as_it_was(world: World) -> None:
    files, running = seen(world), apps(world)
    assert world.apply().exit_code == 0
    assert seen(world) != files
    ran = len(world.stb.ran)
    report = take_back(world)
    assert report.exit_code == 0, report.steps
    assert without_dump(seen(world)) == without_dump(files)
    assert apps(world) == running
    assert any("systemd-resolved" in line for line in world.stb.ran[ran:])


def test_the_next_plan_tells_the_truth_and_an_apply_brings_it_all_again(world: World) -> None:
    first = {change.resource.address for change in world.plan().changes}
    world.apply()
    take_back(world)
    again = {change.resource.address for change in world.plan().changes}
    assert again == first
    assert world.apply().exit_code == 0
    assert world.plan().empty


def test_a_rollback_is_itself_rolled_back(world: World) -> None:
    world.apply()
    after, running = seen(world), apps(world)
    assert take_back(world).exit_code == 0
    report = take_back(world)
    assert report.exit_code == 0, report.steps
    assert without_dump(seen(world)) == without_dump(after)
    assert apps(world) == running
    drifts = [change.resource.address for change in world.plan().changes]
    assert set(drifts) <= {"pm2_process.bot-kjp"}, drifts  # its start may be owed once more


def test_what_the_bot_wrote_into_the_deployed_folder_since_stays(world: World) -> None:
    world.apply()
    db = world.stb.real(f"{DIST}/db.json")
    db.write_text('{"chats": 99}')
    world.stb.real(f"{DIST}/new.json").write_text("{}")
    assert take_back(world).exit_code == 0
    assert db.read_text() == '{"chats": 99}'
    assert world.stb.real(f"{DIST}/new.json").exists()


def test_no_row_in_the_ledger_is_not_nothing(world: World) -> None:
    world.apply()
    deploy_again(world)
    files = seen(world)
    for path in world.folder.rglob("backups"):
        path.write_text("")
    for force in (False, True):
        report = take_back(world, force=force)
        assert report.exit_code == errors.REFUSED
        rules = {change.refusal.rule for change in report.plan.changes if change.refusal}
        assert rules == {"backup-damaged"}
        assert seen(world) == files


def test_a_record_that_does_not_say_what_stood_there_is_refused_without_a_row(world: World) -> None:
    world.apply()
    files = seen(world)
    for path in world.folder.rglob("run-*.json"):
        values = json.loads(path.read_text())
        for step in values["steps"]:
            del step["there"]
        path.write_text(json.dumps(values))
    report = take_back(world)
    assert report.exit_code == errors.REFUSED
    assert seen(world) == files


def test_only_the_second_run_is_taken_back(world: World) -> None:
    world.apply()
    source = world.pc.box.root / "src/pesan.ts"
    source.write_text("export const balas = (teks: string) => teks;\n")
    files = without_dump(seen(world))
    assert world.apply().exit_code == 0
    assert without_dump(seen(world)) != files
    assert take_back(world).exit_code == 0
    assert without_dump(seen(world)) == files


def test_the_earlier_of_two_runs_waits_for_the_later(world: World) -> None:
    world.apply()
    (world.pc.box.root / "src/pesan.ts").write_text(
        "export const balas = (teks: string) => teks;\n"
    )
    world.apply()
    files = seen(world)
    report = take_back(world, "000001")
    assert report.exit_code == errors.REFUSED
    refusals = [change.refusal for change in report.plan.changes if change.refusal]
    assert {item.rule for item in refusals} == {"rolled-back-later"}
    assert refusals[0].rule == "rolled-back-later"
    assert values(refusals[0].reason, "run") == ["000002"]
    assert seen(world) == files
    assert take_back(world).exit_code == 0
    assert take_back(world, "000001").exit_code == 0


@pytest.mark.parametrize(
    "path", [CONF, ECOSYSTEM, f"{DIST}/pesan.js"], ids=["a file", "a new file", "in a folder"]
)
def test_what_somebody_changed_since_is_refused_by_name_unless_forced(
    world: World, path: str
) -> None:
    world.apply()
    if path.startswith(DIST):
        deploy_again(world)
    real = world.stb.real(path)
    real.write_bytes(real.read_bytes() + b"\n// mine\n")
    files = seen(world)
    report = take_back(world)
    assert report.exit_code == errors.REFUSED
    refusal = next(change.refusal for change in report.plan.changes if change.refusal)
    assert refusal.rule == "changed-since" and (path,) in values(refusal.reason, "paths")
    assert seen(world) == files
    forced = take_back(world, force=True)
    assert forced.exit_code == 0, forced.steps
    kept = [world.hosts[host].real(backup) for host, _, backup in forced.backups]
    texts = [
        file.read_bytes()
        for top in kept
        for file in ([top] if top.is_file() else top.rglob("*"))
        if file.is_file()
    ]
    assert any(text.endswith(b"\n// mine\n") for text in texts), "what stood there is kept"


@pytest.mark.parametrize("how", ["changed", "gone"])
@pytest.mark.parametrize("name", ["resolved.conf", "dist"])
def test_a_damaged_backup_is_refused(world: World, how: str, name: str) -> None:
    world.apply()
    if name == "dist":
        deploy_again(world)
    backup = next(iter(sorted(world.stb.box.root.rglob(f"{name}.backup.*"))))
    if how == "gone":
        backup.rename(backup.with_name("elsewhere"))
    else:
        file = backup if backup.is_file() else next(path for path in backup.rglob("*.js"))
        file.write_text("other bytes")
    files = seen(world)
    report = take_back(world)
    assert report.exit_code == errors.REFUSED
    rules = {change.refusal.rule for change in report.plan.changes if change.refusal}
    assert rules == {"backup-damaged"}
    assert seen(world) == files


def test_a_file_that_moves_between_plan_and_lock_is_a_stale_plan(world: World) -> None:
    world.apply()
    found = planned(world)
    world.stb.real(CONF).write_text("[Resolve]\nDNS=9.9.9.9\n")
    info = RunInfo("ffffff", "20260301T001000Z", world.document.name, "tests")
    with pytest.raises(errors.StalePlan, match=r"rollback\.stb"):
        asyncio.run(
            rollback.act(world.document, found, world.hosts, info=info, progress=lambda event: None)
        )


def test_a_rollback_that_fails_is_put_back_and_says_7(world: World) -> None:
    world.apply()
    files, running = seen(world), apps(world)
    world.stb.broken["resurrect"] = 1
    report = take_back(world)
    assert report.exit_code in (errors.RESTORED, errors.FAILED)
    results = {step.address: step.result for step in report.steps}
    assert results["rollback.stb"] in ("restored", "failed")
    if report.exit_code == errors.RESTORED:
        assert (
            without_dump(seen(world)).items()
            >= {
                name: value
                for name, value in without_dump(files).items()
                if name.startswith("stb:")
            }.items()
        )
        assert apps(world) == running
    assert take_back(world, "000001").exit_code == 0


def test_a_run_that_was_put_back_leaves_nothing_to_roll_back(world: World) -> None:
    world.stb.broken["systemctl"] = 1
    report = world.apply()
    assert report.exit_code == errors.RESTORED
    notes = list(world.stb.box.own.rglob("run-000001.json"))
    steps = [step["address"] for path in notes for step in json.loads(path.read_text())["steps"]]
    assert "dns" not in steps


def test_an_unknown_run_and_nothing_to_roll_back_are_one_sentence(world: World) -> None:
    with pytest.raises(errors.UsageError, match="no run to roll back"):
        planned(world)
    world.apply()
    with pytest.raises(errors.UsageError, match="no run 00ffff"):
        planned(world, "00ffff")


def test_twice_the_same_run_does_nothing_the_second_time(world: World) -> None:
    world.apply()
    assert take_back(world, "000001").exit_code == 0
    files = seen(world)
    assert planned(world, "000001").plan.changes == ()
    assert seen(world) == files


def test_the_notes_hold_no_bytes(world: World) -> None:
    world.apply()
    notes = list(world.stb.box.own.rglob("run-*.json"))
    assert notes
    for path in notes:
        assert "[Resolve]" not in path.read_text() and "module.exports" not in path.read_text()


def test_an_app_that_does_not_come_up_again_is_a_rollback_that_failed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.apply()
    deploy_again(world)
    files, spawn = without_dump(seen(world)), pm2.spawn

    def crashes(box: Box, app: dict[str, object]) -> None:
        spawn(box, app)
        app |= {"status": "waiting restart", "start": None}

    monkeypatch.setattr("kjpstate.undo.reverse._PATIENCE", 0.1)
    monkeypatch.setattr("kjpstate.apply.execute._PAUSE", 0.01)
    with monkeypatch.context() as patch:
        patch.setattr(pm2, "spawn", crashes)
        report = take_back(world)
    assert report.exit_code == errors.RESTORED, report.steps
    assert "bot-kjp to be online again" in str(report.steps[-1].reason)
    on_box = {name: value for name, value in files.items() if name.startswith("stb:")}
    assert without_dump(seen(world)).items() >= on_box.items()


FULL = bool(os.environ.get("KJPSTATE_FULL"))
CUTS = range(1, 46) if FULL else (3, 11, 17, 23, 30)


@pytest.mark.slice
def test_a_rollback_that_was_cut_anywhere_is_gone_on_with(tmp_path: Path, counted) -> None:
    """The link to the box is lost after any one effect; the same rollback again ends where it
    should."""
    cut = 0
    for number in CUTS:
        world = World(tmp_path / str(number))
        files, running = without_dump(seen(world)), apps(world)
        assert world.apply().exit_code == 0
        world.stb.operations, world.stb.cut_after = 0, number
        try:
            code = take_back(world, "000001").exit_code
        except errors.KjpstateError as lost:
            code = lost.exit_code
        cut += not world.stb.reachable
        assert (code == 0) == world.stb.reachable, number
        world.reconnect()
        if code != 0:
            report = take_back_whatever_was_settled(world)
            assert report.exit_code == 0, (number, report.steps, report.plan.changes)
        assert without_dump(seen(world)) == files, number
        assert apps(world) == running, number
        left = [path for path in world.folder.rglob(".*.kjpstate-*") if "dump.pm2" not in path.name]
        assert left == [], number
    assert cut >= len(CUTS) / 2
    counted("a rollback cut after an effect, and done again", len(CUTS))


def take_back_whatever_was_settled(world: World) -> Report:
    """What a cut left is settled under the lock, which may move a file under the plan: then once
    more."""
    try:
        return take_back(world, "000001")
    except errors.StalePlan:
        return take_back(world, "000001")


def the_edit_stands(report: Report, foreign: list[Path]) -> None:
    """Somebody wrote into PM2's list, once, while the rollback was at work."""
    assert [file.name for file in foreign] == ["dump.pm2"]
    assert report.exit_code in (errors.RESTORED, errors.FAILED)
    assert any(
        "was changed by somebody else meanwhile" in str(step.reason) for step in report.steps
    ), report.steps
    assert foreign[0].read_text() == "[]"


def test_what_a_command_wrote_is_put_back_only_while_it_is_as_it_was_looked_at(
    world: World, monkeypatch
):
    """Somebody saves PM2's list in the instant between the look under the lock and the putting
    back."""
    world.apply()
    act, foreign = world.stb.act, []

    async def raced(actions, readings=(), sources=None):
        for action in actions:
            if isinstance(action, Restore) and not foreign:
                foreign.append(world.stb.real(action.path))
                foreign[0].write_text("[]")
        return await act(actions, readings, sources)

    monkeypatch.setattr(world.stb, "act", raced)
    the_edit_stands(take_back(world), foreign)


def test_an_edit_behind_the_copy_stands_too(world: World, monkeypatch):
    """The copy was taken before the edit: putting the rollback back must not
    lay it over the edit."""
    world.apply()
    act, foreign = world.stb.act, []

    async def one_by_one(actions, readings=(), sources=None):
        found = []
        for action in actions:
            if isinstance(action, Restore) and not foreign:
                foreign.append(world.stb.real(action.path))
                foreign[0].write_text("[]")
            found += (await act([action], (), sources))[0]
            if not found[-1].ok:
                break
        return found, (await act([], readings))[1]

    monkeypatch.setattr(world.stb, "act", one_by_one)
    the_edit_stands(take_back(world), foreign)
