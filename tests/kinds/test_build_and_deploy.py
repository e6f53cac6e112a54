"""build and deploy together on the straight line: owed, done, healed after any cut, and then in
sync."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from kjpstate.formats.tree import stamp_name
from kjpstate.kinds import build, deploy
from kjpstate.model import Resource, RunInfo, SyncTree, Where
from tests.support.fake import copy_kind, resource
from tests.support.tree_box import TreeBox, applied, plan_of

PC, BOX = "/home/me/bot/", "/root/bot/"
KINDS: dict[str, Any] = {"patch": copy_kind("patch"), "build": build, "deploy": deploy}


WHERE = Where("bot.yaml", 1, 1)
BUILD = Resource(
    "build",
    "build",
    "pc",
    build.Spec(
        host="pc",
        document="bot-kjp",
        directory=PC,
        inputs=("src/",),
        outputs=("dist/",),
        check=("tsc",),
        run=("make",),
    ),
    WHERE,
)
DEPLOY = Resource(
    "deploy",
    "deploy",
    "stb",
    deploy.Spec(
        host="stb",
        document="bot-kjp",
        from_host="pc",
        from_directory=f"{PC}dist/",
        to_directory=f"{BOX}dist/",
        built=PC,
        with_files=("lock.json",),
        install=("npm", "ci"),
    ),
    WHERE,
)
PATCH = resource("patch", "pc", to=f"{PC}src/wa.ts", text="wa 2")
BOTH = (BUILD, DEPLOY)
TREE_STAMP = stamp_name("tree", f"{BOX}dist/")


def make(box: TreeBox) -> int:
    """Each src/*.ts becomes a dist/*.js; what went from the source stays, as tsc leaves it."""
    for path, text in box.below(f"{PC}src/").items():
        box.write(f"{PC}dist/{path.replace('.ts', '.js')}", text.partition("//")[0].strip())
    return 0


def check(box: TreeBox) -> int:
    return 2 if any("type error" in text for text in box.below(f"{PC}src/").values()) else 0


def boxes() -> dict[str, TreeBox]:
    source = {f"{PC}src/wa.ts": "wa", f"{PC}src/index.ts": "index", f"{PC}lock.json": "{}"}
    mine = {f"{PC}dist/db.json": "the developer's"}
    theirs = {f"{BOX}dist/db.json": "the bot's", f"{BOX}dist/wa.js": "by scp"}
    return {
        "pc": TreeBox("pc", {**source, **mine}, {("tsc",): check, ("make",): make}),
        "stb": TreeBox("stb", theirs, {("npm", "ci"): lambda box: 0}),
    }


def addresses(found: dict[str, TreeBox], resources: tuple[Resource, ...] = BOTH) -> list[str]:
    return [change.resource.address for change in plan_of(found, resources, KINDS).changes]


def stamped(found: dict[str, TreeBox]) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(found["stb"].state[TREE_STAMP])
    return values


def test_a_first_apply_builds_and_deploys_what_was_built_and_then_all_is_in_sync() -> None:
    found = boxes()
    plan = plan_of(found, BOTH, KINDS)
    assert [(change.symbol, change.after) for change in plan.changes] == [
        ("~", ()),
        ("~", ("build",)),
    ]
    report = applied(found, BOTH, KINDS)
    assert [step.result for step in report.steps] == ["applied", "applied"]
    assert found["stb"].below(f"{BOX}dist/") == {
        "db.json": "the bot's",
        "index.js": "index",
        "wa.js": "wa",
    }
    assert sorted(stamped(found)["files"]) == ["index.js", "wa.js"]
    assert addresses(found) == []


def test_an_edit_is_built_and_only_then_deployed() -> None:
    found = boxes()
    applied(found, BOTH, KINDS)
    found["pc"].write(f"{PC}src/wa.ts", "wa 2")
    assert addresses(found) == ["build", "deploy"]
    applied(found, BOTH, KINDS)
    assert found["stb"].below(f"{BOX}dist/")["wa.js"] == "wa 2"
    assert addresses(found) == []


def test_what_a_patch_will_write_is_known_and_what_the_build_will_write_is_owed() -> None:
    found = boxes()
    applied(found, BOTH, KINDS)
    plan = plan_of(found, (PATCH, *BOTH), KINDS)
    assert [change.after for change in plan.changes] == [(), (), ("build",)]
    assert [step.result for step in applied(found, (PATCH, *BOTH), KINDS).steps] == ["applied"] * 3
    assert found["stb"].below(f"{BOX}dist/")["wa.js"] == "wa 2"
    assert addresses(found, (PATCH, *BOTH)) == []


def test_a_build_that_yields_the_same_bytes_touches_nothing_on_the_box() -> None:
    found = boxes()
    applied(found, BOTH, KINDS)
    ticks = {
        name: json.loads(content).get("clock")
        for box in found.values()
        for name, content in box.state.items()
    }
    found["pc"].write(f"{PC}src/wa.ts", "wa // a comment")
    report = applied(found, BOTH, KINDS)
    assert [step.result for step in report.steps] == ["applied", "shrunk"]
    assert ticks == {
        name: json.loads(content).get("clock")
        for box in found.values()
        for name, content in box.state.items()
    }
    assert addresses(found) == []


def test_what_the_source_no_longer_has_goes_when_its_output_does() -> None:
    found = boxes()
    applied(found, BOTH, KINDS)
    del found["pc"].files[f"{PC}src/index.ts"], found["pc"].files[f"{PC}dist/index.js"]
    applied(found, BOTH, KINDS)
    assert sorted(found["stb"].below(f"{BOX}dist/")) == ["db.json", "wa.js"]
    assert addresses(found) == []


def test_a_type_error_stops_before_the_build_and_leaves_the_box_alone() -> None:
    found = boxes()
    applied(found, BOTH, KINDS)
    before = dict(found["stb"].files)
    found["pc"].write(f"{PC}src/wa.ts", "type error")
    report = applied(found, BOTH, KINDS)
    assert [step.result for step in report.steps] == ["restored", "held"]
    assert report.exit_code == 7
    assert found["stb"].files == before
    assert found["pc"].below(f"{PC}dist/")["wa.js"] == "wa"
    assert addresses(found) == ["build", "deploy"]


def test_a_file_beside_that_the_build_was_to_write_and_did_not_is_refused_in_its_own_words() -> (
    None
):
    found = boxes()
    del found["pc"].files[f"{PC}lock.json"]
    spec = replace(BUILD.spec, outputs=("dist/", "lock.json"))
    report = applied(found, (replace(BUILD, spec=spec), DEPLOY), KINDS)
    assert report.steps[-1].result == "restored"
    assert report.steps[-1].reason == f"lock.json is not beside {PC}dist/ on pc"


def test_a_hand_edit_of_an_output_is_built_again_and_one_on_the_box_deployed_again() -> None:
    found = boxes()
    applied(found, BOTH, KINDS)
    found["stb"].write(f"{BOX}dist/wa.js", "by hand")
    assert addresses(found) == ["deploy"]
    found["pc"].write(f"{PC}dist/wa.js", "by hand")
    assert addresses(found) == ["build", "deploy"]
    applied(found, BOTH, KINDS)
    assert found["stb"].below(f"{BOX}dist/")["wa.js"] == "wa"
    assert addresses(found) == []


def test_the_bot_may_write_its_own_files_while_a_plan_waits() -> None:
    found = boxes()
    applied(found, BOTH, KINDS)
    found["pc"].write(f"{PC}src/wa.ts", "wa 2")
    make_and_tick = {
        **found["pc"].commands,
        ("make",): lambda box: _tick(found["stb"]) or make(box),
    }
    found["pc"].commands = make_and_tick
    assert [step.result for step in applied(found, BOTH, KINDS).steps] == ["applied", "applied"]
    assert found["stb"].below(f"{BOX}dist/")["db.json"] == "written meanwhile"


def _tick(box: TreeBox) -> None:
    box.write(f"{BOX}dist/db.json", "written meanwhile")


def _total() -> tuple[int, int]:
    """The actions on each host, but for the last: a line about the run, which no run fails for."""
    found = boxes()
    applied(found, (PATCH, *BOTH), KINDS)
    assert {getattr(found[host].done[-1], "name", "") for host in ("pc", "stb")} == {"history.json"}
    return len(found["pc"].done) - 1, len(found["stb"].done) - 1


PC_ACTIONS, BOX_ACTIONS = _total()


@pytest.mark.parametrize(
    ("host", "cut"),
    [("pc", cut) for cut in range(PC_ACTIONS)] + [("stb", cut) for cut in range(BOX_ACTIONS)],
)
def test_after_a_cut_at_any_action_the_next_apply_heals_and_the_one_after_does_nothing(
    host: str, cut: int
) -> None:
    found = boxes()
    found[host].cut_after = cut
    report = applied(found, (PATCH, *BOTH), KINDS)
    assert report.exit_code == 3
    found[host].cut_after = None
    assert addresses(found, (PATCH, *BOTH)) != []
    report = applied(found, (PATCH, *BOTH), KINDS)
    assert report.exit_code == 0, report.steps
    assert found["stb"].below(f"{BOX}dist/") == {
        "db.json": "the bot's",
        "index.js": "index",
        "wa.js": "wa 2",
    }
    assert addresses(found, (PATCH, *BOTH)) == []


def test_the_last_action_on_the_box_is_the_stamp_that_dates_the_tree() -> None:
    found = boxes()
    applied(found, BOTH, KINDS)
    switch = max(
        place for place, action in enumerate(found["stb"].done) if isinstance(action, SyncTree)
    )
    assert switch < len(found["stb"].done) - 1
    assert float(stamped(found)["clock"]["uptime"]) >= found["stb"].touched[f"{BOX}dist/wa.js"]
    assert RunInfo("abc123", "20261123T194500Z", "bot-kjp", "me").suffix
