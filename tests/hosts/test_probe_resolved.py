"""The probe's script under every shell, on a made-up root with made-up systemd commands; and its
parser."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kjpstate.formats.resolved import Link, Running, Scope, Seen, Unit, asked, parse, render
from kjpstate.formats.resolved_conf import ConfFile

SCRIPT = Path(__file__).parents[2] / "kjpstate/hosts/remote/probe_resolved.sh"
SHELLS = [shell for shell in (("dash",), ("busybox", "sh"), ("bash",)) if shutil.which(shell[0])]

SYSTEMCTL = """
case "$*" in
  --version) echo 'systemd 252 (252.39-1~deb12u2)'; echo '+PAM +AUDIT' ;;
  'show systemd-resolved.service'*) cat "$FAKE/unit" ;;
  '-q is-active NetworkManager.service') exit 0 ;;
  '-q is-active systemd-resolved') exit 0 ;;
  *) exit 3 ;;
esac
"""
BUSCTL = """
echo "busctl $*" >>"$FAKE/calls"
[ "$1" = --auto-start=no ] || exit 1
[ "$(wc -l <"$FAKE/calls")" -gt "$(cat "$FAKE/late" 2>/dev/null || echo 0)" ] || exit 1
folder="$FAKE/bus${5#/org/freedesktop/resolve1}"
shift 6
for property; do cat "$folder/$property" 2>/dev/null || exit 1; done
"""
RESOLVECTL = """
echo "resolvectl $*" >>"$FAKE/calls"
cat "$FAKE/resolvectl.$1"
"""
BUS = {
    "DNSEx": '{"type":"a(iiayqs)","data":[[0,2,[8,8,8,8],0,""],'
    '[0,10,[38,6,71,0,71,0,0,0,0,0,0,0,0,0,17,17],5353,"one.one"],'
    '[2,2,[9,9,9,9],0,""],[2,2,[192,168,100,1],0,""]]}',
    "FallbackDNSEx": '{"type":"a(iiayqs)","data":[[0,2,[1,0,0,1],0,""]]}',
    "Domains": '{"type":"a(isb)","data":[[0,"lan",false],[0,".",true],[2,"home",true]]}',
    "CurrentDNSServerEx": '{"type":"(iiayqs)","data":[0,0,[],0,""]}',
    "ResolvConfMode": '{"type":"s","data":"stub"}',
    "DNSStubListener": '{"type":"s","data":"yes"}',
}
ETH0 = {
    "ScopesMask": '{"type":"t","data":25}',
    "DNSEx": '{"type":"a(iayqs)","data":[[2,[192,168,100,1],0,""]]}',
    "Domains": '{"type":"a(sb)","data":[["home",true]]}',
    "DefaultRoute": '{"type":"b","data":true}',
}
RESOLVED_LISTENS = "  sl  local_address\n 5: 3500007F:0035 00000000:0000 07\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A root folder, and a folder of commands that answer like a Debian 12 box."""
    root, commands, bus = tmp_path / "root", tmp_path / "bin", tmp_path / "bus"
    for name, body in (("systemctl", SYSTEMCTL), ("busctl", BUSCTL), ("resolvectl", RESOLVECTL)):
        commands.mkdir(exist_ok=True)
        (commands / name).write_text(f"#!/bin/sh\n{body}")
        (commands / name).chmod(0o755)
    (bus / "link/_32").mkdir(parents=True)
    for folder, lines in ((bus, BUS), (bus / "link/_32", ETH0)):
        for name, line in lines.items():
            (folder / name).write_text(line + "\n")
    (tmp_path / "resolvectl.dns").write_text(
        "Global: 8.8.8.8\nLink 2 (eth0): 192.168.100.1\nLink 3 (wg0):\n"
    )
    (tmp_path / "resolvectl.domain").write_text(
        "Global: lan ~.\nLink 2 (eth0): ~home\nLink 3 (wg0):\n"
    )
    (tmp_path / "resolvectl.default-route").write_text("Link 2 (eth0): yes\nLink 3 (wg0): no\n")
    unit(tmp_path, "active")
    for path, text in (
        ("etc/systemd/resolved.conf", "[Resolve]\n#DNS=\n"),
        ("etc/systemd/resolved.conf.d/b c.conf", "[Resolve]\r\nCache=no"),
        ("usr/lib/systemd/resolved.conf.d/a.conf", "\0\xff"),
        ("etc/resolv.conf", "# x\nnameserver 127.0.0.53\nnameserver\t1.1.1.1 \nsearch lan\n"),
        ("etc/nsswitch.conf", "passwd: files\nhosts:\t\tfiles resolve [!UNAVAIL=return] dns\n"),
        ("proc/net/udp", RESOLVED_LISTENS),
        ("sys/class/net/eth0/ifindex", "2\n"),
        ("sys/class/net/wg0/ifindex", "3\n"),
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="latin-1", newline="")
    (root / "run/systemd/system").mkdir(parents=True)
    (root / "run/systemd/resolved.conf.d").mkdir()
    (root / "run/systemd/resolved.conf.d/a.conf").symlink_to("/dev/null")
    return tmp_path


def unit(machine: Path, active: str) -> None:
    (machine / "unit").write_text(
        f"Result=success\nLoadState=loaded\nActiveState={active}\nSubState=running\nUnitFileState=enabled\n"
    )


def run(machine: Path, shell: tuple[str, ...]) -> Seen:
    environment = {"PATH": f"{machine / 'bin'}:{os.environ['PATH']}", "FAKE": str(machine)}
    done = subprocess.run(
        [*shell, str(SCRIPT), str(machine / "root")],
        env=environment,
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    seen = parse(done.stdout)
    assert isinstance(seen, Seen), seen
    return seen


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_what_a_box_is_seen_as(machine: Path, shell: tuple[str, ...]) -> None:
    seen = run(machine, shell)
    assert seen.booted and seen.version == 252 and seen.near == ("NetworkManager",)
    assert seen.unit == Unit("loaded", "active", "running", "enabled", "success")
    assert seen.running == Running(
        ("8.8.8.8", "[2606:4700:4700::1111]:5353#one.one", "9.9.9.9%eth0"),
        ("1.0.0.1",),
        ("lan", "~."),
        "",
        "stub",
        "yes",
    )
    assert seen.links == (Link(2, "eth0", ("192.168.100.1",), ("~home",), True),)
    assert seen.hosts == ("files", "resolve", "[!UNAVAIL=return]", "dns")
    assert seen.listens is True and seen.resolv == ("127.0.0.53", "1.1.1.1")
    assert seen.dropins == (
        ConfFile("/run/systemd/resolved.conf.d/a.conf", b""),
        ConfFile("/etc/systemd/resolved.conf.d/b c.conf", b"[Resolve]\r\nCache=no"),
    )


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_a_daemon_that_does_not_run_is_never_asked(machine: Path, shell: tuple[str, ...]) -> None:
    unit(machine, "inactive")
    seen = run(machine, shell)
    assert seen.running is None and seen.unit.active == "inactive"
    assert not (machine / "calls").exists()


@pytest.mark.parametrize("late", [1, 2, 3, 7])
def test_a_daemon_that_has_just_been_started_is_waited_for(machine: Path, late: int) -> None:
    whole = run(machine, SHELLS[0])
    (machine / "calls").unlink()
    (machine / "late").write_text(str(late))
    assert run(machine, SHELLS[0]) == whole


def test_an_older_daemon_is_asked_property_by_property(machine: Path) -> None:
    for name in ("ResolvConfMode", "FallbackDNSEx"):
        (machine / "bus" / name).unlink()
    seen = run(machine, SHELLS[0])
    assert seen.running is not None
    assert (
        seen.running.servers[0] == "8.8.8.8"
        and seen.running.mode == ""
        and seen.running.fallback is None
    )


@pytest.mark.parametrize(
    ("said", "version", "reloads"),
    [
        ("systemd 247 (247.3-7+deb11u6)", 247, False),
        ("systemd 249 (249.11-0ubuntu3.12)", 249, False),
        ("systemd 252 (252.39-1~deb12u2)", 252, False),
        ("systemd 255 (255.4-1ubuntu8)", 255, False),
        ("systemd 256~rc3 (256~rc3-1)", 256, True),
        ("systemd 257 (257.8-1~deb13u2)", 257, True),
        ("systemd 259 (259-1)", 259, True),
    ],
)
def test_which_version_it_is_and_whether_it_can_reload(
    machine: Path, said: str, version: int, reloads: bool
) -> None:
    script = machine / "bin/systemctl"
    script.write_text(script.read_text().replace("systemd 252 (252.39-1~deb12u2)", said))
    seen = run(machine, SHELLS[0])
    assert (seen.version, seen.reloads) == (version, reloads)


def test_a_daemon_before_the_longer_properties_is_read_by_the_plain_ones(machine: Path) -> None:
    for name in (
        "DNSEx",
        "FallbackDNSEx",
        "CurrentDNSServerEx",
        "ResolvConfMode",
        "link/_32/DNSEx",
    ):
        (machine / "bus" / name).unlink()
    for name, line in {
        "DNS": '{"type":"a(iiay)","data":[[0,2,[8,8,8,8]],[2,2,[192,168,100,1]]]}',
        "FallbackDNS": '{"type":"a(iiay)","data":[[0,2,[1,0,0,1]]]}',
        "CurrentDNSServer": '{"type":"(iiay)","data":[0,2,[8,8,8,8]]}',
    }.items():
        (machine / "bus" / name).write_text(line + "\n")
    seen = run(machine, SHELLS[0])
    assert seen.running == Running(("8.8.8.8",), ("1.0.0.1",), ("lan", "~."), "8.8.8.8", "", "yes")
    # Its links could not be asked over D-Bus: resolvectl's text tells them.
    assert seen.links == (Link(2, "eth0", ("192.168.100.1",), ("~home",), True), Link(3, "wg0"))


def test_without_dbus_answers_the_text_of_resolvectl_is_read(machine: Path) -> None:
    (machine / "bin/busctl").unlink()
    shutil.copy("/bin/false", machine / "bin/busctl")
    unit(machine, "active")
    (machine / "bin/sleep").write_text("#!/bin/sh\n")
    (machine / "bin/sleep").chmod(0o755)
    seen = run(machine, SHELLS[0])
    assert seen.running == Running(("8.8.8.8",), None, ("lan", "~."))


def test_a_machine_without_any_of_it(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("od", "tr", "sed", "grep"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    shell = str(shutil.which(SHELLS[0][0]))
    done = subprocess.run(
        [shell, str(SCRIPT), str(tmp_path)],
        env={"PATH": str(tools)},
        capture_output=True,
        check=True,
    )
    seen = parse(done.stdout)
    assert isinstance(seen, Seen)
    assert not seen.booted and seen.version == 0 and seen.unit == Unit() and seen.files == ()


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.real
def test_shellcheck() -> None:
    done = subprocess.run(["shellcheck", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.stdout == "" and done.returncode == 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "only on a POSIX host"),
        (b"", "not ours"),
        (b"resolved\t9\nend\n", "not ours"),
        (b"resolved\t1\nbooted\tyes\n", "cut short"),
        (b"resolved\t1\nbus\tDNSEx\t{\nend\n", "unexpected"),
        (b"resolved\t1\nlink\tx\nend\n", "unexpected"),
    ],
)
def test_an_answer_that_is_none(answer: bytes | None, reason: str) -> None:
    said = parse(answer)
    assert isinstance(said, str) and reason in said


def test_what_is_rendered_is_parsed_back() -> None:
    seen = Seen(
        booted=True,
        version=257,
        unit=Unit("loaded", "active", "running", "enabled", "success"),
        running=Running(
            ("1.1.1.1", "9.9.9.9:5353%eth0#x", "2606:4700::1"),
            ("1.0.0.1",),
            ("lan", "~."),
            "1.1.1.1",
            "stub",
            "yes",
        ),
        links=(Link(2, "eth0", ("192.168.1.1", "[fe80::1]:54"), ("~.", "home"), True),),
        interfaces={1: "lo", 2: "eth0"},
        near=("NetworkManager",),
        files=(ConfFile("/etc/systemd/resolved.conf.d/ü.conf", b"\0\xff\n"),),
        unreadable=("/run/systemd/resolved.conf.d/x.conf",),
        hosts=("files", "dns"),
        resolv=("127.0.0.53",),
        listens=False,
    )
    assert parse(render(seen)) == seen


GLOBAL = ("8.8.8.8",)
MODEM = ("192.168.100.1",)
ROUTES = [
    (Running(GLOBAL), [Link(2, "eth0", MODEM, (), True)], ["", "eth0"]),
    (Running(GLOBAL, domains=("~.",)), [Link(2, "eth0", MODEM, (), True)], [""]),
    (Running(GLOBAL), [Link(2, "eth0", MODEM, ("~.",), True)], ["eth0"]),
    (Running(GLOBAL, domains=("~.",)), [Link(2, "eth0", MODEM, ("~.",), True)], ["", "eth0"]),
    (Running(GLOBAL, domains=("~.",)), [Link(2, "eth0", MODEM, ("whatsapp.com",), True)], ["eth0"]),
    (Running(GLOBAL), [Link(2, "eth0", (), ("~.",), True)], [""]),
    (Running(GLOBAL), [Link(2, "eth0", MODEM, ("home",), False)], [""]),
    (Running(()), [Link(2, "eth0", MODEM, (), True)], ["eth0"]),
    (Running(()), [Link(2, "eth0", MODEM, (), False)], []),
]


@pytest.mark.parametrize(("running", "links", "expected"), ROUTES)
def test_who_is_asked(running: Running, links: list[Link], expected: list[str]) -> None:
    scopes = asked("web.whatsapp.com", running, links)
    assert [scope.link for scope in scopes] == expected
    assert all(isinstance(scope, Scope) and scope.servers for scope in scopes)
