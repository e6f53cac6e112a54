"""Properties of the kind `patch` over made-up files: only blocks change, twice is once, out is out."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kjpstate.model import Refuse
from tests.support.patch_cases import ROOT, owner_edits, run, spec_of, without_blocks

QUICK = settings(
    max_examples=2000 if os.environ.get("KJPSTATE_FULL") else 25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

WORDS = st.sampled_from(
    ["halo", "selamat", "⛔ keluar", "it''s", "{", "// no comment", "ünïcode", "👋🏽", "kjpstate"]
)
SIMPLE = st.one_of(
    WORDS.map(lambda word: f"console.log(`{word}`);"),
    WORDS.map(lambda word: f"// {word}"),
    WORDS.map(lambda word: f"/* {word}\n   and more */"),
    WORDS.map(lambda word: f"send(`first\n  ${{name}} {word}\n`);"),
    st.sampled_from(
        ["await tick();", "x ||= /[/'\"]/.test(y);", "", "for (const i of list) go(i);", "done();  "]
    ),
)
STYLES = st.fixed_dictionaries(
    {
        "semicolons": st.booleans(),
        "quote": st.sampled_from(["'", '"']),
        "step": st.sampled_from(["  ", "    ", "\t"]),
        "ending": st.sampled_from(["\n", "\r\n"]),
        "bom": st.booleans(),
        "final": st.booleans(),
        "braces": st.booleans(),
        "export": st.sampled_from(["", "export ", "export default "]),
    }
)

ANCHORED: list[dict[str, Any]] = [
    {
        "id": "before",
        "insert_before": "async function connect(",
        "scope": "module",
        "content": "let tries = 0;",
    },
    {
        "id": "top",
        "insert_inside": "if (status === 'open') {",
        "content": "tries = 0; // back to zero\n\nagain();",
    },
    {"id": "end", "insert_inside": "if (status === 'open') {", "at": "end", "content": "const t = `a\n  b`;"},
    {
        "id": "retry",
        "replace": [
            "if (retry) connect();\nelse stop($$$);",
            "if (retry) { connect(); } else { stop($$$); }",
        ],
        "content": "if (retry && tries++ < 5) {\n  connect();\n} else {\n  stop('x');\n}",
    },
    {
        "id": "after",
        "insert_after": "start($$$);",
        "scope": "module",
        "content": "// the last word\ntries += 0;",
    },
    {"id": "state", "insert_after": "imports", "content": "let last = Date.now();"},
]


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A bot's file in some style, with all the anchors of ANCHORED in it and noise between them."""
    style = draw(STYLES)
    noise = lambda: draw(st.lists(SIMPLE, max_size=3))  # noqa: E731
    retry = ["if (retry) connect();", "else stop('logged out', [1, 2]);"]
    if style["braces"]:
        retry = ["if (retry) {", "+connect();", "} else {", "+stop('logged out', [1, 2],);", "}"]
    inner = [
        *noise(),
        "if (status === 'close') {",
        *(f"+{line}" for line in [*noise(), *retry, *noise()]),
        "} else if (status === 'open') {",
        *(f"+{line}" for line in [*noise(), "ready = true;", *noise()]),
        "}",
        *noise(),
    ]
    lines = [
        "import { connectIt } from 'it';",
        "",
        *noise(),
        f"{style['export']}async function connect(a) {{",
    ]
    lines += [*(f"+{line}" for line in inner), "}", *noise(), "start('now');"]
    return _styled(lines, style)


def _styled(lines: list[str], style: dict[str, Any]) -> bytes:
    text = "\n".join(_indented(line, style["step"]) for line in lines)
    if not style["semicolons"]:
        text = "\n".join(line.removesuffix(";") for line in text.split("\n"))
    text = text.replace("'open'", f"{style['quote']}open{style['quote']}")
    text = text + "\n" if style["final"] else text
    return ("\ufeff" * style["bom"] + text.replace("\n", style["ending"])).encode()


def _indented(line: str, step: str) -> str:
    depth = len(line) - len(line.lstrip("+"))
    return step * depth + line[depth:] if line[depth:] else ""


@QUICK
@given(files(), st.sets(st.sampled_from(range(len(ANCHORED))), min_size=1))
def test_once_twice_and_out_again(content: bytes, chosen: set[int]) -> None:
    spec = spec_of([ANCHORED[number] for number in sorted(chosen)])
    after = run(spec, content)
    assert isinstance(after, bytes), after
    assert run(spec, after) is None
    assert without_blocks(after) == content
    assert run({**spec, "state": "absent"}, after) == content


@QUICK
@given(files(), st.permutations(range(len(ANCHORED))))
def test_edits_added_one_by_one_come_out_again(content: bytes, order: list[int]) -> None:
    after = content
    for count in range(1, len(order) + 1):
        spec = spec_of([ANCHORED[number] for number in sorted(order[:count])])
        step = run(spec, after)
        assert isinstance(step, bytes), step
        assert without_blocks(step) == content
        after = step
    assert run({**spec, "state": "absent"}, after) == content


@QUICK
@given(
    files(), st.sampled_from(["tries = 1;", "if (a) {\n  b();\n}", "// nothing", "", "x(`\n`);"]), st.data()
)
def test_new_content_changes_blocks_only(content: bytes, text: str, data: st.DataObject) -> None:
    number = data.draw(st.sampled_from(range(1, len(ANCHORED))))
    first = run(spec_of(ANCHORED), content)
    assert isinstance(first, bytes)
    spec = spec_of([edit | ({"content": text} if at == number else {}) for at, edit in enumerate(ANCHORED)])
    second = run(spec, first)
    assert isinstance(second, bytes), second
    assert run(spec, second) is None
    assert without_blocks(second) == content
    assert run({**spec, "state": "absent"}, second) == content


@QUICK
@given(files(), st.sampled_from(["tries", "retry", "status", "connect"]), st.data())
def test_a_hand_edit_anywhere_leaves_the_rest_alone(content: bytes, word: str, data: st.DataObject) -> None:
    spec = spec_of(ANCHORED)
    first = run(spec, content)
    assert isinstance(first, bytes)
    places = [at for at in range(len(first)) if first.startswith(word.encode(), at)]
    at = data.draw(st.sampled_from(places))
    touched = first[:at] + b"other" + first[at + len(word) :]
    found = run(spec, touched)
    if isinstance(found, bytes):
        assert without_blocks(found) == without_blocks(touched)
        assert run(spec, found) is None


def _owner_patched() -> tuple[dict[str, Any], bytes]:
    bot = next((ROOT / "tests" / "cases" / "patch").glob("owner-plan.yaml"))
    text = bot.read_text("utf-8").split("source: |2\n", 1)[1]
    content = "".join(line[2:] if line.strip() else line for line in text.splitlines(keepends=True)).encode()
    spec = spec_of(owner_edits())
    after = run(spec, content)
    assert isinstance(after, bytes)
    return spec, after


SPEC, PATCHED = _owner_patched()
LINES = PATCHED.splitlines(keepends=True)
MARKERS = [number for number, line in enumerate(LINES) if b"// kjpstate:" in line]


@pytest.mark.parametrize("number", MARKERS)
def test_a_lost_marker_line_is_refused(number: int) -> None:
    found = run(SPEC, b"".join([*LINES[:number], *LINES[number + 1 :]]))
    assert isinstance(found, Refuse)
    assert found.rule in ("markers-broken", "original-tampered")


@pytest.mark.parametrize("number", MARKERS)
def test_a_doubled_marker_line_is_refused(number: int) -> None:
    found = run(SPEC, b"".join([*LINES[: number + 1], *LINES[number:]]))
    assert isinstance(found, Refuse)
    assert found.rule in ("markers-broken", "original-tampered")


@pytest.mark.parametrize("number", MARKERS)
@pytest.mark.parametrize(
    ("old", "new"),
    [(b"// kjpstate:", b"/// kjpstate:"), (b"kjpstate:", b"kjpstate: "), (b"// kjp", b"0; // kjp")],
)
def test_a_marker_line_written_otherwise_is_refused(number: int, old: bytes, new: bytes) -> None:
    lines = [*LINES[:number], LINES[number].replace(old, new, 1), *LINES[number + 1 :]]
    found = run(SPEC, b"".join(lines))
    assert isinstance(found, Refuse)
    assert found.rule in ("markers-broken", "original-tampered")


@pytest.mark.parametrize("number", range(len(LINES)))
def test_any_lost_line_is_mended_refused_or_somebody_elses(number: int) -> None:
    content = b"".join([*LINES[:number], *LINES[number + 1 :]])
    found = run(SPEC, content)
    if isinstance(found, bytes):
        assert without_blocks(found) == without_blocks(content)
        assert run(SPEC, found) is None


def test_the_time_grows_with_the_file_and_no_faster() -> None:
    filler = b"export function f(a: A): void {\n  if (a.b) { c(a, ['d', 1]); }\n  else e(`${a}`);\n}\n"
    times = []
    for count in (120, 960):
        content = without_blocks(PATCHED).replace(b"async function", filler * count + b"async function", 1)
        before = time.process_time()
        assert isinstance(run(SPEC, content), bytes)
        times.append(time.process_time() - before)
    assert times[1] < 24 * times[0]  # eight times the lines; a square would be 64
