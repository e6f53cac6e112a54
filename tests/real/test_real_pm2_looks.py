"""What only looks leaves a host as it is: no PM2 daemon, no PM2_HOME. And how what starts at boot
is seen.

A real sshd whose logins have a home of their own, with a real PM2 on their PATH that nobody ever
started.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kjpstate.formats.pm2 import probe
from kjpstate.hosts.programs import script
from tests.support.commands import Desk, desk
from tests.support.pm2_box import install
from tests.support.sshd import Sshd, start_sshd

pytestmark = pytest.mark.real

DOCUMENT = """
kjpstate: 1
name: bot
hosts: {{box: {{ssh: {{address: 127.0.0.1, port: {port}, user: {user}, identity: {key}}}}}}}
pm2:
  host: box
  ecosystem: {bot}/ecosystem.config.js
  save: true
  apps: [{{name: looked-at, script: index.js, cwd: {bot}}}]
checks:
  - {{name: alive, app: {{host: box, name: looked-at, alive: true, restarts: steady, settings: effective}}}}
  - {{name: quiet, log: {{host: box, app: looked-at, absent: [ENOTFOUND]}}}}
  - {{name: idle, cpu: {{host: box, app: looked-at, below: 30%, over: 1s}}}}
"""


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PM2."""
    return install(tmp_path_factory.mktemp("pm2"))


@pytest.fixture
def login(tmp_path: Path) -> Path:
    """The home of who logs in."""
    home = tmp_path / "login"
    home.mkdir()
    return home


@pytest.fixture
def server(tmp_path: Path, login: Path, tools: Path) -> Iterator[Sshd]:
    """A server whose logins have that home and PM2 on their PATH."""
    path = f"{tools}/node_modules/.bin:/usr/local/bin:/usr/bin:/bin"
    found = start_sshd(
        tmp_path / "sshd", f"SetEnv HOME={login} PATH={path} PM2_DISABLE_VERSION_CHECK=1"
    )
    yield found
    found.stop()


@pytest.fixture
def box(
    tmp_path: Path,
    server: Sshd,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    """A document for the bot behind that server, which is known."""
    (tmp_path / "desk").mkdir()
    made = desk(tmp_path / "desk", capsys, monkeypatch)
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot/index.js").write_text("setInterval(() => {}, 1000)")
    words = {"port": server.port, "user": server.spec().user, "key": server.client_key}
    made.write(DOCUMENT.format(bot=tmp_path / "bot", **words))
    state = tmp_path / "controller"
    state.mkdir()
    (state / "known_hosts").write_text(server.known() + "\n")
    monkeypatch.setenv("KJPSTATE_STATE", str(state))
    return made


def daemons() -> dict[int, str]:
    """Every PM2 daemon of this machine."""
    found = {}
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            title = file.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if title.startswith("PM2 v"):
            found[int(file.parent.name)] = title
    return found


def test_no_verb_that_looks_starts_a_daemon_or_makes_its_home(box: Desk, login: Path) -> None:
    for verb, code, says in (
        ("plan", 0, "+ pm2_process.looked-at"),
        ("drift", 2, "! DEAD looked-at  box  no PM2 daemon"),
        ("status", 2, "no PM2 daemon"),
        ("pm2", 2, "NOT ALIVE: no PM2 daemon"),
        ("verify", 6, "no PM2 daemon"),
    ):
        shown = box.kjpstate(verb)
        assert shown.code == code and says in shown.out, (verb, shown)
    assert not [title for title in daemons().values() if str(login) in title]
    assert list(login.rglob("*")) == []
    assert sorted(path.name for path in (login.parent / "bot").iterdir()) == ["index.js"]


# ---- after a reboot

UNIT = """[Unit]
Description=PM2 process manager

[Service]
Type=forking
User=root
Environment=PATH=/usr/bin:/bin
Environment=PM2_HOME={home}
ExecStart={pm2} resurrect
"""


@pytest.mark.machine
@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("there", [True, False])
def test_what_would_start_pm2_at_boot(
    tmp_path: Path, tools: Path, enabled: bool, there: bool
) -> None:
    """As the files of a real systemd lie, in a namespace of their own: this machine's are left
    alone."""
    units, home = tmp_path / "system", tmp_path / "home"
    (units / "multi-user.target.wants").mkdir(parents=True)
    home.mkdir()
    pm2 = (tools / "node_modules/pm2/bin/pm2").resolve() if there else tmp_path / "gone/pm2"
    (units / "pm2-root.service").write_text(UNIT.format(home=home / ".pm2", pm2=pm2))
    if enabled:
        (units / "multi-user.target.wants/pm2-root.service").symlink_to(
            "/etc/systemd/system/pm2-root.service"
        )
    inside = 'mount --bind "$1" /etc/systemd/system && shift && exec "$@"'
    environ = {"HOME": str(home), "PATH": f"{tools}/node_modules/.bin:/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(
        [
            "unshare",
            "--mount",
            "sh",
            "-c",
            inside,
            "sh",
            str(units),
            "sh",
            "-c",
            script("probe_pm2"),
            "probe",
            "bot",
            "/bot/index.js",
        ],
        env=environ,
        capture_output=True,
        check=True,
        timeout=60,
    )
    seen = probe.parse(done.stdout)
    assert isinstance(seen, probe.Seen)
    (unit,) = [unit for unit in seen.startup if not unit.unit.startswith("/etc/init.d")]
    found = (unit.unit, unit.enabled, unit.user, unit.home, unit.exec, unit.exec_exists)
    assert found == ("pm2-root.service", enabled, "root", str(home / ".pm2"), str(pm2), there)
    assert list(home.iterdir()) == []
