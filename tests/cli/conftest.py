"""The small document for the tests of the verbs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kjpstate import reconcile
from kjpstate.hosts.simulated import seed_demo
from kjpstate.words import languages
from tests.support import noise
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


@pytest.fixture
def with_noise(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A second language beside English, `id`; afterwards the one of before is spoken again."""
    before = {**os.environ, "LC_ALL": "C"}
    places = noise.catalogue(tmp_path_factory.mktemp("locales"))
    (places / noise.LANGUAGE).rename(places / "id")
    monkeypatch.setenv("KJPSTATE_LOCALES", str(places))
    yield
    languages.speak(before)
