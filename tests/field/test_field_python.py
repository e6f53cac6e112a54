"""On the newest Debian's Python: box.md 12."""

from __future__ import annotations

import pytest

from tests.support.machine import readme
from tests.support.trial import checkout

pytestmark = pytest.mark.root

DOCUMENT = """
kjpstate: 1
name: t
hosts: {pc: {local: .}}
patches: [{host: pc, file: a.ts, set: s, edits: [{id: a, insert_before: a, scope: module, content: b}]}]
"""


def test_a_drift_that_nobody_can_read_ends_with_our_code() -> None:
    drift = ".venv/bin/python -m kjpstate drift k.yaml"
    with readme.at_home(checkout()) as typed:
        assert typed("python3 -m venv .venv && .venv/bin/pip install -q -e .") == 0
        assert typed(f"echo 'a();' >a.ts && echo '{DOCUMENT}' >k.yaml && {drift} >/dev/null") == 2
        assert typed(f"{drift} >/dev/full 2>&1") == 1
        assert typed(f"{drift} --json >/dev/full 2>&1") == 1
