"""The demo's two machines in a temporary folder and a document for them: for
tests of whole runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from kjpstate import document, reconcile
from kjpstate.hosts.simulated import SimulatedHost, seed_demo
from kjpstate.model import Event, Plan, Recovered, Report, RunInfo

KEY = b"k" * 32
STATES = Path(__file__).parents[2] / "states"
OWNERS_PC = 'pc: {local: "D:/BOT/BOT INPUT DATA KJP DI WA OTOMATIS"}'
SMALL = """
kjpstate: 1
name: bot-kjp
hosts:
  pc: {local: pc}
  stb: {ssh: root@192.168.100.104}
dns: {host: stb, servers: [8.8.8.8, 1.1.1.1], exclusive: true}
build:
  host: pc
  directory: .
  inputs: [src/, package.json, package-lock.json, tsconfig.json]
  check: npx --no-install tsc --noEmit
  run: npm run build
  outputs: [dist/]
deploy:
  from: {host: pc, directory: dist/}
  to: {host: stb, directory: /root/bot-kjp/dist/}
pm2:
  host: stb
  ecosystem: /root/bot-kjp/ecosystem.config.js
  save: true
  apps:
    - name: bot-kjp
      script: dist/index.js
      cwd: /root/bot-kjp
      exp_backoff_restart_delay: 1000
      out_file: /root/bot-kjp/logs/out.log
      error_file: /root/bot-kjp/logs/error.log
checks:
  - name: alive
    app: {host: stb, name: bot-kjp, alive: true, restarts: steady, settings: effective,
          started_after_deploy: true}
  - {name: names, dns: {host: stb, effective: true, resolves: [web.whatsapp.com], each_server: true}}
  - {name: log, log: {host: stb, app: bot-kjp, since: apply, present: [Terhubung], absent: [ENOTFOUND]}}
  - {name: quiet, cpu: {host: stb, app: bot-kjp, below: 30%, over: 5s}}
"""


def owners_document() -> str:
    """states/bot-kjp.yaml with its computer in the demo's folder."""
    text = (STATES / "bot-kjp.yaml").read_text("utf-8")
    assert OWNERS_PC in text
    return text.replace(OWNERS_PC, "pc: {local: pc}")


def simulated_hosts(document: document.Document, folder: Path) -> dict[str, SimulatedHost]:
    """A box in a folder for each host of the document."""
    allowed = reconcile.may_change(document)
    return {
        name: SimulatedHost(name, folder, may_change=allowed.get(name, ()))
        for name in document.hosts
    }


class World:
    """`pc` and `stb` below `folder`, and what the command line would do with them."""

    def __init__(self, folder: Path, text: str = SMALL) -> None:
        self.folder = folder
        seed_demo(folder)
        self.runs = 0
        self.recovered: tuple[Recovered, ...] = ()
        self.write(text)

    def write(self, text: str) -> None:
        """Another document; the hosts are opened anew."""
        path = self.folder / "kjpstate.yaml"
        path.write_text(text, "utf-8")
        self.document = document.load(str(path), environ={})
        self.hosts = simulated_hosts(self.document, self.folder)

    @property
    def pc(self) -> SimulatedHost:
        """The laptop, in a document that has one."""
        return self.hosts["pc"]

    @property
    def stb(self) -> SimulatedHost:
        """The box."""
        return self.hosts["stb"]

    def plan(self) -> Plan:
        """What would be done."""
        return asyncio.run(reconcile.plan(self.document, self.hosts, key=KEY))

    def apply(self, plan: Plan | None = None) -> Report:
        """Plan and apply, as a new run."""
        self.runs += 1
        run = RunInfo(
            f"{self.runs:06x}", f"20260301T0000{self.runs % 60:02d}Z", self.document.name, "tests"
        )
        return asyncio.run(self._apply(plan, run))

    async def _apply(self, plan: Plan | None, run: RunInfo) -> Report:
        if plan is None:
            plan = await reconcile.plan(self.document, self.hosts, key=KEY)
            self.recovered = await reconcile.recover(self.hosts, plan, run)
            if plan.unfinished:
                plan = await reconcile.plan(self.document, self.hosts, key=KEY)
        return await reconcile.apply(
            self.document, self.hosts, plan, run=run, key=KEY, progress=_quiet
        )

    def reconnect(self) -> None:
        """All links are back."""
        for host in self.hosts.values():
            host.reconnect()


def _quiet(event: Event) -> None:
    return None
