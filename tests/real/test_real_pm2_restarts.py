"""The model of PM2's restarts against apps that crash now: a slice on one PM2, the whole on 5, 6
and 7."""

from __future__ import annotations

import random

import pytest

from kjpstate.formats.pm2 import health, probe
from tests.support.pm2_box import VERSIONS, Pm2Box, install, wait_for
from tests.support.pm2_restarts import CASES, agree, watch

pytestmark = pytest.mark.real

SEED = 20260301
SURE = {"owner", "few-8s", "slow"}
SLICE = {*SURE, *random.Random(SEED).sample(sorted(set(CASES) - SURE), 2)}


def runs_as_modelled(box: Pm2Box, names: set[str], seconds: float) -> int:
    try:
        cases = {name: CASES[name] for name in sorted(names)}
        ran = watch(box, cases, seconds, lambda: wait_for(lambda: seen_to_loop_slowly(box), 60))
    finally:
        box.stop()
    for run in ran.values():
        assert len(run.lives) > 2, run
        agree(run)
    return len(ran)


def seen_to_loop_slowly(box: Pm2Box) -> bool:
    """An app that PM2 calls online, up longer than any fast crash loop: its log alone gives it
    away."""
    seen = probe.parse(box.probe("slow", f"{box.bot}/dist/slow.js"))
    assert isinstance(seen, probe.Seen)
    (app,) = seen.named("slow")
    found = health.health(seen, "slow")
    slowly = (
        found.state == "looping"
        and app.status == "online"
        and "its last 3 lives ended after" in str(found.reason)
    )
    return slowly and "not on purpose" in str(health.rising(seen, "slow"))


def test_a_slice_now(tmp_path, tmp_path_factory):
    runs_as_modelled(Pm2Box(tmp_path, install(tmp_path_factory.getbasetemp() / "pm2")), SLICE, 32)


@pytest.mark.full
@pytest.mark.parametrize("version", VERSIONS)
def test_every_case_now(tmp_path, tmp_path_factory, version, counted):
    tools = install(tmp_path_factory.getbasetemp() / "pm2", version)
    done = runs_as_modelled(Pm2Box(tmp_path, tools), set(CASES), 130)
    counted("crashing apps restarted by PM2 5, 6 and 7 as the model says", done)
