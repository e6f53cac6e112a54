"""formats names, proc and logs: what the probes print, read back; hostile and cut answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kjpstate.formats import logs, names, proc
from kjpstate.formats.names import Lookup
from kjpstate.formats.proc import Sample
from kjpstate.model import Answer, Unreadable
from kjpstate.said import Said, say

# ---- names


@pytest.mark.parametrize(
    ("server", "asked"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("8.8.8.8:5353", "8.8.8.8|5353"),
        ("8.8.8.8#dns.google", "8.8.8.8"),
        ("2001:4860:4860::8888", "2001:4860:4860::8888"),
        ("[2001:4860:4860::8888]:53%eth0#dns.google", "2001:4860:4860::8888|53"),
        ("[fe80::1]%eth0", "fe80::1"),
    ],
)
def test_a_server_is_asked_at_its_address(server: str, asked: str) -> None:
    assert names.endpoint(server) == asked


LOOKUPS = (
    Lookup("app", "getent", "web.whatsapp.com", 0, "157.240.1.60"),
    Lookup("server", "dig", "8.8.8.8", 0, ""),
    Lookup("server", "node", "1.1.1.1|53", 1, ""),
)


def test_lookups_come_back_as_they_were_printed() -> None:
    assert names.parse(names.render(LOOKUPS)) == LOOKUPS


def test_an_exit_status_without_an_address_is_no_answer() -> None:
    assert [item.ok for item in LOOKUPS] == [True, False, False]


@given(st.binary())
def test_any_bytes_are_read_as_lookups_or_left_out(content: bytes) -> None:
    assert isinstance(names.parse(content), tuple)


# ---- proc


def sampled(used: int = 250, uptime: str = "105.00", start: str = "900") -> bytes:
    return proc.render(41, Sample("100.00", 200, "900"), Sample(uptime, used, start))


@pytest.mark.parametrize(
    ("answer", "percent"),
    [
        (sampled(), 10.0),
        (sampled(used=200), 0.0),
        (sampled(used=700), 100.0),
        (sampled(uptime="102.50"), 20.0),
    ],
)
def test_load_is_cpu_time_over_time(answer: bytes, percent: float) -> None:
    assert proc.parse(answer) == proc.Load({41: percent})


@pytest.mark.parametrize(
    "answer",
    [
        sampled(start="901"),
        sampled(uptime="100.00"),
        sampled().partition(b"b ")[0],
        sampled(uptime="x"),
    ],
)
def test_a_process_that_ended_meanwhile_has_no_load(answer: bytes) -> None:
    assert proc.parse(answer) == proc.Load({}, (41,))


def test_the_name_of_a_process_may_hold_anything() -> None:
    assert proc.parse(sampled().replace(b"(node)", b"(a) R 9 (b c)")) == proc.Load({41: 10.0})


@given(st.binary())
def test_any_bytes_are_a_load_or_a_sentence(content: bytes) -> None:
    assert isinstance(proc.parse(b"ticks 100\na " + content), (Said, proc.Load))


# ---- logs


def test_a_log_comes_back_as_it_was_printed() -> None:
    assert logs.parse(logs.render(b"one\ntwo\n")) == logs.Tail(8, 0, b"one\ntwo\n")
    assert logs.parse(logs.render(None)) == logs.Tail(0, 0, b"")
    long = logs.parse(logs.render(b"x" * (logs.CAP + 5)))
    assert isinstance(long, logs.Tail) and (long.size, long.start) == (logs.CAP + 5, 5)


@pytest.mark.parametrize(
    ("tail", "offset", "written"),
    [
        (logs.Tail(8, 0, b"one\ntwo\n"), 4, ("two\n", True)),
        (logs.Tail(8, 0, b"one\ntwo\n"), 8, ("", True)),
        (logs.Tail(8, 0, b"one\ntwo\n"), 0, ("one\ntwo\n", True)),
        (logs.Tail(8, 0, b"one\ntwo\n"), 900, ("one\ntwo\n", True)),
        (logs.Tail(108, 100, b"one\ntwo\n"), 104, ("two\n", True)),
        (logs.Tail(108, 100, b"one\ntwo\n"), 50, ("one\ntwo\n", False)),
        (logs.Tail(108, 100, b"one\ntwo\n"), None, ("one\ntwo\n", False)),
    ],
)
def test_what_was_written_since(
    tail: logs.Tail, offset: int | None, written: tuple[str, bool]
) -> None:
    assert tail.since(offset) == written


@pytest.mark.parametrize(
    ("stamp", "offset"),
    [
        (None, None),
        ({}, None),
        ({"out": None}, 0),
        ({"out": {"size": 7, "changed": "x"}}, 7),
        ({"out": {"size": "7"}}, None),
        ({"out": {"size": -1}}, None),
    ],
)
def test_where_a_log_ended_when_the_app_was_started(
    stamp: dict[str, object] | None, offset: int | None
) -> None:
    assert logs.offset(stamp, "out") == offset


@pytest.mark.parametrize("answer", [b"unreadable\n", b"", b"size x start 0\n", b"size 3"])
def test_a_log_that_can_not_be_read_says_so(answer: bytes) -> None:
    assert logs.parse(answer) == say("logs.denied")


@pytest.mark.parametrize("parse", [names.parse, proc.parse, logs.parse])
@pytest.mark.parametrize(("answer", "why"), [(None, None), (Unreadable("timed out"), "timed out")])
def test_no_answer_is_a_sentence(parse: object, answer: Answer, why: str | None) -> None:
    assert callable(parse)
    found = parse(answer)
    assert isinstance(found, Said) and found.values.get("why") == why
