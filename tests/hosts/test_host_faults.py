"""What a killed session, a race for the lock, and root's session leave behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
from pathlib import Path

import pytest

from kjpstate import errors
from kjpstate.host import Ssh
from kjpstate.hosts.programs import COMMAND_CAP
from kjpstate.hosts.ssh import ShellHost
from kjpstate.model import (
    MakeDirectory,
    Prune,
    ReadFile,
    ReadState,
    ReadTree,
    Run,
    Stamp,
    SyncTree,
    Where,
    WriteFile,
)
from tests.support import bodies
from tests.support.bodies import run_info
from tests.support.shell_link import ShellLink

BACKUPS = ".backup.20261123T200000Z-"
ROUNDS = 3
"""At random instants; `test_fault_kills.py` has every one of them."""
SHELLS = ["dash", *(pytest.param(shell, marks=pytest.mark.real) for shell in ("bash", "busybox"))]


def shell_host(bench, links):
    """A host of the bench whose shells are noted in `links`, to be killed."""
    host = bench.host()
    connect = host._connect

    async def noted(spec, folder):
        links.append(await connect(spec, folder))
        return links[-1]

    host._connect = noted
    return host


def kill(links):
    for link in links:
        for pipe in link.pipes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pipe.process.pid, signal.SIGKILL)


async def killed_at(bench, seconds, run_id, actions):
    """Do `actions`, with everything on the host's side killed that long after they began."""
    links: list[ShellLink] = []
    host = shell_host(bench, links)
    await host.begin(run_info(run_id), ())
    task = asyncio.ensure_future(host.act(actions, (), {"box": bodies_source(bench)}))
    await asyncio.sleep(seconds)
    kill(links)
    with contextlib.suppress(errors.Unreachable):
        await task
    await host.close()


def bodies_source(bench):
    from kjpstate.hosts.local import LocalHost

    return LocalHost("box")


async def done_now(bench, run_id, actions):
    host = bench.host()
    try:
        await host.begin(run_info(run_id), ())
        return (await host.act(actions, (), {"box": bodies_source(bench)}))[0]
    finally:
        await host.close()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_write_killed_anywhere_is_old_or_new_and_heals(tmp_path, shell):
    bench = bodies.shell_bench(tmp_path, shell)
    chance = random.Random(7)
    old, new = b"old" * 100, os.urandom(50_000)
    for number in range(ROUNDS):
        bench.put("x", old, 0o640)
        run_id = f"{number:06x}"
        action = WriteFile("box", bench.path("x"), old, new)
        asyncio.run(killed_at(bench, chance.uniform(0, 0.08), run_id, [action]))
        found, kept = bench.get("x"), bench.get(f"x{BACKUPS}{run_id}")
        assert found in (old, new)
        assert kept in (None, old) and old in (found, kept)
        healed = asyncio.run(done_now(bench, f"{number + 0x100000:06x}", [action]))
        assert healed[0].ok and bench.get("x") == new, healed
        if healed[0].status == "done":
            assert bench.get(f"x{BACKUPS}{number + 0x100000:06x}") == old
        assert not [name for name in bench.names() if "kjpstate-" in name]
        assert not list(bench.locks.glob("[!.]*"))
        for path in bench.real(bench.root).glob("*x*"):
            path.unlink()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_switch_killed_anywhere_is_old_or_new_and_heals(tmp_path, shell):
    bench = bodies.shell_bench(tmp_path, shell)
    chance = random.Random(11)
    source = bodies_source(bench)
    for name in ("a.js", "sub/b.js"):
        bench.put(f"src/{name}", f"new {name}")
    reading = ReadTree("box", bench.path("src/"))
    files = asyncio.run(source.look([reading]))[reading].files
    for number in range(ROUNDS):
        for name in ("a.js", "stale.js"):
            bench.put(f"dist/{name}", f"old {name}")
        bench.put("dist/db.json", "{}")
        switch = SyncTree(
            "box", bench.path("src/"), "box", bench.path("dist/"), files, ("stale.js",)
        )
        asyncio.run(killed_at(bench, chance.uniform(0, 0.2), f"{number:06x}", [switch]))
        outcomes = asyncio.run(done_now(bench, f"{number + 0x100000:06x}", [switch]))
        assert outcomes[0].ok, outcomes
        assert bench.names("dist") == ["a.js", "db.json", "sub", "sub/b.js"]
        assert bench.get("dist/a.js") == b"new a.js" and bench.get("dist/db.json") == b"{}"
        kept = list(bench.real(bench.root).glob("dist.backup.*"))
        assert [(folder / "a.js").read_text() for folder in kept] == ["old a.js"]
        assert not [name for name in bench.names() if "kjpstate-" in name]
        for folder in (*kept, bench.real(bench.path("dist"))):
            shutil.rmtree(folder)


@pytest.mark.real
@pytest.mark.parametrize("stale", [False, True])
def test_of_many_at_once_one_gets_the_lock(tmp_path, stale):
    benches = [bodies.local_bench(tmp_path)]
    for shell in bodies.SHELLS:
        folder = tmp_path / shell
        folder.mkdir()
        bench = bodies.shell_bench(folder, shell)
        bench.locks = tmp_path / "locks"
        benches += [bench, bench]

    async def go(number):
        lock = tmp_path / "locks" / "kjpstate"
        lock.parent.mkdir(exist_ok=True)
        if stale:
            lock.write_text(
                f"run dead00\nwho x\nwhen y\nwhy z\npid 4194303\nstart {number}\nboot b\n"
            )
        hosts = [bench.host() for bench in benches]
        for host in hosts[1:]:
            host._places = (host._places[0], str(tmp_path / "locks"))
        ids = [f"{number:04x}{index:02x}" for index in range(len(hosts))]
        results = await asyncio.gather(
            *(host.begin(run_info(run_id), ()) for host, run_id in zip(hosts, ids, strict=True)),
            return_exceptions=True,
        )
        won = [index for index, result in enumerate(results) if isinstance(result, dict)]
        lost = [result for result in results if not isinstance(result, dict)]
        assert all(isinstance(result, errors.Locked) for result in lost), lost
        assert len(won) == 1 and f"run {ids[won[0]]}\n" in lock.read_text()
        outcomes, _ = await hosts[won[0]].act(
            [MakeDirectory("box", f"{benches[won[0]].root}/r{number}")]
        )
        assert outcomes[0].status == "done"
        for host in hosts:
            await host.close()
        assert not list(lock.parent.glob("[!.]*"))

    for number in range(8):
        asyncio.run(go(number))


# ---- become: root's hands beside the login user's


def become_host(tmp_path, sudo, longest=64 * 1024):
    """A host in dash whose `sudo` is this script."""
    (tmp_path / "bin").mkdir()
    tool = tmp_path / "bin" / "sudo"
    tool.write_text(f"#!/bin/sh\n{sudo}\n")
    tool.chmod(0o755)
    spec = Ssh("box", Where("doc.yaml", 1, 1), become="sudo")
    environ = {"PATH": f"{tool.parent}:{os.environ['PATH']}"}

    async def connect(spec, state_folder):
        return ShellLink("dash", environ, longest)

    places = {"state": str(tmp_path / "state"), "locks": str(tmp_path / "locks")}
    may_change = (f"{tmp_path}/", "/etc/kjpstate-no-such-folder/")
    return ShellHost(spec, may_change=may_change, state_folder=tmp_path, connect=connect, **places)


@pytest.mark.parametrize("longest", [COMMAND_CAP, 64 * 1024])
def test_only_what_needs_root_goes_through_sudo(tmp_path, longest):
    log = tmp_path / "log"
    sudo = f'printf "%s\\n" "$1" >>{log}; shift; BECAME=root exec "$@"'
    host = become_host(tmp_path, sudo, longest)
    tool = tmp_path / "systemctl"
    tool.write_text(f"#!/bin/sh\necho systemctl $BECAME >>{log}\n")
    tool.chmod(0o755)

    async def go():
        try:
            await host.begin(run_info(), [ReadFile("box", str(log))])
            actions = [
                WriteFile("box", f"{tmp_path}/x", None, b"x"),
                Run("box", (str(tool), "restart"), "restarts"),
                Run("box", ("sh", "-c", f"echo mine $BECAME >>{log}"), "tries"),
                Stamp("box", "doc", "s", {}),
                WriteFile("box", "/etc/kjpstate-no-such-folder/x", None, b"x"),
            ]
            return await host.act(actions, [ReadFile("box", f"{tmp_path}/x")])
        finally:
            await host.close()

    outcomes, answers = asyncio.run(go())
    assert [outcome.status for outcome in outcomes] == ["done", "done", "done", "done", "failed"]
    assert answers[ReadFile("box", f"{tmp_path}/x")].content == b"x"
    assert log.read_text().splitlines() == ["-n", "systemctl root", "mine"]
    assert not list((tmp_path / "locks").glob("*"))


def test_what_roots_hand_kept_is_listed_and_pruned_too(tmp_path):
    """Root has a state folder of its own: its list of backups is one with the login user's."""
    other = f"s|{tmp_path}/state|{tmp_path}/root|g"
    host = become_host(
        tmp_path, f'shift; exec "$1" "$2" "$3" "$4" "$(printf %s "$5" | sed "{other}")"'
    )
    rows = {}
    for folder, day in (("state", 1), ("root", 2), ("state", 3), ("root", 4)):
        path, run = f"{tmp_path}/{folder}-{day}", f"00000{day}"
        backup = Path(f"{path}.backup.2026010{day}T000000Z-{run}")
        backup.write_bytes(b"old")
        rows[str(backup)] = f"{run}\t{path}\t{backup}\t{'0' * 64}\tfile\n"
        (tmp_path / folder / "doc").mkdir(parents=True, exist_ok=True)
        with (tmp_path / folder / "doc/backups").open("a") as stream:
            stream.write(rows[str(backup)])
    listed = ReadState("box", "doc", "backups")

    async def go():
        try:
            before = (await host.look([listed]))[listed]
            under = (await host.begin(run_info(), [listed]))[listed]
            outcomes, _ = await host.act(
                [Stamp("box", "doc", "s", {}), Prune("box", "doc", tuple(rows)[:3])]
            )
            await host.end()
            return before, under, outcomes, (await host.look([listed]))[listed]
        finally:
            await host.close()

    before, under, outcomes, after = asyncio.run(go())
    assert before == under == "".join(rows.values()).encode()
    assert [outcome.status for outcome in outcomes] == ["done", "done"]
    assert [Path(backup).exists() for backup in rows] == [False, False, False, True]
    assert after == rows[tuple(rows)[3]].encode()


@pytest.mark.parametrize("said", ["sudo: a password is required", "me: not tonight"])
def test_sudo_that_does_not_let_us_is_said(tmp_path, said):
    host = become_host(tmp_path, f"echo '{said}' >&2; exit 1")

    async def go():
        try:
            await host.begin(run_info(), ())
        finally:
            await host.close()

    with pytest.raises(errors.RefusedError, match=said) as caught:
        asyncio.run(go())
    assert caught.value.rule == "become-failed"
    assert not list(Path(tmp_path / "locks").glob("*"))
