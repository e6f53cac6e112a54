"""Secrets and control characters: a planted secret never appears on a screen,
in a diff or in JSON."""

from __future__ import annotations

import base64
import json
import shlex
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kjpstate.errors import Failed
from kjpstate.model import Advice, AdviceAt, Plan, Refuse, WriteFile
from kjpstate.render.as_json import error_json, plan_json
from kjpstate.render.diffs import diff_lines
from kjpstate.render.drifts import drift_lines
from kjpstate.render.lines import Line, text_of
from kjpstate.render.masks import clean, mask_for, plain
from kjpstate.render.plans import plan_lines
from kjpstate.secret import HIDDEN, Secret, shortened
from tests.support.screens import at, change, owner_head

START = "S3KR1T"
SECRETS = st.text(
    st.characters(
        codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp"), include_characters="\n\t'\"\\"
    ),
    min_size=6,
    max_size=40,
).map(lambda text: f"{START}{text.strip()}9Z")


def planted(secret: str) -> Plan:
    """The secret in every place of a plan that holds foreign text."""
    old = f"env: {{ TOKEN: {json.dumps(secret)} }}\n{secret}\n".encode()
    new = f"env: {{ TOKEN: {json.dumps('x' + secret)} }}\n".encode()
    return Plan(
        "bot",
        (
            change(
                "dns", "stb", "~", f"head {secret}", notes=[f"note  {'.' * 80}{secret}"],
                before={"a": secret}, after={"a": f"x{secret}y", "b": [secret, {"c": secret}]},
                actions=(WriteFile("stb", "/f", old, new),),
            ),
            change("build", "stb", "~", "", after={"key": secret, "long": "." * 52 + secret}),
            change("deploy", "stb", "!", "", refusal=Refuse("r", f"why {secret}", (secret,), secret)),
        ),
        advice=(AdviceAt(Advice("r", f"since {secret}", secret), "dns", at(3)),),
        unreachable={"box": f"said {secret}"},
        unmanaged=(secret,),
    )  # fmt: skip


@given(SECRETS)
def test_a_planted_secret_is_on_no_screen(secret):
    plan, mask = planted(secret), mask_for([secret])
    screens = (
        plan_lines(plan, owner_head(), mask),
        drift_lines(plan, mask),
        diff_lines(plan, mask),
    )
    for text in (text_of(screen, mask, width=10_000) for screen in screens):
        assert HIDDEN in text or "are not shown" in text
        for row in {secret, *secret.splitlines()}:
            assert row.strip() not in text or len(row.strip()) < 4
        assert START not in text


@given(SECRETS)
def test_a_planted_secret_is_in_no_json(secret):
    plan, mask = planted(secret), mask_for([secret])
    for value in (plan_json(plan, mask, exit_code=2), error_json(Failed(secret, secret), mask)):
        assert secret not in list(leaves(value))
        assert not any(secret in leaf for leaf in leaves(value))


def leaves(value):
    """Every text in a JSON value."""
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize(
    ("secrets", "text", "shown"),
    [
        (["abcd", "abcdefgh"], "abcdefgh abcd", "(hidden) (hidden)"),
        (["s3cr3t"], "xs3cr3ty", "x(hidden)y"),
        (["1"], "10 is not 1", "10 is not (hidden)"),
        (['pa"ss\nword'], r'{"a": "pa\"ss\nword"}', '{"a": "(hidden)"}'),
        (["first line\nsecond line"], "only second line here", "only (hidden) here"),
        (["p@ss word"], "http://u:p%40ss%20word@h", "http://u:(hidden)@h"),
        (["päss"], r"p\u00e4ss", "(hidden)"),
        ([""], "nothing", "nothing"),
        (["..."], "a...b", "a...b"),
    ],
)
def test_masks(secrets, text, shown):
    assert mask_for(secrets)(text) == shown


def test_a_stray_secret_stays_shut():
    assert plain({"a": Secret("value"), "b": object}, mask_for(()))["a"] == HIDDEN


def test_what_steers_a_terminal_is_made_visible():
    assert clean("a\x1b[2Jb\rc\u202ed\te\nf\x9b") == "a\\x1b[2Jb\\rc\\u202ed\te\nf\\x9b"
    assert text_of([Line("x\x1b]0;title\x07")]) == "x\\x1b]0;title\\x07\n"


def test_our_own_words_are_not_masked():
    assert text_of([Line("Plan: 1 to add", ours=True)], mask_for(["1"])) == "Plan: 1 to add\n"


@pytest.mark.parametrize("most", range(20, 41))
def test_what_a_secret_began_with_is_hidden_where_a_text_was_cut(most):
    secret = "hunter2 'quoted' value"
    shown = mask_for([secret])(shortened(f"the program said {secret}, and more", most))
    assert shown == f"the program said {HIDDEN}…" or not any(
        part in shown for part in ("hunt", "value")
    )
    assert (
        mask_for([secret])("hunter is a word, and … is a sign")
        == "hunter is a word, and … is a sign"
    )


def test_base64_of_a_secret_and_its_shell_quoting_are_hidden():
    secret = "it's a s3cret?"
    for text in (
        shlex.quote(secret),
        base64.b64encode(secret.encode()).decode(),
        quote_plus(secret),
    ):
        assert HIDDEN in mask_for([secret])(text) and "s3cret" not in mask_for([secret])(text)
