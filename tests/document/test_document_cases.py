"""Each file of tests/cases/documents is wrong; its first lines say how.

`#! LINE:COLUMN: what is told   [the codes of it]`
"""

import re
from pathlib import Path

import pytest

from kjpstate.document import load
from kjpstate.errors import DOCUMENT, DocumentError
from kjpstate.said import Said, say
from tests.support.words import codes

FOLDER = Path(__file__).parent.parent / "cases" / "documents"
CASES = sorted(FOLDER.glob("*.yaml"))
_NOTE = re.compile(r"#! (?P<place>\d+:\d+): (?P<text>.*?)(   \[(?P<codes>[^\]]+)\])?")


def expected(path: Path) -> list[tuple[str, str, str]]:
    """(place, what is told, its codes) of each problem."""
    lines = path.read_bytes().decode("utf-8", "ignore").splitlines()
    found = [_NOTE.fullmatch(line) for line in lines if line.startswith("#! ")]
    return [(note["place"], note["text"], note["codes"] or "") for note in found if note]


def problems(data: bytes) -> DocumentError:
    """What `load` says of a document that is wrong."""
    with pytest.raises(DocumentError) as caught:
        load("document.yaml", environ={"HOME": "/home/u"}, text=data)
    return caught.value


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_finds_every_problem_at_its_place(path: Path) -> None:
    error = problems(path.read_bytes())
    found = [
        (f"{problem.line}:{problem.column}", " ".join(codes(problem.reason)))
        for problem in error.problems
    ]
    assert found == [(place, noted) for place, _, noted in expected(path)]
    assert found
    assert error.exit_code == DOCUMENT


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 40


@pytest.mark.parametrize(
    ("data", "place", "reason"),
    [
        (
            "kjpstate: 1\n".encode("utf-16"),
            (1, 1),
            say("document.utf-16"),
        ),
        (b"# " + b"x" * 1024 * 1024, (1, 1), say("document.too-large", most=1024)),
        (
            b"kjpstate: 1\nchecks: [" + b"1, " * 20_000 + b"]\n",
            (2, 59995),
            say("document.too-many", most=20000),
        ),
        (b"[" * 100, (1, 33), say("document.too-deep", most=32)),
        (b"kjpstate: 1\na: " + b"9" * 5000 + b"\n", (2, 1), "document.unknown-key-of"),
    ],
    ids=["utf-16", "too-large", "too-many", "too-deep", "huge-number"],
)
def test_limits(data: bytes, place: tuple[int, int], reason: Said | str) -> None:
    first = problems(data).problems[0]
    assert (first.file, first.line, first.column) == ("document.yaml", *place)
    assert isinstance(first.reason, Said) and reason in (first.reason, first.reason.code)


def test_far_too_deep_is_the_same_problem() -> None:
    """PyYAML 6.0.4's libyaml has a limit of its own, which it meets while it looks ahead."""
    (problem,) = problems(b"[" * 1_000_000).problems
    assert problem.line == 1 and problem.reason == say("document.too-deep", most=32)
