"""docs/field-cases.md and tests/field/ name the same tests. Needs neither root nor a box."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CELL = re.compile(r"`(test_\w+)(?:\[[^`]*\])?`")


def rows() -> list[list[str]]:
    """Cells of each row of the page's tables, their heads left out."""
    text = (ROOT / "docs/field-cases.md").read_text("utf-8")
    found = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in text.splitlines()
        if line[:2] == "| "
    ]
    return [cells for cells in found if cells[0] != "fault"]


def names_of_tests() -> set[str]:
    found = set()
    for path in (ROOT / "tests/field").glob("test_field_*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        found |= {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_"
        }
    return found


def test_each_row_says_what_was_and_names_a_test() -> None:
    for fault, then, test in rows():
        assert fault and then, (fault, then)
        named = CELL.findall(test)
        assert named, f"no test is named for: {fault}"
        assert set(named) <= names_of_tests(), f"no such test: {set(named) - names_of_tests()}"
