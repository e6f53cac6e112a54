"""A host over SSH: how many round trips, whose keys, and one clear sentence for every way not to
get in."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import socket
import subprocess
from pathlib import Path

import pytest

from kjpstate import errors
from kjpstate.host import Ssh
from kjpstate.hosts import connecting, known_hosts, programs
from kjpstate.hosts.ssh import ShellHost
from kjpstate.hosts.trust import remember, scan
from kjpstate.model import (
    Probe,
    ReadClock,
    ReadCommand,
    ReadFile,
    ReadLock,
    ReadTree,
    Run,
    SyncTree,
    Where,
    WriteFile,
)
from kjpstate.said import say
from tests.support.bodies import run_info
from tests.support.sshd import Proxy, free_port, make_key, start_sshd

REAL = pytest.mark.real
CLOCK = ReadClock("box")


def host_for(tmp_path, spec, **options) -> ShellHost:
    places = {"state": str(tmp_path / "state"), "locks": str(tmp_path / "locks")}
    (tmp_path / "controller").mkdir(exist_ok=True)
    options.setdefault("may_change", (f"{tmp_path}/",))
    return ShellHost(spec, state_folder=tmp_path / "controller", **{**places, **options})


def trusted(tmp_path, *lines):
    folder = tmp_path / "controller"
    folder.mkdir(exist_ok=True)
    (folder / "known_hosts").write_text("".join(f"{line}\n" for line in lines))


def look(host, *readings):
    async def go():
        try:
            return await host.look(readings or (CLOCK,))
        finally:
            await host.close()

    return asyncio.run(go())


# ---- round trips


async def bare_turns(server, proxy) -> int:
    import asyncssh

    proxy.reset()
    connection = await asyncssh.connect(
        "127.0.0.1",
        proxy.port,
        known_hosts=asyncssh.import_known_hosts(server.known(proxy.port)),
        client_keys=[str(server.client_key)],
        config=None,
        agent_path=None,
    )
    await connection.run("true", encoding=None)
    turns = proxy.turns
    connection.close()
    await connection.wait_closed()
    return turns


@REAL
@pytest.mark.parametrize(("probes", "more"), [(["pm2"], 0), (["pm2", "resolved", "names"], 1)])
def test_a_look_costs_what_a_bare_command_costs(sshd, tmp_path, probes, more):
    """And a turn more where its program must go over standard input."""
    (tmp_path / "x").write_text("x" * 100_000)
    wanted = [ReadFile("box", str(tmp_path / "x")), ReadTree("box", f"{tmp_path}/"), CLOCK]
    wanted += [
        ReadCommand("box", ("true",)),
        *(Probe("box", name, ("bot", "/x")) for name in probes),
    ]

    async def once(proxy):
        proxy.reset()
        host = host_for(tmp_path, sshd.spec(proxy.port))
        answers = await host.look(wanted)
        turns, cost = proxy.turns, host.cost
        await host.close()
        assert len(answers) == len(wanted)
        assert (proxy.connections, cost.connections, cost.execs) == (1, 1, 1)
        assert cost.sent > 10_000 and cost.received > 100_000
        return turns

    async def go():
        async with Proxy(sshd.port) as proxy:
            proxy.delay = 0.02
            trusted(tmp_path, sshd.known(proxy.port))
            return [await bare_turns(sshd, proxy) for _ in range(4)], [
                await once(proxy) for _ in range(4)
            ]

    bare, ours = asyncio.run(go())
    # A slow start lets two things that a peer says come as one, a busy machine splits one in two.
    assert min(ours) - more <= max(bare) <= 9, (bare, ours)


@REAL
def test_an_apply_of_three_files_costs_seven_turns_more(sshd, tmp_path):
    async def go():
        async with Proxy(sshd.port) as proxy:
            proxy.delay = 0.02
            trusted(tmp_path, sshd.known(proxy.port))
            host = host_for(tmp_path, sshd.spec(proxy.port))
            await host.look([CLOCK])
            proxy.reset()
            await host.begin(run_info(), [CLOCK])
            for number in range(3):
                path = str(tmp_path / f"f{number}")
                outcomes, answers = await host.act(
                    [WriteFile("box", path, None, b"x" * 20_000)], [ReadFile("box", path)]
                )
                assert outcomes[0].ok and answers[ReadFile("box", path)].content == b"x" * 20_000
            await host.end()
            turns = proxy.turns
            await host.close()
            return turns, host.cost

    turns, cost = asyncio.run(go())
    assert turns <= 7 and (cost.connections, cost.execs) == (1, 2)


# ---- whose key


@REAL
def test_an_unknown_key_is_refused_with_its_fingerprint(sshd, tmp_path):
    with pytest.raises(errors.RefusedError) as caught:
        look(host_for(tmp_path, sshd.spec()))
    assert caught.value.rule == "host-key-unknown" and "SHA256:" in str(caught.value)
    assert caught.value.remedy == say("host-key-unknown.cure", host="box")
    assert not (tmp_path / "controller" / "known_hosts").exists()


@REAL
def test_a_changed_key_is_refused_with_both_fingerprints(sshd, tmp_path):
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text().split()[:2]
    trusted(tmp_path, f"[127.0.0.1]:{sshd.port} {' '.join(other)}")
    with pytest.raises(errors.RefusedError) as caught:
        look(host_for(tmp_path, sshd.spec()))
    assert caught.value.rule == "host-key-changed" and str(caught.value).count("SHA256:") == 2


@REAL
def test_a_changed_type_of_key_is_refused(sshd, tmp_path):
    other = make_key(tmp_path / "other", kind="rsa").with_suffix(".pub").read_text().split()[:2]
    trusted(tmp_path, f"[127.0.0.1]:{sshd.port} {' '.join(other)}")
    with pytest.raises(errors.RefusedError) as caught:
        look(host_for(tmp_path, sshd.spec()))
    assert caught.value.rule == "host-key-changed" and "ssh-ed25519" in str(caught.value)


@REAL
def test_trust_is_scan_and_remember(sshd, tmp_path):
    spec, folder = sshd.spec(), tmp_path / "controller"
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text().split()[:2]
    trusted(tmp_path, f"[127.0.0.1]:{sshd.port} {' '.join(other)}", f"10.0.0.9 {' '.join(other)}")
    shown = asyncio.run(scan(spec, folder))
    argv = ["ssh-keygen", "-lf", str(sshd.folder / "host.pub")]
    told = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert [fingerprint for fingerprint, _ in shown] == [told.stdout.split()[1]]
    path = remember(spec, [line for _, line in shown], folder)
    assert path.read_text().splitlines() == [f"10.0.0.9 {' '.join(other)}", sshd.known()]
    assert path.stat().st_mode & 0o077 == 0
    assert look(host_for(tmp_path, spec))[CLOCK].boot_id


@REAL
def test_the_users_own_known_hosts_counts(sshd, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_text(sshd.known() + "\n")
    assert look(host_for(tmp_path, sshd.spec()))[CLOCK].boot_id


@REAL
def test_a_pin_of_the_document_is_all_that_counts(sshd, tmp_path):
    import asyncssh

    key = (sshd.folder / "host.pub").read_text()
    fingerprint = asyncssh.import_public_key(key).get_fingerprint()
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text()
    for pin in (fingerprint, key):
        assert look(host_for(tmp_path, sshd.spec(host_key=pin)))[CLOCK].boot_id
    trusted(tmp_path, sshd.known())
    for pin in ("SHA256:" + "A" * 43, other):
        with pytest.raises(errors.RefusedError) as caught:
            look(host_for(tmp_path, sshd.spec(host_key=pin)))
        assert caught.value.rule == "host-key-changed"
    with pytest.raises(errors.UsageError, match="host_key"):
        look(host_for(tmp_path, sshd.spec(host_key="nonsense")))


# ---- a jump


@REAL
def test_each_hop_shows_a_known_key(sshd, tmp_path):
    inner = start_sshd(tmp_path / "inner")
    try:
        (inner.folder / "authorized").write_text((sshd.folder / "client.pub").read_text())
        jump = f"{sshd.spec().user}@127.0.0.1:{sshd.port}"
        spec = inner.spec(jump=jump, identity=(str(sshd.client_key),))
        for lines, word in (([sshd.known()], str(inner.port)), ([inner.known()], str(sshd.port))):
            trusted(tmp_path, *lines)
            with pytest.raises(errors.RefusedError) as caught:
                look(host_for(tmp_path, spec))
            assert caught.value.rule == "host-key-unknown" and word in str(caught.value)
        trusted(tmp_path, sshd.known(), inner.known())
        host = host_for(tmp_path, spec)
        assert look(host)[CLOCK].boot_id and host.cost.connections == 2
        assert len(asyncio.run(scan(spec, tmp_path / "controller"))) == 1
    finally:
        inner.stop()


def test_jumps_are_read_as_written():
    def places(jump):
        spec = Ssh("box", Where("d", 1, 1), address="10.0.0.1", jump=jump)
        return [(target.user, target.address, target.port) for target in connecting.targets(spec)]

    end = ("", "10.0.0.1", 22)
    assert places("") == [end]
    assert places("me@gate:2222, inner") == [("me", "gate", 2222), ("", "inner", 22), end]
    assert places("u@[fe80::1]:2222") == [("u", "fe80::1", 2222), end]
    assert places("fe80::1") == [("", "fe80::1", 22), end]


# ---- ways not to get in


def spec_for(**changes):
    return Ssh("box", Where("d", 1, 1), **{"address": "127.0.0.1", "user": "me", **changes})


def refused(tmp_path, spec):
    with pytest.raises(errors.Unreachable) as caught:
        look(host_for(tmp_path, spec))
    assert caught.value.host == "box" and "\n" not in str(caught.value) and caught.value.remedy
    return caught.value


def test_a_closed_port(tmp_path):
    port = free_port()
    error = refused(tmp_path, spec_for(port=port))
    place = f"127.0.0.1 port {port}"
    assert error.message == say("link.nothing-listens", host="box", place=place)


def test_a_name_that_does_not_resolve(tmp_path):
    error = refused(tmp_path, spec_for(address="no-such-box.invalid"))
    assert error.message == say("link.unresolved", host="box", name="no-such-box.invalid")


def test_a_port_that_never_speaks(tmp_path, monkeypatch):
    monkeypatch.setattr(connecting, "LOGIN_TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refused(tmp_path, spec_for(port=silent.getsockname()[1]))
    assert error.message.code == "link.no-login"


def test_an_address_that_never_answers(tmp_path, monkeypatch):
    monkeypatch.setattr(connecting, "CONNECT_TIMEOUT", 0.3)
    with socket.socket() as full:  # a full backlog drops further requests without a word
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for extra in waiting:
            extra.setblocking(False)
            extra.connect_ex(full.getsockname())
        error = refused(tmp_path, spec_for(port=full.getsockname()[1]))
        for extra in waiting:
            extra.close()
    assert error.message.code == "link.no-answer"


def test_a_port_that_is_not_sshs(tmp_path):
    async def go():
        async def hello(reader, writer):
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(hello, "127.0.0.1", 0)
        async with server:
            host = host_for(tmp_path, spec_for(port=server.sockets[0].getsockname()[1]))
            with pytest.raises(errors.Unreachable) as caught:
                await host.look([CLOCK])
            assert caught.value.message.code == "link.cut"

    asyncio.run(go())


@REAL
def test_a_key_that_is_not_let_in(sshd, tmp_path):
    trusted(tmp_path, sshd.known())
    stranger = make_key(tmp_path / "stranger")
    error = refused(tmp_path, sshd.spec(identity=(str(stranger),)))
    assert str(stranger) in str(error.message)
    assert f"ssh-copy-id -i {stranger} -p {sshd.port} " in error.remedy.values["bring"]
    locked = make_key(tmp_path / "locked", passphrase="secret words")
    error = refused(tmp_path, sshd.spec(identity=(str(locked),)))
    assert error.remedy.values["key"] == str(locked)
    error = refused(tmp_path, sshd.spec(identity=(str(tmp_path / "missing"),)))
    assert error.message.code == "link.no-key-file"
    error = refused(tmp_path, sshd.spec(identity=(f"{sshd.client_key}.pub",)))
    assert error.message.code == "link.no-private-key"
    assert error.message.values["files"].endswith("client.pub")
    assert error.remedy.code == "link.no-private-key.cure"


@REAL
def test_a_login_shell_that_says_no(tmp_path):
    server = start_sshd(tmp_path / "sshd", "ForceCommand /bin/false")
    try:
        trusted(tmp_path, server.known())
        with pytest.raises(errors.Unreachable, match=r"broke off \(exit code 1\)"):
            look(host_for(tmp_path, server.spec()))
    finally:
        server.stop()


# ---- the link goes


@REAL
def test_a_frozen_link_is_noticed(sshd, tmp_path, monkeypatch):
    monkeypatch.setattr(connecting, "_KEEPALIVE", 0.2)

    async def go():
        async with Proxy(sshd.port) as proxy:
            trusted(tmp_path, sshd.known(proxy.port))
            host = host_for(tmp_path, sshd.spec(proxy.port))
            await host.begin(run_info(), [CLOCK])
            proxy.freeze = True
            with pytest.raises(errors.Unreachable, match=r"lost|not known"):
                await host.act([Run("box", ("true",), "tries")])
            proxy.freeze = False
            await host.close()

    asyncio.run(asyncio.wait_for(go(), 30))


@REAL
def test_a_link_cut_in_a_payload_installs_nothing_half(sshd, tmp_path):
    """The connection is reset after so many bytes of the client, from the lock to the end of the
    payload."""
    path = tmp_path / "x"
    old, new = b"old" * 1000, os.urandom(60_000)

    async def once(cut):
        async with Proxy(sshd.port) as proxy:
            trusted(tmp_path, sshd.known(proxy.port))
            host = host_for(tmp_path, sshd.spec(proxy.port))
            await host.begin(run_info(), [CLOCK])
            proxy.sent, proxy.cut_after = 0, cut
            try:
                outcomes, _ = await host.act([WriteFile("box", str(path), old, new)])
                return outcomes[0].status
            except errors.Unreachable:
                return "lost"
            finally:
                await host.close()

    async def freed():
        async with Proxy(sshd.port) as proxy:
            trusted(tmp_path, sshd.known(proxy.port))
            for _ in range(100):
                host = host_for(tmp_path, sshd.spec(proxy.port))
                try:
                    await host.begin(run_info("fedcba"), [CLOCK])
                    return
                except errors.Locked:
                    await asyncio.sleep(0.1)
                finally:
                    await host.close()
            raise AssertionError("the lock outlived its session")

    seen = set()
    for cut in (1, 50, 500, 5_000, 30_000, 59_000, 60_500, 10**9):
        path.write_bytes(old)
        seen.add(asyncio.run(once(cut)))
        asyncio.run(freed())
        assert path.read_bytes() in (old, new)
        assert path.read_bytes() == old or list(tmp_path.glob("x.backup.*"))
        for kept in tmp_path.glob("x.backup.*"):
            assert kept.read_bytes() == old
            kept.unlink()
    assert seen == {"lost", "done"}


@REAL
def test_a_step_that_outlives_its_link_keeps_the_lock(sshd, tmp_path):
    async def go():
        async with Proxy(sshd.port) as proxy:
            trusted(tmp_path, sshd.known(proxy.port), sshd.known())
            host = host_for(tmp_path, sshd.spec(proxy.port))
            await host.begin(run_info(), [CLOCK])
            step = Run(
                "box", ("sh", "-c", "touch begun; sleep 2; touch ended"), "tries", cwd=str(tmp_path)
            )
            task = asyncio.ensure_future(host.act([step]))
            while not (tmp_path / "begun").exists():
                await asyncio.sleep(0.05)
            proxy.cut_after = 0
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await host.close()
            other = host_for(tmp_path, sshd.spec())
            with pytest.raises(errors.Locked, match="abc123"):
                await other.begin(run_info("def456"), [])
            while not (tmp_path / "ended").exists():
                await asyncio.sleep(0.05)
            for _ in range(50):
                try:
                    await other.begin(run_info("def456"), [])
                    break
                except errors.Locked:
                    await asyncio.sleep(0.1)
            await other.close()

    asyncio.run(asyncio.wait_for(go(), 30))


@REAL
def test_a_tree_travels_between_two_hosts(sshd, tmp_path):
    from kjpstate.hosts.local import LocalHost

    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.js").write_bytes(os.urandom(300_000))
    (tmp_path / "src" / "b.js").write_text("b")
    trusted(tmp_path, sshd.known())

    async def go():
        pc, box = LocalHost("pc"), host_for(tmp_path, sshd.spec())
        reading = ReadTree("pc", f"{tmp_path}/src/")
        tree = (await pc.look([reading]))[reading]
        await box.begin(run_info(), [])
        action = SyncTree("pc", f"{tmp_path}/src/", "box", f"{tmp_path}/dist/", tree.files)
        there = ReadTree("box", f"{tmp_path}/dist/")
        outcomes, answers = await box.act([action], [there], {"pc": pc, "box": box})
        await box.close()
        return tree, outcomes, answers[there]

    tree, outcomes, there = asyncio.run(go())
    assert outcomes[0].status == "done"
    assert {path: file.digest for path, file in there.files.items()} == {
        path: file.digest for path, file in tree.files.items()
    }


# ---- what a login shell gets to see


def test_nothing_that_a_shell_might_take_for_its_own():
    text = "echo 'a' \"b\" `c` $d !e \\f\n# 🔄 ü\n%s"
    line, first = programs.command(text)
    assert first == b"" and "\n" not in line and "!" not in line and line.isascii()
    words = shlex.split(line)
    assert words[:2] == ["exec", "/bin/sh"] and "\\\\" not in line and "'" not in words[-1]
    back = subprocess.run(
        ["/bin/sh", "-c", 'printf %b "$1"', "x", words[-1]], capture_output=True, check=True
    )
    assert back.stdout.decode() == text


@pytest.mark.parametrize("padding", [0, 8_000, 70_000])
@pytest.mark.parametrize(
    "shell", ["sh", "bash --posix", pytest.param("busybox sh", marks=pytest.mark.real)]
)
def test_short_and_long_programs_run_the_same(padding, shell):
    program = f"# {'x' * padding}\necho 'it''s' \"$0\" 🔄; cat"
    line, first = programs.command(program)
    assert bool(first) == bool(padding) and len(line) <= programs.COMMAND_CAP
    line = line.replace("/bin/sh", shell)
    done = subprocess.run(
        ["/bin/sh", "-c", line], input=first + b"rest", capture_output=True, check=True
    )
    assert done.stdout.decode() == "its kjpstate 🔄\nrest" and done.stderr == b""


def test_what_a_login_reads_is_none_of_the_program():
    line, first = programs.command(f"# {'x' * 9_000}\necho well; cat")
    argv = ["/bin/sh", "-c", f"read -r one; read -r two; {line}"]
    done = subprocess.run(argv, input=first + b"rest", capture_output=True, check=True)
    assert done.stdout == b"well\nrest"


def test_a_program_that_is_cut_is_not_begun():
    line, first = programs.command(f"echo begun\n# {'x' * 9_000}\necho well")
    for cut in (0, 5, 17, 40, len(first) // 2, len(first) - 1):
        done = subprocess.run(
            ["/bin/sh", "-c", line], input=first[:cut], capture_output=True, check=False
        )
        assert (done.returncode, done.stdout) == (74, b"")


PROGRAMS = {
    "a small look": programs.look_program([CLOCK], "n" * 32),
    "a look for cron": programs.look_program(
        [ReadLock("box"), *(Probe("box", name) for name in ("pm2", "resolved", "hints"))],
        "n" * 32,
        within=60.0,
    ),
    "a look at everything": programs.look_program(
        [
            *(
                Probe("box", name)
                for name in ("pm2", "resolved", "names", "cpu", "tail", "count", "hints")
            ),
            *(ReadFile("box", f"/root/bot-kjp/{'long' * 20}-{number}") for number in range(500)),
        ],
        "n" * 32,
    ),
    "a command of the document": programs.look_program(
        [ReadCommand("box", ("sh", "-c", "é!'\\" * 9_000))], "n" * 32
    ),
    "a session": programs.session_program(
        programs.call("kj_begin", "abc123", "doc", "s", "who", "when", "why" * 20_000, ""),
        [CLOCK],
        "n" * 32,
    ),
    "the lock": programs.lock_program(programs.call("kj_unlock", "owner\n" * 99, ""), "n" * 32),
    "a file": programs.call("exec", "cat", "--", "/" + "'" * 4_000),
}


@pytest.mark.parametrize("prefix", ["", "sudo -n "])
@pytest.mark.parametrize("cap", [programs.COMMAND_CAP, programs.OPENSSH_CAP])
@pytest.mark.parametrize("name", PROGRAMS)
def test_no_command_line_is_longer_than_the_server_takes(name, cap, prefix):
    line, first = programs.command(PROGRAMS[name], prefix, cap)
    assert len(line) <= cap
    assert (PROGRAMS[name].encode() in first) or not first


def test_what_is_asked_often_fits_in_one_command_line():
    assert programs.command(PROGRAMS["a small look"])[1] == b""
    look = programs.look_program([ReadLock("box"), Probe("box", "pm2")], "n" * 32, within=60.0)
    assert programs.command(look, cap=programs.OPENSSH_CAP)[1] == b""


def test_nothing_ever_connects_without_checking_the_key():
    """The one option of asyncssh that would, stands nowhere in the package."""
    for module in (connecting, known_hosts):
        text = Path(module.__file__).read_text("utf-8")
        assert "known_hosts=None" not in text and '"known_hosts": None' not in text


@pytest.mark.parametrize(
    "name",
    [
        "lib",
        "look",
        "lock",
        "deadline",
        "session",
        "journal",
        "hands",
        "where",
        "back",
        "trees",
        "prune",
    ],
)
def test_every_function_of_a_script_is_sent_where_it_is_called(name):
    text = programs.script(name)
    heads = set(re.findall(r"^(kj_\w+)\(\) [{(]", text, re.M))
    assert heads
    whole = programs.needed([name], "\n".join(heads))
    assert sorted(whole.splitlines()) == sorted(text.splitlines())


def test_what_others_than_the_session_do_goes_to_them_in_one_pair_of_quotes():
    assert "'" not in programs.script("hands")


def test_no_script_has_a_function_that_is_called_like_one_of_another():
    """They are one program: the later one would be called in the place of the earlier."""
    folder = Path(programs.__file__).with_name("remote")
    heads = [
        head
        for path in folder.glob("*.sh")
        for head in re.findall(r"^(kj_\w+)\(\)", path.read_text("utf-8"), re.M)
    ]
    assert heads and sorted(set(heads)) == sorted(heads)


def test_what_nobody_calls_is_not_sent():
    assert "kj_tree() {" not in programs.look_program([CLOCK], "n" * 32)
    assert "kj_take() {" not in programs.look_program([ReadLock("box")], "n" * 32)
    assert "kj_owner() {" not in programs.look_program([ReadFile("box", "/x")], "n" * 32)
    for reading, function in {
        ReadFile("box", "/x"): "kj_file() {",
        ReadLock("box"): "kj_read() {",
    }.items():
        assert function in programs.look_program([reading], "n" * 32)
