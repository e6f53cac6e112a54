"""Which lines of known_hosts let a host in: OpenSSH's own `ssh` is asked the same, and says the
same."""

from __future__ import annotations

import asyncio
import base64
import getpass
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from kjpstate import errors
from kjpstate.formats import known_hosts as lines
from kjpstate.hosts import known_hosts
from kjpstate.hosts.known_hosts import Target
from kjpstate.hosts.ssh import ShellHost
from kjpstate.model import ReadClock
from kjpstate.said import say
from tests.support.machine.tools import wait_until
from tests.support.sshd import Sshd, make_key, start_sshd

CLOCK = ReadClock("box")


def public(path: Path) -> str:
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


@dataclass(frozen=True)
class Place:
    """A server with a key of three types, and keys that are none of its own."""

    server: Sshd
    stranger: str
    strangers_rsa: str

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def key(self) -> str:
        return public(self.server.folder / "host")

    def of(self, kind: str) -> str:
        return public(self.server.folder / f"host_{kind}")


@pytest.fixture(scope="module", name="place")
def place_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    server = start_sshd(folder / "sshd", more=("ecdsa", "rsa"))
    yield Place(
        server,
        public(make_key(folder / "stranger")),
        public(make_key(folder / "other", kind="rsa")),
    )
    server.stop()


@pytest.fixture(scope="module", name="signed")
def signed_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server whose key is signed for 127.0.0.1 by `ca`."""
    folder = tmp_path_factory.mktemp("signed")
    make_key(folder / "sshd_ca")
    certificate = folder / "sshd" / "host-cert.pub"
    server = start_sshd(folder / "sshd", f"HostCertificate {certificate}")
    sign = ["ssh-keygen", "-q", "-s", str(folder / "sshd_ca"), "-I", "box", "-h", "-n", "127.0.0.1"]
    subprocess.run([*sign, str(server.folder / "host.pub")], check=True)
    shutil.copy(folder / "sshd_ca.pub", server.folder / "host_ca.pub")
    server.process.send_signal(signal.SIGHUP)  # it begins anew, and now there is a certificate
    assert wait_until(lambda: (server.folder / "log").read_text().count("Server listening") > 1, 10)
    yield Place(server, public(make_key(folder / "stranger")), "")
    server.stop()


def hashed(name: str) -> str:
    salt = os.urandom(20)
    return lines._hashed(salt, name.encode()).decode()


Text = Callable[[Place], str | bytes]
HERE, NAMED = "127.0.0.1", "localhost"
# What known_hosts holds, asked for the address; then the same for the name that leads to it.
LINES: dict[str, Text] = {
    "nothing": lambda p: "",
    "its key": lambda p: f"[127.0.0.1]:{p.port} {p.key}",
    "its key, of the name": lambda p: f"[localhost]:{p.port} {p.key}",
    "each by another": lambda p: f"[localhost]:{p.port} {p.stranger}\n[127.0.0.1]:{p.port} {p.key}",
    "the other way": lambda p: f"[localhost]:{p.port} {p.key}\n[127.0.0.1]:{p.port} {p.stranger}",
    "without the port": lambda p: f"127.0.0.1 {p.key}",
    "without the port, another": lambda p: f"127.0.0.1 {p.stranger}",
    "with another, without its own": lambda p: (
        f"[127.0.0.1]:{p.port} {p.stranger}\n127.0.0.1 {p.key}"
    ),
    "another port": lambda p: f"[127.0.0.1]:{p.port + 1} {p.key}",
    "in a list": lambda p: f"x,[127.0.0.1]:{p.port},[localhost]:{p.port} {p.key}",
    "a star": lambda p: f"* {p.key}",
    "a star, but not for it": lambda p: f"*,!127.0.0.1,![127.0.0.1]:{p.port} {p.key}",
    "a star within": lambda p: f"[127.0.0.*]:* {p.key}",
    "a network": lambda p: f"127.0.0.0/8,[127.0.0.0/8]:{p.port} {p.key}",
    "hashed": lambda p: f"{hashed(f'[127.0.0.1]:{p.port}')} {p.key}",
    "hashed without the port": lambda p: f"{hashed('127.0.0.1')} {p.key}",
    "hashed, of the name": lambda p: f"{hashed(f'[localhost]:{p.port}')} {p.key}",
    "capitals": lambda p: f"[LOCALHOST]:{p.port} {p.key}",
    "wrong": lambda p: f"[127.0.0.1]:{p.port} {p.stranger}",
    "wrong, then right": lambda p: (
        f"[127.0.0.1]:{p.port} {p.stranger}\n[127.0.0.1]:{p.port} {p.key}"
    ),
    "its RSA alone": lambda p: f"[127.0.0.1]:{p.port} {p.of('rsa')}",
    "its ECDSA alone": lambda p: f"[127.0.0.1]:{p.port} {p.of('ecdsa')}",
    "another's RSA": lambda p: f"[127.0.0.1]:{p.port} {p.strangers_rsa}",
    "its RSA, but another's ED25519": lambda p: (
        f"[127.0.0.1]:{p.port} {p.of('rsa')}\n[127.0.0.1]:{p.port} {p.stranger}"
    ),
    "revoked": lambda p: f"@revoked [127.0.0.1]:{p.port} {p.key}",
    "known and revoked": lambda p: f"[127.0.0.1]:{p.port} {p.key}\n@revoked * {p.key}",
    "known, and revoked of the name": lambda p: (
        f"[127.0.0.1]:{p.port} {p.key}\n[localhost]:{p.port} {p.key}\n@revoked "
        f"[localhost]:{p.port} {p.key}"
    ),
    "known, revoked without the port": lambda p: (
        f"[127.0.0.1]:{p.port} {p.key}\n@revoked 127.0.0.1 {p.key}"
    ),
    "known and revoked without the port": lambda p: (
        f"127.0.0.1 {p.key}\n@revoked 127.0.0.1 {p.key}"
    ),
    "revoked by a hash": lambda p: (
        f"[127.0.0.1]:{p.port} {p.key}\n@revoked {hashed(f'[127.0.0.1]:{p.port}')} {p.key}"
    ),
    "revoked of another type": lambda p: (
        f"[127.0.0.1]:{p.port} {p.of('rsa')}\n@revoked [127.0.0.1]:{p.port} {p.key}"
    ),
    "revoked before a tab": lambda p: f"[127.0.0.1]:{p.port} {p.key}\n@revoked\t* {p.key}",
    "its first type revoked, all known": lambda p: (
        f"@revoked * {p.key}\n"
        + "".join(f"[127.0.0.1]:{p.port} {key}\n" for key in (p.key, p.of("rsa"), p.of("ecdsa")))
    ),
    "a sign of padding too many": lambda p: f"[127.0.0.1]:{p.port} {p.key}=",
    "an authority": lambda p: f"@cert-authority [127.0.0.1]:{p.port} {p.key}",
    "an authority, and its key": lambda p: f"@cert-authority * {p.stranger}\n127.0.0.1 {p.key}",
    "nonsense before it": lambda p: (
        f"word\n@foo * {p.key}\n@revoked \n@revoked x\n@revoked |1|xx|yy {p.key}\n|2|a|b {p.key}\n"
        f"a b c\n[127.0.0.1 {p.key}\n* 1024 35 123456\n[127.0.0.1]:{p.port} {p.key}"
    ),
    "bytes that are no text": lambda p: (
        b"\xff\xfe\x00\n" + f"[127.0.0.1]:{p.port} {p.key}".encode()
    ),
    "CRLF": lambda p: f"# x\r\n\r\n[127.0.0.1]:{p.port} {p.key}\r\n",
    "UTF-16": lambda p: f"[127.0.0.1]:{p.port} {p.key}\r\n".encode("utf-16"),
    "a byte order mark": lambda p: f"\ufeff[127.0.0.1]:{p.port} {p.key}\n",
    "a byte order mark before another": lambda p: (
        f"\ufeffx {p.stranger}\n[127.0.0.1]:{p.port} {p.key}\n"
    ),
    "a NUL behind it": lambda p: f"[127.0.0.1]:{p.port} {p.key}\0 x",
    "a type that is not the key's": lambda p: f"* ssh-rsa {p.key.split()[1]}",
    "a key that is cut": lambda p: f"* {p.key[:-12]}",
    "a form feed": lambda p: f"x\f[127.0.0.1]:{p.port} {p.key}",
}
SIGNED: dict[str, Text] = {
    "its authority": lambda p: f"@cert-authority [127.0.0.1]:{p.port} {p.of('ca')}",
    "its authority, without the port": lambda p: f"@cert-authority 127.0.0.1 {p.of('ca')}",
    "its authority, for all": lambda p: f"@cert-authority * {p.of('ca')}",
    "its authority, as a key": lambda p: f"* {p.of('ca')}",
    "another authority": lambda p: f"@cert-authority * {p.stranger}",
    "another authority, but the key": lambda p: f"@cert-authority * {p.stranger}\n* {p.key}",
    "its authority, but another key": lambda p: f"@cert-authority * {p.of('ca')}\n* {p.stranger}",
    "the key alone": lambda p: f"* {p.key}",
    "a revoked authority": lambda p: f"@cert-authority * {p.of('ca')}\n@revoked * {p.of('ca')}",
    "a revoked key": lambda p: f"@cert-authority * {p.of('ca')}\n@revoked * {p.key}",
    "its authority without the port, its key revoked there": lambda p: (
        f"[127.0.0.1]:{p.port} {p.stranger}\n"
        f"@cert-authority 127.0.0.1 {p.of('ca')}\n@revoked 127.0.0.1 {p.key}"
    ),
    "a revoked authority, but the key": lambda p: f"* {p.key}\n@revoked * {p.of('ca')}",
}


def openssh(place: Place, address: str, file: Path) -> bool:
    """Whether `ssh` logs in, with this file as the only one."""
    words = [
        "ssh",
        "-F",
        "none",
        "-o",
        f"UserKnownHostsFile={file}",
        "-o",
        "GlobalKnownHostsFile=/dev/null",
    ]
    words += ["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"]
    words += [
        "-i",
        str(place.server.client_key),
        "-p",
        str(place.port),
        f"{getpass.getuser()}@{address}",
    ]
    return subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0


def ours(place: Place, address: str, home: Path) -> bool:
    """Whether kjpstate does; the files are those of `home`."""
    spec = place.server.spec(address=address)
    host = ShellHost(spec, may_change=(), state_folder=home / "own", state=str(home / "state"))

    async def go() -> bool:
        try:
            return bool((await host.look([CLOCK]))[CLOCK])
        except errors.RefusedError:
            return False
        finally:
            await host.close()

    return asyncio.run(go())


def both(place: Place, content: str | bytes, home: Path) -> dict[str, tuple[bool, bool]]:
    """For the address and for a name that leads to it: what ssh says, and what we say."""
    file = home / ".ssh" / "known_hosts"
    file.parent.mkdir()
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with ThreadPoolExecutor(2) as pool:
        said = pool.map(lambda address: openssh(place, address, file), (HERE, NAMED))
        return {
            address: (ssh, ours(place, address, home))
            for address, ssh in zip((HERE, NAMED), said, strict=True)
        }


@pytest.mark.real
@pytest.mark.parametrize("name", LINES)
def test_lines_mean_what_they_mean_to_openssh(
    place: Place, own_home: Path, name: str, counted
) -> None:
    for address, (ssh, we) in both(place, LINES[name](place), own_home).items():
        assert ssh == we, address
        counted("verdicts on known_hosts, as ssh's own", 1)


@pytest.mark.real
@pytest.mark.parametrize("name", SIGNED)
def test_certificates_do_too(signed: Place, own_home: Path, name: str, counted) -> None:
    for address, (ssh, we) in both(signed, SIGNED[name](signed), own_home).items():
        assert ssh == we, address
        counted("verdicts on known_hosts, as ssh's own", 1)


# ---- the two files, and the document's name for a place


def text_of(key: bytes) -> str:
    """A key of ED25519 as a line has it."""
    blob = b"".join(len(part).to_bytes(4) + part for part in (b"ssh-ed25519", key))
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


ONE, OTHER, THIRD = map(text_of, (b"1" * 32, b"2" * 32, b"3" * 32))


def blob(text: str) -> bytes:
    return base64.b64decode(text.split()[1])


@pytest.mark.parametrize(
    ("ours", "users", "trusted"),
    [
        ("", f"a {ONE}", [ONE]),
        (f"a {ONE}", f"a {OTHER}", [ONE]),
        (f"[a]:2222 {ONE}", f"a {OTHER}", [OTHER]),
        (f"b {ONE}", f"a {OTHER}", [OTHER]),
        (f"@revoked a {ONE}", f"a {ONE}\na {OTHER}", [OTHER]),
        (f"a {ONE}\na {OTHER}", f"@revoked a {ONE}", [OTHER]),
        (f"a {ONE}\na {OTHER}", f"a {THIRD}", [ONE, OTHER]),
    ],
)
def test_our_file_outranks_the_users(
    own_home: Path, ours: str, users: str, trusted: list[str]
) -> None:
    for folder, text in ((own_home / ".ssh", users), (own_home / "own", ours)):
        folder.mkdir()
        (folder / "known_hosts").write_text(text)
    found = known_hosts.known(own_home / "own", Target("a", 22, ""))
    keys = (ONE, OTHER, THIRD)
    assert [key for key in keys if lines.verdict(blob(key), found) == lines.TRUSTED] == trusted


def test_a_place_of_our_own_file_with_its_port_outranks_both_names(own_home: Path) -> None:
    (own_home / ".ssh").mkdir()
    (own_home / ".ssh/known_hosts").write_text(f"[a]:2222 {OTHER}\na {THIRD}\n")
    place, own = Target("a", 2222, ""), own_home / "own"
    assert lines.verdict(blob(OTHER), known_hosts.known(own, place)) == lines.TRUSTED
    known_hosts.remember(place, [f"[a]:2222 {ONE}".encode()], own)
    said = [lines.verdict(blob(key), known_hosts.known(own, place)) for key in (ONE, OTHER, THIRD)]
    assert said == [lines.TRUSTED, lines.CHANGED, lines.CHANGED]


@pytest.mark.parametrize(
    ("address", "port", "names"),
    [
        ("StB.Lan", 22, (b"stb.lan",)),
        ("StB.Lan", 2222, (b"[stb.lan]:2222", b"stb.lan")),
        ("127.1", 22, (b"127.0.0.1",)),
        ("FE80:0::1", 2222, (b"[fe80::1]:2222", b"fe80::1")),
        ("localhost", 22, (b"localhost",)),
    ],
)
def test_a_place_is_found_by_what_is_written(
    address: str, port: int, names: tuple[bytes, ...]
) -> None:
    assert known_hosts.names(Target(address, port, "")) == names


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", None),
        (b"# a\n\na ssh-dss x\n", ("broken-line", {"line": 3})),
        (b"x\ny\nz\n", ("broken-lines", {"line": 1, "more": 2})),
        ("a b".encode("utf-16"), ("utf-16", {})),
        (
            b"\n" + "a b".encode("utf-16-le"),
            ("broken-line.utf-16", {"line": 2}),
        ),
        (b"\xef\xbb\xbf", ("byte-order-mark", {})),
    ],
)
def test_what_is_wrong_with_a_file_is_said_once(
    own_home: Path, content: bytes, told: tuple[str, dict[str, object]] | None
) -> None:
    (own_home / "known_hosts").write_bytes(content)
    found = known_hosts.troubles(own_home)
    path = str(own_home / "known_hosts")
    assert found == ([say(f"known-hosts.{told[0]}", path=path, **told[1])] if told else [])


def test_a_file_that_cannot_be_read_says_nothing(own_home: Path) -> None:
    file = own_home / ".ssh/known_hosts"
    place = Target("a", 22, "")
    assert known_hosts.troubles(own_home) == []
    file.parent.write_text("no folder")
    assert known_hosts.troubles(own_home) == []
    file.parent.unlink()
    file.mkdir(parents=True)
    assert known_hosts.troubles(own_home) == [say("known-hosts.no-file", path=str(file))]
    assert known_hosts.known(own_home, place) == ([],)
    file.rmdir()
    file.symlink_to("/dev/null")
    assert known_hosts.troubles(own_home) == []


@pytest.mark.parametrize("closed", ["known_hosts", ""])
def test_a_file_without_permission_says_nothing(own_home: Path, closed: str) -> None:
    file, own, user = own_home / ".ssh/known_hosts", Path("/nonexistent"), os.geteuid()
    file.parent.mkdir()
    file.write_text(f"a {ONE}\n")
    (file.parent / closed).chmod(0)
    if user == 0:
        os.seteuid(65534)
    try:
        assert known_hosts.troubles(own) == [
            say("known-hosts.unread", path=str(file), reason="permission denied")
        ]
        assert known_hosts.known(own, Target("a", 22, "")) == ([],)
    finally:
        os.seteuid(user)
        (file.parent / closed).chmod(0o700)


def test_what_is_remembered_leaves_the_rest(own_home: Path) -> None:
    file, place = own_home / "known_hosts", Target("a", 22, "")
    file.write_bytes(f"# mine\nb,a {OTHER}\n\xff\n@revoked a {THIRD}\na {OTHER}".encode("latin-1"))
    known_hosts.remember(place, [f"a {ONE}".encode()], own_home)
    assert (
        file.read_bytes()
        == f"# mine\nb,a,!a {OTHER}\n\xff\n@revoked a {THIRD}\na {ONE}\n".encode("latin-1")
    )
    found = known_hosts.known(own_home, place)
    said = [lines.verdict(blob(key), found) for key in (ONE, OTHER, THIRD)]
    assert said == [lines.TRUSTED, lines.CHANGED, lines.IS_REVOKED]


def test_what_cannot_be_remembered_is_one_sentence(own_home: Path) -> None:
    (own_home / "known_hosts").mkdir()
    with pytest.raises(errors.Failed) as caught:
        known_hosts.remember(Target("a", 22, ""), [b"a b c"], own_home)
    path = str(own_home / "known_hosts")
    assert caught.value.message == say("trust.unwritten", path=path, reason="is a directory")


def test_who_writes_together_loses_nothing(own_home: Path) -> None:
    def told(number: int) -> None:
        known_hosts.remember(Target(f"h{number}", 22, ""), [f"h{number} {ONE}".encode()], own_home)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(told, range(64)))
    text = (own_home / "known_hosts").read_text()
    assert sorted(line.split()[0] for line in text.splitlines()) == sorted(
        f"h{n}" for n in range(64)
    )


def test_the_type_of_a_pin_is_noted(own_home: Path) -> None:
    assert known_hosts.pinned_type("SHA256:x", own_home) == ""
    known_hosts.note_type("SHA256:x", "ssh-rsa", own_home)
    known_hosts.note_type("SHA256:y", "ssh-ed25519", own_home)
    assert known_hosts.pinned_type("SHA256:y", own_home) == "ssh-ed25519"
    (own_home / "pinned_types").write_bytes(b"\xff nonsense")
    assert known_hosts.pinned_type("SHA256:x", own_home) == ""
    known_hosts.note_type("SHA256:x", "ssh-rsa", own_home / "no such folder")
