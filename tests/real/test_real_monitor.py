"""The watch over a real sshd and a real PM2: a link that is cut or goes silent,
a bot that crashes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from kjpstate import monitor
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.soak import Hole, Limits, Sample, Subject
from kjpstate.hosts import connecting
from kjpstate.hosts.ssh import ShellHost
from kjpstate.said import say
from tests.support.pm2_box import Pm2Box, install
from tests.support.sshd import Proxy, Sshd, start_sshd

pytestmark = pytest.mark.real

BOT = """
const fs = require('fs');
console.log('up');
setInterval(() => {
  if (!fs.existsSync('spin')) return;
  const end = Date.now() + 90;
  while (Date.now() < end);
}, 100);
"""
LIMITS = Limits(cpu=30, crash_restarts=0, log={"ENOTFOUND": 3})


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("pm2-tools"))


@pytest.fixture
def box(tmp_path: Path, tools: Path) -> Iterator[Pm2Box]:
    """A bot under PM2 that does nothing until it is told to."""
    box = Pm2Box(tmp_path, tools)
    box.script(BOT)
    box.cli("start", str(box.bot / "dist/index.js"), "--name", "bot-kjp", "--cwd", str(box.bot))
    yield box
    box.stop()


@pytest.fixture
def server(tmp_path: Path, box: Pm2Box) -> Iterator[Sshd]:
    """A server whose logins find this PM2."""
    words = f'SetEnv PM2_HOME="{box.pm2_home}" PATH="{box.env["PATH"]}"'
    server = start_sshd(tmp_path / "sshd", words)
    yield server
    server.stop()


class Watch:
    """A watch through a proxy; `script` is told what it sees, and acts."""

    def __init__(self, box: Pm2Box, server: Sshd, folder: Path) -> None:
        self.box, self.server, self.folder = box, server, folder
        # where the document believes the logs to be, PM2 has none: it says itself where they are
        nowhere = {"out_file": "~pm2/logs/nowhere.log", "error_file": "NULL"}
        app = {"name": "bot-kjp", "script": "dist/index.js", "cwd": str(box.bot), **nowhere}
        declared = Declared("box", "d", str(box.bot / "ecosystem.config.js"), app)
        subject = Subject(declared, ("localhost",), ("ENOTFOUND",))
        self.record = monitor.Record(
            "d", (subject,), LIMITS, monitor.Pace(600, 0.5, keep_going=True)
        )

    async def run(self, script) -> monitor.Record:
        """Until `script` has seen what it waits for."""
        async with Proxy(self.server.port) as proxy, asyncio.timeout(120):
            spec = self.server.spec(proxy.port)
            (self.folder / "known_hosts").write_text(self.server.known(proxy.port) + "\n", "utf-8")
            host = ShellHost(
                spec, may_change=(), state_folder=self.folder, connect=connecting.connect
            )
            seen: asyncio.Queue[Sample | Hole] = asyncio.Queue()
            watching = asyncio.create_task(
                monitor.watch(self.record, {"box": host}, seen.put_nowait)
            )
            try:
                await script(proxy, seen)
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
                await host.close()
        return self.record

    def kill(self) -> None:
        """As the kernel does it when memory is short: PM2 sees a crash."""
        os.kill(self.box.jlist()[0]["pid"], signal.SIGKILL)

    def logs(self, times: int) -> None:
        with (self.box.pm2_home / "logs/bot-kjp-error.log").open("a") as log:
            log.write("Error: getaddrinfo ENOTFOUND web.whatsapp.com\n" * times)


@pytest.fixture
def watch(box: Pm2Box, server: Sshd, tmp_path: Path) -> Watch:
    return Watch(box, server, tmp_path)


async def look(seen: asyncio.Queue[Sample | Hole], wanted=lambda sample: True) -> Sample:
    """The next sample that is wanted."""
    while isinstance(found := await seen.get(), Hole) or not wanted(found):
        pass
    return found


async def hole(seen: asyncio.Queue[Sample | Hole]) -> Hole:
    """The next hole, open or closed."""
    while not isinstance(found := await seen.get(), Hole):
        pass
    return found


def test_a_cut_link_is_a_hole_and_what_happened_meanwhile_is_seen_after_it(watch: Watch):
    async def script(proxy: Proxy, seen: asyncio.Queue) -> None:
        first = await look(seen)
        assert (first.crashes, first.logs["ENOTFOUND"], first.cpu) == (0, 0, None)
        await look(seen)
        proxy.cut_after = 0
        assert (await hole(seen)).end is None
        await asyncio.to_thread(watch.kill)
        watch.logs(5)
        await asyncio.sleep(1)
        proxy.cut_after = None
        closed = await hole(seen)
        assert closed.end is not None and closed.end - closed.start > 1
        after = await look(seen)
        assert after.at >= closed.end
        assert after.logs["ENOTFOUND"] == 5
        last = await look(seen, lambda sample: sample.crashes > 0)
        assert (last.crashes, last.planned, last.names) == (1, 0, {"localhost": True})

    record = asyncio.run(watch.run(script))
    assert len(record.holes) == 1
    verdict = record.soak("whole").verdicts[0]
    assert verdict.result == "failed"
    assert {str(finding.what) for finding in verdict.findings} >= {
        "restarts by crashes: 1; the limit is 0",
        'lines with "ENOTFOUND": 5; the limit is 3',
    }


def test_a_link_that_goes_silent_is_a_hole_too(watch: Watch, monkeypatch: pytest.MonkeyPatch):
    async def script(proxy: Proxy, seen: asyncio.Queue) -> None:
        await look(seen)
        monkeypatch.setattr(monitor, "_PATIENCE", 0.5)
        monkeypatch.setattr(monitor, "_NAME", 0.0)
        proxy.freeze = True
        opened = await hole(seen)
        assert (opened.end, opened.why) == (None, say("watch.no-answer", host="box"))
        monkeypatch.undo()
        proxy.freeze = False
        assert (await hole(seen)).end is not None

    asyncio.run(watch.run(script))


def test_a_bot_that_spins_is_measured_by_the_ticks_of_its_kernel(watch: Watch):
    async def script(proxy: Proxy, seen: asyncio.Queue) -> None:
        assert (await look(seen)).cpu is None
        idle = await look(seen)
        assert idle.cpu is not None and idle.memory is not None and idle.memory > 20 << 20
        (watch.box.bot / "spin").touch()
        # other tests may leave it little of a core
        busy = await look(seen, lambda sample: sample.cpu > max(10, 3 * idle.cpu))
        assert (busy.crashes, busy.planned, busy.sick) == (0, 0, "")

    asyncio.run(watch.run(script))


def test_a_reload_is_no_crash_and_a_crash_is(watch: Watch):
    async def script(proxy: Proxy, seen: asyncio.Queue) -> None:
        await look(seen)
        await asyncio.to_thread(watch.box.cli, "reload", "bot-kjp")
        reloaded = await look(seen, lambda sample: sample.planned)
        assert (reloaded.crashes, reloaded.planned) == (0, 1)
        await asyncio.to_thread(watch.kill)
        crashed = await look(seen, lambda sample: sample.crashes)
        assert (crashed.crashes, crashed.planned) == (1, 1)
        await look(seen)
        after = await look(seen)
        assert (after.crashes, after.planned) == (1, 1)

    asyncio.run(watch.run(script))
