"""`drift` tells once, whatever its channels do to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kjpstate import reconcile
from kjpstate.document import load
from kjpstate.hosts import local, lock
from kjpstate.model import RunInfo
from kjpstate.words import languages
from tests.support.commands import Desk
from tests.support.demo_world import SMALL, simulated_hosts
from tests.support.webhook import hooked
from tests.support.words import said


def test_drift_tells_a_webhook_once_and_that_it_is_over(desk: Desk):
    with hooked() as hook:
        section = {
            "channels": [{"name": "hook", "webhook": hook.url}],
            "heartbeat": f"{hook.url}/beat",
        }
        desk.write(desk.document(f"notify: {json.dumps(section)}"))
        assert [desk.kjpstate("drift").code for _ in range(3)] == [2, 2, 2]
        assert desk.kjpstate("apply", "--yes").code == 0
        assert desk.kjpstate("drift").out == ""
        assert [body["notices"][0]["kind"] for body in hook.bodies] == ["drift", "resolved"]
        assert hook.bodies[0]["text"].startswith("little\ndrift: build: never built here")
        assert hook.gets == ["/beat"] * 4


@pytest.mark.parametrize("written", ["en", "id"])
def test_a_notice_is_in_the_documents_language_and_its_screen_in_the_readers(
    desk: Desk, with_noise: None, written: str
):
    read = {"en": "id", "id": "en"}[written]
    with hooked() as hook:
        channels = [
            {"name": "hook", "webhook": hook.url},
            {"name": "away", "webhook": "http://127.0.0.1:9/"},
        ]
        section = json.dumps({"channels": channels})
        desk.write(desk.document(f"lang: {written}", f"notify: {section}"))
        shown = desk.kjpstate("--lang", read, "drift")
        assert shown.code == 2 and len(hook.bodies) == 1
    languages.speak(os.environ, typed=written)
    begun, _, _ = said("notify.drift-why", subject="build", why="|").partition("|")
    assert hook.bodies[0]["text"].partition("\n")[2].startswith(begun)
    assert begun not in shown.out + shown.err
    languages.speak(os.environ, typed=read)
    begun, _, _ = said("notify.tried-again", channel="away", why="|").partition("|")
    assert begun in " ".join(shown.err.split())


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


def test_verbs_that_write_no_secret_do_without_the_ones_of_notify(desk: Desk):
    section = {
        "channels": [{"name": "hook", "webhook": "${env:NOT_SET}"}],
        "heartbeat": "${env:NOT_SET}",
    }
    desk.write(desk.document(f"notify: {json.dumps(section)}"))
    for verb in (("backups",), ("status",), ("history",), ("unlock", "pc")):
        assert desk.kjpstate(*verb).code == 0, verb
    assert "NOT_SET is not set" in " ".join(desk.kjpstate("drift").err.split())


def test_only_drift_tells(desk: Desk):
    with hooked() as hook:
        section = {"channels": [{"name": "hook", "webhook": hook.url}]}
        desk.write(desk.document(f"notify: {json.dumps(section)}"))
        desk.kjpstate("plan")
        desk.kjpstate("validate")
        assert hook.bodies == []


def test_nothing_is_said_of_a_host_that_is_worked_on_but_that_the_checker_lives(desk: Desk):
    with hooked() as hook:
        section = {
            "channels": [{"name": "hook", "webhook": hook.url}],
            "heartbeat": f"{hook.url}/beat",
        }
        desk.write(desk.document(f"notify: {json.dumps(section)}"))
        assert desk.kjpstate("drift").code == 2
        assert desk.kjpstate("apply", "--yes").code == 0
        held = lock.take(
            local.lock_places(), RunInfo("abcdef", "20260301T000000Z", "little", "sister"), "pc"
        )
        assert desk.kjpstate("drift").code == 4
        assert [body["notices"][0]["kind"] for body in hook.bodies] == ["drift"]
        assert hook.gets == ["/beat"] * 2
        held.release()
        assert desk.kjpstate("drift").code == 0
        assert [body["notices"][0]["kind"] for body in hook.bodies] == ["drift", "resolved"]


def test_what_is_accepted_is_told_as_that(desk: Desk):
    with hooked() as hook:
        section = f"notify: {json.dumps({'channels': [{'name': 'hook', 'webhook': hook.url}]})}"
        desk.write(desk.document(section))
        assert desk.kjpstate("drift").code == 2
        desk.write(
            desk.document(section, "accept: [{address: build, why: later, until: 9998-01-01}]")
        )
        assert [desk.kjpstate("drift").code for _ in range(2)] == [0, 0]
        assert [body["notices"][0]["kind"] for body in hook.bodies] == ["drift", "accepted"]
        assert hook.bodies[1]["text"] == "little\naccepted, so left as it is: build"


def test_a_guardrail_is_told_once_whatever_else_is_looked_at(desk: Desk):
    with hooked() as hook:
        (desk.folder / "lock.json").write_text('{"v": 2}')
        section = {"channels": [{"name": "hook", "webhook": hook.url}]}
        document = desk.document(f"notify: {json.dumps(section)}")
        pin = "unchanged: [{host: pc, file: lock.json, pointer: /v, value: '1'}]"
        document = document.replace("{pc: [dist/]}}", "{pc: [dist/]}, " + pin + "}")
        document = document.replace("{pc: {local: .}}", "{pc: {local: .}, far: {local: /nowhere}}")
        desk.write(document)
        assert desk.kjpstate("drift").code == 8
        desk.kjpstate("drift", "--limit", "far")
        desk.kjpstate("drift", "--here", "far")
        assert desk.kjpstate("drift").code == 8
        told = [notice["subject"] for body in hook.bodies for notice in body["notices"]]
        assert sorted(told) == ["build", "unchanged.v"]


def test_a_look_elsewhere_does_not_say_that_a_lost_host_is_back(boxes: Desk, monkeypatch):
    machines = simulated_hosts(load(str(boxes.folder / "kjpstate.yaml"), environ={}), boxes.folder)
    monkeypatch.setattr(reconcile, "open_hosts", lambda document, **_: machines)
    with hooked() as hook:
        section = {"channels": [{"name": "hook", "webhook": hook.url}], "unreachable_after": 1}
        boxes.write(f"{SMALL}notify: {json.dumps(section)}\n")
        assert boxes.kjpstate("apply", "--yes").code == 0
        machines["stb"].reachable = False
        assert boxes.kjpstate("drift").code == 3
        for elsewhere in (("--only", "build"), ("--limit", "pc"), ("--here", "pc")):
            assert boxes.kjpstate("drift", *elsewhere).code == 0
        assert [notice["kind"] for body in hook.bodies for notice in body["notices"]] == [
            "unreachable"
        ]
        machines["stb"].reachable = True
        assert boxes.kjpstate("drift", "--only", "dns").code == 0
        assert hook.bodies[-1]["text"] == "bot-kjp\nreached again: stb"


def test_what_can_be_half_seen_is_not_over(boxes: Desk, monkeypatch):
    """A deploy whose source can't be seen is held against its stamp alone: that it fits says too
    little."""
    machines = simulated_hosts(load(str(boxes.folder / "kjpstate.yaml"), environ={}), boxes.folder)
    monkeypatch.setattr(reconcile, "open_hosts", lambda document, **_: machines)
    with hooked() as hook:
        section = {"channels": [{"name": "hook", "webhook": hook.url}]}
        boxes.write(f"{SMALL}notify: {json.dumps(section)}\n")
        assert boxes.kjpstate("apply", "--yes").code == 0
        built = machines["pc"].real(f"{boxes.folder}/pc/dist/index.js")
        before = built.read_bytes()
        built.write_bytes(before + b"// more")
        assert boxes.kjpstate("drift").code == 2
        machines["pc"].reachable = False
        assert [boxes.kjpstate("drift").code for _ in range(2)] == [3, 3]
        machines["pc"].reachable = True
        assert boxes.kjpstate("drift").code == 2
        told = [
            sorted((note["kind"], note["subject"]) for note in body["notices"])
            for body in hook.bodies
        ]
        assert told == [[("drift", "build"), ("drift", "deploy"), ("drift", "pm2_process.bot-kjp")]]
        built.write_bytes(before)
        assert boxes.kjpstate("drift").code == 0
        assert {note["kind"] for note in hook.bodies[-1]["notices"]} == {"resolved"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("argv", [(), ("--json",)])
def test_it_tells_when_no_output_can_be_written(desk: Desk, argv: tuple[str, ...]):
    """The full disk may be what the bot died of."""
    with hooked() as hook:
        section = {"channels": [{"name": "hook", "webhook": hook.url}]}
        desk.write(desk.document(f"notify: {json.dumps(section)}"))
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "kjpstate", "drift", *argv],
                stdout=full,
                stderr=full,
                check=False,
            )
        assert done.returncode == 1
        assert [body["notices"][0]["kind"] for body in hook.bodies] == ["drift"]
