"""A document as one run sees it: without the hosts of `--exclude`, or with `--here` as one of its
own hosts sees it. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from kjpstate.document.loading import Document
from kjpstate.errors import UsageError
from kjpstate.host import Local, Ssh
from kjpstate.model import Scope, named
from kjpstate.said import say


def narrowed(document: Document, scope: Scope) -> Document:
    """Leave of `document` what `scope` lets a run look at.

    What stands on another host is named in `elsewhere`; addresses, paths and stamps stay what they
    are. Raises UsageError for a word of `scope` that is no host, or when no host is left.
    """
    for name in scope.exclude:
        if not any(Scope(exclude=(name,)).leaves_out(host) for host in document.hosts):
            raise _no_such("--exclude", name, document)
    seen = document if scope.here is None else seen_from(document, scope.here)
    for name in scope.limit:
        if not any(named(host, name) for host in seen.hosts):
            raise _no_such("--limit", name, seen)
    if not scope.exclude:
        return seen
    kept = [host for host in seen.hosts if not scope.leaves_out(host)]
    if not scope.among(kept):
        raise UsageError(say("document.all-excluded"))
    return _only_on(seen, kept)


def seen_from(document: Document, host: str) -> Document:
    """Put this machine in the place of `host`, and leave only what stands on it.

    Raises UsageError for a word that is no host, or several.
    """
    spec = document.hosts.get(host)
    if spec is None:
        members = [name for name, spec in document.hosts.items() if spec.member_of == host]
        if members:
            raise UsageError(
                say("document.here-is-many", host=host, count=len(members)),
                say("document.here-is-many.cure", first=members[0]),
            )
        raise _no_such("--here", host, document)
    if isinstance(spec, Ssh):
        spec = Local(spec.name, spec.where, stands_for=spec, member_of=spec.member_of)
    return _only_on(replace(document, hosts={**document.hosts, host: spec}), [host])


def _only_on(document: Document, hosts: Collection[str]) -> Document:
    others = {item.address: item.host for item in document.resources if item.host not in hosts}
    return replace(
        document,
        hosts={name: document.hosts[name] for name in hosts},
        resources=tuple(item for item in document.resources if item.host in hosts),
        guards=tuple(item for item in document.guards if item.host in hosts),
        checks=tuple(item for item in document.checks if item.host in ("", *hosts)),
        elsewhere={**document.elsewhere, **others},
    )


def _no_such(option: str, name: str, document: Document) -> UsageError:
    hosts = tuple(document.hosts)
    return UsageError(say("document.no-such-host", option=option, host=name, hosts=hosts))
