"""accept: what is left as it is and until when, and what can't be accepted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kjpstate.acceptance import in_force, of_drift, unsilenced
from kjpstate.model import Acceptance, Advice, AdviceAt, Difference, Drift, Plan, State
from kjpstate.plan import Scene, build
from kjpstate.reconcile import exit_code
from kjpstate.render.as_json import plan_json
from kjpstate.render.drifts import drift_lines
from kjpstate.render.lines import text_of
from kjpstate.render.masks import mask_for
from kjpstate.render.plans import Head, count, plan_lines
from kjpstate.said import say
from tests.support.fake import HERE, files, kinds, resource

KINDS = kinds("dns", "patch", "build")
OPEN = mask_for(())
LIVED_WITH = Acceptance("dns", "", "the landlord's router", "2027-01-31", HERE)


def plan(*accepted: Acceptance, today: str = "2027-01-31", resources=None, answers=None) -> Plan:
    resources = resources or [
        resource("dns", to="/r", text="x"),
        resource("patch.a", to="/p", text="x"),
    ]
    answers = answers or [("box", "/r", b"y"), ("box", "/p", b"x")]
    scene = Scene("doc", tuple(resources), files(answers), b"key", KINDS, {"box": ("/",)})
    return build(replace(scene, accepted=accepted, today=today))


def test_what_is_accepted_is_no_change_and_is_told_by_plan_alone():
    found = plan(LIVED_WITH)
    assert found.empty
    assert exit_code(found) == 0
    assert drift_lines(found, OPEN) == ()
    assert count(found) == "In sync, but for 1 accepted difference."
    shown = text_of(plan_lines(found, Head(), OPEN))
    assert "Accepted until 2027-01-31, left as it is: dns on box: the landlord's router" in shown
    assert plan_json(found, OPEN, exit_code=0)["accepted"] == [
        {"address": "dns", "host": "box", "until": "2027-01-31", "why": "the landlord's router"}
        | {"file": "doc.yaml", "line": 1}
    ]


def test_the_day_after_its_last_it_is_drift_again_and_says_so():
    found = plan(LIVED_WITH, today="2027-02-01")
    assert exit_code(found) == 2
    assert found.accepted == ()
    said = "was accepted until 2027-01-31: the landlord's router"
    assert said in text_of(drift_lines(found, OPEN))
    assert said in text_of(plan_lines(found, Head(), OPEN))
    ended = plan_json(found, OPEN, exit_code=2)["resource_changes"][0]["acceptance_ended"]
    assert ended["until"] == "2027-01-31"


def test_a_refusal_that_is_accepted_holds_nobody():
    resources = [resource("patch.a", to="/p", text="x"), resource("build", to="/d", text="y")]
    answers = [("box", "/p", b"bad"), ("box", "/d", b"n")]
    held = plan(resources=resources, answers=answers)
    assert [change.held for change in held.changes] == ["", "patch.a"]
    found = plan(replace(LIVED_WITH, address="patch"), resources=resources, answers=answers)
    assert [(change.resource.address, change.held) for change in found.changes] == [("build", "")]
    assert exit_code(found) == 2


@pytest.mark.parametrize(
    ("address", "covered"),
    [("pm2_process", True), ("pm2_process.bot", True), ("pm2_process.bo", False), ("dns", False)],
)
def test_an_address_covers_what_it_names_and_below(address: str, covered: bool):
    drift = Drift(resource("pm2_process.bot"), State({}), State({}), (Difference(("env",), 1, 2),))
    assert (of_drift(drift, [replace(LIVED_WITH, address=address)]) is not None) is covered


def test_a_dead_bot_is_never_accepted():
    drift = Drift(
        resource("pm2_process.bot"), State({}), State({}), (Difference(("alive",), False, True),)
    )
    assert of_drift(drift, [replace(LIVED_WITH, address="pm2_process")]) is None


def test_of_several_the_longest_counts():
    later = replace(LIVED_WITH, until="2028-01-01")
    drift = Drift(resource("dns"), State({}), State({}), (Difference(("text",), 1, 2),))
    assert of_drift(drift, [later, LIVED_WITH]) is later
    assert in_force(replace(LIVED_WITH, until=""), "9999-01-01")


def test_advice_is_silent_until_its_last_day():
    given = [
        AdviceAt(Advice(rule, "never asked."), "dns", HERE) for rule in ("fallback-dns", "pm2-boot")
    ]
    silenced = Acceptance("", "fallback-dns", "kept", "2027-01-31", HERE)
    assert list(unsilenced(given, [silenced], "2027-01-31")) == given[1:]
    assert list(unsilenced(given, [replace(silenced, until="")], "2999-01-01")) == given[1:]
    again = next(iter(unsilenced(given, [silenced], "2027-02-01")))
    lapsed = say("advice.lapsed", reason="never asked.", until="2027-01-31", why="kept")
    assert again.advice.reason == lapsed
