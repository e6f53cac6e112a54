"""`kjpstate patch show` and `patch keep` over a real document and a real file on this machine."""

from __future__ import annotations

import json

import pytest

from tests.support.commands import Desk

SOURCE = """import it from 'it';

function connect() {
  if (retry) connect();
}
start();
"""

DOCUMENT = """# my bot
kjpstate: 1
name: little
hosts: {pc: {local: .}}
patches:
  - host: pc   # the laptop
    file: src/wa.ts
    set: backoff
    edits:
      - id: state
        insert_after: imports
        content: |   # counts

          let tries = 0;

      # the next one
      - id: call
        replace: if (retry) connect();
        content: "if (retry && tries++ < 5) connect();"   # five is enough
      - {id: last, insert_after: "start();", scope: module, content: 'log("a");'}
"""


@pytest.fixture
def patched(desk: Desk) -> Desk:
    """The document applied once to src/wa.ts."""
    (desk.folder / "src" / "wa.ts").write_text(SOURCE, "utf-8")
    desk.write(DOCUMENT)
    assert desk.kjpstate("apply", "--yes").code == 0
    return desk


def edit(desk: Desk, old: str, new: str) -> None:
    """Change src/wa.ts by hand."""
    file = desk.folder / "src" / "wa.ts"
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), "utf-8")


def text_of(desk: Desk) -> str:
    """The document as it stands."""
    return (desk.folder / "kjpstate.yaml").read_text("utf-8")


def assert_only_markers_change(desk: Desk) -> None:
    """After a keep no code differs any more; one apply, and all is in sync."""
    shown = desk.kjpstate("plan", "--detailed-exitcode")
    assert shown.code == 2 and "only markers change" in shown.out
    assert desk.kjpstate("apply", "--yes").code == 0
    assert desk.kjpstate("plan", "--detailed-exitcode").code == 0


def test_show_tells_each_block(patched: Desk) -> None:
    edit(patched, "tries++ < 5", "tries++ < 9")
    shown = patched.kjpstate("patch", "show", "src/wa.ts")
    assert shown.code == 0
    rows = [row.split() for row in shown.out.splitlines()]
    assert ["backoff/state", "lines", "2-4", "insert-after", "as", "written"] in rows
    assert any(row[:1] == ["backoff/call"] and row[-3:] == ["edited", "by", "hand"] for row in rows)
    assert "      was |   if (retry) connect();" in shown.out.splitlines()
    assert shown.out.endswith("src/wa.ts: 3 blocks, 1 edited by hand.\n")
    value = patched.kjpstate("patch", "show", "--json", "src/wa.ts").json
    assert [block["edited_by_hand"] for block in value["blocks"]] == [False, True, False]
    assert value["blocks"][1]["original"] == ["  if (retry) connect();"]


def test_show_tells_a_broken_marker_and_a_missing_file(patched: Desk) -> None:
    edit(patched, "// kjpstate:end backoff/call", "// gone")
    shown = patched.kjpstate("patch", "show", "src/wa.ts")
    assert shown.code == 8
    assert "[markers-broken]" in shown.out
    assert patched.kjpstate("patch", "show", "src/none.ts").code == 64


def test_keep_writes_hand_edits_of_every_form_into_the_document(patched: Desk) -> None:
    edit(patched, "let tries = 0;", "let tries = 1;\nconst most = `a\n  b`;")
    edit(patched, "tries++ < 5", "tries++ < 9")
    edit(patched, 'log("a");', "log('it');")
    assert patched.kjpstate("plan", "--detailed-exitcode").code == 2
    shown = patched.kjpstate("patch", "keep", "patch.backoff")
    assert shown.code == 0, shown.err
    now = text_of(patched)
    assert now == DOCUMENT.replace(
        "\n\n          let tries = 0;\n",
        "\n          let tries = 1;\n          const most = `a\n            b`;\n",
    ).replace("tries++ < 5", "tries++ < 9").replace("""'log("a");'""", "'log(''it'');'")
    (backup,) = patched.folder.glob("kjpstate.yaml.backup.*")
    assert backup.read_text("utf-8") == DOCUMENT
    assert "nothing to keep" in patched.kjpstate("patch", "keep", "patch.backoff").out
    assert_only_markers_change(patched)
    assert "0 edited by hand" in patched.kjpstate("patch", "show", "src/wa.ts").out
    assert text_of(patched) == now


def test_keep_makes_a_block_of_one_line_that_became_several(patched: Desk) -> None:
    edit(patched, "if (retry && tries++ < 5) connect();", "if (retry) {\n    connect();\n  }")
    edit(patched, 'log("a");', 'log("a");\nlog("b");')
    assert patched.kjpstate("patch", "keep", "patch.backoff").code == 0
    lines = (
        "        content: |   # five is enough\n          if (retry) {\n            "
        "connect();\n          }\n"
    )
    assert lines in text_of(patched)
    assert 'content: "log(\\"a\\");\\nlog(\\"b\\");"}' in text_of(patched)
    assert_only_markers_change(patched)


def test_keep_leaves_windows_line_ends(patched: Desk) -> None:
    (patched.folder / "kjpstate.yaml").write_bytes(DOCUMENT.replace("\n", "\r\n").encode())
    edit(patched, "let tries = 0;", "let tries = 1;\nlet more;")
    assert patched.kjpstate("patch", "keep", "patch.backoff").code == 0
    data = (patched.folder / "kjpstate.yaml").read_bytes()
    assert b"let tries = 1;\r\n          let more;\r\n" in data
    assert data.count(b"\n") == data.count(b"\r\n")


@pytest.mark.parametrize(
    ("form", "first", "after"),
    [
        ("|2\n          let tries = 0;", "let tries = 1;", "|2\n          let tries = 1;"),
        ("|\n          let tries = 0;", "  let tries = 1;", "|2\n            let tries = 1;"),
        (
            "let tries = 0;",
            "  let tries = 1;\nmore();",
            "|2\n            let tries = 1;\n          more();",
        ),
    ],
)
def test_keep_writes_a_text_that_begins_with_blanks(
    patched: Desk, form: str, first: str, after: str
) -> None:
    text = DOCUMENT.replace("|   # counts\n\n          let tries = 0;", form)
    patched.write(text)
    edit(patched, "let tries = 0;", first)
    assert patched.kjpstate("patch", "keep", "patch.backoff").code == 0
    assert text_of(patched) == text.replace(form, after)
    assert_only_markers_change(patched)


@pytest.mark.parametrize(
    ("form", "why"),
    [
        (">\n          let tries = 0;", "can't be rewritten safely"),
        ('"let tries\n          = 0;"', "can't be rewritten safely"),
    ],
)
def test_keep_refuses_a_form_it_can_not_rewrite(patched: Desk, form: str, why: str) -> None:
    text = DOCUMENT.replace("|   # counts\n\n          let tries = 0;", form)
    patched.write(text)
    edit(patched, "let tries = 0;", "let tries = 1;")
    shown = patched.kjpstate("patch", "keep", "patch.backoff")
    assert shown.code == 8
    assert why in shown.err and "let tries = 1;" in shown.err
    assert text_of(patched) == text
    assert not list(patched.folder.glob("*.backup.*"))


def test_keep_writes_no_secret_and_nothing_that_reads_otherwise(patched: Desk, monkeypatch) -> None:
    monkeypatch.setenv("KJP_TOKEN", "s3cret")
    edit(patched, "let tries = 0;", "let tries = '${env:KJP_TOKEN}';")
    shown = patched.kjpstate("patch", "keep", "patch.backoff")
    assert shown.code == 8
    assert "s3cret" not in shown.out + shown.err
    assert text_of(patched) == DOCUMENT


def test_keep_refuses_what_a_plan_refuses(patched: Desk) -> None:
    edit(patched, "let tries = 0;", "let tries = {;")
    shown = patched.kjpstate("patch", "keep", "patch.backoff")
    assert shown.code == 8
    assert text_of(patched) == DOCUMENT


def test_usage(patched: Desk) -> None:
    assert patched.kjpstate("patch").code == 64
    unknown = patched.kjpstate("patch", "keep", "patch.other")
    assert unknown.code == 64
    assert "patch.backoff" in unknown.err
    assert json.loads(patched.kjpstate("patch", "show", "--json", "none.ts").out)["error"]


def test_validate_judges_the_texts_of_the_document(desk: Desk) -> None:
    text = DOCUMENT.replace("let tries = 0;", "let tries = {;").replace(
        'insert_after: "start();"', 'insert_inside: "x"'
    )
    desk.write(text)
    shown = desk.kjpstate("validate")
    assert shown.code == 0
    assert "src/wa.ts: edit state has content that is no whole code" in " ".join(shown.out.split())
    assert "insert_inside must end with {" in " ".join(shown.out.split())
    desk.write(DOCUMENT)
    assert "Advice" not in desk.kjpstate("validate").out
