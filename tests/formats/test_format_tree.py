"""formats.tree: our names, safe stamp names, digests, and stamps that may be damaged."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kjpstate.formats import tree as trees
from kjpstate.formats.digests import digest_of
from kjpstate.model import Clock, Tree, TreeFile, Unreadable


@pytest.mark.parametrize(
    "name",
    [
        "wa.ts.backup.20260226T101010Z-1f3a9c",
        "dist.backup.20260226T101010Z-1f3a9c/wa.js",
        "src/wa.ts.backup.20260226T101010Z-1f3a9c",
        ".wa.ts.kjpstate-new.1f3a9c",
        "dist.kjpstate-new.1f3a9c/wa.js",
    ],
)
def test_our_names_are_known(name: str) -> None:
    assert trees.ours(name)


@pytest.mark.parametrize(
    "name",
    [
        "wa.ts",
        "kjpstate.yaml",
        "wa.ts.backup",
        "wa.ts.backup.20260226_101010",
        "wa.ts.backup.20260226T101010Z-1f3a9c.bak",
        "backup.20260226T101010Z-1f3a9c",
        ".kjpstate-notes",
    ],
)
def test_other_names_are_not_ours(name: str) -> None:
    assert not trees.ours(name)


def test_a_stamp_name_is_readable_and_the_same_with_and_without_the_final_slash() -> None:
    name = trees.stamp_name("tree", "/root/bot-kjp/dist/")
    assert name == trees.stamp_name("tree", "/root/bot-kjp/dist")
    assert name.startswith("tree-root-bot-kjp-dist-") and name.endswith(".json")


@given(st.text(max_size=300), st.text(max_size=300))
def test_stamp_names_are_safe_everywhere_and_differ_when_the_paths_do(one: str, other: str) -> None:
    name = trees.stamp_name("tree", one)
    assert len(name) < 80 and set(name) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
    )
    assert (name == trees.stamp_name("tree", other)) == (one.rstrip("/") == other.rstrip("/"))


def test_digests_come_in_the_order_of_the_paths() -> None:
    found = trees.digests(Tree("/d/", {"b": TreeFile("2", 1, 0o644), "a": TreeFile("1", 1, 0o644)}))
    assert list(found.items()) == [("a", "1"), ("b", "2")]
    assert trees.digests(None) == {}


@given(st.dictionaries(st.text(), st.text(), max_size=5))
def test_a_digest_does_not_depend_on_the_order_of_keys(files: dict[str, str]) -> None:
    backwards = dict(reversed(list(files.items())))
    assert digest_of(files) == digest_of(backwards)


def test_below_takes_a_folder_and_makes_its_paths_relative_to_it() -> None:
    files = {"dist/a.js": "1", "dist/b/c.js": "2", "distant.js": "3"}
    assert (
        trees.below(files, "dist/") == trees.below(files, "./dist") == {"a.js": "1", "b/c.js": "2"}
    )
    assert trees.below(files, "./") == files


@pytest.mark.parametrize(
    ("path", "paths", "answer"),
    [
        ("src/wa.ts", ("src/",), True),
        ("src/wa.ts", ("./src/",), True),
        ("srcs/wa.ts", ("src/",), False),
        ("src", ("src/",), False),
        ("package.json", ("package.json",), True),
        ("package.json5", ("package.json",), False),
        ("anything/at/all", ("./",), True),
        ("anything", (), False),
    ],
)
def test_covered(path: str, paths: tuple[str, ...], answer: bool) -> None:
    assert trees.covered(path, paths) is answer


@pytest.mark.parametrize(
    "answer",
    [None, Unreadable("no permission"), b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b"null"],
)
def test_a_damaged_stamp_is_no_stamp(answer: bytes | Unreadable | None) -> None:
    assert trees.read_stamp(answer) is None


@pytest.mark.parametrize(
    ("values", "files", "clock"),
    [
        (
            {"files": {"b": "2", "a": "1"}, "clock": {"boot_id": "x", "uptime": "1.5"}},
            {"a": "1", "b": "2"},
            Clock("x", "1.5"),
        ),
        ({"files": [], "clock": {"boot_id": "x"}}, None, None),
        ({"files": {"a": 1}, "clock": "1.5"}, None, None),
        ({}, None, None),
    ],
)
def test_what_a_stamp_says_is_taken_only_when_it_has_the_right_shape(
    values: object, files: dict[str, str] | None, clock: Clock | None
) -> None:
    stamp = trees.read_stamp(json.dumps(values).encode())
    assert trees.stamped_files(stamp) == files
    assert trees.stamped_clock(stamp) == clock


NAMES = st.binary(min_size=1, max_size=40).map(lambda name: name.decode(*trees.AS_BYTES))


@given(NAMES)
def test_a_folded_name_is_one_line_and_comes_back(name: str) -> None:
    assert not {"\n", "\r"} & set(trees.folded(name))
    assert trees.unfolded(trees.folded(name)) == name


@pytest.mark.parametrize(
    ("name", "fine"),
    [
        ("a.js", True),
        ("lib/a b\t'\"$*.js", True),
        ("caf\udce9.jpg", True),
        ("...", True),
        ("-rf", True),
        ("x" * 255, True),
        ("cr\r", True),
        ("", False),
        ("/etc/passwd", False),
        ("../a", False),
        ("a/../../b", False),
        ("a//b", False),
        ("./a", False),
        ("a/", False),
        ("line\nend", False),
        ("back\\slash", False),
        ("nul\0", False),
        ("\ud800", False),
    ],
)
def test_names_that_can_be_laid(name: str, fine: bool) -> None:
    assert trees.layable(name) == fine


def test_a_listing_is_known_by_what_sha256sum_prints() -> None:
    files = {"a.js": "1" * 64, "back\\slash": "2" * 64, "line\nend": "3" * 64, "\udcff": "4" * 64}
    printed = (
        f"\\{'2' * 64}  ./back\\\\slash\n\\{'3' * 64}  ./line\\nend\n{'1' * 64}  ./a.js\n".encode()
        + b"4" * 64
        + b"  ./\xff\n"
    )
    expected = sha256(b"".join(sorted(printed.splitlines(keepends=True)))).hexdigest()
    assert trees.listing_digest(files) == expected
