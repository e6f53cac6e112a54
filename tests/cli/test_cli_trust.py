"""`trust`: the key is shown, asked for, remembered; never without a yes or its fingerprint."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kjpstate.errors import Unreachable
from kjpstate.hosts import trust
from tests.support.commands import Desk, Terminal

ONE, OTHER = "SHA256:one", "SHA256:other"
SHOWN = [(ONE, "10.0.0.1 ssh-ed25519 AAAAone"), (OTHER, "10.0.0.1 ssh-rsa AAAAother")]


@pytest.fixture(autouse=True)
def hosts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A box, a pinned box and this machine; the box shows two keys."""
    pinned = f"{{ssh: {{address: 10.0.0.2, user: root, host_key: '{'SHA256:' + 'A' * 43}'}}}}"
    text = desk.document().replace(
        "{pc: {local: .}}", f"{{pc: {{local: .}}, stb: {{ssh: root@10.0.0.1}}, safe: {pinned}}}"
    )
    desk.write(text)

    async def scan(spec, folder):
        return SHOWN

    monkeypatch.setattr(trust, "scan", scan)


def remembered(home: Path) -> str:
    """What kjpstate's own known_hosts holds."""
    return "".join(path.read_text("utf-8") for path in home.rglob("known_hosts"))


def test_a_fingerprint_in_the_command_line_is_enough(desk: Desk, own_home: Path):
    shown = desk.kjpstate("trust", "stb", "--fingerprint", ONE)
    assert shown.code == 0
    assert f"ssh-rsa  {OTHER}" in shown.err
    assert remembered(own_home) == "10.0.0.1 ssh-ed25519 AAAAone\n"


def test_another_fingerprint_is_refused(desk: Desk, own_home: Path):
    shown = desk.kjpstate("trust", "stb", "--fingerprint", "SHA256:wrong")
    assert shown.code == 8
    assert "[host-key-changed]" in shown.err
    assert remembered(own_home) == ""


@pytest.mark.parametrize(("answer", "code"), [("yes\n", 0), ("y\n", 1), ("", 1)])
def test_a_yes_in_full(desk: Desk, own_home: Path, monkeypatch, answer: str, code: int):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert desk.kjpstate("trust", "stb").code == code
    assert remembered(own_home).count("\n") == (2 if code == 0 else 0)


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["stb"], 64, "no terminal to ask on"),
        (["tv"], 64, "no such host"),
        (["pc", "--fingerprint", ONE], 64, "it is this machine"),
        (["safe", "--fingerprint", ONE], 64, "the document itself says its key"),
    ],
)
def test_wrong_use(desk: Desk, argv: list[str], code: int, said: str):
    shown = desk.kjpstate("trust", *argv)
    assert shown.code == code
    assert said in shown.err


def test_a_box_that_is_off_is_3(desk: Desk, monkeypatch):
    async def scan(spec, folder):
        raise Unreachable("stb", "stb does not answer", "is it on?")

    monkeypatch.setattr(trust, "scan", scan)
    assert desk.kjpstate("trust", "stb", "--fingerprint", ONE).code == 3
