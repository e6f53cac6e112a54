"""`patch keep`'s way of writing: any text into any document; all around it stays, to the byte."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kjpstate.document import spliced
from kjpstate.model import Where

WHOLE = bool(os.environ.get("KJPSTATE_FULL"))
QUICK = settings(
    max_examples=2000 if WHOLE else 60,
    derandomize=not WHOLE,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
CODE = st.sampled_from(
    ["go();", "log('it''s');", 'log("a: b # no comment");', "// # kata", "if (x) {", "  tidur(1);", "}", "",
     "- x", "`${a}\\n`", "✅ 'siap'", "@x", "a: 1", "|", "key: [", "\tgo();",
     "!!tag", "&a *b", "%x", "---", "..."]
)  # fmt: skip
TEXTS = (
    st.lists(CODE, min_size=1, max_size=5)
    .map("\n".join)
    .map(lambda text: text.strip("\n"))
    .filter(bool)
)
STYLES = st.fixed_dictionaries({
    "form": st.sampled_from(["|", "|-", "|+", '"', "'", "plain", "flow"]),
    "step": st.sampled_from([1, 2, 4]),
    "deep": st.sampled_from([2, 3, 4]),
    "ending": st.sampled_from(["\n", "\r\n"]),
    "bom": st.booleans(),
    "comment": st.sampled_from(["", "   # sepuluh", " #"]),
    "blanks": st.integers(0, 2),
    "final": st.booleans(),
    "before": st.sampled_from(["", "      # satu\n", "\n\n"]),
    "last": st.booleans(),
})  # fmt: skip


def written(style: dict[str, Any], old: str) -> tuple[bytes, Where, str, str]:
    """A document, the place of its key `content`, and the texts before and behind the value's
    lines."""
    form, key = style["form"], " " * 6
    before = f"# nol\npatches:\n  - set: a # dua\n    edits:\n{style['before']}    - id: one\n"
    behind = "\n" * style["blanks"] + (
        "" if style["last"] else "    - {id: two, content: 'x'} # tiga\n# empat\n"
    )
    if form == "flow":
        line = f'    - {{id: flow, content: "{old}", at: end}}{style["comment"]}\n'
        before, value = before + "      content: x\n", line
        column = line.index("content") + 1
    elif form[0] == "|":
        value = f"{key}content: {form}{style['comment']}\n" + f"{key}{' ' * style['step']}{old}\n"
        column = 7
    else:
        mark = "" if form == "plain" else form
        value = f"{key}content: {mark}{old}{mark}{style['comment']}\n"
        column = 7
    text = before + value + behind
    text = text if style["final"] or form == "|+" else text.removesuffix("\n")
    data = ("\ufeff" * style["bom"] + text.replace("\n", style["ending"])).encode()
    return data, Where("a.yaml", before.count("\n") + 1, column), before, behind


def test_only_the_text_changes(counted: Callable[[str, int], None]) -> None:
    done: list[bool] = []

    @QUICK
    @given(STYLES, st.sampled_from(["go();", "tunggu(7);"]), TEXTS)
    def every(style: dict[str, Any], old: str, text: str) -> None:
        data, where, before, behind = written(style, old)
        after = spliced(data, "a.yaml", where, text)
        done.append(after is not None)
        if after is None:
            return
        ending = style["ending"]
        assert after.startswith(("\ufeff" * style["bom"] + before.replace("\n", ending)).encode())
        tail = behind if style["final"] or style["form"] == "|+" else behind.removesuffix("\n")
        assert not after.endswith(b"\r")
        assert after.endswith(tail.replace("\n", ending).encode())
        assert after.count(b"\r\n") == (after.count(b"\n") if ending == "\r\n" else 0)
        comments = [
            row for row in data.decode().splitlines() if row.lstrip("\ufeff ").startswith("#")
        ]
        assert [row for row in after.decode().splitlines() if row in comments] == comments
        if style["comment"]:
            assert style["comment"].strip() in after.decode()
        one, other = yaml.safe_load(data), yaml.safe_load(after)
        number = 1 if style["form"] == "flow" else 0
        assert other["patches"][0]["edits"][number]["content"].strip("\n") == text
        for loaded in (one, other):
            del loaded["patches"][0]["edits"][number]["content"]
        assert one == other

    every()
    assert sum(done) > 0.6 * len(done)
    counted("texts written into documents by patch keep", len(done))
