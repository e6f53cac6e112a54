"""The verbs over a real sshd: refused until the key is trusted, then one connection and one exec to
look."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kjpstate.cli.main import main
from kjpstate.hosts.link import SshLink
from tests.support.commands import Desk, Shown
from tests.support.machine.tools import wait_until
from tests.support.sshd import Sshd, fingerprint_of, start_sshd

TOLD = '[sh, -c, "cat >>told; echo >>told"]'

pytestmark = pytest.mark.real


@pytest.fixture(name="server")
def server_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A private server on loopback."""
    server = start_sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.fixture(name="box")
def box_fixture(desk: Desk, server: Sshd) -> Desk:
    """The small document with its build on the other side of the server."""
    spec = server.spec()
    reached = (
        f"address: 127.0.0.1, port: {spec.port}, user: {spec.user}, identity: {server.client_key}"
    )
    text = desk.document().replace("{pc: {local: .}}", f"{{pc: {{ssh: {{{reached}}}}}}}")
    text = text.replace(
        "may_change: {pc: [dist/]}", f"may_change: {{pc: [{desk.folder.as_posix()}/dist/]}}"
    )
    desk.write(text.replace("directory: .,", f"directory: {desk.folder.as_posix()},"))
    return desk


def test_a_host_nobody_trusted_is_refused_and_then_looked_at(
    box: Desk, server: Sshd, tmp_path: Path
):
    refused = box.kjpstate("plan")
    assert refused.code == 8
    assert "[host-key-unknown]" in refused.err
    assert "kjpstate trust pc" in refused.err
    assert box.kjpstate("trust", "pc", "--fingerprint", "SHA256:wrong").code == 8
    shown = box.kjpstate("drift")
    assert (shown.code, shown.out) == (8, "")
    assert (
        shown.err.startswith("pc: not reached: pc ([127.0.0.1]")
        and "[host-key-unknown]" in shown.err
    )
    assert "kjpstate trust pc" in shown.err

    trusted = box.kjpstate("trust", "pc", "--fingerprint", fingerprint_of(server, tmp_path))
    assert trusted.code == 0
    shown = box.kjpstate("plan", "-v", "--detailed-exitcode")
    assert shown.code == 2
    assert "pc: 1 connection, 1 exec," in shown.err
    assert "  + build  pc  never built here" in shown.out


def test_one_box_with_another_key_hides_nothing_of_the_others(
    box: Desk, server: Sshd, tmp_path: Path
):
    text = (
        (box.folder / "kjpstate.yaml")
        .read_text("utf-8")
        .replace("hosts: {", "hosts: {me: {local: .}, ")
    )
    pins = "unchanged: [{host: me, file: pin.json, pointer: /a, value: 1}], may_change"
    box.write(
        text.replace("may_change", pins, 1)
        + f"notify: {{channels: [{{name: c, command: {TOLD}}}]}}\n"
    )
    (box.folder / "pin.json").write_text('{"a": 2}', "utf-8")
    shown = box.kjpstate("drift")
    assert shown.code == 8
    assert "unchanged.a  me  refused" in shown.out and len(shown.out.splitlines()) == 1
    assert "[host-key-unknown]" in shown.err
    (told,) = (box.folder / "told").read_text().splitlines()
    assert [notice["subject"] for notice in json.loads(told)["notices"]] == ["unchanged.a"]
    assert box.kjpstate("plan").code == 8 and box.kjpstate("plan").out == ""
    found = box.kjpstate("drift", "--json").json
    assert (found["exit_code"], [item["host"] for item in found["unreachable"]]) == (8, ["pc"])


@pytest.mark.parametrize("how", ["no key of ours", "nobody trusted it"])
def test_a_check_that_no_host_lets_in_is_not_scheduled(
    box: Desk, server: Sshd, tmp_path: Path, monkeypatch, how: str
):
    (tmp_path / "crontab").write_text('#!/bin/sh\n[ "$1" = -l ] || cat >"$0.table"\n')
    (tmp_path / "crontab").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("KJPSTATE_STATE", str(tmp_path / "own"))
    if how == "no key of ours":
        box.kjpstate("trust", "pc", "--fingerprint", fingerprint_of(server, tmp_path))
        text, other = (box.folder / "kjpstate.yaml").read_text("utf-8"), tmp_path / "other"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
        box.write(text.replace(str(server.client_key), str(other)))
    shown = box.kjpstate("schedule", "--with", "cron", "--yes")
    assert shown.code == 1 and "nothing was written" in shown.err
    rule = "[login-refused]" if how == "no key of ours" else "[host-key-unknown]"
    assert rule in shown.err
    assert not (tmp_path / "crontab.table").exists()


def test_a_server_that_is_gone_is_3(box: Desk, server: Sshd, tmp_path: Path):
    box.kjpstate("trust", "pc", "--fingerprint", fingerprint_of(server, tmp_path))
    server.stop()
    shown = box.kjpstate("drift")
    assert shown.code == 3
    assert shown.out == ""
    assert shown.err.startswith("pc: not reached: ")
    applied = box.kjpstate("apply", "--yes")
    assert applied.code == 3
    assert "nothing was done" in applied.err


def test_a_saved_plan_is_applied_once_rolled_back_and_pruned(
    box: Desk, server: Sshd, tmp_path: Path
):
    box.kjpstate("trust", "pc", "--fingerprint", fingerprint_of(server, tmp_path))
    assert box.kjpstate("plan", "--out", "bot.plan").code == 0
    applied = box.kjpstate("apply", "bot.plan")
    assert applied.code == 0, applied.err
    assert (box.folder / "dist/a.js").read_text("utf-8") == "hello\n"
    assert box.kjpstate("apply", "bot.plan").code == 5
    texts = ["hello\n"]
    for number in range(3):
        (box.folder / "dist/a.js").write_text(f"edited {number}\n", "utf-8")
        texts.append(f"edited {number}\n")
        assert box.kjpstate("plan", "--out", "bot.plan").code == 0
        assert box.kjpstate("apply", "bot.plan").code == 0
    (box.folder / "dist/db.json").write_text("the bot's own", "utf-8")
    assert box.kjpstate("rollback", "--yes").code == 0
    assert (box.folder / "dist/a.js").read_text("utf-8") == texts[-1]
    assert (box.folder / "dist/db.json").read_text("utf-8") == "the bot's own"
    assert box.kjpstate("rollback", "--yes").code == 0
    assert (box.folder / "dist/a.js").read_text("utf-8") == "hello\n"
    before = box.kjpstate("backups", "--json").json["backups"]
    assert {row["condition"] for row in before} == {"kept"}
    pruned = box.kjpstate("backups", "prune", "--keep", "1", "--yes", "--json").json["pruned"]
    after = box.kjpstate("backups", "--json").json["backups"]
    assert pruned and len(after) == len(before) - len(pruned)
    assert {row["condition"] for row in after} == {"kept"} and after[0]["first_original"]


WAITS = "import pathlib, time; pathlib.Path('begun').touch(); "
WAITS += "[time.sleep(0.05) for _ in range(2400) if not pathlib.Path('go').exists()]; "


def test_drift_while_an_apply_is_at_work(box: Desk, server: Sshd, tmp_path: Path):
    """The build waits until drift has looked: half a build is neither drift nor in sync."""
    box.kjpstate("trust", "pc", "--fingerprint", fingerprint_of(server, tmp_path))
    box.write(
        (box.folder / "kjpstate.yaml")
        .read_text("utf-8")
        .replace('"import pathlib', f'"{WAITS}import pathlib')
    )
    codes: list[int] = []

    def look() -> None:
        try:
            assert wait_until((box.folder / "begun").exists, 60)
            codes.append(main(["drift"]))
        finally:
            (box.folder / "go").touch()

    thread = threading.Thread(target=look)
    thread.start()
    applied = box.kjpstate("apply", "--yes")
    thread.join()
    assert (codes, applied.code) == ([4], 0)
    assert "is at work there (apply, since " in " ".join(applied.err.split())
    assert not [row for row in applied.out.splitlines() if row[:2] in ("~ ", "+ ", "! ")], (
        "a row of drift"
    )
    assert box.kjpstate("drift") == Shown(0, "", "")


def test_another_host_key_makes_a_saved_plan_stale(
    box: Desk, server: Sshd, tmp_path: Path, monkeypatch
):
    box.kjpstate("trust", "pc", "--fingerprint", fingerprint_of(server, tmp_path))
    assert box.kjpstate("plan", "--out", "bot.plan").code == 0
    seen = SshLink.identity
    assert isinstance(seen, property) and seen.fget is not None
    monkeypatch.setattr(SshLink, "identity", property(lambda link: seen.fget(link)[::-1]))
    shown = box.kjpstate("apply", "bot.plan")
    assert shown.code == 5
    assert "pc is another machine, or has another host key" in shown.err
