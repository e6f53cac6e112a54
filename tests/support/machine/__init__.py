"""A Debian 12 of the tests' own: systemd, systemd-resolved, sshd, cron, PM2 and a real bot, fenced
in.

Needs root, mmdebstrap, systemd-nspawn, iproute2, Node and npm. tests/machine/conftest.py hands it
to tests. No namespace here is joined to the host's network, so real documents' addresses lead
nowhere but here.
"""

from __future__ import annotations

from tests.support.machine.box import BOT, Machine
from tests.support.machine.tools import Completed, MachineFailed

__all__ = ["BOT", "Completed", "Machine", "MachineFailed"]
