"""Locks, and names that strangers can write: safety.md 1.1, 1.2, 1.4, 1.5. The stranger is the user
4242."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.sshd import start_sshd
from tests.support.trial import HERE, Done, Trial, checkout

pytestmark = pytest.mark.root

STRANGER = ("setpriv", "--reuid", "4242", "--regid", "4242", "--clear-groups", "--")
OLD = Path("/run/lock/kjpstate")
BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
HOSTS = {
    "local": '{local: "."}',
    "ssh": "{{ssh: {{address: 127.0.0.1, port: {port}, user: root, identity: {key}}}}}",
}
DOCUMENT = """
kjpstate: 1
name: t
hosts: {{box: {host}}}
patches:
  - host: box
    file: {folder}/a.ts
    set: s
    edits: [{{id: one, insert_before: "function f(", scope: module, content: "let n = 0;"}}]
"""
BUILD = """
build:
  {{host: box, directory: {folder}, inputs: [in/], outputs: [out/], run: [sh, -c, "cp in/x out; sleep 1"]}}
"""


def lay(trial: Trial, host: str, more: str = "") -> Trial:
    """A document that patches one file."""
    trial.write("kjpstate.yaml", (DOCUMENT + more).format(host=host, folder=trial.folder))
    trial.write("a.ts", "function f() {\n}\n")
    trial.write("in/x", "x")
    (trial.folder / "out").mkdir()
    return trial


@pytest.fixture
def local(trial: Trial) -> Trial:
    return lay(trial, HOSTS["local"])


@pytest.fixture
def served(trial: Trial, tmp_path: Path) -> Iterator[Trial]:
    """The same over SSH, to a server of the same namespace."""
    server = start_sshd(tmp_path / "sshd", inside=trial.inside)
    trial.env["KJPSTATE_STATE"] = str(tmp_path / "controller")
    (tmp_path / "controller").mkdir()
    (tmp_path / "controller" / "known_hosts").write_text(server.known() + "\n")
    yield lay(trial, HOSTS["ssh"].format(port=server.port, key=server.client_key), BUILD)
    server.stop()


@pytest.fixture(params=["local", pytest.param("ssh", marks=pytest.mark.real)])
def body(request: pytest.FixtureRequest) -> Trial:
    """Both bodies."""
    found: Trial = request.getfixturevalue("local" if request.param == "local" else "served")
    return found


def by_stranger(trial: Trial, script: str) -> None:
    done = trial.run((*trial.inside, *STRANGER, "sh", "-ec", script))
    assert done.code == 0, done.said


def inside(trial: Trial, path: str) -> Path:
    """A path of the trial's namespace, from here."""
    return Path(f"/proc/{trial.inside[1].partition('=')[2]}/root{path}")


def planted(trial: Trial, text: str, name: str = "kjpstate") -> None:
    """A file of the stranger's where locks were."""
    by_stranger(trial, f"printf %b {shlex.quote(text)} >/run/lock/{name}")


def owner(run: str = "dead00", pid: str = "4194303", start: str = "1", boot: str = BOOT) -> str:
    return f"run {run}\\nwho a\\nwhen b\\nwhy c\\npid {pid}\\nstart {start}\\nboot {boot}\\n"


def patched(trial: Trial, done: Done) -> None:
    assert done.code == 0, done
    assert "Traceback" not in done.said and "mistake of ours" not in done.said
    assert "let n = 0;" in (trial.folder / "a.ts").read_text()


def test_words_of_a_lock_lead_to_no_file(body: Trial, tmp_path: Path) -> None:
    vault = tmp_path / "V"
    vault.mkdir(mode=0o700)
    for name in ("bot-data.json", "bot-data.json.old"):
        (vault / name).write_text("root's")
    by_stranger(body, "mkdir /run/lock/kjpstate.break.x")
    planted(body, owner(f"x/../../..{vault}/bot", "data.json", boot="z"))
    done = body.kjpstate("apply", "--yes")
    assert sorted(path.name for path in vault.iterdir()) == ["bot-data.json", "bot-data.json.old"]
    patched(body, done)


@pytest.mark.real
def test_a_link_at_a_name_that_can_be_foreseen_is_not_written_through(
    served: Trial, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("root's")
    served.sh(
        "chmod 0777 /run/lock"
    )  # where fs.protected_symlinks is 0, a sticky folder is as open
    for number in range(os.getpid(), os.getpid() + 20_000):
        link = inside(served, f"/run/lock/.kjpstate.{number % 4194304}.link")
        link.symlink_to(victim)
        os.lchown(link, 4242, 4242)
    done = served.kjpstate("apply", "--yes", timeout=120)
    assert victim.read_text() == "root's"
    patched(served, done)


WATCHES = """
import os, sys
while True:
    for folder in ("/run/lock", "/run/kjpstate"):
        try:
            words = dict(line.split(" ", 1) for line in open(folder + "/kjpstate").read().splitlines())
            os.symlink(sys.argv[1], f"{folder}/kjpstate.step.{words['run']}-{words['pid']}.new")
        except (OSError, KeyError, ValueError):
            pass
"""


@pytest.mark.real
def test_the_note_of_a_command_goes_through_no_link(served: Trial, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("root's")
    served.sh("chmod 0777 /run/lock")
    words = (*served.inside, *STRANGER, sys.executable, "-c", WATCHES, str(victim))
    with subprocess.Popen(words) as watching:
        try:
            done = served.kjpstate("apply", "--yes")
        finally:
            watching.kill()
    assert victim.read_text() == "root's"
    patched(served, done)


NEVER_ENDING = {
    "a pipe": "mkfifo -m 666 /run/lock/kjpstate",
    "a link to nothing": "ln -s /nowhere/x /run/lock/kjpstate",
    "a file of 60 GB": "truncate -s 60G /run/lock/kjpstate",
    "a folder": "mkdir /run/lock/kjpstate",
    "an empty file": ": >/run/lock/kjpstate",
}


@pytest.mark.parametrize("what", NEVER_ENDING)
def test_what_a_stranger_puts_where_locks_were_holds_nobody_up(body: Trial, what: str) -> None:
    by_stranger(body, NEVER_ENDING[what])
    done = body.kjpstate("apply", "--yes", timeout=30)
    patched(body, done)
    for verb in (("plan",), ("drift",), ("status",), ("unlock", "box")):
        done = body.kjpstate(*verb, timeout=30)
        assert done.code is not None and "mistake of ours" not in done.said, (verb, done)
    assert "box is not locked" in done.said
    assert os.path.lexists(inside(body, "/run/lock/kjpstate"))


WORDS = {
    "a NUL in its run": owner("a\\0000b"),
    "a digit that is none": owner(pid="\\0302\\0262"),
    "5,000 digits": owner(pid="9" * 5000),
    "a folder in its run": owner("a/b"),
}


@pytest.mark.parametrize("words", WORDS)
def test_words_of_a_lock_crash_nothing(body: Trial, words: str) -> None:
    planted(body, WORDS[words])
    patched(body, body.kjpstate("apply", "--yes"))


def test_a_note_of_a_step_crashes_nothing(local: Trial) -> None:
    planted(local, owner())
    planted(local, f"pid abc\\nstart 1\\nboot {BOOT}\\n", "kjpstate.step.dead00-4194303")
    patched(local, local.kjpstate("apply", "--yes"))


def test_a_stranger_locks_nobody_out_from_a_folder_that_is_everybodys(body: Trial) -> None:
    mine = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()[19]
    planted(body, owner(pid=str(os.getpid()), start=mine))
    patched(body, body.kjpstate("apply", "--yes"))


@pytest.mark.real
def test_six_thousand_names_beside_the_lock_hold_nobody_up(served: Trial) -> None:
    by_stranger(
        served,
        "n=1; while [ $n -le 6000 ]; do echo kjpstate.step.$n; n=$((n+1)); done |"
        " (cd /run/lock && xargs touch)",
    )
    done = served.kjpstate("apply", "--yes")
    patched(served, done)
    left = served.sh("ls /run/lock | wc -l").out
    assert left.strip() == "6000", "a stranger's files were removed"


# ---- what the new places promise


def test_a_living_lock_of_an_earlier_version_still_counts(body: Trial) -> None:
    mine = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()[19]
    text = owner(pid=str(os.getpid()), start=mine)
    assert body.sh(f"printf %b {shlex.quote(text)} >/run/lock/kjpstate").code == 0
    done = body.kjpstate("apply", "--yes")
    assert done.code == 4 and "locked by run dead00" in done.said, done
    unlocking = body.kjpstate("unlock", "box", "--run", "dead00", "--force")
    assert unlocking.code == 4 and "/run/lock/kjpstate" in unlocking.said, unlocking
    assert body.sh("test -f /run/lock/kjpstate; rm /run/lock/kjpstate").code == 0
    patched(body, body.kjpstate("apply", "--yes"))


@pytest.mark.parametrize("how", ["chown 4242 /run/kjpstate", "chmod 777 /run/kjpstate"])
def test_no_lock_is_kept_where_a_stranger_may_write(body: Trial, how: str) -> None:
    assert body.sh(how).code == 0
    for verb in (("apply", "--yes"), ("unlock", "box", "--force")):
        done = body.kjpstate(*verb)
        assert done.code == 1 and "no lock can be kept: /run/kjpstate" in done.said, done
    assert "let n" not in (body.folder / "a.ts").read_text()


def test_what_is_no_lock_is_removed_by_force(body: Trial) -> None:
    assert body.sh("ln -s /etc/passwd /run/kjpstate/kjpstate").code == 0
    done = body.kjpstate("apply", "--yes")
    assert done.code == 1 and "kjpstate unlock box --force" in " ".join(done.said.split()), done
    assert body.kjpstate("unlock", "box").code == 1
    assert body.kjpstate("unlock", "box", "--force").code == 0
    patched(body, body.kjpstate("apply", "--yes"))


CONTENDER = """
import asyncio, os, sys
from pathlib import Path
from kjpstate import errors
from kjpstate.host import Ssh
from kjpstate.hosts.local import LocalHost
from kjpstate.hosts.ssh import ShellHost
from kjpstate.model import RunInfo, Where
from tests.support.shell_link import ShellLink
body, shared, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])

async def connect(spec, folder):
    return ShellLink(body)

def host():
    if body == "local":
        return LocalHost("box")
    spec = Ssh("box", Where("d", 1, 1))
    return ShellHost(spec, may_change=(), state_folder=Path("/nowhere"), connect=connect)

async def go():
    held = locked = clashes = 0
    for number in range(rounds):
        box = host()
        try:
            run = RunInfo(f"{os.getpid() % 65536:04x}{number:02x}", "20260301T000000Z", "doc", "me")
            await box.begin(run, ())
        except errors.Locked:
            locked += 1
            await box.close()
            await asyncio.sleep(0.05)
            continue
        held += 1
        try:
            (shared / "held").mkdir()
            await asyncio.sleep(0.05)
            (shared / "held").rmdir()
        except OSError:
            clashes += 1
        await box.end()
        await box.close()
    print(held, locked, clashes)
asyncio.run(go())
"""
WHO = [
    (0, "local"),
    (0, "dash"),
    (4242, "local"),
    (4242, "busybox sh"),
    (4243, "bash --posix"),
    (4243, "local"),
]


def users(trial: Trial, folder: Path) -> None:
    """4242 and 4243 get homes, in this namespace alone."""
    rows = Path("/etc/passwd").read_text()
    for number in (4242, 4243):
        home = folder / f"home-{number}"
        home.mkdir()
        os.chown(home, number, number)
        rows += f"kj{number}:x:{number}:{number}::{home}:/bin/sh\n"
    (folder / "passwd").write_text(rows)
    (folder / "passwd").chmod(0o644)
    assert trial.sh(f"mount --bind {folder}/passwd /etc/passwd").code == 0


def lying_home(trial: Trial, folder: Path, number: int, body: str) -> dict[str, str]:
    """An environment whose HOME is another for each that runs: the lock's place goes by the
    system's."""
    home = folder / f"other-{number}-{body[:4]}"
    home.mkdir()
    os.chown(home, number, number)
    env = trial.environment({"HOME": str(home)})
    return {word: value for word, value in env.items() if word[:4] != "XDG_"}


def as_user(number: int) -> tuple[str, ...]:
    return ("setpriv", "--reuid", str(number), "--regid", str(number), "--clear-groups", "--")


def test_root_and_two_logins_never_hold_a_box_at_once(trial: Trial, tmp_path: Path) -> None:
    if checkout() != HERE:
        pytest.skip("it is about the places of this version")
    users(trial, tmp_path)
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    rounds = 8
    running = [
        subprocess.Popen(
            (
                *trial.inside,
                *as_user(number),
                sys.executable,
                "-c",
                CONTENDER,
                body,
                shared,
                str(rounds),
            ),
            cwd="/",
            env=lying_home(trial, tmp_path, number, body),
            stdout=subprocess.PIPE,
            text=True,
        )
        for number, body in WHO
    ]
    found = [tuple(map(int, process.communicate(timeout=300)[0].split())) for process in running]
    assert all(sum(row[:2]) == rounds and row[2] == 0 for row in found), list(
        zip(WHO, found, strict=True)
    )
    assert sum(row[0] for row in found) >= rounds, found
    left = [path for home in tmp_path.glob("home-*") for path in home.rglob("*")]
    assert [path.name for path in left].count("_lock") == 2
    assert not [path for path in left if path.parent.name == "_lock"], left
    assert not list(tmp_path.glob("other-*/.local/state/kjpstate/_lock"))


@pytest.mark.real
def test_with_become_a_command_of_the_login_keeps_roots_lock(trial: Trial, tmp_path: Path) -> None:
    if shutil.which("sudo") is None:
        pytest.skip("sudo is not installed")
    users(trial, tmp_path)
    (tmp_path / "shadow").write_text(
        Path("/etc/shadow").read_text() + "kj4242:*NP*:19000:0:99999:7:::\n"
    )
    (tmp_path / "sudoers").write_text("kj4242 ALL=(ALL) NOPASSWD: ALL\n")
    (tmp_path / "sudoers").chmod(0o440)
    trial.sh(f"for one in shadow sudoers; do mount --bind {tmp_path}/$one /etc/$one; done")
    server = start_sshd(tmp_path / "sshd", inside=trial.inside)
    (tmp_path / "sshd").chmod(0o755)
    (tmp_path / "sshd/authorized").chmod(0o644)
    trial.env["KJPSTATE_STATE"] = str(tmp_path / "controller")
    trial.write("../controller/known_hosts", server.known() + "\n")
    host = HOSTS["ssh"].format(port=server.port, key=server.client_key)
    build = BUILD.replace("sleep 1", "touch out/begun; while test ! -e end; do sleep 1; done")
    lay(trial, host.replace("user: root", "user: kj4242, become: sudo"), build)
    subprocess.run(["chown", "-R", "4242:4242", trial.folder], check=True)
    words = trial.program("apply", "--yes")
    try:
        with subprocess.Popen(
            words, cwd=trial.folder, env=trial.environment(), stdout=subprocess.DEVNULL
        ):
            wait_for((trial.folder / "out/begun").exists)
            text = inside(trial, "/run/kjpstate/kjpstate").read_text()
            assert "\nlogin 4242\n" in text and text.startswith("run "), text
            assert (
                len(list(tmp_path.glob("home-4242/.local/state/kjpstate/_lock/kjpstate.step.*")))
                == 1
            )
            assert len(list(inside(trial, "/run/kjpstate").iterdir())) == 1
            os.kill(int(text.split("\npid ")[1].split()[0]), signal.SIGKILL)
            shown = trial.kjpstate("unlock", "box", "--run", text.split()[1])
            assert shown.code == 4 and "a command that it started still runs" in shown.said, shown
            (trial.folder / "end").touch()
        assert trial.kjpstate("apply", "--yes").code == 0
        assert not list(inside(trial, "/run/kjpstate").iterdir())
        assert not list(tmp_path.glob("home-4242/.local/state/kjpstate/_lock/*"))
    finally:
        (trial.folder / "end").touch()
        server.stop()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)


@contextmanager
def holding(trial: Trial, folder: Path, number: int) -> Iterator[None]:
    """A run of this user that holds the machine, and does nothing."""
    code = CONTENDER.replace(
        "(shared /", "print('held', flush=True); await asyncio.sleep(600); (shared /", 1
    )
    words = (*trial.inside, *as_user(number), sys.executable, "-c", code, "local", folder, "1")
    env = lying_home(trial, folder, number, "held")
    with subprocess.Popen(words, cwd="/", env=env, stdout=subprocess.PIPE, text=True) as held:
        try:
            assert held.stdout is not None and held.stdout.readline() == "held\n"
            yield
        finally:
            held.kill()


def test_a_lock_of_a_login_is_told_with_its_owner(body: Trial, tmp_path: Path) -> None:
    users(body, tmp_path)
    with holding(body, tmp_path, 4242):
        done = body.kjpstate("apply", "--yes")
        assert done.code == 4 and "the lock is kj4242's" in done.said, done
        refused = body.kjpstate("unlock", "box", "--force")
        place = tmp_path / "home-4242/.local/state/kjpstate/_lock/kjpstate"
        assert refused.code == 4 and f"kj4242's,{place}" in "".join(refused.said.split()), refused
        assert place.is_file()
    patched(body, body.kjpstate("apply", "--yes"))


def test_a_lock_counts_though_processes_of_others_are_hidden(trial: Trial, tmp_path: Path) -> None:
    users(trial, tmp_path)
    assert trial.sh("mount -t proc -o hidepid=2 proc /proc").code == 0
    with holding(trial, tmp_path, 0):
        for body in ("local", "dash", "busybox sh"):
            env = lying_home(trial, tmp_path, 4242, body)
            argv = (
                *trial.inside,
                *as_user(4242),
                sys.executable,
                "-c",
                CONTENDER,
                body,
                tmp_path,
                "1",
            )
            done = subprocess.run(
                argv, cwd="/", env=env, check=True, capture_output=True, text=True
            )
            assert done.stdout.split() == ["0", "1", "0"], (body, done)


def test_a_lock_is_broken_though_nobody_reads(local: Trial) -> None:
    lock = "run abcdef\\nwho a\\nwhen b\\nwhy c\\npid 999999\\nstart 1\\nboot -\\n"
    python = shlex.join((sys.executable, "-m", "kjpstate"))
    done = local.sh(
        "mkdir -p /run/kjpstate /run/lock\n"
        f"for it in /run/kjpstate /run/lock; do printf '{lock}' >$it/kjpstate; done\n"
        f"{python} unlock box --run abcdef 2>/dev/full || true\n"
        f"cat /run/{'lock' if checkout() != HERE else 'kjpstate'}/kjpstate || echo broken"
    )
    assert "broken\n" in done.out, done.said
