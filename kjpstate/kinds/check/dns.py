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
from kjpstate.said import Text, say

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
        yield None, say("wan-down", rule=_RULE)
        return
    yield from found


_RULE = "wan-down"


def _answers(spec: DnsCheck, lookups: Sequence[names.Lookup]) -> Iterator[tuple[bool, Text]]:
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
    if not isinstance(seen, resolved.Seen):
        yield False, seen
        return
    if seen.running is None:
        yield False, say("check.no-resolved")
        return
    named = spec.servers or Wanted()
    for words, codes, there in (
        (named.servers, _SERVERS, seen.running.servers),
        (named.fallback, _FALLBACK, seen.running.fallback),
    ):
        if words is not None:
            yield _compared(spelled(words, seen.interfaces), there, *codes)
    yield _in_the_path(seen)
    for name in spec.resolves:
        yield _goes_to_ours(name, seen, seen.running)


_SERVERS = ("check.servers-untold", "check.servers", "check.servers-differ")
_FALLBACK = ("check.fallback-untold", "check.fallback", "check.fallback-differ")


def _compared(
    wanted: Sequence[str], there: Sequence[str] | None, untold: str, same: str, other: str
) -> tuple[bool | None, Text]:
    if there is None:
        return None, say(untold)
    if tuple(there) == tuple(wanted):
        return True, say(same, found=there)
    return False, say(other, found=there, wanted=wanted)


def _in_the_path(seen: resolved.Seen) -> tuple[bool, Text]:
    if seen.outside:
        return False, say("check.not-in-the-path")
    return True, say("check.in-the-path")


def _goes_to_ours(name: str, seen: resolved.Seen, running: resolved.Running) -> tuple[bool, Text]:
    scopes = resolved.asked(name, running, seen.links)
    if any(not scope.link for scope in scopes):
        return True, say("check.goes-to-ours", name=name)
    if not scopes:
        return False, say("check.goes-to-nobody", name=name)
    return False, say("check.goes-to-link", name=name, links=[scope.link for scope in scopes])


def _questions(spec: DnsCheck) -> Probe | None:
    servers = _servers(spec)
    if not spec.resolves and not (servers and spec.each_server):
        return None
    return names.reading(spec.host, spec.resolves or (_PROBE_NAME,), servers)


def _servers(spec: DnsCheck) -> Sequence[str]:
    """Asked even where the check does not name them: their silence tells a dead line from a dead
    name."""
    return (spec.servers and spec.servers.servers) or ()


def _as_the_app(name: str, lookups: Sequence[names.Lookup]) -> tuple[bool, Text]:
    if not lookups:
        return False, say("check.no-tool", name=name)
    failed = [_tool(item) for item in lookups if not item.ok]
    if failed:
        return False, say("check.not-resolved", name=name, tools=failed)
    return True, say("check.resolved", name=name, address=lookups[0].address)


def _tool(item: names.Lookup) -> Text:
    return say("check.tool-said", tool=item.tool, said=item.said) if item.said else item.tool


def _at_server(server: str, lookups: Sequence[names.Lookup]) -> tuple[bool, Text]:
    subject = names.endpoint(server)
    found = next(
        (item for item in lookups if item.path == "server" and item.subject == subject), None
    )
    if found is None or found.tool == "none":
        return False, say("check.no-server-tool", server=server)
    if found.ok:
        return True, say("check.server-answers", server=server)
    return False, say("check.server-fails", server=server, failure=found.failure)
