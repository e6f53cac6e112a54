"""Faults of first users: people.md W1, W2 and the two of Ctrl-C."""

from __future__ import annotations

import pytest

from tests.support.trial import Trial

pytestmark = pytest.mark.root

DOCUMENT = """
kjpstate: 1
name: t
hosts: {pc: {local: "."}}
patches:
  - host: pc
    file: a.ts
    set: s
    edits: [{id: one, insert_before: "function f(", scope: module, content: "let n = 0;"}]
"""


def test_a_document_is_applied_as_people_apply_it(trial: Trial) -> None:
    trial.write("kjpstate.yaml", DOCUMENT)
    trial.write("a.ts", "function f() {\n}\n")
    done = trial.kjpstate("apply", "--yes")
    assert done.code == 0, done.said
    assert "let n = 0;" in (trial.folder / "a.ts").read_text()
    assert trial.kjpstate("drift").code == 0
