"""Crashing apps under a real PM2, and what its own log says of them, to the millisecond.

`python -m tests.support.pm2_restarts TOOLS SECONDS` prints a recording for
tests/cases/pm2/restarts.json.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from kjpstate.formats.pm2.policy import policy
from kjpstate.formats.pm2.restarts import crashes
from tests.support.pm2_box import Pm2Box

_LINE = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}): PM2 log: (?:App \[(?P<name>[\w-]+):\d+\] "
    r"(?P<what>starting|exited|will restart in (?P<said>\d+)ms)|Script (?P<script>\S+) had too many)"
)
_CRASHES = "setTimeout(() => process.exit(1), +process.env.LIVE_MS)"

_LATE = 250
Case: TypeAlias = tuple[Mapping[str, int | str], int]

OWNERS = {
    "max_restarts": 15,
    "min_uptime": "10s",
    "restart_delay": 3000,
    "exp_backoff_restart_delay": 100,
}
"""The settings of the owner's plan."""


def without(*keys: str) -> dict[str, int | str]:
    """The owner's settings without some."""
    return {key: value for key, value in OWNERS.items() if key not in keys}


@dataclass(frozen=True)
class Ran:
    """One app's life under PM2, in milliseconds. `lives`: of each start that ended, by PM2's own
    clock.

    `said`: the delays PM2 announced; `waited`: those it took; `given_up`: it stopped for good.
    """

    settings: Mapping[str, int | str]
    live: int
    lives: list[int]
    said: list[int]
    waited: list[int]
    given_up: bool


def watch(
    box: Pm2Box,
    apps: Mapping[str, Case],
    seconds: float,
    meanwhile: Callable[[], None] = lambda: None,
) -> dict[str, Ran]:
    """Run {name: (settings, how long it lives)} side by side for so long, then read PM2's log."""
    declared = []
    for name, (settings, live) in apps.items():
        box.script(_CRASHES, f"dist/{name}.js")
        app = {
            "name": name,
            "script": f"dist/{name}.js",
            "cwd": str(box.bot),
            "env": {"LIVE_MS": str(live)},
        }
        declared.append({**app, **settings})
    (box.bot / "crash.config.js").write_text(f"module.exports = {json.dumps({'apps': declared})};")
    box.cli("start", "crash.config.js", PM2_LOG_DATE_FORMAT="YYYY-MM-DDTHH:mm:ss.SSS")
    end = time.monotonic() + seconds
    meanwhile()
    time.sleep(max(0.0, end - time.monotonic()))
    log = (box.pm2_home / "pm2.log").read_text()
    box.stop()
    return {name: _ran(log, name, *what) for name, what in apps.items()}


def agree(run: Ran) -> None:
    """The model, given the lives that were measured, says the same: the delays within 20 %, and the
    end."""
    rules = policy(run.settings)
    said = list(crashes(rules, run.lives))
    assert len(said) == len(run.lives), "the model gives up earlier"
    assert (said[-1].delay is None) == run.given_up, "the one gives up, the other does not"
    delays = [crash.delay for crash in said if crash.delay is not None]
    if any(delays):
        assert run.said[: len(delays)] == delays[: len(run.said)]
    for wanted, waited in zip(delays, run.waited, strict=False):
        # a timer fires late on a busy machine, whatever its length
        assert wanted * 0.8 <= waited <= wanted * 1.2 + _LATE, (wanted, waited)
    assert len(run.waited) >= len(run.lives) - 1


def _ran(log: str, name: str, settings: Mapping[str, int | str], live: int) -> Ran:
    lives: list[int] = []
    said: list[int] = []
    waited: list[int] = []
    started = ended = None
    over = False
    for match in _LINE.finditer(log):
        if match["script"]:
            over = over or Path(match["script"]).stem == name
            continue
        if match["name"] != name or over:
            continue
        at = datetime.fromisoformat(match["at"])
        if match["what"] == "starting":
            if ended is not None:
                waited.append(_between(ended, at))
            started, ended = at, None
        elif match["what"] == "exited" and started is not None:
            lives.append(_between(started, at))
            ended = at
        elif match["said"]:
            said.append(int(match["said"]))
    return Ran(settings, live, lives, said, waited, over)


def _between(one: datetime, other: datetime) -> int:
    return round((other - one).total_seconds() * 1000)


CASES: dict[str, Case] = {
    "owner": (OWNERS, 0),
    "owner-8s": (OWNERS, 8000),
    "no-backoff": (without("exp_backoff_restart_delay"), 0),
    "no-max": (without("max_restarts"), 0),
    "no-uptime": (without("min_uptime"), 0),
    "no-delay": (without("restart_delay"), 0),
    "no-delays": (without("restart_delay", "exp_backoff_restart_delay"), 0),
    "backoff-alone": ({"exp_backoff_restart_delay": 1000}, 0),
    "delay-alone": ({"restart_delay": 3000}, 0),
    "nothing": ({}, 0),
    "few-8s": ({"max_restarts": 3, "min_uptime": "10s"}, 8000),
    "slow": ({"exp_backoff_restart_delay": 100}, 8000),
    "few-long": ({"max_restarts": 3, "min_uptime": "5s", "restart_delay": 500}, 8000),
}
"""{name: (settings, how long each start lives)}."""


def main() -> None:
    """Record every case."""
    tools, seconds = Path(sys.argv[1]), float(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        box = Pm2Box(Path(folder), tools)
        try:
            ran = watch(box, CASES, seconds)
        finally:
            box.stop()
    print(json.dumps({name: asdict(item) for name, item in ran.items()}))


if __name__ == "__main__":
    main()
