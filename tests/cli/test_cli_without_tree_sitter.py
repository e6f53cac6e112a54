"""A machine for which there is no tree-sitter (32-bit ARM): one sentence, never an ImportError."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Python runs it at every start: whoever imports tree-sitter is told that there is none.
BLOCKED = """
import sys

class NoTreeSitter:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tree_sitter", "tree_sitter_typescript"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoTreeSitter())
"""
DOCUMENT = """kjpstate: 1
name: little
hosts: {pc: {local: .}}
patches:
  - {host: pc, file: wa.ts, set: one, edits: [{id: a, insert_before: "go();", content: "wait();"}]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sitecustomize.py").write_text(BLOCKED, "utf-8")
    (tmp_path / "kjpstate.yaml").write_text(DOCUMENT, "utf-8")
    (tmp_path / "wa.ts").write_text("go();\n", "utf-8")
    return tmp_path


def kjpstate(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "kjpstate", *argv],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("plan",), 8),
        (("apply", "--yes"), 8),
        (("drift",), 8),
        (("patch", "show", "wa.ts"), 8),
        (("patch", "keep", "patch.one"), 8),
        (("validate",), 0),
    ],
)
def test_a_document_with_patches_says_so(folder: Path, argv: tuple[str, ...], code: int) -> None:
    done = kjpstate(folder, *argv)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == code, said
    assert "can't be read without tree-sitter (No module named 'tree_sitter')" in said
    assert "no-tree-sitter" in said
    assert "Traceback" not in said and "ImportError" not in said
    assert (folder / "wa.ts").read_text("utf-8") == "go();\n"


def test_a_document_without_patches_needs_none(folder: Path) -> None:
    text = DOCUMENT.partition("patches:")[0] + "checks: [{name: look, manual: Look at it.}]\n"
    (folder / "kjpstate.yaml").write_text(text, "utf-8")
    assert kjpstate(folder, "plan").returncode == 0
    assert kjpstate(folder, "validate").stderr == ""
