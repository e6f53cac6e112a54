"""The Debian machine for the tests of this folder: booted once, pristine for tests that ask for
`box`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.machine import Machine


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """Booted; in whatever state the test before left it."""
    machine = Machine()
    try:
        machine.start()
        yield machine
    finally:
        machine.stop()


@pytest.fixture
def box(machine: Machine) -> Machine:
    """Booted and pristine."""
    machine.reset()
    return machine
