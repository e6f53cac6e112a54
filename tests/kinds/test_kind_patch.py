"""The kind `patch`: what becomes of blocks that stand already, of the whole file, and of several
sets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from kjpstate.formats.typescript import Source, grammar, read
from kjpstate.formats.typescript import source as source_module
from kjpstate.kinds import patch
from kjpstate.kinds.patch.compose import Draft, composed, new_draft
from kjpstate.kinds.patch.edits import Edit, edits_of
from kjpstate.kinds.patch.parsed import Parsed, Spot
from kjpstate.kinds.patch.places import locate
from kjpstate.kinds.patch.spec import Spec
from kjpstate.model import ReadFile, Refuse, Resource, Told, Unreadable, Where, WriteFile
from kjpstate.plan import Scene, build
from kjpstate.render.blocks import problem_json
from kjpstate.said import say
from kjpstate.secret import Secret, secrets_in
from kjpstate.words import messages
from tests.support.one_kind import advised, assess, difference, headline, steps
from tests.support.patch_cases import (
    answers_of,
    notes,
    owner_edits,
    problems_of,
    run,
    spec_of,
    view_of,
    without_blocks,
)

FILE = b"""import a from 'a';

function start() {
  if (open) {
    log('x');
  }
  retry();
}
"""
EDITS: list[dict[str, Any]] = [
    {
        "id": "count",
        "insert_before": "function start(",
        "scope": "module",
        "content": "let count = 0;\n",
    },
    {"id": "reset", "insert_inside": "if (open) {", "content": "count = 0; // again"},
    {"id": "call", "replace": ["retry();"], "content": "if (count++ < 3) retry();"},
]


def edited(number: int, **changes: Any) -> list[dict[str, Any]]:
    return [edit | changes if at == number else edit for at, edit in enumerate(EDITS)]


def applied(spec: Spec, content: bytes) -> bytes:
    after = run(spec, content)
    assert isinstance(after, bytes), after
    assert run(spec, after) is None
    return after


def told(spec: Spec, content: bytes) -> Told:
    return assess(patch, spec, answers_of(spec, content)).told


def lines_of(said: Told) -> tuple[str, ...]:
    return tuple(row.text for row in notes(said))


def below_of(said: Told) -> tuple[tuple[str, ...], ...]:
    return tuple(row.below for row in notes(said))


def refused(spec: Spec, content: bytes | None) -> Refuse:
    found = run(spec, content)
    assert isinstance(found, Refuse), found
    return found


SPEC = spec_of(EDITS)
PATCHED = applied(SPEC, FILE)


# ---- what the plan says


def test_values_headline_and_notes() -> None:
    found = assess(patch, SPEC, answers_of(SPEC, FILE))
    assert found.actual.values == {
        "edits": {"count": None, "reset": None, "call": None},
        "problems": [],
    }
    state = found.desired
    assert list(state.values["edits"]) == ["count", "reset", "call"]
    assert all(len(digest) == 12 for digest in state.values["edits"].values())
    assert found.told.headline == "src/wa.ts: 3 edits, 3 lines added, 1 replaced"
    assert lines_of(found.told) == (
        "count  before line 3  function start() {",
        "reset  after line 4   if (open) {",
        "call   line 7         retry();",
    )
    assert next(iter(patch.reads(SPEC))) == ReadFile("pc", "/bot/src/wa.ts")
    assert list(patch.writes(SPEC)) == [("pc", "/bot/src/wa.ts")]


def test_one_difference_an_edit_that_is_not_there() -> None:
    without_reset = applied(spec_of([EDITS[0], EDITS[2]]), FILE)
    paths = [item.path for item in difference(patch, SPEC, answers_of(SPEC, without_reset))]
    assert paths == [("edits", "reset")]
    assert applied(SPEC, without_reset) == PATCHED


# ---- blocks that stand already


@pytest.mark.parametrize(
    ("what", "old", "new"),
    [
        ("indentation", b"    count = 0; // again", b"\t\tcount = 0 //   again"),
        ("quotes and breaks", b"if (count++ < 3) retry();", b"if (count++ < 3)\n    retry()"),
        ("everything after it", b"log('x');", b'log("y", 1);'),
    ],
)
def test_a_formatter_is_no_drift(what: str, old: bytes, new: bytes) -> None:
    content = PATCHED.replace(old, new)
    assert content != PATCHED
    assert run(SPEC, content) is None


def test_a_windows_checkout_is_no_drift_and_comes_back_with_its_own_line_ends() -> None:
    content = PATCHED.replace(b"\n", b"\r\n")
    assert run(SPEC, content) is None
    assert run(replace(SPEC, state="absent"), content) == FILE.replace(b"\n", b"\r\n")


def test_new_content_rewrites_the_body_and_keeps_the_original() -> None:
    spec = spec_of(edited(2, content="if (count++ < 5) {\n  retry();\n}"))
    after = applied(spec, PATCHED)
    assert b"// kjpstate:was |   retry();" in after
    assert b"  if (count++ < 5) {\n    retry();\n  }\n" in after
    assert run(replace(spec, state="absent"), after) == FILE
    assert lines_of(told(spec, PATCHED)) == (
        "call  lines 13-16  its text: 2 lines added, 1 changed",
    )


def test_one_changed_line_is_told_as_one_with_both_texts() -> None:
    many = "\n".join(f"step({number});" for number in range(17))
    first = applied(spec_of(edited(2, content=many)), FILE)
    spec = spec_of(edited(2, content=many.replace("step(7);", "step(70);")))
    answers = answers_of(spec, first)
    found = told(spec, first)
    assert headline(patch, spec, answers) == "src/wa.ts: 1 edit, 1 line changed"
    assert lines_of(found) == ("call  lines 13-32  its text: 1 line changed",)
    assert below_of(found) == (("21 - step(7);", "   + step(70);"),)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a();\nb();", "1 line removed"),
        ("a();\nb();\nc();\nd();\ne();", "2 lines added"),
        ("a(1);\nb();\nc(2);", "2 lines changed"),
        ("x();\na();\nc(1);", "1 line added, 1 changed, 1 removed"),
        ("", "3 lines removed"),
        ("if (x) {\n  a();\n  b();\n  c();\n}", "2 lines added"),
        ("a();\nb(`\n  x`);\nc();", "1 line added, 1 changed"),
    ],
)
def test_lines_inside_a_block_are_counted_as_they_change(content: str, said: str) -> None:
    first = applied(spec_of(edited(2, content="a();\nb();\nc();")), FILE)
    spec = spec_of(edited(2, content=content))
    assert headline(patch, spec, answers_of(spec, first)) == f"src/wa.ts: 1 edit, {said}"


def test_rows_below_an_edit_are_few_and_say_how_many_are_left_out() -> None:
    many = "\n".join(f"step({number});" for number in range(9))
    first = applied(spec_of(edited(2, content=many)), FILE)
    spec = spec_of(edited(2, content=many.replace("step", "go")))
    (rows,) = below_of(told(spec, first))
    assert len(rows) == 7
    assert rows[-1] == "     and 12 more lines"


def test_only_blanks_inside_a_template_changed() -> None:
    first = applied(spec_of(edited(2, content="a(`\n b`);")), FILE)
    spec = spec_of(edited(2, content="a(`\n   b`);"))
    found = told(spec, first)
    assert found.headline == "src/wa.ts: 1 edit, 1 line changed"


def test_unknown_words_of_a_marker_are_kept() -> None:
    content = PATCHED.replace(b"v=1 op=insert-inside", b"v=1 op=insert-inside note=mine")
    assert run(SPEC, content) is None
    assert b" note=mine" in applied(spec_of(edited(1, content="count = 1;")), content)


def test_a_hand_edit_is_put_back_and_said() -> None:
    content = PATCHED.replace(b"count++ < 3", b"count++ < 9")
    assert run(SPEC, content) == PATCHED
    found = told(SPEC, content)
    assert found.headline == "src/wa.ts: 1 edit, 1 line changed, 1 edited by hand"
    assert lines_of(found) == (
        "call  lines 13-16  edited by hand: put back, the edited file is kept beside",
    )
    assert below_of(found) == (
        ("14 - if (count++ < 9) retry();", "   + if (count++ < 3) retry();"),
    )


def test_a_hand_edit_is_refused_where_the_document_says_so() -> None:
    content = PATCHED.replace(b"count++ < 3", b"count++ < 9")
    found = refused(replace(SPEC, on_drift="refuse"), content)
    assert (found.rule, found.pointer) == ("edited-by-hand", "/edits/2")
    said = (
        "was edited by hand inside its block, lines 13-16; the document says `if (count++ < "
        "3) retry();`"
    )
    assert found.reason == f"src/wa.ts: edit call {said}"
    assert found.places == ("src/wa.ts:14: if (count++ < 9) retry();",)
    assert (
        refused(replace(SPEC, on_drift="refuse", state="absent"), content).rule == "edited-by-hand"
    )


def test_a_hand_edit_that_the_document_says_by_now_only_has_its_marker_renewed() -> None:
    content = PATCHED.replace(b"count++ < 3", b"count++ < 9")
    spec = spec_of(edited(2, content="if (count++ < 9) retry();"), on_drift="refuse")
    answers = answers_of(spec, content)
    assert headline(patch, spec, answers) == "src/wa.ts: 1 edit, only markers change"
    assert advised(patch, spec, answers) == []
    after = applied(spec, content)
    assert [
        new for new, old in zip(after.split(b"\n"), content.split(b"\n"), strict=True) if new != old
    ] == [line for line in after.split(b"\n") if b"begin reconnect-backoff/call" in line]
    assert run(replace(spec, state="absent"), after) == FILE
    assert applied(spec_of(EDITS, on_drift="refuse"), after) == PATCHED


def test_a_comment_changed_by_hand_is_a_hand_edit() -> None:
    assert run(SPEC, PATCHED.replace(b"// again", b"// never")) == PATCHED


@pytest.mark.parametrize(
    "changes",
    [
        {"insert_inside": "function start() {"},
        {"insert_inside": "if (open) {", "at": "end"},
        {"insert_before": "log('x');", "insert_inside": None},
    ],
)
def test_another_place_in_the_document_moves_the_block(changes: dict[str, Any]) -> None:
    edit = {key: value for key, value in (EDITS[1] | changes).items() if value is not None}
    spec = spec_of([EDITS[0], edit, EDITS[2]])
    assert difference(patch, spec, answers_of(spec, PATCHED))[0].actual.endswith(" elsewhere")
    assert applied(spec, PATCHED) == applied(spec, FILE)


def test_another_statement_to_replace_moves_the_block() -> None:
    spec = spec_of(edited(2, replace=["log($$$);"], content="log('y');"))
    after = applied(spec, PATCHED)
    assert after == applied(spec, FILE)
    assert b"\n  retry();\n}" in after


def test_one_more_accepted_form_moves_nothing() -> None:
    assert run(spec_of(edited(2, replace=["again();", "retry();"])), PATCHED) is None


def test_a_moved_block_edited_by_hand_is_refused_where_the_document_says_so() -> None:
    content = PATCHED.replace(b"count = 0; // again", b"count = 1;")
    spec = spec_of(edited(1, at="end"), on_drift="refuse")
    assert refused(spec, content).rule == "edited-by-hand"
    found = told(replace(spec, on_drift="apply"), content)
    assert lines_of(found)[0].endswith(
        "moves here from line 8; edited by hand there, the edited file is kept beside"
    )


def test_the_old_text_beside_its_block_is_refused() -> None:
    found = refused(SPEC, PATCHED.replace(b"log('x');", b"log('x');\n    retry();"))
    assert (found.rule, found.pointer) == ("original-reappeared", "/edits/2")
    assert found.places[0] == "src/wa.ts:12: retry();"


def test_a_block_that_was_carried_elsewhere_is_refused() -> None:
    lines = PATCHED.splitlines(keepends=True)
    block = next(n for n, line in enumerate(lines) if b"begin reconnect-backoff/reset" in line)
    carried = [*lines[:block], *lines[block + 3 :], *lines[block : block + 3]]
    assert refused(SPEC, b"".join(carried)).rule == "misplaced"


def test_a_module_block_inside_a_function_is_refused() -> None:
    lines = PATCHED.splitlines(keepends=True)
    block = lines[2:5]
    inside = [*lines[:2], lines[5], *block, *lines[6:]]
    assert refused(SPEC, b"".join(inside)).rule == "misplaced"


def test_an_orphan_is_told_and_left() -> None:
    spec = spec_of(EDITS[:2])
    assert run(spec, PATCHED) is None
    assert told(spec, PATCHED).left == ("src/wa.ts:13 reconnect-backoff/call",)


def test_a_set_that_left_the_document_is_told_by_the_first_one_of_its_file() -> None:
    other = spec_of(
        [{"id": "log", "insert_before": "import a", "content": "// seen\nlet seen = 1;"}]
    )
    first = replace(other, set="logging", sets=("logging",))
    both = applied(first, PATCHED)
    left = told(first, both).left
    assert [name.rpartition("/")[2] for name in left] == ["count", "reset", "call"]
    assert left[0].startswith("src/wa.ts:") and " reconnect-backoff/" in left[0]
    for calm in (replace(first, sets=("logging", "reconnect-backoff")), replace(first, sets=())):
        assert told(calm, both).left == ()
    gone = replace(first, state="absent")
    assert len(told(gone, both).left) == 3


@pytest.mark.parametrize(
    "odd", ["\u2028", "\u2029", "\u0085", "\ufeff", "\x07", "\x1b[2J", "\u00a0", "\u3000"]
)
def test_odd_signs_in_replaced_lines_come_back(odd: str) -> None:
    content = f"const a = `x{odd}y{odd}`;{'' if odd.startswith(chr(27)) or odd == chr(7) else odd}\nb();\n".encode()
    spec = spec_of([{"id": "a", "replace": ["const a = $$$; b();"], "content": "const a = `1`;"}])
    after = applied(spec, content)
    assert without_blocks(after) == content
    assert run(replace(spec, state="absent"), after) == content


# ---- absent


def test_absent_takes_out_all_blocks_of_the_set_whatever_the_document_lists() -> None:
    spec = spec_of(EDITS[:1], state="absent")
    assert run(spec, PATCHED) == FILE
    spec = replace(spec, edits=())
    assert run(spec, PATCHED) == FILE
    assert headline(patch, spec, answers_of(spec, PATCHED)) == "src/wa.ts: 3 edits taken out"
    assert not patch.desired(view_of(spec, PATCHED)).present


def test_absent_over_a_hand_edit_says_so() -> None:
    content = PATCHED.replace(b"// again", b"// never")
    spec = replace(SPEC, state="absent")
    assert run(spec, content) == FILE
    assert lines_of(told(spec, content))[1].endswith(
        "comes out; edited by hand, the edited file is kept beside"
    )


def test_absent_of_what_never_was() -> None:
    spec = replace(SPEC, state="absent")
    assert run(spec, None) is None
    assert run(spec, b"not ( TypeScript") is None
    assert run(spec, FILE) is None


def test_absent_is_refused_when_the_original_is_lost_or_the_file_would_break() -> None:
    spec = replace(SPEC, state="absent")
    assert (
        refused(spec, PATCHED.replace(b"was |   retry();", b"was |   retr();")).rule
        == "original-tampered"
    )
    lost = PATCHED.replace(b"was=", b"was=0")
    assert refused(spec, lost).rule == "original-tampered"
    needed = PATCHED.replace(b"log('x');", b"log('x');\n} else {")
    torn = needed.replace(b"    count = 0; // again", b"    if (x) {\n count = 0; // again")
    assert refused(spec, torn).rule in ("result-syntax", "syntax")


def test_what_was_adopted_stays_when_the_set_goes() -> None:
    content = FILE.replace(b"  retry();", b"  if (count++ < 3) retry();").replace(
        b"function", b"let count = 0;\nfunction"
    )
    after = applied(SPEC, content)
    assert after.count(b"adopted=1") == 2
    assert run(replace(SPEC, state="absent"), after) == content
    changed = applied(spec_of(edited(0, content="let count = 1;")), after)
    assert changed.count(b"adopted=1") == 1
    assert run(replace(SPEC, state="absent"), changed) == content


# ---- the file as a whole


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (None, "file-missing"),
        (b"a\0b", "binary"),
        (b"\0" * 9000, "binary"),
        ("if (open) {}\n".encode("utf-16-le") * 9, "not-utf8"),
        (b"a(" * 600 + b")" * 600, "source-too-large"),
        (b"a = [" + b"1, " * 800_000 + b"];", "source-too-large"),
        ("if (open) {}".encode("utf-16"), "not-utf8"),
        (b"// caf\xe9\nfoo();\n", "not-utf8"),
        (b"foo(;\n", "syntax"),
        (b"", "anchor-missing"),
    ],
)
def test_a_file_that_is_no_source(content: bytes | None, rule: str) -> None:
    found = refused(SPEC, content)
    assert found.rule == rule
    assert found.cure


def test_an_unreadable_file_is_refused() -> None:
    answers = {ReadFile("pc", "/bot/src/wa.ts"): Unreadable("permission denied")}
    (found,) = steps(patch, SPEC, answers)
    assert isinstance(found, Refuse)
    assert (found.rule, found.reason) == (
        "file-unreadable",
        "src/wa.ts: can't be read on pc: permission denied",
    )


def test_another_language_is_refused() -> None:
    assert refused(spec_of(EDITS, "/bot/src/wa.py"), FILE).rule == "not-typescript"


@pytest.fixture
def no_tree_sitter(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    remembered = (source_module._text, source_module._file, grammar._parser)
    for cached in remembered:
        cached.cache_clear()
    monkeypatch.setitem(sys.modules, "tree_sitter", None)
    yield
    for cached in remembered:
        cached.cache_clear()


@pytest.mark.usefixtures("no_tree_sitter")
def test_without_tree_sitter_it_says_what_to_install() -> None:
    found = refused(SPEC, FILE)
    assert (found.rule, found.pointer) == ("no-tree-sitter", "")
    assert found.cure == say("no-tree-sitter.page-cure")
    assert messages()["no-tree-sitter.page-cure"].startswith("pip install tree-sitter")


# ---- several sets on one file


def resource(spec: Spec) -> Resource:
    return Resource(f"patch.{spec.set}", "patch", "pc", spec, Where("bot.yaml", 1, 1))


def planned(content: bytes, *specs: Spec) -> Any:
    answers = answers_of(specs[0], content)
    resources = tuple(resource(spec) for spec in specs)
    allowed = {"pc": ("/bot/src/wa.ts",)}
    return build(Scene("bot-kjp", resources, answers, b"key", {"patch": patch}, allowed))


def test_a_second_set_starts_from_what_the_first_will_leave() -> None:
    first, second = (
        SPEC,
        spec_of([{"id": "log", "replace": ["log($$$);"], "content": "say();"}], set="talk"),
    )
    plan = planned(FILE, first, second)
    (one,), (two,) = (change.actions for change in plan.changes)
    assert isinstance(one, WriteFile)
    assert isinstance(two, WriteFile)
    assert (one.before, one.after, two.before) == (FILE, PATCHED, PATCHED)
    assert two.after is not None
    assert planned(two.after, first, second).empty
    assert without_blocks(two.after) == run(second, FILE)
    assert run(replace(first, state="absent"), two.after) == run(second, FILE)


def test_a_second_set_may_not_reach_into_the_first_ones_blocks() -> None:
    second = spec_of([{"id": "x", "replace": ["count = 0;"], "content": "count = 9;"}], set="talk")
    plan = planned(FILE, SPEC, second)
    refusal = plan.changes[1].refusal
    assert refusal.rule == "anchor-missing"
    assert "only inside the block reconnect-backoff/" in refusal.reason


def test_a_set_in_sync_that_an_earlier_one_would_break_is_refused_now() -> None:
    twice = FILE.replace(b"log('x');", b"log('x');\n    hush(1);\n    log('x');")
    first = spec_of([{"id": "hush", "replace": ["hush(1); log('x');"], "content": "hush(2);"}])
    second = spec_of([{"id": "x", "replace": ["log($$$);"], "content": "let n = 5;"}], set="talk")
    content = applied(second, applied(first, twice))
    assert planned(content, first, second).empty
    plan = planned(content, replace(first, state="absent"), second)
    assert [(change.resource.address, change.symbol) for change in plan.changes] == [
        ("patch.reconnect-backoff", "-"),
        ("patch.talk", "!"),
    ]
    assert plan.changes[1].refusal.rule == "original-reappeared"
    assert [found["rule"] for found in plan.changes[1].drift.actual.values["problems"]] == [
        "original-reappeared"
    ]


# ---- secrets and advice


def test_a_secret_in_the_text_reaches_the_file_and_nothing_else() -> None:
    content = Secret("send('s3cret-token');", "env:TOKEN")
    spec = spec_of([{"id": "a", "replace": ["retry();"], "content": content}])
    after = applied(spec, FILE)
    assert b"send('s3cret-token');" in after
    answers = answers_of(spec, FILE)
    state, said = patch.desired(view_of(spec, FILE)), told(spec, FILE)
    assert isinstance(state.values["edits"]["a"], Secret)
    assert "s3cret" not in repr(state.values) + str(lines_of(said)) + said.headline
    by_hand = told(spec, after.replace(b"s3cret", b"an0ther"))
    assert "token" not in f"{below_of(by_hand)}{lines_of(by_hand)}{by_hand.headline}"
    assert (
        "token"
        not in refused(replace(spec, on_drift="refuse"), after.replace(b"s3", b"an0ther")).reason
    )
    shown = difference(patch, spec, answers)
    assert all("s3cret" not in repr(item) for item in shown)
    assert list(secrets_in(state.values))


def test_advice_on_double_encoded_text() -> None:
    garbled = "log('⛔ 🔄');".encode().decode("cp1252", errors="ignore")
    by_browser = "log('âœ… ok')"
    spec = spec_of(
        [
            {"id": "a", "replace": [by_browser], "content": "log('Ünïcode — “ok” ✅ é');"},
            {"id": "b", "insert_after": "x();", "content": "log('ðŸ”„');"},
        ]
    )
    found = [
        (item.rule, item.severity, item.pointer, item.cure) for item in advised(patch, spec, {})
    ]
    assert found == [
        ("double-encoded", "breaks", "/edits/0/replace", "write ✅"),
        ("double-encoded", "note", "/edits/1/content", "write 🔄"),
    ]
    assert garbled


def test_advice_on_a_wildcard_in_the_new_text() -> None:
    spec = spec_of([{"id": "a", "replace": ["log($$$);"], "content": "say($$$);"}])
    assert [item.rule for item in advised(patch, spec, {})] == ["wildcard-in-content"]


def test_the_owners_own_edits_bring_no_advice() -> None:
    assert advised(patch, spec_of(owner_edits()), {}) == []


def test_a_problem_as_json() -> None:
    (problem,) = problems_of(SPEC, FILE.replace(b"retry();", b"retry(1);"))
    assert problem_json(problem) == {
        "rule": "anchor-missing",
        "edit": "call",
        "line": 7,
        "text": "retry(1);",
        "reason": "has no place any more; nearest is line 7: the document expects no `1`",
        "more": [],
        "cure": "if that is right, add it as a second accepted form",
    }


# ---- the guard


def draft_for(edit: dict[str, Any], source: Source) -> tuple[Parsed, Edit, Draft]:
    """The file as read, the edit, and the sound draft of it."""
    file = Parsed(source, [])
    (found,), problems = edits_of(spec_of([edit]))
    assert not problems
    spot = locate(found, file)
    assert isinstance(spot, Spot)
    return file, found, new_draft(found, spot, file, spec_of([edit]))


@pytest.mark.parametrize(
    ("harm", "rule"),
    [
        (lambda draft: {}, ""),
        (lambda draft: {"end": draft.end + len(b"  if (open) {\n")}, "result-syntax"),
        (lambda draft: {"text": draft.text + b"stray();\n"}, "byte-guard"),
        (lambda draft: {"text": draft.text + b"\n"}, "byte-guard"),
        (lambda draft: {"text": draft.text.replace(b"\n", b"\r\n", 1)}, ""),
        (
            lambda draft: {"text": draft.text.replace(b"kjpstate:end", b"kjpstate:fin")},
            "byte-guard",
        ),
        (lambda draft: {"text": draft.text.replace(b"let count", b"let kount")}, "result-syntax"),
        (lambda draft: {"start": 0, "end": len(b"import a from 'a';\n")}, "byte-guard"),
    ],
)
def test_no_byte_outside_of_the_blocks_changes_whatever_a_draft_says(harm: Any, rule: str) -> None:
    file, edit, draft = draft_for(EDITS[0], read(FILE, "wa.ts"))
    after, problems = composed(
        file, [replace(draft, **harm(draft))], [edit], spec_of(EDITS[:1]), FILE
    )
    assert [problem.rule for problem in problems] == ([rule] if rule else [])
    assert (after == FILE) == bool(rule)
