"""Each file of tests/cases/documents says in its first lines what a person is told of it."""

from pathlib import Path

import pytest

from tests.document.test_document_cases import CASES, expected, problems


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_says_every_problem_with_its_place(path: Path) -> None:
    told = [str(problem) for problem in problems(path.read_bytes()).problems]
    assert told == [f"document.yaml:{place}: {text}" for place, text, _ in expected(path)]
