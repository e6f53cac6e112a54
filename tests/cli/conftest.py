"""The small document for the tests of the verbs."""

from __future__ import annotations

from pathlib import Path

import pytest

from kjpstate import reconcile
from kjpstate.hosts.simulated import seed_demo
from tests.support.commands import Desk, desk
from tests.support.demo_world import SMALL, simulated_hosts


@pytest.fixture(name="desk")
def desk_fixture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    """A folder with a document that needs nothing but this machine."""
    return desk(tmp_path, capsys, monkeypatch)


@pytest.fixture
def boxes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The demo's two machines below the desk's folder, and a document for them."""
    seed_demo(desk.folder)
    desk.write(SMALL)
    monkeypatch.setattr(
        reconcile, "open_hosts", lambda document, **options: simulated_hosts(document, desk.folder)
    )
    return desk
