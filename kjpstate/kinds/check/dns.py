"""The check of name resolution: three questions with three answers, since each alone can lie.

Do the servers of the document act? Do names resolve the way the bot asks? Does each server answer by itself?
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kjpstate.formats import names
from kjpstate.kinds.check.verdict import Verdict, all_of
from kjpstate.model import Answers, Probe, Reading, Spec

_PROBE_NAME = "example.com"  # asked of each server when the check names none


def reads(spec: Spec) -> Iterable[Reading]:
    """The questions, in one probe."""
    asked = _questions(spec)
    if asked is not None:
        yield asked


def verdict(spec: Spec, answers: Answers) -> Verdict:
    """Passed when every part that the check asks for is well."""
    return all_of(_findings(spec, answers))


def _findings(spec: Spec, answers: Answers) -> Iterator[tuple[bool, str]]:
    asked = _questions(spec)
    if asked is None:
        return
    lookups = names.parse(answers.get(asked))
    if isinstance(lookups, str):
        yield False, lookups
        return
    for name in spec.get("resolves", ()):
        yield _as_the_app(name, [item for item in lookups if item.path == "app" and item.subject == name])
    if spec.get("each_server"):
        for server in _servers(spec):
            yield _at_server(server, lookups)


def _questions(spec: Spec) -> Probe | None:
    resolves = tuple(spec.get("resolves", ()))
    servers = _servers(spec) if spec.get("each_server") else ()
    if not resolves and not servers:
        return None
    return names.reading(spec["host"], resolves or (_PROBE_NAME,), servers)


def _servers(spec: Spec) -> Sequence[str]:
    return tuple(spec["dns"]["servers"]) if spec.get("dns") else ()


def _as_the_app(name: str, lookups: Sequence[names.Lookup]) -> tuple[bool, str]:
    if not lookups:
        return False, f"{name} could not be asked for: neither getent nor node is there"
    failed = [item.tool for item in lookups if not item.ok]
    if failed:
        return False, f"{name} does not resolve the way the bot asks ({', '.join(failed)})"
    return True, f"{name} is {lookups[0].address}, the way the bot asks"


def _at_server(server: str, lookups: Sequence[names.Lookup]) -> tuple[bool, str]:
    subject = names.endpoint(server)
    found = next((item for item in lookups if item.path == "server" and item.subject == subject), None)
    if found is None or found.tool == "none":
        return False, f"{server} could not be asked: no dig, host, node or nslookup is there"
    if found.ok:
        return True, f"{server} answers"
    return False, f"{server} does not answer ({found.tool})"
