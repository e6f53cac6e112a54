"""SSH servers and keys as people have them: whose box it is, which key, which server."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.dropbear import Dropbear, newest, start_dropbear
from tests.support.pm2_box import install
from tests.support.sshd import Sshd, make_key, start_sshd
from tests.support.trial import Done, Trial

pytestmark = [pytest.mark.root, pytest.mark.real]

PATCH = """
kjpstate: 1
name: t
hosts: {HOSTS}
patches:
  - host: stb
    file: FOLDER/bot/a.ts
    set: s
    edits: [{id: one, insert_before: "function f(", scope: module, content: "let n = 0;"}]
"""
THREE = ("ecdsa", "rsa")  # beside ed25519


@pytest.fixture(name="trial")
def trial_fixture(trial: Trial) -> Trial:
    """With a home of the controller's own."""
    (trial.folder / "home/.ssh").mkdir(parents=True, mode=0o700)
    trial.env |= {"HOME": str(trial.folder / "home"), "KJPSTATE_STATE": str(trial.folder / "own")}
    trial.write("bot/a.ts", "function f() {\n}\n")
    return trial


@pytest.fixture(name="server")
def server_fixture(trial: Trial) -> Iterator[Sshd]:
    """A box with keys of three types, as OpenSSH makes them."""
    more = (f"ListenAddress 127.0.0.{number}" for number in range(2, 10))
    server = start_sshd(trial.folder / "sshd", *more, inside=trial.inside, more=THREE)
    yield server
    server.stop()


def write(trial: Trial, **hosts: str) -> None:
    words = ", ".join(f"{name}: {{ssh: {{{way}}}}}" for name, way in hosts.items())
    trial.write("kjpstate.yaml", PATCH.replace("HOSTS", words).replace("FOLDER", str(trial.folder)))


def way(server: Sshd | Dropbear, address: str = "127.0.0.1", more: str = "") -> str:
    key = server.client_key if isinstance(server, Sshd) else server.client
    return f'address: {address}, port: {server.port}, user: root, identity: "{key}"{more}'


def known(trial: Trial, *lines: str | bytes) -> None:
    """The user's own known_hosts."""
    texts = (line if isinstance(line, bytes) else line.encode() for line in lines)
    trial.write("home/.ssh/known_hosts", b"".join(text + b"\n" for text in texts))


def key(path: Path) -> str:
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def fingerprint(path: Path) -> str:
    argv = ["ssh-keygen", "-lf", str(path.with_suffix(".pub"))]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()[1]


def logins(server: Sshd) -> int:
    return (server.folder / "log").read_text().count("Accepted publickey")


# ---- whose box it is


@pytest.mark.parametrize("names", ["both", "the address alone"])
def test_a_line_for_the_address_is_none_for_the_name(
    trial: Trial, server: Sshd, names: str
) -> None:
    stranger = key(make_key(trial.folder / "stranger"))
    of_name = [f"[localhost]:{server.port} {stranger}"] if names == "both" else []
    known(trial, f"[127.0.0.1]:{server.port} {key(server.folder / 'host')}", *of_name)
    write(trial, stb=way(server, "localhost"))
    done = trial.kjpstate("plan")
    assert done.code == 8, done.said
    assert "[host-key-changed]" in done.said if of_name else "[host-key-unknown]" in done.said
    assert logins(server) == 0
    write(trial, stb=way(server))
    assert trial.kjpstate("plan").code == 0


def test_neither_is_it_for_a_jump(trial: Trial, server: Sshd) -> None:
    inner = start_sshd(trial.folder / "inner", inside=trial.inside)
    try:
        (server.folder / "authorized").write_bytes((inner.folder / "client.pub").read_bytes())
        known(trial, f"[127.0.0.1]:{server.port} {key(server.folder / 'host')}", inner.known())
        write(trial, stb=way(inner, more=f", jump: root@localhost:{server.port}"))
        done = trial.kjpstate("plan")
        assert (done.code, logins(server), logins(inner)) == (8, 0, 0), done.said
        write(trial, stb=way(inner, more=f", jump: root@127.0.0.1:{server.port}"))
        assert trial.kjpstate("plan").code == 0
    finally:
        inner.stop()


def test_the_old_key_counts_no_more_after_trust(trial: Trial, server: Sshd) -> None:
    """Who has the key of the box that was thrown away does not get in as the new one."""
    known(trial, f"[127.0.0.1]:{server.port} {key(server.folder / 'host')}")
    new = start_sshd(trial.folder / "new", inside=trial.inside)
    new.stop()
    write(trial, stb=way(server))
    assert trial.kjpstate("plan").code == 0
    trial.write("own/known_hosts", f"[127.0.0.1]:{server.port} {key(new.folder / 'host')}\n", 0o600)
    before = logins(server)
    done = trial.kjpstate("plan")
    assert done.code == 8, done.said
    assert "[host-key-changed]" in done.said and logins(server) == before


def test_trust_takes_no_key_that_is_revoked(trial: Trial, server: Sshd) -> None:
    known(trial, f"@revoked [127.0.0.1]:{server.port} {key(server.folder / 'host')}")
    write(trial, stb=way(server))
    done = trial.kjpstate("trust", "stb", "--fingerprint", fingerprint(server.folder / "host"))
    assert "trusted" not in done.said, done.said
    assert done.code == 8 and "[host-key-revoked]" in done.said
    other = trial.kjpstate("trust", "stb", "--fingerprint", fingerprint(server.folder / "host_rsa"))
    assert (other.code, trial.kjpstate("plan").code) == (0, 0), other.said


def test_trusts_at_once_lose_nothing(trial: Trial, server: Sshd) -> None:
    addresses = {f"b{number}": f"127.0.0.{number}" for number in range(2, 10)}
    write(
        trial,
        stb=way(server),
        **{name: way(server, address) for name, address in addresses.items()},
    )
    right = fingerprint(server.folder / "host")
    for _ in range(2):
        trial.write("own/known_hosts", "# a file that takes a while\n" * 100_000, 0o600)
        with ThreadPoolExecutor(8) as pool:
            done = list(
                pool.map(
                    lambda name: trial.kjpstate("trust", name, "--fingerprint", right), addresses
                )
            )
        assert [one.code for one in done] == [0] * 8, done
        lines = (trial.folder / "own/known_hosts").read_text().splitlines()
        names = {line.split()[0] for line in lines if not line.startswith("#")}
        assert names == {f"[{to}]:{server.port}" for to in addresses.values()}


# Lines that people have in a known_hosts, each before one that is right.
FOUND = {
    "a word": b"word",
    "a mark and a word": b"@revoked x",
    "a mark alone": b"@revoked ",
    "a mark nobody knows": b"@foo * KEY",
    "a revoked hash of nonsense": b"@revoked |1|xx|yy KEY",
    "another kind of hash": b"|2|xx|yy KEY",
    "bytes that are no text": b"\xff",
}


@pytest.mark.parametrize("name", FOUND)
def test_known_hosts_as_it_is_found(trial: Trial, server: Sshd, name: str) -> None:
    right = key(server.folder / "host").encode()
    place = "own/known_hosts" if name.startswith("a revoked") else "home/.ssh/known_hosts"
    before = b"# mine\n" + FOUND[name].replace(b"KEY", right)
    file = trial.write(place, before + f"\n[127.0.0.1]:{server.port} ".encode() + right + b"\n")
    write(trial, stb=way(server))
    done = trial.kjpstate("plan")
    assert (done.code, "Traceback" in done.said) == (0, False), done.said
    assert done.said.count(f"{file}:2") == 1, done.said
    assert trial.kjpstate("apply", "--yes").code == 0
    assert trial.kjpstate("drift") == Done(0, "", "")


def test_a_whole_file_in_utf_16_is_named(trial: Trial, server: Sshd) -> None:
    """`ssh-keyscan box > known_hosts` in PowerShell."""
    text = f"[127.0.0.1]:{server.port} {key(server.folder / 'host')}\r\n"
    file = trial.write("home/.ssh/known_hosts", text.encode("utf-16"))
    write(trial, stb=way(server))
    done = trial.kjpstate("plan")
    assert done.code == 8, done.said
    assert f"{file} is UTF-16" in done.said and "[host-key-unknown]" in done.said
    pinned = way(server, more=f", host_key: {key(server.folder / 'host')}")
    write(trial, stb=pinned)
    assert trial.kjpstate("plan").code == 0


def test_a_folder_in_its_place_stops_nothing(trial: Trial, server: Sshd) -> None:
    (trial.folder / "own/known_hosts").mkdir(parents=True)
    known(trial, f"[127.0.0.1]:{server.port} {key(server.folder / 'host')}")
    write(trial, stb=way(server))
    done = trial.kjpstate("plan")
    assert done.code == 0, done.said
    assert f"{trial.folder / 'own/known_hosts'} is no file" in done.said
    trusted = trial.kjpstate("trust", "stb", "--fingerprint", fingerprint(server.folder / "host"))
    told = " ".join(trusted.said.split())
    assert trusted.code == 1 and "can't be written" in told, trusted.said
    assert "mistake of ours" not in trusted.said and "Traceback" not in trusted.said


def test_a_pipe_in_its_place_holds_up_no_trust(trial: Trial, server: Sshd) -> None:
    (trial.folder / "own").mkdir()
    os.mkfifo(trial.folder / "own/known_hosts")
    write(trial, stb=way(server))
    done = trial.kjpstate("trust", "stb", "--fingerprint", fingerprint(server.folder / "host"))
    assert (done.code, trial.kjpstate("plan").code) == (0, 0), done.said


# ---- which key


def test_a_pin_of_any_type_is_found(trial: Trial, server: Sshd) -> None:
    paths = [server.folder / name for name in ("host", "host_ecdsa", "host_rsa")]
    pins = [fingerprint(path) for path in paths] + [key(path) for path in paths]
    for number, pin in enumerate((*pins, pins[1]), 1):  # the second time its type is known
        write(trial, stb=way(server, more=f', host_key: "{pin}"'))
        done = trial.kjpstate("plan")
        assert (done.code, logins(server)) == (0, number), done.said


def test_a_wrong_pin_is_refused_with_every_key_of_the_host(trial: Trial, server: Sshd) -> None:
    kinds = ("host", "host_ecdsa", "host_rsa")
    for pin in ("SHA256:" + "A" * 43, key(make_key(trial.folder / "stranger", kind="rsa"))):
        write(trial, stb=way(server, more=f', host_key: "{pin}"'))
        done = trial.kjpstate("plan")
        assert (done.code, logins(server)) == (8, 0), done.said
        assert [
            kind for kind in kinds if fingerprint(server.folder / kind) not in done.said
        ] == [], done.said


def test_a_jump_is_known_by_any_of_its_keys(trial: Trial, server: Sshd) -> None:
    inner = start_sshd(trial.folder / "inner", inside=trial.inside, more=THREE)
    try:
        (server.folder / "authorized").write_bytes((inner.folder / "client.pub").read_bytes())
        known(trial, f"[127.0.0.1]:{server.port} {key(server.folder / 'host_ecdsa')}")
        pin = fingerprint(inner.folder / "host_ecdsa")
        write(
            trial, stb=way(inner, more=f', jump: root@127.0.0.1:{server.port}, host_key: "{pin}"')
        )
        done = trial.kjpstate("plan")
        assert done.code == 0, done.said
    finally:
        inner.stop()


# ---- which server


DROPBEAR = """
pm2:
  host: stb
  ecosystem: FOLDER/bot/ecosystem.config.js
  node: NODE
  command: PM2
  apps: [{name: behind-PORT, script: FOLDER/bot/bot.js, cwd: FOLDER/bot}]
checks:
  - {name: patched, file: {host: stb, path: FOLDER/bot/a.ts, contains: ["let n = 0;"]}}
  - {name: alive, app: {host: stb, name: behind-PORT, alive: true}}
"""


@pytest.mark.parametrize(("debian", "jump"), [(12, ""), (12, "jump"), (13, "")])
def test_a_whole_cycle_through_dropbear(
    trial: Trial, tmp_path_factory: pytest.TempPathFactory, debian: int, jump: str
) -> None:
    tools = install(tmp_path_factory.getbasetemp())
    pm2 = (tools / "node_modules/pm2/bin/pm2").resolve()
    node = trial.sh("command -v node").out.strip()
    trial.write("bot/bot.js", "setInterval(() => {}, 1000)")
    binary = newest(trial.folder) if debian == 13 else "dropbear"
    box = start_dropbear(
        trial, trial.folder / "dropbear", kinds=("rsa", "ecdsa", "ed25519"), binary=binary
    )
    try:
        known(trial, f"[127.0.0.1]:{box.port} {box.keys['ed25519']}")
        write(trial, stb=way(box, more=f", jump: root@127.0.0.1:{box.port}" if jump else ""))
        more = (
            DROPBEAR.replace("PORT", str(box.port))
            .replace("NODE", node)
            .replace("PM2", str(pm2))
            .replace("FOLDER", str(trial.folder))
        )
        trial.document.write_text(trial.document.read_text() + more)
        cycle(trial, box)
    finally:
        trial.sh(f"{node} {pm2} kill", HOME=str(box.home))
        box.stop()


def cycle(trial: Trial, box: Dropbear) -> None:
    done = trial.kjpstate("plan", timeout=120)
    assert done.code == 0 and "not reached" not in done.said, done.said + box.log.read_text()
    done = trial.kjpstate("apply", "--yes", timeout=180)
    assert done.code == 0, done.said + box.log.read_text()
    assert trial.kjpstate("plan", "--detailed-exitcode", timeout=120).code == 0
    assert trial.kjpstate("drift", timeout=120) == Done(0, "", "")
    assert trial.kjpstate("verify", timeout=120).code == 0
    watched = trial.kjpstate("monitor", "--for", "5s", "--every", "1s", timeout=120)
    assert watched.code == 0, watched.said
    (trial.folder / "bot/a.ts").write_text("function f() {\n}\n")
    assert trial.kjpstate("drift", timeout=120).code == 2
    assert trial.kjpstate("apply", "--yes", timeout=180).code == 0
    done = trial.kjpstate("rollback", "--yes", timeout=180)
    assert done.code == 0, done.said
    assert (trial.folder / "bot/a.ts").read_text() == "function f() {\n}\n"
    assert "Integrity error" not in box.log.read_text()
