"""Prettier run over patched files: the blocks, their originals and the verdict `in sync` stay.

Needs npm once, for prettier itself; kept in `$KJPSTATE_TOOLS`.
"""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import pytest

from kjpstate.kinds.patch.listing import blocks_shown
from tests.support.npm import installed
from tests.support.patch_cases import Case, cases, run

pytestmark = pytest.mark.real
PRETTIER = "prettier@3.3.3"
STYLES = {
    "own": (),
    "standard": ("--no-semi", "--single-quote", "--trailing-comma=none", "--arrow-parens=avoid"),
    "narrow": ("--print-width=60", "--tab-width=4", "--single-quote", "--quote-props=consistent"),
    "odd": (
        "--experimental-ternaries",
        "--bracket-same-line",
        "--no-bracket-spacing",
        "--arrow-parens=avoid",
    ),
    "tabs": ("--use-tabs", "--single-quote", "--no-semi", "--jsx-single-quote"),
    "wide": ("--print-width=140", "--use-tabs", "--end-of-line=crlf", "--trailing-comma=all"),
}


@pytest.fixture(scope="session")
def prettier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, of the pinned version."""
    tools = installed(tmp_path_factory.mktemp("tools"), "prettier", PRETTIER)
    return tools / "node_modules/prettier/bin/prettier.cjs"


@cache
def patched() -> list[tuple[Case, bytes]]:
    """Every case that is applied, with the file as it is then."""
    found = [(case, run(case.spec, case.content)) for case in cases() if case.result == "applied"]
    return [(case, after) for case, after in found if isinstance(after, bytes)]


@pytest.mark.parametrize("style", STYLES)
def test_a_formatted_file_is_in_sync(prettier: Path, style: str, tmp_path: Path) -> None:
    files = {}
    for case, after in patched():
        file = tmp_path / f"{case.name}{Path(case.spec.path).suffix}"
        file.write_bytes(after)
        files[case.name] = file
    command = ["node", str(prettier), "--write", "--no-config", *STYLES[style], str(tmp_path)]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    changed = 0
    for case, after in patched():
        formatted = files[case.name].read_bytes()
        changed += formatted != after
        assert run(case.spec, formatted) is None, case.name
        before, _ = blocks_shown(after, case.spec.path, "pc")
        blocks, problems = blocks_shown(formatted, case.spec.path, "pc")
        assert not problems
        assert [(block.name, block.original, block.by_hand) for block in blocks] == [
            (block.name, block.original, block.by_hand) for block in before
        ], case.name
    assert changed > 20
