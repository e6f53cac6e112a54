"""Folders that belong to somebody else, while root applies in them. That other user is 4242."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.sshd import start_sshd
from tests.support.trial import Trial

pytestmark = pytest.mark.root

OTHER = 4242
SWAPPER = Path(__file__).parents[1] / "support" / "swapper.py"
SECRET = b"root's own\n"
SOURCE = "function f() {\n}\n"
PATCH = """
patches:
  - host: pc
    file: {file}
    set: s
    edits: [{{id: one, insert_before: "function f(", scope: module, content: "let n = 0;"}}]
"""
HEAD = """
kjpstate: 1
name: t
hosts: {{pc: {host}}}
"""


@contextmanager
def swapping(mode: str, folder: Path, victim: Path) -> Iterator[None]:
    """While it lasts, user 4242 swaps names."""
    words = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups"]
    words += [sys.executable, "-Ic", SWAPPER.read_text("utf-8"), mode, str(folder), str(victim)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            yield
        finally:
            process.kill()


@pytest.fixture
def victim(trial: Trial) -> Path:
    """A file of root's that nobody else may see, in a folder that others may only pass."""
    folder = trial.folder.parent / "V"
    folder.mkdir(mode=0o711)
    path = folder / "a.ts"
    path.write_bytes(SECRET)
    path.chmod(0o600)
    return path


def untouched(victim: Path) -> None:
    found = victim.stat()
    assert victim.read_bytes() == SECRET
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (0, 0, 0o600)
    around = victim.parent.stat()
    assert (around.st_uid, around.st_gid, around.st_mode & 0o7777) == (0, 0, 0o711)
    assert [path.name for path in victim.parent.iterdir()] == [victim.name]


def given(path: Path) -> None:
    """To the other user, with all below."""
    subprocess.run(["chown", "-hR", f"{OTHER}:{OTHER}", str(path)], check=True)


def afresh(bot: Path) -> None:
    """The bot's folder with its one file, and nothing of an earlier round."""
    subprocess.run(["rm", "-rf", str(bot), f"{bot}.away"], check=True)
    bot.mkdir(mode=0o755)
    (bot / "a.ts").write_text(SOURCE)
    given(bot)


def test_names_swapped_while_root_patches_here(trial: Trial, victim: Path) -> None:
    bot = trial.folder / "bot"
    trial.write("kjpstate.yaml", HEAD.format(host="{local: bot}") + PATCH.format(file="a.ts"))
    for _ in range(12):
        afresh(bot)
        with swapping("names", bot, victim):
            done = trial.kjpstate("apply", "--yes")
        assert done.code in (0, 1, 7, 8), done.said
        assert "Traceback" not in done.said and "mistake of ours" not in done.said
        untouched(victim)


@pytest.fixture
def box(trial: Trial, tmp_path: Path) -> Iterator[str]:
    """This machine over SSH, as root: what a document says of it."""
    server = start_sshd(tmp_path / "sshd", inside=trial.inside)
    try:
        key = " ".join(server.known().split()[1:])
        yield (
            f"{{ssh: {{address: 127.0.0.1, port: {server.port}, user: root, "
            f"host_key: {key}, identity: {server.client_key}}}}}"
        )
    finally:
        server.stop()


@pytest.mark.real
def test_names_swapped_while_root_patches_over_ssh(trial: Trial, victim: Path, box: str) -> None:
    bot = trial.folder / "bot"
    trial.write("kjpstate.yaml", HEAD.format(host=box) + PATCH.format(file=bot / "a.ts"))
    for _ in range(5):
        afresh(bot)
        with swapping("names", bot, victim):
            done = trial.kjpstate("apply", "--yes")
        assert done.code in (0, 1, 7, 8), done.said
        assert "Traceback" not in done.said and "mistake of ours" not in done.said
        untouched(victim)
    afresh(bot)
    done = trial.kjpstate("apply", "--yes")
    assert done.code == 0, done.said
    assert "let n = 0;" in (bot / "a.ts").read_text()
    assert {path.stat().st_uid for path in bot.iterdir()} == {OTHER}
    assert trial.kjpstate("rollback", "--yes").code == 0
    assert (bot / "a.ts").read_text() == SOURCE


DEPLOY = """
deploy: {{from: {{host: pc, directory: {source}}}, to: {{host: pc, directory: {to}}}}}
"""


def deployed(trial: Trial, host: str, to: str) -> None:
    """A document that deploys new/ of root's own."""
    trial.write(
        "kjpstate.yaml",
        HEAD.format(host=host) + DEPLOY.format(source=f"{trial.folder}/new/", to=to),
    )
    trial.write("new/a.ts", "new")
    trial.write("new/sub/b.ts", "new too")


def afresh_tree(bot: Path) -> None:
    """The bot's folder with the folder that is deployed to, and in it a file of the bot's own."""
    afresh(bot)
    for name in ("dist/a.ts", "dist/sub/b.ts", "dist/own/c.ts"):
        (bot / name).parent.mkdir(parents=True, exist_ok=True)
        (bot / name).write_text("old")
    given(bot)


def keeps_off(trial: Trial, victim: Path, bot: Path, mode: str, watched: Path) -> None:
    """One round: an apply while names are swapped; root's file is as it was."""
    with swapping(mode, watched, victim):
        done = trial.kjpstate("apply", "--yes")
    assert done.code in ((0, 1, 7) if mode == "names" else (0, 1, 5, 7, 8)), done.said
    assert "Traceback" not in done.said and "mistake of ours" not in done.said
    untouched(victim)


def goes_well(trial: Trial, bot: Path) -> None:
    """Nobody swaps: the folder is the new one, all of it its owner's, and what was the bot's own is
    kept."""
    done = trial.kjpstate("apply", "--yes")
    assert done.code == 0, done.said
    assert (bot / "dist/a.ts").read_text() == "new" and (bot / "dist/own/c.ts").read_text() == "old"
    assert {path.lstat().st_uid for path in bot.rglob("*")} == {OTHER}
    assert trial.kjpstate("rollback", "--yes").code == 0
    assert (bot / "dist/a.ts").read_text() == "old"
    assert {path.lstat().st_uid for path in bot.rglob("*")} == {OTHER}


@pytest.mark.parametrize("mode", ["names", "folder"])
def test_names_swapped_while_root_deploys_here(trial: Trial, victim: Path, mode: str) -> None:
    home = trial.folder / "home"
    home.mkdir()
    bot = home / "bot"
    deployed(trial, "{local: .}", "home/bot/dist/")
    for _ in range(6):
        afresh_tree(bot)
        os.chown(home, OTHER, OTHER)
        keeps_off(trial, victim, bot, mode, bot)
    afresh_tree(bot)
    goes_well(trial, bot)


@pytest.mark.real
@pytest.mark.parametrize("mode", ["names", "folder"])
def test_names_swapped_while_root_deploys_over_ssh(
    trial: Trial, victim: Path, box: str, mode: str
) -> None:
    home = trial.folder / "home"
    home.mkdir()
    bot = home / "bot"
    deployed(trial, box, f"{bot}/dist/")
    for _ in range(2):
        afresh_tree(bot)
        os.chown(home, OTHER, OTHER)
        keeps_off(trial, victim, bot, mode, bot)
    afresh_tree(bot)
    goes_well(trial, bot)


@pytest.mark.real
def test_a_folder_of_the_bots_in_one_of_roots_is_deployed_by_the_bot(
    trial: Trial, victim: Path, box: str
) -> None:
    bot = trial.folder / "bot"
    deployed(trial, box, f"{bot}/dist/")
    for _ in range(2):
        afresh_tree(bot)
        os.chown(bot, 0, 0)
        keeps_off(trial, victim, bot, "names", bot / "dist")
    afresh_tree(bot)
    os.chown(bot, 0, 0)
    goes_well(trial, bot)


@pytest.mark.parametrize("target", ["/proc/kmsg", "V"])
def test_a_link_of_another_user_is_not_read_for_them(
    trial: Trial, victim: Path, target: str
) -> None:
    bot = trial.folder / "bot"
    trial.write("kjpstate.yaml", HEAD.format(host="{local: bot}") + PATCH.format(file="a.ts"))
    afresh(bot)
    victim.write_text("function f() {\n  const password = 'hunter2';\n}\n")
    (bot / "a.ts").unlink()
    (bot / "a.ts").symlink_to(victim if target == "V" else target)
    given(bot)
    done = trial.kjpstate("plan", "--diff", timeout=30)
    assert done.code is not None, "it never ended"
    assert "hunter2" not in done.said and "unsafe-folder" in done.said
    assert trial.kjpstate("apply", "--yes", timeout=30).code == 8
    assert "hunter2" in victim.read_text()


@pytest.mark.real
def test_a_link_of_another_user_is_not_read_for_them_over_ssh(
    trial: Trial, victim: Path, box: str
) -> None:
    bot = trial.folder / "bot"
    trial.write("kjpstate.yaml", HEAD.format(host=box) + PATCH.format(file=bot / "sub/a.ts"))
    afresh(bot)
    victim.write_text("function f() {\n  const password = 'hunter2';\n}\n")
    (bot / "sub").symlink_to(victim.parent)
    given(bot)
    done = trial.kjpstate("plan", "--diff", timeout=60)
    assert "hunter2" not in done.said and "unsafe-folder" in done.said
    assert trial.kjpstate("apply", "--yes").code == 8
    assert "hunter2" in victim.read_text()


def test_a_file_without_end_in_a_folder_is_one_sentence(trial: Trial) -> None:
    deployed(trial, "{local: .}", "bot/dist/")
    bot = trial.folder / "bot"
    afresh_tree(bot)
    with (bot / "dist/large").open("wb") as stream:
        stream.truncate(2 << 40)
    done = trial.kjpstate("plan", timeout=60)
    assert done.code is not None, "it never ended"
    assert "is larger than 1024 MiB" in done.said
