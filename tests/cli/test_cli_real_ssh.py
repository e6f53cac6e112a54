"""The verbs over a real sshd: refused until the key is trusted, then one connection and one exec to look."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Desk
from tests.support.sshd import Sshd, start_sshd

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
    reached = f"address: 127.0.0.1, port: {spec.port}, user: {spec.user}, identity: {server.client_key}"
    text = desk.document().replace("{pc: {local: .}}", f"{{pc: {{ssh: {{{reached}}}}}}}")
    text = text.replace("may_change: {pc: [dist/]}", f"may_change: {{pc: [{desk.folder.as_posix()}/dist/]}}")
    desk.write(text.replace("directory: .,", f"directory: {desk.folder.as_posix()},"))
    return desk


def fingerprint_of(server: Sshd, folder: Path) -> str:
    """The server's key as ssh-keygen prints it."""
    keygen = shutil.which("ssh-keygen")
    assert keygen is not None
    key = folder / "host.pub"
    key.write_text(server.known().split(" ", 1)[1] + "\n", "utf-8")
    return subprocess.run(
        [keygen, "-lf", str(key)], capture_output=True, text=True, check=True
    ).stdout.split()[1]


def test_a_host_nobody_trusted_is_refused_and_then_looked_at(box: Desk, server: Sshd, tmp_path: Path):
    refused = box.kjpstate("plan")
    assert refused.code == 8
    assert "[host-key-unknown]" in refused.err
    assert "kjpstate trust pc" in refused.err
    assert box.kjpstate("trust", "pc", "--fingerprint", "SHA256:wrong").code == 8
    assert box.kjpstate("drift").code == 8

    trusted = box.kjpstate("trust", "pc", "--fingerprint", fingerprint_of(server, tmp_path))
    assert trusted.code == 0
    shown = box.kjpstate("plan", "-v", "--detailed-exitcode")
    assert shown.code == 2
    assert "pc: 1 connection, 1 exec," in shown.err
    assert "  + build  pc  never built here" in shown.out


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
