"""Six disks that refuse: full, read-only, without inodes, what may not change, what is mounted, no
folder.

Here the system itself says no. The file stays what it was, nothing of ours is left beside it, the
reason is told; and once the disk is well again, the next run converges.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import bodies
from tests.support.allowed_states import after_fault, litter, part, picture
from tests.support.fault_runs import converged
from tests.support.fault_scenes import FIRST, Scene, fill, perform, scenes

pytestmark = pytest.mark.real

SCENES = {scene.name: scene for scene in scenes("dash")}
FILE, FOLDER = SCENES["write, change"], SCENES["switch, change"]


def sh(*argv: str | Path) -> None:
    subprocess.run(list(map(str, argv)), check=True, capture_output=True)


@contextmanager
def mounted(root: Path, options: str) -> Iterator[None]:
    """A file system in memory as the work folder."""
    sh("mount", "-t", "tmpfs", "-o", options, "tmpfs", root)
    try:
        yield
    finally:
        sh("umount", "-l", root)


@contextmanager
def plain(root: Path) -> Iterator[None]:
    """The disk that is there."""
    yield


def stuffed(root: Path) -> Callable[[], None]:
    """Bytes until nothing fits any more."""
    filler = root / "filler"
    with filler.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while True:
            stream.write(b"x" * 4096)
    return filler.unlink


def crowded(root: Path) -> Callable[[], None]:
    """Files until there is no inode any more."""
    crowd = root / "crowd"
    crowd.mkdir()
    with contextlib.suppress(OSError):
        for number in range(1000):
            (crowd / str(number)).touch()
    return lambda: shutil.rmtree(crowd)


def read_only(root: Path) -> Callable[[], None]:
    """Remounted."""
    sh("mount", "-o", "remount,ro", root)
    return lambda: sh("mount", "-o", "remount,rw", root)


def immutable(root: Path) -> Callable[[], None]:
    """chattr +i, which root is bound by too."""
    path = root / ("conf/x.conf" if (root / "conf").exists() else "dist")
    sh("chattr", "+i", path)
    return lambda: sh("chattr", "-i", path)


def mounted_over(root: Path) -> Callable[[], None]:
    """The file or folder is a mount point itself, as containers do it."""
    path = root / ("conf/x.conf" if (root / "conf").exists() else "dist")
    sh("mount", "--bind", path, path)
    return lambda: sh("umount", path)


def vanished(root: Path) -> Callable[[], None]:
    """Its folder was moved away."""
    path = root / "conf"
    path.rename(root / "elsewhere")
    return lambda: (root / "elsewhere").rename(path) and None


SMALL = "size=128k,mode=755"
DISKS: dict[str, tuple[str, Callable[[Path], Callable[[], None]], str]] = {
    "full": (SMALL, stuffed, "no space left on device"),
    "no inodes": ("size=1m,nr_inodes=40,mode=755", crowded, "no space left on device"),
    "read-only": (SMALL, read_only, "read-only file system"),
    "immutable": ("", immutable, "operation not permitted"),
    "a mount point": ("", mounted_over, "device or resource busy"),
    "a vanished folder": ("", vanished, "not as the plan saw it"),
}


@pytest.mark.parametrize("body", ["dash", "bash", "busybox", "local"])
@pytest.mark.parametrize("disk", DISKS)
@pytest.mark.parametrize("scene", [FILE, FOLDER], ids=lambda scene: scene.name)
def test_a_disk_that_refuses(tmp_path, body, disk, scene: Scene, counted):
    if scene is FOLDER and disk == "a vanished folder":
        return  # the work folder itself: nothing there at all
    options, spoil, said = DISKS[disk]
    scene = next(one for one in scenes(body) if one.name == scene.name)
    bench = bodies.local_bench(tmp_path) if body == "local" else bodies.shell_bench(tmp_path, body)
    root = Path(bench.root)
    with mounted(root, options) if options else plain(root):
        fill(bench, scene)
        os.sync()
        before = picture(root)
        cure = spoil(root)
        spoilt = picture(root)
        try:
            outcomes = asyncio.run(perform(bench, scene, FIRST))
            now = picture(root)
        finally:
            cure()
        (outcome,) = outcomes
        assert outcome.status == ("moved" if spoil is vanished else "failed"), outcome
        assert said in str(outcome.reason).lower(), outcome
        assert spoil is vanished or not after_fault(spoilt, now, scene.managed)
        for item in scene.managed:
            assert part(now, item.path) == part(spoilt, item.path)
        assert not litter(now)
        assert not converged(bench, scene, before)
    counted("times a real disk refused: six ways", 1)
