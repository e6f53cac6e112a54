"""Faults that people met, each as they met it. docs/field-cases.md says what an older commit did
with each.

`KJPSTATE_CHECKOUT=DIR KJPSTATE_MACHINE=1 pytest tests/field` tries the program of another checkout.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.trial import Trial, private


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    """A folder for a document and what it names, open to other users; root's own places are
    private."""
    for above in tmp_path.parents:
        if (
            above.name.startswith(("pytest-", "popen-", "tmp", "tests"))
            and above.stat().st_uid == 0
            and above != Path("/tmp")
        ):
            above.chmod(0o755)  # pytest's own are 0700
    tmp_path.chmod(0o755)
    folder = tmp_path / "D"
    folder.mkdir(mode=0o755)
    with private(folder) as trial:
        yield trial
