"""`demo` does what it says, leaves nothing behind, notices when it does not; its document is the
owner's."""

from __future__ import annotations

import tempfile
from importlib import resources
from pathlib import Path

import pytest

from kjpstate.cli import demo
from tests.support.commands import Desk

STATES = Path(__file__).parents[2] / "states"


@pytest.fixture(autouse=True)
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders of the demo go."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_the_demo_does_what_it_says_and_leaves_nothing(desk: Desk, temporary: Path):
    shown = desk.kjpstate("demo")
    assert shown.code == 0
    for said in (
        "Plan: 2 to add, 4 to change, 1 to replace, 0 to remove.",
        "Looked again: in sync.",
        "\nIn sync.\n",
        "~ dns  stb  ",
        "~ patch.reconnect-backoff  pc  ",
        "Checks: 8 passed, 0 failed, 1 by hand.",
        "  stb  /root/bot-kjp/dist.backup.",
    ):
        assert said in shown.out
    assert list(temporary.iterdir()) == []


def test_keep_leaves_the_machines(desk: Desk, temporary: Path):
    shown = desk.kjpstate("demo", "--keep")
    assert shown.code == 0
    kept = next(temporary.iterdir())
    assert str(kept) in " ".join(shown.out.split())
    assert "MAX_RETRIES = 10;" in (kept / "pc/src/wa.ts").read_text("utf-8")
    assert "DNS=8.8.8.8 1.1.1.1" in (kept / "stb/etc/systemd/resolved.conf").read_text("utf-8")


def test_a_demo_that_does_not_do_what_it_says_is_1(desk: Desk, temporary: Path, monkeypatch):
    async def nothing(stage):
        """Nobody edits anything."""

    monkeypatch.setattr(demo, "_disturb", nothing)
    shown = desk.kjpstate("demo")
    assert shown.code == 1
    assert "The demo did not do what it says: both edits are found." in shown.err
    assert list(temporary.iterdir()) == []


def test_the_owners_document_fits_a_screen(desk: Desk):
    out = desk.kjpstate("demo").out
    screen = out[out.index("bot-kjp   pc") : out.index("to remove.\n")].splitlines()
    assert len(screen) + 1 <= 40  # and the line of what to type next
    assert max(map(len, screen)) <= 100


def test_the_demos_document_is_the_owners():
    ours = resources.files("kjpstate.cli").joinpath("demo.yaml").read_text("utf-8")
    owners = (STATES / "bot-kjp.yaml").read_text("utf-8")
    assert ours[ours.index("\nguardrails:") :] == owners[owners.index("\nguardrails:") :]
