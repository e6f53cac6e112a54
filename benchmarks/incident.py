"""The incident that kjpstate was made for, before and after `kjpstate apply`, on the tests' Debian
machine.

    KJPSTATE_TOOLS=DIR python benchmarks/incident.py [SECONDS]

The bot as its owner left it, and then as states/bot-kjp.yaml says; the modem's DNS is down for
SECONDS (120), then all DNS is. Prints a table: reconnects a minute, per cent of one core, and
seconds until it was connected again. Needs what tests/machine/ needs: root, mmdebstrap,
systemd-nspawn; see CONTRIBUTING.md.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.machine import Machine
from tests.support.machine.outage import ALL_DNS, MODEM_DNS, Measured, measure
from tests.support.machine.world import World

_HEAD = (
    "| outage | bot | reconnects a minute | CPU, of one core | connected again "
    "|\n|---|---|---|---|---|"
)


def main(seconds: float) -> None:
    """Measure both outages on both bots, and print a row for each."""
    print(_HEAD, flush=True)
    machine = Machine()
    try:
        machine.start()
        assert machine.bot_is_connected()
        _rows(machine, "as it was", seconds)
        with tempfile.TemporaryDirectory() as folder:
            World(Path(folder), machine, "bot-kjp.yaml").must(0, "apply", "--yes")
            _rows(machine, "after apply", seconds)
    finally:
        machine.stop()


def _rows(machine: Machine, bot: str, seconds: float) -> None:
    for outage in (MODEM_DNS, ALL_DNS):
        found = measure(machine, outage, seconds)
        print(
            f"| {outage.name} | {bot} | {found.a_minute:,.1f} | {found.cpu:.1f}% | "
            f"{_back(found)} |",
            flush=True,
        )


def _back(found: Measured) -> str:
    return "during the outage" if found.back_after == 0 else f"{found.back_after:.0f} s after it"


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 120)
