"""apply: the second reading, units put back, holds, stale plans, owed steps, lost links."""

import asyncio
from dataclasses import replace

import pytest

from kjpstate import apply, errors
from kjpstate.apply.describe import by_hand
from kjpstate.model import Outcome, Restore, Run, RunInfo
from kjpstate.plan import Scene, build
from kjpstate.said import say
from tests.support.fake import FakeHost, kinds, resource
from tests.support.words import codes

KINDS = kinds("dns", "patch", "build", "deploy", "pm2_process")
RUN = RunInfo("abc123", "20261123T194500Z", "doc", "me@laptop")

SOURCE = [
    resource("dns", to="/r", text="x"),
    resource("patch.a", to="/p", text="new"),
    resource("build", to="/d", text="built", run=True, **{"from": "/p"}),
    resource("deploy", to="/e", from_="/d", run=True),
]


def box(**more):
    files = {"/r": b"old", "/p": b"old", "/d": b"old", "/e": b"old", **more}
    made = {
        ("make", "/d"): lambda files: files.update({"/d": b"built"}),
        ("make", "/e"): lambda files: files.update({"/e": files["/d"]}),
        ("undo", "/d"): lambda files: files.update({"/d": b"undone"}),
        ("undo", "/e"): lambda files: files.update({"/e": b"undone"}),
    }
    return FakeHost("box", files, made)


def scene_of(host, resources):
    wanted = Scene("doc", tuple(resources), {}, b"key", KINDS, {"box": ("/",)})
    readings = apply.readings_by_host(wanted)["box"]
    return replace(wanted, answers=asyncio.run(host.look(readings)))


def run(host, resources=SOURCE, before_begin=None):
    scene = scene_of(host, resources)
    plan = build(scene)
    if before_begin:
        before_begin(host)
    events = []
    report = asyncio.run(apply.run(plan, scene, {"box": host}, RUN, events.append))
    return plan, report, events


def test_everything_is_done_in_order_and_the_second_plan_is_empty():
    host = box()
    _, report, _ = run(host)
    assert [step.result for step in report.steps] == ["applied"] * 4
    assert report.exit_code == 0
    assert host.files["/e"] == b"built"
    assert host.locked_by == ""
    assert build(scene_of(host, SOURCE)).empty


def test_an_owed_step_shrinks_to_nothing():
    host = box(**{"/e": b"built"})
    _, report, _ = run(host)
    assert {step.address: step.result for step in report.steps}["deploy"] == "shrunk"


def test_a_failing_run_restores_its_unit_runs_its_undo_and_leaves_the_others():
    host = box()
    host.fail.add(("make", "/d"))
    _, report, _ = run(host)
    results = {step.address: step.result for step in report.steps}
    assert results == {
        "dns": "applied",
        "patch.a": "restored",
        "build": "restored",
        "deploy": "held",
    }
    assert report.exit_code == errors.RESTORED
    assert host.files["/p"] == b"old"
    assert host.files["/r"] == b"x"
    assert host.files["/d"] == b"undone"
    assert "no luck" in str(report.steps[2].reason)


def test_success_is_what_the_second_reading_says():
    host = box()
    host.commands[("make", "/d")] = lambda files: None
    _, report, _ = run(host)
    assert report.steps[2].result == "restored"
    assert codes(report.steps[2].reason)[0] == "apply.still-differs"


def test_a_restore_that_fails_is_exit_1_and_says_so():
    host = box()
    host.fail |= {("make", "/d"), ("undo", "/d")}
    _, report, _ = run(host)
    assert report.exit_code == errors.FAILED
    assert codes(report.steps[2].reason)[0] == "apply.failed-and-stands"


def test_what_a_restore_could_not_do_is_told_as_commands_for_a_human():
    host = box()
    host.fail |= {("make", "/d"), ("undo", "/d")}
    _, report, _ = run(host)
    assert report.commands == (("box", "undo /d"),)


def test_a_foreign_edit_made_meanwhile_stands_and_is_told():
    host = box()
    plain = host._do

    def doing(action):
        if isinstance(action, Run) and action.argv == ("make", "/d"):
            host.files["/p"] = b"theirs"
            return Outcome(action, "failed", exit_code=1)
        return plain(action)

    host._do = doing
    _, report, _ = run(host)
    assert host.files["/p"] == b"theirs" and host.files["/p.backup"] == b"old"
    assert report.exit_code == errors.FAILED
    assert report.commands == (("box", "cp -p /p.backup /p"),)


def test_a_link_lost_while_putting_back_tells_all_that_is_left_to_do():
    host = box()
    host.fail.add(("make", "/d"))
    host.cut_after = 4
    _, report, _ = run(host)
    assert report.exit_code == errors.FAILED
    assert report.commands == (
        ("box", "cp -p /d.backup /d"),
        ("box", "cp -p /p.backup /p"),
        ("box", "undo /d"),
    )


@pytest.mark.parametrize(
    ("action", "line"),
    [
        (Restore("box", "/a b", None), "rm -r '/a b'"),
        (Restore("box", "/a", "/a.backup.x$(y)"), "cp -p '/a.backup.x$(y)' /a"),
        (Restore("box", "/d/", "/d.backup.x"), "mv /d /d.broken && cp -a /d.backup.x /d"),
        (
            Run("box", ("systemctl", "restart", "systemd-resolved"), "w"),
            "systemctl restart systemd-resolved",
        ),
        (
            Run("box", ("/n/node", "/m/pm2", "reload", "a;b"), "w", typed=("pm2", "reload", "a;b")),
            "pm2 reload 'a;b'",
        ),
        (Run("box", ("npm", "ci"), "w", cwd="/my bot"), "cd '/my bot' && npm ci"),
    ],
)
def test_commands_for_a_human_can_be_typed_as_they_stand(action, line):
    assert by_hand(action) == line


def test_a_compared_fact_that_moved_is_a_stale_plan_and_nothing_is_done():
    host = box()
    with pytest.raises(errors.StalePlan, match=r"patch\.a"):
        run(host, before_begin=lambda host: host.files.update({"/p": b"theirs"}))
    assert host.journal == []
    assert host.locked_by == ""


def test_a_locked_host_is_left_alone():
    host = box()
    with pytest.raises(errors.Locked):
        run(host, before_begin=lambda host: setattr(host, "locked_by", "other"))
    assert host.journal == []
    assert host.locked_by == "other"


def test_a_refused_unit_is_not_touched_while_others_go_on():
    host = box(**{"/p": b"bad"})
    _, report, _ = run(host)
    results = {step.address: step.result for step in report.steps}
    assert results["dns"] == "applied"
    assert results["patch.a"] == "refused"
    assert report.exit_code == errors.REFUSED
    assert host.files["/p"] == b"bad"


@pytest.mark.parametrize("cut", range(6))
def test_a_lost_link_is_unknown_and_the_next_run_heals(cut):
    host = box()
    host.cut_after = cut
    _, report, _ = run(host)
    assert report.exit_code == errors.UNREACHABLE
    host.cut_after, host.down = None, False
    run(host)
    assert build(scene_of(host, SOURCE)).empty


def test_an_owed_step_may_not_grow():
    host = box()
    scene = scene_of(host, SOURCE)
    plan = build(scene)
    small = replace(
        plan, changes=tuple(replace(c, actions=()) if c.after else c for c in plan.changes)
    )
    report = asyncio.run(apply.run(small, scene, {"box": host}, RUN, lambda event: None))
    assert codes(report.steps[-1].reason) == ["apply.more-actions"]
    assert host.files["/e"] == b"old"


def test_a_command_is_named_as_a_person_would_type_it():
    typed = ("pm2", "delete", "bot")
    saved = Run("box", ("/n/node", "/m/pm2/bin/pm2", "delete", "bot"), "why", typed=typed)
    assert apply.describe(saved) == "pm2 delete bot"
    named = say("pm2.keeps-list", path="/root/.pm2/kept")
    assert apply.describe(Run("box", ("sh", "-c", "…", "sh", "node"), "", named=named)) == named
    assert apply.describe(Run("box", ("npm", "run", "build"), "why")) == "npm run build"
    assert (
        apply.describe(Run("box", ("sh", "-c", "umask 077; …", "sh"), "keeps PM2's list"))
        == "keeps PM2's list"
    )


async def interrupted(host, after, resources=SOURCE, times=1):
    """An apply that gets Ctrl-C while its action number `after` runs."""
    scene = scene_of_now(host, resources, await host.look(READINGS))
    plain = host._do

    def doing(action):
        if len(host.journal) == after:
            for number in range(times):
                task.get_loop().call_later(0.004 * number, task.cancel)
        return plain(action)

    async def act(actions, readings=(), sources=None):
        await asyncio.sleep(0)
        done = await type(host).act(host, actions, readings, sources)
        await asyncio.sleep(0.01)
        return done

    host._do, host.act = doing, act
    task = asyncio.ensure_future(
        apply.run(build(scene), scene, {"box": host}, RUN, lambda event: None)
    )
    return await task


READINGS = apply.readings_by_host(Scene("doc", tuple(SOURCE), {}, b"key", KINDS))["box"]


def scene_of_now(host, resources, answers):
    return Scene("doc", tuple(resources), answers, b"key", KINDS, {"box": ("/",)})


@pytest.mark.parametrize(
    ("after", "source"),
    [(0, b"old"), (1, b"old"), (2, b"old"), (3, b"old")],
)
def test_the_first_ctrl_c_lets_the_action_end_and_puts_a_half_done_unit_back(after, source):
    host = box()
    report = asyncio.run(interrupted(host, after))
    assert report.exit_code == errors.INTERRUPTED
    assert host.files["/r"] == b"x"
    assert host.files["/p"] == source
    assert host.locked_by == ""
    assert "applied" not in {step.result for step in report.steps[1:]}


def test_a_unit_that_was_done_stays_done_after_ctrl_c():
    host = box(**{"/r": b"x"})
    report = asyncio.run(interrupted(host, 2))
    results = {step.address: step.result for step in report.steps}
    assert results == {"patch.a": "restored", "build": "restored", "deploy": "not tried"}
    assert host.files["/p"] == b"old"


def test_the_second_ctrl_c_does_not_wait():
    host = box()

    async def twice():
        with pytest.raises(asyncio.CancelledError):
            await interrupted(host, 1, times=2)

    asyncio.run(twice())
    assert host.locked_by == ""
