"""Faults of what is deployed: sources that can't be read, and names as people's files have them."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.sshd import Sshd, start_sshd
from tests.support.trial import Done, Trial, checkout, private

pytestmark = pytest.mark.root

ORDINARY = 4242
DEPLOY = """
kjpstate: 1
name: t
hosts: {pc: {local: "."}, stb: HOST}
deploy: {from: {host: FROM, directory: D/dist/}, to: {host: TO, directory: D/web/}MORE}
"""
BUILD = """
kjpstate: 1
name: t
hosts: {pc: {local: "."}}
build: {host: pc, directory: ., inputs: [src/], outputs: [out/], run: [cp, -r, src/., out]}
"""


def document(
    trial: Trial, source: str = "pc", target: str = "pc", more: str = "", host: str = ""
) -> None:
    text = DEPLOY.replace("FROM", source).replace("TO", target).replace("MORE", more)
    text = text.replace("D/", f"{trial.folder}/").replace("HOST", host or "{local: '.'}")
    trial.write("kjpstate.yaml", text.replace(", stb: {local: '.'}", ""))


def as_user(trial: Trial, *argv: str) -> Done:
    """kjpstate by somebody who is not root, with a home and a copy of the program that this user
    may read."""
    home, program = trial.folder.parent / "home", trial.folder.parent / "program"
    if not program.exists():
        for name in ("kjpstate", "schemas"):
            shutil.copytree(checkout() / name, program / name)
        home.mkdir()
        os.chown(home, ORDINARY, ORDINARY)
    for path in (trial.folder, *trial.folder.rglob("*")):
        os.chown(path, ORDINARY, ORDINARY, follow_symlinks=False)
    words = ("setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups")
    places = {"HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "PYTHONPATH": str(program)}
    return trial.run((*trial.inside, *words, sys.executable, "-m", "kjpstate", *argv), **places)


@pytest.fixture
def server(trial: Trial) -> Iterator[Sshd]:
    """A box with its own lock, state folder and users (`bot` is 4242); its files are this
    machine's."""
    users = Path("/etc/passwd").read_text() + f"bot:x:{ORDINARY}:{ORDINARY}::/tmp:/bin/sh\n"
    with private(trial.folder) as box:
        assert box.sh(f"mount --bind {trial.write('passwd', users)} /etc/passwd").code == 0
        running = start_sshd(trial.folder.parent / "sshd", inside=box.inside)
        (running.folder / "authorized").chmod(0o644)
        running.folder.chmod(0o755)
        yield running
        running.stop()


def reached(server: Sshd, user: str) -> str:
    key = " ".join((server.folder / "host.pub").read_text().split()[:2])
    words = f"address: 127.0.0.1, port: {server.port}, user: {user}, identity: {server.client_key}"
    return f"{{ssh: {{{words}, host_key: '{key}'}}}}"


def tree(folder: Path) -> dict[bytes, bytes]:
    """Every regular file below a folder."""
    return {
        os.fsencode(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def litter(trial: Trial) -> list[str]:
    return [
        path.name for path in trial.folder.rglob("*.kjpstate-*") if path.name.encode() not in ODD
    ]


def open_journals(trial: Trial) -> bool:
    """Whether a run did not come to its end on this machine."""
    done = trial.sh("cat /var/lib/kjpstate/*/journal 2>/dev/null || true")
    return "run\t" in done.out and "ended\t" not in done.out


# ---- what can't be read


def a_file(trial: Trial) -> str:
    trial.write("dist/b.js", "b", 0o000)
    return "b.js"


def a_file_deep_down(trial: Trial) -> str:
    trial.write("dist/lib/deep/b.js", "b", 0o000)
    return "lib/deep/b.js"


def a_folder(trial: Trial) -> str:
    trial.write("dist/lib/b.js", "b").parent.chmod(0o000)
    return "lib"


def a_folder_without_search(trial: Trial) -> str:
    trial.write("dist/lib/b.js", "b").parent.chmod(0o444)
    return "lib"


def the_folder_itself(trial: Trial) -> str:
    (trial.folder / "dist").chmod(0o000)
    return "dist/"


def a_file_beside(trial: Trial) -> str:
    trial.write("package.json", "{}", 0o000)
    return "package.json"


UNREADABLE = [
    a_file,
    a_file_deep_down,
    a_folder,
    a_folder_without_search,
    the_folder_itself,
    a_file_beside,
]


@pytest.mark.parametrize("hide", UNREADABLE)
def test_a_source_that_can_not_be_read_is_told_and_not_in_sync(
    trial: Trial, hide: Callable[[Trial], str]
) -> None:
    trial.write("dist/a.js", "a")
    (trial.folder / "web").mkdir()
    document(trial, more=", with: [package.json]" if hide is a_file_beside else "")
    name = hide(trial)
    for argv in (("plan",), ("drift",), ("apply", "--yes"), ("plan", "--json")):
        done = as_user(trial, *argv)
        assert (done.code, name in done.said) == (8, True), (argv, done.code, done.said)
        assert "in sync" not in done.said.lower()
    assert tree(trial.folder / "web") == {}


@pytest.mark.real
@pytest.mark.parametrize("hide", UNREADABLE)
def test_a_source_on_a_box_that_can_not_be_read_is_told(
    trial: Trial, server: Sshd, hide: Callable[[Trial], str]
) -> None:
    trial.write("dist/a.js", "a")
    (trial.folder / "web").mkdir()
    more = ", with: [package.json]" if hide is a_file_beside else ""
    document(trial, "stb", "pc", more, reached(server, "bot"))
    name = hide(trial)
    for path in (trial.folder, *trial.folder.rglob("*")):
        os.chown(path, ORDINARY, ORDINARY)
    for argv in (("plan",), ("drift",), ("apply", "--yes")):
        done = trial.kjpstate(*argv)
        assert (done.code, name in done.said) == (8, True), (argv, done.code, done.said)
        assert "in sync" not in done.said.lower()
    assert tree(trial.folder / "web") == {}


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_an_input_that_can_not_be_read_is_named(trial: Trial, kind: str) -> None:
    trial.write("kjpstate.yaml", BUILD)
    trial.write("src/a.ts", "a")
    hidden = trial.write("src/lib/hidden.ts", "b")
    (hidden if kind == "file" else hidden.parent).chmod(0o000)
    done = as_user(trial, "plan")
    assert done.code == 8 and "src/lib" in done.said and "start:  on" not in done.said, done.said


def test_from_the_box_itself_a_source_there_that_can_not_be_read_is_told(trial: Trial) -> None:
    """`--here` leaves out what it can't see; what it sees and can't read is another thing."""
    trial.write("dist/a.js", "a")
    a_file(trial)
    (trial.folder / "web").mkdir()
    document(trial)
    done = as_user(trial, "drift", "--here", "pc")
    assert (done.code, "b.js" in done.said) == (8, True), done.said


# ---- names

ODD = [
    b"up\nload.jpg",
    b"\n",
    b"ends in one\n",
    b"caf\xe9.jpg",
    b"\xff\xfe",
    b"tab\there",
    b"cr\rhere",
    b"esc\x1b[31m",
    b"'quoted' \"twice\"",
    b"back\\slash",
    b"\\n",
    b"-rf",
    b"...",
    b".. ",
    b"$(touch pwned)",
    b"*",
    b"a: No such file or directory",
    "u2028\u2028here".encode(),
    b"x" * 255,
    b"x.abc123",
    b"x.kjpstate-new.abc123",
    b"x.backup.20261123T200000Z-abc123",
    b"in\na folder/with\\one\nmore",
]
LAID = [
    name
    for name in ODD
    if not any(part in name for part in (b"\n", b"\\", b"kjpstate", b".backup."))
]


def put(folder: Path, name: bytes, content: bytes) -> None:
    path = folder / os.fsdecode(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def deployed(trial: Trial) -> None:
    """An apply, and a second one that finds nothing to do."""
    done = trial.kjpstate("apply", "--yes")
    assert done.code == 0, (done.code, done.said)
    assert "Traceback" not in done.said and not litter(trial) and not open_journals(trial)
    second = trial.kjpstate("apply", "--yes")
    assert second.code == 0 and "in sync" in second.said.lower(), second.said


def test_odd_names_where_it_is_deployed_to_are_carried_along(trial: Trial) -> None:
    document(trial)
    trial.write("dist/a.js", "new")
    trial.write("web/a.js", "old")
    for number, name in enumerate(ODD):
        put(trial.folder / "web", name, b"%d" % number)
    deployed(trial)
    mine = {name: b"%d" % number for number, name in enumerate(ODD)}
    assert tree(trial.folder / "web") == {**mine, b"a.js": b"new"}
    trial.write("dist/a.js", "newer")
    deployed(trial)
    assert trial.kjpstate("rollback", "--yes").code == 0
    assert tree(trial.folder / "web") == {**mine, b"a.js": b"new"}


@pytest.mark.real
@pytest.mark.parametrize("names", [ODD[:1], ODD], ids=["one", "all"])
def test_an_odd_name_on_a_box_stops_no_deploy(
    trial: Trial, server: Sshd, names: list[bytes]
) -> None:
    document(trial, "pc", "stb", "", reached(server, "root"))
    trial.write("dist/a.js", "new")
    trial.write("web/a.js", "old")
    for each in names:
        put(trial.folder / "web", each, each)
    deployed(trial)
    assert tree(trial.folder / "web") == {**{each: each for each in names}, b"a.js": b"new"}
    assert trial.kjpstate("rollback", "--yes").code == 0
    assert tree(trial.folder / "web") == {**{each: each for each in names}, b"a.js": b"old"}


def test_odd_names_of_the_source_are_deployed(trial: Trial) -> None:
    document(trial)
    for name in LAID:
        put(trial.folder / "dist", name, name)
    deployed(trial)
    assert tree(trial.folder / "web") == {name: name for name in LAID}
    (trial.folder / "dist" / os.fsdecode(LAID[0])).unlink()
    deployed(trial)
    assert tree(trial.folder / "web") == {name: name for name in LAID[1:]}


@pytest.mark.real
@pytest.mark.parametrize("way", ["to", "from"])
def test_odd_names_of_the_source_are_deployed_over_ssh(
    trial: Trial, server: Sshd, way: str
) -> None:
    document(trial, *(("pc", "stb") if way == "to" else ("stb", "pc")), "", reached(server, "root"))
    for name in LAID:
        put(trial.folder / "dist", name, name)
    deployed(trial)
    assert tree(trial.folder / "web") == {name: name for name in LAID}
    (trial.folder / "dist" / os.fsdecode(LAID[0])).unlink()
    deployed(trial)
    assert tree(trial.folder / "web") == {name: name for name in LAID[1:]}


@pytest.mark.parametrize("name", [b"back\\slash.js", b"line\nend.js", b"a\nfolder/x.js"])
def test_a_name_that_can_not_be_laid_is_refused_in_the_plan(trial: Trial, name: bytes) -> None:
    document(trial)
    trial.write("dist/a.js", "a")
    put(trial.folder / "dist", name, b"x")
    plan = trial.kjpstate("plan")
    assert plan.code == 8, plan.said
    assert ascii(os.fsdecode(name))[1:-1] in plan.said
    assert trial.kjpstate("apply", "--yes").code == 8
    assert not (trial.folder / "web").exists() and not litter(trial)


def test_links_that_do_not_travel_are_said(trial: Trial) -> None:
    document(trial)
    trial.write("dist/a.js", "a")
    (trial.folder / "dist/config.json").symlink_to("/etc/hostname")
    for _ in range(2):
        plan = trial.kjpstate("plan")
        assert "config.json" in plan.said, plan.said
        told = json.loads(trial.kjpstate("plan", "--json").out)
        assert any("config.json" in item["reason"] for item in told["advice"])
        trial.kjpstate("apply", "--yes")
    assert [path.name for path in (trial.folder / "web").iterdir()] == ["a.js"]


# ---- a file where a folder must be, a folder where a file must be


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("own.txt", "own.txt/x"),
        ("own/x", "own"),
        ("data/own", "data/own/deep/x"),
        ("lib/node_modules/m/i.js", "lib"),
    ],
)
def test_a_file_is_not_put_in_the_place_of_a_folder_or_a_folder_in_that_of_a_file(
    trial: Trial, mine: str, theirs: str
) -> None:
    document(trial)
    trial.write(f"dist/{theirs}", "theirs")
    trial.write(f"web/{mine}", "mine")
    plan = trial.kjpstate("plan")
    assert plan.code == 8 and mine.split("/", maxsplit=1)[0] in plan.said, plan.said
    assert "kept" not in plan.said
    assert trial.kjpstate("apply", "--yes").code == 8
    assert tree(trial.folder / "web") == {mine.encode(): b"mine"}


@pytest.mark.real
@pytest.mark.parametrize("where", ["pc", "stb"])
@pytest.mark.parametrize("to", ["real", "nowhere"])
def test_a_link_where_it_is_deployed_to_is_refused_in_the_plan(
    trial: Trial, server: Sshd, where: str, to: str
) -> None:
    document(trial, "pc", where, "", reached(server, "root") if where == "stb" else "")
    trial.write("dist/a.js", "a")
    trial.write("real/mine", "mine")
    (trial.folder / "web").symlink_to(to)
    for argv in (("plan",), ("drift",), ("apply", "--yes")):
        done = trial.kjpstate(*argv)
        assert (done.code, "web on" in done.said) == (8, True), (argv, done.code, done.said)
    assert (trial.folder / "web").is_symlink() and tree(trial.folder / "real") == {b"mine": b"mine"}


def test_a_name_with_line_ends_makes_no_row_of_a_screen(trial: Trial) -> None:
    document(trial)
    trial.write("dist/a.js", "a")
    put(trial.folder / "web", b"x\n\nIn sync.\n", b"")
    (trial.folder / "dist/y\n\nIn sync.\n").symlink_to("a.js")
    for argv in (("plan",), ("drift",), ("status",)):
        done = trial.kjpstate(*argv)
        assert "In sync." not in [line.strip() for line in done.said.splitlines()], done.said


@pytest.mark.real
@pytest.mark.parametrize(("mine", "theirs"), [("own.txt", "own.txt/x"), ("own/x", "own")])
def test_a_file_on_a_box_stays_where_it_is(
    trial: Trial, server: Sshd, mine: str, theirs: str
) -> None:
    document(trial, "pc", "stb", "", reached(server, "root"))
    trial.write(f"dist/{theirs}", "theirs")
    trial.write(f"web/{mine}", "mine")
    assert trial.kjpstate("apply", "--yes").code == 8
    assert tree(trial.folder / "web") == {mine.encode(): b"mine"}


@pytest.mark.parametrize("first", ["own", "own/x"])
def test_what_kjpstate_put_there_may_become_a_folder_and_a_folder_a_file(
    trial: Trial, first: str
) -> None:
    document(trial)
    second = "own/x" if first == "own" else "own"
    trial.write("dist/a.js", "a")
    trial.write(f"dist/{first}", "1")
    deployed(trial)
    shutil.rmtree(trial.folder / "dist")
    trial.write("dist/a.js", "a")
    trial.write(f"dist/{second}", "2")
    deployed(trial)
    assert tree(trial.folder / "web") == {b"a.js": b"a", second.encode(): b"2"}
