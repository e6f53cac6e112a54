"""A Dropbear on loopback, within a trial, where root has a home of its own: it takes the keys of
that alone.

For tests marked `real` and `root`. `binary`: which Dropbear; several versions answer differently.
"""

from __future__ import annotations

import shlex
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.machine.readme import debian
from tests.support.sshd import free_port, make_key
from tests.support.trial import Trial


@dataclass
class Dropbear:
    """A running server. `keys`: type -> its public key, `ssh-ed25519 AAAA…`. `client`: the key that
    it lets in. `home`: root's."""

    port: int
    process: subprocess.Popen[bytes]
    keys: dict[str, str]
    client: Path
    home: Path
    log: Path

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def start_dropbear(
    trial: Trial, folder: Path, *, kinds: tuple[str, ...] = ("ed25519",), binary: str = "dropbear"
) -> Dropbear:
    """Start one in the trial's namespace."""
    folder.mkdir(parents=True)
    keys = {kind: _host_key(folder / f"host_{kind}", kind) for kind in kinds}
    client, home, port, log = (
        make_key(folder / "client"),
        folder / "root",
        free_port(),
        folder / "log",
    )
    trial.sh(
        f"mkdir -m 700 {home} {home}/.ssh; cp {client}.pub {home}/.ssh/authorized_keys; "
        f"sed 's|^root:.*|root:x:0:0:root:{home}:/bin/bash|' /etc/passwd >{folder}/passwd; "
        f"mount --bind {folder}/passwd /etc/passwd"
    )
    words = [
        *trial.inside,
        binary,
        "-F",
        "-E",
        "-s",
        "-p",
        f"127.0.0.1:{port}",
        "-P",
        str(folder / "pid"),
    ]
    words += [word for kind in kinds for word in ("-r", str(folder / f"host_{kind}"))]
    with log.open("wb") as out:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return Dropbear(port, process, keys, client, home, log)
        time.sleep(0.02)
    process.kill()
    raise AssertionError(log.read_text())


def newest(folder: Path) -> str:
    """The Dropbear of Debian 13, which runs on this machine with its own libraries."""
    root = debian()
    words = [f"{root}/lib64/ld-linux-x86-64.so.2", "--argv0", "dropbear"]
    words += ["--library-path", f"{root}/usr/lib/x86_64-linux-gnu", f"{root}/usr/sbin/dropbear"]
    program = folder / "dropbear-of-debian-13"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    program.chmod(0o755)
    return str(program)


def _host_key(path: Path, kind: str) -> str:
    said = subprocess.run(
        ["dropbearkey", "-t", kind, "-f", str(path)], capture_output=True, text=True, check=True
    ).stdout
    line = next(line for line in said.splitlines() if line.startswith(("ssh-", "ecdsa-")))
    return " ".join(line.split()[:2])
