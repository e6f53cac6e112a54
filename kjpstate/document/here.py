"""A document as one of its own hosts sees it: `--here`. Pure; called by `cli.work`."""

from __future__ import annotations

from dataclasses import replace

from kjpstate.document.loading import Document
from kjpstate.errors import UsageError
from kjpstate.host import Local, Ssh


def seen_from(document: Document, host: str) -> Document:
    """`document` with this machine in the place of `host`, and only what stands on it.

    What stands on another host is not looked at and named in `elsewhere`; addresses, paths and
    stamps stay what they are from everywhere else. Raises UsageError for a word that is no host, or
    several.
    """
    spec = document.hosts.get(host)
    if spec is None:
        members = [name for name, spec in document.hosts.items() if spec.member_of == host]
        if members:
            raise UsageError(
                f"--here {host}: {len(members)} machines bear that name", f"one of {members[0]}, …"
            )
        raise UsageError(
            f"--here {host}: no such host; the document has {', '.join(document.hosts)}"
        )
    if isinstance(spec, Ssh):
        spec = Local(spec.name, spec.where, stands_for=spec, member_of=spec.member_of)
    return replace(
        document,
        hosts={host: spec},
        resources=tuple(item for item in document.resources if item.host == host),
        guards=tuple(item for item in document.guards if item.host == host),
        checks=tuple(item for item in document.checks if item.host in ("", host)),
        elsewhere={item.address: item.host for item in document.resources if item.host != host},
    )
