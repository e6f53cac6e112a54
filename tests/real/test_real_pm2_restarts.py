"""The model of PM2's restarts against apps that crash now: a slice on one PM2, the whole on 5, 6 and 7."""

from __future__ import annotations

import random

import pytest

from tests.support.pm2_box import VERSIONS, Pm2Box, install
from tests.support.pm2_restarts import CASES, agree, watch

pytestmark = pytest.mark.real

SEED = 20260301
SLICE = {"owner", "few-8s", *random.Random(SEED).sample(sorted(set(CASES) - {"owner", "few-8s"}), 2)}


def runs_as_modelled(box: Pm2Box, names: set[str], seconds: float) -> None:
    try:
        ran = watch(box, {name: CASES[name] for name in sorted(names)}, seconds)
    finally:
        box.stop()
    for run in ran.values():
        assert len(run.lives) > 2, run
        agree(run)


def test_a_slice_now(tmp_path, tmp_path_factory):
    runs_as_modelled(Pm2Box(tmp_path, install(tmp_path_factory.getbasetemp() / "pm2")), SLICE, 32)


@pytest.mark.full
@pytest.mark.parametrize("version", VERSIONS)
def test_every_case_now(tmp_path, tmp_path_factory, version):
    tools = install(tmp_path_factory.getbasetemp() / "pm2", version)
    runs_as_modelled(Pm2Box(tmp_path, tools), set(CASES), 130)
