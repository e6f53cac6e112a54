"""The small document for the tests of the verbs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Desk, desk


@pytest.fixture(name="desk")
def desk_fixture(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A folder with a document that needs nothing but this machine."""
    return desk(tmp_path, capsys, monkeypatch)
