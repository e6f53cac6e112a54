"""The probes names, cpu and tail under dash, busybox sh and bash: what they print is what formats
read."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

import kjpstate
from kjpstate.formats import logs, names, proc
from kjpstate.said import say

REMOTE = Path(kjpstate.__file__).parent / "hosts" / "remote"
SHELLS = [
    shell for shell in (("dash",), ("busybox", "sh"), ("bash", "--posix")) if shutil.which(shell[0])
] or [("sh",)]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the probes are for POSIX hosts")


@pytest.fixture(params=SHELLS, ids=lambda shell: str(shell[0]))
def shell(request: pytest.FixtureRequest) -> Sequence[str]:
    """A shell to run the probe in."""
    chosen: Sequence[str] = request.param
    return chosen


def probe(shell: Sequence[str], name: str, *args: str, **environ: str) -> bytes:
    command = [*shell, str(REMOTE / f"probe_{name}.sh"), *args]
    done = subprocess.run(
        command, capture_output=True, timeout=30, env={**os.environ, **environ}, check=False
    )
    assert done.stderr == b""
    return done.stdout


@pytest.mark.real
@pytest.mark.parametrize("name", ["names", "cpu", "tail"])
def test_shellcheck_has_nothing_to_say(name: str) -> None:
    done = subprocess.run(
        ["shellcheck", str(REMOTE / f"probe_{name}.sh")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""


# ---- tail


@pytest.mark.parametrize("content", [b"", b"one\n", b"no line end", bytes(range(256)) * 3])
def test_the_end_of_a_file(shell: Sequence[str], tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a log's name.log"
    file.write_bytes(content)
    assert probe(shell, "tail", "100000", str(file)) == logs.render(content)
    start = max(len(content) - 4, 0)
    cut = logs.parse(probe(shell, "tail", "4", str(file)))
    assert cut == logs.Tail(len(content), start, content[start:])


def test_a_file_that_is_not_there_or_is_none(shell: Sequence[str], tmp_path: Path) -> None:
    assert probe(shell, "tail", "9", str(tmp_path / "none")) == b"missing\n"
    assert probe(shell, "tail", "9", str(tmp_path)) == b"unreadable\n"


def test_a_log_in_the_home_of_pm2_or_of_the_user(shell: Sequence[str], tmp_path: Path) -> None:
    (tmp_path / ".pm2" / "logs").mkdir(parents=True)
    (tmp_path / ".pm2" / "logs" / "bot-out.log").write_bytes(b"hi\n")
    for path in ("~pm2/logs/bot-out.log", "~/.pm2/logs/bot-out.log"):
        assert probe(shell, "tail", "9", path, HOME=str(tmp_path), PM2_HOME="") == logs.render(
            b"hi\n"
        )


# ---- cpu: a process that bears the daemon's title and a child that bears the app's name


@contextmanager
def daemon(name: str, work: str) -> Iterator[int]:
    child = f"exec -a node env 'name={name}' {work}"
    script = f"{child} & echo $!; wait"
    parent = subprocess.Popen(
        [
            "bash",
            "-c",
            f'exec -a "PM2 v7.0.4: God Daemon (/nowhere)" bash -c "$1" bash {script!r}',
            "bash",
            script,
        ],
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    time.sleep(0.2)
    try:
        yield pid
    finally:
        os.kill(pid, 9)
        parent.kill()
        parent.wait()
        parent.stdout.close()


@pytest.mark.real
@pytest.mark.parametrize(
    ("work", "low", "high"), [("sleep 60", 0, 1), ("sh -c 'while :; do :; done'", 1, 120)]
)
def test_two_samples_tell_a_busy_app_from_an_idle_one(
    shell: Sequence[str], work: str, low: float, high: float
) -> None:
    name = f"bot-kjp-{os.getpid()}"  # its own: others run this test at the same time
    with daemon(name, work) as pid:
        load = proc.parse(probe(shell, "cpu", "1", name, PM2_HOME="/nowhere"))
        assert isinstance(load, proc.Load), load
        assert list(load.percent) == [pid] and low <= load.percent[pid] <= high
        other = proc.parse(probe(shell, "cpu", "0", name, PM2_HOME="/elsewhere"))
        assert other == say("cpu.no-process")
        assert proc.parse(probe(shell, "cpu", "1", "bot-kjp")) == say("cpu.no-process")


@pytest.mark.machine
def test_an_app_in_a_container_is_not_this_hosts(shell: Sequence[str]) -> None:
    inner = 'exec -a "PM2 v7.0.4: God Daemon (/nowhere)" bash -c "$1"'
    child = "exec -a node env name=bot-kjp-boxed sleep 60 & echo started; wait"
    boxed = subprocess.Popen(
        ["unshare", "--pid", "--fork", "--kill-child", "bash", "-c", inner, "bash", child],
        stdout=subprocess.PIPE,
    )
    assert boxed.stdout is not None
    try:
        assert boxed.stdout.readline() == b"started\n"
        time.sleep(0.2)
        said = proc.parse(probe(shell, "cpu", "1", "bot-kjp-boxed"))
        assert said == say("cpu.no-process")
    finally:
        boxed.kill()
        boxed.wait()
        boxed.stdout.close()


# ---- names: a server of our own on loopback


CODES = {"EMPTY": 0, "SERVFAIL": 2, "NXDOMAIN": 3, "REFUSED": 5}


@contextmanager
def dns_server(mode: str) -> Iterator[int]:
    """A UDP server that answers every question with 192.0.2.7 (ok), so, or not at all (TIMEOUT)."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    listener.settimeout(
        0.05
    )  # looks now and then whether it is over: nothing has to reach it for that
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                question, client = listener.recvfrom(512)
            except TimeoutError:
                continue
            if mode == "TIMEOUT" or len(question) < 17:
                continue
            name = question[12 : question.index(b"\0", 12) + 5]
            flags = bytes([0x81, 0x80 | CODES.get(mode, 0)])
            head = (
                question[:2]
                + flags
                + b"\0\1"
                + (b"\0\1" if mode == "ok" else b"\0\0")
                + b"\0\0\0\0"
            )
            record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\x07" if mode == "ok" else b""
            listener.sendto(head + name + record, client)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        thread.join()
        listener.close()


def path_with(tmp_path: Path, tools: Sequence[str]) -> str:
    """A PATH with the tools a small box has, and those."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("tr", "sed", "grep", "timeout", "getent", "readlink", "sh", *tools):
        found = shutil.which(tool)
        if found:
            (folder / tool).symlink_to(found)
    return str(folder)


@pytest.mark.real
@pytest.mark.parametrize("tool", ["dig", "host", "node"])
@pytest.mark.parametrize("mode", ["ok", *CODES, "CLOSED"])
def test_each_tool_tells_an_answer_from_each_failure(
    shell: Sequence[str], tmp_path: Path, tool: str, mode: str
) -> None:
    programs = [tool, "busybox"] if shell[0] == "busybox" else [tool, shell[0]]
    with dns_server(mode) as free:
        port = 1 if mode == "CLOSED" else free
        printed = probe(
            shell,
            "names",
            "1",
            "localhost",
            f"127.0.0.1|{port}",
            PATH=path_with(tmp_path, programs),
        )
    found = names.parse(printed)
    assert isinstance(found, tuple)
    (server,) = [item for item in found if item.path == "server"]
    assert (server.tool, server.subject, server.ok) == (tool, f"127.0.0.1|{port}", mode == "ok")
    assert (server.address, server.said) == (("192.0.2.7", "") if mode == "ok" else ("", mode))


@pytest.mark.real
@pytest.mark.parametrize("tool", ["dig"])
def test_servers_that_are_silent_are_told_from_a_line_that_is_down(
    shell: Sequence[str], tmp_path: Path, tool: str
) -> None:
    programs = list(dict.fromkeys(["node", tool])) + (
        ["busybox"] if shell[0] == "busybox" else [shell[0]]
    )
    asked = ("1", "localhost")
    with dns_server("TIMEOUT") as one, dns_server("TIMEOUT") as two:
        servers = [f"127.0.0.1|{port}" for port in (one, two)]
        before = time.monotonic()
        found = names.parse(
            probe(shell, "names", *asked, *servers, PATH=path_with(tmp_path, programs))
        )
        assert time.monotonic() - before < 9, "asked one after the other"
    assert isinstance(found, tuple)
    said = {(item.path, item.subject): item.said for item in found if item.path != "app"}
    assert said == {
        **{("server", server): "TIMEOUT" for server in servers},
        **{("wan", server): "" for server in servers},
    }
    assert not names.wan_down(found), "its machine refuses a connection: so it is there"


def test_a_name_is_asked_for_as_the_app_asks(shell: Sequence[str]) -> None:
    found = names.parse(probe(shell, "names", "2", "localhost", "no-such-host.invalid"))
    assert isinstance(found, tuple)
    by_name = {(item.subject, item.tool): item.ok for item in found}
    assert by_name[("localhost", "getent")] and not by_name[("no-such-host.invalid", "getent")]
    assert {item.path for item in found} == {"app"}
