"""kind unchanged: pins, and what moves against them."""

import json

import pytest

from kjpstate.formats.tree import stamp_name
from kjpstate.kinds import KINDS, unchanged
from kjpstate.kinds.unchanged import Spec
from kjpstate.model import File, ReadFile, ReadState, Refuse, Resource, Stamp, Unreadable, Where
from kjpstate.plan import Scene, build

POINTER = "/packages/node_modules~1baileys/version"
FILE = ReadFile("pc", "/bot/package-lock.json")
STAMP = ReadState("pc", "bot", stamp_name("pin", f"{FILE.path}#{POINTER}"))


def lock(version):
    content = json.dumps({"packages": {"node_modules/baileys": {"version": version}}}).encode()
    return File(FILE.path, content, 0o644)


def pinned(address, value=None):
    spec = Spec("pc", "bot", FILE.path, POINTER, value)
    return Resource(address, "unchanged", "pc", spec, Where("d.yaml", 3, 1))


def planned(answers, **spec):
    pin = pinned("unchanged.baileys", **spec)
    return build(Scene("bot", (pin,), answers, b"key", KINDS))


def test_the_pinned_value_is_in_sync():
    assert planned({FILE: lock("7.0.0")}, value="7.0.0").empty


def test_a_stamp_pins_as_well():
    assert planned({FILE: lock("7.0.0"), STAMP: b'{"value": "7.0.0"}'}).empty


def test_the_first_apply_pins_what_it_finds():
    (change,) = planned({FILE: lock("7.0.0"), STAMP: None}).changes
    assert change.symbol == "+"
    assert change.drift.told.headline == "package-lock.json: 7.0.0 from now on"
    assert change.actions == (Stamp("pc", "bot", STAMP.name, {"value": "7.0.0"}),)


@pytest.mark.parametrize(
    "answers", [{FILE: lock("8.0.0")}, {FILE: lock("8.0.0"), STAMP: b'{"value": "7.0.0"}'}]
)
def test_another_value_is_refused_with_both(answers):
    spec = {} if STAMP in answers else {"value": "7.0.0"}
    (change,) = planned(answers, **spec).changes
    assert isinstance(change.refusal, Refuse)
    assert change.refusal.rule == "unchanged-differs"
    assert "8.0.0" in change.refusal.reason and "7.0.0" in change.refusal.reason


@pytest.mark.parametrize(
    "answer", [None, Unreadable("no permission"), File(FILE.path, b"{", 0o644), lock(None)]
)
def test_what_cant_be_read_is_refused(answer):
    (change,) = planned({FILE: answer}, value="7.0.0").changes
    assert change.refusal is not None


def test_it_writes_nothing_and_advises_nothing():
    spec = pinned("unchanged.baileys").spec
    assert list(unchanged.writes(spec)) == []
    assert list(unchanged.advice(unchanged.see(spec, {}, {}))) == []


def test_what_is_held_is_told_with_its_value_where_the_document_names_one():
    guards = [pinned("unchanged.a", "7.0.0"), pinned("unchanged.b")]
    assert dict(unchanged.guarded(guards)) == {"unchanged.a": "7.0.0", "unchanged.b": ""}
