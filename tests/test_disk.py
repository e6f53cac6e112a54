"""A small file of ours: whole or not at all, nobody else's, on the disk."""

import os
import stat
from pathlib import Path

import pytest

from kjpstate import disk

POSIX = os.name == "posix"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_its_owners_alone_from_the_first_byte_on(tmp_path, monkeypatch):
    seen, write = [], os.fsync

    def look(handle):
        found = os.fstat(handle)
        if stat.S_ISREG(found.st_mode):
            seen.append((stat.S_IMODE(found.st_mode), found.st_size))
        write(handle)

    monkeypatch.setattr(os, "fsync", look)
    disk.create(tmp_path / "one", b"a\nb", 0o644)
    assert (tmp_path / "one").read_bytes() == b"a\nb"
    assert len(seen) == 1 and seen[0][1] == 3
    if POSIX:
        assert seen == [(0o600, 3)]
        assert mode(tmp_path / "one") == 0o644


def test_a_file_that_is_there_is_not_written_over_by_create(tmp_path):
    (tmp_path / "one").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        disk.create(tmp_path / "one", b"new")
    assert (tmp_path / "one").read_bytes() == b"old"


def test_a_replaced_file_is_new_and_nothing_stays_beside(tmp_path):
    file = tmp_path / "one"
    file.write_bytes(b"old")
    disk.replace(file, b"new")
    assert (file.read_bytes(), [*tmp_path.iterdir()]) == (b"new", [file])
    assert not POSIX or mode(file) == 0o600


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch, call):
    file = tmp_path / "one"
    file.write_bytes(b"old")

    def full(*words):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "fsync") if call == "fsync" else (Path, "replace")), full)
    with pytest.raises(OSError, match="No space"):
        disk.replace(file, b"new")
    assert (file.read_bytes(), [*tmp_path.iterdir()]) == (b"old", [file])


def test_what_a_killed_run_left_beside_is_in_nobodys_way(tmp_path):
    file, left = tmp_path / "one", tmp_path / ".one.new"
    left.write_bytes(b"half")
    disk.replace(file, b"whole", beside=left)
    assert (file.read_bytes(), [*tmp_path.iterdir()]) == (b"whole", [file])


@pytest.mark.skipif(not POSIX, reason="Windows has no handle of a folder")
def test_the_name_is_on_the_disk_too(tmp_path, monkeypatch):
    kinds, real = [], os.fsync

    def noted(handle):
        kinds.append(stat.S_IFMT(os.fstat(handle).st_mode))
        real(handle)

    monkeypatch.setattr(os, "fsync", noted)
    disk.replace(tmp_path / "one", b"new")
    assert kinds == [stat.S_IFREG, stat.S_IFDIR]
