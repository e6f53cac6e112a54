"""Every wrong use: its exact exit code, one clear sentence first, no traceback; and what breaks by
itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kjpstate import reconcile
from kjpstate.cli.state_folder import digest_key, run_info, state_folder
from kjpstate.errors import Failed, Locked, Unreachable
from tests.support.commands import Desk

WRONG = [
    ([], 64, "needs a verb"),
    (["aply"], 64, "did you mean apply?"),
    (["plan", "--wat"], 64, "--wat"),
    (["plan", "one", "two"], 64, "two"),
    (["plan", "nowhere.yaml"], 64, "no such document: nowhere.yaml"),
    (["plan", "src"], 64, "is a folder"),
    (["plan", "--only"], 64, "--only"),
    (["plan", "--only", "dsn"], 64, "no such address"),
    (["plan", "--limit", "stb"], 64, "no such host"),
    (["drift", "--limit", "stb"], 64, "no such host"),
    (["drift", "--timeout", "nan"], 64, "nan is no number of seconds"),
    (["drift", "--timeout", "inf"], 64, "is not in the range"),
    (["status", "--timeout", "nan"], 64, "nan is no number of seconds"),
    (["apply"], 64, "no terminal to ask on"),
    (["apply", "--json"], 64, "add --yes"),
    (["apply", "nowhere.yaml", "--yes"], 64, "no such document"),
    (["verify", "--check", "AC9"], 64, "AC9"),
    (["verify", "nowhere.yaml"], 64, "no such document"),
    (["validate", "nowhere.yaml"], 64, "no such document"),
    (["backups", "--limit", "stb"], 64, "no such host"),
    (["explain", "fallback-dn"], 64, "did you mean fallback-dns?"),
    (["schema", "more"], 64, "more"),
    (["trust"], 64, "HOST"),
    (["unlock"], 64, "HOST"),
    (["demo", "--wat"], 64, "--wat"),
]


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    WRONG,
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use(desk: Desk, argv: list[str], code: int, said: str):
    shown = desk.kjpstate(*argv)
    assert shown.code == code
    assert said in shown.err.splitlines()[0]
    if "--json" not in argv:
        assert shown.out == ""


def test_an_error_is_json_too(desk: Desk):
    value = desk.kjpstate("plan", "--json", "--wat").json
    assert value["exit_code"] == 64
    assert "--wat" in value["error"]["message"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unreachable("pc", "pc does not answer", "wait"), 3),
        (Locked("pc is locked by run 1"), 4),
        (KeyboardInterrupt(), 130),
    ],
)
def test_what_a_host_says_becomes_the_exit_code(desk: Desk, monkeypatch, error, code):
    async def look(*args, **more):
        raise error

    monkeypatch.setattr(reconcile, "plan", look)
    shown = desk.kjpstate("plan")
    assert shown.code == code
    assert len(shown.err.strip().splitlines()[0]) > 5


def test_a_mistake_of_ours_is_one_sentence_and_a_report_without_secrets(
    desk: Desk, monkeypatch, own_home
):
    async def look(*args, **more):
        raise ZeroDivisionError("with hunter22 in hand")

    monkeypatch.setenv("WORD", "hunter22")
    desk.write(
        desk.document(
            "pm2: {host: pc, ecosystem: /s/e.config.js,",
            "  apps: [{name: b, script: x.js, cwd: /s, env: {A: '${env:WORD}'}}]}",
        )
    )
    monkeypatch.setattr(reconcile, "plan", look)
    shown = desk.kjpstate("plan")
    assert shown.code == 1
    assert "kjpstate itself failed (ZeroDivisionError)" in shown.err.splitlines()[0]
    report = next(own_home.rglob("crash-*.txt"))
    assert "ZeroDivisionError: with (hidden) in hand" in report.read_text("utf-8")
    assert "Traceback" in report.read_text("utf-8")
    if sys.platform != "win32":
        assert report.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps a folder that somebody stands in")
def test_a_folder_that_is_gone_below_our_feet_is_one_sentence(desk: Desk, tmp_path: Path):
    (tmp_path / "gone").mkdir()
    code = (
        "import os, sys; from kjpstate.cli import run; os.rmdir(os.getcwd()); "
        "sys.exit(run(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", code, "plan", str(desk.folder / "kjpstate.yaml")]
    done = subprocess.run(words, cwd=tmp_path / "gone", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith("The folder that you are in does not exist any more.")


def test_reports_of_a_check_that_crashes_for_years_are_few(desk: Desk, monkeypatch, own_home: Path):
    async def look(*args, **more):
        raise ZeroDivisionError

    monkeypatch.setattr(reconcile, "plan", look)
    assert desk.kjpstate("plan").code == 1
    (report,) = own_home.rglob("crash-*.txt")
    report.unlink()
    for number in range(60):
        (report.parent / f"crash-209901{number:02}T000000Z.txt").write_text(
            "by a clock that jumped"
        )
    assert desk.kjpstate("plan").code == 1
    left = sorted(path.name for path in report.parent.glob("crash-*.txt"))
    assert len(left) == 20 and left[0] < "crash-2099" and left[1] == "crash-20990141T000000Z.txt"


def test_a_reader_that_went_away_is_no_noise(desk: Desk):
    code = "import sys; from kjpstate.cli import run; sys.exit(run(['schema']))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "words", [["schema"], ["plan", "--json"], ["plan", "nowhere.yaml", "--json"], ["-h"]]
)
def test_a_full_disk_behind_our_output_is_one_sentence(
    desk: Desk, words: list[str], own_home: Path
):
    code = f"import sys; from kjpstate.cli import run; sys.exit(run({words}))"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "No space left" in done.stderr or "no such document" in done.stderr
    assert len(done.stderr.splitlines()) < 3
    assert not list(own_home.rglob("crash-*"))


@pytest.mark.skipif(sys.platform == "win32", reason="the shell's word for it")
@pytest.mark.parametrize(("closed", "code"), [(">&-", 0), ("2>&-", 0), ("<&-", 0)])
def test_a_closed_stream_is_nobody_listening(desk: Desk, closed: str, code: int, own_home: Path):
    line = f'"{sys.executable}" -m kjpstate plan {closed}'
    assert subprocess.run(line, shell=True, capture_output=True, check=False).returncode == code
    assert not list(own_home.rglob("crash-*"))


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom kjpstate.cli import run\nassert run(['--help']) == 0\n"
        "heavy = {'asyncssh', 'jsonschema', 'deepdiff', 'rich', 'yaml', 'tree_sitter', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    daily = done.stdout.index("plan ")
    assert (
        daily
        < done.stdout.index("apply ")
        < done.stdout.index("Now and then")
        < done.stdout.index("demo ")
    )


@pytest.mark.parametrize(
    "verb",
    [
        "plan",
        "apply",
        "drift",
        "verify",
        "validate",
        "backups",
        "trust",
        "unlock",
        "schema",
        "explain",
        "demo",
    ],
)
def test_every_verb_has_help(desk: Desk, verb: str):
    shown = desk.kjpstate(verb, "--help")
    assert shown.code == 0
    assert shown.out.startswith(f"Usage: kjpstate {verb}")


def test_the_module_is_the_command(desk: Desk):
    done = subprocess.run(
        [sys.executable, "-m", "kjpstate", "plan", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["document"] == "little"


def test_the_state_folder_and_its_key_belong_to_their_owner(tmp_path: Path):
    folder = state_folder({"KJPSTATE_STATE": str(tmp_path / "deep" / "state")})
    key = digest_key(folder)
    assert len(key) == 32
    assert digest_key(folder) == key
    assert [path.name for path in folder.iterdir()] == ["key"]
    if sys.platform != "win32":
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "key").stat().st_mode & 0o777 == 0o600


def test_a_damaged_key_and_an_impossible_folder_say_so(tmp_path: Path):
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(Failed, match="has 5 bytes, not 32"):
        digest_key(tmp_path)
    with pytest.raises(Failed, match="can't be made"):
        state_folder({"KJPSTATE_STATE": str(tmp_path / "key" / "below")})


def test_a_run_has_a_name_a_backup_can_bear():
    run = run_info("bot")
    assert len(run.id) == 6
    assert ":" not in run.suffix
    assert run.who.count("@") == 1
