"""Faults of marked patches, and of documents and source files that are no text."""

from __future__ import annotations

import re

import pytest

from tests.support.trial import Trial

pytestmark = pytest.mark.root

HEAD = """kjpstate: 1
name: c
hosts: {pc: {local: "."}}
patches:
  - host: pc
    file: FILE
    set: s
    edits:
"""


def document(edits: str, file: str = "bot.ts") -> str:
    """A document with one set; `edits` is YAML at the left edge."""
    return HEAD.replace("FILE", file) + "".join(
        f"      {line}\n" for line in edits.strip("\n").split("\n")
    )


def converges(trial: Trial, source: bytes, name: str = "bot.ts") -> str:
    """Apply what the document says to `source`: in sync then; the bytes come back. What stood
    between."""
    path = trial.write(name, source)
    done = trial.kjpstate("apply", "--yes")
    assert done.code == 0, done.said
    assert trial.kjpstate("plan", "--detailed-exitcode").code == 0
    patched = path.read_text("utf-8")
    absent = trial.document.read_text().replace("    set: s\n", "    set: s\n    state: absent\n")
    trial.write("kjpstate.yaml", absent)
    done = trial.kjpstate("apply", "--yes")
    assert done.code == 0, done.said
    assert path.read_bytes() == source
    return patched


# ---- the new text stood there by hand

WITH_COMMENTS = """
- id: slow
  replace: const slow = res.status === 500;
  content: |
    // both of them
    const late = [
      500, // broken
      502,
    ].includes(res.status);
    const slow = late || res.error;
"""
WITHOUT = """
- id: slow
  replace: const slow = res.status === 500;
  content: |
    const late = [500, 502].includes(res.status);
    const slow = late || res.error;
"""
BY_HAND = [
    "const late = [500, 502].includes(res.status);\nconst slow = late || res.error;",
    "// mine\nconst late = [500, 502].includes(res.status);\nconst slow = late || res.error; "
    "// here",
    "const late = [500, /* bad */ 502].includes(res.status);\n// between\nconst slow = late || "
    "res.error;",
]


@pytest.mark.parametrize(
    ("edits", "stands", "file", "ending"),
    [
        (WITH_COMMENTS, BY_HAND[0], "bot.ts", "\n"),
        (WITH_COMMENTS, BY_HAND[1], "bot.js", "\r\n"),
        (WITHOUT, BY_HAND[2], "bot.tsx", "\n"),
    ],
)
def test_a_replaced_text_that_stood_there_with_other_comments(
    trial: Trial, edits: str, stands: str, file: str, ending: str
) -> None:
    body = stands.replace("\n", "\n\t\t")
    source = (
        f"export function poll(res) "
        f"{{\n\tgo(() => {{\n\t\t{body}\n\t\tif (slow) ask();\n\t}});\n}}\n"
    )
    trial.write("kjpstate.yaml", document(edits, file))
    converges(trial, source.replace("\n", ending).encode(), file)


def test_a_text_that_was_adopted_and_then_changed_in_the_document(trial: Trial) -> None:
    trial.write("kjpstate.yaml", document(WITHOUT))
    path = trial.write(
        "bot.ts", f"function poll(res) {{\n  {BY_HAND[0]}\n}}\n".replace("\nc", "\n  c")
    )
    before = path.read_bytes()
    assert trial.kjpstate("apply", "--yes").code == 0
    trial.write("kjpstate.yaml", document(WITHOUT + "    ask(slow);\n"))
    done = trial.kjpstate("apply", "--yes")
    assert done.code == 0, done.said
    assert "ask(slow);" in path.read_text()
    converged = converges_from(trial)
    assert converged == before


def converges_from(trial: Trial) -> bytes:
    """What is left in bot.ts when the set that stands there in sync is taken out."""
    assert trial.kjpstate("drift").code == 0
    text = trial.document.read_text()
    trial.write("kjpstate.yaml", text.replace("    set: s\n", "    set: s\n    state: absent\n"))
    assert trial.kjpstate("apply", "--yes").code == 0
    return (trial.folder / "bot.ts").read_bytes()


def test_an_inserted_text_that_stood_there_and_elsewhere_in_the_same_block(trial: Trial) -> None:
    trial.write("kjpstate.yaml", document("- {id: e, insert_after: ask();, content: misses = 0;}"))
    converges(trial, b"function f() {\n  misses = 0;\n  ask();\n  misses = 0;\n}\n")


def test_a_replaced_text_that_is_a_part_of_other_statements(trial: Trial) -> None:
    edits = '- {id: e, replace: misses = 1;, content: "misses = 0; // none"}'
    trial.write("kjpstate.yaml", document(edits))
    converges(
        trial,
        b"let misses = 0;\nfunction f() {\n  if (a) misses = 0;\n  misses = 0;\n}\nmisses = 0, b();\n",
    )


def test_a_scope_chooses_among_texts_that_stand_there(trial: Trial) -> None:
    edits = "- {id: e, scope: module, replace: start(1);, content: start();}"
    trial.write("kjpstate.yaml", document(edits))
    source = b"function again() {\n  start();\n}\n"
    trial.write("bot.ts", source)
    assert trial.kjpstate("plan").code == 8
    assert trial.kjpstate("apply", "--yes").code == 8
    assert (trial.folder / "bot.ts").read_bytes() == source
    trial.write("kjpstate.yaml", document(edits.replace("start(1)", "start($A)")))
    converges(
        trial, b"function again() {\n  start();\n}\nstart(1);\n".replace(b"start(1)", b"start(one)")
    )


def test_an_insert_beside_the_very_statement_that_within_names(trial: Trial) -> None:
    edits = (
        '- {id: e, insert_before: "function f(", within: "function f(", content: let misses = 0;}'
    )
    trial.write("kjpstate.yaml", document(edits))
    converges(trial, b"go();\nfunction f() {\n  go();\n}\n")


def test_what_the_next_plan_would_refuse_is_refused_before_it_is_written(trial: Trial) -> None:
    edits = "- {id: e, insert_before: \"case 'close':\", content: tries = 0;}"
    trial.write("kjpstate.yaml", document(edits))
    source = b"switch (c) {\n  case 'open':\n    tries = 0;\n    break;\n  case 'close':\n    stop();\n}\n"
    trial.write("bot.ts", source)
    done = trial.kjpstate("plan")
    assert done.code == 8, done.said
    assert trial.kjpstate("apply", "--yes").code == 8
    assert (trial.folder / "bot.ts").read_bytes() == source
    assert not re.findall("backup", " ".join(path.name for path in trial.folder.iterdir()))


# ---- documents that are no text, or have a problem in each row

HOSTS = 'kjpstate: 1\nname: c\nhosts: {pc: {local: "."}}\n'


@pytest.mark.parametrize(
    "content",
    [
        b"\0" * 65536,
        (HOSTS * 200).encode("utf-16-le"),
        (HOSTS * 400).replace("\n", "\r").encode(),
        (HOSTS + "".join(f"key{number}: 1\n" for number in range(9000))).encode(),
        HOSTS.encode() + b"\x07" * 9000,
    ],
    ids=["zeros", "utf-16", "carriage-returns", "unknown-keys", "control-characters"],
)
def test_a_document_that_is_no_document_is_told_at_once(trial: Trial, content: bytes) -> None:
    trial.write("kjpstate.yaml", content)
    done = trial.kjpstate("validate", timeout=20)
    assert done.code == 65, done.code
    assert len(done.said.splitlines()) < 200 and "kjpstate.yaml:" in done.err


@pytest.mark.parametrize(
    "secret", ["${file:closed/x}", f"${{file:{'x' * 300}}}"], ids=["closed folder", "long name"]
)
def test_a_secret_in_a_file_that_cannot_be_asked_for(trial: Trial, secret: str) -> None:
    channel = f'notify: {{channels: [{{webhook: "https://example.org/{secret}"}}]}}\n'
    trial.write("kjpstate.yaml", HOSTS + channel)
    closed = trial.folder / "closed"
    closed.mkdir(mode=0o700)
    trial.folder.chmod(0o755)
    state = trial.folder / "state"
    state.mkdir()
    state.chmod(0o777)
    asked = ("setpriv", "--reuid=4242", "--regid=4242", "--clear-groups")
    words = (*trial.inside, *asked, *trial.program("validate")[len(trial.inside) :])
    done = trial.run(words, HOME=str(state), XDG_STATE_HOME=str(state))
    assert done.code == 65, done.said
    assert "can't be read" in done.err


def test_a_host_may_not_be_named_with_a_line_end(trial: Trial) -> None:
    trial.write("kjpstate.yaml", 'kjpstate: 1\nname: c\nhosts: {"pc\\n": {local: "."}}\n')
    done = trial.kjpstate("validate")
    assert done.code == 65, done.said


@pytest.mark.parametrize("sign", ["\\n", "\\u200b", "\\ufeff"])
def test_a_text_of_the_document_forges_no_row(trial: Trial, sign: str) -> None:
    section = f'dns: {{host: "x{sign}kjpstate.yaml:1:1: forged", servers: [8.8.8.8]}}\n'
    trial.write("kjpstate.yaml", HOSTS + section)
    done = trial.kjpstate("validate")
    assert done.code == 65, done.said
    assert not [
        row for row in done.said.splitlines() if row.startswith("kjpstate.yaml:1:1: forged")
    ]
    assert sign == "\\n" or sign.encode().decode("unicode_escape") not in done.said


# ---- anchors that fit everywhere


@pytest.mark.parametrize(
    "anchor",
    ["$A; $$$ $B; $$$ $C; $$$ b;", "$A; $$$ $B; $$$ $C; $$$ $B; $$$ $A; $$$ b;"],
    ids=["each name once", "names again"],
)
def test_an_anchor_that_is_not_found_comes_to_an_end(trial: Trial, anchor: str) -> None:
    trial.write("kjpstate.yaml", document(f'- {{id: e, replace: "{anchor}", content: c();}}'))
    trial.write("bot.ts", "".join(f"a{number};\n" for number in range(400)))
    done = trial.kjpstate("plan", timeout=20)
    assert done.code == 8, done.code
    assert "anchor-" in done.said
