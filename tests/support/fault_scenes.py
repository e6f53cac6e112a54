"""What the fault tests do on a host: each scene lays files, has actions, and says both whole states
of each.

`record` runs a scene once without a fault and keeps all that the controller sent; `replay` sends
that again to a traced shell, without a controller, so that one fault costs no more than the script
itself.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from kjpstate.hosts.local import LocalHost
from kjpstate.model import (
    Action,
    Backup,
    MakeDirectory,
    Outcome,
    Probe,
    Prune,
    ReadClock,
    ReadCommand,
    ReadFile,
    ReadGlob,
    Reading,
    ReadStat,
    ReadState,
    ReadTree,
    Restore,
    Run,
    Stamp,
    SyncTree,
    TreeFile,
    WriteFile,
)
from tests.support.allowed_states import Managed, Picture, Thing, picture
from tests.support.bodies import Bench, run_info
from tests.support.shell_link import ShellLink
from tests.support.tracer import Counts, Traced, executes, trace

OLD, NEW = b"old\n" * 40, b"new and longer\n" * 60
KEPT = ".backup.20250101T000000Z-0ddba1"
"""What an earlier run kept, for the scenes that restore."""
OWNER = f"{os.getuid()}:{os.getgid()}"
FIRST, SECOND = "abc123", "def456"


def text(content: bytes, mode: int = 0o644, owner: str = OWNER, note: bytes = b"") -> Thing:
    """A file; `note` is an extended attribute."""
    return Thing("file", mode, owner, content, (("user.note", note),) if note else ())


def tree(mode: int = 0o755, /, **files: Thing) -> dict[str, Thing]:
    """A folder; `a_b` stands for `a/b`, whose folder is made too."""
    found = {"": Thing("folder", mode, OWNER)}
    for name, thing in files.items():
        folder, _, _ = name.rpartition("_")
        if folder:
            found[folder] = Thing("folder", 0o755, OWNER)
        found[name.replace("_", "/")] = thing
    return found


def one(thing: Thing | None) -> dict[str, Thing]:
    """The states of a single file."""
    return {} if thing is None else {"": thing}


@dataclass(frozen=True)
class Scene:
    """`before`: the work folder as it is laid. `actions` and `readings` get the folder's absolute
    path.

    `stamp`: the state file's two contents. `state`: files laid in the state folder. `lock`: its
    content.
    """

    name: str
    before: Picture
    managed: tuple[Managed, ...] = ()
    actions: Callable[[str], Sequence[Action]] = lambda root: ()
    readings: Callable[[str], Sequence[Reading]] = lambda root: ()
    state: Callable[[str], dict[str, str]] = lambda root: {}
    lock: str = ""
    stamp: tuple[bytes | None, bytes | None] | None = None
    rerun_may_find: tuple[str, ...] = ("done", "already")


def _write(name: str, old: Thing | None, new: Thing | None, mode: int = 0o644) -> Scene:
    before = {"conf": Thing("folder", 0o755, OWNER), "conf/other.conf": text(b"another's")}
    before |= {"conf/x.conf": old} if old else {}
    contents = [None if thing is None else thing.content for thing in (old, new)]
    return Scene(
        name,
        before,
        (Managed("conf/x.conf", one(old), one(new)),),
        lambda root: [WriteFile("box", f"{root}/conf/x.conf", contents[0], contents[1], mode)],
    )


def _stamp(name: str, old: bytes | None, values: dict[str, int] | None) -> Scene:
    new = None if values is None else b'{\n "a": 1\n}\n'
    laid = {} if old is None else {"doc/s.json": old.decode()}
    return Scene(
        name,
        {},
        actions=lambda root: [Stamp("box", "doc", "s.json", values)],
        state=lambda root: laid,
        stamp=(old, new),
    )


FOREIGN = text(b'{"bot": "data"}', 0o600)
DIST_OLD = tree(a=text(b"old a"), stale=text(b"stale"), same=text(b"same"), db=FOREIGN)
DIST_NEW = tree(a=text(b"new a"), sub_b=text(b"new b", 0o755), same=text(b"same"), db=FOREIGN)
SOURCE = tree(a=text(b"new a"), sub_b=text(b"new b", 0o755), same=text(b"same"))


def _at(path: str, things: Picture) -> dict[str, Thing]:
    return {f"{path}/{name}".rstrip("/"): thing for name, thing in things.items()}


def _digests(things: Picture) -> dict[str, TreeFile]:
    return {
        path: TreeFile(hashlib.sha256(thing.content).hexdigest(), len(thing.content), thing.mode)
        for path, thing in things.items()
        if thing.kind == "file"
    }


def _switch(root: str) -> SyncTree:
    return SyncTree("box", f"{root}/src/", "box", f"{root}/dist/", _digests(SOURCE), ("stale",))


def _dist(old: Picture, kept: bool = True) -> Managed:
    new = DIST_NEW if old else SOURCE
    return Managed("dist", old, new, kept, between=({},) if old else ())


_RUN = Run(
    "box",
    ("sh", "-c", "printf made >out.new; mv out.new out; sleep 0"),
    "makes",
    "ROOT",
    ("ROOT/out",),
)
_OUT = Managed("out", one(text(b"old out")), one(text(b"made")))


def _made(root: str) -> list[Action]:
    return [Backup("box", f"{root}/out"), replace(_RUN, cwd=root, writes=(f"{root}/out",))]


def scenes(shell: str) -> list[Scene]:
    """Every action on every kind of state; with owner and attributes where that
    shell's tools can."""
    owner = "1234:1234" if os.getuid() == 0 else OWNER
    note = b"" if shell == "busybox" else b"kept"
    old, new = text(OLD, 0o640, owner, note), text(NEW, 0o640, owner, note)
    big = text(bytes(range(256)) * 1200)
    x, dead = "conf/x.conf", "run dead00\nwho x\nwhen y\nwhy z\npid 4194303\nstart 7\nboot b\n"
    folder = {"conf": Thing("folder", 0o755, OWNER)}
    write = _write("write, change", old, new)
    both = {**_at("src", SOURCE), **_at("dist", DIST_OLD)}
    return [
        _write("write, create", None, text(NEW, 0o600), 0o600),
        write,
        _write("write, remove", old, None),
        _write("write, large", text(OLD), big),
        replace(write, name="lock of a dead run", lock=dead),
        Scene(
            "backup of a file",
            {**folder, x: old},
            (Managed(x, one(old), one(old)),),
            lambda root: [Backup("box", f"{root}/{x}")],
        ),
        Scene(
            "backup of a folder",
            _at("dist", DIST_OLD),
            (Managed("dist", DIST_OLD, DIST_OLD),),
            lambda root: [Backup("box", f"{root}/dist/")],
        ),
        Scene("switch, create", _at("src", SOURCE), (_dist({}),), lambda root: [_switch(root)]),
        Scene("switch, change", both, (_dist(DIST_OLD),), lambda root: [_switch(root)]),
        Scene(
            "restore of a file",
            {**folder, x: new, x + KEPT: old},
            (Managed(x, one(new), one(old), kept=False),),
            lambda root: [Restore("box", f"{root}/{x}", f"{root}/{x}{KEPT}")],
        ),
        Scene(
            "restore of a folder",
            {**_at("dist", DIST_NEW), **_at(f"dist{KEPT}", DIST_OLD)},
            (Managed("dist", DIST_NEW, DIST_OLD, kept=False, between=({},)),),
            lambda root: [Restore("box", f"{root}/dist/", f"{root}/dist{KEPT}")],
        ),
        Scene(
            "restore of nothing",
            {**folder, x: new, **_at("dist", DIST_NEW)},
            (Managed(x, one(new), {}, kept=False), Managed("dist", DIST_NEW, {}, kept=False)),
            lambda root: [
                Restore("box", f"{root}/{x}", None),
                Restore("box", f"{root}/dist/", None),
            ],
        ),
        _stamp("stamp, create", None, {"a": 1}),
        _stamp("stamp, change", b'{"a": 0}\n', {"a": 1}),
        _stamp("stamp, remove", b'{"a": 0}\n', None),
        Scene(
            "make a folder",
            {},
            (Managed("a", {}, {**tree(), "b": Thing("folder", 0o755, OWNER)}, between=(tree(),)),),
            lambda root: [MakeDirectory("box", f"{root}/a/b/")],
        ),
        Scene("run a command", {"out": text(b"old out")}, (_OUT,), _made),
        Scene(
            "a whole unit",
            {**both, **folder, x: old, "out": text(b"old out")},
            (_dist(DIST_OLD), Managed(x, one(old), one(new)), _OUT),
            lambda root: [
                *write.actions(root),
                *_made(root),
                _switch(root),
                Stamp("box", "doc", "s.json", {"a": 1}),
            ],
            stamp=(None, b'{\n "a": 1\n}\n'),
        ),
    ]


def pruning() -> Scene:
    """Two backups of a file that go with their rows, and one that stays. (A folder goes file by
    file.)"""
    x, day = "conf/x.conf", ".backup.2025010{}T000000Z-0ddba{}"
    old = [f"{x}{day.format(number, number)}" for number in (1, 2, 3)]
    sha = hashlib.sha256(OLD).hexdigest()

    def rows(root: str) -> dict[str, str]:
        lines = [f"{name[-6:]}\t{root}/{x}\t{root}/{name}\t{sha}\tfile\n" for name in old]
        return {"doc/backups": "".join(lines)}

    return Scene(
        "prune of backups",
        {"conf": Thing("folder", 0o755, OWNER), x: text(OLD), **{name: text(OLD) for name in old}},
        tuple(Managed(name, one(text(OLD)), {}, kept=False) for name in old[:2]),
        lambda root: [Prune("box", "doc", tuple(f"{root}/{name}" for name in old[:2]))],
        state=rows,
    )


def looking(root: str) -> list[Reading]:
    """Every reading and every probe."""
    return [
        ReadFile("box", f"{root}/src/a"),
        ReadStat("box", f"{root}/src/a"),
        ReadGlob("box", (f"{root}/src/*",)),
        ReadTree("box", f"{root}/src/"),
        ReadState("box", "doc", "s.json"),
        ReadClock("box"),
        ReadCommand("box", ("cat", f"{root}/src/a")),
        Probe("box", "pm2", ("bot", f"{root}/pm2")),
        Probe("box", "resolved"),
        Probe("box", "names", ("0",)),
        Probe("box", "cpu", ("0", "no-such-bot-here")),
        Probe("box", "tail", ("4", f"{root}/src/a")),
        Probe("box", "count", (f"{root}/src/a", "-", "-", "-", "a")),
        Probe("box", "hints", (f"{root}/src/a", f"{root}/gone")),
    ]


def lay(bench: Bench, scene: Scene) -> None:
    """The work folder, the state folder and the lock anew, as the scene begins."""
    root = Path(bench.root)
    for folder in (root, bench.state, bench.locks):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    fill(bench, scene)


def fill(bench: Bench, scene: Scene) -> None:
    """The same, in folders that are there and empty."""
    root = Path(bench.root)
    for path, thing in scene.before.items():
        target = root / path
        if thing.kind == "folder":
            target.mkdir(exist_ok=True)
        else:
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(thing.content)
        for name, value in thing.attributes:
            os.setxattr(target, name, value)
        target.chmod(thing.mode)
        if thing.owner != OWNER:
            os.chown(target, *map(int, thing.owner.split(":")))
    for name, content in scene.state(bench.root).items():
        (bench.state / name).parent.mkdir(exist_ok=True, mode=0o700)
        (bench.state / name).write_text(content)
        (bench.state / name).chmod(0o600)
    if scene.lock:
        (bench.locks / "kjpstate").write_text(scene.lock)


async def perform(bench: Bench, scene: Scene, run: str) -> list[Outcome]:
    """What an apply does with the scene, whatever state it finds."""
    host = bench.host()
    try:
        await host.begin(run_info(run), ())
        outcomes, _ = await host.act(list(scene.actions(bench.root)), (), {"box": LocalHost("box")})
        await host.end()
        return list(outcomes)
    finally:
        await host.close()


class _Recorded(ShellLink):
    """Keeps every command and all that was written behind it."""

    def __init__(self, shell: str, environ: dict[str, str] | None) -> None:
        super().__init__(shell, environ)
        self.execs_seen: list[tuple[str, bytearray]] = []

    async def start(self, command: str):  # type: ignore[no-untyped-def]
        pipe = await super().start(command)
        sent = bytearray()
        self.execs_seen.append((command, sent))
        write = pipe.write

        async def noted(data: bytes) -> None:
            sent.extend(data)
            await write(data)

        pipe.write = noted  # type: ignore[method-assign]
        return pipe


@dataclass(frozen=True)
class Recording:
    """One exec of a shell: its argv, its environment, and all it read."""

    argv: tuple[str, ...]
    environ: dict[str, str]
    stdin: bytes


def record(bench: Bench, scene: Scene, run: str = FIRST) -> Recording:
    """The scene done once for real; raises AssertionError when it does not end well."""

    async def done(bench: Bench) -> None:
        outcomes = await perform(bench, scene, run)
        assert all(outcome.ok for outcome in outcomes), outcomes

    lay(bench, scene)
    return record_of(bench, done)


def record_look(bench: Bench, scene: Scene) -> Recording:
    """One look with every reading and every probe."""

    async def looked(bench: Bench) -> None:
        await bench.host().look(looking(bench.root))

    lay(bench, scene)
    return record_of(bench, looked)


def record_settling(bench: Bench, run: str) -> Recording:
    """A run that takes the lock, settles what it finds, and does nothing."""

    async def settled(bench: Bench) -> None:
        await perform(bench, Scene("nothing", {}), run)

    return record_of(bench, settled)


def record_of(bench: Bench, doing: Callable[[Bench], Awaitable[None]]) -> Recording:
    """The one exec by which `doing` was done on a host of the bench."""
    links: list[_Recorded] = []
    make = bench.make

    def recorded(may_change: tuple[str, ...]):  # type: ignore[no-untyped-def]
        host = make(may_change)
        connect = host._connect

        async def noted(spec, folder):  # type: ignore[no-untyped-def]
            link = await connect(spec, folder)
            links.append(_Recorded(link.shell, link.environ))
            return links[-1]

        host._connect = noted
        return host

    asyncio.run(doing(replace(bench, make=recorded)))  # type: ignore[arg-type]
    ((command, sent),) = links[0].execs_seen
    return recording(links[0], command, bytes(sent))


def recording(link: ShellLink, command: str, sent: bytes) -> Recording:
    """What `link` would start for `command`."""
    words = link.shell.split()
    program = shutil.which(words[0])
    assert program is not None
    argv = (program, *words[1:], "-c", command.replace("/bin/sh", link.shell, 1))
    return Recording(argv, {**os.environ, **(link.environ or {})}, sent)


@contextmanager
def _pipe_with(content: bytes) -> Iterator[int]:
    reading, writing = os.pipe()
    try:
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, max(65536, 2 * len(content)))
        os.write(writing, content)
        os.close(writing)
        yield reading
    finally:
        os.close(reading)


@dataclass(frozen=True)
class Replayed:
    """How the traced shell ended, and what it answered."""

    traced: Traced
    said: bytes

    @property
    def outcomes(self) -> list[str]:
        """The status of each action that was tried, in order."""
        return re.findall(r"\n[0-9a-f]{32} outcome (\w+)", self.said.decode(errors="replace"))


def replay(recorded: Recording, counts: Counts, **fault: int) -> Replayed:
    """The recorded exec again, with one fault."""
    answer = os.memfd_create("answer")
    try:
        with _pipe_with(recorded.stdin) as stdin:
            child = executes(recorded.argv, recorded.environ)
            traced = trace(child, counts, stdin=stdin, stdout=answer, **fault)
        os.lseek(answer, 0, os.SEEK_SET)
        return Replayed(traced, os.read(answer, 1 << 24))
    finally:
        os.close(answer)


def replay_here(bench: Bench, scene: Scene, run: str, counts: Counts, **fault: int) -> Replayed:
    """The scene done by the Python body in a traced process of its own, with one fault."""
    answer = os.memfd_create("answer")

    def child() -> None:
        for outcome in asyncio.run(perform(bench, scene, run)):
            os.write(1, f"\n{'0' * 32} outcome {outcome.status}\n{outcome.reason}".encode())

    try:
        traced = trace(child, counts, stdout=answer, **fault)
        os.lseek(answer, 0, os.SEEK_SET)
        return Replayed(traced, os.read(answer, 1 << 24))
    finally:
        os.close(answer)


def state_of(bench: Bench) -> tuple[object, ...]:
    """All that a fault left on the host, without what differs from run to run: process numbers,
    times."""
    found: list[object] = []
    for folder in (Path(bench.root), bench.state, bench.locks):
        for path, thing in sorted(picture(folder).items(), key=lambda item: _plain(item[0])):
            content = _plain(thing.content.decode("latin-1"))
            found.append(
                (_plain(path), thing.kind, thing.mode, thing.owner, content, thing.attributes)
            )
    return tuple(found)


def _plain(words: str) -> str:
    return re.sub(
        r"(?<=pid )\d+|(?<=start )\d+|(?<=kjpstate\.)\d+(?=\.link)|(?<=-)\d{3,}(?=$|\.)", "N", words
    )
