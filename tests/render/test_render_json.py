"""The JSON of a plan and a report: Terraform's names, our own beside them."""

from __future__ import annotations

import json

from kjpstate import __version__
from kjpstate.errors import DocumentError, Problem
from kjpstate.model import UNKNOWN, Plan
from kjpstate.render.as_json import error_json, plan_json, report_json, verify_json
from kjpstate.render.masks import mask_for
from tests.support.screens import RESOLVED, change, owner_plan, owner_report, refused_plan

MASK = mask_for(())


def test_a_plan():
    value = json.loads(json.dumps(plan_json(owner_plan(), MASK, exit_code=2)))
    assert value["format_version"] == "1.0"
    assert value["kjpstate_version"] == __version__
    assert value["exit_code"] == 2
    assert value["applyable"] is True
    assert value["change_summary"] == {
        "add": 1, "change": 4, "replace": 1, "remove": 0, "refused": 0, "held": 0,
    }  # fmt: skip
    first = value["resource_changes"][0]
    assert {key: first[key] for key in ("address", "type", "host", "line")} == {
        "address": "dns", "type": "dns", "host": "stb", "line": 10,
    }  # fmt: skip
    assert first["change"]["actions"] == ["update"]
    assert first["change"]["before"]["DNS"] is None
    assert first["change"]["after"]["DNS"] == ["8.8.8.8", "1.1.1.1"]
    assert first["steps"][0] == {"do": "write_file", "host": "stb", "path": RESOLVED}
    assert value["resource_changes"][5]["change"]["actions"] == ["delete", "create"]
    assert value["advice"][0]["severity"] == "breaks"


def test_what_is_known_later_and_what_is_hidden():
    plan = Plan(
        "d",
        (
            change(
                "build", "pc", "~", "", before={"a": "(hidden) 11"}, after={"a": UNKNOWN, "b": 1}
            ),
        ),
    )
    found = plan_json(plan, MASK, exit_code=2)["resource_changes"][0]["change"]
    assert found["after"] == {"a": None, "b": 1}
    assert found["after_unknown"] == {"a": True}
    assert found["before_sensitive"] == {"a": True}
    assert found["after_sensitive"] == {}


def test_refused_held_and_unreachable():
    value = plan_json(refused_plan(), MASK, exit_code=8)
    assert value["applyable"] is False
    assert value["refused"][0]["rule"] == "anchor-missing"
    assert value["refused"][0]["line"] == 74
    assert value["resource_changes"][0]["change"]["actions"] == ["no-op"]
    assert value["resource_changes"][1]["held_by"] == "patch.reconnect-backoff"
    assert value["unreachable"][0]["host"] == "stb[10.0.0.2]"


def test_a_report():
    plan = owner_plan()
    value = json.loads(json.dumps(report_json(owner_report(plan), plan, MASK, exit_code=6)))
    assert value["run"]["id"] == "a1b2c3"
    assert value["steps"][0] == {"address": "dns", "result": "applied", "reason": "", "steps": []}
    assert [check["result"] for check in value["checks"]] == ["passed", "failed", "manual"]
    assert value["backups"][0]["path"] == RESOLVED
    assert value["second_plan"]["change_summary"]["add"] == 1


def test_checks_and_errors():
    checks = owner_report(owner_plan()).checks
    assert verify_json("d", checks, MASK, 6)["checks"][2]["result"] == "manual"
    error = error_json(DocumentError([Problem("a.yaml", 3, 5, "no such key")]), MASK)
    assert error["exit_code"] == 65
    assert error["error"]["problems"] == [
        {"file": "a.yaml", "line": 3, "column": 5, "reason": "no such key"}
    ]
