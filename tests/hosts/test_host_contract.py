"""The port's contract, the same for every body: every reading, every action, every outcome."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest

from kjpstate import errors
from kjpstate.formats.tree import listing_digest
from kjpstate.model import (
    Backup,
    Clock,
    Completed,
    File,
    MakeDirectory,
    Probe,
    Prune,
    ReadClock,
    ReadCommand,
    ReadFile,
    ReadGlob,
    ReadStat,
    ReadState,
    ReadTree,
    Restore,
    Run,
    Stamp,
    Stat,
    SyncTree,
    Tree,
    TreeFile,
    Unreadable,
    WriteFile,
)
from kjpstate.said import say
from tests.support.bodies import run_info

BACKUP = ".backup.20261123T200000Z-abc123"
HOSTILE = [
    "a b",
    "quote'single",
    'quote"double',
    "$(touch pwned)",
    "`touch pwned`",
    "a;b&c|d",
    "-n",
    "*?[x]",
    "ünïcode 🔄",
    "back\\slash",
    "tab\there",
    "!bang",
    "%s %b",
]


def look(bench, *readings):
    async def go():
        host = bench.host()
        try:
            answers = await host.look(readings)
        finally:
            await host.close()
        return [answers[reading] for reading in readings]

    found = asyncio.run(go())
    return found[0] if len(found) == 1 else found


def act(bench, *actions, readings=(), allowed=(), sources=None, run=None):
    """One begin, one act, one end -> (outcomes, answers)."""

    async def go():
        host = bench.host(*allowed)
        try:
            await host.begin(run or run_info(), ())
            return await host.act(actions, readings, {"box": host} if sources is None else sources)
        finally:
            await host.close()

    return asyncio.run(go())


def write(bench, name, before, after, **options):
    return WriteFile("box", bench.path(name), before, after, **options)


def sha(content):
    return hashlib.sha256(content).hexdigest()


# ---- readings


def test_a_file_comes_whole_whatever_its_bytes(bench):
    content = bytes(range(256)) * 30 + b"\n\n"
    path = bench.put("x.bin", content, 0o640)
    found = look(bench, ReadFile("box", path))
    assert isinstance(found, File)
    assert (found.content, found.mode, found.symlink) == (content, 0o640, "")
    assert found.owner == f"{os.getuid()}:{os.getgid()}"


def test_an_empty_file_is_not_a_missing_one(bench):
    path = bench.put("empty", b"")
    empty, missing = look(bench, ReadFile("box", path), ReadFile("box", bench.path("nothing/here")))
    assert empty.content == b"" and missing is None


def test_what_is_no_file_is_unreadable(bench):
    bench.put("dir/x", "1")
    (bench.real(bench.root) / "gone").symlink_to("nowhere")
    folder, dangling = look(
        bench, ReadFile("box", bench.path("dir")), ReadFile("box", bench.path("gone"))
    )
    assert folder == Unreadable(say("hosts.is-a-folder"))
    assert dangling == Unreadable(say("hosts.leads-nowhere", target="nowhere"))


def test_a_link_is_followed_and_named(bench):
    bench.put("real", "text")
    (bench.real(bench.root) / "link").symlink_to("real")
    found = look(bench, ReadFile("box", bench.path("link")))
    assert (found.content, found.symlink) == (b"text", "real")


def test_a_whole_tree_leaves_nothing_out(bench):
    names = ["a", "a.backup.20260301T000000Z-abcdef", "node_modules/b", "old.kjpstate-new.abcdef/c"]
    for name in names:
        bench.put(f"top/{name}", name)
    root = bench.path("top/")
    plain, whole = look(bench, ReadTree("box", root), ReadTree("box", root, whole=True))
    assert list(plain.files) == ["a"]
    assert sorted(whole.files) == sorted(names)
    one = look(bench, ReadTree("box", root, (names[1],), whole=True))
    assert one.files[names[1]].digest == sha(names[1].encode())


def test_a_file_over_the_cap_is_unreadable(bench):
    path = bench.put("big", b"x" * (16 * 1024 * 1024 + 1))
    assert look(bench, ReadFile("box", path)) == Unreadable(say("hosts.too-large", size=16))


def test_stat_says_what_the_path_itself_is(bench):
    bench.put("dir/x", "12345", 0o600)
    (bench.real(bench.root) / "link").symlink_to("dir")
    file, folder, link, missing = look(
        bench, *(ReadStat("box", bench.path(name)) for name in ("dir/x", "dir/", "link", "no"))
    )
    assert isinstance(file, Stat) and (file.type, file.size, file.mode) == ("file", 5, 0o600)
    assert (folder.type, link.type, missing) == ("directory", "symlink", None)


def test_stat_changes_with_the_file(bench):
    path = bench.put("x", "1")
    first = look(bench, ReadStat("box", path))
    bench.put("x", "2")
    assert look(bench, ReadStat("box", path)).changed != first.changed


def test_glob_is_a_shells_and_in_order(bench):
    for name in ("d/b.conf", "d/a.conf", "d/.hidden.conf", "d/c.txt", "e/z.conf", "d/sub.conf/x"):
        bench.put(name, name)
    found = look(
        bench, ReadGlob("box", (bench.path("d/*.conf"), bench.path("e/*.conf"), bench.path("no/*")))
    )
    assert [(file.path, file.content) for file in found] == [
        (bench.path(name), name.encode()) for name in ("d/a.conf", "d/b.conf", "e/z.conf")
    ]


def test_tree_has_digests_and_leaves_ours_out(bench):
    for name in ("t/a.js", "t/sub/b.js", "t/node_modules/x/i.js", "t/.a.js.kjpstate-new.abc123"):
        bench.put(name, name)
    bench.put(f"t/a.js{BACKUP}", "old")
    bench.put("t/dist.kjpstate-new.abc123/x", "new")
    (bench.real(bench.path("t")) / "link").symlink_to("a.js")
    found = look(bench, ReadTree("box", bench.path("t/")))
    assert isinstance(found, Tree)
    assert {path: file.digest for path, file in found.files.items()} == {
        name: sha(f"t/{name}".encode()) for name in ("a.js", "sub/b.js")
    }
    assert found.others == ("link",)
    assert found.files["a.js"].size == 6 and found.files["a.js"].changed


def test_tree_of_some_paths_only(bench):
    for name in ("t/src/a.ts", "t/src/b/c.ts", "t/package.json", "t/other.txt"):
        bench.put(name, name)
    reading = ReadTree(
        "box", bench.path("t/"), ("src/", "package.json", "missing.json", "./src/a.ts")
    )
    assert sorted(look(bench, reading).files) == ["package.json", "src/a.ts", "src/b/c.ts"]


def test_tree_missing_empty_and_not_a_folder(bench):
    bench.put("file", "x")
    bench.real(bench.path("empty")).mkdir()
    missing, empty, file = look(
        bench, *(ReadTree("box", bench.path(name)) for name in ("no/", "empty/", "file/"))
    )
    assert missing is None and empty.files == {}
    assert file == Unreadable(say("hosts.is-no-folder"))


def test_files_that_come_and_go_make_no_tree_unreadable(bench):
    for number in range(60):
        bench.put(f"t/{number}.js", "stays")
    top, over = bench.real(bench.path("t")), threading.Event()

    def come_and_go():
        while not over.is_set():
            (top / "db.json-journal").write_text("x")
            (top / "cache").mkdir()
            (top / "cache/1").write_text("x")
            (top / "cache/1").unlink()
            (top / "cache").rmdir()
            (top / "db.json-journal").unlink()
            time.sleep(0.001)

    busy = threading.Thread(target=come_and_go)
    busy.start()
    try:
        trees = [look(bench, ReadTree("box", bench.path("t/"))) for _ in range(3)]
    finally:
        over.set()
        busy.join()
    for tree in trees:
        assert isinstance(tree, Tree), tree
        assert {name for name in tree.files if name.endswith(".js")} == {
            f"{n}.js" for n in range(60)
        }


def test_hostile_names_are_only_names(bench):
    paths = [bench.put(f"t/{name}", name) for name in HOSTILE]
    *files, tree = look(
        bench, *(ReadFile("box", path) for path in paths), ReadTree("box", bench.path("t/"))
    )
    assert [file.content.decode() for file in files] == HOSTILE
    assert {path: file.digest for path, file in tree.files.items()} == {
        name: sha(name.encode()) for name in HOSTILE
    }
    outcomes, _ = act(
        bench, *(write(bench, f"t/{name}", name.encode(), b"new") for name in HOSTILE)
    )
    assert {outcome.status for outcome in outcomes} == {"done"}, outcomes
    assert bench.names("t") == sorted([*HOSTILE, *(name + BACKUP for name in HOSTILE)])
    assert all(bench.get(f"t/{name}") == b"new" for name in HOSTILE)


def test_clock(bench):
    found = look(bench, ReadClock("box"))
    assert isinstance(found, Clock) and found.boot_id and float(found.uptime) > 0


def test_state_is_bytes_of_ours(bench):
    folder = bench.state / "doc"
    folder.mkdir(parents=True)
    (folder / "s.json").write_bytes(b'{"a": 1}\n')
    found = look(bench, ReadState("box", "doc", "s.json"), ReadState("box", "doc", "t.json"))
    assert found == [b'{"a": 1}\n', None]


def test_a_command_that_looks(real_bench):
    words = [text for text in HOSTILE if not text.startswith("-")]
    found = look(
        real_bench,
        ReadCommand("box", ("sh", "-c", 'printf "%s\n" "$@"; echo bad >&2; exit 3', "x", *words)),
    )
    assert found == Completed(3, "".join(f"{word}\n" for word in words).encode(), b"bad\n")


def test_a_commands_folder_time_and_absence(real_bench):
    slow, where, no_folder, missing = look(
        real_bench,
        ReadCommand("box", ("sleep", "20"), timeout=1),
        ReadCommand("box", ("pwd",), cwd=real_bench.root),
        ReadCommand("box", ("pwd",), cwd=real_bench.path("none")),
        ReadCommand("box", ("no-such-command-here",)),
    )
    assert where.stdout.decode().strip() == real_bench.root
    assert slow == Unreadable(say("hosts.not-in-time", command="sleep", seconds=1))
    assert isinstance(no_folder, Unreadable) and isinstance(missing, Unreadable)
    assert "no-such-command-here" in missing.why.values.values()


def test_a_command_killed_by_a_signal_has_no_exit_code(real_bench):
    found = look(real_bench, ReadCommand("box", ("sh", "-c", "kill -9 $$")))
    assert found.exit_code is None


def test_a_probe_prints_what_it_prints(real_bench):
    path = real_bench.put("log", b"one\0\ntwo\n")
    found = look(real_bench, Probe("box", "tail", ("4", path)))
    assert found == b"size 9 start 5\ntwo\n"


def test_all_readings_of_one_look(bench):
    path = bench.put("a", "1")
    wanted = [
        ReadFile("box", path),
        ReadStat("box", path),
        ReadTree("box", bench.root + "/"),
        ReadClock("box"),
    ]
    found = look(bench, *wanted * 3)
    assert found[:4] == [*found[4:7], found[3]] and found[0].content == b"1"


def test_open_brings_a_file_as_chunks(bench):
    content = os.urandom(700_000)
    path = bench.put("big", content)

    async def go(path):
        host = bench.host()
        try:
            return b"".join([chunk async for chunk in host.open(path)])
        finally:
            await host.close()

    assert asyncio.run(go(path)) == content
    with pytest.raises(errors.Failed, match="no such file"):
        asyncio.run(go(bench.path("none")))


# ---- one file written


def test_replace_keeps_the_original_and_its_mode(bench):
    bench.put("x", "old", 0o640)
    outcomes, answers = act(
        bench, write(bench, "x", b"old", b"new\0"), readings=[ReadFile("box", bench.path("x"))]
    )
    assert (outcomes[0].status, outcomes[0].backup) == ("done", bench.path(f"x{BACKUP}"))
    assert bench.get("x") == b"new\0" and bench.get(f"x{BACKUP}") == b"old"
    assert answers[ReadFile("box", bench.path("x"))].mode == 0o640
    assert stat.S_IMODE(bench.real(bench.path(f"x{BACKUP}")).stat().st_mode) == 0o640
    assert bench.names() == ["x", f"x{BACKUP}"]


def test_create_and_remove(bench):
    outcomes, _ = act(bench, write(bench, "x", None, b"new", mode=0o600))
    assert (outcomes[0].status, outcomes[0].backup) == ("done", "")
    assert stat.S_IMODE(bench.real(bench.path("x")).stat().st_mode) == 0o600
    outcomes, _ = act(bench, write(bench, "x", b"new", None))
    assert (
        outcomes[0].status == "done"
        and bench.get("x") is None
        and bench.get(f"x{BACKUP}") == b"new"
    )


def test_already_so_is_nothing_done(bench):
    bench.put("x", "new")
    outcomes, _ = act(bench, write(bench, "x", b"old", b"new"), write(bench, "y", b"old", None))
    assert [outcome.status for outcome in outcomes] == ["already", "already"]
    assert bench.names() == ["x"]


def test_a_file_that_moved_is_left_alone(bench):
    bench.put("x", "foreign")
    outcomes, _ = act(bench, write(bench, "x", b"old", b"new"), write(bench, "y", None, b"never"))
    assert [outcome.status for outcome in outcomes] == ["moved"]
    assert outcomes[0].reason.code == "hosts.not-as-planned"
    assert bench.get("x") == b"foreign" and bench.names() == ["x"]


def test_a_new_file_that_appeared_has_moved(bench):
    bench.put("x", "foreign")
    outcomes, _ = act(bench, write(bench, "x", None, b"new"))
    assert outcomes[0].status == "moved" and bench.get("x") == b"foreign"


def test_links_folders_and_no_folder(bench):
    bench.put("real", "old")
    (bench.real(bench.root) / "link").symlink_to("real")
    bench.put("dir/x", "1")
    for name, code in (
        ("link", "hosts.link-not-written"),
        ("dir", "hosts.folder-not-file"),
        ("no/x", "hosts.no-folder-for"),
    ):
        before = None if name == "no/x" else b"old"
        outcomes, _ = act(bench, write(bench, name, before, b"new" * 50_000))
        assert outcomes[0].status == "failed" and outcomes[0].reason.code == code, outcomes
    assert bench.get("real") == b"old" and bench.names() == ["dir", "dir/x", "link", "real"]


def test_a_payload_of_a_failed_action_does_not_run_into_the_next(bench):
    """What follows a refused write is neither lost nor taken for a message."""
    bench.put("x", "foreign")

    async def go():
        host = bench.host()
        try:
            await host.begin(run_info(), ())
            first, _ = await host.act(
                [write(bench, "x", b"old", b"kj_run 9 '' 0 touch pwned\n" * 5000)]
            )
            second, answers = await host.act(
                [write(bench, "y", None, b"y")], [ReadFile("box", bench.path("y"))]
            )
            return first, second, answers
        finally:
            await host.close()

    first, second, answers = asyncio.run(go())
    assert (first[0].status, second[0].status) == ("moved", "done")
    assert answers[ReadFile("box", bench.path("y"))].content == b"y"


def test_large_and_odd_sized_payloads(bench):
    sizes = (0, 1, 65535, 65536, 65537, 1_000_001)
    contents = [os.urandom(size) for size in sizes]
    outcomes, _ = act(
        bench,
        *(write(bench, f"f{size}", None, data) for size, data in zip(sizes, contents, strict=True)),
    )
    assert all(outcome.status == "done" for outcome in outcomes)
    assert [bench.get(f"f{size}") for size in sizes] == contents


def test_the_first_original_of_a_run_stays(bench):
    bench.put("x", "one")
    outcomes, _ = act(bench, write(bench, "x", b"one", b"two"), write(bench, "x", b"two", b"three"))
    assert [outcome.status for outcome in outcomes] == ["done", "done"]
    assert bench.get("x") == b"three" and bench.get(f"x{BACKUP}") == b"one"


def test_what_a_cut_run_left_beside_is_swept(bench):
    bench.put("x", "old")
    bench.put(".x.kjpstate-new.dead00", "half")
    bench.put(".xy.kjpstate-new.dead00", "another file's")
    act(bench, write(bench, "x", b"old", b"new"))
    assert bench.names() == [".xy.kjpstate-new.dead00", "x", f"x{BACKUP}"]


def test_the_ledger_names_every_backup(bench):
    bench.put("x", "old")
    bench.put("t/a", "1")
    act(bench, write(bench, "x", b"old", b"new"), Backup("box", bench.path("t/")))
    lines = (bench.state / "doc" / "backups").read_text().splitlines()
    assert [line.split("\t") for line in lines] == [
        ["abc123", bench.path("x"), bench.path(f"x{BACKUP}"), sha(b"old"), "file"],
        [
            "abc123",
            bench.path("t"),
            bench.path(f"t{BACKUP}"),
            listing_digest({"a": sha(b"1")}),
            "directory",
        ],
    ]


def test_extended_attributes_travel(real_bench):
    path = real_bench.real(real_bench.put("x", "old"))
    try:
        os.setxattr(path, "user.note", b"kept")
    except OSError:
        pytest.skip("no extended attributes in this folder")
    act(real_bench, write(real_bench, "x", b"old", b"new"))
    if real_bench.body != "busybox":  # its cp knows nothing of them
        assert os.getxattr(path, "user.note") == b"kept"
    assert real_bench.get("x") == b"new"


@pytest.mark.machine
def test_another_owner_is_kept(real_bench):
    path = real_bench.real(real_bench.put("x", "old", 0o600))
    os.chown(path, 65534, 65534)
    act(real_bench, write(real_bench, "x", b"old", b"new"))
    found, kept = path.stat(), path.with_name(f"x{BACKUP}").stat()
    assert (found.st_uid, found.st_gid, kept.st_uid) == (65534, 65534, 65534)


def test_a_folder_that_takes_no_file(real_bench):
    outcomes, _ = act(
        real_bench,
        WriteFile("box", "/proc/kjpstate-test", None, b"x" * 100_000),
        allowed=("/proc/kjpstate-test",),
    )
    assert (
        outcomes[0].status == "failed"
        and outcomes[0].reason.values["path"] == "/proc/kjpstate-test"
    )


# ---- the other actions


def test_make_directory(bench):
    bench.put("file", "x")
    outcomes, _ = act(
        bench,
        MakeDirectory("box", bench.path("a/b/"), 0o700),
        MakeDirectory("box", bench.path("a/b")),
        MakeDirectory("box", bench.path("file/")),
    )
    assert [outcome.status for outcome in outcomes] == ["done", "already", "failed"]
    assert stat.S_IMODE(bench.real(bench.path("a/b")).stat().st_mode) == 0o700


@pytest.mark.parametrize("shared", [True, False])
def test_the_backup_of_a_folder_is_a_copy_or_where_allowed_the_very_files(bench, shared):
    bench.put("m/a/index.js", "a")
    bench.put("m/.lock", "l")
    (bench.real(bench.path("m")) / "link").symlink_to("a")
    outcomes, _ = act(bench, Backup("box", bench.path("m/"), shared))
    assert [outcome.status for outcome in outcomes] == ["done"]
    kept = bench.real(outcomes[0].backup)
    assert sorted(path.relative_to(kept).as_posix() for path in kept.rglob("*")) == [
        ".lock",
        "a",
        "a/index.js",
        "link",
    ]
    assert (kept / "link").is_symlink()
    same = (kept / "a/index.js").samefile(bench.real(bench.path("m/a/index.js")))
    assert same is shared
    assert not (kept / ".lock").samefile(bench.real(bench.path("m/.lock")))
    bench.real(bench.path("m/a/index.js")).unlink()
    bench.put("m/a/index.js", "new")
    outcomes, _ = act(
        bench, Restore("box", bench.path("m/"), outcomes[0].backup), run=run_info("abc124")
    )
    assert outcomes[0].ok and bench.get("m/a/index.js") == b"a"
    assert not (kept / "a/index.js").samefile(bench.real(bench.path("m/a/index.js")))


def test_stamps_are_private_and_removed(bench):
    outcomes, answers = act(
        bench,
        Stamp("box", "doc", "s.json", {"b": [1], "a": None}),
        readings=[ReadState("box", "doc", "s.json")],
    )
    assert outcomes[0].status == "done"
    assert json.loads(answers[ReadState("box", "doc", "s.json")]) == {"a": None, "b": [1]}
    assert stat.S_IMODE((bench.state / "doc" / "s.json").stat().st_mode) == 0o600
    outcomes, answers = act(
        bench,
        Stamp("box", "doc", "s.json", None),
        Stamp("box", "doc", "s.json", None),
        readings=[*answers],
    )
    assert [outcome.status for outcome in outcomes] == ["done", "done"]
    assert answers == {ReadState("box", "doc", "s.json"): None}


def test_a_run_says_how_it_ended(real_bench):
    run = Run("box", ("sh", "-c", "echo out; echo err >&2; pwd"), "tries", cwd=real_bench.root)
    outcomes, _ = act(real_bench, run)
    assert (outcomes[0].status, outcomes[0].exit_code) == ("done", 0)
    assert set(outcomes[0].output.decode().splitlines()) == {"out", "err", real_bench.root}


@pytest.mark.parametrize(
    ("argv", "options", "status", "code"),
    [
        (("false",), {}, "failed", 1),
        (("sh", "-c", "exit 7"), {"allowed_exits": (0, 7)}, "done", 7),
        (("sh", "-c", "kill -9 $$"), {}, "unknown", None),
        (("sh", "-c", "exit 255"), {}, "failed", 255),
        (("no-such-command-here",), {}, "failed", None),
        (("true",), {"cwd": "/no/such/folder"}, "failed", None),
        (("sleep", "30"), {"timeout": 1.0}, "failed", None),
    ],
)
def test_how_runs_end(real_bench, argv, options, status, code):
    outcomes, _ = act(
        real_bench, Run("box", argv, "tries", **options), Stamp("box", "doc", "after", {})
    )
    assert (outcomes[0].status, outcomes[0].exit_code) == (status, code), outcomes
    assert len(outcomes) == (2 if status == "done" else 1)


def test_a_run_with_a_clean_environment_and_hostile_words(real_bench):
    script = 'env > seen; printf "%s\n" "$@"'
    run = Run("box", ("sh", "-c", script, "x", *HOSTILE), "tries", cwd=real_bench.root)
    clean = Run(
        "box", run.argv, "tries", cwd=run.cwd, clean_env={"PATH": os.environ["PATH"], "A B": "c'd"}
    )
    outcomes, _ = act(real_bench, run, clean)
    assert [outcome.output.decode().splitlines() for outcome in outcomes] == [HOSTILE, HOSTILE]
    names = {
        line.partition("=")[0] for line in (real_bench.get("seen") or b"").decode().splitlines()
    }
    assert names - {"PWD", "_", "SHLVL", "OLDPWD"} == {"PATH", "A B"} - ({"A B"} - names)


def test_only_the_end_of_long_output_is_kept(real_bench):
    program = "i=0; while [ $i -lt 20000 ]; do echo line-$i; i=$((i+1)); done"
    outcomes, _ = act(real_bench, Run("box", ("sh", "-c", program), "tries"))
    assert outcomes[0].output.endswith(b"line-19999\n") and len(outcomes[0].output) <= 65536


def test_a_daemon_left_behind_does_not_hold_the_run_up(real_bench):
    program = "(sleep 8 & echo $! > pid)"
    outcomes, _ = act(
        real_bench, Run("box", ("sh", "-c", program), "tries", cwd=real_bench.root, timeout=5)
    )
    assert outcomes[0].status == "done"
    os.kill(int(real_bench.get("pid") or b"0"), 9)


def test_backup_and_restore_of_a_file(bench):
    bench.put("x", "old", 0o600)
    outcomes, _ = act(bench, Backup("box", bench.path("x")), Backup("box", bench.path("none")))
    assert [(outcome.status, outcome.backup) for outcome in outcomes] == [
        ("done", bench.path(f"x{BACKUP}")),
        ("done", ""),
    ]
    bench.put("x", "spoiled", 0o644)
    bench.put("none", "new")
    outcomes, _ = act(
        bench,
        Restore("box", bench.path("x"), outcomes[0].backup),
        Restore("box", bench.path("none"), None),
    )
    assert [outcome.status for outcome in outcomes] == ["done", "done"]
    assert bench.get("x") == b"old" and bench.get("none") is None
    assert stat.S_IMODE(bench.real(bench.path("x")).stat().st_mode) == 0o600


def test_backup_and_restore_of_a_folder(bench):
    bench.put("t/a", "1")
    bench.put("t/sub/b", "2", 0o755)
    (bench.real(bench.path("t")) / "link").symlink_to("a")
    outcomes, _ = act(bench, Backup("box", bench.path("t/")), Backup("box", bench.path("u/")))
    assert [outcome.backup for outcome in outcomes] == [bench.path(f"t{BACKUP}"), ""]
    bench.put("t/a", "spoiled")
    bench.put("t/new", "new")
    bench.put("u/new", "new")
    restores = (
        Restore("box", bench.path("t/"), outcomes[0].backup),
        Restore("box", bench.path("u/"), None),
    )
    outcomes, _ = act(bench, *restores)
    assert [outcome.status for outcome in outcomes] == ["done", "done"]
    assert bench.names("t") == ["a", "link", "sub", "sub/b"] and bench.get("t/a") == b"1"
    assert bench.real(bench.path("t/sub/b")).stat().st_mode & 0o111
    assert bench.get(f"t{BACKUP}/a") == b"1" and not bench.real(bench.path("u")).exists()


# ---- a folder switched


def manifest(bench, name):
    return look(bench, ReadTree("box", bench.path(name))).files


def sync(bench, *remove, **options):
    files = options.pop("files", None) or manifest(bench, "src/")
    action = SyncTree("box", bench.path("src/"), "box", bench.path("dist/"), files, remove)
    return act(bench, action, **options)[0][0]


def test_a_tree_is_switched_and_what_is_not_ours_comes_along(bench):
    bench.put("src/a.js", "new a", 0o755)
    bench.put("src/same.js", "same")
    bench.put("src/sub/deep/c.js", "c" * 100_000)
    bench.put("dist/a.js", "old a")
    bench.put("dist/same.js", "same", 0o600)
    bench.put("dist/stale/old.js", "stale")
    bench.put("dist/db.json", "{}")
    bench.put("dist/data/keys/k1", "k")
    inode = bench.real(bench.path("dist/db.json")).stat().st_ino
    (bench.real(bench.path("dist")) / "link").symlink_to("a.js")
    outcome = sync(bench, "stale/old.js")
    assert (outcome.status, outcome.backup) == ("done", bench.path(f"dist{BACKUP}")), outcome
    files = [
        name for name in bench.names("dist") if bench.real(bench.path(f"dist/{name}")).is_file()
    ]
    assert files == ["a.js", "data/keys/k1", "db.json", "link", "same.js", "sub/deep/c.js"]
    assert "stale" not in bench.names("dist")
    assert bench.get("dist/a.js") == b"new a" and bench.get(f"dist{BACKUP}/a.js") == b"old a"
    assert bench.real(bench.path("dist/db.json")).stat().st_ino == inode
    assert stat.S_IMODE(bench.real(bench.path("dist/a.js")).stat().st_mode) == 0o755
    assert bench.get(f"dist{BACKUP}/stale/old.js") == b"stale"
    assert not [name for name in bench.names() if "kjpstate-" in name]
    assert not (bench.state / "doc" / "switch").exists()


def test_an_edit_in_place_does_not_reach_the_backup(bench):
    for folder in ("src", "dist"):
        bench.put(f"{folder}/a.js", "same")
    bench.put("src/b.js", "b")
    sync(bench)
    bench.put("dist/a.js", "edited in place")
    assert bench.get(f"dist{BACKUP}/a.js") == b"same"


def test_a_new_tree_and_one_that_is_already_there(bench):
    bench.put("src/a.js", "a")
    first, second = sync(bench), sync(bench)
    assert (first.status, first.backup, second.status) == ("done", "", "already")
    assert bench.names("dist") == ["a.js"]


def test_a_source_that_moved_switches_nothing(bench):
    bench.put("src/a.js", "a")
    bench.put("src/b.js", "b" * 1000)
    files = manifest(bench, "src/")
    bench.put("src/b.js", "bb")
    bench.put("dist/a.js", "old")
    outcome = sync(bench, files=files)
    assert outcome.status == "moved", outcome
    assert bench.names("dist") == ["a.js"] and bench.get("dist/a.js") == b"old"
    assert not [name for name in bench.names() if "kjpstate" in name or "backup" in name]


def test_what_follows_a_switch_that_can_not_be_is_not_done(bench):
    bench.put("src/a.js", "a")
    bench.put("dist", "a file")
    switch = SyncTree(
        "box", bench.path("src/"), "box", bench.path("dist/"), manifest(bench, "src/")
    )
    reading = ReadFile("box", bench.path("dist"))
    first = Stamp("box", "doc", "before", {})
    outcomes, answers = act(
        bench, first, switch, Stamp("box", "doc", "after", {}), readings=[reading]
    )
    assert [outcome.status for outcome in outcomes] == ["done", "failed"]
    assert answers[reading].content == b"a file" and not (bench.state / "doc" / "after").exists()


def test_a_source_that_is_gone_switches_nothing(bench):
    bench.put("src/a.js", "a")
    files = {**manifest(bench, "src/"), "gone.js": TreeFile(sha(b"gone"), 4, 0o644)}
    bench.put("dist/a.js", "old")
    outcome = sync(bench, files=files)
    assert outcome.status in ("moved", "failed") and bench.names("dist") == ["a.js"]


@pytest.mark.parametrize("name", ["../out", "/abs", "a/../../out", "new\nline", "back\\slash"])
def test_a_manifest_may_not_lead_out(bench, name):
    bench.put("src/a.js", "a")
    outcome = sync(bench, files={name: TreeFile(sha(b"x"), 1, 0o644)})
    assert outcome.status == "refused" and outcome.reason.code == "hosts.no-name-in-a-tree"
    assert bench.names() == ["src", "src/a.js"]


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "", "a\nb"])
def test_what_goes_may_not_lead_out(bench, name):
    """Such names come from a host's own notes, which somebody may have written."""
    for path in ("x", "dist/a", "src/a"):
        bench.put(path, "old")
    files = manifest(bench, "src/")
    asked = (
        SyncTree("box", bench.path("src/"), "box", bench.path("dist/"), files, (name,)),
        Restore("box", bench.path("dist/"), None, files={name: "0" * 64}),
        Restore("box", bench.path("dist/"), None, removed=(name,)),
    )
    for action in asked:
        outcomes, _ = act(bench, action)
        assert (
            outcomes[0].status == "refused" and outcomes[0].reason.code == "hosts.no-name-in-a-tree"
        )
    assert bench.names() == ["dist", "dist/a", "src", "src/a", "x"]


def test_a_folder_that_is_a_link_is_not_switched(bench):
    bench.put("src/a.js", "a")
    bench.put("v1/a.js", "old")
    (bench.real(bench.root) / "dist").symlink_to("v1")
    assert sync(bench).reason.code == "hosts.link-not-switched" and bench.get("v1/a.js") == b"old"


def test_a_switch_is_undone_by_restore(bench):
    bench.put("src/a.js", "new")
    bench.put("dist/a.js", "old")
    bench.put("dist/db.json", "{}")
    backup = sync(bench).backup
    outcomes, _ = act(bench, Restore("box", bench.path("dist/"), backup))
    assert outcomes[0].status == "done" and bench.get("dist/a.js") == b"old"
    assert bench.get(f"dist{BACKUP}/a.js") == b"old"


# ---- the guard and the lock


def test_no_write_outside_what_may_be_changed(bench):
    for name in ("x", "dist/a", "src/a"):
        bench.put(name, "old")
    files = manifest(bench, "src/")
    forbidden = (
        write(bench, "x", b"old", b"new"),
        MakeDirectory("box", bench.path("other/")),
        SyncTree("box", bench.path("src/"), "box", bench.path("dist/"), files),
        Restore("box", bench.path("x"), None),
    )
    for action in forbidden:
        outcomes, _ = act(
            bench,
            Stamp("box", "doc", "s", {}),
            action,
            allowed=(bench.path("ok/"), bench.path("x.y")),
        )
        assert [outcome.status for outcome in outcomes] == ["done", "refused"]
        assert outcomes[1].reason.code == "hosts.may-not-change"
    assert bench.names() == ["dist", "dist/a", "src", "src/a", "x"]


def test_folders_on_the_way_may_be_made(bench):
    outcomes, _ = act(
        bench, MakeDirectory("box", bench.path("app/")), allowed=(bench.path("app/dist/"),)
    )
    assert outcomes[0].status == "done"


def test_what_a_command_writes_is_kept_in_our_own_folder(bench):
    bench.put("dump.pm2", "old")
    path = bench.path("dump.pm2")

    async def go():
        host = bench.host(bench.path("other"))
        try:
            await host.begin(run_info(), ())
            kept, _ = await host.act([Backup("box", path), Backup("box", bench.path("none"))])
            bench.put("dump.pm2", "spoiled")
            bench.put("none", "made")
            back = [Restore("box", path, kept[0].backup), Restore("box", bench.path("none"), None)]
            return kept, (await host.act(back))[0]
        finally:
            await host.close()

    kept, back = asyncio.run(go())
    assert "/doc/kept/" in kept[0].backup and kept[1].backup == ""
    assert [outcome.status for outcome in back] == ["done", "done"]
    assert bench.get("dump.pm2") == b"old" and bench.names() == ["dump.pm2"]


def test_the_second_run_is_told_who_holds_the_lock(bench):
    async def go():
        first, second = bench.host(), bench.host()
        try:
            await first.begin(run_info(), ())
            with pytest.raises(errors.Locked) as caught:
                await second.begin(run_info("def456"), ())
            told = caught.value.held.values
            assert (told["run"], told["who"], told["when"]) == (
                "abc123",
                "me@laptop",
                "20261123T200000Z",
            )
            await first.end()
            await second.begin(run_info("def456"), ())
        finally:
            await first.close()
            await second.close()

    asyncio.run(go())
    assert not list(bench.locks.glob("*"))


def test_answers_under_the_lock(bench):
    path = bench.put("x", "1")

    async def go():
        host = bench.host()
        try:
            return await host.begin(run_info(), [ReadFile("box", path), ReadClock("box")])
        finally:
            await host.close()

    answers = asyncio.run(go())
    assert answers[ReadFile("box", path)].content == b"1" and len(answers) == 2


def owner_text(**changes):
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    own = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(") ")[2].split()[19]
    words = {
        "run": "dead00",
        "who": "x",
        "when": "y",
        "why": "apply",
        "pid": os.getpid(),
        "start": own,
        "boot": boot,
    }
    return "".join(f"{word} {value}\n" for word, value in {**words, **changes}.items())


@pytest.mark.parametrize(
    ("changes", "stale"),
    [
        ({}, False),
        ({"pid": 4194303}, True),
        ({"start": "1"}, True),
        ({"boot": "another"}, True),
    ],
)
def test_a_dead_owners_lock_is_broken_and_no_other(real_bench, changes, stale):
    real_bench.locks.mkdir()
    (real_bench.locks / "kjpstate").write_text(owner_text(**changes))
    if stale:
        assert act(real_bench, MakeDirectory("box", real_bench.path("a/")))[0][0].status == "done"
        assert not list(real_bench.locks.glob("*"))
    else:
        with pytest.raises(errors.Locked, match="dead00"):
            act(real_bench)


def test_who_died_while_breaking_a_lock_is_outlived(real_bench):
    real_bench.locks.mkdir()
    (real_bench.locks / "kjpstate").write_text(owner_text(pid=4194303))
    (real_bench.locks / "kjpstate.break.dead00-4194303").write_text(
        owner_text(run="dead01", pid=4194302)
    )
    assert act(real_bench, MakeDirectory("box", real_bench.path("a/")))[0][0].status == "done"
    assert not list(real_bench.locks.glob("*"))


def test_a_session_whose_lock_was_taken_away_writes_nothing(real_bench):
    async def go():
        host = real_bench.host()
        try:
            await host.begin(run_info(), ())
            (real_bench.locks / "kjpstate").write_text(owner_text())
            return await host.act([write(real_bench, "x", None, b"new" * 100_000)])
        finally:
            await host.close()

    outcomes, _ = asyncio.run(go())
    assert outcomes[0].status == "failed" and outcomes[0].reason.code == "lock.taken-away"
    assert real_bench.names() == [] and (real_bench.locks / "kjpstate").read_text() == owner_text()


# ---- a full disk


@pytest.mark.machine
def test_a_full_disk_leaves_the_file_as_it_was(real_bench):
    small = real_bench.real(real_bench.path("small"))
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)], check=True)
    try:
        real_bench.put("small/x", "old")

        async def go():
            host = real_bench.host()
            try:
                await host.begin(run_info(), ())
                first, _ = await host.act(
                    [write(real_bench, "small/x", b"old", os.urandom(1_000_000))]
                )
                second, _ = await host.act([write(real_bench, "y", None, b"y")])
                return first[0], second[0]
            finally:
                await host.close()

        full, after = asyncio.run(go())
        assert full.status == "failed" and "no space left" in str(full.reason).lower()
        assert after.status == "done" and real_bench.get("small/x") == b"old"
        assert real_bench.names("small") == ["x", f"x{BACKUP}"]
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.machine
def test_a_disk_too_full_for_the_backup_keeps_no_half_of_it(real_bench):
    small = real_bench.real(real_bench.path("small"))
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)], check=True)
    try:
        old = os.urandom(40_000)
        real_bench.put("small/x", old)
        outcomes, _ = act(real_bench, write(real_bench, "small/x", old, b"new"))
        assert outcomes[0].status == "failed" and "no space left" in str(outcomes[0].reason).lower()
        assert real_bench.get("small/x") == old and real_bench.names("small") == ["x"]
    finally:
        subprocess.run(["umount", str(small)], check=True)


# ---- what a long command prints is told while it runs


def test_lines_are_told_while_the_command_runs(real_bench):
    """The first line is heard well before the command ends; the report holds it all."""
    program = "echo one; echo two >&2; sleep 2.5; printf 'half\\rthree'"

    async def go():
        host = real_bench.host()
        heard: list[tuple[float, str]] = []
        await host.begin(run_info(), ())
        host.heard = lambda line: heard.append((time.monotonic(), line))
        loud = Run("box", ("sh", "-c", program), "builds", cwd=real_bench.root, shown=True)
        quiet = Run("box", ("echo", "silent"), "builds", cwd=real_bench.root)
        outcomes, _ = await host.act([loud, quiet])
        ended = time.monotonic()
        await host.end()
        await host.close()
        return heard, outcomes, ended

    heard, outcomes, ended = asyncio.run(go())
    assert sorted(line for _, line in heard) == ["one", "three", "two"]
    assert ended - heard[0][0] > 1 and heard[-1][1] == "three"
    assert [outcome.status for outcome in outcomes] == ["done", "done"]
    assert b"one" in outcomes[0].output and b"silent" in outcomes[1].output


def test_much_output_is_told_without_a_tear(real_bench):
    lines = 3000

    async def go():
        host = real_bench.host()
        heard: list[str] = []
        await host.begin(run_info(), ())
        host.heard = heard.append
        program = f"i=0; while [ $i -lt {lines} ]; do i=$((i + 1)); echo line $i; done"
        await host.act(
            [Run("box", ("sh", "-c", program), "builds", cwd=real_bench.root, shown=True)]
        )
        await host.end()
        await host.close()
        return heard

    assert asyncio.run(go()) == [f"line {number}" for number in range(1, lines + 1)]


def test_a_time_limit_ends_what_the_command_started_too(real_bench, tmp_path):
    """npm starts a shell that starts tsc: none of them may go on after the time is up."""
    mark = tmp_path / "alive"
    child = f"while :; do date > {mark}; sleep 0.2; done"
    loud = Run(
        "box",
        ("sh", "-c", f"sh -c '{child}' & wait"),
        "builds",
        cwd=real_bench.root,
        timeout=1,
        shown=True,
    )
    outcomes, _ = act(real_bench, loud)
    assert outcomes[0].status == "failed" and outcomes[0].reason == say(
        "hosts.still-running", seconds=1
    )
    mark.unlink()
    time.sleep(0.6)
    assert not mark.exists()


# ---- backups that go


def _backups(bench, count):
    """`count` runs, each of which keeps one file and one folder; the names of the backups."""
    names = []
    for number in range(count):
        run = run_info(f"{number:06x}")
        bench.put("x", f"text {number}")
        bench.put("dir/y", f"text {number}")
        act(bench, Backup("box", bench.path("x")), Backup("box", bench.path("dir")), run=run)
        names += [f"{name}.backup.{run.suffix}" for name in ("x", "dir")]
    return names


def _ledger(bench):
    return look(bench, ReadState("box", "doc", "backups")) or b""


def test_prune_takes_what_is_named_and_its_rows_and_nothing_else(bench):
    names = _backups(bench, 3)
    rows = _ledger(bench).splitlines()
    gone = [bench.path(name) for name in names[:2]]
    outcomes, _ = act(bench, Prune("box", "doc", tuple(gone)))
    assert [outcome.status for outcome in outcomes] == ["done"]
    assert [name for name in names if bench.real(bench.path(name)).exists()] == names[2:]
    assert _ledger(bench).splitlines() == rows[2:]
    assert bench.get("x") == b"text 2" and bench.get("dir/y") == b"text 2"
    again, _ = act(bench, Prune("box", "doc", (*gone, bench.path(names[2]))))
    assert again[0].ok and _ledger(bench).splitlines() == rows[3:]


def test_prune_leaves_what_the_ledger_does_not_name(bench):
    _backups(bench, 1)
    foreign = bench.put("theirs.backup.20261123T200000Z-000000", "a stranger's")
    rows = _ledger(bench)
    outcomes, _ = act(bench, Prune("box", "doc", (foreign, bench.path("x"), bench.root)))
    assert outcomes[0].ok
    assert bench.get("theirs.backup.20261123T200000Z-000000") == b"a stranger's"
    assert bench.get("x") == b"text 0" and _ledger(bench) == rows


@pytest.mark.parametrize("name", ["x", "y.backup.20261123T200000Z-abcdef", "x.backup.", ""])
def test_prune_takes_no_row_by_its_word(bench, name):
    """A ledger that somebody edited must not make us remove what bears no name of that run's
    backups."""
    bench.put("x", "precious")
    bench.put("y.backup.20261123T200000Z-abcdef", "precious")
    ledger = bench.state / "doc" / "backups"
    ledger.parent.mkdir(parents=True, exist_ok=True)
    path = bench.path(name) if name else bench.root
    ledger.write_text(f"000000\t{bench.path('x')}\t{path}\t{'0' * 64}\tfile\n")
    outcomes, _ = act(bench, Prune("box", "doc", (path,)))
    assert outcomes[0].status == "failed" and outcomes[0].reason.code == "hosts.no-name-of-a-backup"
    assert bench.get("x") == b"precious"
    assert ledger.read_text().startswith("000000\t")


def test_prune_follows_no_link(bench):
    names = _backups(bench, 1)
    target = bench.real(bench.put("precious/z", "precious"))
    backup = bench.real(bench.path(names[0]))
    backup.unlink()
    backup.symlink_to(target.parent)
    outcomes, _ = act(bench, Prune("box", "doc", (bench.path(names[0]),)))
    assert outcomes[0].status == "failed" and outcomes[0].reason.code == "hosts.backup-is-a-link"
    assert target.read_text() == "precious"
