"""`drift` tells once, whatever its channels do to it."""

from __future__ import annotations

import json

from tests.support.commands import Desk
from tests.support.webhook import hooked


def test_drift_tells_a_webhook_once_and_that_it_is_over(desk: Desk):
    with hooked() as hook:
        section = {"channels": [{"name": "hook", "webhook": hook.url}], "heartbeat": f"{hook.url}/beat"}
        desk.write(desk.document(f"notify: {json.dumps(section)}"))
        assert [desk.kjpstate("drift").code for _ in range(3)] == [2, 2, 2]
        assert desk.kjpstate("apply", "--yes").code == 0
        assert desk.kjpstate("drift").out == ""
        assert [body["notices"][0]["kind"] for body in hook.bodies] == ["drift", "resolved"]
        assert hook.bodies[0]["text"].startswith("little\ndrift: build: never built here")
        assert hook.gets == ["/beat"] * 4


def test_a_channel_that_fails_changes_no_exit_code_and_shows_no_secret(desk: Desk, monkeypatch):
    monkeypatch.setenv("HOOK", "http://127.0.0.1:9/hunter2-hunter2")
    monkeypatch.setattr("kjpstate.notify.telling._PAUSE", 0.0)
    section = {"channels": [{"name": "hook", "webhook": "${env:HOOK}"}], "heartbeat": "${env:HOOK}"}
    desk.write(desk.document(f"notify: {json.dumps(section)}"))
    shown = desk.kjpstate("drift")
    assert shown.code == 2
    assert "notify: hook was not told: Connection refused; tried again at the next run" in shown.err
    assert "notify: the heartbeat was not taken: Connection refused" in shown.err
    assert "hunter2" not in shown.out + shown.err


def test_only_drift_tells(desk: Desk):
    with hooked() as hook:
        section = {"channels": [{"name": "hook", "webhook": hook.url}]}
        desk.write(desk.document(f"notify: {json.dumps(section)}"))
        desk.kjpstate("plan")
        desk.kjpstate("validate")
        assert hook.bodies == []
