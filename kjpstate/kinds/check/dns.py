"""The check of name resolution: three questions with three answers, since each alone can lie.

Do the servers of the document act? Do names resolve the way the bot asks? Does each server answer
by itself?
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kjpstate.formats import names, resolved
from kjpstate.formats.resolved_conf import Wanted, spelled
from kjpstate.kinds.check.spec import DnsCheck
from kjpstate.kinds.check.verdict import Verdict, all_of
from kjpstate.model import Answers, Probe, Reading
from kjpstate.said import Text

_PROBE_NAME = "example.com"  # asked of each server when the check names none


def reads(spec: DnsCheck) -> Iterable[Reading]:
    """What systemd-resolved has, and the questions in one probe."""
    if spec.effective:
        yield resolved.reading(spec.host)
    asked = _questions(spec)
    if asked is not None:
        yield asked


def verdict(spec: DnsCheck, answers: Answers) -> Verdict:
    """Passed when every part that the check asks for is well."""
    return all_of(_findings(spec, answers))


def _findings(spec: DnsCheck, answers: Answers) -> Iterator[tuple[bool | None, Text]]:
    if spec.effective:
        yield from _effective(spec, answers)
    asked = _questions(spec)
    if asked is None:
        return
    lookups = names.parse(answers.get(asked))
    if not isinstance(lookups, tuple):
        yield False, lookups
        return
    found = list(_answers(spec, lookups))
    if names.wan_down(lookups) and not all(well for well, _ in found):
        yield None, _WAN_DOWN
        return
    yield from found


_RULE = "wan-down"
_WAN_DOWN = (
    "every server is silent and not one of their machines can be reached: the way out of the "
    "host is down, "
    f"so nothing is known about names [{_RULE}]"
)


def _answers(spec: DnsCheck, lookups: Sequence[names.Lookup]) -> Iterator[tuple[bool, str]]:
    for name in spec.resolves:
        yield _as_the_app(
            name, [item for item in lookups if item.path == "app" and item.subject == name]
        )
    if spec.each_server:
        for server in _servers(spec):
            yield _at_server(server, lookups)


def _effective(spec: DnsCheck, answers: Answers) -> Iterator[tuple[bool | None, Text]]:
    """The running service has the document's servers, and names really go to them."""
    seen = resolved.parse(answers.get(resolved.reading(spec.host)))
    if isinstance(seen, str):
        yield False, seen
        return
    if seen.running is None:
        yield False, "systemd-resolved does not run"
        return
    named = spec.servers or Wanted()
    for words, title, there in (
        (named.servers, "the servers", seen.running.servers),
        (named.fallback, "the fallback servers", seen.running.fallback),
    ):
        if words is None:
            continue
        if there is None:
            yield None, f"this systemd-resolved does not tell {title}"
            continue
        wanted = spelled(words, seen.interfaces)
        same = there == wanted
        found = " ".join(there) or "(none)"
        yield (
            same,
            f"{title} are {found}" + ("" if same else f", the document says {' '.join(wanted)}"),
        )
    yield _in_the_path(seen)
    for name in spec.resolves:
        yield _goes_to_ours(name, seen, seen.running)


def _in_the_path(seen: resolved.Seen) -> tuple[bool, str]:
    if seen.outside:
        return False, "programs do not ask systemd-resolved: /etc/resolv.conf is not its own"
    return True, "programs ask systemd-resolved"


def _goes_to_ours(name: str, seen: resolved.Seen, running: resolved.Running) -> tuple[bool, str]:
    scopes = resolved.asked(name, running, seen.links)
    if any(not scope.link for scope in scopes):
        return True, f"{name} goes to them"
    links = ", ".join(scope.link for scope in scopes) or "nobody"
    return False, f"{name} goes to the servers of {links} instead"


def _questions(spec: DnsCheck) -> Probe | None:
    servers = _servers(spec)
    if not spec.resolves and not (servers and spec.each_server):
        return None
    return names.reading(spec.host, spec.resolves or (_PROBE_NAME,), servers)


def _servers(spec: DnsCheck) -> Sequence[str]:
    """Asked even where the check does not name them: their silence tells a dead line from a dead
    name."""
    return (spec.servers and spec.servers.servers) or ()


def _as_the_app(name: str, lookups: Sequence[names.Lookup]) -> tuple[bool, str]:
    if not lookups:
        return False, f"{name} could not be asked for: neither getent nor node is there"
    failed = [
        f"{item.tool}{': ' if item.said else ''}{item.said}" for item in lookups if not item.ok
    ]
    if failed:
        return False, f"{name} does not resolve the way the bot asks ({', '.join(failed)})"
    return True, f"{name} is {lookups[0].address}, the way the bot asks"


def _at_server(server: str, lookups: Sequence[names.Lookup]) -> tuple[bool, str]:
    subject = names.endpoint(server)
    found = next(
        (item for item in lookups if item.path == "server" and item.subject == subject), None
    )
    if found is None or found.tool == "none":
        return False, f"{server} could not be asked: no dig, host, node or nslookup is there"
    return found.ok, f"{server} {'answers' if found.ok else found.failure}"
