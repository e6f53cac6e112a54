"""Channels, retries, what is remembered between two runs, and what happens when it can't be."""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kjpstate.model import Channel, Notify
from kjpstate.notify import Desk, channels, file_of, tell
from kjpstate.notify.changes import Finding, Seen
from kjpstate.said import Said, Text, say
from kjpstate.secret import Secret
from tests.support.machine.tools import wait_until
from tests.support.webhook import hooked
from tests.support.words import said

KNOWN = frozenset({"dns", "pm2_process.bot", "stb"})
NOTHING = Seen((), KNOWN, KNOWN, frozenset({"stb"}), {})
DRIFT = replace(NOTHING, findings=(Finding("dns", "stb", "drift", "DNS (none) -> 8.8.8.8"),))
DEAD = replace(NOTHING, findings=(Finding("pm2_process.bot", "stb", "dead", "gave up"),))
PHONE = Channel("phone", command=("phone",))


REMEMBERED = (
    '{"version": 1, "memory": {"standing": [], "waiting": []}, "parcels": {"phone": [{"notices": '
    '[{"since": %s, "kind": "%s", "subject": "dns", "host": "stb", "reason": "drift", "text": ""}], '
    '"tries": %s}]}}'
)


class Wire:
    """A desk whose channels answer as told and keep what they are given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.trouble = ""
        self.clock = 1_800_000_000.0
        self.minute = 720

    @property
    def desk(self) -> Desk:
        return Desk(
            now=lambda: self.clock,
            minute=lambda now: self.minute,
            send=self._send,
            beat=lambda url: "",
            sleep=lambda seconds: None,
        )

    def _send(self, channel: Channel, value: Any) -> str:
        self.sent.append((channel.name, json.loads(json.dumps(value))))
        return self.trouble


def trouble(code: str, **values: Any) -> Said:
    """What is told on stderr of it."""
    return say("notify.trouble", what=say(code, **values))


TRIED_AGAIN = trouble("notify.tried-again", channel="phone", why="HTTP 500")
GIVEN_UP = trouble("notify.given-up", channel="phone", runs=36, why="HTTP 500")


@pytest.fixture
def wire() -> Wire:
    return Wire()


def turn(tmp_path: Path, wire: Wire, seen: Seen, settings: Notify = Notify((PHONE,))) -> list[Said]:  # noqa: B008
    return tell(settings, seen, "bot-kjp", tmp_path / "notify" / "bot.json", wire.desk)


def test_one_message_a_run_with_everything_new_a_dead_bot_first(tmp_path: Path, wire: Wire):
    both = replace(NOTHING, findings=(*DRIFT.findings, *DEAD.findings))
    assert turn(tmp_path, wire, both) == []
    assert turn(tmp_path, wire, both) == []
    [(name, value)] = wire.sent
    assert name == "phone"
    assert value["text"].splitlines() == [
        "bot-kjp",
        said("notify.dead-why", subject="pm2_process.bot", why="gave up"),
        said("notify.drift-why", subject="dns", why="DNS (none) -> 8.8.8.8"),
    ]
    assert value["time"] == "2027-01-15T08:00:00Z"
    assert value["notices"][1] == {
        "kind": "drift", "subject": "dns", "host": "stb", "reason": "drift",
        "text": "DNS (none) -> 8.8.8.8", "since": "2027-01-15T08:00:00Z",
    }  # fmt: skip
    assert (tmp_path / "notify" / "bot.json").stat().st_mode & 0o777 == (
        0o600 if os.name == "posix" else 0o666
    )


def test_a_channel_that_fails_is_tried_again_and_loses_nothing(tmp_path: Path, wire: Wire):
    wire.trouble = "HTTP 500"
    assert turn(tmp_path, wire, DRIFT) == [TRIED_AGAIN]
    assert len(wire.sent) == 2
    wire.trouble = ""
    assert turn(tmp_path, wire, DEAD) == []
    told = [notice["kind"] for notice in wire.sent[-1][1]["notices"]]
    assert told == ["dead", "drift", "resolved"]
    assert turn(tmp_path, wire, DEAD) == []
    assert len(wire.sent) == 3


def test_it_is_given_up_after_some_hours(tmp_path: Path, wire: Wire):
    wire.trouble = "HTTP 500"
    told = [turn(tmp_path, wire, DRIFT) for _ in range(40)]
    assert told[34] == [TRIED_AGAIN]
    assert told[35] == [GIVEN_UP]
    assert told[36:] == [[]] * 4


def test_what_is_new_has_tries_of_its_own(tmp_path: Path, wire: Wire):
    wire.trouble = "HTTP 500"
    for _ in range(35):
        turn(tmp_path, wire, DRIFT)
    both = replace(NOTHING, findings=(*DRIFT.findings, *DEAD.findings))
    assert turn(tmp_path, wire, both) == [GIVEN_UP, TRIED_AGAIN]
    wire.trouble = ""
    assert turn(tmp_path, wire, both) == []
    assert [notice["kind"] for notice in wire.sent[-1][1]["notices"]] == ["dead"]


def test_a_run_that_is_cut_while_it_sends_has_counted_its_try(tmp_path: Path, wire: Wire):
    def cut(channel: Channel, value: Any) -> str:
        raise KeyboardInterrupt

    for _ in range(36):
        with pytest.raises(KeyboardInterrupt):
            tell(
                Notify((PHONE,)),
                DRIFT,
                "bot-kjp",
                tmp_path / "n.json",
                replace(wire.desk, send=cut),
            )
    assert tell(Notify((PHONE,)), DRIFT, "bot-kjp", tmp_path / "n.json", wire.desk) == []
    assert wire.sent == []


def test_a_channel_that_hangs_for_ever_holds_up_nobody(tmp_path: Path, wire: Wire, monkeypatch):
    monkeypatch.setattr("kjpstate.notify.telling._LONGEST", 0.3)
    beats: list[Any] = []
    ends = threading.Event()

    def send(channel: Channel, value: Any) -> str:
        return wire._send(channel, value) if channel == PHONE or not ends.wait(60) else ""

    settings = Notify((Channel("hung", webhook="http://x/"), PHONE), heartbeat="http://beat/")
    desk = replace(wire.desk, send=send, beat=lambda url: beats.append(url) or "")
    told = [tell(settings, DRIFT, "bot-kjp", tmp_path / "n.json", desk) for _ in range(2)]
    ends.set()
    why = say("notify.no-answer", seconds=0.3)
    assert told == [[trouble("notify.tried-again", channel="hung", why=why)]] * 2
    assert [name for name, _ in wire.sent] == ["phone"], "told once, though the other never ends"
    assert len(beats) == 2


def test_one_channel_does_not_hold_the_other(tmp_path: Path, wire: Wire):
    settings = Notify((Channel("bad", command=("x",)), PHONE))
    desk = replace(
        wire.desk,
        send=lambda channel, value: "no" if channel.name == "bad" else wire._send(channel, value),
    )
    tell(settings, DRIFT, "bot-kjp", tmp_path / "n.json", desk)
    assert [name for name, _ in wire.sent] == ["phone"]


def test_quiet_hours_are_this_machines(tmp_path: Path, wire: Wire):
    settings = Notify((PHONE,), quiet=(22 * 60, 7 * 60))
    wire.minute = 23 * 60
    turn(tmp_path, wire, DRIFT, settings)
    assert wire.sent == []
    wire.minute = 7 * 60
    turn(tmp_path, wire, DRIFT, settings)
    assert [notice["kind"] for notice in wire.sent[0][1]["notices"]] == ["drift"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"version": 9}',
        '{"version": 1, "memory": {}}',
        "\x00\x01",
        "[" * 100_000,
        REMEMBERED % ("1e999", "drift", "1"),
        REMEMBERED % ('"yesterday"', "drift", "1"),
        REMEMBERED % ("1", "sad", "1"),
        REMEMBERED % ("1", "drift", "null"),
        REMEMBERED % ("1", "drift", "1e999"),
    ],
)
def test_a_damaged_file_is_set_aside_and_told_once(tmp_path: Path, wire: Wire, text: str):
    file = tmp_path / "notify" / "bot.json"
    file.parent.mkdir()
    file.write_text(text)
    assert turn(tmp_path, wire, DRIFT) == [trouble("notify.damaged", aside=f"{file}.damaged")]
    assert (tmp_path / "notify" / "bot.json.damaged").read_text() == text
    assert len(wire.sent) == 1
    assert turn(tmp_path, wire, DRIFT) == []


def test_what_cant_be_remembered_is_not_sent_but_a_dead_bot_is(tmp_path: Path, wire: Wire):
    """Again at every run: it may have died of the very disk that is full. No heartbeat says all is
    well."""
    (tmp_path / "notify").write_text("a file where the folder should be")
    beats: list[Any] = []
    settings = Notify((PHONE,), heartbeat="http://beat/")
    desk = replace(wire.desk, beat=lambda url: beats.append(url) or "")
    both = replace(NOTHING, findings=(*DRIFT.findings, *DEAD.findings))
    for seen, told in ((DRIFT, []), (both, [["dead"]]), (both, [["dead"]] * 2)):
        [found] = tell(settings, seen, "bot-kjp", tmp_path / "notify" / "bot.json", desk)
        assert found.values["what"].code == "notify.only-dead"
        assert [[notice["kind"] for notice in value["notices"]] for _, value in wire.sent] == told
    assert beats == []


def test_a_dead_bot_that_was_told_before_the_disk_was_full_is_not_told_again(
    tmp_path: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch
):
    turn(tmp_path, wire, DEAD)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "state")

    monkeypatch.setattr("kjpstate.notify.store.write", full)
    assert turn(tmp_path, wire, DEAD) == []
    both = replace(NOTHING, findings=(*DRIFT.findings, *DEAD.findings))
    full_disk = {"file": "state", "why": "No space left on device"}
    assert turn(tmp_path, wire, both) == [trouble("notify.only-dead", **full_disk)]
    monkeypatch.undo()
    assert turn(tmp_path, wire, both) == []
    assert [[notice["kind"] for notice in value["notices"]] for _, value in wire.sent] == [
        ["dead"],
        ["drift"],
    ]


def test_two_documents_of_one_name_are_two_files(tmp_path: Path):
    assert file_of(tmp_path, "bot", "/a/k.yaml") != file_of(tmp_path, "bot", "/b/k.yaml")
    assert file_of(tmp_path, "b/o:t", "/a").name.startswith("b-o-t-")


# ---- the channels themselves


def test_a_webhook_gets_json_and_its_headers():
    with hooked() as hook:
        channel = Channel(
            "hook",
            webhook=Secret(f"{hook.url}/x"),
            headers={"Authorization": Secret("Bearer t0ken")},
        )
        assert channels.send(channel, {"text": "drift é"}) == ""
        assert hook.bodies == [{"text": "drift é"}]
        assert hook.headers[0]["Authorization"] == "Bearer t0ken"
        hook.status = 500
        assert channels.send(channel, {}) == say("notify.http", status=500)


def test_a_redirect_is_told_and_not_followed():
    with hooked() as hook, hooked() as other:
        hook.status, hook.location = 307, f"{other.url}/stolen"
        channel = Channel("hook", webhook=hook.url, headers={"Authorization": "secret"})
        assert channels.send(channel, {}) == say("notify.http", status=307)
        assert other.headers == []


def test_a_webhook_that_is_not_there_is_a_sentence():
    with hooked() as hook:
        url = hook.url
    assert channels.send(Channel("hook", webhook=url), {}) == "Connection refused"
    assert channels.send(Channel("hook", webhook="http://"), {}) != ""
    assert channels.beat(f"{url}/beat") == "Connection refused"


@pytest.mark.parametrize("header", ["é✓", "a\nb"])
def test_a_header_that_can_not_be_sent_is_a_sentence_without_it(header: str):
    with hooked() as hook:
        found = channels.send(Channel("hook", webhook=hook.url, headers={"X": header}), {})
        assert isinstance(found, Said) and found.code == "notify.not-askable"
        assert header not in str(found)
        assert hook.bodies == []


def test_a_server_that_speaks_no_tls_or_takes_too_long_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
):
    with hooked() as hook:
        found = channels.send(Channel("hook", webhook=hook.url.replace("http:", "https:")), {})
        assert "SSL" in str(found) and "127.0.0.1" not in str(found)
    monkeypatch.setattr(channels, "_PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/secret"
        assert channels.send(Channel("hook", webhook=url), {}) == say(
            "notify.no-answer", seconds=0.3
        )


def test_a_command_that_reads_nothing_and_one_that_is_gone_at_once():
    big = {"text": "x" * 1_000_000}
    assert channels.send(Channel("c", command=("true",)), big) == ""
    assert channels.send(Channel("c", command=("false",)), big) == say("notify.ended", status=1)


def test_a_heartbeat_is_fetched():
    with hooked() as hook:
        assert channels.beat(Secret(f"{hook.url}/beat")) == ""
        assert hook.gets == ["/beat"]


KEEP = (
    "import sys, os, pathlib; pathlib.Path(sys.argv[1]).write_text(os.environ['TOKEN'] + "
    "sys.stdin.read())"
)


def test_a_command_gets_json_on_its_standard_input(tmp_path: Path):
    kept = tmp_path / "kept"
    command = (sys.executable, "-c", KEEP, str(kept))
    channel = Channel("c", command=command, environ={"TOKEN": Secret("t0ken")})
    assert channels.send(channel, {"text": "x"}) == ""
    assert kept.read_text() == 't0ken{"text": "x"}'


NO_PHONE = say("notify.ended-saying", status=1, said="no phone")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ((sys.executable, "-c", "import sys; sys.exit('no phone')"), NO_PHONE),
        (("/nowhere/phone",), "/nowhere/phone: no such command"),
    ],
)
def test_a_command_that_fails_is_a_sentence(command: tuple[str, ...], says: Text):
    assert channels.send(Channel("c", command=command), {}) == says


def test_a_command_that_does_not_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(channels, "_PATIENCE", 0.2)
    channel = Channel("c", command=(sys.executable, "-c", "import time; time.sleep(60)"))
    ended = say("notify.no-end", program=sys.executable, seconds=0.2)
    assert channels.send(channel, {}) == ended


@pytest.mark.skipif(os.name != "posix", reason="a shell")
def test_a_command_that_prints_much_is_read_to_its_last_line_and_fills_no_disk(monkeypatch):
    import resource

    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    much = "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo at last >&2; exit 4"
    ended = say("notify.ended-saying", status=4, said="at last")
    assert channels.send(Channel("c", command=("sh", "-c", much)), {}) == ended
    monkeypatch.setattr(channels, "_PATIENCE", 1.0)
    endless = Channel("c", command=("sh", "-c", "exec yes >&2"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert channels.send(endless, {}) == say("notify.no-end", program="sh", seconds=1.0)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


@pytest.mark.skipif(os.name != "posix", reason="a shell's background")
def test_what_a_command_leaves_behind_holds_nobody_up_and_what_it_started_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    started = time.monotonic()
    assert channels.send(Channel("c", command=("sh", "-c", "sleep 7 & cat >/dev/null")), {}) == ""
    assert time.monotonic() - started < 6
    monkeypatch.setattr(channels, "_PATIENCE", 0.5)
    pid = tmp_path / "pid"
    slow = Channel("c", command=("sh", "-c", f"sleep 61 & echo $! >{pid}; wait"))
    assert channels.send(slow, {}) == say("notify.no-end", program="sh", seconds=0.5)
    assert wait_until(lambda: gone(int(pid.read_text())), 10)


def gone(pid: int) -> bool:
    """Whether no such process runs; one that nobody has buried yet runs no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
