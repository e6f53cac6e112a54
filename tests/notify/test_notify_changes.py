"""What is worth telling: once per change, by address and reason; quiet hours;
hosts out of reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kjpstate.model import Change, Difference, Drift, Plan, Refuse, State
from kjpstate.notify.changes import Finding, Memory, Seen, advance, in_quiet, seen_in
from tests.support.fake import resource

ALL = frozenset({"dns", "build", "pm2_process.bot"})


def look(*found: str, lost: bool = False, known: frozenset[str] = ALL) -> Seen:
    """`dns`, `dns:other text`, `dns!dead`: what one look at the host `stb` finds."""
    findings = []
    for word in found:
        name, _, text = word.partition(":")
        address, _, reason = name.partition("!")
        findings.append(Finding(address, "stb", reason or "drift", text or "differs"))
    looked = frozenset() if lost else known
    return Seen(
        tuple(findings),
        looked,
        known | {"stb"},
        frozenset({"stb"}),
        {"stb": "no route"} if lost else {},
    )


def told(looks: Sequence[Seen], *, quiet: Sequence[bool] = (), after: int = 3) -> list[list[str]]:
    """For each look, what was told: `drift dns`."""
    memory, out = Memory(), []
    for at, seen in enumerate(looks):
        memory, notices = advance(
            memory, seen, 600.0 * at, lost_after=after, quiet=bool(quiet) and quiet[at]
        )
        out.append([f"{notice.kind} {notice.subject}" for notice in notices])
    return out


LOST = look(lost=True)
CASES = {
    "once, however often it is seen": ([look("dns")] * 3, [["drift dns"], [], []]),
    "not again when its content moves": ([look("dns:a"), look("dns:b")], [["drift dns"], []]),
    "resolved once": ([look("dns"), look(), look()], [["drift dns"], ["resolved dns"], []]),
    "drift, healed, drift": (
        [look("dns"), look(), look("dns")],
        [["drift dns"], ["resolved dns"], ["drift dns"]],
    ),
    "another reason of the same address": (
        [look("pm2_process.bot"), look("pm2_process.bot", "pm2_process.bot!dead")],
        [["drift pm2_process.bot"], ["dead pm2_process.bot"]],
    ),
    "a bot that lives again": (
        [look("pm2_process.bot!dead"), look()],
        [["dead pm2_process.bot"], ["alive pm2_process.bot"]],
    ),
    "a refusal is a reason of its own": (
        [look("dns"), look("dns!resolved-missing")],
        [["drift dns"], ["changed dns", "drift dns"]],
    ),
    "what differed of a bot that died is not over, nor told again": (
        [
            look("pm2_process.bot"),
            *[look("pm2_process.bot!dead")] * 2,
            look("pm2_process.bot"),
            look(),
        ],
        [
            ["drift pm2_process.bot"],
            ["dead pm2_process.bot"],
            [],
            ["alive pm2_process.bot"],
            ["resolved pm2_process.bot"],
        ],
    ),
    "a bot whose settings still differ when it lives again": (
        [look("pm2_process.bot!dead"), look("pm2_process.bot")],
        [["dead pm2_process.bot"], ["alive pm2_process.bot", "drift pm2_process.bot"]],
    ),
    "why a dead bot's cure is refused may change": (
        [
            look("pm2_process.bot!dead", "pm2_process.bot!script-missing"),
            look("pm2_process.bot!dead"),
        ],
        [["dead pm2_process.bot", "drift pm2_process.bot"], []],
    ),
    "what is lived with from now on is not as written": (
        [look("dns"), replace(look(), accepted=frozenset({"dns"})), look()],
        [["drift dns"], ["accepted dns"], []],
    ),
    "a bot of which nothing is known is neither dead nor back": (
        [
            look("pm2_process.bot!dead"),
            replace(look(), unsure=frozenset({"pm2_process.bot"})),
            look(),
        ],
        [["dead pm2_process.bot"], [], ["alive pm2_process.bot"]],
    ),
    "unreachable after three in a row": (
        [LOST] * 4 + [look()],
        [[], [], ["unreachable stb"], [], ["recovered stb"]],
    ),
    "a host that flaps is not told": ([LOST, LOST, look(), LOST, LOST, look()], [[]] * 6),
    "what a lost host had is neither over nor new": (
        [look("dns"), LOST, look("dns"), look()],
        [["drift dns"], [], [], ["resolved dns"]],
    ),
    "out of scope is not over": (
        [look("dns"), replace(look(), looked=frozenset({"build"})), look()],
        [["drift dns"], [], ["resolved dns"]],
    ),
    "what left the document is dropped": (
        [look("dns"), look(known=frozenset({"build"})), look("dns")],
        [["drift dns"], [], ["drift dns"]],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_told(name: str):
    looks, expected = CASES[name]
    assert [sorted(row) for row in told(looks)] == expected


def process(*differing: str, alive: Any = True, refused: str = "") -> Change:
    """A change of the bot's process that differs in these keys."""
    drift = Drift(
        resource("pm2_process.bot"),
        State({"alive": True}),
        State({"alive": alive}),
        tuple(Difference((key,), 1, 2) for key in differing),
    )
    refusal = Refuse(refused, "why") if refused else None
    return Change(drift.resource, drift, (), "!", refusal=refusal)


FOUND = {
    "a dead bot": (process("alive", alive="given-up"), ["dead"]),
    "a dead bot with other settings": (process("alive", "env", alive="given-up"), ["dead"]),
    "a dead bot whose cure is refused is dead": (
        process("alive", "problems", alive="not-listed", refused="script-missing"),
        ["dead", "script-missing"],
    ),
    "PM2 could not be asked": (
        process("alive", "problems", alive="unknown", refused="pm2-unreadable"),
        ["pm2-unreadable"],
    ),
    "other settings": (process("env"), ["drift"]),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_of_a_change_is_found(name: str):
    change, reasons = FOUND[name]
    seen = seen_in(Plan("doc", (change,)), ALL, frozenset({"stb"}), lambda change: "row")
    assert [finding.reason for finding in seen.findings] == reasons
    assert bool(seen.unsure) is (name == "PM2 could not be asked")


QUIET = {
    "waits for the morning": ([look("dns")] * 3, [True, True, False], [[], [], ["drift dns"]]),
    "what ended meanwhile is never told": (
        [look("dns"), look(), look()],
        [True, True, False],
        [[]] * 3,
    ),
    "what left the document meanwhile is not told": (
        [
            look("dns", "build"),
            look("build", known=ALL - {"dns"}),
            look("build", known=ALL - {"dns"}),
        ],
        [True, True, False],
        [[], [], ["drift build"]],
    ),
    "but its end is, where its begin was": (
        [look("dns"), look(), look(known=ALL - {"dns"})],
        [False, True, False],
        [["drift dns"], [], ["resolved dns"]],
    ),
    "what began again meanwhile goes on": (
        [look("dns"), look(), look("dns"), look("dns"), look()],
        [False, True, True, False, False],
        [["drift dns"], [], [], [], ["resolved dns"]],
    ),
    "a dead bot does not wait, nor does its coming back": (
        [look("pm2_process.bot!dead", "dns"), look("dns"), look("dns")],
        [True, True, False],
        [["dead pm2_process.bot"], ["alive pm2_process.bot"], ["drift dns"]],
    ),
}


@pytest.mark.parametrize("name", QUIET)
def test_quiet_hours(name: str):
    looks, quiet, expected = QUIET[name]
    assert told(looks, quiet=quiet) == expected


@pytest.mark.parametrize(
    ("quiet", "minute", "inside"),
    [
        (None, 0, False),
        ((1320, 420), 1320, True),
        ((1320, 420), 0, True),
        ((1320, 420), 420, False),
        ((1320, 420), 720, False),
        ((540, 1020), 539, False),
        ((540, 1020), 600, True),
        ((0, 0), 5, True),
    ],
)
def test_hours_over_midnight(quiet: tuple[int, int] | None, minute: int, inside: bool):
    assert in_quiet(quiet, minute) is inside


LOOKS = st.lists(
    st.tuples(
        st.sets(st.sampled_from(["dns", "build", "pm2_process.bot!dead"])),
        st.booleans(),
        st.booleans(),
    ),
    max_size=40,
)


@given(LOOKS)
def test_begin_and_end_always_alternate_and_the_day_brings_the_truth(looks):
    memory = Memory()
    open_: set[tuple[str, str]] = set()
    for at, (found, lost, quiet) in enumerate(looks):
        seen = look(lost=True) if lost else look(*sorted(found))
        memory, notices = advance(memory, seen, float(at), lost_after=2, quiet=quiet)
        for notice in notices:
            key = (notice.subject, notice.reason)
            begins = notice.kind in ("dead", "drift", "unreachable")
            assert begins is (key not in open_), "told twice, or ended before it began"
            (open_.add if begins else open_.discard)(key)
        if not quiet:
            assert memory.waiting == ()
            assert open_ == {(item.subject, item.reason) for item in memory.standing if item.told}
    assert len(memory.standing) <= len(ALL) + 1
