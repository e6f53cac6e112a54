"""Whose host key is taken: a matrix of all that could let a stranger in. Only a key that somebody
confirmed.

The server itself is asked: what counts is whether it logged anybody in.
"""

from __future__ import annotations

import ast
import asyncio
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import kjpstate
from kjpstate import errors
from kjpstate.hosts.ssh import ShellHost
from kjpstate.model import ReadClock
from tests.support.sshd import Sshd, make_key, start_sshd

CLOCK = ReadClock("box")
NO_CHECK = "Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile none\n"


@dataclass(frozen=True)
class Servers:
    """The host, a jump before it, and a key that is none of theirs. The client's key is good at
    both."""

    host: Sshd
    jump: Sshd
    stranger: str

    def line(self, mark: str = "", of: str = "host", port: int = 0, names: str = "") -> str:
        """A line for known_hosts: whose key, for the host's own name unless another is said."""
        server = self.jump if of == "jump" else self.host
        key = self.stranger if of == "stranger" else " ".join(server.known().split()[1:3])
        name = names or f"[127.0.0.1]:{port or server.port}"
        return " ".join(word for word in (mark, name, key) if word)

    @property
    def key(self) -> str:
        """The host's own public key."""
        return (self.host.folder / "host.pub").read_text().strip()

    @property
    def fingerprint(self) -> str:
        """The host's fingerprint, as OpenSSH prints it."""
        argv = ["ssh-keygen", "-lf", str(self.host.folder / "host.pub")]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()[1]

    def logins(self) -> int:
        """How often the host let anybody in."""
        return (self.host.folder / "log").read_text().count("Accepted publickey")


Lines = Callable[[Servers], tuple[str, ...]]


@dataclass(frozen=True)
class Case:
    """What our known_hosts says, the user's, the user's ssh config, the document; `rule` if
    refused."""

    ours: Lines = lambda servers: ()
    theirs: Lines = lambda servers: ()
    config: str = ""
    spec: Callable[[Servers], dict[str, str]] = field(default=lambda servers: {})
    rule: str = "host-key-unknown"


def _jump(servers: Servers) -> dict[str, str]:
    return {"jump": f"{servers.jump.spec().user}@127.0.0.1:{servers.jump.port}"}


def _right(servers: Servers) -> tuple[str, ...]:
    return (servers.line(),)


def _wrong(servers: Servers) -> tuple[str, ...]:
    return (servers.line(of="stranger"),)


LET_IN = {
    "confirmed with trust": Case(_right),
    "in the user's known_hosts": Case(theirs=_right),
    "a wrong and the right one": Case(lambda s: (*_wrong(s), *_right(s))),
    "a name with a wildcard": Case(lambda s: (s.line(names=f"[127.0.0.*]:{s.host.port}"),)),
    "a name without its port": Case(lambda s: (s.line(names="127.0.0.1"),)),
    "pinned by fingerprint": Case(spec=lambda s: {"host_key": s.fingerprint}),
    "pinned as a key": Case(spec=lambda s: {"host_key": s.key}),
    "pinned, and another known": Case(_wrong, spec=lambda s: {"host_key": s.key}),
    "both hops known": Case(lambda s: (s.line(), s.line(of="jump")), spec=_jump),
}
CHANGED, REVOKED = "host-key-changed", "host-key-revoked"
REFUSED = {
    "no file at all": Case(),
    "an empty file": Case(lambda s: ("",)),
    "the user checks nothing": Case(config=NO_CHECK),
    "the user checks nothing, strictly": Case(
        config="UserKnownHostsFile none\nStrictHostKeyChecking yes\n"
    ),
    "the user keeps nothing": Case(
        config="UserKnownHostsFile /dev/null\nStrictHostKeyChecking no\n"
    ),
    "the user takes new ones": Case(config="StrictHostKeyChecking accept-new\n"),
    "the user names another file": Case(config="UserKnownHostsFile ~/elsewhere\n"),
    "the user gives it an alias": Case(
        lambda s: (s.line(names="alias"),), config="HostKeyAlias alias\n"
    ),
    "known for another port": Case(lambda s: (s.line(port=1),)),
    "known but for this name": Case(
        lambda s: (s.line(names=f"*,!127.0.0.1,![127.0.0.1]:{s.host.port}"),)
    ),
    "known as an authority only": Case(lambda s: (s.line("@cert-authority"),)),
    "a wrong one": Case(_wrong, rule=CHANGED),
    "a wrong one, and the user checks nothing": Case(_wrong, config=NO_CHECK, rule=CHANGED),
    "a wrong one of the user's": Case(theirs=_wrong, rule=CHANGED),
    "a wrong one of theirs, no check": Case(theirs=_wrong, config=NO_CHECK, rule=CHANGED),
    "revoked": Case(lambda s: (s.line("@revoked"),), rule=REVOKED),
    "known and revoked": Case(lambda s: (s.line(), s.line("@revoked")), rule=REVOKED),
    "known by its name, revoked with its port": Case(
        lambda s: (s.line(names="127.0.0.1"), s.line("@revoked")), rule=REVOKED
    ),
    "known to us, revoked by the user": Case(_right, lambda s: (s.line("@revoked"),), rule=REVOKED),
    "pinned wrong": Case(spec=lambda s: {"host_key": "SHA256:" + "A" * 43}, rule=CHANGED),
    "pinned wrong, known": Case(
        _right, spec=lambda s: {"host_key": "SHA256:" + "A" * 43}, rule=CHANGED
    ),
    "pinned a wrong key": Case(_right, spec=lambda s: {"host_key": s.stranger}, rule=CHANGED),
    "pinned, and revoked": Case(
        lambda s: (s.line("@revoked"),), spec=lambda s: {"host_key": s.fingerprint}, rule=REVOKED
    ),
    "a jump nobody knows": Case(_right, spec=_jump),
    "a jump nobody knows, no check": Case(_right, config=NO_CHECK, spec=_jump),
    "a wrong jump": Case(
        lambda s: (s.line(), s.line(of="stranger", port=s.jump.port)), spec=_jump, rule=CHANGED
    ),
    "behind a jump nobody knows": Case(lambda s: (s.line(of="jump"),), spec=_jump),
    "a wrong one behind a jump": Case(
        lambda s: (s.line(of="jump"), s.line(of="stranger")), spec=_jump, rule=CHANGED
    ),
    "a pin is not the jump's": Case(spec=lambda s: {**_jump(s), "host_key": s.fingerprint}),
    "nonsense in the file": Case(lambda s: ("[127.0.0.1 ssh-ed25519 %%%", "\x00"), rule=""),
}


@pytest.fixture(scope="module", name="servers")
def servers_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("keys")
    host, jump = start_sshd(folder / "host"), start_sshd(folder / "jump")
    (jump.folder / "authorized").write_text((host.folder / "client.pub").read_text())
    stranger = " ".join(make_key(folder / "stranger").with_suffix(".pub").read_text().split()[:2])
    yield Servers(host, jump, stranger)
    for server in (host, jump):
        server.stop()


def look(case: Case, servers: Servers, home: Path) -> None:
    """One look at the host as this user, with the canary of a config that would run a command."""
    ssh, controller = home / ".ssh", home / "controller"
    for folder, lines in ((ssh, case.theirs(servers)), (controller, case.ours(servers))):
        folder.mkdir()
        if lines:
            (folder / "known_hosts").write_text("".join(f"{line}\n" for line in lines))
    ran = f'Match exec "touch {home}/ran"\n  ProxyCommand touch {home}/ran\n'
    (ssh / "config").write_text(case.config + ran)
    (ssh / "config").chmod(0o600)
    spec = servers.host.spec(**case.spec(servers))
    host = ShellHost(spec, may_change=(), state_folder=controller, state=str(home / "state"))

    async def go() -> None:
        try:
            await host.look([CLOCK])
        finally:
            await host.close()

    asyncio.run(go())


@pytest.mark.real
@pytest.mark.parametrize("name", LET_IN)
def test_a_key_that_somebody_confirmed_is_let_in(servers, own_home, name, counted):
    before = servers.logins()
    look(LET_IN[name], servers, own_home)
    assert servers.logins() == before + 1
    assert not (own_home / "ran").exists()
    counted("rows of the host-key matrix", 1)


@pytest.mark.real
@pytest.mark.parametrize("name", REFUSED)
def test_no_other_key_is_ever_let_in(servers, own_home, name, counted):
    case, before = REFUSED[name], servers.logins()
    with pytest.raises((errors.RefusedError, errors.UsageError)) as caught:
        look(case, servers, own_home)
    assert servers.logins() == before, "a stranger was logged in to"
    assert not case.rule or caught.value.rule == case.rule, caught.value
    assert "\n" not in str(caught.value)
    assert not (own_home / "ran").exists()
    counted("rows of the host-key matrix", 1)


def test_there_are_two_ways_out_of_the_package():
    """One that logs in, with known keys and config=None, and one that only asks for the key."""
    nodes = [
        node
        for path in Path(kjpstate.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    ]
    used = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "asyncssh"
    }
    ways = {
        name
        for name in used
        if name.startswith(("connect", "create_", "get_server", "listen", "run_"))
    }
    assert ways == {"create_connection", "get_server_host_key"}
