"""The bodies of the port, and one private sshd for all tests that need it."""

from __future__ import annotations

import shutil

import pytest

from tests.support import bodies
from tests.support.sshd import start_sshd


@pytest.fixture(scope="session")
def sshd(tmp_path_factory):
    server = start_sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


# One shell is enough for a quick run; where all is asked for, all three and a real sshd.
REAL = [
    "local",
    "dash",
    *(pytest.param(name, marks=pytest.mark.real) for name in ("bash", "busybox", "ssh")),
]


@pytest.fixture(params=[*REAL, "simulated"])
def bench(request, tmp_path):
    """Every body."""
    return _bench(request, tmp_path)


@pytest.fixture(params=REAL)
def real_bench(request, tmp_path):
    """Every body but the simulated box, which does not model other users, devices and processes."""
    return _bench(request, tmp_path)


def _bench(request, tmp_path):
    match request.param:
        case "local":
            return bodies.local_bench(tmp_path)
        case "simulated":
            return bodies.simulated_bench(tmp_path)
        case "ssh":
            return bodies.ssh_bench(tmp_path, request.getfixturevalue("sshd"))
        case shell:
            if shutil.which(bodies.SHELLS[shell].split()[0]) is None:
                pytest.skip(f"{shell} is not installed")
            return bodies.shell_bench(tmp_path, shell)
