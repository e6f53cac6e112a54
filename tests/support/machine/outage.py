"""The incident, measured: names do not resolve for a while; how often does the bot try, how busy is
it?

Called by benchmarks/incident.py and, for a shorter while, by tests/machine/.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.support.machine import network
from tests.support.machine.box import BOT, Machine

_LOST = "Koneksi terputus"  # what the bot logs each time it is not connected, patched or not
_CUT = 2.0  # seconds for which the modem, starting anew, cuts every connection


@dataclass(frozen=True)
class Outage:
    """`servers`: whose answers fail; `internet`: whether WhatsApp can be reached meanwhile."""

    name: str
    servers: tuple[str, ...]
    internet: bool


MODEM_DNS = Outage("the modem's DNS is down", (network.MODEM,), internet=True)
ALL_DNS = Outage("no DNS and no internet", (network.MODEM, *network.PUBLIC), internet=False)


@dataclass(frozen=True)
class Measured:
    """Of one outage: lost or refused connections, per cent of one core, seconds until it was
    connected again after the outage; 0: it was so before the outage ended. `same`: whether it is
    the same process still."""

    attempts: int
    seconds: float
    cpu: float
    back_after: float
    same: bool

    @property
    def a_minute(self) -> float:
        """Reconnects a minute."""
        return self.attempts * 60 / self.seconds


def measure(machine: Machine, outage: Outage, seconds: float, patience: float = 120) -> Measured:
    """Let it happen for so long, end it, wait until the bot is back;
    AssertionError when it is not."""
    machine.network.all_ok()
    before = _reading(machine)
    for server in outage.servers:
        machine.dns("NXDOMAIN", server)
    machine.must("resolvectl flush-caches")  # as when its link to the modem drops
    machine.network.whatsapp("down")
    time.sleep(min(_CUT, seconds))
    if outage.internet:
        machine.network.whatsapp("ok")
    time.sleep(max(seconds - _CUT, 0))
    after = _reading(machine)
    back = machine.network.logins() > 0
    for server in outage.servers:
        machine.dns("ok", server)
    machine.network.whatsapp("ok")
    ended = time.monotonic()
    assert machine.bot_is_connected(patience), (
        f"not connected again {patience:g} s after: {outage.name}"
    )
    spent = after.uptime - before.uptime
    return Measured(
        attempts=after.lost - before.lost,
        seconds=spent,
        cpu=(after.ticks - before.ticks) / spent,
        back_after=0 if back else time.monotonic() - ended,
        same=before.pid == after.pid,
    )


@dataclass(frozen=True)
class _Reading:
    pid: str
    ticks: int  # a hundred a second: so many a second are per cent
    uptime: float
    lost: int


def _reading(machine: Machine) -> _Reading:
    """The process's own counters and what it logged so far, wherever it logs, in one look."""
    pid = machine.must("cat /root/.pm2/pids/bot-kjp-*.pid").split()[-1]
    logs = f"/root/.pm2/logs/bot-kjp-out.log {BOT}/logs/out.log"
    count = f"cat {logs} 2>/dev/null | grep -c '{_LOST}' || true"
    stat, uptime, lost = machine.must(f"cat /proc/{pid}/stat /proc/uptime; {count}").splitlines()
    fields = stat.rpartition(") ")[2].split()
    return _Reading(pid, int(fields[11]) + int(fields[12]), float(uptime.split()[0]), int(lost))
