"""plan: order, edges, owed steps, units, holds, guardrails, fingerprints."""

from dataclasses import replace

from kjpstate.model import UNKNOWN, Run, WriteFile
from kjpstate.plan import Scene, build, units
from tests.support.fake import files, kinds, resource

KINDS = kinds("dns", "patch", "build", "deploy", "pm2_process")


def scene(resources, answers, **more):
    may = dict.fromkeys(("box", "pc"), ("/",))
    return Scene(
        "doc", tuple(resources), files(answers), b"key", KINDS, **{"may_change": may, **more}
    )


def test_in_sync_is_empty():
    plan = build(scene([resource("dns", to="/r", text="x")], [("box", "/r", b"x")]))
    assert plan.empty
    assert plan.in_sync == ("dns",)


def test_create_and_update_have_their_symbols():
    found = build(
        scene(
            [resource("dns", to="/r", text="x"), resource("patch.a", to="/p", text="x")],
            [("box", "/r", None), ("box", "/p", b"y")],
        )
    )
    assert [(change.resource.address, change.symbol) for change in found.changes] == [
        ("dns", "+"),
        ("patch.a", "~"),
    ]
    assert found.changes[1].actions == (WriteFile("box", "/p", b"y", b"x"),)


def test_written_bytes_feed_what_is_read_downstream():
    plan = build(
        scene(
            [resource("patch.a", to="/p", text="new"), resource("build", to="/d", from_="/p")],
            [("box", "/p", b"old"), ("box", "/d", b"old")],
        )
    )
    assert plan.changes[1].drift.desired.values["text"] == "new"
    assert plan.changes[1].after == ()


def test_a_run_upstream_makes_the_rest_owed():
    plan = build(
        scene(
            [
                resource("build", to="/d", text="new", run=True),
                resource("deploy", to="/e", from_="/d"),
            ],
            [("box", "/d", b"old"), ("box", "/e", b"old")],
        )
    )
    deploy = plan.changes[1]
    assert deploy.drift.desired.values["text"] is UNKNOWN
    assert deploy.after == ("build",)
    assert isinstance(deploy.actions[0], Run)


def test_nothing_is_owed_to_what_is_in_sync():
    plan = build(
        scene(
            [
                resource("build", to="/d", text="same", run=True),
                resource("deploy", to="/e", from_="/d"),
            ],
            [("box", "/d", b"same"), ("box", "/e", b"same")],
        )
    )
    assert plan.empty


def test_units_are_groups_by_host_joined_by_edges():
    split = [
        resource("dns", to="/r", text="x"),
        resource("patch.a", host="pc", to="/p", text="x"),
        resource("build", host="pc", to="/d", from_="/p"),
        resource("deploy", to="/e", text="x"),
        resource("pm2_process.bot", to="/run", from_="/e"),
    ]
    assert units(split, KINDS) == (("dns",), ("patch.a", "build"), ("deploy", "pm2_process.bot"))
    joined = [
        split[0],
        *(
            resource(item.address, **{k: v for k, v in item.spec.items() if k != "host"})
            for item in split[1:3]
        ),
    ]
    joined.append(resource("pm2_process.bot", to="/run", from_="/d"))
    assert units(joined, KINDS) == (("dns",), ("patch.a", "build", "pm2_process.bot"))


def test_a_refusal_holds_its_unit_and_its_readers_and_nothing_else():
    plan = build(
        scene(
            [
                resource("dns", to="/r", text="x"),
                resource("patch.a", host="pc", to="/p", text="x"),
                resource("patch.b", host="pc", to="/q", text="x"),
                resource("deploy", to="/e", text="x", **{"from": "/p2"}),
                resource("pm2_process.bot", to="/run", text="x"),
            ],
            [
                ("box", "/r", b"y"),
                ("pc", "/p", b"bad"),
                ("pc", "/q", b"y"),
                ("box", "/e", b"y"),
                ("box", "/p2", b"z"),
                ("box", "/run", b"y"),
            ],
        )
    )
    held = {change.resource.address: change.held for change in plan.changes}
    assert held == {
        "dns": "",
        "patch.a": "",
        "patch.b": "patch.a",
        "deploy": "",
        "pm2_process.bot": "",
    }
    assert plan.changes[1].refusal.rule == "bad"


def test_a_reader_of_a_refused_unit_is_held():
    plan = build(
        scene(
            [resource("patch.a", to="/p", text="x"), resource("deploy", to="/e", from_="/p")],
            [("box", "/p", b"bad"), ("box", "/e", b"y")],
        )
    )
    assert [change.held for change in plan.changes] == ["", "patch.a"]


def test_a_write_outside_may_change_is_refused():
    plan = build(
        scene(
            [resource("dns", to="/etc/passwd", text="x")],
            [("box", "/etc/passwd", b"y")],
            may_change={"box": ("/r",)},
        )
    )
    assert plan.changes[0].refusal.rule == "outside-may-change"
    assert plan.changes[0].actions == ()


def test_an_unreachable_host_is_left_out_and_said():
    plan = build(scene([resource("dns", to="/r", text="x")], [], unreachable={"box": "no route"}))
    assert plan.changes == () and plan.in_sync == ()
    assert plan.unreachable == {"box": "no route"}


def test_fingerprints_move_with_what_is_compared_or_replaced_only():
    base = scene([resource("dns", to="/r", text="x")], [("box", "/r", b"y")])
    moved = replace(base, answers=files([("box", "/r", b"z")]))
    assert build(base).fingerprints == build(base).fingerprints
    assert build(base).fingerprints != build(moved).fingerprints
