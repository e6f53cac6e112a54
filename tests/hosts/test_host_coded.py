"""What the scripts say in codes: every code is known, its values are those of its sentence."""

import re
import string
from pathlib import Path

import pytest

from kjpstate.hosts import coded
from kjpstate.said import say
from kjpstate.words.hosts import MESSAGES

REMOTE = Path(coded.__file__).parent / "remote"
SCRIPTS = {path.name: path.read_text("utf-8") for path in REMOTE.glob("[!p]*.sh")}
SCRIPTS["prune.sh"] = (REMOTE / "prune.sh").read_text("utf-8")
CODE = re.compile(r"(?<![\w./-])(?:hosts|lock|unsafe-folder)\.(?!py\b)[a-z][a-z-]+")
REFUSED = re.compile(r"\bkj_refuse ([a-z-]+)")


def said(text: str) -> set[str]:
    return {*CODE.findall(text), *(f"unsafe-folder.{one}" for one in REFUSED.findall(text))}


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_the_scripts_say_only_codes_that_are_read_back(name):
    assert said(SCRIPTS[name]) <= set(coded.VALUES)


def test_every_code_that_is_read_back_is_said():
    assert set().union(*map(said, SCRIPTS.values())) == set(coded.VALUES)


@pytest.mark.parametrize("code", sorted(coded.VALUES))
def test_a_sentence_has_the_values_of_its_code(code):
    fields = {name for _, name, _, _ in string.Formatter().parse(MESSAGES[code]) if name}
    assert fields == set(coded.VALUES[code])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ""),
        ("hosts.is-a-folder", say("hosts.is-a-folder")),
        (
            "hosts.failed\n/a b\nNo space left on device",
            say("hosts.failed", path="/a b", reason="No space left on device"),
        ),
        (
            "hosts.link-not-written\n/a\nto a name\nof two lines",
            say("hosts.link-not-written", path="/a", target="to a name\nof two lines"),
        ),
        ("hosts.system\nPermission denied", "permission denied"),
        (
            "hosts.tool\nfind: ./x: Permission denied",
            say("hosts.failed", path="x", reason="permission denied"),
        ),
        ("hosts.tool\nfind: '.': Permission denied", "permission denied"),
        ("hosts.failed\nno reason", say("hosts.not-understood")),
        ("hosts.is-a-folder\n", say("hosts.is-a-folder")),
        ("rm -rf /", say("hosts.not-understood")),
    ],
)
def test_a_code_and_its_values_are_read_back(text, told):
    assert coded.decoded(text) == told
