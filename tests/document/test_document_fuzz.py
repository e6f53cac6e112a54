"""Whatever stands in a document: a Document, or problems with their places; never another
exception."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kjpstate.document import load
from kjpstate.errors import DocumentError
from kjpstate.words import text as worded
from tests.support.words import codes

ROOT = Path(__file__).parents[2]
SEEDS = [path.read_bytes() for path in sorted((ROOT / "states").rglob("*.yaml"))]
TOKENS = [
    b"&a ", b"*a", b"!!python/object ", b"<<: ", b"---\n", b"...\n", b"%YAML 9.9\n", b"? ", b"| ", b">-\n",
    b"[", b"]", b"{",
    b"\t", b"\x00", b"\xff", b"\xef\xbb\xbf", b"'", b'"', b"\\", b": ", b"- ", b"#", b"\r", b"\n", b"${env:",
    b"}", b"${file:/x}", b"0644", b"1e999", b"2026-13-45", b"9" * 400, b"null", b"~", b"\xed\xa0\x80",
    b"../", b"\xe2\x80\xae",
]  # fmt: skip
MANY = settings(
    max_examples=5000 if os.environ.get("KJPSTATE_FULL") else 100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def verdict(data: bytes) -> None:
    try:
        load("fuzz.yaml", environ={}, text=data)
    except DocumentError as error:
        assert error.problems
        lines = data.count(b"\n") + data.count(b"\r") + 2
        for problem in error.problems:
            assert 1 <= problem.line <= lines
            assert problem.column >= 1
            assert problem.reason
            told = worded(problem.reason)
            assert "Traceback" not in told
            assert "\n" not in told or "document.double-encoded" in codes(problem.reason)


@MANY
@given(st.binary(max_size=200))
def test_bytes(data: bytes) -> None:
    verdict(data)


@MANY
@given(st.text(max_size=200))
def test_texts(text: str) -> None:
    verdict(text.encode("utf-8", "surrogatepass"))


@MANY
@given(st.sampled_from(SEEDS), st.data())
def test_documents_with_something_put_in_or_cut_out(seed: bytes, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(seed)))
        cut = data.draw(st.sampled_from([0, 0, 1, 2, 7, 40]))
        seed = seed[:at] + data.draw(st.sampled_from(TOKENS)) + seed[at + cut :]
    verdict(seed)


@MANY
@given(st.lists(st.sampled_from(TOKENS), max_size=40))
def test_tokens(tokens: list[bytes]) -> None:
    verdict(b"kjpstate: 1\n" + b"".join(tokens))


@pytest.mark.parametrize("name", ["__class__", "a" * 300, "/", "~", "0", "\u2028", "💥"])
def test_odd_keys(name: str) -> None:
    verdict(f'"{name}": {{"{name}": ["{name}"]}}\nhosts: {{"{name}": {{local: x}}}}\n'.encode())
