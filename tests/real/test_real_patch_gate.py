"""The gate: a patch of the real bot, its real `tsc` as build.check, here and over a real sshd."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
import yaml

from tests.support.commands import Desk, Shown, desk
from tests.support.machine import image
from tests.support.patch_cases import owner_edits
from tests.support.sshd import Sshd, start_sshd

pytestmark = pytest.mark.real
COUNTER = "let retryCount = 0;"
WRONG = "let retryCount: string = 0;"
OURS = "error TS2322: Type 'number' is not assignable to type 'string'."
THEIRS = "export const salah: number = 'bukan angka';\n"


class Bot:
    """The real bot beside a document that patches and builds it. `hosts`: where
    it is said to be."""

    def __init__(self, desk: Desk, hosts: str) -> None:
        self.desk, self.folder, self.hosts = desk, desk.folder / "bot", hosts
        self.wa = self.folder / "src/wa.ts"
        cached = image.bot()
        shutil.copytree(
            cached,
            self.folder,
            ignore=lambda _, names: [name for name in names if name == "node_modules"],
        )
        (self.folder / "node_modules").symlink_to(cached / "node_modules")

    def write(self, counter: str) -> None:
        """The owner's own edits, with this line as the declaration of the counter."""
        edits = owner_edits()
        edits[0] = edits[0] | {"content": edits[0]["content"].replace(COUNTER, counter)}
        assert counter in edits[0]["content"]
        build: dict[str, Any] = {
            "host": "pc",
            "directory": self.folder.as_posix(),
            "inputs": ["src/", "package.json", "tsconfig.json"],
            "check": "npx --no-install tsc --noEmit",
            "run": "npm run build",
            "outputs": ["dist/"],
        }
        patch = {
            "host": "pc",
            "file": self.wa.as_posix(),
            "set": "reconnect-backoff",
            "edits": edits,
        }
        text = yaml.safe_dump({"patches": [patch], "build": build}, sort_keys=False)
        self.desk.write(f"kjpstate: 1\nname: gate\nhosts: {self.hosts}\n{text}")

    def kept(self) -> dict[str, bytes]:
        """Every file of the source and of what was built, but for backups."""
        found = (path for part in ("src", "dist") for path in (self.folder / part).rglob("*"))
        return {
            path.name: path.read_bytes()
            for path in found
            if path.is_file() and ".backup." not in path.name
        }

    def apply(self) -> Shown:
        """Apply without asking."""
        return self.desk.kjpstate("apply", "--yes")


@pytest.fixture
def on_this_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Bot:
    return Bot(desk(tmp_path, capsys, monkeypatch), "{pc: {local: .}}")


@pytest.fixture(name="server")
def server_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A private server on loopback."""
    server = start_sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.fixture
def over_ssh(
    server: Sshd,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Bot:
    spec = server.spec()
    pinned = asyncssh.read_public_key(server.folder / "host.pub").get_fingerprint()
    reached = (
        f"address: 127.0.0.1, port: {spec.port}, user: {spec.user}, identity: {server.client_key}"
    )
    return Bot(
        desk(tmp_path, capsys, monkeypatch), f"{{pc: {{ssh: {{{reached}, host_key: '{pinned}'}}}}}}"
    )


def told(shown: Shown) -> str:
    """The report without its line breaks."""
    return " ".join(shown.out.partition("  patch.reconnect-backoff  restored")[2].split())


def test_a_patch_that_breaks_the_types_is_put_back_and_blamed(over_ssh: Bot) -> None:
    before = over_ssh.kept()
    over_ssh.write(WRONG)
    shown = over_ssh.apply()
    assert shown.code == 7, shown.out + shown.err
    assert over_ssh.kept() == before
    report = told(shown)
    _, said, blamed = report.partition(
        "On the restored source the check passes: the errors come with the patch."
    )
    assert said, report
    assert blamed.startswith(" in block reconnect-backoff/helper, lines ")
    assert f": src/wa.ts(43,5): {OURS}" in blamed
    assert (
        "in block reconnect-backoff/reset-on-open" in blamed
        and "outside of the blocks" not in blamed
    )
    plan = over_ssh.desk.kjpstate("plan", "--detailed-exitcode")
    assert plan.code == 2 and "4 edits" in plan.out


def test_errors_that_were_there_before_are_told_apart(on_this_machine: Bot) -> None:
    bot = on_this_machine
    with (bot.folder / "src/db.ts").open("a", encoding="utf-8") as file:
        file.write(THEIRS)
    before = bot.kept()
    bot.write(WRONG)
    shown = bot.apply()
    assert shown.code == 7, shown.out + shown.err
    assert bot.kept() == before
    _, said, blamed = told(shown).partition(
        "On the restored source the check fails too; of its errors 7 come with"
    )
    ours, theirs = blamed.split("there before the patch:")
    assert said and OURS in ours and "db.ts" not in ours
    assert theirs.split("Kept,")[0].count("error TS") == 1 and " src/db.ts(" in theirs


@pytest.mark.full
def test_errors_that_are_none_of_the_patchs(on_this_machine: Bot) -> None:
    bot = on_this_machine
    with (bot.folder / "src/db.ts").open("a", encoding="utf-8") as file:
        file.write(THEIRS)
    before = bot.kept()
    bot.write(COUNTER)
    shown = bot.apply()
    assert shown.code == 7, shown.out + shown.err
    assert bot.kept() == before
    assert "fails with the same errors: they are not the patch's." in told(shown)
    assert "src/db.ts(" in told(shown) and "in block" not in told(shown)
