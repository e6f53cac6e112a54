"""`--here` on the command line: this machine in the place of a host that others reach over SSH."""

from __future__ import annotations

import getpass
import json
import sys
from pathlib import Path

import pytest

from tests.support.commands import BUILD, Desk


@pytest.fixture(name="box")
def box_fixture(desk: Desk) -> Desk:
    """The small build on `box`, and another host that nobody can reach."""
    folder = desk.folder.as_posix()
    argv = json.dumps([sys.executable, "-c", BUILD])
    desk.write(
        "kjpstate: 1\n"
        "name: little\n"
        f"hosts: {{box: {{ssh: {getpass.getuser()}@192.0.2.7}}, far: {{ssh: root@192.0.2.8}}}}\n"
        f"guardrails: {{may_change: {{box: [{folder}/dist/]}}}}\n"
        f"build: {{host: box, directory: {folder}, inputs: [src/], outputs: [dist/], run: {argv}}}\n"
        "dns: {host: far, servers: [8.8.8.8]}\n"
        "checks:\n"
        f"  - {{name: AC1, file: {{host: box, path: {folder}/dist/a.js, contains: [hello]}}}}\n"
        "  - {name: AC2, dns: {host: far, resolves: [example.org]}}\n"
    )
    return desk


def test_a_whole_life_without_any_network(box: Desk):
    plan = box.kjpstate("plan", "--here", "box", "--detailed-exitcode")
    assert plan.code == 2, plan.err
    assert plan.out.splitlines()[0].startswith("little   box (this machine)   looked in ")
    assert "Not looked at from here: far: dns\n" in plan.out
    assert "Next: kjpstate apply --here box\n" in plan.out
    applied = box.kjpstate("apply", "--here", "box", "--yes")
    assert applied.code == 0
    assert "AC1" in applied.out and "AC2" not in applied.out
    assert (box.folder / "dist/a.js").exists()
    drift = box.kjpstate("drift", "--here", "box")
    assert (drift.code, drift.out, drift.err) == (0, "", "")
    told = box.kjpstate("drift", "--here", "box", "--json").json
    assert told["not_looked_at"] == [{"address": "dns", "host": "far"}]
    assert box.kjpstate("verify", "--here", "box").code == 0
    assert box.kjpstate("backups", "--here", "box").code == 0
    assert "box is not locked" in box.kjpstate("unlock", "box", "--here", "box").out
    assert "it has no patches" in box.kjpstate("patch", "keep", "patch.x", "--here", "box").err
    told = box.kjpstate("history", "--here", "box", "--json")
    assert (told.code, told.err) == (0, "")
    runs = box.kjpstate("history", "--json").json["runs"]
    assert {run["scope"] for run in runs} == {"--here box"}
    assert {tuple(run["hosts"]) for run in runs} == {("box",)}
    (box.folder / "dist/a.js").write_text("by hand\n", "utf-8")
    assert box.kjpstate("drift", "--here", "box").code == 2


def test_what_is_elsewhere_can_not_be_asked_for(box: Desk):
    shown = box.kjpstate("plan", "--here", "box", "--only", "dns")
    assert shown.code == 64
    assert "it stands on far, which can't be seen from here" in shown.err
    assert box.kjpstate("plan", "--here", "nowhere").code == 64


def test_another_user_is_refused_with_the_rule(box: Desk):
    text = Path("kjpstate.yaml").read_text("utf-8")
    box.write(text.replace(f"{getpass.getuser()}@192.0.2.7", "nobody-like-me@192.0.2.7"))
    shown = box.kjpstate("drift", "--here", "box")
    assert shown.code == 8
    assert "[here-other-user]" in shown.err
