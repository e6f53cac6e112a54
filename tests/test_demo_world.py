"""Whole runs over the simulated machines: the second plan is empty, also after a cut at any single
effect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kjpstate import errors
from tests.support.demo_world import SMALL, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_apply_then_in_sync(world: World) -> None:
    report = world.apply()
    assert report.exit_code == 0, report
    assert {result.result for result in report.checks} == {"passed"}
    before = {name: host.operations for name, host in world.hosts.items()}
    assert world.plan().empty
    assert before == {name: host.operations for name, host in world.hosts.items()}


def test_the_second_apply_restarts_nothing(world: World) -> None:
    world.apply()
    ran = len(world.stb.ran)
    report = world.apply()
    assert report.exit_code == 0 and report.steps == ()
    assert world.stb.ran[ran:] == []


def _cuts() -> Iterator[tuple[str, int]]:
    yield from (("pc", number) for number in range(1, 10))
    yield from (("stb", number) for number in range(1, 28))


@pytest.mark.slice
@pytest.mark.parametrize(("name", "number"), list(_cuts()), ids=str)
def test_after_any_cut_the_next_apply_ends_in_sync(world: World, name: str, number: int) -> None:
    host = world.hosts[name]
    (world.pc.box.root / "src/pesan.ts").write_text(
        "export const balas = (teks: string) => teks;\n"
    )
    host.cut_after = number
    try:
        said = world.apply().exit_code
    except errors.Unreachable as lost:
        said = lost.exit_code
    assert (said != errors.IN_SYNC) == (not host.reachable)
    world.reconnect()
    report = world.apply()
    assert report.exit_code == 0, report.steps
    assert world.plan().empty
    left = [path for path in world.folder.rglob("*.kjpstate-*") if path.name[0] == "."]
    assert left == []


def drifts(world: World) -> set[str]:
    return {change.resource.address for change in world.plan().changes}


def test_each_planted_drift_is_found_and_healed(world: World) -> None:
    world.apply()
    conf = world.stb.real("/etc/systemd/resolved.conf")
    conf.write_bytes(conf.read_bytes().replace(b"DNS=8.8.8.8", b"DNS=9.9.9.9"))
    assert drifts(world) == {"dns"}
    world.stb.type("pm2", "delete", "bot-kjp")
    assert drifts(world) == {"dns", "pm2_process.bot-kjp"}
    world.stb.real("/root/bot-kjp/dist/wa.js").write_text("changed by hand")
    assert drifts(world) == {"dns", "deploy", "pm2_process.bot-kjp"}
    (world.pc.box.root / "src/pesan.ts").write_text(
        "export const balas = (teks: string) => teks;\n"
    )
    assert drifts(world) == {"dns", "build", "deploy", "pm2_process.bot-kjp"}
    assert world.apply().exit_code == 0
    assert world.plan().empty
    assert world.stb.real("/root/bot-kjp/dist/db.json").exists()


def test_a_failed_restart_puts_the_file_back(world: World) -> None:
    conf = world.stb.real("/etc/systemd/resolved.conf")
    before = conf.read_bytes()
    world.stb.broken["systemctl restart"] = 1
    report = world.apply()
    assert report.exit_code == errors.RESTORED and conf.read_bytes() == before


def test_a_type_error_stops_before_anything_is_built(world: World) -> None:
    (world.pc.box.root / "src/pesan.ts").write_text('export const kali: number = "dua";\n')
    report = world.apply()
    assert report.exit_code == errors.RESTORED
    results = {step.address: step.result for step in report.steps}
    assert results["dns"] == "applied" and results["deploy"] != "applied"
    assert not any("npm run build" in line for line in world.pc.ran)


def test_a_reboot_is_no_drift(world: World) -> None:
    world.apply()
    world.stb.reboot()
    assert world.plan().empty


def test_a_document_without_a_fallback_leaves_the_fallback_alone(world: World) -> None:
    conf = world.stb.real("/etc/systemd/resolved.conf")
    conf.write_bytes(conf.read_bytes() + b"FallbackDNS=9.9.9.9\n")
    world.apply()
    assert b"FallbackDNS=9.9.9.9\n" in conf.read_bytes()
    world.write(SMALL.replace("exclusive: true", "exclusive: false"))
    assert drifts(world) == {"dns"}
    world.apply()
    assert b"Domains" not in conf.read_bytes().replace(b"#Domains", b"")


def test_a_link_lost_in_an_apply_is_exit_3_and_no_check_is_asked(world: World) -> None:
    world.stb.cut_after = 6
    report = world.apply()
    assert report.exit_code == errors.UNREACHABLE
    assert report.checks == ()
