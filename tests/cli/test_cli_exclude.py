"""`--exclude` on the command line: a host at which nobody looks, whatever the verb."""

from __future__ import annotations

import pytest

from kjpstate.hosts.simulated import SimulatedHost
from tests.support.commands import Desk

LOOKING = ("plan", "drift", "verify", "status", "backups", "pm2")


@pytest.fixture(name="looked")
def looked_fixture(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The hosts that anybody looked at."""
    looked: set[str] = set()
    look = SimulatedHost.look

    async def noting(host, readings):
        looked.add(host.name)
        return await look(host, readings)

    monkeypatch.setattr(SimulatedHost, "look", noting)
    return looked


@pytest.mark.parametrize("verb", LOOKING)
def test_nobody_looks_at_an_excluded_host(boxes: Desk, looked: set[str], verb: str):
    boxes.kjpstate(verb)
    assert "stb" in looked
    looked.clear()
    assert boxes.kjpstate(verb, "--exclude", "stb").code in (0, 2, 6)
    assert "stb" not in looked


def test_the_other_host_is_changed_alone(boxes: Desk, looked: set[str]):
    assert boxes.kjpstate("apply", "--yes", "--exclude", "s*").code == 0
    assert looked == {"pc"}
    told = boxes.kjpstate("plan", "--exclude", "st?", "--json").json
    assert told["resource_changes"] == []
    assert {item["host"] for item in told["not_looked_at"]} == {"stb"}
    (applied,) = boxes.kjpstate("history", "--verb", "apply", "--local", "--json").json["runs"]
    assert applied["scope"] == "--exclude s*"
    assert applied["hosts"] == ["pc"]
    assert "dns" in {
        item["address"] for item in boxes.kjpstate("plan", "--json").json["resource_changes"]
    }


def test_a_saved_plan_keeps_what_it_excludes(boxes: Desk, looked: set[str]):
    assert boxes.kjpstate("plan", "--exclude", "stb", "--out", "bot.plan").code == 0
    assert boxes.kjpstate("show", "bot.plan", "--json").json["saved"]["scope"]["exclude"] == ["stb"]
    assert boxes.kjpstate("apply", "bot.plan", "--exclude", "pc").code == 64
    assert boxes.kjpstate("apply", "bot.plan").code == 0
    assert looked == {"pc"}


@pytest.mark.parametrize(
    "words",
    [("--exclude", "nowhere"), ("--exclude", "*"), ("--limit", "stb", "--exclude", "stb")],
)
def test_an_unknown_host_and_none_that_is_left_are_refused(boxes: Desk, words: tuple[str, ...]):
    assert boxes.kjpstate("plan", *words).code == 64
