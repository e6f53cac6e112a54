"""Each file of tests/cases/documents is wrong; its first lines (`#!
LINE:COLUMN: reason`) say how."""

from pathlib import Path

import pytest

from kjpstate.document import load
from kjpstate.errors import DOCUMENT, DocumentError

FOLDER = Path(__file__).parent.parent / "cases" / "documents"
CASES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_says_every_problem_with_its_place(path: Path) -> None:
    data = path.read_bytes()
    expected = [
        line[3:] for line in data.decode("utf-8", "ignore").splitlines() if line.startswith("#! ")
    ]
    with pytest.raises(DocumentError) as caught:
        load("document.yaml", environ={"HOME": "/home/u"}, text=data)
    assert [str(problem) for problem in caught.value.problems] == [
        f"document.yaml:{line}" for line in expected
    ]
    assert expected
    assert caught.value.exit_code == DOCUMENT


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 40


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            "kjpstate: 1\n".encode("utf-16"),
            "document.yaml:1:1: not UTF-8 text; save the file as UTF-8",
        ),
        (b"# " + b"x" * 1024 * 1024, "document.yaml:1:1: the document is larger than 1024 KiB"),
        (
            b"kjpstate: 1\nchecks: [" + b"1, " * 20_000 + b"]\n",
            "document.yaml:2:59995: the document goes beyond 20000 values",
        ),
        (b"[" * 100, "document.yaml:1:33: the document goes deeper than 32 levels"),
        (b"kjpstate: 1\na: " + b"9" * 5000 + b"\n", "document.yaml:2:1: unknown key `a`"),
    ],
    ids=["utf-16", "too-large", "too-many", "too-deep", "huge-number"],
)
def test_limits(data: bytes, expected: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load("document.yaml", environ={}, text=data)
    assert str(caught.value.problems[0]).startswith(expected)


def test_far_too_deep_is_the_same_sentence() -> None:
    """PyYAML 6.0.4's libyaml has a limit of its own, which it meets while it looks ahead."""
    with pytest.raises(DocumentError, match=r":1:\d+: the document goes deeper than 32 levels$"):
        load("document.yaml", environ={}, text=b"[" * 1_000_000)
