"""`plan --out`, `apply FILE`, `show FILE` as they are typed, on the simulated machines."""

from __future__ import annotations

import json
import os
import stat
import time

import pytest

from kjpstate import errors
from kjpstate.cli import saving
from kjpstate.formats.times import utc_minute
from kjpstate.hosts.simulated import SimulatedHost
from tests.support.commands import Desk
from tests.support.demo_world import owners_document
from tests.support.words import said

CONF = "stb/etc/systemd/resolved.conf"


def save(boxes: Desk, *more: str) -> None:
    shown = boxes.kjpstate("plan", "--out", "bot.plan", *more)
    assert shown.code == 0, shown.err
    until = utc_minute(json.loads((boxes.folder / "bot.plan").read_text("utf-8"))["expires"])
    assert shown.err == said("cli.saved", file="bot.plan", until=until) + "\n"
    assert said("plan.next", command="kjpstate apply bot.plan") + "\n" in shown.out


def changes(value) -> list[dict]:
    return [
        {"address": item["address"], "actions": item["change"]["actions"], "steps": item["steps"]}
        for item in value["resource_changes"]
    ]


def test_what_was_shown_is_done_without_asking_and_once(boxes: Desk):
    save(boxes)
    if os.name == "posix":
        assert stat.S_IMODE((boxes.folder / "bot.plan").stat().st_mode) == 0o600
    shown = boxes.kjpstate("apply", "bot.plan")
    assert shown.code == 0, shown.err
    assert said("report.in-sync") in shown.out
    again = boxes.kjpstate("apply", "bot.plan")
    assert again.code == 5
    assert "bot.plan was used already by run " in again.err and "a plan is used once" in again.err
    assert "   used by run " in boxes.kjpstate("show", "bot.plan").out.splitlines()[0]


def test_show_lists_what_plan_showed_and_apply_does(boxes: Desk):
    planned = boxes.kjpstate("plan", "--out", "bot.plan", "--json").json
    shown = boxes.kjpstate("show", "bot.plan", "--json").json
    assert changes(shown) == changes(planned)
    assert shown["change_summary"] == planned["change_summary"]
    assert shown["saved"]["use"].startswith("good until ")
    report = boxes.kjpstate("apply", "bot.plan", "--json").json
    assert changes(report["plan"]) == changes(shown)
    assert [step["address"] for step in report["steps"]] == [
        item["address"] for item in changes(shown)
    ]
    for step, change in zip(report["steps"], changes(shown), strict=True):
        planned_steps = {_footprint(item) for item in change["steps"]}
        done = {_footprint(item) for item in step["steps"] if item["do"] not in ("backup", "stamp")}
        assert done <= planned_steps, step["address"]


def _footprint(step) -> tuple:
    return (
        step["do"],
        step["host"],
        step.get("path", ""),
        tuple(step.get("argv", ())),
        step.get("name", ""),
    )


def test_show_has_the_screen_of_the_plan_and_touches_no_host(boxes: Desk, monkeypatch):
    _conf(boxes)
    planned = boxes.kjpstate("plan", "--out", "bot.plan", "--diff").out
    monkeypatch.setattr("kjpstate.reconcile.open_hosts", None)
    shown = boxes.kjpstate("show", "bot.plan", "--diff").out
    for line in planned.splitlines():
        if line.startswith(("+", "  +", "  ~", "-/+", "Kept first", "kjpstate writes", "Plan:")):
            assert line in shown, line
    assert "-(1 row of the old file, not kept)" in shown
    assert shown.endswith(planned.splitlines()[-1] + "\n")


def test_nothing_old_is_in_the_file(boxes: Desk):
    conf = boxes.folder / CONF
    conf.write_text(
        "# planted-comment\n[Resolve]\nDNS=203.0.113.77\n#FallbackDNS=planted-fallback\n"
    )
    (boxes.folder / "stb/root/bot-kjp/ecosystem.config.js").write_text(
        "module.exports = {apps: [{name: 'bot-kjp', env: {KEY: 'planted-value'}}]}\n"
    )
    save(boxes, "--diff")
    text = (boxes.folder / "bot.plan").read_text()
    for planted in ("planted", "203.0.113.77"):
        assert planted not in text
    shown = boxes.kjpstate("show", "bot.plan", "--diff").out
    assert "(not kept) -> 8.8.8.8 1.1.1.1" in shown and "planted" not in shown


# ---- stale: one fact of each kind moved between the saving and the apply


def _conf(boxes: Desk) -> None:
    (boxes.folder / CONF).write_text("[Resolve]\nDNS=9.9.9.9\n")


def _conf_comment(boxes: Desk) -> None:
    with (boxes.folder / CONF).open("a") as file:
        file.write("# a comment: no value moves, the bytes do\n")


def _source(boxes: Desk) -> None:
    (boxes.folder / "pc/src/pesan.ts").write_text("export const other = 1;\n")


def _deployed(boxes: Desk) -> None:
    (boxes.folder / "stb/root/bot-kjp/dist/wa.js").write_text("by hand")


def _ecosystem(boxes: Desk) -> None:
    (boxes.folder / "stb/root/bot-kjp/ecosystem.config.js").write_text(
        "module.exports = {apps: []}\n"
    )


def _setting(boxes: Desk) -> None:
    file = boxes.folder / ".boxes/stb/box.json"
    value = json.loads(file.read_text())
    app = next(app for app in value["pm2"]["apps"] if app["name"] == "bot-kjp")
    app["fields"]["exp_backoff_restart_delay"] = 77
    file.write_text(json.dumps(value))


def _document(boxes: Desk) -> None:
    boxes.write((boxes.folder / "kjpstate.yaml").read_text() + "# a comment\n")


def _patched(boxes: Desk) -> None:
    with (boxes.folder / "pc/src/wa.ts").open("a", newline="") as file:
        file.write("// a line of somebody else\n")


def _pin(boxes: Desk) -> None:
    file = boxes.folder / "pc/package-lock.json"
    file.write_text(file.read_text().replace("7.0.0-rc.9", "7.0.0-rc.10"))


MOVES = {
    "a file to be patched": (_patched, "patch.reconnect-backoff ("),
    "a pin": (_pin, "unchanged.baileys (value"),
    "a value": (_conf, "dns (file.servers, the bytes of /etc/systemd/resolved.conf)"),
    "bytes": (_conf_comment, "dns (the bytes of /etc/systemd/resolved.conf)"),
    "an input": (_source, "build ("),
    "a deployed file": (_deployed, "deploy (files.wa.js)"),
    "a file that was not there": (_ecosystem, "pm2_ecosystem ("),
    "a setting of a process": (
        _setting,
        "pm2_process.bot-kjp (settings.exp_backoff_restart_delay)",
    ),
    "the document": (_document, "kjpstate.yaml was edited after the plan was saved"),
}


@pytest.mark.parametrize("name", MOVES)
def test_one_thing_that_moved_is_named_and_nothing_is_done(boxes: Desk, name: str):
    move, said = MOVES[name]
    if move in (_patched, _pin):
        boxes.write(owners_document())
    if move is _deployed:  # what an earlier deploy put there is known, and compared
        boxes.kjpstate("apply", "--yes")
        _source(boxes)
    save(boxes)
    move(boxes)
    before = boxes.kjpstate("plan", "--json").json
    shown = boxes.kjpstate("apply", "bot.plan")
    assert shown.code == errors.STALE, shown.out + shown.err
    why = " ".join(shown.err.split())
    assert said in why and "nothing was done" in why
    assert changes(boxes.kjpstate("plan", "--json").json) == changes(before)
    assert "good until" in boxes.kjpstate("show", "bot.plan").out, "it was not used"


def test_another_machine_under_the_same_name_is_stale(boxes: Desk, monkeypatch):
    save(boxes)
    monkeypatch.setattr(SimulatedHost, "identity", property(lambda host: "SHA256:other"))
    shown = boxes.kjpstate("apply", "bot.plan")
    assert shown.code == 5
    why = " ".join(shown.err.split())
    assert "stb is another machine, or has another host key, than when the plan was saved" in why


def test_the_scope_is_saved_with_it(boxes: Desk, monkeypatch):
    monkeypatch.setattr(
        "kjpstate.cli.apply._PATIENCE", 0.0
    )  # the bot is not deployed: its checks fail
    save(boxes, "--only", "dns")
    report = boxes.kjpstate("apply", "bot.plan", "--json").json
    assert [step["address"] for step in report["steps"]] == ["dns"]
    shown = boxes.kjpstate("show", "bot.plan")
    assert "kjpstate.yaml --only dns" in " ".join(shown.out.split())
    assert boxes.kjpstate("apply", "bot.plan", "--only", "dns").code == 64


def test_a_plan_that_is_over_and_a_clock_that_went_back(boxes: Desk, monkeypatch):
    save(boxes, "--expires", "30m")
    now = time.time()
    monkeypatch.setattr(saving.time, "time", lambda: now + 1801)
    shown = boxes.kjpstate("apply", "bot.plan")
    assert shown.code == 5 and "bot.plan is over: it was good until " in shown.err
    monkeypatch.setattr(saving.time, "time", lambda: now - 3600)
    shown = boxes.kjpstate("apply", "bot.plan")
    assert shown.code == 5 and "still to come" in shown.err


def test_a_run_that_was_cut_has_used_the_plan(boxes: Desk, monkeypatch):
    save(boxes)

    async def cut(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("kjpstate.reconcile.apply", cut)
        assert boxes.kjpstate("apply", "bot.plan").code == 130
    shown = boxes.kjpstate("apply", "bot.plan")
    assert shown.code == 5
    assert "whether that run came to its end or not" in " ".join(shown.err.split())


def test_a_lock_that_is_held_does_not_use_it_up(boxes: Desk, monkeypatch):
    save(boxes)

    async def locked(*_, **__):
        raise errors.Locked("stb is locked by somebody")

    with monkeypatch.context() as patch:
        patch.setattr("kjpstate.reconcile.apply", locked)
        assert boxes.kjpstate("apply", "bot.plan").code == 4
    assert boxes.kjpstate("apply", "bot.plan").code == 0


def test_another_controller_says_so(boxes: Desk, monkeypatch, tmp_path):
    save(boxes)
    monkeypatch.setenv("KJPSTATE_STATE", str(tmp_path / "another"))
    for verb in ("apply", "show"):
        shown = boxes.kjpstate(verb, "bot.plan")
        assert shown.code == 65
        assert "bot.plan was saved on another controller" in shown.err


def _edited(text: bytes) -> bytes:
    return text.replace(b'"8.8.8.8"', b'"6.6.6.6"')


DAMAGES = {
    "edited": (_edited, "is not as it was saved"),
    "cut": (lambda text: text[: len(text) // 2], "is cut off or damaged"),
    "without its end": (
        lambda text: text[: text.rindex(b',\n "seal"')] + b"}\n",
        "its end is missing",
    ),
    "longer": (lambda text: text + b"x", "is cut off or damaged"),
    "a later format": (
        lambda text: text.replace(b'"kjpstate_plan": 1', b'"kjpstate_plan": 2'),
        "format 2",
    ),
    "another life": (
        lambda text: text.replace(b'"expires": 1', b'"expires": 9'),
        "is not as it was saved",
    ),
    "empty": (lambda text: b"", "no saved plan"),
    "not JSON": (lambda text: b"\x00\xff" * 99, "no saved plan"),
    "a list": (lambda text: b'["kjpstate_plan"]', "is no saved plan"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_file_that_is_not_as_it_was_saved_is_one_sentence(boxes: Desk, name: str):
    damage, said = DAMAGES[name]
    save(boxes)
    file = boxes.folder / "bot.plan"
    file.write_bytes(damage(file.read_bytes()))
    for verb in ("apply", "show"):
        shown = boxes.kjpstate(verb, "bot.plan")
        assert (shown.code, said in shown.err) == (65, True), shown.err
        assert shown.out == ""


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("plan", "--out", "kjpstate.yaml"), "is there already and is no saved plan"),
        (("plan", "--out", "pc"), "is a folder"),
        (
            ("plan", "--out", "x.plan", "--expires", "soon"),
            "expected a time such as 30m, 24h or 7d",
        ),
        (("show", "gone.plan"), "gone.plan"),
        (("apply", "gone.plan", "--yes"), "no such document: gone.plan"),
    ],
)
def test_wrong_use(boxes: Desk, argv: tuple[str, ...], said: str):
    shown = boxes.kjpstate(*argv)
    assert (shown.code, said in shown.err) == (64, True), shown.err


class _Cut(SimulatedHost):
    """The link to the box is lost in the middle of its work."""

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.cut_after = 12 if self.name == "stb" else None


def test_a_run_that_was_cut_leaves_nothing_to_save_and_makes_a_saved_plan_stale(
    boxes: Desk, monkeypatch
):
    save(boxes)
    with monkeypatch.context() as patch:
        patch.setattr("tests.support.demo_world.SimulatedHost", _Cut)
        assert boxes.kjpstate("apply", "--yes").code == 3
    shown = boxes.kjpstate("plan", "--out", "other.plan")
    assert shown.code == 8
    assert "on stb was cut off; a plan of what it left is not saved" in " ".join(shown.err.split())
    assert not (boxes.folder / "other.plan").exists()
    shown = boxes.kjpstate("apply", "bot.plan")
    assert shown.code == 5
    assert boxes.kjpstate("apply", "--yes").code == 0
