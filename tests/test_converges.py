"""The law, over every document in states/: the second plan is empty, also after a cut at every
effect.

Here each document is cut at a few seeded places; with KJPSTATE_FULL=1 at every one.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kjpstate import errors
from tests.support.demo_world import STATES, World

DOCUMENTS = sorted(STATES.rglob("*.yaml"))
OWNERS_FOLDER = '"D:/BOT/BOT INPUT DATA KJP DI WA OTOMATIS"'
SEED, SLICE = 20260226, 6


def world_of(document: Path, folder: Path) -> World:
    """The simulated machines as the document expects them, and the document with its laptop in the
    folder."""
    world = World(folder)
    shutil.copytree(folder / "pc", folder / "stb/root/bot-kjp", dirs_exist_ok=True)
    world.write(document.read_text("utf-8").replace(OWNERS_FOLDER, "pc"))
    return world


def run(world: World) -> int:
    """One apply, whatever becomes of it."""
    try:
        return world.apply().exit_code
    except errors.KjpstateError as error:
        return error.exit_code


@pytest.fixture(params=DOCUMENTS, ids=lambda path: path.stem)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    return world_of(request.param, tmp_path)


def test_there_are_documents():
    assert {path.stem for path in DOCUMENTS} >= {"bot-kjp", "bot-kjp-on-box", "bot-kjp-hardened"}


def test_the_second_plan_is_empty_and_the_second_apply_writes_nothing(world):
    assert not world.plan().empty
    report = world.apply()
    assert report.exit_code == 0, report
    before = {name: host.operations for name, host in world.hosts.items()}
    assert world.plan().changes == ()
    assert world.apply().steps == ()
    writes = {name: host.operations - before[name] for name, host in world.hosts.items()}
    # Only the lock is taken and released, if that.
    assert all(count <= 2 for count in writes.values()), writes


def _cuts(document: Path, folder: Path) -> Iterator[tuple[str, int]]:
    """Every (host, number of the effect after which its link is cut) of this document's first
    apply."""
    world = world_of(document, folder)
    world.apply()
    for name, host in world.hosts.items():
        yield from ((name, number) for number in range(1, host.operations))


@pytest.mark.slice
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_after_a_cut_the_next_apply_heals_and_the_plan_after_it_is_empty(
    document, tmp_path, counted
):
    cuts = list(_cuts(document, tmp_path / "whole"))
    chosen = cuts if os.environ.get("KJPSTATE_FULL") else random.Random(SEED).sample(cuts, SLICE)
    for name, number in chosen:
        folder = tmp_path / f"{name}-{number}"
        world = world_of(document, folder)
        world.hosts[name].cut_after = number
        run(world)
        world.reconnect()
        assert run(world) == 0, (name, number)
        assert world.plan().changes == (), (name, number)
        litter = list(folder.rglob(".*.kjpstate-*"))
        assert litter == [], (name, number)
        shutil.rmtree(folder)
    counted("applies of the documents in states/ cut after an effect", len(chosen))


def test_only_what_may_change_was_changed(world):
    folder = world.folder
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    world.apply()
    allowed = [
        host.real(path)
        for name, host in world.hosts.items()
        for path in world.document.guardrails.may_change[name]
    ]
    for path, content in before.items():
        ours = any(path == one or one in path.parents for one in allowed)
        state = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not (ours or state or "pm2" in str(path)):
            assert path.read_bytes() == content, path
