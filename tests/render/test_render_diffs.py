"""`--diff`: rows as they change; environment values and named secrets of old files never show."""

from __future__ import annotations

import pytest

from kjpstate.model import Plan, WriteFile
from kjpstate.render.diffs import diff_lines
from kjpstate.render.lines import text_of
from kjpstate.render.masks import mask_for
from tests.support.screens import change


def diff(before: bytes | None, after: bytes | None, address: str = "dns", secrets=()) -> str:
    """The diff of one WriteFile."""
    plan = Plan(
        "d", (change(address, "stb", "~", "", actions=(WriteFile("stb", "/f", before, after),)),)
    )
    mask = mask_for(secrets)
    return text_of(diff_lines(plan, mask), mask)


def test_rows_with_context():
    before = "".join(f"{n}\n" for n in range(1, 21)).encode()
    assert diff(before, before.replace(b"10\n", b"ten\n")) == (
        "--- stb:/f\n+++ stb:/f\n@@ -7,7 +7,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13\n\n"
    )


def test_new_removed_and_binary():
    assert diff(None, b"a\n") == "--- (none)\n+++ stb:/f\n@@ -0,0 +1 @@\n+a\n\n"
    assert diff(b"a\n", None) == "--- stb:/f\n+++ (removed)\n@@ -1 +0,0 @@\n-a\n\n"
    assert "not text: 3 bytes -> 2 bytes" in diff(b"\0ab", b"ab")
    assert "not text: 1 bytes -> 2 bytes" in diff(b"\xff", b"ab")


def test_windows_line_ends_are_no_noise():
    assert diff(b"a\r\nb\r\n", b"a\r\nc\r\n").splitlines()[2:6] == [
        "@@ -1,2 +1,2 @@",
        " a",
        "-b",
        "+c",
    ]


@pytest.mark.parametrize(
    "old",
    [
        "module.exports = {apps: [{name: 'b', env: {WORD: 'hunter22', MODE: 'production'}}]};\n",
        "env: {\n  WORD: 'hunter22',\n  MODE: 'production',\n}\n",
        'env_production: { "WORD": "hunter22 with } and , inside", MODE: "production" }\n',
        "env: { WORD: `hunter22`, nested: { A: 'hunter22' }\n",
        "env: { WORD: hunter22\n",
    ],
)
def test_the_environment_of_a_foreign_ecosystem_is_hidden(old):
    shown = diff(old.encode(), b"env: {MODE: 'production'}\n", "pm2_ecosystem")
    assert "hunter22" not in shown
    assert "(hidden)" in shown
    assert "production" in shown


@pytest.mark.parametrize(
    "old", ["API_KEY=abc123xyz", "botToken: 'abc123xyz'", 'password = "abc123xyz"']
)
def test_a_value_that_is_named_a_secret_is_hidden_in_any_old_file(old):
    assert "abc123xyz" not in diff(f"{old}\n".encode(), b"other\n")


def test_a_secret_over_several_rows_hides_both_texts():
    assert "several lines" in diff(
        b"a\n", b"x\nkey one\nkey two\ny\n", secrets=["key one\nkey two"]
    )
