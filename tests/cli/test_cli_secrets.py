"""Secrets of a document over the whole command line, on the simulated machines:
nowhere to be read."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kjpstate import reconcile
from kjpstate.hosts.simulated import SimulatedHost, seed_demo
from tests.support.commands import Desk, Shown
from tests.support.demo_world import SMALL

PLANTED = ("s3cr3t/first+value", "wh1sper in a file")
CHANGED = "s3cr3t/second+value"
WITH_SECRETS = SMALL.replace(
    "      cwd: /root/bot-kjp\n",
    "      cwd: /root/bot-kjp\n"
    '      env: {NODE_ENV: production, API_KEY: "${env:BOT_KEY}", TOKEN: "${file:token}"}\n',
)
MAY_HOLD = ("ecosystem.config.js", "dump.pm2", "box.json")
"""What must hold the values on a box: the ecosystem file, PM2's list, and the model's own memory.
"""


@pytest.fixture
def boxes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    seed_demo(desk.folder)
    (desk.folder / "token").write_text(f"{PLANTED[1]}\n")
    (desk.folder / "token").chmod(0o600)
    monkeypatch.setenv("BOT_KEY", PLANTED[0])
    desk.write(WITH_SECRETS)

    def simulated(document, *, state_folder):
        allowed = reconcile.may_change(document)
        return {
            name: SimulatedHost(name, desk.folder, may_change=allowed.get(name, ()))
            for name in document.hosts
        }

    monkeypatch.setattr(reconcile, "open_hosts", simulated)
    return desk


def clean(shown: Shown) -> Shown:
    for secret in (*PLANTED, CHANGED):
        assert secret not in shown.out + shown.err
    return shown


def test_planted_secrets_are_in_no_output_and_a_change_is_shown(boxes, monkeypatch, own_home):
    for argv in (("validate",), ("plan",), ("plan", "--diff"), ("plan", "--json"), ("drift",)):
        assert clean(boxes.kjpstate(*argv)).code in (0, 2), argv
    assert clean(boxes.kjpstate("apply", "--yes")).code == 0
    ecosystem = next(boxes.folder.rglob("ecosystem.config.js")).read_text("utf-8")
    assert PLANTED[0] in ecosystem and PLANTED[1] in ecosystem
    assert clean(boxes.kjpstate("drift")).code == 0
    monkeypatch.setenv("BOT_KEY", CHANGED)
    shown = clean(boxes.kjpstate("plan"))
    assert "env.API_KEY changes" in shown.out
    for argv in (("plan", "--json"), ("plan", "--diff"), ("drift", "--json")):
        assert "API_KEY" in clean(boxes.kjpstate(*argv)).out, argv
    for argv in (
        ("apply", "--yes", "--json"),
        ("backups",),
        ("backups", "--json"),
        ("verify", "--json"),
    ):
        assert clean(boxes.kjpstate(*argv)).code == 0, argv
    clean(boxes.kjpstate("explain", "pm2"))
    for argv in (("pm2",), ("pm2", "--json")):
        assert "env.API_KEY" in clean(boxes.kjpstate(*argv)).out, argv
    held = [
        path for folder in (boxes.folder, own_home) for path in folder.rglob("*") if path.is_file()
    ]
    telling = [path for path in held if path.name != "token" and _holds(path)]
    assert telling and all(_may_hold(path) for path in telling), telling


def _holds(path: Path) -> bool:
    content = path.read_bytes()
    return any(secret.encode() in content for secret in (*PLANTED, CHANGED))


def _may_hold(path: Path) -> bool:
    return any(word in str(path) for word in MAY_HOLD)


def test_a_crash_report_holds_no_secret(boxes, monkeypatch, own_home):
    async def crash(*_, **__):
        raise RuntimeError(f"value {PLANTED[0]!r} of the environment, and {PLANTED[1]}")

    monkeypatch.setattr(reconcile, "plan", crash)
    shown = clean(boxes.kjpstate("plan"))
    assert shown.code == 1
    (report,) = own_home.rglob("crash-*.txt")
    assert not _holds(report) and "RuntimeError" in report.read_text("utf-8")


def test_a_dead_bot_is_said_first(boxes):
    """In drift and in verify, before what comes first in the order of work."""
    assert boxes.kjpstate("apply", "--yes").code == 0
    stb = SimulatedHost("stb", boxes.folder)
    assert stb.type("pm2", "stop", "bot-kjp").exit_code == 0
    asyncio.run(stb.close())
    resolved = next(path for path in boxes.folder.rglob("resolved.conf") if "stb" in path.parts)
    resolved.write_text("[Resolve]\nDNS=9.9.9.9\n")
    boxes.write(
        WITH_SECRETS.replace(
            "  - name: alive\n", "  - {name: by hand, manual: look}\n  - name: alive\n"
        )
    )
    rows = boxes.kjpstate("drift").out.splitlines()
    assert rows[0].startswith("! DEAD bot-kjp  stb  stopped; ") and "dns" in rows[1]
    checks = boxes.kjpstate("verify").out.splitlines()
    assert "alive" in checks[1] and "stopped" in checks[1]


def test_a_saved_plan_has_holes_and_is_stale_when_a_secret_changed(boxes, monkeypatch, own_home):
    assert clean(boxes.kjpstate("plan", "--out", "bot.plan", "--diff")).code == 0
    text = (boxes.folder / "bot.plan").read_text()
    assert '"secret": "${env:BOT_KEY}"' in text and '"secret": "${file:token}"' in text
    for secret in PLANTED:
        assert secret not in text
    for argv in (("show", "bot.plan", "--diff"), ("show", "bot.plan", "--json")):
        assert clean(boxes.kjpstate(*argv)).code == 0
    monkeypatch.setenv("BOT_KEY", CHANGED)
    stale = clean(boxes.kjpstate("apply", "bot.plan"))
    assert stale.code == 5
    why = " ".join(stale.err.split())
    assert "${env:BOT_KEY} of pm2_ecosystem is not the secret it was" in why
    monkeypatch.delenv("BOT_KEY")
    unset = clean(boxes.kjpstate("apply", "bot.plan"))
    assert unset.code == 65 and "BOT_KEY is not set" in unset.err
    monkeypatch.setenv("BOT_KEY", PLANTED[0])
    assert clean(boxes.kjpstate("apply", "bot.plan")).code == 0


def test_notes_ledgers_and_a_rollback_hold_no_secret(boxes, own_home):
    assert boxes.kjpstate("apply", "--yes").code == 0
    assert clean(boxes.kjpstate("rollback", "--yes", "--diff")).code == 0
    assert clean(boxes.kjpstate("rollback", "--yes", "--diff")).code == 0
    files = [path for path in boxes.folder.rglob("*") if path.is_file() and path.name != "token"]
    assert any(path.name.startswith("run-") for path in files)
    telling = [path for path in files if _holds(path)]
    assert telling and all(_may_hold(path) for path in telling), telling
