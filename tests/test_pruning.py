"""Which backups may go: by count, by age, both; never the first original and the last run's. The
ledger."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kjpstate.errors import Failed
from kjpstate.formats.tree import is_backup
from kjpstate.undo.ledger import Kept, of_run, originals, parse
from kjpstate.undo.pruning import doomed, made


def kept(run: int, path: str, day: int) -> Kept:
    id = f"{run:06x}"
    return Kept(id, path, f"{path}.backup.202601{day:02d}T000000Z-{id}", "0" * 64, "file")


ROWS = tuple(
    kept(run, path, run) for run in range(1, 7) for path in ("/a", "/b") if (run, path) != (1, "/b")
)


def runs(rows: tuple[Kept, ...], path: str) -> list[int]:
    return [int(row.run, 16) for row in rows if row.path == path]


@pytest.mark.parametrize(
    ("keep", "since", "a", "b"),
    [
        (None, None, [], []),
        (1, None, [2, 3, 4, 5], [3, 4, 5]),
        (3, None, [2, 3], [3]),
        (99, None, [], []),
        (None, "20260104T000000Z", [2, 3], [3]),
        (None, "20270101T000000Z", [2, 3, 4, 5], [3, 4, 5]),
        (4, "20260104T000000Z", [2], []),
        (2, "20260103T000000Z", [2], []),
    ],
)
def test_what_goes(keep: int | None, since: str | None, a: list[int], b: list[int]):
    found = doomed(ROWS, keep=keep, since=since)
    assert (runs(found, "/a"), runs(found, "/b")) == (a, b)


def test_a_name_without_a_time_stays():
    odd = Kept("000002", "/a", "/a.orig", "0" * 64, "file")
    assert odd not in doomed((*ROWS, odd, kept(7, "/a", 7)), keep=1, since=None)
    assert made("/a.orig") == "" and made("/a.backup.20260101T000000Z-abcdef") == "20260101T000000Z"


ROW = st.builds(kept, st.integers(1, 9), st.sampled_from(["/a", "/b", "/c/"]), st.integers(1, 28))


@given(
    st.lists(ROW, max_size=30),
    st.none() | st.integers(1, 9),
    st.none() | st.integers(1, 28).map(lambda day: f"202601{day:02d}T000000Z"),
)
def test_first_originals_and_the_last_run_never_go(
    rows: list[Kept], keep: int | None, since: str | None
):
    found = doomed(rows, keep=keep, since=since)
    assert not {row.backup for row in originals(rows).values()} & {row.backup for row in found}
    assert not rows or rows[-1].run not in {row.run for row in found}
    assert set(found) <= set(rows)


def test_the_ledger_is_read_and_a_damaged_one_is_named():
    text = "".join(row.line() for row in ROWS).encode()
    assert parse("stb", text) == ROWS
    assert parse("stb", None) == ()
    assert of_run(ROWS, "000002") == {"/a": kept(2, "/a", 2), "/b": kept(2, "/b", 2)}
    with pytest.raises(Failed, match="on stb is damaged in line 12"):
        parse("stb", text + b"half a li")


@pytest.mark.parametrize(
    ("name", "fine"),
    [
        ("/etc/x.backup.20260101T000000Z-abcdef", True),
        ("/etc/x.backup.20260101T000000Z-abcdee", False),
        ("/etc/.backup.20260101T000000Z-abcdef", False),
        ("/etc/x.backup.20260101T000000Z-abcdef/y", False),
        ("/etc/x.backup.2026T0Z-abcdef", False),
        ("/", False),
    ],
)
def test_the_name_of_a_backup_of_one_run(name: str, fine: bool):
    assert is_backup(name, "abcdef") is fine


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\r", "\x0b", "\udcff"])
def test_a_row_of_the_ledger_ends_at_a_line_end_only(sign: str) -> None:
    row = kept(1, f"/srv/a{sign}b/dist", 1)
    assert parse("stb", row.line().encode("utf-8", "surrogateescape")) == (row,)
