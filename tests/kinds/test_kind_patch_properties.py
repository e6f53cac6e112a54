"""Properties of the kind `patch` over made-up files: only blocks change, twice
is once, out is out."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kjpstate.kinds.patch.spec import Spec
from kjpstate.model import Refuse
from tests.support.patch_cases import ROOT, owner_edits, run, spec_of, without_blocks

WHOLE = bool(os.environ.get("KJPSTATE_FULL"))
QUICK = settings(
    max_examples=2000 if WHOLE else 25,
    derandomize=not WHOLE,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
Counted: TypeAlias = Callable[[str, int], None]

WORDS = st.sampled_from(
    ["halo", "selamat", "⛔ keluar", "it''s", "{", "// no comment", "ünïcode", "👋🏽", "kjpstate"]
)
SIMPLE = st.one_of(
    WORDS.map(lambda word: f"console.log(`{word}`);"),
    WORDS.map(lambda word: f"// {word}"),
    WORDS.map(lambda word: f"/* {word}\n   and more */"),
    WORDS.map(lambda word: f"send(`first\n  ${{name}} {word}\n`);"),
    st.sampled_from(
        [
            "await tick();",
            "x ||= /[/'\"]/.test(y);",
            "",
            "for (const i of list) go(i);",
            "done();  ",
        ]
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
        "allman": st.booleans(),
        "wrapped": st.booleans(),
        "export": st.sampled_from(["", "export ", "export default "]),
    }
)
PATHS = st.sampled_from(
    [f"/bot/src/wa.{ending}" for ending in ("ts", "tsx", "mts", "js", "cjs", "mjs")]
)
CONTENTS = st.sampled_from(["tries = 1;", "if (a) {\n  b();\n}", "// nothing", "", "x(`\n`);"])

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
    {
        "id": "end",
        "insert_inside": "if (status === 'open') {",
        "at": "end",
        "content": "const t = `a\n  b`;",
    },
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


CHOSEN = st.sets(st.sampled_from(range(len(ANCHORED))), min_size=1)


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
    if style["allman"]:
        text = re.sub(
            r"^([ \t]*)(if \(status.*|async function.*|export.* function.*) \{$",
            r"\1\2\n\1{",
            text,
            flags=re.M,
        )
    if style["wrapped"]:
        text = text.replace("stop('logged out', [1, 2]", "stop(\n'logged out', // lalu\n  [1,\n 2]")
    if not style["semicolons"]:
        text = "\n".join(line.removesuffix(";") for line in text.split("\n"))
    text = text.replace("'open'", f"{style['quote']}open{style['quote']}")
    text = text + "\n" if style["final"] else text
    return ("\ufeff" * style["bom"] + text.replace("\n", style["ending"])).encode()


def _indented(line: str, step: str) -> str:
    depth = len(line) - len(line.lstrip("+"))
    return step * depth + line[depth:] if line[depth:] else ""


def every(
    name: str, count: Counted, *given_: st.SearchStrategy[Any]
) -> Callable[[Callable[..., None]], None]:
    """Run the decorated function over examples of `given_`, at once, and count them."""

    def over(body: Callable[..., None]) -> None:
        ran: list[None] = []

        @QUICK
        @given(st.tuples(*given_))
        def examples(values: tuple[Any, ...]) -> None:
            ran.append(None)
            body(*values)

        examples()
        assert len(ran) >= QUICK.max_examples
        count(f"made-up files: {name}", len(ran))

    return over


def test_once_twice_and_out_again(counted: Counted) -> None:
    @every("applied, in sync, taken out to the byte", counted, files(), CHOSEN, PATHS)
    def _(content: bytes, chosen: set[int], path: str) -> None:
        spec = spec_of([ANCHORED[number] for number in sorted(chosen)], path)
        after = run(spec, content)
        assert isinstance(after, bytes), after
        assert run(spec, after) is None
        assert without_blocks(after) == content
        assert run(replace(spec, state="absent"), after) == content


def test_edits_added_one_by_one_come_out_again(counted: Counted) -> None:
    @every(
        "edits added one by one, in any order",
        counted,
        files(),
        st.permutations(range(len(ANCHORED))),
    )
    def _(content: bytes, order: list[int]) -> None:
        after = content
        for count in range(1, len(order) + 1):
            spec = spec_of([ANCHORED[number] for number in sorted(order[:count])])
            step = run(spec, after)
            assert isinstance(step, bytes), step
            assert without_blocks(step) == content
            after = step
        assert run(replace(spec, state="absent"), after) == content


def test_new_content_changes_blocks_only(counted: Counted) -> None:
    @every("new content", counted, files(), CONTENTS, st.sampled_from(range(1, len(ANCHORED))))
    def _(content: bytes, text: str, number: int) -> None:
        first = run(spec_of(ANCHORED), content)
        assert isinstance(first, bytes)
        spec = spec_of(
            [edit | ({"content": text} if at == number else {}) for at, edit in enumerate(ANCHORED)]
        )
        second = run(spec, first)
        assert isinstance(second, bytes), second
        assert run(spec, second) is None
        assert without_blocks(second) == content
        assert run(replace(spec, state="absent"), second) == content


def test_a_hand_edit_anywhere_leaves_the_rest_alone(counted: Counted) -> None:
    words = st.sampled_from(["tries", "retry", "status", "connect"])

    @every("a word changed by hand, anywhere", counted, files(), words, st.data())
    def _(content: bytes, word: str, data: st.DataObject) -> None:
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


def test_a_formatter_is_no_drift(counted: Counted) -> None:
    @every("formatted after they were patched", counted, files(), STYLES)
    def _(content: bytes, style: dict[str, Any]) -> None:
        spec = spec_of(ANCHORED)
        first = run(spec, content)
        assert isinstance(first, bytes)
        formatted = _formatted(first, style)
        assert run(spec, formatted) is None
        taken = run(replace(spec, state="absent"), formatted)
        assert isinstance(taken, bytes)
        assert b"kjpstate:" not in taken and _words(taken) == _words(content)


def _formatted(content: bytes, style: dict[str, Any]) -> bytes:
    """Other indentation, quotes, line ends and semicolons, as a formatter would; comments stay."""
    lines, inside = [], False
    for line in content.decode("utf-8-sig").splitlines():
        lines.append(line if inside else _other_line(line, style))
        inside ^= line.count("`") % 2 == 1
    text = "\n".join(lines) + "\n"
    return ("\ufeff" * style["bom"] + text.replace("\n", style["ending"])).encode()


def _other_line(line: str, style: dict[str, Any]) -> str:
    bare = line.strip(" \t") if "`" not in line else line.lstrip(" \t")
    if bare.startswith("// kjpstate:"):
        return style["step"] + line.lstrip(" \t")
    bare = bare.replace("'open'", f"{style['quote']}open{style['quote']}")
    bare = bare if style["semicolons"] or set("/`") & set(bare) else bare.removesuffix(";")
    return style["step"] * (len(line) - len(line.lstrip())) + bare


def _words(content: bytes) -> list[str]:
    return re.findall(r"\w+", content.decode())


COMMENTS = st.sampled_from(["", "", "// one", "// two", "/* three */", "/**\n * four\n */"])
BY_HAND: list[dict[str, Any]] = [
    {"replace": ["const slow = s === 500;"]},
    {"replace": ["const slow = s === 500;", "gone($$$);"], "within": "function poll("},
    {"insert_before": "note('slow');"},
    {"insert_after": "ask();"},
    {"insert_inside": "function poll(s, x) {"},
    {"insert_inside": "function poll(s, x) {", "at": "end"},
    {"insert_before": "function poll(s, x) {", "within": "function poll("},
]
FRAMES = [
    "const a = 1;\n@function poll(s, x) {\n  ask();\n@  note('slow');\n}\n",
    "function poll(s, x) {\n@}\nfunction other() {\n  ask();\n  if (a) tries++;\n@  "
    "note('slow');\n}\n",
    "class A {\n  poll() {\n    ask();\n@    note('slow');\n  }\n}\nlet tries = 0;\n",
    "@function poll(s, x) {\n  const slow = s === 500;\n  if (x) {\n@  }\n}",
]


@st.composite
def commented(draw: st.DrawFn) -> str:
    """The same two statements, with comments above, in, between and behind them."""
    above, inside, between, behind, below = (draw(COMMENTS) for _ in range(5))
    inside = inside if inside.startswith("/*") or not inside else f"{inside}\n"
    lines = [above, f"const late = [500, {inside} 502].includes(s);", between]
    lines += [f"tries = late ? 1 : 0; {behind}".rstrip(), below]
    return "\n".join(line for line in lines if line)


def test_what_a_plan_accepts_converges_also_where_its_text_stood_by_hand(counted: Counted) -> None:
    accepted: list[bytes] = []
    places = st.sampled_from(BY_HAND)
    frames = st.tuples(st.sampled_from(FRAMES), st.lists(commented(), min_size=2, max_size=2))
    layout = st.tuples(st.sampled_from(["\n", "\r\n"]), st.sampled_from(["  ", "\t"]))
    contents = st.tuples(commented(), commented())

    @every("the new text stood by hand", counted, frames, layout, places, contents, PATHS)
    def _(
        frame: tuple[str, list[str]],
        layout: tuple[str, str],
        place: dict[str, Any],
        contents: tuple[str, str],
        path: str,
    ) -> None:
        text = frame[0]
        for stands in (*frame[1], ""):
            indented = (
                "".join(f"{layout[1]}{line}\n" for line in stands.split("\n")) if stands else ""
            )
            text = text.replace("@", indented, 1)
        before = after = text.replace("\n", layout[0]).encode()
        for words in (*contents, f"{contents[1]}\nmore();"):
            spec = spec_of([{"id": "slow", **place, "content": words}], path)
            step = run(spec, after)
            if isinstance(step, Refuse):
                assert step.rule != "unsettled"
            elif step is not None:
                assert run(spec, step) is None
                assert run(replace(spec, state="absent"), step) == before
                accepted.append(step)
                after = step

    assert len(accepted) > QUICK.max_examples / 2


def _owner_patched() -> tuple[Spec, bytes]:
    bot = next((ROOT / "tests" / "cases" / "patch").glob("owner-plan.yaml"))
    text = bot.read_text("utf-8").split("source: |2\n", 1)[1]
    content = "".join(
        line[2:] if line.strip() else line for line in text.splitlines(keepends=True)
    ).encode()
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
    filler = (
        b"export function f(a: A): void {\n  if (a.b) { c(a, ['d', 1]); }\n  else e(`${a}`);\n}\n"
    )
    times = []
    for count in (120, 960):
        content = without_blocks(PATCHED).replace(
            b"async function", filler * count + b"async function", 1
        )
        before = time.process_time()
        assert isinstance(run(SPEC, content), bytes)
        times.append(time.process_time() - before)
    assert times[1] < 24 * times[0]  # eight times the lines; a square would be 64
