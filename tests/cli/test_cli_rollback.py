"""`kjpstate rollback` as it is typed: what it shows, what it asks, what it
refuses, its exit codes."""

from __future__ import annotations

import sys

import pytest

from tests.support.commands import Desk, Terminal


def test_a_run_is_shown_asked_for_and_taken_back(boxes: Desk):
    conf = boxes.folder / "stb/etc/systemd/resolved.conf"
    before = conf.read_bytes()
    assert boxes.kjpstate("apply", "--yes").code == 0
    assert conf.read_bytes() != before
    shown = boxes.kjpstate("rollback", "--diff", "--yes")
    assert shown.code == 0, shown.err
    assert "~ rollback.stb  stb  run " in shown.out
    assert "/etc/systemd/resolved.conf   as it was, from resolved.conf.backup." in shown.out
    assert "/root/bot-kjp/ecosystem.config.js   removed: that run made it" in shown.out
    assert "PM2: bot-kjp as it was, its settings too" in shown.out
    assert "-DNS=8.8.8.8 1.1.1.1" in shown.out
    assert "was rolled back in " in shown.out.splitlines()[-1]
    assert conf.read_bytes() == before


def test_a_named_run_with_a_document_and_as_json(boxes: Desk):
    boxes.kjpstate("apply", "--yes")
    run = boxes.kjpstate("backups", "--json").json["backups"][0]["run"]
    value = boxes.kjpstate("rollback", run, "kjpstate.yaml", "--yes", "--json").json
    assert value["exit_code"] == 0
    assert value["run"]["why"] == f"rollback of {run}"
    assert {step["result"] for step in value["steps"]} == {"applied"}
    again = boxes.kjpstate("rollback", run, "--yes")
    assert again.code == 8
    assert "is rolled back already; nothing was done" in again.err


def test_it_asks_and_only_yes_is_a_yes(boxes: Desk, monkeypatch):
    boxes.kjpstate("apply", "--yes")
    conf = boxes.folder / "stb/etc/systemd/resolved.conf"
    text = conf.read_bytes()
    for answer, code in (("y\n", 1), ("yes\n", 0)):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        monkeypatch.setattr(sys, "stderr", terminal)
        assert boxes.kjpstate("rollback").code == code
        assert " back? Only yes, in full, is a yes: " in terminal.getvalue()
        assert (conf.read_bytes() == text) is (code == 1)


def test_what_was_changed_since_is_named_with_the_cure(boxes: Desk):
    boxes.kjpstate("apply", "--yes")
    conf = boxes.folder / "stb/etc/systemd/resolved.conf"
    conf.write_bytes(conf.read_bytes() + b"# mine\n")
    shown = boxes.kjpstate("rollback", "--yes")
    assert shown.code == 8
    assert "/etc/systemd/resolved.conf was changed after that run" in shown.out
    assert "kjpstate rollback --force" in shown.out
    assert conf.read_bytes().endswith(b"# mine\n")


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (("rollback", "--yes"), 64, "there is no run to roll back"),
        (("rollback", "abcdef", "--yes"), 64, "no run abcdef is noted"),
        (("rollback", "abcdef", "kjpstate.yaml"), 64, "can't ask here"),
        (("rollback", "xyz", "kjpstate.yaml", "--yes"), 64, "xyz is not the name of a run"),
        (("rollback", "--yes", "--json"), 64, "there is no run to roll back"),
        (("rollback", "--json"), 64, "can't ask here"),
        (("rollback", "gone.yaml", "--yes"), 64, "no such document: gone.yaml"),
    ],
)
def test_wrong_use_is_one_sentence(boxes: Desk, argv: tuple[str, ...], code: int, said: str):
    shown = boxes.kjpstate(*argv)
    assert (shown.code, said in shown.err) == (code, True), shown.err
    assert "Traceback" not in shown.err
