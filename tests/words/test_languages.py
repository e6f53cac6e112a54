"""Which language is spoken: typed, else of the environment, of the document, of the system."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from kjpstate.said import say
from kjpstate.words import DOMAIN, languages, messages, text
from tests.support import noise

MESSAGE = say("check.no-file", path="/x")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Catalogues of `noise` and `id`; the words of the run are English again afterwards."""
    noise.catalogue(tmp_path)
    made = (tmp_path / "noise/LC_MESSAGES" / f"{DOMAIN}.mo").read_bytes()
    there = tmp_path / "id/LC_MESSAGES"
    there.mkdir(parents=True)
    (there / f"{DOMAIN}.mo").write_bytes(made)
    monkeypatch.setattr("sys.platform", "linux")
    return {"KJPSTATE_LOCALES": str(tmp_path)}


@pytest.fixture(autouse=True)
def _english_again():
    yield
    languages.speak({"LC_ALL": "C"})


@pytest.mark.parametrize(
    ("environ", "typed", "written", "spoken"),
    [
        ({}, "", "", "en"),
        ({}, "id", "", "id"),
        ({"KJPSTATE_LANG": "noise"}, "id", "", "id"),
        ({"KJPSTATE_LANG": "noise"}, "", "id", "noise"),
        ({"LANG": "id_ID.UTF-8"}, "", "noise", "noise"),
        ({"LANG": "id_ID.UTF-8"}, "", "", "id"),
        ({"LANG": "de_DE.UTF-8"}, "", "", "en"),
        ({"LC_ALL": "C", "LANG": "id_ID"}, "", "", "en"),
        ({"LC_MESSAGES": "id@x", "LANG": "de_DE"}, "", "", "id"),
        ({"LANG": "id_ID"}, "en", "id", "en"),
        ({"KJPSTATE_LANG": "xx"}, "", "id", "id"),
    ],
)
def test_the_first_that_is_offered(places, environ, typed, written, spoken):
    assert languages.speak({**places, **environ}, typed, written) == spoken
    assert (text(MESSAGE) == "/x is not there") is (spoken == "en")
    assert "/x" in text(MESSAGE)


def test_english_is_always_offered(places):
    assert languages.offered({}) == ("en",)
    assert languages.offered(places) == ("en", "id", "noise")


def _catalogue_of_id(folder: Path) -> Path:
    there = folder / "id/LC_MESSAGES"
    there.mkdir(parents=True)
    return there / f"{DOMAIN}.mo"


@pytest.mark.parametrize("wrong", ["{0}", "{}", "{path.name}", "{path[x]}", "{path[0", "{gone}"])
def test_a_translation_that_cannot_be_filled_shows_the_code(tmp_path, wrong):
    made = Catalog(locale="id", domain=DOMAIN)
    made.add(messages()[MESSAGE.code], wrong)
    with _catalogue_of_id(tmp_path).open("wb") as file:
        write_mo(file, made)
    languages.speak({"KJPSTATE_LOCALES": str(tmp_path), "KJPSTATE_LANG": "id"})
    assert text(MESSAGE) == MESSAGE.bare


@pytest.mark.parametrize(
    "damage", [b"", b"\xde\x12", b"junkjunk", b"\xde\x12\x04\x95" + b"\xff" * 40]
)
def test_a_damaged_catalogue_leaves_english(tmp_path, damage):
    _catalogue_of_id(tmp_path).write_bytes(damage)
    languages.speak({"KJPSTATE_LOCALES": str(tmp_path), "KJPSTATE_LANG": "id"})
    assert text(MESSAGE) == "/x is not there"
