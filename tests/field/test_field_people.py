"""Scope, verdicts, Ctrl-C: one member of a fleet has no say over another, and a person is heard at
once."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sshd import Sshd, free_port, start_sshd
from tests.support.trial import Trial, private

pytestmark = pytest.mark.root

PATCH = """
patches:
  - host: HOST
    file: FILE
    set: s
    edits: [{id: one, insert_before: "function f(", scope: module, content: "let n = 0;"}]
"""
SOURCE = "function f() {\n}\n"
PATCHED = "let n = 0;"


# ---- a fleet: each member an sshd in a namespace of its own, where D/box is its own folder


class Fleet:
    """Members by their number; the last one is off."""

    def __init__(self, trial: Trial, servers: list[Sshd]) -> None:
        self.trial, self.servers, self.off = trial, servers, free_port()
        ports = [*(server.port for server in servers), self.off]
        self.names = [f"fleet[127.0.0.1:{port}]" for port in ports]

    def write(self, *members: int) -> None:
        rows = []
        for at in members:
            server = self.servers[min(at, len(self.servers) - 1)]
            port = server.port if at < len(self.servers) else self.off
            key = " ".join((server.folder / "host.pub").read_text().split()[:2])
            where = (
                f'address: 127.0.0.1, port: {port}, user: root, identity: "{server.folder}/client"'
            )
            rows.append(f'      - {{{where}, host_key: "{key}"}}\n')
        box = f"{self.trial.folder}/box"
        patch = PATCH.replace("HOST", "fleet").replace("FILE", f"{box}/a.ts")
        check = (
            f"checks: [{{name: alive, command: {{host: fleet, run: [test, -f, {box}/alive]}}}}]\n"
        )
        head = "kjpstate: 1\nname: t\nhosts:\n  fleet:\n    ssh:\n"
        self.trial.write("kjpstate.yaml", head + "".join(rows) + patch + check)

    def folder(self, at: int) -> Path:
        return self.trial.folder / f"member{at}"

    def source(self, at: int) -> str:
        return (self.folder(at) / "a.ts").read_text()


@pytest.fixture
def fleet(trial: Trial, tmp_path: Path) -> Iterator[Fleet]:
    with contextlib.ExitStack() as stack:
        servers = []
        (trial.folder / "box").mkdir()
        for at in range(2):
            trial.write(f"member{at}/a.ts", SOURCE)
            trial.write(f"member{at}/alive", "")
            place = stack.enter_context(private(trial.folder))
            place.sh(f"mount --bind member{at} box")
            server = start_sshd(tmp_path / f"sshd{at}", inside=place.inside)
            stack.callback(server.stop)
            servers.append(server)
        yield Fleet(trial, servers)


SCOPES = {"--limit": "{name}", "--only": "patch.s[{member}]"}


@pytest.mark.real
@pytest.mark.parametrize("option", SCOPES)
@pytest.mark.parametrize("as_json", [False, True], ids=["", "json"])
def test_what_is_out_of_scope_is_neither_checked_nor_judged(
    fleet: Fleet, option: str, as_json: bool
) -> None:
    fleet.write(0, 1, 2)
    (fleet.folder(0) / "alive").unlink()
    name = fleet.names[1]
    word = SCOPES[option].format(name=name, member=name[6:-1])
    more = ["--json"] if as_json else []
    for _ in range(2):  # the second time only the checks are left to do
        done = fleet.trial.kjpstate("apply", "--yes", option, word, "--rollback-on-fail", *more)
        assert done.code == 0, done.said
        assert PATCHED in fleet.source(1) and fleet.source(0) == SOURCE
        assert (
            "FAILED" not in done.said
            and "not reached" not in done.said
            and "not known" not in done.said
        )
        if as_json:
            value = json.loads(done.out)
            assert [check["host"] for check in value["checks"]] == [name]
            assert value["exit_code"] == 0
    runs = json.loads(fleet.trial.kjpstate("history", "--json").out)["runs"]
    assert [run["hosts"] for run in runs] == [[name], [name]]


@pytest.mark.real
def test_a_check_in_scope_that_fails_rolls_back_what_is_in_scope(fleet: Fleet) -> None:
    fleet.write(0, 1, 2)
    assert fleet.trial.kjpstate("apply", "--yes", "--limit", fleet.names[0]).code == 0
    (fleet.folder(1) / "alive").unlink()
    done = fleet.trial.kjpstate("apply", "--yes", "--limit", fleet.names[1], "--rollback-on-fail")
    assert done.code == 7, done.said
    assert fleet.source(1) == SOURCE and PATCHED in fleet.source(0)
    assert "not reached" not in done.said


@pytest.mark.real
def test_a_rollback_is_judged_by_the_hosts_that_the_run_changed(fleet: Fleet) -> None:
    fleet.write(0, 1, 2)
    (fleet.folder(1) / "alive").unlink()
    done = fleet.trial.kjpstate("apply", "--yes", "--rollback-on-fail")
    assert done.code == 7, done.said
    assert [fleet.source(0), fleet.source(1)] == [SOURCE, SOURCE]
    assert "was rolled back in" in done.out and "was not rolled back" not in done.said
    assert "1 host not reached, untouched by that run" in done.out


@pytest.mark.real
@pytest.mark.parametrize("members", [(0, 1), (0, 1, 2)], ids=["new since", "off since"])
def test_rollback_takes_back_a_run_in_which_the_lost_host_had_no_part(
    fleet: Fleet, members: tuple[int, ...]
) -> None:
    fleet.write(*members)
    fleet.trial.kjpstate("apply", "--yes")
    assert PATCHED in fleet.source(0) and PATCHED in fleet.source(1)
    fleet.write(0, 1, 2)
    done = fleet.trial.kjpstate("rollback", "--yes")
    assert done.code == 0, done.said
    assert [fleet.source(0), fleet.source(1)] == [SOURCE, SOURCE]
    assert "was rolled back in" in done.out
    assert "1 host not reached, untouched by that run" in done.out


@pytest.mark.real
def test_rollback_says_where_a_run_still_stands(fleet: Fleet) -> None:
    fleet.write(0, 1)
    assert fleet.trial.kjpstate("apply", "--yes").code == 0
    fleet.servers[1].stop()
    done = fleet.trial.kjpstate("rollback", "--yes")
    assert done.code == 3, done.said
    assert fleet.source(0) == SOURCE and PATCHED in fleet.source(1)
    last = " ".join(done.out.split("Next:")[1].split())
    assert f"was rolled back on {fleet.names[0]}" in last and f"not on {fleet.names[1]}" in last


# ---- a person at a terminal


class Terminal:
    """A program at a terminal of its own; `said` is all that stood on it."""

    def __init__(self, trial: Trial, *argv: str) -> None:
        words = trial.program(*argv)
        self.said = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(trial.folder)
            os.execvpe(words[0], words, {**trial.environment(), "TERM": "dumb"})

    def until(self, text: str, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.said:
            assert time.monotonic() < deadline and self._read(), f"{text!r} is not in {self.said!r}"

    def type(self, text: str) -> None:
        with contextlib.suppress(OSError):
            os.write(self.fd, text.encode())

    def end(self, seconds: float = 90) -> int | None:
        """The exit code; None when it goes on, and then it is killed."""
        deadline = time.monotonic() + seconds
        while self._read() and time.monotonic() < deadline:
            pass
        done, status = 0, 0
        while not done and time.monotonic() < deadline:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            time.sleep(0.02)
        if not done:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status) if done else None

    def _read(self) -> bool:
        """Whether the terminal is still open."""
        if not select.select([self.fd], [], [], 0.2)[0]:
            return True
        try:
            found = os.read(self.fd, 65536)
        except OSError:
            return False
        self.said += found.decode(errors="replace")
        return bool(found)


CTRL_C = "\x03"
QUESTION = "Only yes, in full, is a yes:"


def interrupted_at_the_question(trial: Trial, *argv: str) -> None:
    """Ctrl-C is heard there and then; a yes typed after it reaches nobody."""
    terminal = Terminal(trial, *argv)
    terminal.until(QUESTION)
    terminal.type(CTRL_C)
    time.sleep(1)
    terminal.type("yes\n")
    code = terminal.end()
    assert code == 130, terminal.said
    assert "Traceback" not in terminal.said and "Interrupted" in terminal.said
    assert "is trusted" not in terminal.said and "is broken" not in terminal.said


def patched(trial: Trial) -> Path:
    head = 'kjpstate: 1\nname: t\nhosts: {pc: {local: "."}}\n'
    trial.write("kjpstate.yaml", head + PATCH.replace("HOST", "pc").replace("FILE", "a.ts"))
    return trial.write("a.ts", SOURCE)


def test_ctrl_c_at_the_question_of_apply(trial: Trial) -> None:
    source = patched(trial)
    interrupted_at_the_question(trial, "apply")
    assert source.read_text() == SOURCE
    assert trial.sh("ls /var/lib/kjpstate /run/kjpstate /run/lock").out.count("t\n") == 0


def test_ctrl_c_at_the_question_of_rollback(trial: Trial) -> None:
    source = patched(trial)
    assert trial.kjpstate("apply", "--yes").code == 0
    interrupted_at_the_question(trial, "rollback")
    assert PATCHED in source.read_text()


def test_ctrl_c_at_the_question_of_prune(trial: Trial) -> None:
    source = patched(trial)
    for count in range(3):
        source.write_text(SOURCE + f"// {count}\n")
        assert trial.kjpstate("apply", "--yes").code == 0
    before = sorted(trial.folder.iterdir())
    interrupted_at_the_question(trial, "backups", "prune", "--keep", "1")
    assert sorted(trial.folder.iterdir()) == before


SLOW = """
kjpstate: 1
name: t
hosts: {pc: {local: "."}}
build: {host: pc, directory: ., inputs: [slow.sh], run: [sh, slow.sh], outputs: [dist/]}
"""


def slow(trial: Trial, *argv: str) -> Terminal:
    """An apply that is at its build."""
    trial.write("kjpstate.yaml", SLOW)
    trial.write("slow.sh", "mkdir -p dist; echo $$ >dist/pid; touch started; sleep 20")
    terminal = Terminal(trial, *argv)
    deadline = time.monotonic() + 90
    while not (trial.folder / "started").exists():
        assert time.monotonic() < deadline and terminal._read(), terminal.said
    return terminal


def test_ctrl_c_at_the_question_of_unlock(trial: Trial) -> None:
    terminal = slow(trial, "apply", "--yes")
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.end()
    os.killpg(int((trial.folder / "dist/pid").read_text()), signal.SIGKILL)
    interrupted_at_the_question(trial, "unlock", "pc")
    interrupted_at_the_question(trial, "unlock", "pc")


@pytest.mark.real
def test_ctrl_c_at_the_question_of_trust(trial: Trial, tmp_path: Path) -> None:
    server = start_sshd(tmp_path / "sshd", inside=trial.inside)
    try:
        where = f"address: 127.0.0.1, port: {server.port}, user: root"
        trial.write(
            "kjpstate.yaml", f"kjpstate: 1\nname: t\nhosts: {{box: {{ssh: {{{where}}}}}}}\n"
        )
        interrupted_at_the_question(trial, "trust", "box")
        interrupted_at_the_question(trial, "trust", "box")
    finally:
        server.stop()


def test_the_second_ctrl_c_prints_no_traceback(trial: Trial) -> None:
    terminal = slow(trial, "apply", "--yes")
    terminal.type(CTRL_C)
    terminal.until("Ctrl-C again stops at once")
    terminal.type(CTRL_C)
    code = terminal.end()
    assert code == 130, terminal.said
    for word in ("Traceback", "never retrieved", "Exception", "mistake of ours"):
        assert word not in terminal.said, terminal.said


IMPORTING = """
import os, signal, sys
class At:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["AT"]:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, At())
"""


@pytest.mark.parametrize(
    "at", ["kjpstate.cli.main", "click", "kjpstate.cli.plan", "kjpstate.reconcile", "yaml"]
)
def test_ctrl_c_while_modules_are_imported_prints_no_traceback(trial: Trial, at: str) -> None:
    patched(trial)
    trial.write("early/sitecustomize.py", IMPORTING)
    path = f"{trial.folder}/early:{trial.environment()['PYTHONPATH']}"
    done = trial.kjpstate("plan", AT=at, PYTHONPATH=path)
    assert done.code == 130, done.said
    assert "Traceback" not in done.said and "KeyboardInterrupt" not in done.said


@pytest.mark.real
def test_how_one_member_stands_is_no_concern_of_another(fleet: Fleet) -> None:
    fleet.write(0, 1, 2)
    assert fleet.trial.kjpstate("apply", "--yes", "--limit", fleet.names[1]).code == 0
    (fleet.folder(0) / "alive").unlink()
    assert fleet.trial.kjpstate("apply", "--yes", "--limit", fleet.names[0]).code == 6
    fleet.trial.write("member0/a.ts", SOURCE)
    limits = [["--limit", fleet.names[0]], []]
    for limit in limits:
        fleet.trial.kjpstate("drift", "--limit", fleet.names[1])
        assert fleet.trial.kjpstate("drift", *limit).code == 2
        done = fleet.trial.kjpstate("status", "--limit", fleet.names[1], "--json")
        assert done.code == 0, done.said
        value = json.loads(done.out)
        assert value["last_check"]["result"] == "in sync"
        assert value["last_apply"]["exit_code"] == 0
    done = fleet.trial.kjpstate("history", "--limit", fleet.names[1])
    assert done.code == 0 and "not reached:" not in done.said


@pytest.mark.real
def test_a_look_at_one_member_is_none_at_all(fleet: Fleet) -> None:
    fleet.write(0, 1)
    assert fleet.trial.kjpstate("drift").code == 2
    assert fleet.trial.kjpstate("apply", "--yes", "--limit", fleet.names[1]).code == 0
    assert fleet.trial.kjpstate("drift", "--limit", fleet.names[1]).code == 0
    done = fleet.trial.kjpstate("status", "--json")
    assert done.code == 2, done.said
    assert json.loads(done.out)["last_check"]["result"] == "2 drifts"
