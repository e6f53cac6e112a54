"""The kind dns through apply: a restart that fails, or leaves other values, is
put back and told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from kjpstate import apply
from kjpstate.formats.resolved import Running, Seen, Unit, render
from kjpstate.formats.resolved_conf import DROP_IN, MAIN, ConfFile, settings
from kjpstate.kinds import KINDS
from kjpstate.kinds.dns.spec import Spec
from kjpstate.model import (
    Answer,
    Completed,
    File,
    Probe,
    ReadCommand,
    ReadFile,
    Reading,
    Resource,
    Run,
    RunInfo,
    Where,
)
from kjpstate.plan import Scene, build
from tests.support.demo_world import SMALL, World
from tests.support.fake import FakeHost
from tests.support.words import values

RUN = RunInfo("abc123", "20261123T194500Z", "doc", "me@laptop")
SPEC = Spec("box", "doc", ("8.8.8.8", "1.1.1.1"))
DNS = Resource("dns", "dns", "box", SPEC, Where("doc.yaml", 1, 1))
OLD = b"[Resolve]\nDNS=192.168.100.1\n"
RESTART, FORGET = (
    ("systemctl", "restart", "systemd-resolved"),
    ("systemctl", "reset-failed", "systemd-resolved"),
)


class Box(FakeHost):
    """A daemon that has what its file said when it was last started; `deaf`: it drops 1.1.1.1."""

    def __init__(self, *, deaf: bool = False) -> None:
        super().__init__(
            "box", {MAIN: OLD}, {FORGET: lambda files: None, RESTART: lambda files: self.load()}
        )
        self.deaf, self.running = deaf, Running()
        self.load()

    def load(self) -> None:
        servers = settings([ConfFile(MAIN, self.files[MAIN])]).values("DNS") or ()
        heard = tuple(server for server in servers if not (self.deaf and server == "1.1.1.1"))
        self.running = Running(heard, (), mode="stub", stub="yes")

    def _read(self, reading: Reading) -> Answer:
        match reading:
            case Probe():
                unit = Unit("loaded", "active", "running", "enabled", "success")
                return render(Seen(version=252, unit=unit, running=self.running))
            case ReadCommand(argv=argv):
                assert argv[:3] == ("journalctl", "-u", "systemd-resolved")
                return Completed(0, b"Failed to bind: no way\n", b"")
            case ReadFile(path=path):
                content = self.files.get(path)
                return None if content is None else File(path, content, 0o644)
            case _:
                return super()._read(reading)


def applied(host: Box) -> Any:
    wanted = Scene("doc", (DNS,), {}, b"key", KINDS, {"box": (MAIN, DROP_IN)})
    readings = apply.readings_by_host(wanted)["box"]
    scene = replace(wanted, answers=asyncio.run(host.look(readings)))
    return asyncio.run(apply.run(build(scene), scene, {"box": host}, RUN, lambda event: None))


def commands(host: Box) -> list[tuple[str, ...]]:
    return [done.argv for done in host.journal if isinstance(done, Run)]


def test_one_restart_and_the_values_are_there() -> None:
    host = Box()
    report = applied(host)
    assert [step.result for step in report.steps] == ["applied"] and report.exit_code == 0
    assert host.running.servers == ("8.8.8.8", "1.1.1.1")
    assert commands(host) == [FORGET, RESTART]


def test_a_restart_that_fails_tells_the_journals_end_and_is_put_back() -> None:
    host = Box()
    host.fail.add(RESTART)
    (step,) = applied(host).steps
    assert values(step.reason, "rule") == ["restart-failed"]
    assert "Failed to bind: no way" in str(step.reason)
    assert host.files[MAIN] == OLD


def test_values_that_are_others_after_all_are_put_back_and_the_daemon_too() -> None:
    host = Box(deaf=True)
    report = applied(host)
    (step,) = report.steps
    assert step.result == "restored" and values(step.reason, "rule") == ["effective-mismatch"]
    assert (host.files[MAIN], host.running.servers) == (OLD, ("192.168.100.1",))
    assert commands(host) == [FORGET, RESTART, FORGET, RESTART] and report.exit_code == 7


def test_the_dns_of_a_host_belongs_to_one_document_until_it_is_taken_over(tmp_path: Path) -> None:
    first = World(tmp_path)
    assert first.apply().exit_code == 0
    text = "kjpstate: 1\nname: other\nhosts: {stb: {ssh: root@192.168.100.104}}\n"
    text += "dns: {host: stb, servers: [9.9.9.9]}\n"
    first.write(text)
    (change,) = first.plan().changes
    assert change.refusal is not None and change.refusal.rule == "dns-owned"
    assert "belongs to the document bot-kjp" in change.refusal.reason
    first.write(text.replace("[9.9.9.9]", "[9.9.9.9], takes_over: bot-kjp"))
    assert first.apply().exit_code == 0 and not first.plan().changes
    first.write(SMALL)
    refused = [change.refusal.reason for change in first.plan().changes if change.refusal]
    assert refused == ["the dns of stb belongs to the document other"]
