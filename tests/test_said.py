"""A message that holds a secret keeps it as well as any other value does."""

from __future__ import annotations

from kjpstate.said import Said, packed, say, unpacked
from kjpstate.secret import HIDDEN, Secret, sealed, secrets_in, veil

KEY = b"a key"


def told(*values: str) -> Said:
    """A message about secrets, some of them in a list of a message that it speaks of."""
    first, *others = map(Secret, values)
    return say("a.message", first=first, inner=say("an.inner", others=others))


def test_its_secrets_are_found() -> None:
    assert sorted(secrets_in({"problems": [told("one1", "two2", "three3")]})) == [
        "one1",
        "three3",
        "two2",
    ]


def test_veiled_it_shows_nothing_and_stays_equal_or_different() -> None:
    same, again = veil(told("one1", "two2"), told("one1", "two2"), KEY)
    assert same == again and hash(same) and not list(secrets_in(same))
    one, other = veil(told("one1", "two2"), told("one1", "new2"), KEY)
    assert one != other and sealed(one, KEY) != sealed(other, KEY)
    assert "one1" not in repr((one, other)) and "new2" not in repr((one, other))


def test_veiled_beside_something_else_it_shows_nothing() -> None:
    for beside in (None, "text", say("another.message", first=Secret("one1"))):
        for veiled in veil(told("one1"), beside, KEY) + veil(beside, told("one1"), KEY):
            assert not list(secrets_in(veiled)) and "one1" not in repr(veiled)


def test_a_plain_value_beside_a_secret_stays_plain() -> None:
    plain, secret = say("a.message", first="one1"), say("a.message", first=Secret("one1"))
    assert veil(plain, secret, KEY) == (plain, plain)


def test_packed_it_holds_what_is_shown() -> None:
    kept = packed(told("one1", "two2"))
    assert "one1" not in kept and "two2" not in kept
    assert unpacked(kept) == say("a.message", first=HIDDEN, inner=say("an.inner", others=[HIDDEN]))
