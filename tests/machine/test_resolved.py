"""resolved.conf and the routing of names, held against the real systemd-resolved; no machine is
booted.

The daemon runs in private namespaces (tests/support/machine/resolver.py), twice at once. By default
a slice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from difflib import SequenceMatcher
from typing import TypeVar

import pytest

from kjpstate.formats.resolved import Running, Seen, asked, parse
from kjpstate.formats.resolved_conf import (
    DOMAINS,
    DROP_IN,
    FALLBACK,
    MAIN,
    SERVERS,
    Settings,
    Wanted,
    drop_in,
    edited,
    settings,
    unmet,
)
from tests.support.machine.resolver import Resolver
from tests.support.resolved_sets import Set, one_layout, one_set

pytestmark = pytest.mark.machine

FULL = bool(os.environ.get("KJPSTATE_FULL"))
SETS = range(500) if FULL else range(7, 500, 18)
LAYOUTS = range(100) if FULL else range(3, 100, 12)
MODES = ("ok", "SERVFAIL", "REFUSED", "NXDOMAIN", "silent")
Case = TypeVar("Case")


@pytest.fixture(scope="module")
def resolvers() -> Iterator[list[Resolver]]:
    """Two, so that both cores are busy."""
    both: list[Resolver] = []
    try:
        both += [Resolver(), Resolver()]
        yield both
    finally:
        for resolver in both:
            resolver.stop()


def each(
    resolvers: list[Resolver], cases: Iterable[Case], trouble: Callable[[Resolver, Case], str]
) -> tuple[int, list[str]]:
    """(how many, what was wrong) over all cases, shared out between the resolvers."""
    cases = list(cases)
    shares = [cases[place :: len(resolvers)] for place in range(len(resolvers))]

    def work(resolver: Resolver, share: list[Case]) -> list[str]:
        return [said for case in share if (said := trouble(resolver, case))]

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(work, resolvers, shares))
    return len(cases), [said for part in found for said in part]


# ---- the parser and the writer


def seen_by(resolver: Resolver, files: dict[str, bytes | None]) -> tuple[Seen, Running]:
    seen = parse(resolver.start(files))
    assert isinstance(seen, Seen), seen
    assert seen.running is not None
    return seen, seen.running


def read(seen: Seen) -> Settings:
    """What our parser makes of the very files that the probe saw."""
    main = [file for file in seen.files if file.path == MAIN]
    return settings([*main, *seen.dropins], seen.interfaces)


def differs(seen: Seen, running: Running) -> str:
    found = read(seen)
    ours = {key: found.values(key) or () for key in (SERVERS, FALLBACK, DOMAINS)}
    real = {SERVERS: running.servers, FALLBACK: running.fallback, DOMAINS: running.domains}
    return "" if ours == real else f"read {ours}, the daemon has {real}"


def set_trouble(resolver: Resolver, number: int) -> str:
    case = one_set(number)
    seen, running = seen_by(resolver, case.files)
    write = dropped_in_trouble if number % 3 == 0 else written_trouble
    said = differs(seen, running) or write(resolver, case, seen)
    return f"set {number}: {said}\n{case.files}" if said else ""


def written_trouble(resolver: Resolver, case: Set, seen: Seen) -> str:
    """What is wrong after the main file was edited and the daemon started again."""
    before, wanted = case.files.get(MAIN), case.wanted
    after = edited(before, seen.dropins, wanted, seen.interfaces)
    if after == before:
        return ""
    assert after is not None
    if not kept(before or b"", after):
        return f"{wanted} lost bytes of others: {before!r} -> {after!r}"
    again, running = seen_by(resolver, {**case.files, MAIN: after})
    said = differs(again, running)
    if said:
        return f"after {wanted}: {said}"
    wrong = tuple(wrong_keys(wanted, running))
    told = unmet(after, again.dropins, wanted, again.interfaces)
    return (
        ""
        if wrong == told
        else f"{wanted} leaves {wrong} wrong in the daemon, and says {told}: {after!r}"
    )


def dropped_in_trouble(resolver: Resolver, case: Set, seen: Seen) -> str:
    """The same when our own drop-in is written instead, which is read last."""
    lower = seen.lower_main
    main = case.files.get(MAIN, lower.content if lower else None)
    own = drop_in(main, seen.dropins, case.wanted, "tests")
    again, running = seen_by(resolver, {**case.files, DROP_IN: own})
    if said := differs(again, running):
        return f"after our drop-in {own!r}: {said}"
    wrong = tuple(wrong_keys(case.wanted, running))
    told = unmet(main, again.dropins, case.wanted, again.interfaces)
    return "" if wrong == told else f"our drop-in leaves {wrong} wrong, and says {told}: {own!r}"


def wrong_keys(wanted: Wanted, running: Running) -> Iterator[str]:
    if wanted.servers is not None and wanted.servers != running.servers:
        yield SERVERS
    if wanted.fallback is not None and wanted.fallback != running.fallback:
        yield FALLBACK
    if wanted.exclusive is not None and wanted.exclusive != running.exclusive:
        yield DOMAINS


OURS = (b"DNS", b"FallbackDNS", b"Domains")


def kept(before: bytes, after: bytes) -> bool:
    """Whether nothing but assignments of our keys went, line by line, whatever wrote them."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    inside = False
    gone = {
        row
        for tag, begin, end, _, _ in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if tag in ("replace", "delete")
        for row in range(begin, end)
    }
    for row, line in enumerate(old):
        bare = line.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n\0")
        comment = bare.startswith((b"#", b";"))
        ours = inside or bare.partition(b"=")[0].strip() in OURS
        if not comment:
            inside = ours and (len(bare) - len(bare.rstrip(b"\\"))) % 2 == 1
        unfinished = row == len(old) - 1 and any(part.rstrip(b"\r\n") == line for part in new)
        if row in gone and (comment or not ours) and bare and not unfinished:
            return False
    return True


def test_what_is_read_and_written_is_what_the_daemon_has(
    resolvers: list[Resolver], counted: Callable[[str, int], None]
) -> None:
    number, wrong = each(resolvers, SETS, set_trouble)
    assert not wrong, "\n\n".join(wrong)
    counted("sets of resolved.conf read and written as the real daemon takes them", number)


# ---- who is asked


def layout_trouble(resolver: Resolver, number: int) -> str:
    layout = one_layout(number)
    resolver.start({MAIN: layout.conf})
    seen = parse(resolver.links(layout.links))
    assert isinstance(seen, Seen), seen
    assert seen.running is not None
    scopes = asked(layout.name, seen.running, seen.links)
    servers = [{server.partition("%")[0] for server in scope.servers} for scope in scopes]
    for mode in MODES:
        broken = set() if mode == "ok" else set(layout.broken)
        name = f"q{number}-{mode.lower()}.{layout.name}"
        code, who = resolver.ask(name, dict.fromkeys(broken, mode), 0.5)
        said = _asked_others(servers, who) or _ended_otherwise(servers, broken, mode, code)
        if said:
            return f"layout {number}, {name}: {said}\n{layout}\n{seen.running}\n{seen.links}"
    return ""


def _asked_others(servers: list[set[str]], who: set[str]) -> str:
    """Each scope was asked, at one of its servers at least, and nobody else was."""
    if all(scope & who for scope in servers) and who <= set().union(*servers):
        return ""
    return f"{sorted(who)} were asked, foretold were {servers}"


def _ended_otherwise(servers: list[set[str]], broken: set[str], mode: str, code: int | None) -> str:
    """One scope that answers is enough; else the failure of one of them, or no end in time."""
    codes = {"SERVFAIL": 2, "NXDOMAIN": 3, "REFUSED": 5, "silent": None}
    if any(not scope & broken for scope in servers):
        return "" if code == 0 else f"ended with {code}, though a scope is well"
    if not servers:
        return "" if code != 0 else "had an answer, though nobody was to be asked"
    return (
        ""
        if code in (codes[mode], 2) or (mode == "silent" and code is None)
        else f"ended with {code}"
    )


def test_who_is_asked_is_whom_the_daemon_asks(
    resolvers: list[Resolver], counted: Callable[[str, int], None]
) -> None:
    number, wrong = each(resolvers, LAYOUTS, layout_trouble)
    assert not wrong, "\n\n".join(wrong)
    counted("layouts of links x ways to fail, asked as foretold", number * len(MODES))
