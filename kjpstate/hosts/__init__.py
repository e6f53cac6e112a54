"""The bodies of the port: this machine, a host over SSH, a box in a folder. Called by `reconcile`
and `cli`.

Each body is imported when it is needed: a plan of this machine never imports asyncssh.
"""

from __future__ import annotations

from pathlib import Path

from kjpstate.host import Host, HostSpec, Local


def connect(spec: HostSpec, *, may_change: tuple[str, ...], state_folder: Path) -> Host:
    """The body for `spec`; nothing is connected before its first `look`. `state_folder`: the
    controller's."""
    if isinstance(spec, Local):
        from kjpstate.hosts.local import LocalHost, home_of

        return LocalHost(spec.name, folder=spec.folder or home_of(spec), may_change=may_change)
    from kjpstate.hosts.ssh import ShellHost

    return ShellHost(spec, may_change=may_change, state_folder=state_folder)
