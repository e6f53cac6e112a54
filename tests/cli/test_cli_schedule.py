"""`schedule`: written after a trial run in the scheduler's own environment, shown, removed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from kjpstate.said import say
from tests.support.commands import Desk
from tests.support.words import said

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="cron and systemd are not on Windows"
)

CRONTAB = """#!/bin/sh
case $1 in
  -l) [ -f "$STAND_IN/table" ] || { echo "no crontab for me" >&2; exit 1; }; cat "$STAND_IN/table" ;;
  -r) rm "$STAND_IN/table" ;;
  -) cat >"$STAND_IN/table" ;;
esac
"""
SYSTEMCTL = """#!/bin/sh
echo "$*" >>"$STAND_IN/asked"
case $* in
  *is-enabled*) cat "$STAND_IN/enabled" 2>/dev/null || { echo disabled; exit 1; } ;;
  *enable*) [ ! -f "$STAND_IN/no-bus" ] || { echo "Failed to connect to bus" >&2; exit 1; }
            echo enabled >"$STAND_IN/enabled" ;;
esac
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a crontab and a systemctl that only write into it, first on PATH."""
    folder = tmp_path / "stand-in"
    folder.mkdir()
    for name, text in {"crontab": CRONTAB, "systemctl": SYSTEMCTL}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("STAND_IN", str(folder))
    monkeypatch.setattr("kjpstate.cli.schedulers._SYSTEM", folder / "units")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    # Carried into the trial run, which as root's unit has no HOME and would find root's own.
    monkeypatch.setenv("KJPSTATE_STATE", str(folder / "state"))
    return folder


def test_cron_from_nothing_and_back(desk: Desk, stand_in: Path):
    shown = desk.kjpstate("schedule", "--with", "cron", "--show")
    assert said("schedule.not-scheduled", place=say("schedule.crontab")) in shown.out
    assert not (stand_in / "table").exists()
    written = desk.kjpstate("schedule", "--with", "cron", "--yes")
    assert (written.code, "It works there: exit code 2, it found drift." in written.err) == (
        0,
        True,
    )
    assert "  + build  pc  never built here" in written.err
    table = (stand_in / "table").read_text()
    assert f"{sys.executable} -m kjpstate drift {desk.folder / 'kjpstate.yaml'}" in table
    assert f"KJPSTATE_STATE={stand_in / 'state'} " in table
    again = desk.kjpstate("schedule", "--with", "cron", "--yes")
    assert "nothing was written" in again.out
    assert desk.kjpstate("schedule", "--with", "cron", "--every", "1h", "--yes").code == 0
    assert (stand_in / "table").read_text().count("kjpstate drift") == 1
    assert desk.kjpstate("schedule", "--with", "cron", "--remove", "--yes").out.endswith(
        "Removed.\n"
    )
    assert not (stand_in / "table").exists()
    assert (
        "nothing was done" in desk.kjpstate("schedule", "--with", "cron", "--remove", "--yes").out
    )


def test_the_language_that_was_typed_is_that_of_the_command(desk: Desk, stand_in: Path):
    assert desk.kjpstate("schedule", "--with", "cron", "--yes").code == 0
    assert "--lang" not in (stand_in / "table").read_text()
    assert desk.kjpstate("--lang", "en", "schedule", "--with", "cron", "--yes").code == 0
    assert " -m kjpstate --lang en drift " in (stand_in / "table").read_text()


def test_showing_and_removing_ask_for_no_secret(desk: Desk, stand_in: Path, monkeypatch):
    desk.write(desk.document("notify: {heartbeat: '${env:BEAT}'}"))
    monkeypatch.setenv("BEAT", "http://127.0.0.1:9/x")
    assert (
        desk.kjpstate("schedule", "--with", "cron", "--yes").code == 1
    )  # cron has no such variable
    assert not (stand_in / "table").exists()
    desk.write(desk.document())
    assert desk.kjpstate("schedule", "--with", "cron", "--yes").code == 0
    desk.write(desk.document("notify: {heartbeat: '${env:BEAT}'}"))
    monkeypatch.delenv("BEAT")
    shown = desk.kjpstate("schedule", "--with", "cron", "--show")
    assert shown.code == 0 and "kjpstate drift" in shown.out
    assert desk.kjpstate("schedule", "--with", "cron", "--yes").code == 65
    assert desk.kjpstate("schedule", "--with", "cron", "--remove", "--yes").out.endswith(
        "Removed.\n"
    )


def test_a_timer_is_enabled_and_taken_out(desk: Desk, stand_in: Path):
    assert desk.kjpstate("schedule", "--with", "timer", "--yes").code == 0
    units = sorted(path.suffix for path in stand_in.rglob("kjpstate-little-*"))
    assert units == [".service", ".timer"]
    asked = (stand_in / "asked").read_text()
    assert "daemon-reload" in asked
    assert "enable --now kjpstate-little-" in asked
    assert "nothing was written" in desk.kjpstate("schedule", "--with", "timer", "--yes").out
    assert desk.kjpstate("schedule", "--with", "timer", "--remove", "--yes").code == 0
    assert not list(stand_in.rglob("kjpstate-little-*"))
    assert "disable --now kjpstate-little-" in (stand_in / "asked").read_text()


@pytest.mark.parametrize("by", ["cron", "timer"])
def test_a_document_that_was_renamed_is_scheduled_once(desk: Desk, stand_in: Path, by: str):
    def standing() -> list[str]:
        table = stand_in / "table"
        lines = table.read_text().splitlines() if table.exists() else []
        names = [line.split()[3].rpartition("-")[0] for line in lines if line.startswith("#")]
        return names + [path.stem.rpartition("-")[0] for path in stand_in.rglob("kjpstate-*.timer")]

    assert desk.kjpstate("schedule", "--with", by, "--yes").code == 0
    desk.write(desk.document().replace("name: little", "name: larger"))
    assert "kjpstate-little-" in desk.kjpstate("schedule", "--with", by, "--show").out
    assert "Written." in desk.kjpstate("schedule", "--with", by, "--yes").out
    assert standing() == ["kjpstate-larger"]
    desk.write(desk.document())
    assert desk.kjpstate("schedule", "--with", by, "--remove", "--yes").out.endswith("Removed.\n")
    assert standing() == [] and not list(stand_in.rglob("kjpstate-*.service"))


def test_a_timer_that_could_not_be_enabled_is_no_timer(desk: Desk, stand_in: Path):
    (stand_in / "no-bus").write_text("")
    failed = desk.kjpstate("schedule", "--with", "timer", "--yes")
    assert failed.code == 1
    assert "Failed to connect to bus" in failed.err
    assert "# not enabled" in desk.kjpstate("schedule", "--with", "timer", "--show").out
    (stand_in / "no-bus").unlink()
    assert "Written." in desk.kjpstate("schedule", "--with", "timer", "--yes").out
    assert "# not enabled" not in desk.kjpstate("schedule", "--with", "timer", "--show").out
    (unit,) = stand_in.rglob("kjpstate-little-*.timer")
    unit.unlink()
    assert desk.kjpstate("schedule", "--with", "timer", "--remove", "--yes").out.endswith(
        "Removed.\n"
    )
    assert not list(stand_in.rglob("kjpstate-little-*"))


def test_a_table_in_another_code_page_keeps_its_bytes(desk: Desk, stand_in: Path):
    mine = b"# caf\xe9 \x0c\xc2\x85\n0 5 * * * /home/me/caf\xe9\n"
    (stand_in / "table").write_bytes(mine)
    assert desk.kjpstate("schedule", "--with", "cron", "--yes").code == 0
    assert (stand_in / "table").read_bytes().startswith(mine + b"# kjpstate schedule ")
    assert desk.kjpstate("schedule", "--with", "cron", "--remove", "--yes").code == 0
    assert (stand_in / "table").read_bytes() == mine


def test_a_table_that_can_not_be_read_is_not_written_over(desk: Desk, stand_in: Path):
    (stand_in / "crontab").write_text(
        CRONTAB.replace("no crontab for me", "spool: Input/output error")
    )
    shown = desk.kjpstate("schedule", "--with", "cron", "--yes")
    assert (shown.code, "Input/output error" in shown.err) == (1, True)
    assert not (stand_in / "table").exists()


def test_a_line_end_in_a_path_is_no_line_of_cron(desk: Desk, stand_in: Path):
    folder = desk.folder / "a\n* * * * * b"
    folder.mkdir()
    (folder / "kjpstate.yaml").write_text(desk.document())
    shown = desk.kjpstate("schedule", str(folder / "kjpstate.yaml"), "--with", "cron", "--yes")
    assert (shown.code, "a sign that no schedule can hold" in " ".join(shown.err.split())) == (
        64,
        True,
    )
    assert not (stand_in / "table").exists()


def test_what_fails_in_a_bare_environment_is_not_written(desk: Desk, stand_in: Path, monkeypatch):
    monkeypatch.setenv("BOT_TOKEN", "hunter2-hunter2")
    app = "{name: b, script: b.js, cwd: /b, env: {TOKEN: '${env:BOT_TOKEN}'}}"
    desk.write(
        desk.document(f"pm2: {{host: pc, ecosystem: /b/ecosystem.config.js, apps: [{app}]}}")
    )
    refused = desk.kjpstate("schedule", "--with", "cron", "--yes")
    assert refused.code == 1
    assert "exit code 65" in refused.err
    assert "BOT_TOKEN" in refused.err
    assert "hunter2" not in refused.err
    assert not (stand_in / "table").exists()


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (("--every", "7m"), 64, "--every 7m: expected minutes that divide the hour"),
        (("--every", "soon"), 64, "--every soon"),
        (("--here", "moon"), 64, "moon: no such host"),
        ((), 64, "schedule asks before it writes"),
    ],
)
def test_wrong_use(desk: Desk, stand_in: Path, argv: tuple[str, ...], code: int, says: str):
    shown = desk.kjpstate("schedule", "--with", "cron", *argv)
    assert (shown.code, says in shown.err) == (code, True)


def test_a_crontab_that_may_not_be_used(desk: Desk, stand_in: Path):
    (stand_in / "crontab").write_text(
        "#!/bin/sh\necho 'you may not use this program' >&2\nexit 3\n"
    )
    shown = desk.kjpstate("schedule", "--with", "cron", "--yes")
    assert shown.code == 1
    assert "you may not use this program" in shown.err
