"""Who acts in a folder over SSH: the session, the folder's owner, or nobody."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kjpstate.hosts import folders
from kjpstate.model import WriteFile
from tests.support import bodies
from tests.support.bodies import run_info

OTHER, NOBODY = 4242, 65534
CASES = {
    # folder's owner, its mode, file's owner, its mode, tools that the host lacks: status, whose it
    # is then
    "root's": ((0, 0o755, 0, 0o640, ()), "done", 0),
    "a user's": ((NOBODY, 0o755, NOBODY, 0o640, ()), "done", NOBODY),
    "a number's": ((OTHER, 0o755, OTHER, 0o640, ()), "done", OTHER),
    "by runuser": ((NOBODY, 0o755, NOBODY, 0o640, ("setpriv",)), "done", NOBODY),
    "by su": ((NOBODY, 0o755, NOBODY, 0o640, ("setpriv", "runuser")), "done", NOBODY),
    "by nobody": ((NOBODY, 0o755, NOBODY, 0o640, ("setpriv", "runuser", "su")), "failed", NOBODY),
    "everybody's": ((0, 0o777, 0, 0o640, ()), "failed", 0),
    "sticky": ((0, 0o1777, 0, 0o640, ()), "done", 0),
    "sticky, theirs": ((0, 0o1777, OTHER, 0o640, ()), "failed", OTHER),
    "root's file that they can't read": ((OTHER, 0o755, 0, 0o600, ()), "failed", 0),
    "root's file that they can read": ((OTHER, 0o755, 0, 0o644, ()), "done", OTHER),
}


def without(folder: Path, tools: tuple[str, ...]) -> str:
    """A PATH that lacks `tools`."""
    folder.mkdir()
    for place in ("/usr/bin", "/bin", "/usr/sbin", "/sbin"):
        for path in Path(place).iterdir():
            if path.name not in tools and not (folder / path.name).is_symlink():
                (folder / path.name).symlink_to(path)
    return str(folder)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that others may enter: pytest shuts its own each time that one of its workers
    begins."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.mark.root
@pytest.mark.parametrize("case", CASES)
def test_who_acts_in_a_folder(open_path: Path, monkeypatch: pytest.MonkeyPatch, case: str):
    (owner, mode, of_file, file_mode, lacking), status, then = CASES[case]
    monkeypatch.setenv("PATH", without(open_path / "bin", lacking))
    bench = bodies.shell_bench(open_path, "dash")
    folder = bench.real(bench.path("it's one"))
    file = folder / "x"
    folder.mkdir()
    file.write_text("old")
    os.chown(file, of_file, of_file)
    file.chmod(file_mode)
    os.chown(folder, owner, owner)
    folder.chmod(mode)

    async def go():
        host = bench.host()
        await host.begin(run_info(), ())
        (found, *_), _ = await host.act([WriteFile("box", str(file), b"old", b"new")], (), {})
        await host.end()
        await host.close()
        return found

    outcome = asyncio.run(go())
    assert outcome.status == status, outcome
    assert (status == "done") != ("unsafe-folder" in getattr(outcome.reason, "code", ""))
    assert file.read_text() == ("new" if status == "done" else "old")
    assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (then, file_mode)
    assert len(list(folder.iterdir())) == (2 if status == "done" else 1)


@pytest.mark.skipif(not folders.HOLDS, reason="nothing is held open there")
def test_a_link_of_our_own_is_followed_and_the_last_name_never_is(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/x").write_text("x")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real/y").symlink_to("x")
    with folders.opened(tmp_path / "link") as folder:
        assert folder.names() == ["x", "y"] and folder.is_file("x") and not folder.is_file("y")
        with pytest.raises(OSError, match=r"levels"):
            folder.read("y")
