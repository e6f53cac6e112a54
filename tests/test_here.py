"""`--here`: the same document on the box itself. After a full apply it is in sync and silent there
too."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kjpstate import document, errors, reconcile
from kjpstate.hosts import connect
from kjpstate.model import Plan, Report, RunInfo, Scope
from kjpstate.render.drifts import drift_lines
from kjpstate.render.lines import text_of
from tests.support.demo_world import KEY, SMALL, STATES, World
from tests.test_converges import DOCUMENTS, world_of


class Box:
    """The box of a world, as it sees itself: with its own eyes only."""

    def __init__(self, world: World) -> None:
        self.document = document.seen_from(world.document, "stb")
        self.stb = world.stb
        assert (
            reconcile.may_change(self.document)["stb"]
            == reconcile.may_change(world.document)["stb"]
        )

    def plan(self) -> Plan:
        """What it finds."""
        return asyncio.run(reconcile.plan(self.document, {"stb": self.stb}, key=KEY))

    def apply(self) -> Report:
        """What it can cure by itself."""
        run = RunInfo("beef00", "20260302T000000Z", self.document.name, "box")
        quiet = [].append
        return asyncio.run(
            reconcile.apply(
                self.document, {"stb": self.stb}, self.plan(), run=run, key=KEY, progress=quiet
            )
        )


def drift_of(plan: Plan) -> tuple[int, str]:
    """Exit code and output of `drift`."""
    return reconcile.exit_code(plan), text_of(drift_lines(plan, lambda text: text))


@pytest.fixture(params=DOCUMENTS, ids=lambda path: path.stem, name="world")
def world_fixture(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """Each document of states/, applied from a machine that reaches all hosts."""
    world = world_of(request.param, tmp_path)
    assert world.apply().exit_code == 0
    return world


def planted(world: World) -> dict[str, str]:
    """What somebody does to the box, one thing of each sort -> the address that must tell it."""
    stb = world.stb
    conf = stb.real("/etc/systemd/resolved.conf")
    conf.write_text(conf.read_text("utf-8").replace("DNS=8.8.8.8", "DNS=192.168.100.1"), "utf-8")
    stb.type("systemctl", "restart", "systemd-resolved")
    ecosystem = stb.real("/root/bot-kjp/ecosystem.config.js")
    ecosystem.write_text(ecosystem.read_text("utf-8") + "\n// mine\n", "utf-8")
    built = stb.real("/root/bot-kjp/dist/index.js")
    built.write_text("console.log('by hand')\n", "utf-8")
    addresses = {item.kind: item.address for item in world.document.resources if item.host == "stb"}
    kinds = ("dns", "pm2_ecosystem", "deploy" if "deploy" in addresses else "build")
    return {kind: addresses[kind] for kind in kinds}


def test_in_sync_it_is_silent_and_says_in_a_plan_what_it_did_not_look_at(world: World):
    box = Box(world)
    plan = box.plan()
    assert drift_of(plan) == (0, "")
    others = {item.address: item.host for item in world.document.resources if item.host != "stb"}
    assert dict(plan.elsewhere) == others
    assert {item.host for item in box.document.resources} == {"stb"}


def test_each_planted_drift_is_told(world: World):
    addresses = planted(world)
    plan = Box(world).plan()
    assert {change.resource.address for change in plan.changes} >= set(addresses.values())
    code, said = drift_of(plan)
    assert code == 2
    if "deploy" in addresses:
        row = next(row for row in said.splitlines() if " deploy " in row)
        assert "1 file not as deployed; pc can't be seen from here" in row
        assert "kjpstate apply from a machine that reaches both hosts" in row
        assert "refused" not in row


def test_an_apply_there_cures_what_it_can_and_the_rest_is_drift(world: World):
    before = {item.address for item in world.plan().changes}
    assert before == set()
    conf = world.stb.real("/etc/systemd/resolved.conf")
    conf.write_text(conf.read_text("utf-8").replace("DNS=8.8.8.8", "DNS=192.168.100.1"), "utf-8")
    world.stb.type("systemctl", "restart", "systemd-resolved")
    box = Box(world)
    assert box.apply().exit_code == 0
    assert drift_of(box.plan()) == (0, "")
    assert world.plan().changes == ()
    if any(item.kind == "deploy" for item in world.document.resources):
        world.stb.real("/root/bot-kjp/dist/index.js").write_text("by hand\n", "utf-8")
        report = box.apply()
        assert report.exit_code == errors.DRIFT
        assert [step.result for step in report.steps if step.address.startswith("deploy")] == [
            "held"
        ]
        assert world.apply().exit_code == 0
        assert drift_of(box.plan()) == (0, "")


@pytest.mark.parametrize("install", ["", "  install: npm ci --omit=dev\n"])
def test_an_edit_beside_the_deployed_folder_is_told(tmp_path: Path, install: str):
    world = World(tmp_path)
    beside = f"deploy:\n  with: [package.json, package-lock.json]\n{install}"
    world.write(SMALL.replace("deploy:\n", beside))
    assert world.apply().exit_code == 0
    assert drift_of(Box(world).plan()) == (0, "")
    file = world.stb.real("/root/bot-kjp/package.json")
    before = file.read_bytes()
    file.write_bytes(before + b"\n")
    code, said = drift_of(Box(world).plan())
    assert (code, "package.json not as deployed; pc can't be seen from here" in said) == (2, True)
    assert "package.json changes" in drift_of(world.plan())[1]
    file.write_bytes(before)
    assert drift_of(Box(world).plan()) == (0, "")


def test_on_a_box_where_nothing_was_applied_yet_there_is_drift_and_no_refusal(tmp_path: Path):
    world = world_of(STATES / "bot-kjp.yaml", tmp_path)
    code, said = drift_of(Box(world).plan())
    assert code == 2
    assert "pm2_process.bot-kjp" in said and "dns" in said


def test_the_laptop_alone_looks_at_what_stands_there(tmp_path: Path):
    world = world_of(STATES / "bot-kjp.yaml", tmp_path)
    seen = document.seen_from(world.document, "pc")
    assert {item.host for item in seen.resources} == {"pc"}
    assert seen.hosts["pc"] == world.document.hosts["pc"]
    assert [pin.host for pin in seen.guards] == ["pc"]


FLEET = """
kjpstate: 1
name: many
hosts: {box: {ssh: [root@10.0.0.1, root@10.0.0.2]}}
dns: {host: box, servers: [8.8.8.8]}
"""


def test_a_word_that_is_no_host_or_several(tmp_path: Path):
    file = tmp_path / "kjpstate.yaml"
    file.write_text(FLEET, "utf-8")
    loaded = document.load(str(file), environ={})
    with pytest.raises(errors.UsageError, match="no such host; the document has box"):
        document.seen_from(loaded, "stb")
    with pytest.raises(errors.UsageError, match="2 machines bear that name"):
        document.seen_from(loaded, "box")
    member = document.seen_from(loaded, "box[10.0.0.2]")
    assert member.hosts["box[10.0.0.2]"].member_of == "box"
    assert [item.address for item in member.resources] == ["dns[10.0.0.2]"]
    with pytest.raises(errors.UsageError, match="can't be seen from here"):
        reconcile.in_scope(member, Scope(only=("dns[10.0.0.1]",)))


def test_another_user_than_the_documents_is_refused(tmp_path: Path):
    file = tmp_path / "kjpstate.yaml"
    file.write_text(FLEET.replace("root@10.0.0.2", "nobody-like-me@10.0.0.2"), "utf-8")
    loaded = document.seen_from(document.load(str(file), environ={}), "box[10.0.0.2]")
    with pytest.raises(errors.RefusedError, match="knows it as nobody-like-me@"):
        connect(loaded.hosts["box[10.0.0.2]"], may_change=(), state_folder=tmp_path)
