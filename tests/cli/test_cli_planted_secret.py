"""A planted secret over every output: each verb that prints, each file that is kept, in each
spelling."""

from __future__ import annotations

import base64
import json
import shlex
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from kjpstate import monitor, reconcile
from kjpstate.hosts.simulated import SimulatedHost, seed_demo
from kjpstate.model import Completed, Run
from kjpstate.secret import HIDDEN
from tests.support.commands import Desk, Shown
from tests.support.demo_world import SMALL, simulated_hosts
from tests.support.sshd import Sshd, fingerprint_of, start_sshd
from tests.support.watched import Clock
from tests.support.webhook import Hook, hooked

QUOTED = "env-\"dq\"-'sq'-50%-$HOME-`x`-\\n-é-Ω"
LINES = "file-first-line 'a'\nfile-second \"b\" línea"
BASE64 = "cGxhbnRlZC1iYXNlNjQtc2VjcmV0/+Zw=="
PROCESS = "env of the process, that the document names"
PLANTED = {
    "env of an app": QUOTED,
    "a file": LINES,
    "like base64": BASE64,
    "a webhook": "hook/path+planted-1",
    "a header": "Bearer planted-header-2",
    "env of a channel": "planted channel 'env' 3",
    PROCESS: 'planted-process-4 "old"',
}
FOREIGN = {
    "the old ecosystem file, under a name of the document": "planted-old-file-5",
    "the old ecosystem file, under another name": "planted-foreign-file-6",
    "env of the process, under another name": "planted-foreign-env-7",
}
"""What is kept as bytes only, or not read at all: shown by nothing of ours, and known to no mask.
"""
MAY_HOLD = ("ecosystem.config.js", "dump.pm2", "box.json", "vault/")
"""What must hold the values: the ecosystem file and its backups, PM2's list, the model's own
memory, ours."""
DOCUMENT = SMALL.replace(
    "      cwd: /root/bot-kjp\n",
    "      cwd: /root/bot-kjp\n"
    '      env: {API_KEY: "${env:API_KEY}", TOKEN: "${file:vault/token}", B64: "x ${env:B64}"}\n',
)
NOTIFY = """
notify:
  heartbeat: "{url}/${{env:HOOK}}"
  channels:
    - {{name: hook, webhook: "{url}/${{env:HOOK}}", headers: {{Authorization: "${{env:HEADER}}"}}}}
    - {{name: dead, webhook: "http://127.0.0.1:9/${{env:HOOK}}"}}
    - {{name: own, command: {command}, env: {{CHANNEL: "${{env:CHANNEL}}"}}}}
"""
ECHO = "import os, sys; sys.stderr.write('x' * 190 + os.environ['CHANNEL'] + chr(10)); sys.exit(3)"


def spellings(secret: str) -> set[str]:
    """Everything that would tell it: the whole and each of its lines, as programs write them."""
    found: set[str] = set()
    for text in (secret, *secret.splitlines()):
        found |= {
            text,
            repr(text)[1:-1],
            json.dumps(text)[1:-1],
            json.dumps(text, ensure_ascii=False)[1:-1],
        }
        found |= {shlex.quote(text), quote(text, safe=""), quote(text), quote_plus(text)}
        found |= {
            code(text.encode()).decode() for code in (base64.b64encode, base64.urlsafe_b64encode)
        }
    return found


def halves(secret: str) -> set[str]:
    """What a shortened text may tell of it."""
    return {half for text in (secret, *secret.splitlines()) for half in (text[:8], text[-8:])}


ALL = sorted(
    {
        text
        for secret in (*PLANTED.values(), *FOREIGN.values())
        for text in spellings(secret) | halves(secret)
    }
)
ECHOED = "\n".join(
    text
    for place, secret in PLANTED.items()
    if place != PROCESS  # known as long as it is there
    for text in (*sorted(spellings(secret)), "x" * 190 + secret)
)
"""What a program says that shows its environment when it fails; the last line is one that is cut.
"""


def told(content: bytes) -> list[str]:
    """The spellings that stand in it."""
    return [text for text in ALL if text.encode() in content]


class Searched:
    """Runs command lines and searches what they printed."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.outputs = desk, 0

    def __call__(self, *argv: str, codes: tuple[int, ...] = (0,)) -> Shown:
        shown = self.desk.kjpstate(*argv)
        for text in (shown.out, shown.err):
            assert not told(text.encode()), (argv, told(text.encode()), text)
        assert shown.code in codes, (argv, shown.code, shown.out, shown.err)
        self.outputs += 2
        return shown

    def files(self, *folders: Path) -> None:
        """Search every file below `folders`; those that must hold a secret are left out."""
        kept = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
        quiet = [path for path in kept if not any(word in path.as_posix() for word in MAY_HOLD)]
        assert {path: found for path in quiet if (found := told(path.read_bytes()))} == {}
        self.outputs += len(quiet)


@pytest.fixture(name="hook")
def hook_fixture() -> Iterator[Hook]:
    with hooked() as hook:
        yield hook


@pytest.fixture(name="search")
def search_fixture(desk: Desk, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> Searched:
    """The demo's machines with a secret planted in each place that takes one, and in each that had
    one."""
    seed_demo(desk.folder)
    (desk.folder / "vault").mkdir()
    (desk.folder / "vault/token").write_text(f"{LINES}\n", "utf-8")
    values = (
        QUOTED,
        BASE64,
        PLANTED["a webhook"],
        PLANTED["a header"],
        PLANTED["env of a channel"],
    )
    for name, value in zip(("API_KEY", "B64", "HOOK", "HEADER", "CHANNEL"), values, strict=True):
        monkeypatch.setenv(name, value)
    desk.write(
        DOCUMENT + NOTIFY.format(url=hook.url, command=json.dumps([sys.executable, "-c", ECHO]))
    )
    old, *foreign = FOREIGN.values()
    config = {
        "name": "bot-kjp",
        "script": "dist/index.js",
        "env": {"API_KEY": old, "OTHER": foreign[0]},
    }
    (desk.folder / "stb/root/bot-kjp/ecosystem.config.js").write_text(
        f"module.exports = {json.dumps({'apps': [config]})};\n"
    )
    file = desk.folder / ".boxes/stb/box.json"
    box = json.loads(file.read_text("utf-8"))
    box["pm2"]["apps"][0]["env"] |= {
        "API_KEY": PLANTED[PROCESS],
        "OTHER": foreign[1],
    }
    file.write_text(json.dumps(box), "utf-8")
    monkeypatch.setattr(
        reconcile, "open_hosts", lambda document, **_: simulated_hosts(document, desk.folder)
    )
    monkeypatch.setattr("kjpstate.notify.telling._PAUSE", 0.0)
    monkeypatch.setattr("kjpstate.cli.apply._PATIENCE", 0.0)
    clock = Clock()
    monkeypatch.setattr(monitor, "now", clock.now)
    monkeypatch.setattr(monitor, "pause", clock.pause)
    return Searched(desk)


LOOKS = (
    ("validate",),
    ("validate", "--json"),
    ("plan",),
    ("plan", "-v"),
    ("plan", "--diff"),
    ("plan", "--json"),
    ("plan", "--diff", "--json"),
    ("drift",),
    ("drift", "--json"),
    ("status",),
    ("status", "--json"),
    ("verify",),
    ("verify", "--json"),
    ("verify", "--junit", "checks.xml"),
    ("pm2",),
    ("pm2", "--json"),
    ("explain", "pm2"),
    ("backups",),
    ("backups", "--json"),
    ("history",),
    ("history", "--json"),
    ("monitor", "--for", "1m", "--plot", "soak.html"),
    ("monitor", "--for", "1m", "--json"),
)
ANY = (0, 2, 3, 6, 8)


def kept(desk: Desk, home: Path) -> tuple[Path, ...]:
    """Both sides: the machines with what kjpstate keeps there, the desk, the controller's own
    folder."""
    return desk.folder, home


@pytest.mark.slice
def test_a_planted_secret_is_in_no_output_and_no_kept_file(
    search: Searched, hook: Hook, own_home, counted
):
    for argv in LOOKS:
        search(*argv, codes=ANY)
    search("plan", "--out", "bot.plan", "--diff")
    for argv in (("show", "bot.plan", "--diff"), ("show", "bot.plan", "--json")):
        search(*argv)
    search("apply", "bot.plan")
    ecosystem = (search.desk.folder / "stb/root/bot-kjp/ecosystem.config.js").read_text("utf-8")
    assert PLANTED["like base64"] in ecosystem, "the secret must come where it belongs"
    for argv in LOOKS:
        search(*argv, codes=ANY)
    run = search("history", "--json").json["runs"][0]["id"]
    for argv in (("show", run), ("show", run, "--json")):
        search(*argv, codes=ANY)
    for _ in range(2):
        search(
            "rollback", "--diff", codes=(*ANY, 64)
        )  # nobody to ask: the plan is shown, nothing is done
        search("rollback", "--yes", "--diff", "--json")
    search("apply", "--yes", "--json")
    assert hook.bodies and not told(json.dumps(hook.bodies).encode())
    assert any(PLANTED["a header"] in head.values() for head in hook.headers)
    search.files(*kept(search.desk, own_home))
    counted("planted secrets searched in outputs", search.outputs * len(ALL))


FAILING = ("systemctl", "tsc", "run build", "pm2")


def test_what_a_failing_command_echoes_is_masked_and_a_cut_line_too(
    search: Searched, own_home, monkeypatch, counted
):
    """Each program of the machines fails in its turn, and says all it knows."""
    ordinary = SimulatedHost._command
    failing: list[str] = []
    shown_masked: set[str] = set()

    def echo(host: SimulatedHost, command: Run) -> Completed:
        if any(word in " ".join(command.argv) for word in failing):
            return Completed(1, ECHOED.encode(), ECHOED.splitlines()[-1].encode())
        return ordinary(host, command)

    monkeypatch.setattr(SimulatedHost, "_command", echo)
    log = search.desk.folder / "stb/root/bot-kjp/logs/out.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    for secret in (QUOTED, LINES, BASE64, PLANTED["a webhook"]):
        row = f"ENOTFOUND {'x' * 136} {secret.splitlines()[0]}"
        log.write_text(f"{row}\n", "utf-8")
        shown = search("verify", codes=(6,))
        assert "ENOTFOUND" in shown.out
    log.write_text("", "utf-8")  # what the bot itself wrote is its own
    for word in FAILING:
        (search.desk.folder / "stb/etc/systemd/resolved.conf").write_text(
            "[Resolve]\nDNS=9.9.9.9\n"
        )
        (search.desk.folder / "pc/src/pesan.ts").write_text(f"export const word = '{word}';\n")
        failing[:] = [word]
        for argv in (("apply", "--yes"), ("apply", "--yes", "--json")):
            shown = search(*argv, codes=(6, 7))
            if argv[0] == "apply" and f"x{HIDDEN}" in shown.out + shown.err:
                shown_masked |= {word}
        failing.clear()
        search("history", "--json")
    assert shown_masked == {*FAILING}
    search.files(*kept(search.desk, own_home))
    counted("planted secrets searched in outputs", search.outputs * len(ALL))


@pytest.fixture(name="server")
def server_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A private server on loopback."""
    server = start_sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@contextmanager
def process_list() -> Iterator[set[bytes]]:
    """Every command line that any process of this machine has while the block runs."""
    seen: set[bytes] = set()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(file.read_bytes())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        over.set()
        looking.join()


@pytest.mark.real
def test_no_command_line_has_a_secret_while_an_apply_over_ssh_writes_it(
    desk: Desk, server: Sshd, own_home, monkeypatch, counted
):
    spec, bot = server.spec(), (desk.folder / "bot").as_posix()
    (desk.folder / "bot").mkdir()
    (desk.folder / "token").write_text(LINES, "utf-8")
    reached = (
        f"address: 127.0.0.1, port: {spec.port}, user: {spec.user}, identity: {server.client_key}"
    )
    desk.write(
        f"kjpstate: 1\nname: bot\nhosts: {{box: {{ssh: {{{reached}}}}}}}\n"
        f"pm2:\n  host: box\n  ecosystem: {bot}/ecosystem.config.js\n  apps:\n"
        f"    - {{name: bot, script: a.js, cwd: {bot}, "
        'env: {API_KEY: "${env:API_KEY}", TOKEN: "${file:token}", B64: "${env:B64}"}}\n'
    )
    search, sampled = Searched(desk), 0
    monkeypatch.setenv("API_KEY", QUOTED)
    monkeypatch.setenv("B64", BASE64)
    search("trust", "box", "--fingerprint", fingerprint_of(server, desk.folder))
    for turn in range(3):
        monkeypatch.setenv("API_KEY", f"{QUOTED}{turn}")
        with process_list() as seen:
            search("apply", "--yes", "--only", "pm2_ecosystem", codes=(0, 6))
        assert {line for line in seen if told(line)} == set()
        assert any(b"sshd" in line for line in seen)
        sampled += len(seen)
    assert BASE64 in (desk.folder / "bot/ecosystem.config.js").read_text("utf-8")
    (desk.folder / "token").unlink()
    search.files(desk.folder, own_home)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in kept_by_us(desk.folder, own_home)}
    wide = {str(path): oct(mode) for path, mode in modes.items() if mode & 0o077}
    assert modes and wide == {}
    counted("planted secrets searched in outputs", (search.outputs + sampled) * len(ALL))
    counted("state files and folders that only their owner reads", len(modes))


def kept_by_us(folder: Path, home: Path) -> list[Path]:
    """The state folders of both sides and all that is in them."""
    tops = [folder / "host-state", home / ".local/state/kjpstate"]
    assert all(top.is_dir() for top in tops)
    return [path for top in tops for path in (top, *top.rglob("*")) if not path.is_symlink()]
